use crate::message::Shown;

/// How many bytes of a key are shown.
const SHOWN_MAX: usize = 32;

/// A record's key, as far as it can name an instance: people type names into forms and commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordKey {
    /// The record has none.
    None,
    /// Text without control characters.
    Text(String),
    /// Anything else, such as a number of eight bytes.
    Binary(Vec<u8>),
}

impl RecordKey {
    /// Reads a key: UTF-8 without U+0000 to U+001F and U+007F is text.
    #[must_use]
    pub fn of(bytes: Option<&[u8]>) -> Self {
        let Some(bytes) = bytes else {
            return Self::None;
        };
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_ascii_control()) => {
                Self::Text(text.to_owned())
            }
            Ok(_) | Err(_) => Self::Binary(bytes.to_vec()),
        }
    }

    /// The text, if it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::None | Self::Binary(_) => None,
        }
    }

    /// The bytes of what is no text.
    #[must_use]
    pub fn binary(&self) -> Option<&[u8]> {
        match self {
            Self::Binary(bytes) => Some(bytes),
            Self::None | Self::Text(_) => None,
        }
    }

    /// The name of an instance whose definition says no `key`.
    pub(super) fn name(&self) -> Result<&str, String> {
        let mend = "name a field of the body by `key:` in the definition, or send text";
        match self {
            Self::Text(text) => Ok(text),
            Self::None => Err(format!("the record has no key, and the definition none; {mend}")),
            Self::Binary(bytes) => Err(format!(
                "the record's key is not printable text but {} bytes, {}; {mend}",
                bytes.len(),
                Shown::of(bytes, SHOWN_MAX)
            )),
        }
    }
}
