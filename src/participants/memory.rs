use std::collections::{BTreeMap, VecDeque};

use super::draw::digest;

/// The most idempotency keys that participants remember; the oldest are forgotten first.
pub const REMEMBERED_MAX: usize = 200_000;

/// What a participant knows of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was done.
    Performed,
    /// It was answered "no": nothing was done.
    Declined,
    /// It was done, and taken back.
    TakenBack,
    /// Its undo came before it.
    Undone,
    /// It came after its undo and was refused.
    Refused,
}

/// What participants know of the actions that they were asked for, by idempotency key.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    known: BTreeMap<u128, Known>,
    order: VecDeque<u128>,
}

impl Memory {
    /// Whether an action must be refused because its undo came before it.
    pub fn refuses(&self, key: &str) -> bool {
        match self.known.get(&digest(key)) {
            Some(Known::Undone | Known::Refused) => true,
            Some(Known::Performed | Known::Declined | Known::TakenBack) | None => false,
        }
    }

    /// Whether an action was done and still holds.
    pub fn holds(&self, key: &str) -> bool {
        self.known.get(&digest(key)) == Some(&Known::Performed)
    }

    /// An action was obeyed, or answered "no".
    pub fn obeyed(&mut self, key: &str, done: bool) {
        let key = digest(key);
        match self.known.get(&key) {
            None => {
                let what = if done { Known::Performed } else { Known::Declined };
                self.remember(key, what);
            }
            Some(Known::Undone) => {
                self.known.insert(key, Known::Refused);
            }
            Some(Known::Performed | Known::Declined | Known::TakenBack | Known::Refused) => {}
        }
    }

    /// An action was taken back, perhaps before it came.
    pub fn undone(&mut self, key: &str) {
        let key = digest(key);
        match self.known.get(&key) {
            None => self.remember(key, Known::Undone),
            Some(Known::Performed) => {
                self.known.insert(key, Known::TakenBack);
            }
            Some(Known::Declined | Known::TakenBack | Known::Undone | Known::Refused) => {}
        }
    }

    fn remember(&mut self, key: u128, what: Known) {
        if self.order.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(key, what);
        self.order.push_back(key);
    }
}
