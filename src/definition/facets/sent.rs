use super::{Attempted, Nature};
use crate::definition::{CallRequest, Compensation, Fact, Request, Retry, Step};
use crate::expression::{Expression, Template};
use crate::message::{Address, Part};

/// A message that a step sends.
#[derive(Debug, Clone, Copy)]
pub enum Sent<'d> {
    /// A request over Kafka.
    Command(&'d Request),
    /// A fact told to the world.
    Fact(&'d Fact),
    /// A fact told again and again while the step waits.
    Reminder(&'d Fact),
}

impl<'d> Sent<'d> {
    /// Where it goes.
    #[must_use]
    pub fn to(self) -> &'d Address {
        match self {
            Self::Command(request) => &request.command,
            Self::Fact(fact) | Self::Reminder(fact) => &fact.to,
        }
    }

    /// The record's key; none means the instance's key.
    #[must_use]
    pub fn key(self) -> Option<&'d Expression> {
        match self {
            Self::Command(request) => request.key.as_ref(),
            Self::Fact(fact) | Self::Reminder(fact) => fact.key.as_ref(),
        }
    }

    /// The body; none means `{}`.
    #[must_use]
    pub fn body(self) -> Option<&'d Template> {
        match self {
            Self::Command(request) => request.with.as_ref(),
            Self::Fact(fact) | Self::Reminder(fact) => fact.with.as_ref(),
        }
    }

    /// More headers.
    #[must_use]
    pub fn headers(self) -> &'d [(String, Template)] {
        match self {
            Self::Command(request) => &request.headers,
            Self::Fact(fact) | Self::Reminder(fact) => &fact.headers,
        }
    }
}

impl Step {
    /// How it is undone; nothing for steps that have no effect outside, and for composite ones,
    /// which are undone by undoing what is in them.
    #[must_use]
    pub fn compensation(&self) -> &Compensation {
        match self.nature() {
            Nature::Instant(instant) => {
                instant.emitted().map_or(&Compensation::Nothing, |emit| &emit.compensate)
            }
            Nature::Attempted(Attempted::Command(command)) => &command.compensate,
            Nature::Attempted(Attempted::Call(call)) => &call.compensate,
            Nature::Waiting(super::Waiting::Child(child)) => &child.compensate,
            Nature::Waiting(_) | Nature::Composite(_) => &Compensation::Nothing,
        }
    }

    /// The messages that it sends, each with the part of the step that sends it: what it does, what
    /// asks whether it happened, what undoes it.
    pub fn messages(&self) -> impl Iterator<Item = (Part, Sent<'_>)> {
        let (own, probe) = match self.nature() {
            Nature::Attempted(Attempted::Command(command)) => {
                let probe = command.probe.as_ref().map(|probe| Sent::Command(&probe.request));
                (Some(Sent::Command(&command.request)), probe)
            }
            Nature::Instant(instant) => {
                (instant.emitted().map(|emit| Sent::Fact(&emit.fact)), None)
            }
            Nature::Waiting(_) => (self.remind().map(|remind| Sent::Reminder(&remind.fact)), None),
            Nature::Attempted(Attempted::Call(_)) | Nature::Composite(_) => (None, None),
        };
        let undo = match self.compensation() {
            Compensation::Command { request, .. } => Some(Sent::Command(request)),
            Compensation::Emit(fact) => Some(Sent::Fact(fact)),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Call { .. }
            | Compensation::Child => None,
        };
        let all = [(Part::Action, own), (Part::Probe, probe), (Part::Undo(1), undo)];
        all.into_iter().filter_map(|(part, sent)| Some((part, sent?)))
    }

    /// Where its messages go, those that undo it, probe it or remind of it too.
    pub fn sends(&self) -> impl Iterator<Item = &Address> {
        self.messages().map(|(_, sent)| sent.to())
    }

    /// The calls that it makes: what it does, and what undoes it.
    pub fn calls(&self) -> impl Iterator<Item = (Part, &CallRequest)> {
        let own = match self.attempted() {
            Some(Attempted::Call(call)) => Some((Part::Action, &call.request)),
            Some(Attempted::Command(_)) | None => None,
        };
        let undo = match self.compensation() {
            Compensation::Call { request, .. } => Some((Part::Undo(1), request)),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Command { .. }
            | Compensation::Emit(_)
            | Compensation::Child => None,
        };
        own.into_iter().chain(undo)
    }

    /// The request over Kafka that one part of it makes.
    #[must_use]
    pub fn request(&self, part: Part) -> Option<&Request> {
        let sent = self.messages().find(|(of, _)| is_same(*of, part));
        match sent {
            Some((_, Sent::Command(request))) => Some(request),
            Some((_, Sent::Fact(_) | Sent::Reminder(_))) | None => None,
        }
    }

    /// How often and how soon one part of it is tried again.
    #[must_use]
    pub fn retry(&self, part: Part) -> Option<&Retry> {
        let request = self.request(part).map(|request| &request.retry);
        request.or(self.call(part).map(|call| &call.retry))
    }

    /// The call that one part of it makes.
    #[must_use]
    pub fn call(&self, part: Part) -> Option<&CallRequest> {
        self.calls().find(|(of, _)| is_same(*of, part)).map(|(_, call)| call)
    }
}

/// Whether two parts are the same, whichever of several undoings they are.
fn is_same(one: Part, other: Part) -> bool {
    match (one, other) {
        (Part::Action, Part::Action)
        | (Part::Probe, Part::Probe)
        | (Part::Undo(_), Part::Undo(_)) => true,
        (Part::Action | Part::Probe | Part::Undo(_), _) => false,
    }
}
