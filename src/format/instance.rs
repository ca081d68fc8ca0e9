use serde_json::{Map, Value};

use super::{Error, open, seal, step, wire};
use crate::definition::{BlockId, StepId};
use crate::engine::{
    Direction, Early, Failure, FailureKind, Frame, Instance, Life, Parent, Remnant, Stuck,
};
use crate::message::{
    Coordinate, Hash, InputId, InstanceId, Key, LifeId, Offset, SagaName, Timestamp, read_json,
};

impl Instance {
    /// The bytes that the changelog and the store keep.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        seal(&wire::Instance {
            lives: self.lives.iter().map(life_out).collect(),
            queued: self.queued.iter().map(wire::Event::kept).collect(),
            inbox: self.inbox.0,
            lock: self.lock.as_ref().map(super::lock::out),
            early: self.early.iter().map(early_out).collect(),
            remnants: self.remnants.iter().map(remnant_out).collect(),
            paused: self.paused,
        })
    }

    /// Reads what [`Instance::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are damaged or a newer build's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let stored: wire::Instance = open(bytes)?;
        Ok(Self {
            lives: each(stored.lives, life_in)?,
            queued: stored.queued.iter().map(wire::Event::read).collect::<Result<_, _>>()?,
            inbox: Offset(stored.inbox),
            early: each(stored.early, early_in)?,
            paused: stored.paused,
            lock: stored.lock.as_ref().map(super::lock::read).transpose()?,
            remnants: stored.remnants.into_iter().map(remnant_in).collect(),
        })
    }
}

pub(super) fn each<A, B>(
    list: Vec<A>,
    read: impl Fn(A) -> Result<B, Error>,
) -> Result<Vec<B>, Error> {
    list.into_iter().map(read).collect()
}

fn early_out(e: &Early) -> wire::Early {
    wire::Early { event: Some(wire::Event::kept(&e.event)), until_ms: e.until.map(|t| t.0) }
}

fn early_in(e: wire::Early) -> Result<Early, Error> {
    let event = e.event.ok_or(Error::Field("early event"))?.read()?;
    Ok(Early { event, until: e.until_ms.map(Timestamp) })
}

fn remnant_out(t: &Remnant) -> wire::Remnant {
    wire::Remnant {
        number: t.life.number,
        mark: t.life.mark,
        forget_ms: t.forget.0,
        taken: t.taken.clone(),
    }
}

fn remnant_in(t: wire::Remnant) -> Remnant {
    let life = LifeId { number: t.number, mark: t.mark };
    Remnant { life, forget: Timestamp(t.forget_ms), taken: t.taken }
}

fn life_out(g: &Life) -> wire::Life {
    wire::Life {
        number: g.id.number,
        definition: g.definition.0.to_vec(),
        direction: direction_out(g.direction).into(),
        data: bytes(&g.data),
        started_ms: g.started.0,
        deadline_ms: g.deadline.map(|t| t.0),
        ended_ms: g.ended.map(|t| t.0),
        forget_ms: g.forget.map(|t| t.0),
        frame: Some(line_out(&g.frame)),
        failure: g.failure.as_ref().map(failure_out),
        stuck: g.stuck.iter().map(stuck_out).collect(),
        completions: g.completions,
        started_by: g.started_by.text.clone(),
        trace_parent: g.trace_parent.clone(),
        pending: g.pending.as_deref().map(failure_out),
        transitions: g.transitions,
        parent: g.parent.as_deref().map(parent_out),
        pivoted: g.pivoted,
        seen: g.seen.iter().map(|seen| seen.text.clone()).collect(),
        mark: g.id.mark,
        started_namespace: g.started_by.namespace,
        seen_namespaces: g.seen.iter().map(|seen| seen.namespace).collect(),
        paused: g.paused.as_deref().map(super::paused::out),
        seen_since_ms: g.seen_since.map(|t| t.0),
    }
}

