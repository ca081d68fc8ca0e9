use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fingerprint, LifeState, Moment};

/// What is told of one life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Standing {
    /// Which life: `1-3f09ac52d7`.
    pub life: String,
    /// The version of its definition; none if that definition is not known here.
    pub version: Option<u32>,
    /// The hash of its definition, in hexadecimal digits.
    pub definition: String,
    /// What its saga does, for people; empty if its definition is not known here.
    pub title: String,
    /// What it is at.
    pub state: LifeState,
    /// Since when it is at that, where its state knows.
    pub since: Option<Moment>,
    /// When it started.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// What a person has ordered, if it stands still: its times below stand still as well, as they
    /// were then.
    pub paused: Option<PausedTold>,
    /// When the whole-saga deadline strikes.
    pub deadline: Option<Moment>,
    /// When it is forgotten.
    pub forgotten_at: Option<Moment>,
    /// When its next timer strikes.
    pub next_due: Option<Moment>,
    /// The steps under way, in the order in which they were entered.
    pub steps: Vec<StepStanding>,
    /// How far each step is that was reached, by its name.
    #[serde(default)]
    pub reached: Vec<StepReached>,
    /// What a person must see to.
    pub stuck: Vec<StuckStanding>,
    /// The compensations that are not answered yet.
    pub owed: Vec<OwedStanding>,
    /// Why it went back.
    pub failure: Option<FailureTold>,
    /// A cancel or deadline that waits for the outcome of a pivot that was sent.
    pub pending: Option<FailureTold>,
    /// The same for what failed in the same way: by it errors are grouped.
    pub error: Option<Fingerprint>,
    /// Its trace, in hexadecimal digits.
    pub trace: String,
    /// Whose child it is.
    pub parent: Option<ParentName>,
    /// Its children, ended ones too.
    pub children: Vec<ChildName>,
    /// How many transitions it has made.
    pub transitions: u64,
    /// Whether a pivot has succeeded: there is only forward.
    pub pivoted: bool,
    /// What the saga remembers: a JSON object.
    pub data: Value,
    /// Whether something in the data was masked.
    pub is_masked: bool,
}

/// How far a step is; where it runs in several branches, what is most pressing of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct StepReached {
    /// Which, without brackets.
    pub step: String,
    /// `left-out`, `done`, `undone`, `given-up`, `failed`, `under-way`, `owed` or `stuck`.
    pub mark: String,
}

/// Why a life stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PausedTold {
    /// Since when.
    pub since: Moment,
    /// Who has ordered it.
    pub by: String,
    /// Why.
    pub why: String,
    /// How much came for it since, which it is told at the resume.
    pub held: usize,
}

/// What is told of a step under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct StepStanding {
    /// Which: `reserve[2]`.
    pub step: String,
    /// Its kind, as the file says it: `command`, `wait`.
    pub kind: String,
    /// What it does, for people; empty if its author says nothing.
    pub title: String,
    /// Whether it is being undone.
    pub undoing: bool,
    /// What it waits for.
    pub waits: Wait,
    /// Which attempt was made last, of a request; counted anew when a person has it tried again.
    pub attempt: Option<u32>,
    /// How many attempts there are at the most, where they are counted.
    pub attempts_max: Option<u32>,
    /// All attempts that were ever made, of a request.
    pub attempts: Option<u32>,
    /// Since when, where the state knows.
    pub since: Option<Moment>,
    /// When something happens next by itself: the end of a wait, the next attempt, a reminder.
    pub due: Option<Moment>,
    /// When its own time is up.
    pub until: Option<Moment>,
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(tag = "for", rename_all = "kebab-case")]
pub enum Wait {
    /// The answer of a participant.
    Reply {
        /// Whom was asked: an address, or a method with its host.
        from: String,
    },
    /// The time of the next attempt.
    Attempt {
        /// Who is asked.
        of: String,
    },
    /// The answer to the question whether it happened.
    Probe {
        /// Who is asked.
        of: String,
    },
    /// One of these events.
    Event {
        /// Their addresses.
        any_of: Vec<String>,
    },
    /// The answer of a person.
    Answer {
        /// The role.
        who: String,
        /// What they can answer.
        choices: Vec<String>,
    },
    /// A time.
    Time,
    /// The end of a child.
    Child {
        /// Its saga.
        saga: String,
        /// Its key.
        key: String,
    },
    /// Keys that it locks.
    Lock {
        /// All of them, in their order.
        keys: Vec<String>,
        /// How many it holds.
        held: u32,
        /// Who holds the next one: a step of an instance; only the view knows.
        behind: Option<String>,
    },
    /// A person, who must act.
    Person,
    /// What its definition says, which is not known here.
    Unknown,
}

/// What a person must see to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct StuckStanding {
    /// The step.
    pub step: String,
    /// Whether its undoing is what does not get on.
    pub undoing: bool,
    /// Since when.
    pub since: Moment,
    /// What is owed, in words.
    pub reason: String,
}

/// A compensation that is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OwedStanding {
    /// The step that is undone.
    pub step: String,
    /// Who owes the answer: an address, a method with its host, or a child.
    pub to: String,
    /// Since when.
    pub since: Moment,
    /// How often it was tried.
    pub attempts: u32,
    /// When something happens next by itself.
    pub due: Option<Moment>,
    /// Whether it waits for a person.
    pub parked: bool,
}

/// Why a life goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct FailureTold {
    /// What kind of thing it was: `rejected`, `deadline`.
    pub kind: String,
    /// The step where it began; none for the whole saga.
    pub step: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// Whose child a life is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ParentName {
    /// The parent's saga.
    pub saga: String,
    /// Its key.
    pub key: String,
    /// Its life.
    pub life: String,
    /// Its step.
    pub step: String,
}

/// A child of a life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ChildName {
    /// The parent's step.
    pub step: String,
    /// The child's saga.
    pub saga: String,
    /// Its key.
    pub key: String,
}
