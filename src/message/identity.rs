use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Error;

fn is_kebab(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.ends_with('-')
}

/// The name of the built-in saga whose instances are locks.
const LOCK: &str = "segue-lock";

/// A saga's name, kebab-case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SagaName(Arc<str>);

impl SagaName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is not kebab-case.
    pub fn new(name: &str) -> Result<Self, Error> {
        if is_kebab(name) { Ok(Self(name.into())) } else { Err(Error::Name(name.to_owned())) }
    }

    /// The built-in saga whose instances are locks; no definition has its name.
    #[must_use]
    pub fn lock() -> Self {
        Self(LOCK.into())
    }

    /// Whether it is the built-in saga of locks.
    #[must_use]
    pub fn is_lock(&self) -> bool {
        &*self.0 == LOCK
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SagaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A step's name, unique in its definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepName(Arc<str>);

impl StepName {
    /// Takes a name as an author writes it.
    ///
    /// # Errors
    /// When it is not kebab-case.
    pub fn new(name: &str) -> Result<Self, Error> {
        if is_kebab(name) { Ok(Self(name.into())) } else { Err(Error::Name(name.to_owned())) }
    }

    /// Names a step whose author gave it none, such as a `set`: its kind and its place in the file.
    #[must_use]
    pub fn unnamed(kind: &str, index: usize) -> Self {
        Self(format!("{kind}.{}", index + 1).into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StepName {
    type Err = Error;

    /// Reads a name that an author wrote, or one that [`StepName::unnamed`] made.
    fn from_str(text: &str) -> Result<Self, Error> {
        let is_one = match text.split_once('.') {
            None => is_kebab(text),
            Some((kind, number)) => {
                let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
                is_kebab(kind) && is_number && !number.is_empty() && !number.starts_with('0')
            }
        };
        if is_one { Ok(Self(text.into())) } else { Err(Error::Name(text.to_owned())) }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells one instance of a saga from another: any text of 1 to [`Key::BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The longest key, in bytes.
    pub const BYTES_MAX: usize = 512;

    /// Takes a key.
    ///
    /// # Errors
    /// When it is empty or longer than [`Key::BYTES_MAX`].
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.len() > Self::BYTES_MAX {
            return Err(Error::Key(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One running saga: its saga's name and its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId {
    /// The saga.
    pub saga: SagaName,
    /// The key.
    pub key: Key,
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.saga, self.key)
    }
}

/// The number that an author gives a definition; immutable once an instance has run on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A definition's identity: the first 16 bytes of BLAKE3 over its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 16]);

impl Hash {
    /// Hashes a definition's text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let full = blake3::derive_key("segue 2026 definition", text.as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        Self(short)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