fn life_in(g: wire::Life) -> Result<Life, Error> {
    let direction = direction_in(g.direction())?;
    let hash: [u8; 16] = g.definition.try_into().map_err(|_| Error::Field("definition"))?;
    let data = json(&g.data)?;
    let frame = line_in(g.frame.ok_or(Error::Field("frame"))?)?;
    Ok(Life {
        id: LifeId { number: g.number, mark: g.mark },
        definition: Hash(hash),
        direction,
        data,
        started: Timestamp(g.started_ms),
        deadline: g.deadline_ms.map(Timestamp),
        ended: g.ended_ms.map(Timestamp),
        forget: g.forget_ms.map(Timestamp),
        frame: Frame { direction, ..frame },
        failure: g.failure.map(failure_in).transpose()?,
        stuck: g.stuck.into_iter().map(stuck_in).collect(),
        completions: g.completions,
        started_by: InputId { text: g.started_by, namespace: g.started_namespace },
        trace_parent: g.trace_parent,
        pending: g.pending.map(failure_in).transpose()?.map(Box::new),
        transitions: g.transitions,
        pivoted: g.pivoted,
        seen: seen_in(g.seen, &g.seen_namespaces),
        seen_since: g.seen_since_ms.map(Timestamp),
        parent: g.parent.as_ref().map(parent_in).transpose()?.map(Box::new),
        paused: g.paused.as_ref().map(super::paused::read).transpose()?.map(Box::new),
    })
}

fn seen_in(texts: Vec<String>, namespaces: &[u64]) -> Vec<InputId> {
    let known = namespaces.iter().copied().chain(std::iter::repeat(0));
    texts.into_iter().zip(known).map(|(text, namespace)| InputId { text, namespace }).collect()
}

/// The main line goes the life's way and is never over before it.
fn line_out(f: &Frame) -> wire::Frame {
    wire::Frame {
        block: f.block.0,
        position: f.position,
        steps: f.steps.iter().map(step::out).collect(),
        ..wire::Frame::default()
    }
}

fn line_in(f: wire::Frame) -> Result<Frame, Error> {
    let steps = each(f.steps, step::read)?;
    Ok(Frame { block: BlockId(f.block), position: f.position, steps, ..Frame::default() })
}

pub(super) fn frame_out(f: &Frame) -> wire::Frame {
    wire::Frame {
        fields: if f.fields.is_empty() { Vec::new() } else { bytes(&f.fields) },
        direction: direction_out(f.direction).into(),
        over: f.over,
        index: f.index,
        item: f.item.as_ref().map(bytes),
        failure: f.failure.as_deref().map(failure_out),
        ..line_out(f)
    }
}

pub(super) fn frame_in(f: wire::Frame) -> Result<Frame, Error> {
    let direction = direction_in(f.direction())?;
    let fields = object(&f.fields)?;
    let item = f.item.as_deref().map(json).transpose()?.map(Box::new);
    let failure = f.failure.clone().map(failure_in).transpose()?.map(Box::new);
    let (over, index) = (f.over, f.index);
    Ok(Frame { direction, over, index, item, fields, failure, ..line_in(f)? })
}

fn direction_out(direction: Direction) -> wire::Direction {
    match direction {
        Direction::Forward => wire::Direction::Forward,
        Direction::Back => wire::Direction::Back,
    }
}

fn direction_in(direction: wire::Direction) -> Result<Direction, Error> {
    match direction {
        wire::Direction::Forward => Ok(Direction::Forward),
        wire::Direction::Back => Ok(Direction::Back),
        wire::Direction::Unspecified => Err(Error::Field("direction")),
    }
}

/// The bytes of a JSON value.
pub(super) fn bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON values always serialise")
}

/// The JSON value of some bytes.
pub(super) fn json(bytes: &[u8]) -> Result<Value, Error> {
    read_json(bytes).map_err(|e| Error::Message(e.to_string()))
}

/// The JSON object of some bytes; nothing is an empty one.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match read_json(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Error::Field("object")),
        Err(e) => Err(Error::Message(e.to_string())),
    }
}

/// An instance by name.
pub(super) fn instance_id(saga: &str, key: &str) -> Result<InstanceId, Error> {
    let saga = SagaName::new(saga).map_err(|_| Error::Field("saga"))?;
    let key = Key::new(key).map_err(|_| Error::Field("key"))?;
    Ok(InstanceId { saga, key })
}

