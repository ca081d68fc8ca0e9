//! What must be true of every move and every ending.

use super::model::{Ending, Stands, State};
use super::moves::Move;
use super::named::named;
use super::promise::{Broken, Promise};
use super::settled::is_owed;
use super::spots::{Spot, coordinate, spots, step, waits};
use super::world::{Step, Taken, sent};
use crate::definition::{Compensation, Composite, Definition, Nature, Waiting};
use crate::engine::{
    self, Direction, Effect, Frame, Instance, Life, NoteKind, Phase, Rejection, Status, Verb,
};
use crate::message::{Coordinate, Part, Subject};

/// Looks at one move.
pub(super) fn judge(
    definition: &Definition,
    before: &State,
    next: &Move,
    outcome: &Step,
    found: &mut Vec<Broken>,
) {
    filled(before, next, outcome, found);
    match &outcome.outcome {
        Err(rejection) => refused(next, rejection, outcome, found),
        Ok(taken) => {
            once(before, next, taken, found);
            silent(before, taken, found);
            undo_order(definition, before, taken, found);
            settled(definition, before, taken, found);
        }
    }
}

fn filled(before: &State, next: &Move, outcome: &Step, found: &mut Vec<Broken>) {
    let skips = matches!(next, Move::Act { verb: Verb::Skip, .. });
    let Some(path) = outcome.missing.first().filter(|_| !before.around.skipped && !skips) else {
        return;
    };
    let stuck = outcome.outcome.as_ref().ok().and_then(|taken| {
        taken.notes.iter().find(|note| note.kind() == NoteKind::Stuck).and_then(|n| n.step.clone())
    });
    let step = stuck.map_or_else(|| subject(next), |step| step.to_string());
    let words = match path.strip_suffix(']').and_then(|path| path.rsplit_once('[')) {
        Some(_) => format!("`{path}` is read, and on this run the list is shorter"),
        None => format!("`{path}` is read, and on this run nothing has set it"),
    };
    let path = Some(path.clone());
    found.push(Broken { path, ..Broken::new(Promise::Filled, step, words) });
}

/// The step that a move is about.
pub(super) fn subject(next: &Move) -> String {
    match next {
        Move::Reply { asked, .. }
        | Move::Again { asked, .. }
        | Move::Called { asked, .. }
        | Move::Exhausted(asked)
        | Move::Unsent(asked) => asked.spot.name.to_string(),
        Move::Due(spot) | Move::Remind(spot) => spot.name.to_string(),
        Move::Act { step, .. } => Coordinate::text(step.as_ref()),
        Move::Start(_)
        | Move::StartChild
        | Move::Deadline
        | Move::Fact(_)
        | Move::Cancel(_)
        | Move::Letter { .. } => String::new(),
    }
}

/// An answer to a question that was asked must be taken, unless a `where` says otherwise.
fn refused(next: &Move, rejection: &Rejection, outcome: &Step, found: &mut Vec<Broken>) {
    let chosen = !outcome.choices.is_empty();
    let asked = matches!(next, Move::Reply { .. } | Move::Called { .. });
    let refused = matches!(rejection, Rejection::Unmatched(_) | Rejection::Refused(_));
    if asked && refused && !chosen && outcome.missing.is_empty() {
        let (step, words) = (subject(next), rejection.to_string());
        found.push(Broken::new(Promise::Answered, step, words));
    }
}

fn newest(state: &State) -> Option<&Life> {
    state.instance.as_ref().and_then(Instance::newest)
}

/// An answer, a fact or an act that comes again means nothing.
fn once(before: &State, next: &Move, taken: &Taken, found: &mut Vec<Broken>) {
    let mut say = |words: String| {
        let path = next.start().map(ToString::to_string);
        found.push(Broken { path, ..Broken::new(Promise::Once, subject(next), words) });
    };
    if let Some(again) = &taken.again {
        say(format!("the same comes a second time, and {again}"));
    }
    let Move::Again { asked, address } = next else { return };
    let (event, step) = (&address.event_type, &asked.spot.name);
    if let Some(sent) = taken.effects.iter().find_map(sent) {
        say(format!("{event} answers {step} a second time, and {sent} is sent"));
    } else if taken.state != *before {
        say(format!("{event} answers {step} a second time, and is taken by another step"));
    }
}

