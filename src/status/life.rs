//! What is told of one life.

use std::fmt::Write as _;

use super::reached::reached;
use super::under_way::UnderWay;
use super::{
    FailureTold, Fingerprint, LifeState, Masks, Moment, ParentName, PausedTold, Standing,
    StepStanding, StuckStanding, Wait, masked,
};
use crate::definition::{Catalog, Definition};
use crate::engine::{Direction, Failure, Life, Parent, Paused, Status, Stuck};
use crate::message::{InstanceId, TraceContext};

/// What is told of a life of an instance.
pub(super) fn standing(catalog: &Catalog, id: &InstanceId, life: &Life, masks: Masks) -> Standing {
    let definition = catalog.by_hash(life.definition).map(|definition| &**definition);
    let under_way = UnderWay::of(definition, life);
    let state = state(life, &under_way.steps);
    let (data, is_masked) = masked::shown(catalog, life.definition, &life.data, masks);
    let stuck: Vec<_> = life.stuck.iter().map(|stuck| told(definition, stuck)).collect();
    let trace_parent = Some(life.trace_parent.as_str()).filter(|text| !text.is_empty());
    let trace = TraceContext::of(id, life.id, trace_parent).trace;
    let paused = life.paused.as_deref();
    let timers = under_way.due.into_iter().chain(life.deadline).chain(life.forget);
    Standing {
        life: life.id.to_string(),
        version: definition.map(|definition| definition.version.0),
        definition: life.definition.to_string(),
        title: definition.map(|definition| definition.title.clone()).unwrap_or_default(),
        state,
        since: since(life, state, &under_way),
        started: Moment(life.started),
        ended: life.ended.map(Moment),
        paused: paused.map(pause),
        deadline: life.deadline.map(Moment),
        forgotten_at: life.forget.map(Moment),
        next_due: timers.min().filter(|_| paused.is_none()).map(Moment),
        error: error(id, life, &stuck),
        steps: under_way.steps,
        // A list shows none of it.
        reached: if masks == Masks::Whole { Vec::new() } else { reached(definition, life) },
        stuck,
        owed: under_way.owed,
        failure: life.failure.as_ref().map(failure),
        pending: life.pending.as_deref().map(failure),
        trace: hex(&trace),
        parent: life.parent.as_deref().map(parent),
        children: under_way.children,
        transitions: life.transitions,
        pivoted: life.pivoted,
        data,
        is_masked,
    }
}

fn state(life: &Life, steps: &[StepStanding]) -> LifeState {
    if life.paused.is_some() {
        return LifeState::Paused;
    }
    match life.status() {
        Status::Compensating => LifeState::Compensating,
        Status::Completed => LifeState::Completed,
        Status::Compensated => LifeState::Compensated,
        Status::Stuck => LifeState::Stuck,
        Status::Running if steps.iter().any(is_retrying) => LifeState::Retrying,
        Status::Running if !steps.is_empty() && steps.iter().all(is_waiting) => LifeState::Waiting,
        Status::Running => LifeState::Running,
    }
}

fn pause(paused: &Paused) -> PausedTold {
    let Paused { since, by, why, held } = paused;
    PausedTold { since: Moment(*since), by: by.clone(), why: why.clone(), held: held.len() }
}

/// Whether a request of a step under way was not answered the first time.
fn is_retrying(step: &StepStanding) -> bool {
    let attempt = step.attempt.unwrap_or_default();
    match &step.waits {
        Wait::Attempt { .. } => attempt >= 1,
        Wait::Reply { .. } | Wait::Probe { .. } => attempt >= 2,
        Wait::Event { .. }
        | Wait::Answer { .. }
        | Wait::Time
        | Wait::Child { .. }
        | Wait::Lock { .. }
        | Wait::Person
        | Wait::Unknown => false,
    }
}

/// Whether a step waits for what may take as long as it likes.
fn is_waiting(step: &StepStanding) -> bool {
    match &step.waits {
        Wait::Event { .. }
        | Wait::Answer { .. }
        | Wait::Time
        | Wait::Child { .. }
        | Wait::Lock { .. } => true,
        Wait::Reply { .. }
        | Wait::Attempt { .. }
        | Wait::Probe { .. }
        | Wait::Person
        | Wait::Unknown => false,
    }
}

/// Since when a life is at what it is at, where its state knows.
fn since(life: &Life, state: LifeState, under_way: &UnderWay<'_>) -> Option<Moment> {
    let all = || under_way.steps.iter().map(|step| step.since);
    match state {
        LifeState::Completed | LifeState::Compensated => life.ended.map(Moment),
        LifeState::Stuck => life.stuck.iter().map(|stuck| Moment(stuck.since)).min(),
        LifeState::Compensating => under_way.first_undo.map(Moment),
        LifeState::Waiting => all().collect::<Option<Vec<_>>>()?.into_iter().max(),
        LifeState::Retrying => {
            let retrying = under_way.steps.iter().filter(|step| is_retrying(step));
            retrying.filter_map(|step| step.since).min()
        }
        LifeState::Paused => life.paused.as_ref().map(|paused| Moment(paused.since)),
        LifeState::Running | LifeState::Early | LifeState::Held | LifeState::Free => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string never fails");
        text
    })
}

/// What it is grouped by: what a person must see to, else why it went back.
fn error(id: &InstanceId, life: &Life, stuck: &[StuckStanding]) -> Option<Fingerprint> {
    let saga = id.saga.as_str();
    if let Some(stuck) = stuck.first() {
        let step = stuck.step.split('[').next().unwrap_or_default();
        return Some(Fingerprint::of(saga, step, &stuck.reason));
    }
    let back = life.direction == Direction::Back;
    let failure = life.failure.as_ref().filter(|_| back).or(life.pending.as_deref())?;
    let step = failure.step.as_ref().map(|step| step.step.as_str()).unwrap_or_default();
    Some(Fingerprint::of(saga, step, &failure.reason))
}

fn told(definition: Option<&Definition>, stuck: &Stuck) -> StuckStanding {
    StuckStanding {
        step: UnderWay::name(definition, stuck.step, &stuck.branch),
        undoing: stuck.undoing,
        since: Moment(stuck.since),
        reason: stuck.reason.clone(),
    }
}

fn failure(failure: &Failure) -> FailureTold {
    FailureTold {
        kind: failure.kind.text().to_owned(),
        step: failure.step.as_ref().map(ToString::to_string),
        reason: failure.reason.clone(),
    }
}

fn parent(parent: &Parent) -> ParentName {
    ParentName {
        saga: parent.instance.saga.to_string(),
        key: parent.instance.key.to_string(),
        life: parent.life.to_string(),
        step: parent.step.to_string(),
    }
}
