use std::sync::Arc;

use super::moves::Kind;
use super::search::Found;
use super::search::{Miss, Whose};
use super::{cancel, early, search, start, taken};
use crate::definition::{Catalog, Definition, State};
use crate::engine::state::remnant::digest;
use crate::engine::{Act, Called, Input, Instance, Letter, Rejection, Verb, Wake};
use crate::message::{CommandId, Event, InputId, InstanceId, Timestamp};

/// An input, once it is clear what it is to the instance.
pub(in crate::engine) enum Meaning<'a> {
    /// An answer to a request, or what a step waits for.
    Answer(Found, &'a Event),
    /// What came of a call: the life that made it.
    Called(usize, &'a Called),
    /// A fact that asks for the way back.
    Cancel(&'a Event),
    /// A start: the definition that it starts, and which entry of `start` it is.
    Start(Arc<Definition>, usize, &'a Event),
    /// An event that came before what waits for it, and how long it is kept.
    Early(&'a Event, early::Kept),
    /// An event that means nothing, but may once what is held during a pause was told.
    Unclear(&'a Event),
    /// Timers.
    Wake(Wake),
    /// A person's act, about something stuck or about the whole saga.
    Act(&'a Act),
    /// A person's answer to a question.
    Decide(&'a Act),
    /// What another instance or a lock says.
    Letter(&'a Letter),
}

impl<'a> Meaning<'a> {
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
            Input::Wake(wake) => Ok(Self::Wake(*wake)),
            Input::Act(act) if was_obeyed(before, act) => {
                Err(Rejection::Duplicate(format!("act {} was obeyed before", act.id)))
            }
            Input::Act(act) if is_outdated(before, act) => Err(Rejection::Refused(format!(
                "{id}: act {} was signed before what is known of acts here; act again",
                act.id
            ))),
            Input::Act(act) => match (&act.verb, &act.step) {
                (verb, Some(step)) if verb.is_about_the_saga() => Err(Rejection::Refused(format!(
                    "`{}` is about the whole saga; leave out the step `{step}`",
                    verb.text()
                ))),
                (Verb::Answer { .. }, _) => Ok(Self::Decide(act)),
                (
                    Verb::Retry
                    | Verb::Skip
                    | Verb::ResolveDone(_)
                    | Verb::ResolveNotDone
                    | Verb::GoBack
                    | Verb::Cancel
                    | Verb::Pause
                    | Verb::Resume
                    | Verb::SetData(_),
                    _,
                ) => Ok(Self::Act(act)),
            },
            Input::Letter(letter) => Ok(Self::Letter(letter)),
            Input::Called(called) => Self::of_call(id, before, called),
            Input::Event(event) => {
                let meaning = Self::of_event(catalog, id, before, event, now);
                match meaning {
                    Err(Rejection::Unmatched(_) | Rejection::Refused(_)) if is_open(before) => {
                        Ok(Self::Unclear(event))
                    }
                    meaning => meaning,
                }
            }
        }
    }

    fn of_call(
        id: &InstanceId,
        before: Option<&Instance>,
        called: &'a Called,
    ) -> Result<Self, Rejection> {
        let unknown = || Rejection::Unmatched(format!("call {} was never made", called.command));
        let command: CommandId = called.command.parse().map_err(|_| unknown())?;
        let lives = before.map(|instance| instance.lives.as_slice());
        let mut lives = lives.unwrap_or_default().iter();
        let life = command.life;
        if before.is_some_and(|instance| instance.is_gone(life)) {
            let words = format!("call {command} was answered before");
            return Err(Rejection::Duplicate(words));
        }
        let found = lives.position(|g| g.id == life && command.instance == *id);
        found.map(|life| Self::Called(life, called)).ok_or_else(unknown)
    }

    /// An event is an answer, else a cancel, else a start, else it came early: it is taken once.
    fn of_event(
        catalog: &Catalog,
        id: &InstanceId,
        before: Option<&Instance>,
        event: &'a Event,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        if let Some(instance) = before {
            taken::refuse_again(catalog, id, instance, event)?;
        }
        let (mut declined, mut whose) = (None, Whose::Nobody);
        let is_remembered =
            |instance: &&Instance| !(instance.lives.is_empty() && instance.remnants.is_empty());
        if let Some(instance) = before.filter(is_remembered) {
            match search::find(catalog, id, instance, event, now) {
                Ok(found) => return Ok(Self::Answer(found, event)),
                Err(Miss::Refused(refused)) => return Err(refused),
                Err(Miss::Unasked(of, reason)) => (declined, whose) = (Some(reason), of),
            }
            // What speaks of an older life means nothing to this one.
            if is_for_newest(whose, instance) && cancel::is_one(catalog, id, instance, event, now)?
            {
                return Ok(Self::Cancel(event));
            }
        }
        let starting = catalog.starting(&id.saga);
        if let Some((definition, state)) = starting
            && let Some(entry) = start::find(definition, id, event, now)?
        {
            if state == State::Removed {
                return Err(Rejection::Unmatched(format!(
                    "{id}: nothing starts {} any more; its file is gone",
                    id.saga
                )));
            }
            return Ok(Self::Start(Arc::clone(definition), entry, event));
        }
        // Nor is it kept for a life to come.
        let lives = |instance: &Instance| {
            whose == Whose::Nobody
                || (is_for_newest(whose, instance) && instance.living().is_some())
        };
        if before.is_none_or(lives)
            && let Some(kept) = early::kept_for(catalog, id, before, event, now)?
        {
            return Ok(Self::Early(event, kept));
        }
        Err(declined.unwrap_or_else(|| Rejection::Unmatched(format!("there is no {id}"))))
    }

    /// Its column in the table of legal moves.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Answer(..) | Self::Called(..) => Kind::Answer,
            Self::Cancel(_) => Kind::Cancel,
            Self::Start(..) => Kind::Start,
            Self::Early(..) | Self::Unclear(_) => Kind::Early,
            Self::Wake(_) => Kind::Wake,
            Self::Act(Act { verb: Verb::Cancel, .. }) => Kind::CancelByPerson,
            Self::Act(Act { verb: Verb::Pause | Verb::Resume | Verb::SetData(_), .. }) => {
                Kind::Steer
            }
            // Without a step it is about the whole saga, stuck or not.
            Self::Act(Act { verb: Verb::GoBack, step, .. }) if step.is_none() => Kind::Return,
            Self::Act(_) => Kind::Act,
            Self::Decide(_) => Kind::Decide,
            Self::Letter(_) => Kind::Letter,
        }
    }
}

/// Whether what an event speaks of may concern the newest life.
fn is_for_newest(whose: Whose, instance: &Instance) -> bool {
    match whose {
        Whose::Nobody => true,
        Whose::Life(life) => life + 1 == instance.lives.len(),
        Whose::Gone => false,
    }
}

/// Whether something is held during a pause that may give an event a meaning.
fn is_open(before: Option<&Instance>) -> bool {
    let paused = before.and_then(Instance::paused_life);
    paused.is_some_and(|(_, paused)| !paused.held.is_empty())
}

/// Whether a signed act is of a time of which nobody knows any more what was obeyed: the newest
/// life had not begun, or ids that it had obeyed are forgotten.
fn is_outdated(before: Option<&Instance>, act: &Act) -> bool {
    let (Some(signed), Some(life)) = (act.signed, before.and_then(Instance::newest)) else {
        return false;
    };
    signed < life.started || life.seen_since.is_some_and(|since| signed <= since)
}

/// Whether a life has obeyed this very act, or will at its resume.
fn was_obeyed(before: Option<&Instance>, act: &Act) -> bool {
    let digest = digest(&InputId::named(&act.id));
    before.is_some_and(|instance| {
        let mut seen = instance.lives.iter().flat_map(|life| &life.seen);
        seen.any(|seen| seen.text == act.id)
            || instance.paused_life().is_some_and(|(_, paused)| paused.has_act(&act.id))
            || instance.remnants.iter().any(|remnant| remnant.has_taken(&[digest]))
    })
}
