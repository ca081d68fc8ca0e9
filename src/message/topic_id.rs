use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// Tells a topic from every other that has, or had, its name: a topic that is deleted and created
/// again has another id.
///
/// It is Kafka's own UUID where the cluster tells one; else, and for a partition that was cut off
/// and accepted by a person, it is derived. As text it is written as Kafka's tools do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicId([u8; Self::BYTES]);

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The letters of 16 bytes in base64 without padding.
const CHARS: usize = 22;

impl TopicId {
    /// The bytes of an id.
    pub const BYTES: usize = 16;

    /// The id of these bytes; none if their number is wrong or all of them are 0, which is what a
    /// cluster without ids says.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; Self::BYTES] = bytes.try_into().ok()?;
        (bytes != [0; Self::BYTES]).then_some(Self(bytes))
    }

    /// An id that the same words always give.
    #[must_use]
    pub fn derived(words: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("segue 2026 topic id");
        for part in words {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..Self::BYTES]);
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(CHARS);
        for group in self.0.chunks(3) {
            let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            // The last group has one byte alone: two digits say it.
            let digits = group.len() + 1;
            let bits = bits << (6 * digits - 8 * group.len());
            for place in (0..digits).rev() {
                text.push(char::from(DIGITS[bits >> (6 * place) & 63]));
            }
        }
        f.write_str(&text)
    }
}

impl From<TopicId> for String {
    fn from(id: TopicId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for TopicId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl FromStr for TopicId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::TopicId(text.to_owned());
        if text.len() != CHARS {
            return Err(wrong());
        }
        let mut number: u128 = 0;
        for (place, digit) in text.bytes().enumerate() {
            let value = DIGITS.iter().position(|d| *d == digit).ok_or_else(wrong)? as u128;
            // Of the last digit's six bits only two belong to the id.
            number = if place + 1 < CHARS { number << 6 | value } else { number << 2 | value >> 4 };
        }
        Self::of_bytes(&number.to_be_bytes()).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_prints_and_prints_as_kafka_does() {
        let bytes: Vec<u8> = (0..16).map(|n| n * 17).collect();
        let id = TopicId::of_bytes(&bytes).expect("16 bytes");
        assert_eq!(id.to_string(), "ABEiM0RVZneImaq7zN3u_w");
        assert_eq!(id.to_string().parse(), Ok(id));
        let derived = TopicId::derived(&["a", "b"]);
        assert_eq!(derived.to_string().parse(), Ok(derived));
        assert_ne!(derived, TopicId::derived(&["ab"]));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        assert_eq!(TopicId::of_bytes(&[0; 16]), None);
        assert_eq!(TopicId::of_bytes(&[1; 15]), None);
        for text in ["", "AAAAAAAAAAAAAAAAAAAAAA", "ABEiM0RVZneImaq7zN3u/w", "ABEiM0RV"] {
            assert_eq!(text.parse::<TopicId>(), Err(Error::TopicId(text.to_owned())));
        }
    }
}
