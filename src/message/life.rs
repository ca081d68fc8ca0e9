use std::fmt;
use std::str::FromStr;

use super::Error;

/// Which life of an instance: what tells its commands and its trace from those of any other life
/// under the same key.
///
/// Lives are counted only as long as the one before is remembered, and participants may remember
/// for longer. So a life is marked by the event that started it: the number begins at 1 again, the
/// mark does not repeat. As text `1-3f09ac52d7`; without a mark, as lives had before, `1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LifeId {
    /// Counted from 1 among the remembered ones.
    pub number: u32,
    /// Derived from the event that started it; 0 for a life that has none.
    pub mark: u64,
}

/// The bytes of a mark: two starts of one key share one once in a million million times.
const MARK_BYTES: usize = 5;

impl LifeId {
    /// The life that an event of this kind, source and id starts; a parent's letter has no kind and
    /// no source. The same event gives the same mark whenever it comes, so that a start which is
    /// repeated after all is forgotten asks for nothing new.
    #[must_use]
    pub fn begun(number: u32, on: &str, source: Option<&str>, id: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("segue 2026 life");
        // A source comes last: without one the mark is what it was before sources were read.
        for part in [on, id].into_iter().chain(source) {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
        let hash = *hasher.finalize().as_bytes();
        let mark = hash[..MARK_BYTES].iter().fold(0, |mark, byte| mark << 8 | u64::from(*byte));
        Self { number, mark }
    }

    /// A life of that number without a mark.
    #[must_use]
    pub fn unmarked(number: u32) -> Self {
        Self { number, mark: 0 }
    }
}

impl fmt::Display for LifeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mark {
            0 => write!(f, "{}", self.number),
            mark => write!(f, "{}-{mark:0width$x}", self.number, width = 2 * MARK_BYTES),
        }
    }
}

impl FromStr for LifeId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::CommandId(text.to_owned());
        let (number, mark) = text.split_once('-').unwrap_or((text, "0"));
        let number = number.parse().map_err(|_| wrong())?;
        let mark = u64::from_str_radix(mark, 16).map_err(|_| wrong())?;
        Ok(Self { number, mark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_marked_by_the_event_that_starts_it() {
        let on = "shop.orders/OrderPlaced";
        let life = LifeId::begun(1, on, None, "placed-1");
        // Written down: other values would change the ids of commands that are under way.
        assert_eq!(life.to_string(), GOLDEN);
        let of_the_web = LifeId::begun(1, on, Some("/web"), "placed-1");
        assert_eq!(of_the_web.to_string(), GOLDEN_OF_A_SOURCE);
        for other in [
            LifeId::begun(1, on, None, "placed-2"),
            LifeId::begun(1, "a/B", None, "placed-1"),
            LifeId::begun(1, on, Some("/shop"), "placed-1"),
            LifeId::begun(1, on, Some(""), "placed-1"),
        ] {
            assert!(other.mark != life.mark && other.mark != of_the_web.mark, "{other}");
        }
    }

    #[test]
    fn a_life_reads_back_as_it_was_written() {
        let lives = [LifeId { number: 3, mark: 0xff_ffff_ffff }, LifeId { number: 1, mark: 1 }];
        for life in lives.into_iter().chain([LifeId::unmarked(2)]) {
            assert_eq!(life.to_string().parse(), Ok(life));
        }
        assert_eq!(lives[1].to_string(), "1-0000000001");
        assert_eq!(LifeId::unmarked(2).to_string(), "2");
        for text in ["", "-", "1-", "-1", "1-x", "x-1", "1-1-1", "1-fffffffffffffffff"] {
            assert!(text.parse::<LifeId>().is_err(), "{text}");
        }
    }

    const GOLDEN: &str = "1-24609168b6";
    const GOLDEN_OF_A_SOURCE: &str = "1-69ac389ee1";
}
