use serde_json::{Map, Value};

use super::scope::More;
use super::turn::Turn;
use crate::definition::{Assignment, Then, Verdict};
use crate::engine::Failure;
use crate::engine::state::place::Place;
use crate::message::{InputId, Part};

/// What came of a step when it was entered, answered or woken: its kind says it, and the course
/// alone reads it.
#[derive(Debug, Clone)]
pub(in crate::engine) enum Outcome {
    /// It waits, and nothing follows from it.
    Waits,
    /// It happened, and this is what the saga remembers of it.
    Succeeded(Map<String, Value>),
    /// It did not happen, says whoever must know.
    Rejected(Refusal),
    /// It is left out, for this reason.
    Skipped(&'static str),
    /// It has no outcome of its own; a person must act, for this reason.
    Parked(String),
    /// The branch that may drop out goes back, else the whole saga.
    GoesBack(Failure),
    /// What is in it is undone, and then the saga goes on behind it.
    LeftBehind(Failure),
    /// This branch of a race is first, so the others are given up.
    Won(usize),
    /// It happened after it was given up, says this event, letter or call.
    HappenedLate(InputId),
    /// It is to be undone once more.
    Undo,
    /// What was done under its lock can be undone, for the lock is held.
    UndoInside,
    /// One of its undoings is over.
    Undone {
        /// Which undoing.
        part: Part,
        /// What says so.
        by: InputId,
    },
}

/// What a rejection means: what it writes, and where the saga goes.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Refusal {
    pub written: Map<String, Value>,
    pub then: Then,
    pub failure: Failure,
}

impl Turn<'_> {
    /// A success where nobody can be refused: a value that is missing parks the step.
    pub fn concluded(
        &mut self,
        place: &Place,
        assignments: &[Assignment],
        more: More<'_>,
    ) -> Outcome {
        match self.assigned(&place.line, assignments, more) {
            Ok(written) => Outcome::Succeeded(written),
            Err(reason) => {
                self.at_mut(place).rest();
                Outcome::Parked(reason)
            }
        }
    }

    /// A rejection by what the definition says of those that no single event makes.
    pub fn refused(
        &mut self,
        place: &Place,
        verdict: &Verdict,
        failure: Failure,
        more: More<'_>,
    ) -> Outcome {
        match self.assigned(&place.line, &verdict.set, more) {
            Ok(written) => Outcome::Rejected(Refusal { written, then: verdict.then, failure }),
            Err(reason) => {
                self.at_mut(place).rest();
                Outcome::Parked(reason)
            }
        }
    }
}
