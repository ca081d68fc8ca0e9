use super::{Generation, Lock};
use crate::message::{Event, Offset, Timestamp};

/// Everything that is remembered of one saga and key.
#[derive(Debug, Clone, PartialEq, Hash, Default)]
pub struct Instance {
    /// Oldest first; the last may live, the others have ended and wait for late answers.
    pub generations: Vec<Generation>,
    /// Starts that wait for the end of the living generation.
    pub queued: Vec<Event>,
    /// The last inbox record that was applied; the loop's business, the engine passes it on.
    pub inbox: Offset,
    /// Events that came before what waits for them.
    pub early: Vec<Early>,
    /// Who holds a lock and who waits for it; only of the built-in saga `segue-lock`.
    pub lock: Option<Lock>,
}

/// An event that came before what waits for it.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Early {
    /// The event.
    pub event: Event,
    /// How long it is kept; none means as long as a wait may come for it.
    pub until: Option<Timestamp>,
}

impl Instance {
    /// The generation that lives, if one does.
    #[must_use]
    pub fn living(&self) -> Option<&Generation> {
        self.generations.last().filter(|g| g.ended.is_none())
    }

    /// The newest generation.
    #[must_use]
    pub fn newest(&self) -> Option<&Generation> {
        self.generations.last()
    }
}
