use super::{Attempted, Nature, Waiting};
use crate::definition::{Compensation, Done, Failed, Step};
use crate::expression::Expression;
use crate::message::{Address, Part};

/// The events that may answer a part of a step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answers<'d> {
    /// Those that say that it is done.
    pub done: &'d [Done],
    /// Those that say no.
    pub failed: &'d [Failed],
    /// Those that say, of an action that is asked about, that it did not happen.
    pub absent: &'d [Done],
}

/// What an event says: which entry of `done`, `failed` or `absent` it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done(usize),
    /// The business "no".
    Failed(usize),
    /// It did not happen.
    Absent(usize),
}

/// One kind of event that may answer.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'d> {
    /// The event.
    pub on: &'d Address,
    /// Which of them.
    pub condition: Option<&'d Expression>,
    /// What it says.
    pub says: Answer,
}

impl Answer {
    /// Whether it says that what was asked for, or asked about, has happened.
    #[must_use]
    pub fn is_done(self) -> bool {
        match self {
            Self::Done(_) => true,
            Self::Failed(_) | Self::Absent(_) => false,
        }
    }
}

impl<'d> Answers<'d> {
    /// Every kind of event that may answer: what says yes, what says no, what says that nothing
    /// happened, each in the author's order.
    pub fn iter(self) -> impl Iterator<Item = Reply<'d>> {
        let done = self.done.iter().enumerate().map(|(place, done)| Reply {
            on: &done.on,
            condition: done.condition.as_ref(),
            says: Answer::Done(place),
        });
        let failed = self.failed.iter().enumerate().map(|(place, failed)| Reply {
            on: &failed.on,
            condition: failed.condition.as_ref(),
            says: Answer::Failed(place),
        });
        let absent = self.absent.iter().enumerate().map(|(place, absent)| Reply {
            on: &absent.on,
            condition: absent.condition.as_ref(),
            says: Answer::Absent(place),
        });
        done.chain(failed).chain(absent)
    }

    /// Whether an event of this address may be one of them.
    #[must_use]
    pub fn mention(self, address: &Address) -> bool {
        self.iter().any(|reply| reply.on == address)
    }

    /// Which of them an event is: the first of its address whose `where` holds.
    ///
    /// # Errors
    /// When a `where` that is asked has no answer.
    pub fn find<E>(
        self,
        address: &Address,
        holds: impl Fn(Option<&Expression>) -> Result<bool, E>,
    ) -> Result<Option<Answer>, E> {
        for reply in self.iter().filter(|reply| reply.on == address) {
            if holds(reply.condition)? {
                return Ok(Some(reply.says));
            }
        }
        Ok(None)
    }
}

impl Step {
    /// The events that answer a request over Kafka: the step's own, its probe's or its undoing's.
    #[must_use]
    pub fn replies(&self, part: Part) -> Answers<'_> {
        match part {
            Part::Undo(_) => match self.compensation() {
                Compensation::Command { request, .. } => {
                    Answers { done: &request.done, ..Answers::default() }
                }
                Compensation::Unsaid
                | Compensation::Nothing
                | Compensation::Emit(_)
                | Compensation::Call { .. }
                | Compensation::Child => Answers::default(),
            },
            Part::Action | Part::Probe => match (self.attempted(), part) {
                (Some(Attempted::Command(command)), Part::Action) => {
                    Answers { done: &command.request.done, failed: &command.failed, absent: &[] }
                }
                (Some(Attempted::Command(command)), _) => {
                    let probe = command.probe.as_ref();
                    probe.map_or_else(Answers::default, |probe| Answers {
                        done: &probe.request.done,
                        failed: &[],
                        absent: &probe.absent,
                    })
                }
                (Some(Attempted::Call(_)) | None, _) => Answers::default(),
            },
        }
    }

    /// The facts that it waits for, whether its instance has started or not.
    #[must_use]
    pub fn awaited(&self) -> Answers<'_> {
        match self.nature() {
            Nature::Waiting(Waiting::Fact(wait)) => {
                Answers { done: &wait.on, failed: &wait.failed, absent: &[] }
            }
            Nature::Waiting(Waiting::Time(_) | Waiting::Person(_) | Waiting::Child(_))
            | Nature::Instant(_)
            | Nature::Attempted(_)
            | Nature::Composite(_) => Answers::default(),
        }
    }

    /// The events that a part of it may take: answers to its requests, and what it waits for.
    #[must_use]
    pub fn answers(&self, part: Part) -> Answers<'_> {
        match (part, self.waiting()) {
            (Part::Action, Some(Waiting::Fact(_))) => self.awaited(),
            (Part::Action | Part::Probe | Part::Undo(_), _) => self.replies(part),
        }
    }

    /// Every kind of event that answers one of its requests over Kafka, with the part that it
    /// answers.
    pub fn all_replies(&self) -> impl Iterator<Item = (Part, Reply<'_>)> {
        let parts = [Part::Action, Part::Probe, Part::Undo(1)].into_iter();
        parts.flat_map(|part| self.replies(part).iter().map(move |reply| (part, reply)))
    }
}
