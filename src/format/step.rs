use super::instance::{each, failure_in, failure_out, frame_in, frame_out};
use super::{Error, wire};
use crate::definition::StepId;
use crate::engine::{Hold, Phase, Progress, Reminder, Request, Stage, StepState};
use crate::message::{InputId, Timestamp};

pub(super) fn out(s: &StepState) -> wire::Step {
    let (stage, got, round, fence) = match s.hold {
        None => (wire::Stage::Unspecified, 0, 0, 0),
        Some(hold) => (stage_out(hold.stage), hold.got, hold.round, hold.fence),
    };
    wire::Step {
        step: s.step.0,
        phase: match s.phase {
            Phase::Running => wire::Phase::Running,
            Phase::Succeeded => wire::Phase::Succeeded,
            Phase::Rejected => wire::Phase::Rejected,
            Phase::Unknown => wire::Phase::Unknown,
            Phase::Skipped => wire::Phase::Skipped,
        }
        .into(),
        action: s.action.as_ref().map(request_out),
        undos: s.undos.iter().map(request_out).collect(),
        completed: s.completed,
        frames: s.frames.iter().map(frame_out).collect(),
        probe: s.probe.as_deref().map(request_out),
        keys: s.keys.clone(),
        fence,
        until_ms: s.until.map(|t| t.0),
        remind_ms: s.remind.map(|r| r.at.0),
        reminded: s.remind.map_or(0, |r| r.told),
        stage: stage.into(),
        got,
        round,
        failure: s.failure.as_deref().map(failure_out),
        late: s.hold.is_some_and(|hold| hold.late),
    }
}

pub(super) fn read(s: wire::Step) -> Result<StepState, Error> {
    let phase = match s.phase() {
        wire::Phase::Running => Phase::Running,
        wire::Phase::Succeeded => Phase::Succeeded,
        wire::Phase::Rejected => Phase::Rejected,
        wire::Phase::Unknown => Phase::Unknown,
        wire::Phase::Skipped => Phase::Skipped,
        wire::Phase::Unspecified => return Err(Error::Field("phase")),
    };
    let reminded = s.reminded;
    let remind = s.remind_ms.map(|at| Reminder { at: Timestamp(at), told: reminded });
    let hold = hold_in(&s);
    Ok(StepState {
        step: StepId(s.step),
        phase,
        action: s.action.map(request_in).transpose()?,
        undos: each(s.undos, request_in)?,
        completed: s.completed,
        frames: each(s.frames, frame_in)?,
        probe: s.probe.map(request_in).transpose()?.map(Box::new),
        until: s.until_ms.map(Timestamp),
        remind,
        keys: s.keys,
        hold,
        failure: s.failure.map(failure_in).transpose()?.map(Box::new),
    })
}

fn stage_out(stage: Stage) -> wire::Stage {
    match stage {
        Stage::Taking => wire::Stage::Taking,
        Stage::Held => wire::Stage::Held,
        Stage::Freed => wire::Stage::Freed,
    }
}

fn hold_in(s: &wire::Step) -> Option<Hold> {
    let stage = match s.stage() {
        wire::Stage::Unspecified => return None,
        wire::Stage::Taking => Stage::Taking,
        wire::Stage::Held => Stage::Held,
        wire::Stage::Freed => Stage::Freed,
    };
    Some(Hold { stage, got: s.got, fence: s.fence, round: s.round, late: s.late })
}

fn request_out(r: &Request) -> wire::Request {
    let (progress, until) = match r.progress {
        Progress::Waiting(until) => (wire::Progress::Waiting, Some(until.0)),
        Progress::Pausing(until) => (wire::Progress::Pausing, Some(until.0)),
        Progress::Answered => (wire::Progress::Answered, None),
        Progress::GivenUp => (wire::Progress::GivenUp, None),
        Progress::Parked => (wire::Progress::Parked, None),
        Progress::Open => (wire::Progress::Open, None),
    };
    wire::Request {
        attempts: r.attempts,
        spent: r.spent,
        since_ms: r.since.0,
        progress: progress.into(),
        until_ms: until,
        answer: r.answer.text.clone(),
        answer_namespace: r.answer.namespace,
        unsent: r.unsent,
        extended: r.extended,
    }
}

fn request_in(r: wire::Request) -> Result<Request, Error> {
    let until = || r.until_ms.map(Timestamp).ok_or(Error::Field("until"));
    let progress = match r.progress() {
        wire::Progress::Waiting => Progress::Waiting(until()?),
        wire::Progress::Pausing => Progress::Pausing(until()?),
        wire::Progress::Answered => Progress::Answered,
        wire::Progress::GivenUp => Progress::GivenUp,
        wire::Progress::Parked => Progress::Parked,
        wire::Progress::Open => Progress::Open,
        wire::Progress::Unspecified => return Err(Error::Field("progress")),
    };
    Ok(Request {
        attempts: r.attempts,
        spent: r.spent,
        since: Timestamp(r.since_ms),
        progress,
        answer: InputId { text: r.answer, namespace: r.answer_namespace },
        unsent: r.unsent,
        extended: r.extended,
    })
}