fn silent(before: &State, taken: &Taken, found: &mut Vec<Broken>) {
    if newest(before).is_none_or(|g| g.ended.is_none()) {
        return;
    }
    for effect in &taken.effects {
        let message = match effect {
            Effect::Command(message) | Effect::Fact(message) => message,
            Effect::Call(call) if call.undoes.is_none() => {
                let words = format!("{} is called after the end", call.url);
                found.push(Broken::new(Promise::Silent, call.id.subject.to_string(), words));
                continue;
            }
            Effect::Call(_)
            | Effect::Complaint(_)
            | Effect::Letter { .. }
            | Effect::Question(_) => continue,
        };
        let allowed = message.undoes.is_some()
            || matches!(message.id.part, Part::Undo(_))
            || matches!(message.id.subject, Subject::Stuck { .. });
        if !allowed {
            let words = format!("{} is sent after the end", message.to);
            let step = message.id.subject.to_string();
            found.push(Broken::new(Promise::Silent, step, words));
        }
    }
}

/// What completed later is undone first, within each list of steps.
fn undo_order(definition: &Definition, before: &State, taken: &Taken, found: &mut Vec<Broken>) {
    let (Some(old), Some(new)) = (newest(before), newest(&taken.state)) else {
        return;
    };
    if old.ended.is_some() || new.direction == Direction::Forward {
        return;
    }
    if undoings(&new.frame) == undoings(&old.frame) {
        return;
    }
    let (all, known) = (spots(definition, new), spots(definition, old));
    for spot in &all {
        let state = spot.state(new);
        let began = |spot: &Spot| {
            let known = known.iter().find(|s| s.name == spot.name);
            known.is_none_or(|known| known.state(old).undos.is_empty())
        };
        if state.undos.is_empty() || !began(spot) {
            continue;
        }
        let later = all.iter().find(|other| {
            let beside = other.state(new);
            other.is_beside(spot)
                && beside.completed > state.completed
                && matches!(beside.phase, Phase::Succeeded | Phase::Unknown)
                && beside.undos.is_empty()
                && is_owed(step(definition, new, other))
        });
        // A late success is undone at once, whatever is still to come.
        if let Some(later) = later.filter(|_| state.undos.len() == 1 && !is_late(taken, &spot.name))
        {
            let words = format!("{} is undone before {}", spot.name, later.name);
            found.push(Broken::new(Promise::Undone, spot.name.to_string(), words));
        }
    }
}

/// How many undoings were begun.
fn undoings(frame: &Frame) -> usize {
    let of = |state: &engine::StepState| {
        state.undos.len() + state.frames().iter().map(undoings).sum::<usize>()
    };
    frame.steps.iter().map(of).sum()
}

fn is_late(taken: &Taken, step: &Coordinate) -> bool {
    taken.notes.iter().any(|n| n.kind() == NoteKind::Late && n.step.as_ref() == Some(step))
}

/// What must be true once an instance has ended, and stay true whatever comes later.
fn settled(definition: &Definition, before: &State, taken: &Taken, found: &mut Vec<Broken>) {
    let Some(new) = newest(&taken.state).filter(|life| life.ended.is_some()) else { return };
    let ends = newest(before).is_none_or(|life| life.ended.is_none());
    let_go(definition, &taken.state, new, ends, found);
    let mut say = |promise: Promise, step: &Coordinate, words: String| {
        found.push(Broken::new(promise, step.to_string(), words));
    };
    for spot in spots(definition, new) {
        let state = spot.state(new);
        let undone = !state.undos.is_empty();
        let owed = is_owed(step(definition, new, &spot));
        let happened = matches!(state.phase, Phase::Succeeded | Phase::Unknown);
        let left = spot.is_left_behind(new);
        if happened && owed && !undone && new.direction == Direction::Back {
            let words = format!("{} may have happened and is not undone", spot.name);
            say(Promise::Undone, &spot.name, words);
        } else if happened && owed && !undone && left {
            let words = format!("{} was left behind and is not undone", spot.name);
            say(Promise::Undone, &spot.name, words);
        }
        let stands = new.direction == Direction::Forward && state.phase == Phase::Succeeded;
        if ends && stands && undone && !left {
            let words = format!("{} is undone, and the saga has completed", spot.name);
            say(Promise::Complete, &spot.name, words);
        }
    }
}

