//! The end, and those who are told of it.

use serde_json::Value;

use crate::engine::kind::{lock, saga};
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{Direction, Effect, Failure, FailureKind, Letter, Life, Parent, Say, What};
use crate::message::{InstanceId, Subject};

/// All steps are done.
pub(in crate::engine) fn complete(turn: &mut LifeTurn<'_>) {
    end(turn);
    turn.note(None, What::Completed);
    let definition = turn.definition;
    if let Some(fact) = &definition.ends.completed {
        turn.tell(fact, Subject::Completed, 1);
    }
    tell_family(turn);
}

/// All that may have happened is undone.
pub(in crate::engine) fn compensated(turn: &mut LifeTurn<'_>) {
    end(turn);
    let failure = turn.life().failure.as_ref();
    let reason = failure.map_or(String::new(), |failure| failure.reason.clone());
    turn.note(None, What::Compensated { reason });
    let definition = turn.definition;
    if let Some(fact) = &definition.ends.compensated {
        turn.tell(fact, Subject::Compensated, 1);
    }
    tell_family(turn);
}

fn end(turn: &mut LifeTurn<'_>) {
    lock::release_all(turn);
    let (now, late) = (turn.now, turn.definition.late);
    let life = turn.life_mut();
    life.ended = Some(now);
    life.deadline = None;
    life.pending = None;
    // A child is remembered as long as its parent may take it back.
    let free = life.parent.as_ref().is_none_or(|parent| parent.gone);
    life.forget = free.then(|| now.after(late));
}

/// The parent hears how it ended; the children, that nobody will take them back.
fn tell_family(turn: &mut Turn<'_>) {
    let back = turn.life().direction == Direction::Back;
    if let Some(parent) = turn.life().parent.clone() {
        for say in endings(turn.life(), &parent) {
            turn.send(answer(turn.id, &parent, say));
        }
        if !back && !parent.gone {
            return;
        }
    }
    saga::let_go(turn);
}

/// What a child that has ended says to its parent.
pub(in crate::engine) fn endings(life: &Life, parent: &Parent) -> Vec<Say> {
    let completed = life.direction == Direction::Forward;
    if !completed && parent.taken_back {
        return vec![Say::TakenBack];
    }
    let ended = Say::Ended { completed, data: life.data.clone(), failure: life.failure.clone() };
    if parent.taken_back { vec![ended, Say::Kept] } else { vec![ended] }
}

/// A letter of a child to its parent.
pub(in crate::engine) fn answer(from: &InstanceId, parent: &Parent, say: Say) -> Effect {
    let Parent { instance, life, step, round, .. } = parent;
    let letter = Letter {
        id: format!("{from}/{}/{life}/{step}/{round}", say.text()),
        from: from.clone(),
        life: *life,
        step: step.clone(),
        round: *round,
        say,
    };
    Effect::Letter { to: instance.clone(), letter }
}

/// What a child says that could not start.
pub(in crate::engine) fn could_not_start(reason: String) -> Say {
    let failure = Failure { step: None, kind: FailureKind::Failed, reason };
    Say::Ended { completed: false, data: Value::Null, failure: Some(failure) }
}
