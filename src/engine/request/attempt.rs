//! Attempts that took too long or failed: there is another one, or they are spent.

use serde_json::Map;

use super::asked::{self, Asked};
use super::pause;
use super::probe;
use super::send;
use crate::definition::{Then, Unknown};
use crate::engine::state::place::Place;
use crate::engine::work::outcome::{Outcome, Refusal};
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind, Progress, Request, What};
use crate::message::{InputId, Part, Timestamp};

/// The time of an attempt, or of the pause before the next one, is over.
pub(in crate::engine) fn time_is_up(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    away_until: Timestamp,
) -> Outcome {
    let Some(request) = turn.at(place).request(part).cloned() else {
        return Outcome::Waits;
    };
    let asked = Asked::of(turn.step_at(place), part).expect("only requests have timers");
    match request.progress {
        Progress::Waiting(due) if due < away_until && !request.extended => {
            let sent = send::extend(turn, place, part, asked, &request);
            sent_or_parked(turn, place, part, sent)
        }
        Progress::Waiting(_) => {
            let (attempts, within) = (request.attempts, asked.within());
            let words = format!("no answer to attempt {attempts} within {within}");
            over(turn, place, part, asked, &request, &words)
        }
        Progress::Pausing(_) => {
            let step = turn.step_at(place);
            let sent = send::send(turn, &place.line, step, part, asked, &request);
            sent_or_parked(turn, place, part, sent)
        }
        Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open => {
            Outcome::Waits
        }
    }
}

fn sent_or_parked(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    sent: Result<Request, String>,
) -> Outcome {
    match (sent, turn.at_mut(place).request_mut(part)) {
        (Ok(sent), Some(request)) => {
            *request = sent;
            Outcome::Waits
        }
        (Ok(_), None) => Outcome::Waits,
        (Err(reason), _) => park(turn, place, part, &reason),
    }
}

/// An attempt has brought no answer: there is another, or the budget is spent.
pub(in crate::engine) fn over(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    asked: Asked<'_>,
    before: &Request,
    words: &str,
) -> Outcome {
    let name = turn.name_at(place);
    turn.note(Some(&name), What::TimedOut { reason: words.to_owned() });
    let seed = pause::seed(turn, place, part);
    let retry = asked.retry();
    let insists =
        part == Part::Action && asked::unknown(turn.step_at(place)) == Some(Unknown::Retry);
    let next = pause::again(retry, before, turn.now, &seed).or_else(|| {
        let next = turn.now.after(retry.most.max(pause::PAUSE_MIN));
        (insists && next <= before.since.after(turn.limits.insist)).then_some(next)
    });
    let Some(at) = next else {
        return exhausted(turn, place, part, before);
    };
    if let Some(request) = turn.at_mut(place).request_mut(part) {
        request.progress = Progress::Pausing(at);
    }
    Outcome::Waits
}

fn exhausted(turn: &mut Turn<'_>, place: &Place, part: Part, before: &Request) -> Outcome {
    let name = turn.name_at(place);
    let attempts = if before.spent == 1 { "attempt" } else { "attempts" };
    let reason = format!("{name} has not answered {} {attempts}", before.spent);
    let unknown = asked::unknown(turn.step_at(place));
    match (part, unknown) {
        (Part::Action, Some(Unknown::Compensate | Unknown::Probe))
            if before.never_left() && turn.can_go_back(&place.line) =>
        {
            let reason = format!("{name} was never sent in {} {attempts}", before.spent);
            let (step, kind) = (Some(name), FailureKind::Exhausted);
            let failure = Failure { step, kind, reason };
            turn.at_mut(place).answered(InputId::default());
            Outcome::Rejected(Refusal { written: Map::new(), then: Then::GoBack, failure })
        }
        (Part::Action, Some(Unknown::Compensate)) if turn.can_go_back(&place.line) => {
            let (step, kind) = (Some(name), FailureKind::Exhausted);
            Outcome::GoesBack(Failure { step, kind, reason })
        }
        (Part::Action, Some(Unknown::Probe)) => match probe::ask(turn, place) {
            Ok(()) => Outcome::Waits,
            Err(reason) => park(turn, place, part, &reason),
        },
        (Part::Probe, _) => probe::exhausted(turn, place, &reason),
        (
            Part::Action | Part::Undo(_),
            None | Some(Unknown::Compensate | Unknown::Probe | Unknown::Retry | Unknown::Park),
        ) => park(turn, place, part, &reason),
    }
}

fn park(turn: &mut Turn<'_>, place: &Place, part: Part, reason: &str) -> Outcome {
    if part == Part::Probe {
        return probe::exhausted(turn, place, reason);
    }
    if let Some(request) = turn.at_mut(place).request_mut(part) {
        request.progress = Progress::Parked;
    }
    turn.park(place, part != Part::Action, reason);
    Outcome::Waits
}
