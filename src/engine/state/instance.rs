use super::{Life, Lock};
use crate::message::{Event, Offset, Timestamp};

/// Everything that is remembered of one saga and key.
#[derive(Debug, Clone, PartialEq, Hash, Default)]
pub struct Instance {
    /// Oldest first; the last may live, the others have ended and wait for late answers.
    pub lives: Vec<Life>,
    /// Starts that wait for the end of the life before.
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
    /// The life that has not ended, if there is one.
    #[must_use]
    pub fn living(&self) -> Option<&Life> {
        self.lives.last().filter(|g| g.ended.is_none())
    }

    /// The newest life.
    #[must_use]
    pub fn newest(&self) -> Option<&Life> {
        self.lives.last()
    }
}
