//! What is undone, and of which nothing can be heard any more, is one case however it came to be.
//!
//! On the way back, and behind the end, a step that was undone, or that never happened, decides
//! nothing any more once all of its requests have their answers: nothing reads how it stands but
//! what comes for itself, and nothing comes. So states that differ in such steps alone are one.
//! Without this each step of the way back would multiply those before it by the ways in which it
//! can be undone: at once, after a person has asked again, by a person, or not at all.
//!
//! A step that owes no undoing decides nothing as soon as it is over, also on the way forward: it
//! was done, refused or left out, and where its list stands says all that comes of it. The same
//! holds of a question whether a step happened, once that is answered.

use std::collections::BTreeSet;

use super::canon::{completions, in_order};
use super::model::State;
use super::unread::Unread;
use crate::definition::{
    Compensation, Composite, Correlation, Definition, Nature, Step, StepId, Waiting,
};
use crate::engine::{
    Direction, Frame, Inside, Instance, Life, Phase, Progress, Request, StepState,
};
use crate::message::Address;

/// The steps that can be over and done with.
#[derive(Debug, Default)]
pub(super) struct Settled {
    steps: BTreeSet<StepId>,
    /// Those that are undone if they may have happened.
    owed: BTreeSet<StepId>,
    /// Those that owe no undoing, apart from what is in them, and those that owe none behind the
    /// pivot.
    idle: BTreeSet<StepId>,
    idle_behind_pivot: BTreeSet<StepId>,
    unread: Unread,
}

/// One life.
struct Past<'s> {
    settled: &'s Settled,
    has_ended: bool,
    goes_back: bool,
    pivoted: bool,
    /// What a person must see to: the steps, each with its branches.
    stuck: BTreeSet<(StepId, Vec<u32>)>,
}

/// Where a list stands.
struct Stands<'b> {
    /// The elements that it is of.
    branch: &'b [u32],
    goes_back: bool,
    is_main: bool,
}

impl Settled {
    /// The steps that can be; `shared` are the events that more than one thing reads.
    pub fn of(definition: &Definition, shared: &BTreeSet<Address>) -> Self {
        let steps = || definition.steps.iter();
        let silent = steps().filter(|step| is_silent(definition, shared, step));
        let owed = steps().filter(|step| is_owed(step)).map(|step| step.id).collect();
        Self {
            steps: silent.map(|step| step.id).collect(),
            owed,
            idle: undone_by(definition, &Compensation::Nothing),
            idle_behind_pivot: undone_by(definition, &Compensation::Unsaid),
            unread: Unread::of(definition),
        }
    }

    /// A state without the steps, values and answers that decide nothing; none if nothing can be
    /// left out.
    pub fn without(&self, state: &State) -> Option<State> {
        let life = state.instance.as_ref().and_then(Instance::newest)?;
        let has_ended = life.ended.is_some();
        let goes_back = life.direction == Direction::Back;
        if self.steps.is_empty() && !self.unread.forgets(life) {
            return None;
        }
        let stuck = life.stuck.iter().map(|stuck| (stuck.step, stuck.branch.clone())).collect();
        let past = Past { settled: self, has_ended, goes_back, pivoted: life.pivoted, stuck };
        let mut state = state.clone();
        let lives = state.instance.iter_mut().flat_map(|instance| &mut instance.lives);
        if let Some(life) = lives.last() {
            past.life(life);
        }
        self.unread.forget(&mut state);
        Some(state)
    }
}

