use std::fmt;

use serde_json::Value;

/// The kinds that a value may be of, as far as its expression tells. CEL has more of them than
/// JSON: what is kept or sent as JSON is never a moment or a duration, but their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    own: u16,
    /// Those of the elements, if it may be a list.
    elements: u16,
}

/// Every kind, with what people call it.
const WORDS: [(Kinds, &str); 10] = [
    (Kinds::TEXT, "text"),
    (Kinds::NUMBER, "a number"),
    (Kinds::BOOL, "true or false"),
    (Kinds::LIST, "a list"),
    (Kinds::OBJECT, "an object"),
    (Kinds::NULL, "null"),
    (Kinds::MOMENT, "a moment"),
    (Kinds::DURATION, "a duration"),
    (Kinds::BYTES, "bytes"),
    (Kinds::TYPE, "a type"),
];

impl Kinds {
    /// Nothing: no value that is known of leads here.
    pub const NONE: Self = Self::only(0);
    /// Null.
    pub const NULL: Self = Self::only(1);
    /// True or false.
    pub const BOOL: Self = Self::only(1 << 1);
    /// Any number.
    pub const NUMBER: Self = Self::only(1 << 2);
    /// Text.
    pub const TEXT: Self = Self::only(1 << 3);
    /// A list of anything that JSON carries.
    pub const LIST: Self = Self { own: 1 << 4, elements: Self::JSON.own };
    /// An object.
    pub const OBJECT: Self = Self::only(1 << 5);
    /// A timestamp.
    pub const MOMENT: Self = Self::only(1 << 6);
    /// A duration.
    pub const DURATION: Self = Self::only(1 << 7);
    /// Bytes.
    pub const BYTES: Self = Self::only(1 << 8);
    /// The type of a value.
    pub const TYPE: Self = Self::only(1 << 9);
    /// Whatever JSON carries.
    pub const JSON: Self = Self { own: (1 << 6) - 1, elements: (1 << 6) - 1 };
    /// Whatever there is.
    pub const ANY: Self = Self { own: (1 << 10) - 1, elements: (1 << 10) - 1 };

    const fn only(own: u16) -> Self {
        Self { own, elements: 0 }
    }

    /// The kind of a value that is known.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOL,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::TEXT,
            Value::Array(items) => items.iter().map(Self::of).fold(Self::NONE, Self::or).listed(),
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// These and others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { own: self.own | other.own, elements: self.elements | other.elements }
    }

    /// Whether a value may be of a kind of both.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.own & other.own != 0
    }

    /// Whether there is no kind among them.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.own == 0
    }

    /// The kinds of a list of such values.
    #[must_use]
    pub fn listed(self) -> Self {
        Self { own: Self::LIST.own, elements: self.own }
    }

    /// The kinds of the elements, if it is a list.
    #[must_use]
    pub fn elements(self) -> Self {
        // Of what stands in the elements nothing is known.
        Self { own: self.elements, elements: Self::JSON.own }
    }

    /// The kinds of it once it is kept as JSON.
    #[must_use]
    pub fn kept(self) -> Self {
        let kept = |kinds: u16| {
            let json = kinds & Self::JSON.own;
            if json == kinds { json } else { json | Self::TEXT.own }
        };
        Self { own: kept(self.own), elements: kept(self.elements) }
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.own == Self::JSON.own {
            return f.write_str("a value from JSON");
        }
        let words = WORDS.iter().filter(|(kind, _)| self.meets(*kind)).map(|(_, word)| *word);
        let words: Vec<&str> = words.collect();
        match words.split_last() {
            Some((last, [])) => f.write_str(last),
            Some((last, others)) => write!(f, "{} or {last}", others.join(", ")),
            None => f.write_str("nothing"),
        }
    }
}
