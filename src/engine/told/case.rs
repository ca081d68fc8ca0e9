use std::fmt::Display;
use std::sync::Arc;

use crate::definition::{Catalog, Definition};
use crate::engine::course::motion;
use crate::engine::course::timers;
use crate::engine::kind::ask;
use crate::engine::kind::call;
use crate::engine::request::reply;
use crate::engine::state::{check, weight};
use crate::engine::told::act;
use crate::engine::told::cancel;
use crate::engine::told::early;
use crate::engine::told::letter;
use crate::engine::told::meaning::Told;
use crate::engine::told::moves::{Move, legal};
use crate::engine::told::start;
use crate::engine::work::turn::{Out, Turn};
use crate::engine::{
    Act, Effect, Generation, Instance, Note, NoteKind, Rejection, Status, Transition, Verb, Wake,
};
use crate::message::{Event, InputId, InstanceId, Timestamp};

/// One instance and one input, while the answer is being found.
pub(in crate::engine) struct Case<'a> {
    pub catalog: &'a Catalog,
    pub id: &'a InstanceId,
    pub now: Timestamp,
    pub instance: Instance,
    pub out: Out,
}

impl Case<'_> {
    /// Obeys, if the table of legal moves allows it.
    ///
    /// # Errors
    /// When it does not, or the handler finds a reason why it changes nothing.
    pub fn obey(&mut self, told: Told<'_>) -> Result<(), Rejection> {
        let told_as = |word: &str| format!("{}: {word}", self.id);
        match (legal(self.status(&told), told.kind()), told) {
            (Move::Begin | Move::BeginLater, Told::Start(definition, entry, event)) => {
                self.start(&definition, entry, event)
            }
            (Move::Answer, Told::Answer(found, event)) => {
                self.change(found.generation, |turn| reply::take(turn, &found, event))
            }
            (Move::Answer, Told::Called(place, called)) => {
                self.change(place, |turn| call::take(turn, called))
            }
            (Move::GoBack, Told::Cancel(event)) => {
                let newest = self.instance.generations.len() - 1;
                self.change(newest, |turn| cancel::take(turn, event))?;
                self.remember(newest, InputId::of(event));
                Ok(())
            }
            (Move::Wake, Told::Wake(wake)) => self.wake(wake),
            (Move::Act, Told::Act(act)) => self.act(act),
            (Move::Return, Told::Act(act)) => {
                self.newest(act, |turn| cancel::by_a_person(turn, act))
            }
            (Move::Decide, Told::Decide(act)) => self.decide(act),
            (Move::Read, Told::Letter(letter)) => letter::read(self, letter),
            (Move::Keep, Told::Early(event, kept)) => early::keep(self, event, kept),
            (Move::Ignore(reason), _) => Err(Rejection::Ignored(told_as(reason))),
            (Move::Refuse(reason), _) => Err(Rejection::Refused(told_as(reason))),
            (
                Move::Unmatched
                | Move::Begin
                | Move::BeginLater
                | Move::Answer
                | Move::GoBack
                | Move::Wake
                | Move::Act
                | Move::Return
                | Move::Decide
                | Move::Read
                | Move::Keep,
                _,
            ) => Err(Rejection::Unmatched(format!("there is no {}", self.id))),
        }
    }

    /// The row of the table: how the generation stands that the input is for.
    fn status(&self, told: &Told<'_>) -> Option<Status> {
        match told {
            Told::Answer(found, _) => Some(self.instance.generations[found.generation].status()),
            Told::Called(place, _) => Some(self.instance.generations[*place].status()),
            // An older generation may be stuck with a late undoing while a newer one lives.
            Told::Act(_) if self.instance.generations.iter().any(|g| !g.stuck.is_empty()) => {
                Some(Status::Stuck)
            }
            Told::Act(_)
            | Told::Decide(_)
            | Told::Cancel(_)
            | Told::Start(..)
            | Told::Early(..)
            | Told::Letter(_)
            | Told::Wake(_) => self.instance.newest().map(Generation::status),
        }
    }

    /// Lets a handler change one generation, which then moves until everything waits.
    pub fn change<T>(
        &mut self,
        place: usize,
        handle: impl FnOnce(&mut Turn<'_>) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let mut generation = self.instance.generations.remove(place);
        let known = self.catalog.by_hash(generation.definition);
        let answer = match known {
            None => Err(Rejection::Refused(format!(
                "{} runs on a definition that is not known here",
                self.id
            ))),
            Some(definition) => {
                generation.transitions += 1;
                let mut turn = self.turn(definition, &mut generation);
                let answer = handle(&mut turn);
                if answer.is_ok() {
                    motion::settle(&mut turn);
                }
                answer
            }
        };
        self.instance.generations.insert(place, generation);
        answer
    }

    /// A turn of a generation that is not among the others meanwhile.
    pub fn turn<'t>(
        &'t mut self,
        definition: &'t Definition,
        generation: &'t mut Generation,
    ) -> Turn<'t> {
        let Instance { generations, queued, early, .. } = &mut self.instance;
        let beside = weight::of_lives(self.catalog, generations) + weight::of_events(queued.iter());
        Turn {
            definition,
            limits: &self.catalog.limits,
            id: self.id,
            generation,
            early,
            beside,
            now: self.now,
            out: &mut self.out,
        }
    }

    /// Refuses what would make the instance outgrow its limit.
    ///
    /// # Errors
    /// Then.
    pub fn room_for(&self, what: &impl Display, bytes: usize) -> Result<(), Rejection> {
        let limit = self.catalog.limits.instance_bytes_max;
        if weight::of_instance(self.catalog, &self.instance) + bytes <= limit {
            return Ok(());
        }
        Err(Rejection::Refused(format!(
            "{what}: {} would remember more than {} (`limits.instance-bytes-max`)",
            self.id,
            crate::definition::bytes(limit)
        )))
    }

    /// Lets a person change the newest generation.
    fn newest(
        &mut self,
        act: &Act,
        handle: impl FnOnce(&mut Turn<'_>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        let newest = self.instance.generations.len() - 1;
        self.change(newest, handle)?;
        self.remember(newest, InputId::named(&act.id));
        Ok(())
    }

    fn decide(&mut self, act: &Act) -> Result<(), Rejection> {
        let Verb::Answer { choice, note, data } = &act.verb else {
            return Err(Rejection::Refused(format!("{} was asked nothing", act.by)));
        };
        self.newest(act, |turn| ask::take(turn, act, choice, note, data))
    }

    fn remember(&mut self, place: usize, id: InputId) {
        let seen = &mut self.instance.generations[place].seen;
        if seen.len() >= self.catalog.limits.ids_max {
            seen.remove(0);
        }
        seen.push(id);
    }

    fn start(
        &mut self,
        definition: &Definition,
        entry: usize,
        event: &Event,
    ) -> Result<(), Rejection> {
        start::take(self, definition, &definition.starts[entry], event)
    }

    fn wake(&mut self, wake: Wake) -> Result<(), Rejection> {
        let wake = Wake { until: wake.until.min(self.now), ..wake };
        let mut woken = self.forget(wake.until);
        woken |= early::expire(self.id, &mut self.instance, wake.until, &mut self.out);
        for place in 0..self.instance.generations.len() {
            if timers::is_due(&self.instance.generations[place], wake.until) {
                self.change(place, |turn| {
                    timers::wake(turn, wake);
                    Ok(())
                })?;
                woken = true;
            }
        }
        if woken { Ok(()) } else { Err(Rejection::Ignored("no timer is due".to_owned())) }
    }

    /// Drops the generations whose time is over by then; one that still owes an undoing is kept.
    /// Answers whether there was one.
    fn forget(&mut self, until: Timestamp) -> bool {
        let mut changed = false;
        let notes = &mut self.out.notes;
        self.instance.generations.retain_mut(|generation| {
            if generation.forget.is_none_or(|at| at > until) {
                return true;
            }
            changed = true;
            if generation.owes() {
                // What is owed after the end is owed until a person says otherwise.
                generation.forget = None;
                return true;
            }
            let (kind, words) = (NoteKind::Forgotten, String::new());
            notes.push(Note { generation: generation.life, step: None, kind, words });
            false
        });
        changed
    }

    fn act(&mut self, act: &Act) -> Result<(), Rejection> {
        let meant = |g: &Generation| {
            let definition = self.catalog.by_hash(g.definition);
            definition.is_some_and(|d| act::stuck(d, g, act).is_some())
        };
        let place = self.instance.generations.iter().position(meant);
        let place = place.ok_or_else(|| {
            Rejection::Refused(format!("{} is not stuck at `{}`", self.id, act.step))
        })?;
        self.change(place, |turn| act::take(turn, act))?;
        self.remember(place, InputId::named(&act.id));
        Ok(())
    }

    /// Lets the starts that waited begin, one as soon as the one before it has ended.
    pub fn begin_queued(&mut self) {
        while !self.instance.queued.is_empty() && self.instance.living().is_none() {
            // A saga that was taken off the shelf keeps its queue until it is back.
            let Some(definition) = self.catalog.newest(&self.id.saga).map(Arc::clone) else {
                return;
            };
            let event = self.instance.queued.remove(0);
            if let Err(refused) = start::begin(self, &definition, start::Birth::by(&event)) {
                self.out.effects.push(Effect::Complaint(refused.to_string()));
            }
        }
    }

    /// The answer.
    pub fn close(self) -> Transition {
        let forgotten = self.instance.generations.is_empty()
            && self.instance.queued.is_empty()
            && self.instance.early.is_empty();
        if !forgotten {
            check::assert_sound(self.catalog, &self.instance);
        }
        Transition {
            after: (!forgotten).then_some(self.instance),
            effects: self.out.effects,
            notes: self.out.notes,
        }
    }
}