impl Past<'_> {
    fn life(&self, life: &mut Life) {
        let was_young = life.completions == 0;
        let stands = Stands { branch: &[], goes_back: self.goes_back, is_main: true };
        self.frame(&mut life.frame, &stands);
        life.completions = completions(&life.frame);
        if !self.goes_back && !was_young {
            // Facts that come now are not early ones.
            life.completions = life.completions.max(1);
        }
    }

    fn frame(&self, frame: &mut Frame, stands: &Stands<'_>) {
        for inner in frame.steps.iter_mut().flat_map(StepState::frames_mut) {
            let element = inner.item.as_ref().map(|_| inner.index);
            let branch: Vec<u32> = stands.branch.iter().copied().chain(element).collect();
            let goes_back = inner.direction == Direction::Back || self.goes_back;
            self.frame(inner, &Stands { branch: &branch, goes_back, is_main: false });
        }
        frame.steps.retain(|state| !self.is_settled(state, stands));
        frame.steps.iter_mut().for_each(|state| self.forget_probe(state));
        in_order(&mut frame.steps);
        if stands.goes_back {
            frame.position = 0;
        }
    }

    fn is_settled(&self, state: &StepState, stands: &Stands<'_>) -> bool {
        let happened = matches!(state.phase, Phase::Succeeded | Phase::Unknown);
        // Behind the end what is owed and was not undone is a broken promise.
        let may_be_undone = !self.has_ended || self.settled.owed.contains(&state.step);
        let is_idle = self.is_idle(state, stands);
        let is_to_come =
            stands.goes_back && happened && state.undos.is_empty() && may_be_undone && !is_idle;
        let is_over = |frame: &Frame| {
            let is_back = frame.direction == Direction::Back;
            frame.steps.is_empty() && (!is_back || frame.over || self.has_ended)
        };
        (is_idle || stands.goes_back || self.has_ended)
            && self.settled.steps.contains(&state.step)
            && state.phase != Phase::Running
            && state.until.is_none()
            && state.reminder().is_none()
            && !is_to_come
            && !self.stuck.contains(&(state.step, stands.branch.to_vec()))
            && state.requests().all(|(_, request)| request.progress == Progress::Answered)
            && state.frames().iter().all(is_over)
    }

    /// Whether nothing of a step itself is ever undone.
    fn is_idle(&self, state: &StepState, stands: &Stands<'_>) -> bool {
        let Settled { idle, idle_behind_pivot, .. } = self.settled;
        let behind_pivot = self.pivoted && stands.is_main;
        idle.contains(&state.step) || (behind_pivot && idle_behind_pivot.contains(&state.step))
    }

    /// Forgets that it was asked whether a step happened, if it is known by now.
    fn forget_probe(&self, state: &mut StepState) {
        let is_silent = self.settled.steps.contains(&state.step);
        if !is_silent || state.phase == Phase::Running {
            return;
        }
        let Inside::Requested(requested) = &mut state.inside else { return };
        let is_answered = |request: &Request| request.progress == Progress::Answered;
        if is_answered(&requested.action) && requested.probe.as_deref().is_some_and(is_answered) {
            requested.probe = None;
        }
    }
}

/// The steps of which this is said.
fn undone_by(definition: &Definition, by: &Compensation) -> BTreeSet<StepId> {
    let steps = definition.steps.iter().filter(|step| step.compensation() == by);
    steps.map(|step| step.id).collect()
}

/// Whether a step is undone if it may have happened.
pub(super) fn is_owed(step: &Step) -> bool {
    match step.compensation() {
        Compensation::Nothing | Compensation::Unsaid => false,
        Compensation::Command { .. }
        | Compensation::Emit(_)
        | Compensation::Call { .. }
        | Compensation::Child => true,
    }
}

/// Whether nothing but its own answers means anything to a step that is over.
fn is_silent(definition: &Definition, shared: &BTreeSet<Address>, step: &Step) -> bool {
    match step.nature() {
        // Children and locks go on living beside it.
        Nature::Waiting(Waiting::Child(_)) | Nature::Composite(Composite::Lock(_)) => false,
        Nature::Composite(Composite::Parallel(_) | Composite::Each(_) | Composite::Choose(_)) => {
            true
        }
        Nature::Instant(_)
        | Nature::Attempted(_)
        | Nature::Waiting(Waiting::Fact(_) | Waiting::Time(_) | Waiting::Person(_)) => {
            let is_alone = definition.fan_out_around(step.id).is_none();
            let replies = step.all_replies().map(|(_, reply)| reply);
            replies.chain(step.awaited().iter()).all(|reply| {
                let rule = definition.rule(reply.on);
                let by_command = rule.is_some_and(|rule| rule.by == Correlation::CommandId);
                !shared.contains(reply.on) && (is_alone || by_command)
            })
        }
    }
}
