use std::fmt;

use crate::engine::Claim;
use crate::message::{Coordinate, EventType, InstanceId, Timestamp};

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Where to: an address, a method with its host, or a child.
    pub to: String,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// Why a step counts as done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// An event of this kind says so.
    Event(EventType),
    /// A call was answered.
    Call,
    /// A probe says so.
    Probe,
    /// A child has completed.
    Child(InstanceId),
    /// Its time has come.
    Time,
    /// A person has answered a question.
    Answer {
        /// The choice.
        choice: String,
        /// Who made it.
        by: String,
    },
    /// A person says so.
    Person,
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// One of these facts.
    Facts(Vec<EventType>),
    /// A moment.
    Moment(Timestamp),
    /// Its lock.
    Lock,
}

/// What a person has made of a field of the data; of a sensitive one nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataChange {
    /// The field.
    pub field: String,
    /// What it was, as JSON; none if it was not set.
    pub before: Option<String>,
    /// What it is, as JSON.
    pub after: Option<String>,
    /// Whether neither is shown.
    pub is_hidden: bool,
}

/// Who asks for a lock: a step of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The instance.
    pub instance: InstanceId,
    /// Its step.
    pub step: Coordinate,
}

impl From<&Claim> for Claimant {
    fn from(claim: &Claim) -> Self {
        Self { instance: claim.instance.clone(), step: claim.step.clone() }
    }
}

impl fmt::Display for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to)?;
        if self.attempt == 1 { Ok(()) } else { write!(f, ", attempt {}", self.attempt) }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(kind) => f.write_str(kind.as_str()),
            Self::Call => f.write_str("the call was answered"),
            Self::Probe => f.write_str("it has happened, says the probe"),
            Self::Child(child) => child.fmt(f),
            Self::Time => f.write_str("its time has come"),
            Self::Answer { choice, by } => write!(f, "{choice}, says {by}"),
            Self::Person => f.write_str("said by a person"),
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facts(facts) => {
                for (place, fact) in facts.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { " or " })?;
                    f.write_str(fact.as_str())?;
                }
                Ok(())
            }
            Self::Moment(until) => write!(f, "until {until}"),
            Self::Lock => f.write_str("for its lock"),
        }
    }
}

impl fmt::Display for DataChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, unset) = (&self.field, "nothing");
        if self.is_hidden {
            return write!(f, "`{field}` is set; it is sensitive");
        }
        let before = self.before.as_deref().unwrap_or(unset);
        write!(f, "`{field}` was {before} and is {}", self.after.as_deref().unwrap_or(unset))
    }
}

impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.step, self.instance)
    }
}