/// A step of an instance.
pub(super) fn coordinate(text: &str) -> Result<Coordinate, Error> {
    text.parse().map_err(|_| Error::Field("step"))
}

/// The same where an empty text is about no step.
pub(super) fn coordinate_or_none(text: &str) -> Result<Option<Coordinate>, Error> {
    Coordinate::read(text).map_err(|_| Error::Field("step"))
}

fn parent_out(p: &Parent) -> wire::Parent {
    wire::Parent {
        saga: p.instance.saga.to_string(),
        key: p.instance.key.to_string(),
        life: p.life.number,
        mark: p.life.mark,
        step: p.step.to_string(),
        round: p.round,
        taken_back: p.taken_back,
        gone: p.gone,
    }
}

fn parent_in(p: &wire::Parent) -> Result<Parent, Error> {
    Ok(Parent {
        instance: instance_id(&p.saga, &p.key)?,
        life: LifeId { number: p.life, mark: p.mark },
        step: coordinate(&p.step)?,
        round: p.round,
        taken_back: p.taken_back,
        gone: p.gone,
    })
}

pub(super) fn failure_out(f: &Failure) -> wire::Failure {
    wire::Failure {
        step: Coordinate::text(f.step.as_ref()),
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

pub(super) fn failure_in(f: wire::Failure) -> Result<Failure, Error> {
    let kind = match f.kind() {
        wire::FailureKind::Rejected => FailureKind::Rejected,
        wire::FailureKind::Exhausted => FailureKind::Exhausted,
        wire::FailureKind::Deadline => FailureKind::Deadline,
        wire::FailureKind::Cancelled => FailureKind::Cancelled,
        wire::FailureKind::Failed => FailureKind::Failed,
        wire::FailureKind::Unspecified => return Err(Error::Field("kind of failure")),
    };
    Ok(Failure { step: coordinate_or_none(&f.step)?, kind, reason: f.reason })
}

fn stuck_out(s: &Stuck) -> wire::Stuck {
    wire::Stuck {
        step: s.step.0,
        undoing: s.undoing,
        since_ms: s.since.0,
        reason: s.reason.clone(),
        branch: s.branch.clone(),
    }
}

fn stuck_in(s: wire::Stuck) -> Stuck {
    Stuck {
        step: StepId(s.step),
        branch: s.branch,
        undoing: s.undoing,
        since: Timestamp(s.since_ms),
        reason: s.reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_an_older_build_stored_have_no_namespace() {
        let texts = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(seen_in(texts(), &[]), ["a", "b"].map(InputId::named));
        let second = InputId { text: "b".to_owned(), namespace: 7 };
        assert_eq!(seen_in(texts(), &[0, 7]), [InputId::named("a"), second]);
    }

    #[test]
    fn an_older_build_s_instance_reads_as_it_was_meant() {
        // As it was written: `started_by`, `answer` and `seen` without namespaces.
        let request = wire::Request {
            attempts: 1,
            progress: wire::Progress::Answered.into(),
            answer: "r-1".to_owned(),
            ..wire::Request::default()
        };
        let step = wire::Step {
            phase: wire::Phase::Succeeded.into(),
            action: Some(request),
            ..wire::Step::default()
        };
        let life = wire::Life {
            number: 1,
            definition: vec![0; 16],
            direction: wire::Direction::Forward.into(),
            data: b"{}".to_vec(),
            frame: Some(wire::Frame { steps: vec![step], ..wire::Frame::default() }),
            started_by: "1".to_owned(),
            seen: vec!["c-1".to_owned()],
            ..wire::Life::default()
        };
        let stored = seal(&wire::Instance { lives: vec![life], ..Default::default() });
        let instance = Instance::decode(&stored).expect("it is readable");
        let life = &instance.lives[0];
        assert_eq!(life.started_by, InputId::named("1"));
        assert_eq!(life.seen, [InputId::named("c-1")]);
        let action = life.frame.steps[0].action().expect("it was asked");
        assert_eq!(action.answer, InputId::named("r-1"));
    }
}