/// What a life that ends has asked of locks and children is over; a lock is kept, or taken once
/// more, as long as something is undone under it.
fn let_go(definition: &Definition, state: &State, new: &Life, ends: bool, found: &mut Vec<Broken>) {
    for (id, partner) in &state.around.partners {
        let spot = spots(definition, new).into_iter().find(|s| s.name == partner.letter.step);
        let words = match partner.stands {
            Stands::Held | Stands::Waiting => {
                if spot.is_some_and(|spot| spot.state(new).owes_inside()) {
                    continue;
                }
                format!("{} is not let go", named(id))
            }
            Stands::Running | Stands::Asked | Stands::Completed | Stands::Over if !ends => continue,
            Stands::Running | Stands::Asked => format!("{} is left behind", named(id)),
            Stands::Completed if new.direction == Direction::Back => {
                let owed = spot.is_some_and(|spot| {
                    *step(definition, new, &spot).compensation() == Compensation::Child
                });
                if !owed {
                    continue;
                }
                format!("{id} has completed and is not taken back")
            }
            Stands::Completed | Stands::Over => continue,
        };
        found.push(Broken::new(Promise::LetGo, partner.letter.step.to_string(), words));
    }
}

/// Whether nothing will ever happen to an instance unless somebody comes along.
pub(super) fn forever(definition: &Definition, state: &State) -> Option<Broken> {
    let instance = state.instance.as_ref()?;
    let life = instance.newest()?;
    let alive = life.ended.is_none() && life.stuck.is_empty();
    let timed = life.deadline.is_some() || waits(&life.frame);
    let partner = |stands: &Stands| matches!(stands, Stands::Running | Stands::Asked);
    let children = state.around.partners.values().any(|p| partner(&p.stands));
    let goes_back = life.direction == Direction::Back;
    if !alive || timed || children || goes_back {
        return None;
    }
    let running = |spot: &Spot| spot.state(life).phase == Phase::Running;
    let spot = spots(definition, life).into_iter().rfind(running)?;
    let what = match step(definition, life, &spot).nature() {
        Nature::Composite(Composite::Lock(_)) => "a lock",
        Nature::Waiting(Waiting::Person(_)) => "a person",
        Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) | Nature::Composite(_) => {
            "a fact"
        }
    };
    let words = format!("{} waits for {what}, and nothing limits how long", spot.name);
    Some(Broken::new(Promise::Waits, spot.name.to_string(), words))
}

/// How a run has ended, or where it is stuck.
pub(super) fn ending(definition: &Definition, state: &State) -> Option<Ending> {
    let life = newest(state)?;
    // Why an explored one went back was noted when it did; it is forgotten since.
    match ending_of(definition, life)? {
        Ending::Compensated { .. } => Some(Ending::Compensated { step: None, kind: "" }),
        end @ (Ending::Completed | Ending::Stuck { .. }) => Some(end),
    }
}

/// How a life has ended, or where it is stuck.
pub(super) fn ending_of(definition: &Definition, life: &Life) -> Option<Ending> {
    match life.status() {
        Status::Completed if !life.owes() => Some(Ending::Completed),
        Status::Compensated if !life.owes() => {
            let failure = life.failure.as_ref();
            let step = failure.and_then(|failure| failure.step.clone());
            Some(Ending::Compensated { step, kind: failure.map_or("", |f| f.kind.text()) })
        }
        Status::Stuck => {
            let stuck = life.stuck.first()?;
            let step = coordinate(definition, stuck);
            Some(Ending::Stuck { step, undoing: stuck.undoing })
        }
        Status::Running | Status::Compensating | Status::Completed | Status::Compensated => None,
    }
}
