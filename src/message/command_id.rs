use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use super::{Error, InstanceId, Key, LifeId, SagaName, Subject};

/// What one attempt of one action or compensation is called: derived from where it stands, so a
/// replay makes the same id again.
///
/// As text `saga/key/life/step/attempt`, with `/`, `%` and `~` percent-encoded inside the key;
/// a compensation's step reads `step~undo`, its second run (for a late success) `step~undo.2`, its
/// probe `step~probe`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId {
    /// Whose command it is.
    pub instance: InstanceId,
    /// Which life of the instance.
    pub life: LifeId,
    /// The step, or the end of the saga, that it is about.
    pub subject: Subject,
    /// Action or compensation.
    pub part: Part,
    /// Which attempt, counted from 1.
    pub attempt: u32,
}

/// Which request of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What the step does.
    Action,
    /// What undoes it: the how-manieth undoing, counted from 1.
    Undo(u32),
    /// The question whether it happened.
    Probe,
}

impl Part {
    /// The undoing of this number, counted from 1.
    #[must_use]
    pub fn undoing(number: usize) -> Self {
        Self::Undo(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// The same for all undoings.
    #[must_use]
    pub fn kind(self) -> PartKind {
        match self {
            Self::Action => PartKind::Action,
            Self::Undo(_) => PartKind::Undo,
            Self::Probe => PartKind::Probe,
        }
    }
}

/// What a request of a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// To do it, or to tell a fact.
    Action,
    /// To find out whether it happened.
    Probe,
    /// To undo it.
    Undo,
}

impl PartKind {
    /// The part of a step that it belongs to; of several undoings, the first.
    #[must_use]
    pub fn first(self) -> Part {
        match self {
            Self::Action => Part::Action,
            Self::Probe => Part::Probe,
            Self::Undo => Part::Undo(1),
        }
    }
}

impl CommandId {
    /// The id without its attempt: what stays the same over all attempts of one action.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        let mut text = String::with_capacity(64);
        encode(self.instance.saga.as_str(), &mut text);
        text.push('/');
        encode(self.instance.key.as_str(), &mut text);
        write!(text, "/{}/{}", self.life, self.subject).expect("writing to a string never fails");
        match self.part {
            Part::Action => {}
            Part::Probe => text.push_str("~probe"),
            Part::Undo(1) => text.push_str("~undo"),
            Part::Undo(run) => {
                write!(text, "~undo.{run}").expect("writing to a string never fails");
            }
        }
        text
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.idempotency_key(), self.attempt)
    }
}

impl FromStr for CommandId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::CommandId(text.to_owned());
        let parts: Vec<&str> = text.split('/').collect();
        let [saga, key, life, subject, attempt] = parts[..] else {
            return Err(wrong());
        };
        let saga = SagaName::new(&decode(saga).ok_or_else(wrong)?).map_err(|_| wrong())?;
        let key = Key::new(&decode(key).ok_or_else(wrong)?).map_err(|_| wrong())?;
        let (subject, part) = match subject.split_once('~') {
            None => (subject, Part::Action),
            Some((subject, "probe")) => (subject, Part::Probe),
            Some((subject, "undo")) => (subject, Part::Undo(1)),
            Some((subject, run)) => {
                let run = run.strip_prefix("undo.").ok_or_else(wrong)?;
                (subject, Part::Undo(run.parse().map_err(|_| wrong())?))
            }
        };
        Ok(Self {
            instance: InstanceId { saga, key },
            life: life.parse().map_err(|_| wrong())?,
            subject: subject.parse().map_err(|_| wrong())?,
            part,
            attempt: attempt.parse().map_err(|_| wrong())?,
        })
    }
}

fn encode(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '/' => out.push_str("%2F"),
            '%' => out.push_str("%25"),
            '~' => out.push_str("%7E"),
            _ => out.push(c),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('%') {
        out.push_str(&rest[..place]);
        out.push(match rest.get(place + 1..place + 3)? {
            "2F" => '/',
            "25" => '%',
            "7E" => '~',
            _ => return None,
        });
        rest = &rest[place + 3..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(key: &str, part: Part) -> CommandId {
        CommandId {
            instance: InstanceId {
                saga: SagaName::new("order-fulfilment").expect("a name"),
                key: Key::new(key).expect("a key"),
            },
            life: LifeId { number: 2, mark: 0xab_cdef },
            subject: "charge-card".parse().expect("a step"),
            part,
            attempt: 3,
        }
    }

    #[test]
    fn a_command_id_reads_back_as_it_was_written() {
        let plain = id("o-1", Part::Action);
        assert_eq!(plain.to_string(), "order-fulfilment/o-1/2-0000abcdef/charge-card/3");
        assert_eq!(plain.idempotency_key(), "order-fulfilment/o-1/2-0000abcdef/charge-card");
        let undo = id("a/b%~c ü", Part::Undo(2));
        let text = "order-fulfilment/a%2Fb%25%7Ec ü/2-0000abcdef/charge-card~undo.2/3";
        assert_eq!(undo.to_string(), text);
        let probe = id("o-1", Part::Probe);
        let text = "order-fulfilment/o-1/2-0000abcdef/charge-card~probe";
        assert_eq!(probe.idempotency_key(), text);
        for command in [plain, undo, probe, id("x", Part::Undo(1))] {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
    }

    #[test]
    fn the_id_of_a_life_without_a_mark_is_what_it_was() {
        let text = "order-fulfilment/o-1/2/charge-card/3";
        let id: CommandId = text.parse().expect("an id");
        assert_eq!((id.life, id.to_string().as_str()), (LifeId::unmarked(2), text));
    }

    #[test]
    fn a_foreign_id_is_refused() {
        for text in
            ["", "x", "a/b/c/d", "a/b/1/d/e", "A/b/1/d/1", "a//1/d/1", "a/%zz/1/d/1", "a/b/1/D/1"]
        {
            assert!(text.parse::<CommandId>().is_err(), "{text}");
        }
    }
}
