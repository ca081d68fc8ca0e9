//! The end of a `join: first`: the winner counts, and the branches of the losers turn back.

use super::back;
use crate::engine::state::place::Place;
use crate::engine::work::turn::Turn;
use crate::engine::{Direction, Failure, FailureKind, What};

/// Takes over what the winner has set and gives the others up: their frames turn back, and
/// `motion` undoes them as any frame on its way back, while the saga goes on.
pub(super) fn win(turn: &mut Turn<'_>, place: &Place, winner: usize) {
    let fields = std::mem::take(&mut turn.frame_mut(&place.branch(winner)).fields);
    turn.write(&place.line, fields);
    for branch in 0..turn.at(place).frames().len() {
        let line = place.branch(branch);
        let frame = turn.frame(&line);
        if branch == winner || frame.direction == Direction::Back {
            continue;
        }
        let name = turn.definition.block(frame.block).name.clone();
        let owner = turn.name_at(place);
        let (branch, reason) = (name.clone(), "another was first".to_owned());
        turn.note(Some(&owner), What::Dropped { branch, reason });
        turn.frame_mut(&line).failure = Some(Box::new(Failure {
            step: Some(owner),
            kind: FailureKind::Cancelled,
            reason: "another branch was first".to_owned(),
        }));
        back::turn_back(turn, &line);
    }
}
