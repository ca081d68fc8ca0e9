//! Brings a saga that goes back to its end, everybody doing what is asked of them.

use serde_json::{Value, json};

use super::super::Ending;
use super::super::moves::{addresses, statuses};
use super::super::spots::{requests, step};
use super::replay::Replay;
use super::saying::{self, called, says_of, told};
use super::slots::Source;
use crate::engine::{Direction, Progress};
use crate::message::Part;
use crate::scenario::{Does, Rehearsal, ToParent};

/// The most steps that the way back takes.
const STEPS_MAX: usize = 200;

/// Plays on to an end.
///
/// # Errors
/// When it comes to another.
pub(super) fn finish(
    replay: &Replay<'_>,
    played: Rehearsal,
    end: &Ending,
) -> Result<Rehearsal, String> {
    let mut played = played;
    for _ in 0..STEPS_MAX {
        let seen = replay.ending(&played);
        if seen.as_ref() == Some(end) {
            return Ok(played);
        }
        let back = played.newest().is_some_and(|g| g.direction == Direction::Back);
        if seen.is_some() || !back || !matches!(end, Ending::Compensated { .. }) {
            let seen = seen.map_or_else(|| "none".to_owned(), |seen| seen.to_string());
            return Err(format!("it comes to another end: {seen}"));
        }
        played = onwards(replay, &played)?;
    }
    Err(format!("it has not ended after {STEPS_MAX} steps"))
}

/// One more thing that somebody does about the way back.
fn onwards(replay: &Replay<'_>, played: &Rehearsal) -> Result<Rehearsal, String> {
    for does in answers(replay, played) {
        if let Ok(next) = played.with(does) {
            return Ok(next);
        }
    }
    let due = played.due().ok_or("nothing happens any more")?;
    played.with(Does::Pass(due.since(played.now())))
}

/// What answers what was asked on the way back.
fn answers(replay: &Replay<'_>, played: &Rehearsal) -> Vec<Does> {
    let Some(life) = played.newest() else { return Vec::new() };
    let mut found = Vec::new();
    for asked in requests(replay.definition, life) {
        let open = matches!(asked.progress, Progress::Waiting(_) | Progress::Pausing(_));
        if !open || asked.part == Part::Action {
            continue;
        }
        let step = step(replay.definition, life, &asked.spot);
        let (done, absent) = addresses(step, asked.part);
        // A probe that finds nothing leaves nothing to undo.
        for address in absent.iter().chain(&done) {
            let source = Source::Event(address.to_string());
            let answers = saying::answers(played, &asked, Some(address));
            let bodies = replay.bodies.variations(&source, &life.data, &[]);
            let event = |body: Value| Does::Event(told(address, body, answers.clone()));
            found.extend(bodies.into_iter().map(event));
        }
        for status in statuses(step, asked.part) {
            let source = Source::Call(asked.spot.name.step.to_string());
            let answers = saying::answers(played, &asked, None);
            for event in replay.bodies.variations(&source, &life.data, &[]) {
                found.push(Does::Called(called(status, &event, answers.clone())));
            }
        }
    }
    for step in played.taken_back() {
        found.push(Does::Child(says_of(&step, ToParent::TakenBack, json!({}))));
    }
    found
}
