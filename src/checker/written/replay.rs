//! Follows a run of the explored instance with the real one: real data, real times.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::moves::Move;
use super::super::promises;
use super::super::spots::{Asked, Spot, requests, spots};
use super::bodies::Bodies;
use super::finish::finish;
use super::learn::PARENT;
use super::plan::{Goal, Plan, Planned};
use super::saying::{answers, unsent};
use super::shape::{foreseen, shape};
use super::slots::Source;
use crate::definition::Definition;
use crate::engine::{Life, Progress, Say, StepState};
use crate::message::{Coordinate, InstanceId, Span, Timestamp};
use crate::scenario::{Does, Given, Identity, Rehearsal, Starter};

/// The most times that runs to one end are tried with other data.
const TRIES_MAX: usize = 600;
/// The most timers that are waited for while one request spends its attempts.
const WAKES_MAX: usize = 20_000;

/// Who follows runs with real data.
pub(super) struct Replay<'d> {
    pub definition: &'d Definition,
    pub bodies: &'d Bodies,
}

/// Data other than the plainest: at which move, and which variation.
type Chosen = BTreeMap<usize, usize>;

/// Why a run cannot be followed: at which move, and in words.
struct Lost {
    at: usize,
    why: String,
}

impl Replay<'_> {
    /// Plays one of some runs to the same goal, the plainest that can be.
    ///
    /// # Errors
    /// When no data and no times that were tried lead there: what went wrong first.
    pub fn play(&self, plans: impl Iterator<Item = Plan>) -> Result<Rehearsal, String> {
        let mut tried = Vec::new();
        for plan in plans {
            match self.attempt(&plan, &Chosen::new()) {
                Ok(played) => return Ok(played),
                Err(lost) => tried.push((plan, lost)),
            }
        }
        let mut tries = 0;
        for (plan, lost) in &tried {
            if let Some(played) = self.vary(plan, lost.at, &mut tries) {
                return Ok(played);
            }
        }
        let first = tried.into_iter().next();
        Err(first.map_or_else(|| "no way leads there".to_owned(), |(plan, lost)| lost.words(&plan)))
    }

    /// Plays a run with other data, at one move before it was lost.
    fn vary(&self, plan: &Plan, lost: usize, tries: &mut usize) -> Option<Rehearsal> {
        let said = |at: &usize| says_something(&plan.strides[*at].next);
        for at in (0..plan.strides.len().min(lost + 1)).filter(said) {
            for variation in 1.. {
                *tries += 1;
                if *tries > TRIES_MAX {
                    return None;
                }
                match self.attempt(plan, &Chosen::from([(at, variation)])) {
                    Ok(played) => return Some(played),
                    // There is no such variation.
                    Err(lost) if lost.at == at && lost.why == NO_MORE => break,
                    Err(_) => {}
                }
            }
        }
        None
    }

    /// Plays some moves with the plainest data that they can have.
    ///
    /// # Errors
    /// As [`Self::play`].
    pub fn along(&self, strides: &[Planned]) -> Result<Rehearsal, String> {
        self.follow(strides, &Chosen::new()).map_err(|lost| lost.why)
    }

    fn attempt(&self, plan: &Plan, chosen: &Chosen) -> Result<Rehearsal, Lost> {
        let played = self.follow(&plan.strides, chosen)?;
        match &plan.goal {
            Goal::Anywhere => Ok(played),
            Goal::End(end) => {
                finish(self, played, end).map_err(|why| Lost { at: plan.strides.len(), why })
            }
        }
    }

    fn follow(&self, strides: &[Planned], chosen: &Chosen) -> Result<Rehearsal, Lost> {
        let mut played: Option<Rehearsal> = None;
        let mut held: BTreeMap<InstanceId, String> = BTreeMap::new();
        for (at, stride) in strides.iter().enumerate() {
            let lost = |why: String| Lost { at, why };
            let next = match (&played, &stride.next) {
                (None, Move::Start(_) | Move::StartChild) => {
                    self.begin(stride, chosen.get(&at).copied())
                }
                (Some(before), _) => self.go(before, stride, chosen.get(&at).copied(), &mut held),
                (None, _) => Err("nothing has begun".to_owned()),
            };
            played = Some(next.map_err(lost)?);
        }
        played.ok_or(Lost { at: strides.len(), why: "nothing happens".to_owned() })
    }

    fn begin(&self, stride: &Planned, chosen: Option<usize>) -> Result<Rehearsal, String> {
        let (by, key, source) = if let Move::Start(on) = &stride.next {
            let start = self.definition.starts.iter().find(|start| start.on == *on);
            let keyed = start.is_some_and(|start| start.key.is_some());
            let key = (!keyed).then(|| "k-1".to_owned());
            let by =
                Starter::Event(Identity { on: on.clone(), source: None, id: "given".to_owned() });
            (by, key, Source::Event(on.to_string()))
        } else {
            let key = self.bodies.child_key.clone().unwrap_or_else(|| "parent/child".to_owned());
            (Starter::Parent, Some(key), Source::Event(PARENT.to_owned()))
        };
        let bodies = self.bodies.variations(&source, &json!({}), &[]);
        self.first(&bodies, chosen, stride, 0, |body| {
            let given = Given { line: 0, by: by.clone(), key: key.clone(), body };
            Rehearsal::begin(self.definition, given)
        })
    }

    /// The first variation that leads where the run does; or the one that was chosen, if it does.
    fn first(
        &self,
        bodies: &[Value],
        chosen: Option<usize>,
        stride: &Planned,
        held: usize,
        play: impl Fn(Value) -> Result<Rehearsal, String>,
    ) -> Result<Rehearsal, String> {
        if let Some(chosen) = chosen {
            let body = bodies.get(chosen).cloned().ok_or(NO_MORE)?;
            return play(body).and_then(|played| self.agreed(played, stride, held));
        }
        let mut first = None;
        for body in bodies {
            match play(body.clone()).and_then(|played| self.agreed(played, stride, held)) {
                Ok(played) => return Ok(played),
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(first.unwrap_or_else(|| "there is nothing to say".to_owned()))
    }

    fn agreed(
        &self,
        played: Rehearsal,
        stride: &Planned,
        held: usize,
    ) -> Result<Rehearsal, String> {
        let Some(wanted) = foreseen(self.definition, &stride.after, held) else {
            return Ok(played);
        };
        let seen = played.newest().map(|life| shape(self.definition, life));
        let failure = played.newest().and_then(|life| life.failure.as_ref());
        if let (Some(failure), Some((step, kind))) = (failure, &stride.why)
            && (failure.step != *step || failure.kind.text() != *kind)
        {
            let (step, kind) = (Coordinate::text(failure.step.as_ref()), failure.kind.text());
            return Err(format!("it goes back for another reason: {step} {kind}"));
        }
        match seen {
            None => Err("it is forgotten".to_owned()),
            Some(seen) if seen == wanted => Ok(played),
            Some(seen) => Err(seen.unlike(&wanted)),
        }
    }

    fn go(
        &self,
        before: &Rehearsal,
        stride: &Planned,
        chosen: Option<usize>,
        held: &mut BTreeMap<InstanceId, String>,
    ) -> Result<Rehearsal, String> {
        if let Move::Letter { from, say: Say::Granted { .. }, .. } = &stride.next {
            return match held.remove(from) {
                Some(key) => before.with(Does::Freed(key)),
                None => Ok(before.clone()),
            }
            .and_then(|played| self.agreed(played, stride, held.len()));
        }
        if stride.held.is_empty() {
            return self.step(before, stride, chosen, held.len());
        }
        // Which key it is only shows once it is asked for.
        let free = self.step(before, stride, chosen, held.len())?;
        let mut waiting = before.clone();
        for id in &stride.held {
            let key = self.key_of(&free, stride, id).ok_or("the lock's key is not known")?;
            waiting = waiting.with(Does::Held(key.clone()))?;
            held.insert(id.clone(), key);
        }
        self.step(&waiting, stride, chosen, held.len())
    }

    /// The key that a lock step asks for when it has as many as in the run.
    fn key_of(&self, free: &Rehearsal, stride: &Planned, lock: &InstanceId) -> Option<String> {
        let name = &stride.after.around.partners.get(lock)?.letter.step;
        let foreseen = stride.after.instance.as_ref()?.newest()?;
        let at =
            |life: &Life| spots(self.definition, life).into_iter().find(|spot| spot.name == *name);
        let got = at(foreseen)?.state(foreseen).hold()?.got;
        let real = free.newest()?;
        let locked = at(real)?.state(real).locked()?;
        locked.keys.get(usize::try_from(got).ok()?).map(ToString::to_string)
    }

    /// One move of the run that is no lock's.
    fn step(
        &self,
        before: &Rehearsal,
        stride: &Planned,
        chosen: Option<usize>,
        held: usize,
    ) -> Result<Rehearsal, String> {
        match &stride.next {
            Move::Exhausted(asked) => {
                let over = |life: &Life| !self.is_under_way(life, asked);
                let exact = before.pass_until(WAKES_MAX, over)?;
                let span = rounded(exact.now().since(before.now()));
                let played = before.with(Does::Pass(span));
                let played = played.and_then(|played| self.agreed(played, stride, held));
                played.or_else(|_| self.agreed(exact, stride, held))
            }
            Move::Unsent(asked) => self.agreed(self.never_left(before, asked)?, stride, held),
            Move::Due(spot) => self.until(before, stride, held, self.at(before, spot)?.until),
            Move::Remind(spot) => {
                let at = self.at(before, spot)?.reminder().map(|reminder| reminder.at);
                self.until(before, stride, held, at)
            }
            Move::Deadline => {
                let at = before.newest().and_then(|life| life.deadline);
                self.until(before, stride, held, at)
            }
            Move::Start(_)
            | Move::StartChild
            | Move::Reply { .. }
            | Move::Again { .. }
            | Move::Called { .. }
            | Move::Fact(_)
            | Move::Cancel(_)
            | Move::Act { .. }
            | Move::Letter { .. } => {
                let bodies = self.variations(before, stride)?;
                self.first(&bodies, chosen, stride, held, |body| {
                    before.with(self.does(before, stride, &body)?)
                })
            }
        }
    }

    /// A moment comes: as time passes, or, if something else would come first, by way of an engine
    /// that stands still.
    fn until(
        &self,
        before: &Rehearsal,
        stride: &Planned,
        held: usize,
        at: Option<Timestamp>,
    ) -> Result<Rehearsal, String> {
        let span = at.ok_or("it has no such timer")?.since(before.now());
        let ways = [
            Does::Pass(rounded(span)),
            Does::Pass(span),
            Does::Down(rounded(span)),
            Does::Down(span),
        ];
        let mut first = None;
        for way in ways {
            let played = before.with(way).and_then(|played| self.agreed(played, stride, held));
            match played {
                Ok(played) => return Ok(played),
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(first.unwrap_or_default())
    }

    fn at<'r>(&self, of: &'r Rehearsal, spot: &Spot) -> Result<&'r StepState, String> {
        let life = of.newest().ok_or("it is forgotten")?;
        let all = spots(self.definition, life);
        let found = all.into_iter().find(|own| own.name == spot.name);
        Ok(found.ok_or("no such step was entered")?.state(life))
    }

    /// No attempt of a call leaves, and they are spent.
    fn never_left(&self, before: &Rehearsal, asked: &Asked) -> Result<Rehearsal, String> {
        let mut played = before.clone();
        for _ in 0..WAKES_MAX {
            played = played.with(Does::Called(unsent(answers(&played, asked, None))))?;
            if !played.newest().is_some_and(|life| self.is_under_way(life, asked)) {
                return Ok(played);
            }
            let again = |life: &Life| {
                let all = requests(self.definition, life);
                let own = all.iter().find(|own| is_same(own, asked));
                own.is_none_or(|own| matches!(own.progress, Progress::Waiting(_)))
            };
            played = played.pass_until(WAKES_MAX, again)?;
        }
        Err(NO_END.to_owned())
    }

    fn is_under_way(&self, life: &Life, asked: &Asked) -> bool {
        let all = requests(self.definition, life);
        let found = all.iter().find(|own| is_same(own, asked));
        found.is_some_and(|own| matches!(own.progress, Progress::Waiting(_) | Progress::Pausing(_)))
    }

    /// How it ends, or where it is stuck.
    pub fn ending(&self, of: &Rehearsal) -> Option<super::super::Ending> {
        promises::ending_of(self.definition, of.newest()?)
    }
}

impl Lost {
    fn words(self, plan: &Plan) -> String {
        match plan.strides.get(self.at) {
            Some(_) => format!("move {} of {}: {}", self.at + 1, plan.strides.len(), self.why),
            None => self.why,
        }
    }
}

/// Why a call is given up that is made for ever.
const NO_END: &str = "its attempts are not spent";
/// Why a variation is refused that does not exist.
const NO_MORE: &str = "there are no more variations";

/// Whether two requests are the same one, whatever has become of it.
pub(super) fn is_same(one: &Asked, other: &Asked) -> bool {
    one.spot.name == other.spot.name && one.part == other.part
}

/// Whether somebody says something in a move.
fn says_something(next: &Move) -> bool {
    match next {
        Move::Letter { say, .. } => !matches!(say, Say::Granted { .. }),
        Move::Start(_)
        | Move::StartChild
        | Move::Reply { .. }
        | Move::Again { .. }
        | Move::Called { .. }
        | Move::Fact(_)
        | Move::Cancel(_)
        | Move::Act { .. } => true,
        Move::Exhausted(_) | Move::Unsent(_) | Move::Due(_) | Move::Remind(_) | Move::Deadline => {
            false
        }
    }
}

/// A time that people would write: not shorter, in whole seconds.
fn rounded(span: Span) -> Span {
    Span(span.0.div_ceil(1_000) * 1_000)
}
