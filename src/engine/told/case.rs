use std::fmt::Display;
use std::sync::Arc;

use crate::definition::{Catalog, Definition, State};
use crate::engine::course::motion;
use crate::engine::state::{check, weight};
use crate::engine::work::turn::{LifeTurn, Out};
use crate::engine::{Act, Instance, Life, Note, Rejection, Transition, What};
use crate::message::{InputId, InstanceId, LifeId, Timestamp};

/// One instance and one input, while the answer is being found.
pub(in crate::engine) struct Case<'a> {
    pub catalog: &'a Catalog,
    pub id: &'a InstanceId,
    pub now: Timestamp,
    pub instance: Instance,
    pub out: Out,
    /// What was held during a pause is told again, in the transition that ends it.
    pub is_resuming: bool,
}

impl<'a> Case<'a> {
    /// Nothing has changed yet.
    pub fn of(
        catalog: &'a Catalog,
        id: &'a InstanceId,
        now: Timestamp,
        instance: Instance,
    ) -> Self {
        Self { catalog, id, now, instance, out: Out::default(), is_resuming: false }
    }

    /// Counts a transition of a life; all that a resume does is one.
    pub fn count(&mut self, place: usize) {
        if !self.is_resuming {
            self.instance.lives[place].transitions += 1;
        }
    }

    /// Counts a transition of the newest life, if there is one; answers which that is.
    pub fn count_newest(&mut self) -> LifeId {
        let Some(newest) = self.instance.lives.len().checked_sub(1) else {
            return LifeId::default();
        };
        self.count(newest);
        self.instance.lives[newest].id
    }

    /// Changes one life, which then moves until everything waits.
    pub fn change<T>(
        &mut self,
        place: usize,
        handle: impl FnOnce(&mut LifeTurn<'_>) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        self.count(place);
        let mut life = self.instance.lives.remove(place);
        let known = self.catalog.by_hash(life.definition);
        let answer = match known {
            None => Err(Rejection::Refused(format!(
                "{} runs on a definition that is not known here",
                self.id
            ))),
            Some(definition) => {
                let mut turn = self.turn(definition, &mut life);
                let answer = handle(&mut turn);
                if answer.is_ok() {
                    motion::settle(&mut turn);
                }
                answer
            }
        };
        self.instance.lives.insert(place, life);
        answer
    }

    /// A turn of a life that is not among the others meanwhile.
    pub fn turn<'t>(&'t mut self, definition: &'t Definition, life: &'t mut Life) -> LifeTurn<'t> {
        let Instance { lives, queued, early, remnants, .. } = &mut self.instance;
        let beside = weight::of_lives(self.catalog, lives)
            + weight::of_remnants(remnants)
            + weight::of_events(queued.iter());
        let known = (self.catalog, definition);
        LifeTurn::new(known, (self.id, life, early), beside, self.now, &mut self.out)
    }

    /// Refuses what would make the instance outgrow its limit.
    ///
    /// # Errors
    /// With the size and the setting that allows more.
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

    /// Lets a person change the newest life.
    pub fn newest(
        &mut self,
        act: &Act,
        handle: impl FnOnce(&mut LifeTurn<'_>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        let newest = self.instance.lives.len() - 1;
        self.change(newest, handle)?;
        self.remember(newest, InputId::named(&act.id));
        Ok(())
    }

    /// Keeps the id of a cancel or an act that was obeyed.
    pub fn remember(&mut self, place: usize, id: InputId) {
        let life = &mut self.instance.lives[place];
        if life.seen.len() >= self.catalog.limits.ids_max {
            life.seen.remove(0);
            life.seen_since = Some(self.now);
        }
        life.seen.push(id);
    }

    /// Drops the lives whose time is over by then; one that still owes an undoing is kept.
    /// Answers whether there was one.
    pub fn forget(&mut self, until: Timestamp) -> bool {
        let mut changed = false;
        let notes = &mut self.out.notes;
        self.instance.lives.retain_mut(|life| {
            if life.forget.is_none_or(|at| at > until) {
                return true;
            }
            changed = true;
            if life.owes() {
                // What is owed after the end is owed until a person says otherwise.
                life.forget = None;
                return true;
            }
            notes.push(Note { life: life.id, step: None, what: What::Forgotten });
            false
        });
        self.instance.remnants.retain(|remnant| {
            let is_over = remnant.forget <= until;
            if is_over {
                notes.push(Note { life: remnant.life, step: None, what: What::Forgotten });
            }
            changed |= is_over;
            !is_over
        });
        changed
    }

    /// What the first start that waits runs on: none if none waits, something lives, or the saga
    /// starts nothing now.
    pub fn next_start(&self) -> Option<(Arc<Definition>, State)> {
        if self.instance.queued.is_empty() || self.instance.living().is_some() {
            return None;
        }
        let (definition, state) = self.catalog.starting(&self.id.saga)?;
        match state {
            State::Active | State::Retired => Some((Arc::clone(definition), state)),
            State::Paused | State::Removed => None,
        }
    }

    /// Whether starts wait although nothing lives, because the saga starts nothing now.
    fn is_paused(&self) -> bool {
        let waits = !self.instance.queued.is_empty() && self.instance.living().is_none();
        waits && self.next_start().is_none()
    }

    /// The answer.
    pub fn close(mut self) -> Transition {
        self.instance.paused = self.is_paused();
        let forgotten = self.instance.lives.is_empty()
            && self.instance.remnants.is_empty()
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
