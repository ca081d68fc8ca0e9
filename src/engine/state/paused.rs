use crate::engine::Input;
use crate::message::{Event, Timestamp};

/// What a person has ordered for a life that is to stand still.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Paused {
    /// Since when.
    pub since: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// What it was told meanwhile, in its order: it is told again at the resume.
    pub held: Vec<Input>,
}

impl Paused {
    /// Whether an event is held already.
    #[must_use]
    pub fn has_event(&self, event: &Event) -> bool {
        self.held.iter().any(|held| match held {
            Input::Event(held) => held.is(event),
            Input::Wake(_) | Input::Act(_) | Input::Letter(_) | Input::Called(_) => false,
        })
    }

    /// Whether an act of this id is held already.
    #[must_use]
    pub fn has_act(&self, id: &str) -> bool {
        self.held.iter().any(|held| match held {
            Input::Act(held) => held.id == id,
            Input::Wake(_) | Input::Event(_) | Input::Letter(_) | Input::Called(_) => false,
        })
    }
}
