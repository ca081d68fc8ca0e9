//! What happened, as data; the words for people are made of it by `Display`.

mod kind;
mod parts;
mod what;

pub use kind::NoteKind;
pub use parts::{Awaited, Claimant, DataChange, Proof, Sending};
pub use what::What;

use crate::message::{Coordinate, LifeId};

/// One thing that happened: what programs read of it are its fields; its words are made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which life of the instance it is about.
    pub life: LifeId,
    /// The step, if it is about one.
    pub step: Option<Coordinate>,
    /// What happened; never a value of the data, but those that a person has set.
    pub what: What,
}

impl Note {
    /// What kind of thing happened.
    #[must_use]
    pub fn kind(&self) -> NoteKind {
        self.what.kind()
    }
}
