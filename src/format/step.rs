use super::instance::{bytes, failure_in, failure_out, frame_in, frame_out, object};
use super::{Error, wire};
use crate::definition::StepId;
use crate::engine::{
    Branched, Child, Frame, Hold, Inside, Locked, Phase, Progress, Reminder, Request, Requested,
    Stage, StepState,
};
use crate::message::{InputId, Key, Timestamp};

pub(super) fn out(s: &StepState) -> wire::Step {
    let step = wire::Step {
        step: s.step.0,
        phase: match s.phase {
            Phase::Running => wire::Phase::Running,
            Phase::Succeeded => wire::Phase::Succeeded,
            Phase::Rejected => wire::Phase::Rejected,
            Phase::Unknown => wire::Phase::Unknown,
            Phase::Skipped => wire::Phase::Skipped,
        }
        .into(),
        undos: s.undos.iter().map(request_out).collect(),
        completed: s.completed,
        until_ms: s.until.map(|t| t.0),
        late_set: s.late.as_deref().map(bytes).unwrap_or_default(),
        ..wire::Step::default()
    };
    match &s.inside {
        Inside::Nothing => step,
        Inside::Reminder(reminder) => {
            wire::Step { remind_ms: Some(reminder.at.0), reminded: reminder.told, ..step }
        }
        Inside::Fact(fact) => wire::Step { action: Some(request_out(fact)), ..step },
        Inside::Requested(Requested { action, probe }) => wire::Step {
            action: Some(request_out(action)),
            probe: probe.as_deref().map(request_out),
            ..step
        },
        Inside::Child(child) => wire::Step {
            action: Some(request_out(&child.action)),
            keys: vec![child.key.to_string()],
            failure: child.failure.as_ref().map(failure_out),
            ..step
        },
        Inside::Branched(Branched { frames, failure }) => wire::Step {
            frames: frames.iter().map(frame_out).collect(),
            failure: failure.as_deref().map(failure_out),
            ..step
        },
        Inside::Locked(locked) => {
            let Locked { keys, hold, frames } = &**locked;
            wire::Step {
                keys: keys.iter().map(Key::to_string).collect(),
                stage: stage_out(hold.stage).into(),
                got: hold.got,
                fence: hold.fence,
                round: hold.round,
                late: hold.late,
                frames: frames.iter().map(frame_out).collect(),
                ..step
            }
        }
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
    Ok(StepState {
        step: StepId(s.step),
        phase,
        completed: s.completed,
        until: s.until_ms.map(Timestamp),
        undos: s.undos.iter().map(request_in).collect::<Result<_, _>>()?,
        late: Some(object(&s.late_set)?).filter(|fields| !fields.is_empty()).map(Box::new),
        inside: inside_in(s)?,
    })
}

/// What a step keeps of its own: which fields are set says of which kind it is. Fields that no
/// kind has together are refused.
fn inside_in(s: wire::Step) -> Result<Inside, Error> {
    const WRONG: Error = Error::Field("mixture of what different kinds of step keep");
    let hold = hold_in(&s);
    let action = s.action.as_ref().map(request_in).transpose()?;
    let probe = s.probe.as_ref().map(request_in).transpose()?.map(Box::new);
    let reminder = s.remind_ms.map(|at| Reminder { at: Timestamp(at), told: s.reminded });
    let key = |text: &String| Key::new(text).map_err(|_| Error::Field("key"));
    let mut keys = s.keys.iter().map(key).collect::<Result<Vec<Key>, Error>>()?;
    let frames = s.frames.into_iter().map(frame_in).collect::<Result<Vec<Frame>, Error>>()?;
    let failure = s.failure.map(failure_in).transpose()?;
    let is_bare = keys.is_empty() && frames.is_empty() && failure.is_none();
    match (hold, action, probe, reminder) {
        (None, None, None, None) if is_bare => Ok(Inside::Nothing),
        (None, None, None, Some(reminder)) if is_bare => Ok(Inside::Reminder(reminder)),
        (None, Some(action), None, None) if is_bare && action.attempts == 0 => {
            Ok(Inside::Fact(action))
        }
        (None, Some(action), probe, None) if is_bare => {
            Ok(Inside::Requested(Requested { action, probe }))
        }
        (None, Some(action), None, None) if keys.len() == 1 && frames.is_empty() => {
            let key = keys.remove(0);
            Ok(Inside::Child(Box::new(Child { key, action, failure })))
        }
        (None, None, None, None) if keys.is_empty() => {
            Ok(Inside::Branched(Branched { frames, failure: failure.map(Box::new) }))
        }
        (Some(hold), None, None, None) if failure.is_none() => {
            if !is_possible(hold, keys.len()) {
                return Err(Error::Field("number of keys"));
            }
            Ok(Inside::Locked(Box::new(Locked { keys, hold, frames })))
        }
        (Some(_) | None, Some(_) | None, Some(_) | None, Some(_) | None) => Err(WRONG),
    }
}

/// Whether so many keys can stand so: one is still lacking while they are taken, none when all are
/// held.
fn is_possible(hold: Hold, keys: usize) -> bool {
    let got = hold.got as usize;
    match hold.stage {
        Stage::Taking => got < keys,
        Stage::Held => got == keys && keys > 0,
        Stage::Freed => got <= keys && keys > 0,
    }
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

fn request_in(r: &wire::Request) -> Result<Request, Error> {
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
        answer: InputId { text: r.answer.clone(), namespace: r.answer_namespace },
        unsent: r.unsent,
        extended: r.extended,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attempts: u32) -> wire::Request {
        let progress = wire::Progress::Answered.into();
        wire::Request { attempts, progress, ..wire::Request::default() }
    }

    fn step() -> wire::Step {
        wire::Step { phase: wire::Phase::Running.into(), ..wire::Step::default() }
    }

    fn under_lock(stage: wire::Stage, got: u32, keys: &[&str]) -> wire::Step {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        wire::Step { stage: stage.into(), got, keys, round: 1, ..step() }
    }

    fn frame() -> wire::Frame {
        wire::Frame { direction: wire::Direction::Forward.into(), ..wire::Frame::default() }
    }

    #[test]
    fn what_each_kind_keeps_reads_back_as_it_was_written() {
        let failure = wire::Failure {
            step: "pay".to_owned(),
            kind: wire::FailureKind::Deadline.into(),
            reason: "late".to_owned(),
        };
        let key = vec!["k".to_owned()];
        for stored in [
            step(),
            wire::Step { remind_ms: Some(7), reminded: 2, ..step() },
            wire::Step { action: Some(request(0)), ..step() },
            wire::Step {
                action: Some(request(1)),
                probe: Some(request(2)),
                undos: vec![],
                ..step()
            },
            wire::Step { action: Some(request(1)), late_set: br#"{"id":7}"#.to_vec(), ..step() },
            wire::Step {
                action: Some(request(1)),
                keys: key,
                failure: Some(failure.clone()),
                ..step()
            },
            wire::Step { failure: Some(failure.clone()), ..step() },
            wire::Step { frames: vec![frame()], failure: Some(failure), ..step() },
            under_lock(wire::Stage::Taking, 1, &["a", "b"]),
            wire::Step { frames: vec![frame()], ..under_lock(wire::Stage::Held, 1, &["a"]) },
        ] {
            let read = read(stored.clone()).expect("it can be");
            assert_eq!(out(&read), stored);
        }
    }

    #[test]
    fn a_mixture_that_no_kind_keeps_is_refused() {
        for stored in [
            wire::Step { probe: Some(request(1)), ..step() },
            wire::Step { action: Some(request(1)), remind_ms: Some(7), ..step() },
            wire::Step { action: Some(request(1)), frames: vec![frame()], ..step() },
            wire::Step { keys: vec!["k".to_owned()], ..step() },
            wire::Step { action: Some(request(1)), ..under_lock(wire::Stage::Held, 1, &["a"]) },
            wire::Step { action: Some(request(1)), keys: vec![String::new()], ..step() },
            under_lock(wire::Stage::Taking, 2, &["a", "b"]),
            under_lock(wire::Stage::Held, 1, &["a", "b"]),
            under_lock(wire::Stage::Freed, 0, &[]),
            under_lock(wire::Stage::Held, 1, &[""]),
        ] {
            assert!(read(stored.clone()).is_err(), "{stored:?}");
        }
    }
}
