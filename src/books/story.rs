//! What the history tells of one life of an instance.

use std::collections::{BTreeMap, BTreeSet};

use super::Rule;
use super::account::Place;
use super::carried::Text;
use super::names::Name;
use super::plan::{Plan, Undoing};
use super::spot::{Line, Point, Spot};
use crate::message::{InstanceId, LifeId, PartKind};

/// Both ways that a saga ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Completed,
    Compensated,
}

/// A request of a step: what for, and which attempt.
pub(super) type Attempt = (Name, PartKind, u32);

/// One life of an instance, folded from its history.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each may hold beside any other")]
pub(super) struct Story {
    pub is_started: bool,
    pub ended: Option<End>,
    /// Whether it had completed before its parent took it back.
    pub was_completed: bool,
    pub is_stuck: bool,
    /// How often it was told to be stuck, by step.
    pub stuck: BTreeMap<Name, u32>,
    pub failure: Option<Text>,
    /// Whether it is on the way back.
    pub is_back: bool,
    pub has_pivoted: bool,
    /// Whether a person acted on a step: then promises about single steps are theirs.
    pub is_acted: bool,
    /// Whether a person has set data: then values are theirs.
    pub is_data_set: bool,
    /// Whether a person lets it stand still.
    pub is_paused: bool,
    pub late: u64,
    pub steps: BTreeMap<Name, Told>,
    /// How often the history tells of a request over Kafka.
    pub sent: BTreeMap<Attempt, u32>,
    /// The lock under which a request was sent, and the token that it gave.
    pub under: BTreeMap<Attempt, Vec<(Point, u64)>>,
    /// Reminders that were told, and questions that were asked: the step and the transition.
    pub reminded: BTreeSet<(Name, u64)>,
    pub asked: BTreeSet<(Name, u64)>,
    /// The children that were started, in their order: by which step, and who.
    pub children: Vec<(Name, Name)>,
    /// How each lock stands that was taken.
    pub holds: BTreeMap<Point, Hold>,
    /// The branches that were left behind, and what was left behind because its time was up.
    pub dropped: BTreeSet<Line>,
    pub left: BTreeSet<Point>,
    pub broken: Vec<(Rule, Place, String)>,
}

/// The lives of every instance, as the history tells them.
pub(super) type Stories = BTreeMap<InstanceId, BTreeMap<LifeId, Story>>;

/// What the history tells of one step.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each may hold beside any other")]
pub(super) struct Told {
    /// Where it stands; none for what is no step.
    pub spot: Option<Spot>,
    pub undoing: Undoing,
    /// It began to wait.
    pub entered: bool,
    pub succeeded: bool,
    pub rejected: bool,
    pub given_up: bool,
    pub announced: bool,
    pub skipped: bool,
    pub timed_out: bool,
    /// It may have happened, as far as is known.
    pub happened: bool,
    /// A success that came after it was given up.
    pub late: bool,
    /// An answer, whichever, that came after it was given up.
    pub late_answer: bool,
    /// How often it may be undone.
    pub allowed: u32,
    pub undoings: u32,
    pub undone: u32,
    /// Its child was asked to take itself back, though the step is undone in its own way.
    pub asked_back: bool,
}

impl Told {
    /// Whether it may have happened and nothing has undone it.
    pub fn is_owed(&self) -> bool {
        self.happened && self.undone == 0 && self.undoing != Undoing::Nothing
    }

    /// Whether it succeeded late and nothing was sent that undoes that.
    pub fn is_undone_too_little(&self) -> bool {
        self.late && self.undoings < self.allowed && self.undoing != Undoing::Nothing
    }
}

/// How a lock stands with one who takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub is_held: bool,
    pub token: u64,
    /// How often it was taken.
    pub taken: u32,
}

impl Story {
    /// Whether nothing goes on until a person acts.
    pub fn awaits_person(&self) -> bool {
        self.is_stuck || self.is_paused
    }

    pub fn step(&self, step: Name) -> Told {
        self.steps.get(&step).cloned().unwrap_or_default()
    }

    /// How far from the main line the innermost list is, of those around a step, that was left
    /// behind; none if the step goes the way of the saga.
    pub fn left_behind(&self, plan: &Plan, spot: &Spot) -> Option<usize> {
        if self.dropped.is_empty() && self.left.is_empty() {
            return None;
        }
        let owners = spot.owners(&plan.definition);
        let lines = spot.lines().enumerate().rev();
        lines
            .filter(|(depth, line)| {
                let owner = depth.checked_sub(1).map(|outer| &owners[outer]);
                self.dropped.contains(line) || owner.is_some_and(|o| self.left.contains(o))
            })
            .map(|(depth, _)| depth)
            .next()
    }
}
