use serde_json::Value;

use crate::message::Timestamp;

/// A name that an expression may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// What the saga remembers.
    Data,
    /// The event at hand.
    Event,
    /// The instance's key.
    Key,
    /// The input's time.
    Now,
    /// What went wrong: `step`, `kind`, `reason`.
    Failure,
    /// One element of a fan-out.
    Item,
    /// Its place, from 0.
    Index,
    /// A fan-out branch's own fields.
    Branch,
    /// A lock's fencing token.
    Fence,
    /// A person's answer.
    Answer,
    /// A child's `data` and `failure`.
    Child,
}

impl Name {
    /// All names, as authors write them.
    pub const ALL: [(&'static str, Name); 11] = [
        ("data", Name::Data),
        ("event", Name::Event),
        ("key", Name::Key),
        ("now", Name::Now),
        ("failure", Name::Failure),
        ("item", Name::Item),
        ("index", Name::Index),
        ("branch", Name::Branch),
        ("fence", Name::Fence),
        ("answer", Name::Answer),
        ("child", Name::Child),
    ];

    /// The name of that spelling.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(spelling, _)| *spelling == text).map(|(_, name)| *name)
    }

    /// How authors write it.
    #[must_use]
    pub fn text(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What the names mean at one place and moment.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    now: Timestamp,
    bindings: Vec<(Name, &'a Value)>,
}

impl<'a> Scope<'a> {
    /// A scope in which only `now` has a meaning.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, bindings: Vec::with_capacity(4) }
    }

    /// Gives a name its value; the last one counts.
    #[must_use]
    pub fn with(mut self, name: Name, value: &'a Value) -> Self {
        self.bindings.push((name, value));
        self
    }

    /// The value of a name other than `now`.
    #[must_use]
    pub fn value(&self, name: Name) -> Option<&'a Value> {
        self.bindings.iter().rev().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// All bindings, the earliest first.
    pub fn bindings(&self) -> impl Iterator<Item = (Name, &'a Value)> + '_ {
        self.bindings.iter().copied()
    }

    /// The input's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }
}
