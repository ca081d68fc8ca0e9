//! Sends requests, again and again within their budget.

use crate::definition::{self, Budget, CallRequest, Compensation, Retry, Step, StepKind, Unknown};
use crate::engine::place::{Line, Place};
use crate::engine::work::fill::Addressed;
use crate::engine::work::turn::Turn;
use crate::engine::{Effect, NoteKind, Progress, Request, StepState};
use crate::message::{InputId, Part, Span, StepName, Timestamp};

/// The shortest pause: a request is never sent twice in one moment.
pub(in crate::engine) const PAUSE_MIN: Span = Span::millis(1);
/// Pauses after which they no longer grow.
const PAUSES_MAX: u32 = 1_000;

/// Which request of a step: its action, its probe, or one of its undoings, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Slot {
    Action,
    Probe,
    Undo(usize),
}

impl Slot {
    pub fn part(self) -> Part {
        match self {
            Self::Action => Part::Action,
            Self::Probe => Part::Probe,
            Self::Undo(place) => Part::Undo(u32::try_from(place + 1).unwrap_or(u32::MAX)),
        }
    }

    pub fn of(part: Part) -> Self {
        match part {
            Part::Action => Self::Action,
            Part::Probe => Self::Probe,
            Part::Undo(run) => Self::Undo((run as usize).wrapping_sub(1)),
        }
    }

    pub fn request(self, state: &StepState) -> Option<&Request> {
        match self {
            Self::Action => state.action.as_ref(),
            Self::Probe => state.probe.as_deref(),
            Self::Undo(run) => state.undos.get(run),
        }
    }

    pub fn request_mut(self, state: &mut StepState) -> Option<&mut Request> {
        match self {
            Self::Action => state.action.as_mut(),
            Self::Probe => state.probe.as_deref_mut(),
            Self::Undo(run) => state.undos.get_mut(run),
        }
    }
}

/// The requests of a step, each with its slot.
pub(in crate::engine) fn requests(state: &StepState) -> impl Iterator<Item = (Slot, &Request)> {
    let action = state.action.iter().map(|request| (Slot::Action, request));
    let probe = state.probe.as_deref().into_iter().map(|request| (Slot::Probe, request));
    let undos = state.undos.iter().enumerate().map(|(run, r)| (Slot::Undo(run), r));
    action.chain(probe).chain(undos)
}

/// What is sent: over Kafka, or over HTTP.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Asked<'d> {
    Command(&'d definition::Request),
    Call(&'d CallRequest),
}

impl<'d> Asked<'d> {
    /// What a slot of a step sends; nothing for steps that wait for something else.
    pub fn of(step: &'d Step, slot: Slot) -> Option<Self> {
        match slot {
            Slot::Action => Self::action(step),
            Slot::Probe => match &step.kind {
                StepKind::Command(c) => c.probe.as_ref().map(|p| Self::Command(&p.request)),
                StepKind::Emit(_)
                | StepKind::Set
                | StepKind::Fail(_)
                | StepKind::Wait(_)
                | StepKind::Sleep(_)
                | StepKind::Ask(_)
                | StepKind::Call(_)
                | StepKind::Saga(_)
                | StepKind::Parallel(_)
                | StepKind::Each(_)
                | StepKind::Choose(_)
                | StepKind::Lock(_) => None,
            },
            Slot::Undo(_) => match step.compensation() {
                Compensation::Command { request, .. } => Some(Self::Command(request)),
                Compensation::Call { request, .. } => Some(Self::Call(request)),
                Compensation::Unsaid
                | Compensation::Nothing
                | Compensation::Emit(_)
                | Compensation::Child => None,
            },
        }
    }

    fn action(step: &'d Step) -> Option<Self> {
        match &step.kind {
            StepKind::Command(command) => Some(Self::Command(&command.request)),
            StepKind::Call(call) => Some(Self::Call(&call.request)),
            StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_) => None,
        }
    }

    pub fn retry(self) -> &'d Retry {
        match self {
            Self::Command(request) => &request.retry,
            Self::Call(request) => &request.retry,
        }
    }

    pub fn within(self) -> Span {
        match self {
            Self::Command(request) => request.within,
            Self::Call(request) => request.within,
        }
    }
}

/// What a step does when its attempts are spent and it may have happened.
pub(in crate::engine) fn unknown(step: &Step) -> Option<Unknown> {
    match &step.kind {
        StepKind::Command(command) => Some(command.unknown),
        StepKind::Call(call) => Some(call.unknown),
        StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => None,
    }
}

/// A request that was never sent.
pub(in crate::engine) fn unsent(now: Timestamp) -> Request {
    let progress = Progress::Pausing(now);
    Request {
        attempts: 0,
        spent: 0,
        since: now,
        progress,
        answer: InputId::default(),
        unsent: 0,
        extended: false,
    }
}

/// A request that needs no answer: there is nothing to do, or a fact did it.
pub(in crate::engine) fn settled(now: Timestamp) -> Request {
    Request { progress: Progress::Answered, ..unsent(now) }
}

/// An action has its answer: the id of the event or act that gave it is kept. What was asked
/// about it is not asked any more.
pub(in crate::engine) fn answered(state: &mut StepState, by: InputId) {
    if let Some(action) = &mut state.action {
        action.progress = Progress::Answered;
        action.answer = by;
    }
    if let Some(probe) = state.probe.as_mut().filter(|probe| probe.lacks_answer()) {
        probe.progress = Progress::Answered;
    }
}

