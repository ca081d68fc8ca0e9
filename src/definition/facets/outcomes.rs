use super::{Attempted, Composite, Nature, Waiting};
use crate::definition::{
    Assignment, Compensation, Done, Failed, Join, Late, Step, Then, Unknown, Verdict,
};
use crate::message::Span;

/// One way in which a step can end by itself, and what it writes into the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome<'d> {
    /// What it is.
    pub meaning: Meaning,
    /// What it writes.
    pub set: &'d [Assignment],
    /// What it writes besides: the lists that a fan-out collects.
    pub collect: &'d [Assignment],
}

/// What the end of a step means for the saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is done.
    Succeeded,
    /// It is rejected.
    Rejected(Then),
    /// Its time is up, and the saga goes on without it.
    Passed,
}

impl<'d> Outcome<'d> {
    fn of(meaning: Meaning, set: &'d [Assignment]) -> Self {
        Self { meaning, set, collect: &[] }
    }

    fn rejected(verdict: &'d Verdict) -> Self {
        Self::of(Meaning::Rejected(verdict.then), &verdict.set)
    }

    /// Whether the saga goes on behind the step.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match self.meaning {
            Meaning::Succeeded | Meaning::Passed | Meaning::Rejected(Then::GoOn) => true,
            Meaning::Rejected(Then::GoBack | Then::Park) => false,
        }
    }

    /// The fields that it writes.
    pub fn fields(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        self.set.iter().chain(self.collect).map(|assignment| assignment.field.as_str())
    }
}

impl Step {
    /// Every way in which the step can end by itself. Of a composite step these are its own ends;
    /// what is in it has its own.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome<'_>> {
        let succeeded = || Outcome::of(Meaning::Succeeded, &self.set);
        match self.nature() {
            Nature::Instant(instant) => match instant.reason() {
                Some(_) => vec![Outcome::of(Meaning::Rejected(Then::GoBack), &[])],
                None => vec![succeeded()],
            },
            Nature::Waiting(Waiting::Time(_)) => vec![succeeded()],
            Nature::Attempted(Attempted::Command(command)) => {
                let probed = command.probe.iter().flat_map(|probe| &probe.request.done);
                let done = command.request.done.iter().chain(probed);
                done.map(|done| self.done(done)).chain(command.failed.iter().map(failed)).collect()
            }
            Nature::Attempted(Attempted::Call(call)) => {
                let done = call.request.done.iter().map(|done| {
                    Outcome::of(Meaning::Succeeded, done.set.as_deref().unwrap_or(&self.set))
                });
                let failed = call.failed.iter();
                let failed = failed.map(|f| Outcome::of(Meaning::Rejected(f.then), &f.set));
                done.chain(failed).collect()
            }
            Nature::Waiting(Waiting::Fact(wait)) => {
                let done = wait.on.iter().map(|done| self.done(done));
                let failed = wait.failed.iter().map(failed);
                done.chain(failed).chain(late(wait.within, &wait.late)).collect()
            }
            Nature::Waiting(Waiting::Person(ask)) => {
                let choices = ask.choices.iter().map(|choice| match &choice.failed {
                    None => succeeded(),
                    Some(verdict) => Outcome::rejected(verdict),
                });
                choices.chain(late(ask.within, &ask.late)).collect()
            }
            Nature::Waiting(Waiting::Child(child)) => {
                vec![succeeded(), Outcome::rejected(&child.failed)]
            }
            Nature::Composite(composite) => {
                let collect = match composite {
                    Composite::Each(each) => &each.collect[..],
                    Composite::Parallel(_) | Composite::Choose(_) | Composite::Lock(_) => &[],
                };
                vec![Outcome { collect, ..succeeded() }, Outcome::rejected(composite.failed())]
            }
        }
    }

    fn done<'d>(&'d self, done: &'d Done) -> Outcome<'d> {
        Outcome::of(Meaning::Succeeded, done.set.as_deref().unwrap_or(&self.set))
    }

    /// What undoing it can write: one set for each reply that says that it is undone.
    #[must_use]
    pub fn undo_sets(&self) -> Vec<&[Assignment]> {
        match self.compensation() {
            Compensation::Command { request, set } => {
                request.done.iter().map(|done| done.set.as_deref().unwrap_or(set)).collect()
            }
            Compensation::Call { request, set } => {
                request.done.iter().map(|done| done.set.as_deref().unwrap_or(set)).collect()
            }
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Child => Vec::new(),
        }
    }

    /// Whether the saga may go on behind it although it did not succeed.
    #[must_use]
    pub fn may_be_passed(&self) -> bool {
        let passes = |outcome: &Outcome<'_>| outcome.meaning != Meaning::Succeeded;
        self.outcomes().iter().any(|outcome| passes(outcome) && outcome.goes_on())
    }

    /// Whether what happens to the step itself may mean the way back.
    #[must_use]
    pub fn goes_back(&self) -> bool {
        let is_rejected = match self.nature() {
            Nature::Attempted(attempted) if is_given_up(attempted.unknown()) => return true,
            Nature::Composite(composite) => composite.may_be_rejected(),
            Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) => true,
        };
        let back = Meaning::Rejected(Then::GoBack);
        is_rejected && self.outcomes().iter().any(|outcome| outcome.meaning == back)
    }
}

impl Composite<'_> {
    /// Whether it may be rejected by more than what is in it: its time is up, its list is too long,
    /// none of its branches is the first.
    #[must_use]
    pub fn may_be_rejected(self) -> bool {
        match self {
            Self::Parallel(parallel) => parallel.within.is_some() || parallel.join == Join::First,
            Self::Each(each) => {
                let written = each.items.written_elements();
                each.within.is_some() || written.is_none_or(|n| n > each.at_most as usize)
            }
            Self::Choose(_) | Self::Lock(_) => self.within().is_some(),
        }
    }
}

/// Whether the saga goes back when the attempts are spent, if nobody knows better.
fn is_given_up(unknown: Unknown) -> bool {
    match unknown {
        Unknown::Compensate | Unknown::Probe => true,
        Unknown::Retry | Unknown::Park => false,
    }
}

fn failed(failed: &Failed) -> Outcome<'_> {
    Outcome::of(Meaning::Rejected(failed.then), &failed.set)
}

/// What it means that the time is up, if it can be.
fn late(within: Option<Span>, late: &Late) -> Option<Outcome<'_>> {
    within.map(|_| match late {
        Late::GoOn => Outcome::of(Meaning::Passed, &[]),
        Late::Fail(verdict) => Outcome::rejected(verdict),
    })
}
