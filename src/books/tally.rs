use std::collections::BTreeMap;
use std::fmt;

/// The most reasons for a way back that are told apart; the rest is one.
pub const REASONS_MAX: usize = 20;

/// What happened, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Sagas that started.
    pub started: u64,
    /// Sagas that others started, not counted among the others.
    pub children: u64,
    /// How often a lock was given to somebody.
    pub locks: u64,
    /// Start events that meant nothing, such as a second one for a living key.
    pub ignored: u64,
    /// Sagas that completed.
    pub completed: u64,
    /// Sagas that were compensated, by reason.
    pub compensated: BTreeMap<String, u64>,
    /// Sagas that wait for a person.
    pub stuck: u64,
    /// Sagas that are still under way.
    pub open: u64,
    /// Commands that were sent, undoings too.
    pub commands: u64,
    /// Steps that were undone.
    pub undone: u64,
    /// Commands that were sent again for want of an answer.
    pub again: u64,
    /// Messages that stand on a topic more than once under one id.
    pub repeated: u64,
    /// Answers that came after their step was given up.
    pub late: u64,
    /// Answers of participants, duplicates too.
    pub answers: u64,
    /// Messages that the engine put aside.
    pub dead_letters: u64,
}

impl Tally {
    /// All that were compensated, for whatever reason.
    #[must_use]
    pub fn compensated_all(&self) -> u64 {
        self.compensated.values().sum()
    }

    pub(super) fn compensate(&mut self, reason: &str) {
        let known = self.compensated.contains_key(reason);
        let full = self.compensated.len() >= REASONS_MAX;
        let reason = if known || !full { reason } else { "other reasons" };
        *self.compensated.entry(reason.to_owned()).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |words: &str, number: u64| writeln!(f, "{words:<44}{number:>10}");
        line("started", self.started)?;
        line("completed", self.completed)?;
        line("compensated", self.compensated_all())?;
        for (reason, number) in &self.compensated {
            line(&format!("  {reason}"), *number)?;
        }
        line("stuck", self.stuck)?;
        line("still under way", self.open)?;
        line("commands sent", self.commands)?;
        line("  of them again, for want of an answer", self.again)?;
        line("  repeated under the same id", self.repeated)?;
        line("steps undone", self.undone)?;
        line("answers", self.answers)?;
        line("  of them late", self.late)?;
        for (words, number) in [
            ("starts ignored", self.ignored),
            ("children of other sagas", self.children),
            ("locks taken", self.locks),
        ] {
            if number > 0 {
                line(words, number)?;
            }
        }
        line("put aside as dead letters", self.dead_letters)
    }
}
