use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::{Map, Value};

use super::moment;
use super::number::Number;

/// A value while an expression is computed.
#[derive(Debug, Clone)]
pub(super) enum Computed<'v> {
    /// It stands in the data or the event; nothing was computed, so its text is kept.
    Given(&'v Value),
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(Cow<'v, str>),
    /// Bytes, which JSON has not.
    Bytes(Cow<'v, [u8]>),
    /// A list.
    List(Vec<Computed<'v>>),
    /// An object.
    Object(BTreeMap<Entry, Computed<'v>>),
    /// A point in time.
    Moment(DateTime<FixedOffset>),
    /// A length of time.
    Duration(TimeDelta),
    /// The kind of a value, as `type(…)` gives it.
    Type(Kind),
}

/// What an entry of an object that an expression makes is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// `true` or `false`.
    Bool(bool),
    /// A number, however it is written.
    Number(Number),
    /// A name.
    Text(String),
}

/// What kind a value is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Whole,
    Decimal,
    Text,
    Bytes,
    List,
    Object,
    Moment,
    Duration,
    Type,
}

impl Kind {
    /// What a person would call such a value.
    pub fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Whole | Self::Decimal => "a number",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Moment => "a timestamp",
            Self::Duration => "a duration",
            Self::Type => "a type",
        }
    }

    /// The kind that CEL calls by a name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "double" => Self::Decimal,
            "int" | "uint" => Self::Whole,
            "list" => Self::List,
            "map" => Self::Object,
            "null_type" => Self::Null,
            "string" => Self::Text,
            "type" => Self::Type,
            _ => return None,
        })
    }
}

/// The elements of a list, whichever way it came about.
#[derive(Clone, Copy)]
pub(super) enum Items<'b, 'v> {
    Given(&'v [Value]),
    Made(&'b [Computed<'v>]),
}

impl<'b, 'v> Items<'b, 'v> {
    pub fn len(self) -> usize {
        match self {
            Self::Given(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub fn get(self, place: usize) -> Option<Computed<'v>> {
        match self {
            Self::Given(items) => items.get(place).map(Computed::Given),
            Self::Made(items) => items.get(place).cloned(),
        }
    }

    pub fn iter(self) -> impl Iterator<Item = Computed<'v>> + use<'b, 'v> {
        (0..self.len()).filter_map(move |place| self.get(place))
    }
}

impl<'v> Computed<'v> {
    pub fn text(text: impl Into<Cow<'v, str>>) -> Self {
        Self::Text(text.into())
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Null | Self::Given(Value::Null) => Kind::Null,
            Self::Bool(_) | Self::Given(Value::Bool(_)) => Kind::Bool,
            Self::Number(_) | Self::Given(Value::Number(_)) => {
                let is_whole = self.number().is_some_and(|number| number.is_whole());
                if is_whole { Kind::Whole } else { Kind::Decimal }
            }
            Self::Text(_) | Self::Given(Value::String(_)) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::List(_) | Self::Given(Value::Array(_)) => Kind::List,
            Self::Object(_) | Self::Given(Value::Object(_)) => Kind::Object,
            Self::Moment(_) => Kind::Moment,
            Self::Duration(_) => Kind::Duration,
            Self::Type(_) => Kind::Type,
        }
    }