/// Sends the next attempt of a request of a step in this list; what stands in `before` is how far
/// it got.
///
/// # Errors
/// When it cannot be filled; nothing was sent.
pub(in crate::engine) fn send(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    slot: Slot,
    asked: Asked<'_>,
    before: &Request,
) -> Result<Request, String> {
    let name = turn.name(line, step);
    let attempt = before.attempts + 1;
    let undoes = undone_by(turn, &name, slot);
    let id = turn.command_id(&name, slot.part(), attempt);
    let (effect, what) = match asked {
        Asked::Command(request) => {
            let message = turn.fill(line, id, undoes, &Addressed::from(request))?;
            (Effect::Command(message), request.command.to_string())
        }
        Asked::Call(request) => {
            let call = turn.fill_call(line, id, undoes, request)?;
            let what = format!("{} {}", call.method.text(), request.authority);
            (Effect::Call(call), what)
        }
    };
    turn.out.effects.push(effect);
    let kind = match slot {
        Slot::Action => NoteKind::Sent,
        Slot::Probe => NoteKind::Probed,
        Slot::Undo(_) => NoteKind::Undoing,
    };
    turn.note(Some(&name), kind, told(&what, attempt));
    Ok(Request {
        attempts: attempt,
        spent: before.spent + 1,
        since: before.since,
        progress: Progress::Waiting(turn.now.after(asked.within())),
        answer: InputId::default(),
        unsent: before.unsent,
        extended: false,
    })
}

/// Gives the present attempt its time again, for the engine was away when it ran out. A call is
/// made again under the same id, for its answer may have gone with the process that waited for it.
///
/// # Errors
/// When a call cannot be filled any more; nothing was sent.
pub(in crate::engine) fn extend(
    turn: &mut Turn<'_>,
    place: &Place,
    slot: Slot,
    asked: Asked<'_>,
    before: &Request,
) -> Result<Request, String> {
    let name = turn.name_at(place);
    if let Asked::Call(request) = asked {
        let undoes = undone_by(turn, &name, slot);
        let id = turn.command_id(&name, slot.part(), before.attempts);
        let call = turn.fill_call(&place.line, id, undoes, request)?;
        turn.out.effects.push(Effect::Call(call));
    }
    let (attempt, within) = (before.attempts, asked.within());
    let words = format!("attempt {attempt} has {within} more, for the engine was away");
    turn.note(Some(&name), NoteKind::Extended, words);
    let progress = Progress::Waiting(turn.now.after(within));
    Ok(Request { progress, extended: true, ..before.clone() })
}

/// The idempotency key of the action that a request undoes.
fn undone_by(turn: &Turn<'_>, name: &StepName, slot: Slot) -> Option<String> {
    match slot {
        Slot::Action | Slot::Probe => None,
        Slot::Undo(_) => Some(turn.command_id(name, Part::Action, 1).idempotency_key()),
    }
}

fn told(what: &str, attempt: u32) -> String {
    if attempt == 1 { what.to_owned() } else { format!("{what}, attempt {attempt}") }
}

/// When the next attempt is sent, or never if the budget is spent. Always later than `now`.
pub(in crate::engine) fn again(
    retry: &Retry,
    request: &Request,
    now: Timestamp,
    seed: &str,
) -> Option<Timestamp> {
    let next = now.after(pause(retry, request.spent, request.attempts, seed));
    let left = match retry.budget {
        Budget::Attempts(most) => request.spent < most,
        Budget::For(span) => next <= request.since.after(span),
    };
    left.then_some(next)
}

/// The pause after so many attempts: `first`, then `factor` times longer each time, at most
/// `most`, less up to a fifth by a jitter that is the same for the same request and attempt.
///
/// Multiplied step by step, for `powi` may differ from machine to machine.
pub(in crate::engine) fn pause(retry: &Retry, spent: u32, attempts: u32, seed: &str) -> Span {
    #[allow(clippy::cast_precision_loss)]
    let (mut full, most) = (retry.first.0 as f64, retry.most.0 as f64);
    for _ in 1..spent.min(PAUSES_MAX) {
        if full >= most {
            break;
        }
        full *= retry.factor;
    }
    let full = if full.is_finite() { full.min(most) } else { most };
    let jittered = full * (1.0 - 0.2 * fraction(seed, attempts));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Span((jittered as u64).max(PAUSE_MIN.0))
}

/// A number from 0 to 1 that depends on nothing but its arguments.
fn fraction(seed: &str, attempts: u32) -> f64 {
    let mut hasher = blake3::Hasher::new_derive_key("segue 2026 retry jitter");
    hasher.update(seed.as_bytes());
    hasher.update(&attempts.to_le_bytes());
    let bytes = hasher.finalize();
    let word = u32::from_le_bytes([
        bytes.as_bytes()[0],
        bytes.as_bytes()[1],
        bytes.as_bytes()[2],
        bytes.as_bytes()[3],
    ]);
    f64::from(word) / f64::from(u32::MAX)
}

/// What makes one request's jitter differ from another's.
pub(in crate::engine) fn seed(turn: &Turn<'_>, place: &Place, slot: Slot) -> String {
    turn.command_id(&turn.name_at(place), slot.part(), 1).idempotency_key()
}
