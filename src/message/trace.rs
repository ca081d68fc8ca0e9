use std::fmt::Write as _;

use super::{CommandId, InstanceId, LifeId};

/// The trace of one life of an instance: its starter's, or one of its own, derived from who it
/// is. Whoever computes it gets the same, so a restart repeats nothing and loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace's id; never zero.
    pub trace: [u8; 16],
    /// The span that started the instance, if the starter told one.
    pub parent: Option<[u8; 8]>,
    /// Whether anybody wants to see it.
    pub sampled: bool,
    seed: [u8; 32],
}

impl TraceContext {
    /// Finds the trace of one life of an instance; `parent` is the `traceparent` of whoever
    /// started it, and counts as none if it is not one.
    #[must_use]
    pub fn of(instance: &InstanceId, life: LifeId, parent: Option<&str>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("segue 2026 trace");
        for part in [instance.saga.as_str(), instance.key.as_str()] {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
        hasher.update(&life.number.to_be_bytes());
        if life.mark != 0 {
            hasher.update(&life.mark.to_be_bytes());
        }
        let seed = *hasher.finalize().as_bytes();
        match parent.and_then(read) {
            Some((trace, span, sampled)) => Self { trace, parent: Some(span), sampled, seed },
            None => Self { trace: not_zero(&seed), parent: None, sampled: true, seed },
        }
    }

    /// The span of a transition of the instance, counted from 1.
    #[must_use]
    pub fn transition(&self, number: u64) -> [u8; 8] {
        self.span("segue 2026 transition span", &number.to_be_bytes())
    }

    /// The span in which a command or fact is sent.
    #[must_use]
    pub fn sending(&self, command: &CommandId) -> [u8; 8] {
        self.span("segue 2026 sending span", command.to_string().as_bytes())
    }

    /// The `traceparent` header of a command or fact.
    #[must_use]
    pub fn traceparent(&self, command: &CommandId) -> String {
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        hex(&self.trace, &mut text);
        text.push('-');
        hex(&self.sending(command), &mut text);
        text.push_str(if self.sampled { "-01" } else { "-00" });
        text
    }

    fn span(&self, purpose: &str, what: &[u8]) -> [u8; 8] {
        let mut hasher = blake3::Hasher::new_derive_key(purpose);
        not_zero(hasher.update(&self.seed).update(what).finalize().as_bytes())
    }
}

/// Where something that an instance asks for stands in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traced {
    /// The trace.
    pub context: TraceContext,
    /// The transition that asked for it.
    pub transition: u64,
}

/// The first bytes of a hash; W3C gives zero no meaning.
fn not_zero<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut short = [0; N];
    short.copy_from_slice(&hash[..N]);
    if short == [0; N] {
        short[N - 1] = 1;
    }
    short
}

fn hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        write!(out, "{byte:02x}").expect("writing to a string never fails");
    }
}

/// Reads a `traceparent` as W3C's level 2 says: trace, span and whether it is sampled.
fn read(text: &str) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = text.trim().split('-');
    let [version] = bytes(parts.next()?)?;
    let (trace, span) = (bytes(parts.next()?)?, bytes(parts.next()?)?);
    let [flags] = bytes::<1>(parts.next()?)?;
    // Later versions may say more behind it, this one may not.
    let ends = parts.next().is_none() || version > 0;
    let told = version != 0xff && trace != [0; 16] && span != [0; 8];
    (ends && told).then_some((trace, span, flags & 1 == 1))
}

/// Lower-case hexadecimal digits of exactly that many bytes.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.bytes().all(digit) {
        return None;
    }
    let mut read = [0; N];
    for (place, byte) in read.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Key, Part, SagaName};

    const ONE: LifeId = LifeId { number: 1, mark: 0 };
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn instance(saga: &str, key: &str) -> InstanceId {
        let saga = SagaName::new(saga).expect("a name");
        InstanceId { saga, key: Key::new(key).expect("a key") }
    }

    fn command(attempt: u32) -> CommandId {
        CommandId {
            instance: instance("order", "o-1"),
            life: ONE,
            subject: "charge".parse().expect("a step"),
            part: Part::Action,
            attempt,
        }
    }

    #[test]
    fn an_instance_has_one_trace_and_another_has_another() {
        let of = |saga, key, life| TraceContext::of(&instance(saga, key), life, None);
        let context = of("order", "o-1", ONE);
        assert_eq!(context, of("order", "o-1", ONE));
        assert_eq!((context.parent, context.sampled), (None, true));
        // Written down: another value would tear the traces of instances that live.
        assert_eq!(context.traceparent(&command(1)), GOLDEN);
        let two = LifeId::unmarked(2);
        let marked = LifeId { mark: 1, ..ONE };
        let others = [
            of("order", "o-1", two),
            of("order", "o-1", marked),
            of("order", "o-2", ONE),
            of("ordero", "-1", ONE),
        ];
        for other in others {
            assert_ne!(context.trace, other.trace);
            assert_ne!(context.transition(1), other.transition(1));
        }
    }

    #[test]
    fn every_transition_and_command_has_a_span_of_its_own() {
        let context = TraceContext::of(&instance("order", "o-1"), ONE, None);
        let mut spans: Vec<_> = (1..100).map(|n| context.transition(n)).collect();
        spans.extend((1..100).map(|n| context.sending(&command(n))));
        spans.sort_unstable();
        spans.dedup();
        assert_eq!(spans.len(), 198);
    }

    #[test]
    fn a_starters_trace_is_joined() {
        let context = TraceContext::of(&instance("order", "o-1"), ONE, Some(PARENT));
        let header = context.traceparent(&command(1));
        assert!(header.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{header}");
        assert!(header.ends_with("-01"), "{header}");
        let parent = context.parent.expect("the starter's span");
        assert_eq!(u64::from_be_bytes(parent), 0xb7ad_6b71_6920_3331);
        assert_eq!(read(&header).map(|(_, span, _)| span), Some(context.sending(&command(1))));
        let unseen = PARENT.replace("-01", "-00");
        let context = TraceContext::of(&instance("order", "o-1"), ONE, Some(&unseen));
        assert!(context.traceparent(&command(1)).ends_with("-00"));
        let later = PARENT.replace("00-0af", "01-0af") + "-more";
        assert!(TraceContext::of(&instance("o", "1"), ONE, Some(&later)).parent.is_some());
    }

    #[test]
    fn what_is_no_traceparent_counts_as_none() {
        let own = TraceContext::of(&instance("order", "o-1"), ONE, None);
        for text in [
            "",
            "x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c8031üc-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::of(&instance("order", "o-1"), ONE, Some(text)), own, "{text}");
        }
    }

    const GOLDEN: &str = "00-bdaab214eb980736cacf79751343f883-2aded84f47f0075b-01";
}
