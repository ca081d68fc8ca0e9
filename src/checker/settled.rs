//! What is undone, and of which nothing can be heard any more, is one case however it came to be.
//!
//! On the way back, and behind the end, a step that was undone, or that never happened, decides
//! nothing any more once all of its requests have their answers: nothing reads how it stands but
//! what comes for itself, and nothing comes. So states that differ in such steps alone are one.
//! Without this each step of the way back would multiply those before it by the ways in which it
//! can be undone: at once, after a person has asked again, by a person, or not at all.

use std::collections::BTreeSet;

use super::canon::{completions, in_order};
use super::model::State;
use super::unread::Unread;
use crate::definition::{
    Compensation, Composite, Correlation, Definition, Nature, Step, StepId, Waiting,
};
use crate::engine::{Direction, Frame, Instance, Life, Phase, Progress, StepState};
use crate::message::Address;

/// The steps that can be over and done with.
#[derive(Debug, Default)]
pub(super) struct Settled {
    steps: BTreeSet<StepId>,
    /// Those that are undone if they may have happened.
    owed: BTreeSet<StepId>,
    unread: Unread,
}

/// One life that goes back or has ended.
struct Past<'s> {
    settled: &'s Settled,
    has_ended: bool,
    goes_back: bool,
    /// What a person must see to: the steps, each with its branches.
    stuck: BTreeSet<(StepId, Vec<u32>)>,
}

impl Settled {
    /// The steps that can be; `shared` are the events that more than one thing reads.
    pub fn of(definition: &Definition, shared: &BTreeSet<Address>) -> Self {
        let steps = definition.steps.iter();
        let silent = steps.clone().filter(|step| is_silent(definition, shared, step));
        let owed = steps.filter(|step| is_owed(step)).map(|step| step.id).collect();
        let unread = Unread::of(definition);
        Self { steps: silent.map(|step| step.id).collect(), owed, unread }
    }

    /// A state without the steps and values that decide nothing; none if nothing can be left out.
    pub fn without(&self, state: &State) -> Option<State> {
        let life = state.instance.as_ref().and_then(Instance::newest)?;
        let has_ended = life.ended.is_some();
        let goes_back = life.direction == Direction::Back;
        let is_past = !self.steps.is_empty() && (has_ended || goes_back);
        if !is_past && self.unread.is_empty() {
            return None;
        }
        let stuck = life.stuck.iter().map(|stuck| (stuck.step, stuck.branch.clone())).collect();
        let past = Past { settled: self, has_ended, goes_back, stuck };
        let mut state = state.clone();
        let lives = state.instance.iter_mut().flat_map(|instance| &mut instance.lives);
        if let Some(life) = lives.last() {
            if is_past {
                past.life(life);
            }
            self.unread.forget(life);
        }
        Some(state)
    }
}

impl Past<'_> {
    fn life(&self, life: &mut Life) {
        self.frame(&mut life.frame, &[], self.goes_back);
        life.completions = completions(&life.frame);
    }

    fn frame(&self, frame: &mut Frame, branch: &[u32], goes_back: bool) {
        for inner in frame.steps.iter_mut().flat_map(StepState::frames_mut) {
            let turned = inner.direction == Direction::Back;
            if turned || self.has_ended {
                let element = inner.item.as_ref().map(|_| inner.index);
                let branch: Vec<u32> = branch.iter().copied().chain(element).collect();
                self.frame(inner, &branch, turned || self.goes_back);
            }
        }
        frame.steps.retain(|state| !self.is_settled(state, branch, goes_back));
        in_order(&mut frame.steps);
        if goes_back {
            frame.position = 0;
        }
    }

    fn is_settled(&self, state: &StepState, branch: &[u32], goes_back: bool) -> bool {
        let happened = matches!(state.phase, Phase::Succeeded | Phase::Unknown);
        // Behind the end what is owed and was not undone is a broken promise.
        let may_be_undone = !self.has_ended || self.settled.owed.contains(&state.step);
        let is_to_come = goes_back && happened && state.undos.is_empty() && may_be_undone;
        let is_over = |frame: &Frame| {
            let turned = frame.direction == Direction::Back && frame.over;
            frame.steps.is_empty() && (turned || self.has_ended)
        };
        self.settled.steps.contains(&state.step)
            && state.phase != Phase::Running
            && state.until.is_none()
            && state.reminder().is_none()
            && !is_to_come
            && !self.stuck.contains(&(state.step, branch.to_vec()))
            && state.requests().all(|(_, request)| request.progress == Progress::Answered)
            && state.frames().iter().all(is_over)
    }
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