    pub fn words(&self) -> &'static str {
        self.kind().words()
    }

    pub fn bool(&self) -> Option<bool> {
        let (Self::Bool(value) | Self::Given(Value::Bool(value))) = self else { return None };
        Some(*value)
    }

    pub fn number(&self) -> Option<Cow<'_, Number>> {
        if let Self::Number(number) = self {
            return Some(Cow::Borrowed(number));
        }
        let Self::Given(Value::Number(number)) = self else { return None };
        Some(Cow::Owned(Number::of(number)))
    }

    pub fn str(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            return Some(text);
        }
        let Self::Given(Value::String(text)) = self else { return None };
        Some(text)
    }

    pub fn items<'b>(&'b self) -> Option<Items<'b, 'v>> {
        if let Self::List(items) = self {
            return Some(Items::Made(items));
        }
        let Self::Given(Value::Array(items)) = self else { return None };
        Some(Items::Given(items))
    }

    /// How many entries an object has; none for what is no object.
    pub fn entries(&self) -> Option<usize> {
        if let Self::Object(entries) = self {
            return Some(entries.len());
        }
        let Self::Given(Value::Object(fields)) = self else { return None };
        Some(fields.len())
    }

    /// What an object's entries are found by, in its own order; none for what is no object.
    pub fn names(&self) -> Option<Vec<Entry>> {
        if let Self::Object(entries) = self {
            return Some(entries.keys().cloned().collect());
        }
        let Self::Given(Value::Object(fields)) = self else { return None };
        Some(fields.keys().cloned().map(Entry::Text).collect())
    }

    /// The value of a field, if this is an object that has it.
    pub fn field(&self, name: &str) -> Option<Self> {
        if let Self::Object(entries) = self {
            return entries.get(&Entry::Text(name.to_owned())).cloned();
        }
        let Self::Given(Value::Object(fields)) = self else { return None };
        fields.get(name).map(Self::Given)
    }

    /// The value of an entry, if this is an object that has it.
    pub fn entry(&self, of: &Entry) -> Option<Self> {
        if let Self::Object(entries) = self {
            return entries.get(of).cloned();
        }
        let Entry::Text(name) = of else { return None };
        self.field(name)
    }

    /// The value as what an entry is found by, if it can be.
    pub fn as_entry(&self) -> Option<Entry> {
        let plain = self.bool().map(Entry::Bool);
        let text = || self.str().map(|text| Entry::Text(text.to_owned()));
        plain.or_else(|| self.number().map(|n| Entry::Number(n.into_owned()))).or_else(text)
    }

    /// Whether two values are one: numbers by their size, objects whatever the order of fields.
    pub fn equals(&self, other: &Self) -> bool {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return left == right;
        }
        if let (Some(left), Some(right)) = (self.str(), other.str()) {
            return left == right;
        }
        if let (Some(left), Some(right)) = (self.items(), other.items()) {
            return left.len() == right.len()
                && left.iter().zip(right.iter()).all(|(left, right)| left.equals(&right));
        }
        if let (Some(left), Some(right)) = (self.names(), other.entries()) {
            let is_in_both = |name: &Entry| match (self.entry(name), other.entry(name)) {
                (Some(left), Some(right)) => left.equals(&right),
                (None, _) | (_, None) => false,
            };
            return left.len() == right && left.iter().all(is_in_both);
        }
        if let (Self::Moment(left), Self::Moment(right)) = (self, other) {
            return left == right;
        }
        self.kind() == other.kind() && self.is_same_atom(other)
    }

    /// Whether two values of one kind are one, if they are neither numbers nor made of others.
    fn is_same_atom(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Duration(left), Self::Duration(right)) => left == right,
            (Self::Type(left), Self::Type(right)) => left == right,
            (one, two) => one.bool() == two.bool(),
        }
    }

    /// Which of two values of one kind comes first; none if they have no order.
    pub fn compared(&self, other: &Self) -> Option<Ordering> {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return Some(left.cmp(&right));
        }
        if let (Some(left), Some(right)) = (self.str(), other.str()) {
            return Some(left.cmp(right));
        }
        match (self, other) {
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.cmp(right)),
            (Self::Moment(left), Self::Moment(right)) => Some(left.cmp(right)),
            (Self::Duration(left), Self::Duration(right)) => Some(left.cmp(right)),
            (one, two) => Some(one.bool()?.cmp(&two.bool()?)),
        }
    }

    /// The value as JSON.
    ///
    /// # Errors
    /// When JSON has no such value; says what it is.
    pub fn json(self) -> Result<Value, &'static str> {
        Ok(match self {
            Self::Given(value) => value.clone(),
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number.json()),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::List(items) => {
                Value::Array(items.into_iter().map(Self::json).collect::<Result<_, _>>()?)
            }
            Self::Object(entries) => {
                let fields =
                    entries.into_iter().map(|(name, value)| Ok((name.text(), value.json()?)));
                let fields = fields.collect::<Result<BTreeMap<_, _>, &'static str>>()?;
                Value::Object(fields.into_iter().collect::<Map<_, _>>())
            }
            Self::Moment(moment) => Value::String(moment::json_text(&moment)),
            Self::Duration(duration) => Value::String(moment::duration_text(duration)),
            Self::Bytes(_) | Self::Type(_) => return Err("neither text, number, list nor object"),
        })
    }
}

impl Entry {
    fn text(self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }

    /// The entry's name as a value.
    pub fn value<'v>(self) -> Computed<'v> {
        match self {
            Self::Bool(value) => Computed::Bool(value),
            Self::Number(number) => Computed::Number(number),
            Self::Text(text) => Computed::text(text),
        }
    }
}
