use std::fmt::Display;

use crate::definition::{Catalog, Definition};
use crate::engine::course::motion;
use crate::engine::state::{check, weight};
use crate::engine::work::turn::{Out, Turn};
use crate::engine::{Act, Generation, Instance, Note, Rejection, Transition, What};
use crate::message::{InputId, InstanceId, Timestamp};

/// One instance and one input, while the answer is being found.
pub(in crate::engine) struct Case<'a> {
    pub catalog: &'a Catalog,
    pub id: &'a InstanceId,
    pub now: Timestamp,
    pub instance: Instance,
    pub out: Out,
}

impl Case<'_> {
    /// Changes one generation, which then moves until everything waits.
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
    pub fn newest(
        &mut self,
        act: &Act,
        handle: impl FnOnce(&mut Turn<'_>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        let newest = self.instance.generations.len() - 1;
        self.change(newest, handle)?;
        self.remember(newest, InputId::named(&act.id));
        Ok(())
    }

    /// Keeps the id of a cancel or an act that was obeyed.
    pub fn remember(&mut self, place: usize, id: InputId) {
        let seen = &mut self.instance.generations[place].seen;
        if seen.len() >= self.catalog.limits.ids_max {
            seen.remove(0);
        }
        seen.push(id);
    }

    /// Drops the generations whose time is over by then; one that still owes an undoing is kept.
    /// Answers whether there was one.
    pub fn forget(&mut self, until: Timestamp) -> bool {
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
            notes.push(Note { generation: generation.life, step: None, what: What::Forgotten });
            false
        });
        changed
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
