use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What errors are grouped by: the saga, the step, and the reason without what differs between two
/// instances that failed in the same way. As text sixteen hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(value_type = String))]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// That of a reason at a step of a saga; of the whole saga where no step is named.
    #[must_use]
    pub fn of(saga: &str, step: &str, reason: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("segue 2026 error fingerprint");
        for part in [saga, step, &normal(reason)] {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
        let mut short = [0; 8];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self(u64::from_be_bytes(short))
    }
}

/// A reason without what differs between two that mean the same: a word with a digit in it, such
/// as an amount, an id or a UUID, is `#`; so is what stands in quotes.
fn normal(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    let mut quoted = reason.split('`');
    if let Some(first) = quoted.next() {
        plain(first, &mut out);
    }
    let mut inside = true;
    for part in quoted {
        if inside {
            out.push('#');
        } else {
            plain(part, &mut out);
        }
        inside = !inside;
    }
    out
}

/// Words as they are, but for those with a digit.
fn plain(text: &str, out: &mut String) {
    let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_inner(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        out.push_str(if word.contains(|c: char| c.is_numeric()) { "#" } else { word });
        let next = behind.find(is_inner).unwrap_or(behind.len());
        out.push_str(&behind[..next]);
        rest = &behind[next..];
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let read = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        read.map(Self).ok_or_else(|| format!("`{text}` is no error group; it has 16 hex digits"))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reason: &str) -> Fingerprint {
        Fingerprint::of("order", "charge", reason)
    }

    #[test]
    fn what_failed_in_the_same_way_is_one_group() {
        for (one, other) in [
            ("no stock for 3 pieces", "no stock for 17 pieces"),
            ("card of o-1 refused", "card of o-99812 refused"),
            ("order `anna` is unknown", "order `bert` is unknown"),
            (
                "2c1a6a0e-9d55-4b5c-8a1f-0c7b1e3d5f77 is gone",
                "7f3d5f77-9d55-4b5c-8a1f-0c7b1e3d2c1a is gone",
            ),
            ("not before 2026-11-01T00:00:00Z", "not before 2027-01-31T12:00:00Z"),
            ("an unpaired ` 1", "an unpaired ` 2"),
        ] {
            assert_eq!(of(one), of(other), "{one} | {other}");
        }
    }

    #[test]
    fn what_failed_in_another_way_or_place_is_another_group() {
        let one = of("no stock for 3 pieces");
        assert_ne!(one, of("no card for 3 pieces"));
        assert_ne!(one, of("no stock for pieces"));
        assert_ne!(one, Fingerprint::of("order", "reserve", "no stock for 3 pieces"));
        assert_ne!(one, Fingerprint::of("return", "charge", "no stock for 3 pieces"));
        assert_ne!(Fingerprint::of("a", "bc", ""), Fingerprint::of("ab", "c", ""));
    }

    #[test]
    fn a_fingerprint_reads_back_as_it_was_written() {
        for fingerprint in [of("a"), Fingerprint(0), Fingerprint(u64::MAX)] {
            assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        }
        for text in ["", "12", "00000000000000000", "+000000000000001", "000000000000000g"] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
