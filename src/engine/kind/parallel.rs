//! Named branches beside each other: all of them, or the first.

use crate::definition::{Join, ParallelStep, Step};
use crate::engine::course::back;
use crate::engine::course::forward;
use crate::engine::course::join;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::Turn;
use crate::engine::{Direction, Failure, FailureKind, Frame, NoteKind};

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    parallel: &ParallelStep,
) {
    let branches = parallel.branches.iter().enumerate();
    let frames = branches.map(|(index, block)| Frame::branch(*block, index)).collect();
    join::open(turn, line, step, frames, parallel.within);
}

/// All branches are done, one has won, or all have dropped out.
pub(in crate::engine) fn join(
    turn: &mut Turn<'_>,
    place: &Place,
    step: &Step,
    parallel: &ParallelStep,
) {
    let won = turn.at(place).frames.iter().position(Frame::is_done);
    match (parallel.join, won) {
        (Join::All, _) => forward::conclude(turn, place, &step.set, None),
        (Join::First, Some(winner)) => win(turn, place, step, winner),
        (Join::First, None) => {
            let failure = all_rejected(turn, place);
            forward::refuse(turn, place, &parallel.failed, failure, None);
        }
    }
}

/// What the winner has set counts; the others are given up and undone.
fn win(turn: &mut Turn<'_>, place: &Place, step: &Step, winner: usize) {
    let fields = std::mem::take(&mut turn.frame_mut(&place.branch(winner)).fields);
    turn.write(&place.line, fields);
    for branch in 0..turn.at(place).frames.len() {
        let line = place.branch(branch);
        let frame = turn.frame(&line);
        if branch == winner || frame.direction == Direction::Back {
            continue;
        }
        let name = turn.definition.block(frame.block).name.clone();
        let owner = turn.name_at(place);
        turn.note(Some(&owner), NoteKind::Dropped, format!("{name}: another was first"));
        turn.frame_mut(&line).failure = Some(Box::new(Failure {
            step: owner.to_string(),
            kind: FailureKind::Cancelled,
            reason: "another branch was first".to_owned(),
        }));
        back::turn_back(turn, &line);
    }
    forward::conclude(turn, place, &step.set, None);
}

fn all_rejected(turn: &Turn<'_>, place: &Place) -> Failure {
    let reason = |frame: &Frame| {
        let name = &turn.definition.block(frame.block).name;
        let why = frame.failure.as_ref().map_or("", |f| f.reason.as_str());
        format!("{name}: {why}")
    };
    let reasons: Vec<String> = turn.at(place).frames.iter().map(reason).collect();
    Failure {
        step: turn.name_at(place).to_string(),
        kind: FailureKind::Rejected,
        reason: turn.limits.cut(&reasons.join("; ")),
    }
}
