use std::fmt;
use std::str::FromStr;

use crate::message::Topic;

/// Copies of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// As many as there are brokers, but no more than three.
    Auto,
    /// As many as the broker makes by itself.
    Broker,
    /// So many.
    Copies(u16),
}

/// The prefix of everything that the engine owns in Kafka.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct App(String);

impl App {
    /// The longest prefix, so that every topic's name still fits.
    pub const CHARS_MAX: usize = 200;

    /// Takes a prefix.
    ///
    /// # Errors
    /// When a topic's name could not begin with it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > Self::CHARS_MAX || Topic::new(text).is_err() || text.starts_with("__") {
            return Err(format!(
                "`{text}` cannot begin a topic's name; use letters, digits, `.`, `_` and `-`"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A node's name: what Kafka knows it by, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node(String);

impl Node {
    /// Takes a name.
    ///
    /// # Errors
    /// When it could not be a group member's name or stand in a transactional id.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > App::CHARS_MAX || Topic::new(text).is_err() {
            return Err(format!(
                "`{text}` cannot name a node; use letters, digits, `.`, `_` and `-`"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text itself, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An amount of bytes, written `500`, `64kB`, `4MB` (thousands), `64KiB`, `4MiB` (1,024s).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size; write such as 500, 64kB, 4MB or 4MiB");
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let amount: u64 = text[..end].parse().map_err(|_| wrong())?;
        let unit = match text[end..].trim_start() {
            "" => 1,
            unit => UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?.1,
        };
        amount.checked_mul(unit).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, bytes): &&(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*bytes);
        let largest = UNITS[..3].iter().filter(whole).max_by_key(|(_, bytes)| *bytes);
        match largest {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Replication {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse::<i16>() {
            Ok(-1) => Ok(Self::Broker),
            Ok(copies @ 1..) => Ok(Self::Copies(copies.cast_unsigned())),
            Ok(_) | Err(_) => {
                Err(format!("`{text}` is not a number of copies; auto, 1 or more, or -1"))
            }
        }
    }
}
