//! The end, and the facts that tell of it.

use crate::definition::Fact;
use crate::engine::turn::{Addressed, Turn};
use crate::engine::{Effect, Failure, FailureKind, NoteKind, Stuck};
use crate::message::{Part, StepName};

/// All steps are done.
pub(in crate::engine) fn complete(turn: &mut Turn<'_>) {
    end(turn);
    turn.note(None, NoteKind::Completed, "");
    let definition = turn.definition;
    tell(turn, definition.ends.completed.as_ref(), "ends.completed", 1);
}

/// All that may have happened is undone.
pub(in crate::engine) fn compensated(turn: &mut Turn<'_>) {
    end(turn);
    let words = turn.generation.failure.as_ref().map_or(String::new(), |f| f.reason.clone());
    turn.note(None, NoteKind::Compensated, words);
    let definition = turn.definition;
    tell(turn, definition.ends.compensated.as_ref(), "ends.compensated", 1);
}

fn end(turn: &mut Turn<'_>) {
    turn.generation.ended = Some(turn.now);
    turn.generation.forget = Some(turn.now.after(turn.definition.late));
    turn.generation.deadline = None;
    turn.generation.pending = None;
}

/// Tells that a person must act.
pub(in crate::engine) fn tell_stuck(turn: &mut Turn<'_>, step: &StepName, stuck: &Stuck) {
    let definition = turn.definition;
    let Some(fact) = definition.ends.stuck.as_ref() else {
        return;
    };
    // `failure` says what is owed even when the way back was not taken.
    let kept = turn.generation.failure.clone();
    let kind = kept.as_ref().map_or(FailureKind::Failed, |f| f.kind);
    let reason = stuck.reason.clone();
    turn.generation.failure = Some(Failure { step: step.to_string(), kind, reason });
    // A matter is told once in a transition, so this number makes each telling's id its own.
    let told = u32::try_from(turn.generation.transitions).unwrap_or(u32::MAX);
    let half = if stuck.undoing { ".undo" } else { "" };
    tell(turn, Some(fact), &format!("ends.stuck.{step}{half}"), told);
    turn.generation.failure = kept;
}

fn tell(turn: &mut Turn<'_>, fact: Option<&Fact>, what: &str, attempt: u32) {
    let Some(fact) = fact else {
        return;
    };
    let name = StepName::told(what);
    let id = turn.command_id(&name, Part::Action, attempt);
    match turn.fill(id, None, &Addressed::from(fact)) {
        Ok(message) => turn.out.effects.push(Effect::Fact(message)),
        // The end itself must not depend on it; people are told.
        Err(reason) => {
            turn.out.effects.push(Effect::Complaint(format!("{} {}: {reason}", turn.id, what)));
        }
    }
}
