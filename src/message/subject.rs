use std::fmt;
use std::str::FromStr;

use super::{Coordinate, Error};

/// What a command, a call or a fact is about: a step, or an end of the saga.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A step.
    Step(Coordinate),
    /// The saga has completed: `ends.completed`.
    Completed,
    /// The saga is compensated: `ends.compensated`.
    Compensated,
    /// The saga is stuck, as `ends.stuck.reserve[2]` tells, or `ends.stuck.reserve[2].undo`.
    Stuck {
        /// At which step.
        step: Coordinate,
        /// Whether the undoing of the step is what does not get on.
        undoing: bool,
    },
}

impl Subject {
    /// The step, if it is about one; not the one at which a saga is stuck.
    #[must_use]
    pub fn step(&self) -> Option<&Coordinate> {
        match self {
            Self::Step(step) => Some(step),
            Self::Completed | Self::Compensated | Self::Stuck { .. } => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
            Self::Completed => f.write_str("ends.completed"),
            Self::Compensated => f.write_str("ends.compensated"),
            Self::Stuck { step, undoing: false } => write!(f, "ends.stuck.{step}"),
            Self::Stuck { step, undoing: true } => write!(f, "ends.stuck.{step}.undo"),
        }
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Some(end) = text.strip_prefix("ends.") else {
            return text.parse().map(Self::Step);
        };
        match (end, end.strip_prefix("stuck.")) {
            ("completed", _) => Ok(Self::Completed),
            ("compensated", _) => Ok(Self::Compensated),
            (_, Some(stuck)) => {
                let (step, undoing) = match stuck.strip_suffix(".undo") {
                    Some(step) => (step, true),
                    None => (stuck, false),
                };
                Ok(Self::Stuck { step: step.parse()?, undoing })
            }
            (_, None) => Err(Error::Name(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_as_it_was_written() {
        let stuck = |step: &str, undoing| Subject::Stuck {
            step: step.parse().expect("a coordinate"),
            undoing,
        };
        for (text, subject) in [
            ("pay[1]", Subject::Step("pay[1]".parse().expect("a coordinate"))),
            ("ends.completed", Subject::Completed),
            ("ends.compensated", Subject::Compensated),
            ("ends.stuck.pay[1]", stuck("pay[1]", false)),
            ("ends.stuck.set.2.undo", stuck("set.2", true)),
        ] {
            assert_eq!(subject.to_string(), text);
            assert_eq!(text.parse(), Ok(subject));
        }
        for text in ["", "ends.", "ends.never", "ends.stuck.", "ends.stuck.pay.redo"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
