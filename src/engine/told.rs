use std::sync::Arc;

use super::handler::{cancel, reply, start};
use super::moves::Kind;
use super::{Act, Input, Instance, Rejection};
use crate::definition::{Catalog, Definition};
use crate::message::{Event, InstanceId, Timestamp};

/// An input, once it is clear what it is to the instance.
pub(super) enum Told<'a> {
    /// An answer to a request.
    Answer(reply::Found, &'a Event),
    /// A fact that asks for the way back.
    Cancel(&'a Event),
    /// A start: the definition that it starts, and which entry of `start` it is.
    Start(Arc<Definition>, usize, &'a Event),
    /// A timer.
    Wake,
    /// A person's act.
    Act(&'a Act),
}

impl<'a> Told<'a> {
    /// Finds out what an input is; nothing changes.
    ///
    /// # Errors
    /// When it is nothing to this instance, or was here before.
    pub fn of(
        catalog: &Catalog,
        id: &InstanceId,
        before: Option<&Instance>,
        input: &'a Input,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        match input {
            Input::Wake => Ok(Self::Wake),
            Input::Act(act) if is_seen(before, &act.id) => {
                Err(Rejection::Duplicate(format!("act {} was obeyed before", act.id)))
            }
            Input::Act(act) => Ok(Self::Act(act)),
            Input::Letter(letter) => Err(Rejection::Unmatched(format!(
                "{id} does not take letters that say {}",
                letter.say.text()
            ))),
            Input::Called(called) => {
                Err(Rejection::Unmatched(format!("call {} was never made", called.command)))
            }
            Input::Event(event) => Self::of_event(catalog, id, before, event, now),
        }
    }

    /// An event is an answer, else a cancel, else a start: it is taken once.
    fn of_event(
        catalog: &Catalog,
        id: &InstanceId,
        before: Option<&Instance>,
        event: &'a Event,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        let mut no_answer = None;
        if let Some(instance) = before {
            match reply::find(catalog, id, instance, event, now) {
                Ok(found) => return Ok(Self::Answer(found, event)),
                Err(Rejection::Unmatched(reason)) => no_answer = Some(reason),
                Err(
                    refused @ (Rejection::Duplicate(_)
                    | Rejection::Ignored(_)
                    | Rejection::Refused(_)),
                ) => return Err(refused),
            }
            if cancel::is_one(catalog, id, instance, event, now)? {
                if is_seen(before, &event.id) {
                    let reason = format!("event {} was obeyed before", event.id);
                    return Err(Rejection::Duplicate(reason));
                }
                return Ok(Self::Cancel(event));
            }
        }
        if let Some(definition) = catalog.newest(&id.saga)
            && let Some(entry) = start::find(definition, id, event, now)?
        {
            return Ok(Self::Start(Arc::clone(definition), entry, event));
        }
        Err(Rejection::Unmatched(no_answer.unwrap_or_else(|| format!("there is no {id}"))))
    }

    /// Its column in the table of legal moves.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Answer(..) => Kind::Answer,
            Self::Cancel(_) => Kind::Cancel,
            Self::Start(..) => Kind::Start,
            Self::Wake => Kind::Wake,
            Self::Act(_) => Kind::Act,
        }
    }
}

fn is_seen(before: Option<&Instance>, id: &str) -> bool {
    before.is_some_and(|i| i.generations.iter().any(|g| g.seen.iter().any(|seen| seen == id)))
}
