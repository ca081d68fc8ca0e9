use serde_json::Value;

use super::{Error, open, seal, wire};
use crate::definition::StepId;
use crate::engine::{
    Direction, Failure, FailureKind, Frame, Generation, Instance, Phase, Progress, Request,
    StepState, Stuck,
};
use crate::message::{Hash, Life, Offset, Timestamp, read_json};

impl Instance {
    /// The bytes that the changelog and the store keep.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        seal(&wire::Instance {
            generations: self.generations.iter().map(generation_out).collect(),
            queued: self.queued.iter().map(wire::Event::kept).collect(),
            inbox: self.inbox.0,
        })
    }

    /// Reads what [`Instance::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are damaged or a newer build's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let stored: wire::Instance = open(bytes)?;
        Ok(Self {
            generations: each(stored.generations, generation_in)?,
            queued: stored.queued.iter().map(wire::Event::read).collect::<Result<_, _>>()?,
            inbox: Offset(stored.inbox),
        })
    }
}

fn each<A, B>(list: Vec<A>, read: impl Fn(A) -> Result<B, Error>) -> Result<Vec<B>, Error> {
    list.into_iter().map(read).collect()
}

fn generation_out(g: &Generation) -> wire::Generation {
    wire::Generation {
        number: g.life.number,
        definition: g.definition.0.to_vec(),
        direction: match g.direction {
            Direction::Forward => wire::Direction::Forward,
            Direction::Back => wire::Direction::Back,
        }
        .into(),
        data: serde_json::to_vec(&g.data).expect("JSON values always serialise"),
        started_ms: g.started.0,
        deadline_ms: g.deadline.map(|t| t.0),
        ended_ms: g.ended.map(|t| t.0),
        forget_ms: g.forget.map(|t| t.0),
        frame: Some(frame_out(&g.frame)),
        failure: g.failure.as_ref().map(failure_out),
        stuck: g.stuck.iter().map(stuck_out).collect(),
        completions: g.completions,
        started_by: g.started_by.clone(),
        trace_parent: g.trace_parent.clone(),
        pending: g.pending.as_ref().map(failure_out),
        transitions: g.transitions,
        parent: None,
        pivoted: g.pivoted,
        seen: g.seen.clone(),
        mark: g.life.mark,
    }
}

fn generation_in(g: wire::Generation) -> Result<Generation, Error> {
    let direction = match g.direction() {
        wire::Direction::Forward => Direction::Forward,
        wire::Direction::Back => Direction::Back,
        wire::Direction::Unspecified => return Err(Error::Field("direction")),
    };
    let hash: [u8; 16] = g.definition.try_into().map_err(|_| Error::Field("definition"))?;
    let data: Value = read_json(&g.data).map_err(|e| Error::Message(e.to_string()))?;
    Ok(Generation {
        life: Life { number: g.number, mark: g.mark },
        definition: Hash(hash),
        direction,
        data,
        started: Timestamp(g.started_ms),
        deadline: g.deadline_ms.map(Timestamp),
        ended: g.ended_ms.map(Timestamp),
        forget: g.forget_ms.map(Timestamp),
        frame: frame_in(g.frame.ok_or(Error::Field("frame"))?)?,
        failure: g.failure.map(failure_in).transpose()?,
        stuck: g.stuck.into_iter().map(stuck_in).collect(),
        completions: g.completions,
        started_by: g.started_by,
        trace_parent: g.trace_parent,
        pending: g.pending.map(failure_in).transpose()?,
        transitions: g.transitions,
        pivoted: g.pivoted,
        seen: g.seen,
    })
}

fn frame_out(f: &Frame) -> wire::Frame {
    wire::Frame {
        block: f.block,
        position: f.position,
        steps: f.steps.iter().map(step_out).collect(),
        ..wire::Frame::default()
    }
}

fn frame_in(f: wire::Frame) -> Result<Frame, Error> {
    Ok(Frame { block: f.block, position: f.position, steps: each(f.steps, step_in)? })
}

fn step_out(s: &StepState) -> wire::Step {
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
        ..wire::Step::default()
    }
}

fn step_in(s: wire::Step) -> Result<StepState, Error> {
    let phase = match s.phase() {
        wire::Phase::Running => Phase::Running,
        wire::Phase::Succeeded => Phase::Succeeded,
        wire::Phase::Rejected => Phase::Rejected,
        wire::Phase::Unknown => Phase::Unknown,
        wire::Phase::Skipped => Phase::Skipped,
        wire::Phase::Unspecified => return Err(Error::Field("phase")),
    };
    Ok(StepState {
        step: StepId(s.step),
        phase,
        action: s.action.map(request_in).transpose()?,
        undos: each(s.undos, request_in)?,
        completed: s.completed,
    })
}

fn request_out(r: &Request) -> wire::Request {
    let (progress, until) = match r.progress {
        Progress::Waiting(until) => (wire::Progress::Waiting, Some(until.0)),
        Progress::Pausing(until) => (wire::Progress::Pausing, Some(until.0)),
        Progress::Answered => (wire::Progress::Answered, None),
        Progress::GivenUp => (wire::Progress::GivenUp, None),
        Progress::Parked => (wire::Progress::Parked, None),
    };
    wire::Request {
        attempts: r.attempts,
        spent: r.spent,
        since_ms: r.since.0,
        progress: progress.into(),
        until_ms: until,
        answer: r.answer.clone(),
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
        wire::Progress::Unspecified => return Err(Error::Field("progress")),
    };
    Ok(Request {
        attempts: r.attempts,
        spent: r.spent,
        since: Timestamp(r.since_ms),
        progress,
        answer: r.answer,
    })
}

fn failure_out(f: &Failure) -> wire::Failure {
    wire::Failure {
        step: f.step.clone(),
        kind: match f.kind {
            FailureKind::Rejected => wire::FailureKind::Rejected,
            FailureKind::Exhausted => wire::FailureKind::Exhausted,
            FailureKind::Deadline => wire::FailureKind::Deadline,
            FailureKind::Cancelled => wire::FailureKind::Cancelled,
            FailureKind::Failed => wire::FailureKind::Failed,
        }
        .into(),
        reason: f.reason.clone(),
    }
}

fn failure_in(f: wire::Failure) -> Result<Failure, Error> {
    let kind = match f.kind() {
        wire::FailureKind::Rejected => FailureKind::Rejected,
        wire::FailureKind::Exhausted => FailureKind::Exhausted,
        wire::FailureKind::Deadline => FailureKind::Deadline,
        wire::FailureKind::Cancelled => FailureKind::Cancelled,
        wire::FailureKind::Failed => FailureKind::Failed,
        wire::FailureKind::Unspecified => return Err(Error::Field("kind of failure")),
    };
    Ok(Failure { step: f.step, kind, reason: f.reason })
}

fn stuck_out(s: &Stuck) -> wire::Stuck {
    wire::Stuck {
        step: s.step.0,
        undoing: s.undoing,
        since_ms: s.since.0,
        reason: s.reason.clone(),
    }
}

fn stuck_in(s: wire::Stuck) -> Stuck {
    Stuck {
        step: StepId(s.step),
        undoing: s.undoing,
        since: Timestamp(s.since_ms),
        reason: s.reason,
    }
}
