//! Writes a broken promise as a scenario that fails.

use super::super::edge::Stride;
use super::super::explore::Explored;
use super::super::moves::Move;
use super::super::promise::{Broken, Promise};
use super::super::world::World;
use super::plan::{Goal, Plan, Planned};
use super::replay::Replay;
use super::saying::told;
use crate::engine::{Direction, Status};
use crate::message::Span;
use crate::scenario::{self, Answers, Declined, Does, How, Rehearsal, Scenario, Stand, Told};

/// Longer than anything that a saga may wait for.
const VERY_LONG: Span = Span::hours(24 * 365);

/// The run to a broken promise, and behind it what should be true and is not.
///
/// # Errors
/// When no data and times that were tried show it, in words.
pub(super) fn scenario(
    replay: &Replay<'_>,
    world: &World,
    explored: &Explored,
    (broken, at, last): &(Broken, usize, Option<Stride>),
    number: usize,
) -> Result<Scenario, String> {
    let mut run = explored.run(*at);
    run.extend(last.clone());
    let plan = Plan::of(world, &run, Goal::Anywhere);
    let is_unnamed = broken.promise == Promise::Answered && plan.refused.is_none();
    let (played, last) = match plan.strides.split_last() {
        Some((last, rest)) if is_unnamed => unnamed(replay, rest, last)?,
        Some((last, rest)) if broken.promise == Promise::Once => twice(replay, rest, last)?,
        Some(_) | None => {
            let played = replay.play(std::iter::once(plan.clone()))?;
            let last = should(replay, &plan, broken.promise, &played)?;
            (played, last)
        }
    };
    let file = super::named(&format!("broken-{number} {:?} {}", broken.promise, broken.step));
    let scenario = played.scenario(format!("broken: {}", broken.words), file.to_lowercase(), last);
    if scenario::run(replay.definition, &scenario).passed() {
        return Err("with real data and times it is kept".to_owned());
    }
    Ok(scenario)
}

/// What should be true at the end of a run.
fn should(
    replay: &Replay<'_>,
    plan: &Plan,
    promise: Promise,
    played: &Rehearsal,
) -> Result<Vec<Does>, String> {
    if let Some(refused) = &plan.refused {
        return Ok(vec![replay.refused(played, refused)?]);
    }
    let back = played.newest().is_some_and(|g| g.direction == Direction::Back);
    let so = |how| vec![Does::End(Stand { how, at: None, because: None, undoing: None })];
    Ok(match promise {
        Promise::Waits | Promise::Ends => [vec![Does::Pass(VERY_LONG)], so(How::Ended)].concat(),
        // It is stuck, or has ended, and should go on.
        Promise::Filled | Promise::Answered | Promise::Undone | Promise::LetGo if back => {
            so(How::Is(Status::Compensating))
        }
        Promise::Filled
        | Promise::Answered
        | Promise::Undone
        | Promise::LetGo
        | Promise::Complete
        | Promise::Silent
        | Promise::Once => so(How::Is(Status::Running)),
    })
}

/// An answer that does not name its command should do what the one does that names it.
fn unnamed(
    replay: &Replay<'_>,
    rest: &[Planned],
    last: &Planned,
) -> Result<(Rehearsal, Vec<Does>), String> {
    let Move::Reply { address, .. } = &last.next else {
        return Err("it is no answer".to_owned());
    };
    let before = replay.along(rest)?;
    let Does::Event(named) = replay.refused(&before, last)? else {
        return Err("it is no answer".to_owned());
    };
    let after = before.with(Does::Event(named.clone()))?;
    let unnamed = Does::Event(told(address, named.body, Answers::ByKey));
    let meant = after.last().filter(|does| matches!(does, Does::Expect(_))).cloned();
    let meant = meant.unwrap_or_else(|| Does::Expect(Vec::new()));
    Ok((before, vec![unnamed, meant]))
}

/// What comes a second time should be declined.
fn twice(
    replay: &Replay<'_>,
    rest: &[Planned],
    last: &Planned,
) -> Result<(Rehearsal, Vec<Does>), String> {
    let before = replay.along(rest)?;
    let Does::Event(event) = replay.refused(&before, last)? else {
        return Err("only events are told twice".to_owned());
    };
    let declined = Does::Rejected(Declined::Duplicate);
    if matches!(last.next, Move::Again { .. }) {
        return Ok((before, vec![Does::Event(event), declined]));
    }
    let event = Does::Event(Told { id: Some("twice".to_owned()), ..event });
    let after = before.with(event.clone())?;
    Ok((after, vec![event, declined]))
}
