use serde_json::{Map, Value};

use super::place::{Line, Place};
use super::scope::Bound;
use super::{
    Early, Effect, Frame, Generation, Note, NoteKind, Rejection, StepState, Stuck, weight,
};
use crate::definition::{
    Assignment, BlockId, Definition, Join, Limits, Step, StepId, StepKind, bytes,
};
use crate::expression::{Expression, Name};
use crate::message::{CommandId, Event, InstanceId, Part, StepName, Timestamp};

/// What a step has become so far: effects in their order, and the notes beside them.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub effects: Vec<Effect>,
    pub notes: Vec<Note>,
}

/// One generation under a handler's hands, with what it may read and write.
pub(super) struct Turn<'a> {
    pub definition: &'a Definition,
    pub limits: &'a Limits,
    pub id: &'a InstanceId,
    pub generation: &'a mut Generation,
    /// Events that came before what waits for them.
    pub early: &'a mut Vec<Early>,
    /// How much the instance remembers besides.
    pub beside: usize,
    pub now: Timestamp,
    pub out: &'a mut Out,
}

/// Something that an expression may read besides what stands in the instance.
pub(super) type More<'v> = Option<(Name, &'v Value)>;

impl<'a> Turn<'a> {
    /// The definition of a step, alive independently of this turn.
    pub fn step(&self, id: StepId) -> &'a Step {
        self.definition.step(id)
    }

    pub fn frame(&self, line: &Line) -> &Frame {
        line.frame(&self.generation.frame)
    }

    pub fn frame_mut(&mut self, line: &Line) -> &mut Frame {
        line.frame_mut(&mut self.generation.frame)
    }

    pub fn at(&self, place: &Place) -> &StepState {
        place.state(&self.generation.frame)
    }

    pub fn at_mut(&mut self, place: &Place) -> &mut StepState {
        place.state_mut(&mut self.generation.frame)
    }

    /// The definition of the step at a place.
    pub fn step_at(&self, place: &Place) -> &'a Step {
        self.step(self.at(place).step)
    }

    /// What the step at a place is called.
    pub fn name_at(&self, place: &Place) -> StepName {
        self.name(&place.line, self.step_at(place))
    }

    /// What a step of a list is called.
    pub fn name(&self, line: &Line, step: &Step) -> StepName {
        line.name(&self.generation.frame, &step.name)
    }

    pub fn note(&mut self, step: Option<&StepName>, kind: NoteKind, words: impl Into<String>) {
        self.out.notes.push(Note {
            generation: self.generation.life,
            step: step.cloned(),
            kind,
            words: words.into(),
        });
    }

    /// The id of an attempt at a step's action, undoing or probe, or of the fact that it tells.
    pub fn command_id(&self, step: &StepName, part: Part, attempt: u32) -> CommandId {
        CommandId {
            instance: self.id.clone(),
            generation: self.generation.life,
            step: step.as_str().to_owned(),
            part,
            attempt,
        }
    }

    /// The meaning of every name in a list of steps.
    pub fn bound(&self, line: &Line) -> Bound<'_> {
        Bound::new(self.id, self.generation, line, self.now)
    }

    /// What some assignments write, each of which sees the ones before it; nothing changes yet.
    pub fn assigned(
        &self,
        line: &Line,
        assignments: &[Assignment],
        more: More<'_>,
    ) -> Result<Map<String, Value>, String> {
        let mut written = Map::new();
        if assignments.is_empty() {
            return Ok(written);
        }
        let mut bound = self.bound(line).with(more);
        for (place, assignment) in assignments.iter().enumerate() {
            let value = assignment
                .value
                .evaluate(&bound.scope())
                .map_err(|e| format!("`set: {}` has no value: {e}", assignment.field))?;
            if place + 1 < assignments.len() {
                bound.set(&assignment.field, value.clone());
            }
            written.insert(assignment.field.clone(), value);
        }
        self.fits(line, &written)?;
        Ok(written)
    }

    /// Refuses branches of a fan-out that would make the data or the instance outgrow its limit.
    pub fn room_for(&self, elements: &[Value], block: BlockId) -> Result<(), String> {
        let data: usize = elements.iter().map(weight::of_value).sum();
        if weight::of_data(self.generation) + data > self.limits.data_bytes_max {
            return too_large(self.limits);
        }
        let early = weight::of_events(self.early.iter().map(|early| &early.event));
        let steps = elements.len() * weight::of_branch(self.definition, block);
        let so_far = self.beside + early + weight::of_life(self.definition, self.generation);
        if so_far + data + steps <= self.limits.instance_bytes_max {
            return Ok(());
        }
        let limit = bytes(self.limits.instance_bytes_max);
        Err(format!(
            "{} elements with their steps are more than one instance may remember \
             (`limits.instance-bytes-max`: {limit}); take fewer, or give each a child saga",
            elements.len()
        ))
    }

    /// Refuses what would make the data outgrow its limit.
    pub fn fits(&self, line: &Line, written: &Map<String, Value>) -> Result<(), String> {
        let most = weight::of_data(self.generation) + weight::of_fields(written);
        if most <= self.limits.data_bytes_max {
            return Ok(());
        }
        let before = match self.target(line) {
            Some(branch) => &self.frame(&branch).fields,
            None => match &self.generation.data {
                Value::Object(fields) => fields,
                _ => return too_large(self.limits),
            },
        };
        let replaced = before.iter().filter(|(name, _)| written.contains_key(*name));
        let less = weight::of_fields(replaced);
        if most - less <= self.limits.data_bytes_max { Ok(()) } else { too_large(self.limits) }
    }

    /// The branch whose own fields a step of this list sets; none means the data.
    pub fn target(&self, line: &Line) -> Option<Line> {
        if line.is_main() {
            return None;
        }
        line.outwards().find(|line| {
            line.owner().is_some_and(|owner| match &self.step_at(&owner).kind {
                StepKind::Each(_) => true,
                StepKind::Parallel(parallel) => parallel.join == Join::First,
                StepKind::Command(_)
                | StepKind::Emit(_)
                | StepKind::Set
                | StepKind::Fail(_)
                | StepKind::Wait(_)
                | StepKind::Sleep(_)
                | StepKind::Ask(_)
                | StepKind::Call(_)
                | StepKind::Saga(_)
                | StepKind::Choose(_)
                | StepKind::Lock(_) => false,
            })
        })
    }

    /// Writes what a step of this list has set.
    pub fn write(&mut self, line: &Line, written: Map<String, Value>) {
        if written.is_empty() {
            return;
        }
        if let Some(branch) = self.target(line) {
            self.frame_mut(&branch).fields.extend(written);
        } else if let Value::Object(data) = &mut self.generation.data {
            data.extend(written);
        }
    }

    /// Marks a step's place in the order of completions.
    pub fn completion(&mut self) -> u32 {
        self.generation.completions += 1;
        self.generation.completions
    }

    /// Parks a step: a person must act.
    pub fn park(&mut self, place: &Place, undoing: bool, reason: &str) {
        let step = self.at(place).step;
        let name = self.name_at(place);
        let branch = place.line.coordinates(&self.generation.frame);
        let reason = self.limits.cut(reason);
        self.note(Some(&name), NoteKind::Stuck, reason.clone());
        let same = |s: &&mut Stuck| (s.step, s.undoing) == (step, undoing) && s.branch == branch;
        if let Some(stuck) = self.generation.stuck.iter_mut().find(same) {
            // Both undoings of a step failed: people have been told.
            stuck.reason = reason;
            return;
        }
        let stuck = Stuck { step, branch, undoing, since: self.now, reason };
        super::handler::finish::tell_stuck(self, &name, &stuck);
        self.generation.stuck.push(stuck);
    }

    /// Takes back a parking.
    pub fn unpark(&mut self, place: &Place, undoing: bool) {
        if self.generation.stuck.is_empty() {
            return;
        }
        let step = self.at(place).step;
        let branch = place.line.coordinates(&self.generation.frame);
        self.generation
            .stuck
            .retain(|s| (s.step, s.undoing) != (step, undoing) || s.branch != branch);
    }

    /// Takes back the parkings of steps under way inside a list; what a person owes to an undoing
    /// is still owed.
    pub fn unpark_inside(&mut self, outer: &Line) {
        let (definition, frame) = (self.definition, &self.generation.frame);
        self.generation.stuck.retain(|s| {
            let place = Place::of(definition, frame, s.step, &s.branch);
            s.undoing || place.is_none_or(|place| !place.line.is_inside(outer))
        });
    }
}

/// Whether a `where` over event and data holds; true if there is none.
///
/// # Errors
/// When it has no answer.
pub(super) fn holds(
    condition: Option<&Expression>,
    id: &InstanceId,
    generation: &Generation,
    line: &Line,
    event: &Event,
    now: Timestamp,
) -> Result<bool, Rejection> {
    let Some(condition) = condition else {
        return Ok(true);
    };
    let bound = Bound::new(id, generation, line, now).with(Some((Name::Event, &event.body)));
    condition
        .holds(&bound.scope())
        .map_err(|e| Rejection::Refused(format!("{}: `where` has no answer: {e}", event.address)))
}

/// Refuses data that outgrew its limit.
pub(super) fn within_limit(data: &Value, limits: &Limits) -> Result<(), String> {
    if weight::of_value(data) <= limits.data_bytes_max { Ok(()) } else { too_large(limits) }
}

fn too_large<T>(limits: &Limits) -> Result<T, String> {
    let limit = bytes(limits.data_bytes_max);
    Err(format!(
        "the saga's data would be larger than {limit} (`limits.data-bytes-max`); remember less"
    ))
}
