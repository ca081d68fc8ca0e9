//! Follows a run of the explored instance with the real one: real data, real times.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::moves::Move;
use super::super::promises;
use super::super::spots::{Asked, Spot, requests, spots};
use super::bodies::Bodies;
use super::finish::finish;
use super::learn::PARENT;
use super::plan::{Goal, Plan, Planned};
use super::shape::{foreseen, shape};
use super::slots::Source;
use crate::definition::Definition;
use crate::engine::{CallOutcome, Generation, Progress, Say, StepState, Verb};
use crate::message::{Address, InstanceId, Part, Span, Timestamp};
use crate::scenario::{
    Acted, Answers, ChildSays, Does, Given, Rehearsal, Returned, Starter, ToParent, Told,
};

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
        let (by, key, source) = match &stride.next {
            Move::Start(on) => {
                let start = self.definition.starts.iter().find(|start| start.on == *on);
                let keyed = start.is_some_and(|start| start.key.is_some());
                let key = (!keyed).then(|| "k-1".to_owned());
                let by = Starter::Event(on.clone(), "given".to_owned());
                (by, key, Source::Event(on.to_string()))
            }
            _ => {
                let key =
                    self.bodies.child_key.clone().unwrap_or_else(|| "parent/child".to_owned());
                (Starter::Parent, Some(key), Source::Event(PARENT.to_owned()))
            }
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
        let seen = played.newest().map(|generation| shape(self.definition, generation));
        let failure = played.newest().and_then(|generation| generation.failure.as_ref());
        if let (Some(failure), Some((step, kind))) = (failure, &stride.why)
            && (failure.step != *step || failure.kind.text() != *kind)
        {
            let kind = failure.kind.text();
            return Err(format!("it goes back for another reason: {} {kind}", failure.step));
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
        let at = |generation: &Generation| {
            spots(self.definition, generation).into_iter().find(|spot| spot.name == *name)
        };
        let got = at(foreseen)?.state(foreseen).hold?.got;
        let real = free.newest()?;
        at(real)?.state(real).keys.get(usize::try_from(got).ok()?).cloned()
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
                let over = |generation: &Generation| !self.is_sent(generation, asked);
                let exact = before.pass_until(WAKES_MAX, over)?;
                let span = rounded(exact.now().since(before.now()));
                let played = before.with(Does::Pass(span));
                let played = played.and_then(|played| self.agreed(played, stride, held));
                played.or_else(|_| self.agreed(exact, stride, held))
            }
            Move::Due(spot) => self.until(before, stride, held, self.at(before, spot)?.until),
            Move::Remind(spot) => {
                let at = self.at(before, spot)?.remind.map(|remind| remind.at);
                self.until(before, stride, held, at)
            }
            Move::Deadline => {
                let at = before.newest().and_then(|generation| generation.deadline);
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

    /// What can be said in a move, the plainest first.
    fn variations(&self, before: &Rehearsal, stride: &Planned) -> Result<Vec<Value>, String> {
        let mut fixed = Vec::new();
        let source = match &stride.next {
            Move::Reply { address, .. } | Move::Again { address, .. } => {
                Source::Event(address.to_string())
            }
            Move::Called { asked, .. } => Source::Call(step_of(&asked.spot.name).to_owned()),
            Move::Fact(address) | Move::Cancel(address) => {
                fixed = self.key_fields(before, address);
                Source::Event(address.to_string())
            }
            Move::Act { step, .. } => Source::Answer(step_of(step).to_owned()),
            Move::Letter { from, .. } => Source::Child(step_of(&asking(stride, from)).to_owned()),
            Move::Start(_)
            | Move::StartChild
            | Move::Exhausted(_)
            | Move::Due(_)
            | Move::Remind(_)
            | Move::Deadline => return Err("nobody says anything".to_owned()),
        };
        let data = before.newest().map_or(Value::Null, |generation| generation.data.clone());
        Ok(self.bodies.variations(&source, &data, &fixed))
    }

    /// A move as a scenario says it.
    fn does(&self, before: &Rehearsal, stride: &Planned, body: &Value) -> Result<Does, String> {
        Ok(match &stride.next {
            Move::Reply { asked, address } | Move::Again { asked, address } => {
                let answers = self.answers(before, asked, Some(address));
                Does::Event(told(address, body.clone(), answers))
            }
            Move::Called { asked, status } => {
                Does::Called(called(*status, body, self.answers(before, asked, None)))
            }
            Move::Fact(address) | Move::Cancel(address) => {
                Does::Event(told(address, body.clone(), Answers::Latest))
            }
            Move::Act { step, verb } => self.acted(before, step, verb, body),
            Move::Letter { from, say, .. } => {
                let says = child_word(say).ok_or("a child does not say that")?;
                let data = body.get("data").cloned().unwrap_or_else(|| json!({}));
                Does::Child(says_of(&asking(stride, from), says, data))
            }
            Move::Start(_)
            | Move::StartChild
            | Move::Exhausted(_)
            | Move::Due(_)
            | Move::Remind(_)
            | Move::Deadline => return Err("nobody says anything".to_owned()),
        })
    }

    /// The move that the engine refuses, as a scenario says it.
    ///
    /// # Errors
    /// When it is none that somebody says.
    pub fn refused(&self, before: &Rehearsal, stride: &Planned) -> Result<Does, String> {
        let bodies = self.variations(before, stride)?;
        self.does(before, stride, bodies.first().ok_or("there is nothing to say")?)
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
        let generation = of.newest().ok_or("it is forgotten")?;
        let all = spots(self.definition, generation);
        let found = all.into_iter().find(|own| own.name == spot.name);
        Ok(found.ok_or("no such step was entered")?.state(generation))
    }

    fn is_sent(&self, generation: &Generation, asked: &Asked) -> bool {
        let all = requests(self.definition, generation);
        let found = all.iter().find(|own| is_same(own, asked));
        found.is_some_and(|own| matches!(own.progress, Progress::Waiting(_) | Progress::Pausing(_)))
    }

    /// How an answer names the request that it is for; not at all where that is plain.
    pub fn answers(&self, of: &Rehearsal, asked: &Asked, on: Option<&Address>) -> Answers {
        let part = match asked.part {
            Part::Action => String::new(),
            Part::Probe => "~probe".to_owned(),
            Part::Undo(1) => "~undo".to_owned(),
            Part::Undo(run) => format!("~undo.{run}"),
        };
        match of.latest(on) {
            Some((step, latest)) if step == asked.spot.name && latest == asked.part => {
                Answers::Latest
            }
            Some(_) | None => Answers::Command(format!("{}{part}/1", asked.spot.name)),
        }
    }

    /// What must stand in an event so that it finds its instance.
    fn key_fields(&self, of: &Rehearsal, address: &Address) -> Vec<(Vec<String>, Value)> {
        let cancel = self.definition.cancel.iter().find(|cancel| cancel.on == *address);
        let rule = self.definition.rule(address);
        let key = cancel.and_then(|c| c.key.as_ref()).or(rule.and_then(|r| r.key.as_ref()));
        let Some(key) = key else { return Vec::new() };
        let path: Vec<String> = key.source().split('.').map(str::to_owned).collect();
        match path.split_first() {
            Some((name, fields)) if name == "event" && !fields.is_empty() => {
                vec![(fields.to_vec(), Value::from(of.id().key.as_str()))]
            }
            _ => Vec::new(),
        }
    }

    fn acted(&self, of: &Rehearsal, step: &str, verb: &Verb, answer: &Value) -> Does {
        let data = of.newest().map_or(Value::Null, |generation| generation.data.clone());
        let verb = match verb {
            Verb::ResolveDone(fields) => Verb::ResolveDone(self.bodies.known(fields, &data)),
            Verb::Answer { choice, .. } => {
                let data = answer.get("data").and_then(Value::as_object).cloned();
                let note = answer.get("note").and_then(Value::as_str).unwrap_or_default();
                let (choice, note) = (choice.clone(), note.to_owned());
                Verb::Answer { choice, note, data: data.unwrap_or_default() }
            }
            other => other.clone(),
        };
        let why = match verb {
            Verb::Answer { .. } => String::new(),
            _ => "they know more than the engine does".to_owned(),
        };
        Does::Act(Acted { verb, step: step.to_owned(), by: "somebody".to_owned(), why })
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

/// Why a variation is refused that does not exist.
const NO_MORE: &str = "there are no more variations";

/// Whether two requests are the same one, whatever has become of it.
pub(super) fn is_same(one: &Asked, other: &Asked) -> bool {
    one.spot.name == other.spot.name && one.part == other.part
}

/// The name of a step without its branch.
pub(super) fn step_of(coordinate: &str) -> &str {
    coordinate.split('[').next().unwrap_or_default()
}

/// An event.
pub(super) fn told(on: &Address, body: Value, answers: Answers) -> Told {
    Told { on: on.clone(), key: None, id: None, body, answers }
}

/// What a child says.
pub(super) fn says_of(step: &str, says: ToParent, data: Value) -> ChildSays {
    let data = if says == ToParent::Completed { data } else { Value::Object(Map::new()) };
    let reason = match says {
        ToParent::Compensated => "the child said no".to_owned(),
        _ => "no reason given".to_owned(),
    };
    ChildSays { step: step.to_owned(), says, data, reason }
}

fn child_word(say: &Say) -> Option<ToParent> {
    match say {
        Say::Ended { completed: true, .. } => Some(ToParent::Completed),
        Say::Ended { completed: false, .. } => Some(ToParent::Compensated),
        Say::Taken => Some(ToParent::Taken),
        Say::TakenBack => Some(ToParent::TakenBack),
        Say::Kept => Some(ToParent::Kept),
        _ => None,
    }
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
        Move::Exhausted(_) | Move::Due(_) | Move::Remind(_) | Move::Deadline => false,
    }
}

/// The step of whoever a child answers.
fn asking(stride: &Planned, child: &InstanceId) -> String {
    let partner = stride.before.around.partners.get(child);
    partner.map(|partner| partner.letter.step.clone()).unwrap_or_default()
}

/// What came of a call; what is read of its event stands in `event.body`.
pub(super) fn called(status: u16, event: &Value, answers: Answers) -> Returned {
    let command = match answers {
        Answers::Command(command) => Some(command),
        Answers::Latest | Answers::ByKey => None,
    };
    let body = event.get("body").cloned().unwrap_or(Value::Null);
    Returned { command, outcome: CallOutcome::Answered { status, headers: Vec::new(), body } }
}

/// A time that people would write: not shorter, in whole seconds.
fn rounded(span: Span) -> Span {
    Span(span.0.div_ceil(1_000) * 1_000)
}
