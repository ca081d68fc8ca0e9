use std::fmt;

use super::{Awaited, Claimant, Proof, Sending, What};

/// The words for people, beside the kind and the step.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { title } => f.write_str(title),
            Self::Queued { event } => write!(f, "{event} waits for the end"),
            Self::Claimed(claimant) | Self::Returned(claimant) | Self::Withdrawn(claimant) => {
                claimant.fmt(f)
            }
            Self::Sent(sending) | Self::Probed(sending) | Self::Undoing(sending) => sending.fmt(f),
            Self::Told { fact } | Self::Reminded { fact } => fact.fmt(f),
            Self::Succeeded(proof) => proof.fmt(f),
            Self::Rejected { reason }
            | Self::Skipped { reason }
            | Self::TimedOut { reason }
            | Self::Cancelled { reason }
            | Self::Refused { reason }
            | Self::Stuck { reason }
            | Self::Compensated { reason } => f.write_str(reason),
            Self::Extended { attempt, within } => {
                write!(f, "attempt {attempt} has {within} more, for the engine was away")
            }
            Self::GivenUp { may_have_happened: true } => {
                f.write_str("no answer; it may have happened")
            }
            Self::GivenUp { may_have_happened: false } => {
                f.write_str("no attempt has left; it has not happened")
            }
            Self::WentBack(failure) => write!(f, "{}: {}", failure.kind.text(), failure.reason),
            Self::Undone { by } => by.as_ref().map_or(Ok(()), |fact| fact.fmt(f)),
            Self::Late { has_happened, by_probe } => {
                let said =
                    if *has_happened { "it has happened after all" } else { "it has not happened" };
                f.write_str(said)?;
                if *by_probe { f.write_str(", says the probe") } else { Ok(()) }
            }
            Self::Acted { verb, by, why } => write!(f, "{verb} by {by}: {why}"),
            Self::Completed | Self::Forgotten | Self::Released => Ok(()),
            Self::Waiting(awaited) => awaited.fmt(f),
            Self::Asked { who } => f.write_str(who),
            Self::Kept { event, id } => write!(f, "{event} {id}"),
            Self::Dropped { branch, reason } => write!(f, "{branch}: {reason}"),
            Self::Locked { token } => write!(f, "token {token}"),
            Self::Granted { to, token } => write!(f, "{to}, token {token}"),
        }
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

impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.step, self.instance)
    }
}
