use std::ops::{Deref, DerefMut};

use super::scope::Bound;
use crate::definition::{Catalog, Definition, Limits, Step, StepId};
use crate::engine::state::place::{Line, Place};
use crate::engine::{Early, Effect, Failure, Frame, Life, Note, Phase, StepState, What};
use crate::message::{CommandId, Coordinate, InstanceId, Part, Subject, Timestamp};

/// What a step has become so far: effects in their order, and the notes beside them.
#[derive(Debug, Default)]
pub(in crate::engine) struct Out {
    pub effects: Vec<Effect>,
    pub notes: Vec<Note>,
}

/// What a step may do in its life: read all of it, change the states of steps, write data, send.
pub(in crate::engine) struct Turn<'a> {
    pub definition: &'a Definition,
    pub limits: &'a Limits,
    pub id: &'a InstanceId,
    pub now: Timestamp,
    pub(super) life: &'a mut Life,
    /// Events that came before what waits for them.
    pub(super) early: &'a mut Vec<Early>,
    /// How much the instance remembers besides.
    pub(super) beside: usize,
    pub(super) out: &'a mut Out,
}

/// A turn in which the life itself may change: its direction, its end, what it was told.
pub(in crate::engine) struct LifeTurn<'a>(Turn<'a>);

impl<'a> LifeTurn<'a> {
    /// A turn of a life of the instance that remembers `early`, and as many bytes `beside`.
    pub fn new(
        (catalog, definition): (&'a Catalog, &'a Definition),
        (id, life, early): (&'a InstanceId, &'a mut Life, &'a mut Vec<Early>),
        beside: usize,
        now: Timestamp,
        out: &'a mut Out,
    ) -> Self {
        Self(Turn { definition, limits: &catalog.limits, id, now, life, early, beside, out })
    }

    pub fn life_mut(&mut self) -> &mut Life {
        self.life
    }
}

impl<'a> Deref for LifeTurn<'a> {
    type Target = Turn<'a>;

    fn deref(&self) -> &Turn<'a> {
        &self.0
    }
}

impl DerefMut for LifeTurn<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> Turn<'a> {
    pub fn life(&self) -> &Life {
        self.life
    }

    /// A cancel or deadline that waits for the outcome of a pivot that was sent; the first one
    /// counts.
    pub fn await_pivot(&mut self, failure: Failure) {
        self.life.pending.get_or_insert(Box::new(failure));
    }

    pub fn send(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    /// The definition of a step, alive independently of this turn.
    pub fn step(&self, id: StepId) -> &'a Step {
        self.definition.step(id)
    }

    pub fn frame(&self, line: &Line) -> &Frame {
        line.frame(&self.life.frame)
    }

    pub fn frame_mut(&mut self, line: &Line) -> &mut Frame {
        line.frame_mut(&mut self.life.frame)
    }

    pub fn at(&self, place: &Place) -> &StepState {
        place.state(&self.life.frame)
    }

    pub fn at_mut(&mut self, place: &Place) -> &mut StepState {
        place.state_mut(&mut self.life.frame)
    }

    /// The definition of the step at a place.
    pub fn step_at(&self, place: &Place) -> &'a Step {
        self.step(self.at(place).step)
    }

    /// The coordinate of the step at a place.
    pub fn name_at(&self, place: &Place) -> Coordinate {
        self.name(&place.line, self.step_at(place))
    }

    /// The coordinate of a step of a list.
    pub fn name(&self, line: &Line, step: &Step) -> Coordinate {
        line.coordinate(&self.life.frame, &step.name)
    }

    pub fn note(&mut self, step: Option<&Coordinate>, what: What) {
        let life = self.life.id;
        self.out.notes.push(Note { life, step: step.cloned(), what });
    }

    /// The id of an attempt at a step's action, undoing or probe, or of the fact that it tells.
    pub fn command_id(&self, step: &Coordinate, part: Part, attempt: u32) -> CommandId {
        self.id_of(Subject::Step(step.clone()), part, attempt)
    }

    /// The id of what is sent about a step or an end.
    pub fn id_of(&self, subject: Subject, part: Part, attempt: u32) -> CommandId {
        let (instance, life) = (self.id.clone(), self.life.id);
        CommandId { instance, life, subject, part, attempt }
    }

    /// The meaning of every name in a list of steps.
    pub fn bound(&self, line: &Line) -> Bound<'_> {
        Bound::new(self.id, self.life, line, self.now)
    }

    /// Puts a step that is entered behind those of its list.
    pub fn push(&mut self, line: &Line, state: StepState) -> Place {
        let steps = &mut self.frame_mut(line).steps;
        // A list is copied with each transition and seldom grows by more than one step in it.
        steps.reserve_exact(1);
        steps.push(state);
        Place { line: line.clone(), at: steps.len() - 1 }
    }

    /// Puts a step that runs and has sent nothing behind those of its list.
    pub fn push_running(&mut self, line: &Line, step: &Step) -> Place {
        self.push(line, StepState::new(step.id, Phase::Running))
    }

    /// Marks a step's place in the order of completions.
    pub fn completion(&mut self) -> u32 {
        self.life.completions += 1;
        self.life.completions
    }
}
