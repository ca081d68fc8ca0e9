//! Waits for facts; those that came before were kept.

use super::handler::Handler;
use super::waiting;
use crate::definition::{Answers, Step, WaitStep};
use crate::engine::request::reply;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::early::takes;
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Awaited, What};
use crate::message::Part;

impl Handler for WaitStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let name = turn.name(line, step);
        let facts = self.on.iter().map(|done| done.on.event_type.clone()).collect();
        turn.note(Some(&name), What::Waiting(Awaited::Facts(facts)));
        let state = waiting::waiting(turn, step, self.within, self.remind.as_ref());
        let place = turn.push(line, state);
        Ok(offer(turn, &place, self))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        waiting::time_is_up(turn, place, &self.late, self.within)
    }
}

/// Offers what was kept to a wait that was just entered, the oldest first.
fn offer(turn: &mut Turn<'_>, place: &Place, wait: &WaitStep) -> Outcome {
    let answers = Answers { done: &wait.on, failed: &wait.failed, absent: &[] };
    let mut at = 0;
    while let Some(early) = turn.kept(at) {
        let event = &early.event;
        if !takes(wait, &event.address) {
            at += 1;
            continue;
        }
        let found = answers
            .find(&event.address, |condition| reply::is_so(turn, place, condition, &event.body));
        let answer = match found {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                at += 1;
                continue;
            }
            Err(reason) => {
                let event = turn.take_kept(at);
                turn.complain(&event, &reason);
                continue;
            }
        };
        let event = turn.take_kept(at);
        match reply::take(turn, place, Part::Action, answer, &event) {
            Ok(outcome) => return outcome,
            Err(reason) => turn.complain(&event, &reason),
        }
    }
    Outcome::Waits
}
