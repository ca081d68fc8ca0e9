//! Says the moves of a run as a scenario does: events, answers, acts, what children say.

use serde_json::{Map, Value, json};

use super::super::moves::Move;
use super::super::spots::Asked;
use super::plan::Planned;
use super::replay::Replay;
use super::slots::Source;
use crate::engine::{CallOutcome, Verb};
use crate::expression::Name;
use crate::message::{Address, Coordinate, InstanceId, Part};
use crate::scenario::{Acted, Answers, ChildSays, Does, Rehearsal, Returned, ToParent, Told};

impl Replay<'_> {
    /// What can be said in a move, the plainest first.
    pub(super) fn variations(
        &self,
        before: &Rehearsal,
        stride: &Planned,
    ) -> Result<Vec<Value>, String> {
        let mut fixed = Vec::new();
        let source = match &stride.next {
            Move::Reply { address, .. } | Move::Again { address, .. } => {
                Source::Event(address.to_string())
            }
            Move::Called { asked, .. } => Source::Call(asked.spot.name.step.to_string()),
            Move::Fact(address) | Move::Cancel(address) => {
                fixed = self.key_fields(before, address);
                Source::Event(address.to_string())
            }
            Move::Act { step, .. } => Source::Answer(name_of(step.as_ref())),
            Move::Letter { from, .. } => Source::Child(name_of(asking(stride, from))),
            Move::Start(_)
            | Move::StartChild
            | Move::Exhausted(_)
            | Move::Unsent(_)
            | Move::Due(_)
            | Move::Remind(_)
            | Move::Deadline => return Err("nobody says anything".to_owned()),
        };
        let data = before.newest().map_or(Value::Null, |life| life.data.clone());
        Ok(self.bodies.variations(&source, &data, &fixed))
    }

    /// A move as a scenario says it.
    pub(super) fn does(
        &self,
        before: &Rehearsal,
        stride: &Planned,
        body: &Value,
    ) -> Result<Does, String> {
        Ok(match &stride.next {
            Move::Reply { asked, address } | Move::Again { asked, address } => {
                let answers = answers(before, asked, Some(address));
                Does::Event(told(address, body.clone(), answers))
            }
            Move::Called { asked, status } => {
                Does::Called(called(*status, body, answers(before, asked, None)))
            }
            Move::Fact(address) | Move::Cancel(address) => {
                Does::Event(told(address, body.clone(), Answers::Latest))
            }
            Move::Act { step, verb } => self.acted(before, step.as_ref(), verb, body),
            Move::Letter { from, say, .. } => {
                let says = ToParent::of(say).ok_or("a child does not say that")?;
                let data = body.get("data").cloned().unwrap_or_else(|| json!({}));
                Does::Child(says_of(&Coordinate::text(asking(stride, from)), says, data))
            }
            Move::Start(_)
            | Move::StartChild
            | Move::Exhausted(_)
            | Move::Unsent(_)
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

    /// What must stand in an event so that it finds its instance.
    fn key_fields(&self, of: &Rehearsal, address: &Address) -> Vec<(Vec<String>, Value)> {
        let cancel = self.definition.cancel.iter().find(|cancel| cancel.on == *address);
        let rule = self.definition.rule(address);
        let key = cancel.and_then(|c| c.key.as_ref()).or(rule.and_then(|r| r.key.as_ref()));
        let Some(key) = key else { return Vec::new() };
        match key.path() {
            Some(path) if path.name == Name::Event && !path.fields.is_empty() => {
                vec![(path.fields.clone(), Value::from(of.id().key.as_str()))]
            }
            Some(_) | None => Vec::new(),
        }
    }

    fn acted(
        &self,
        of: &Rehearsal,
        step: Option<&Coordinate>,
        verb: &Verb,
        answer: &Value,
    ) -> Does {
        let data = of.newest().map_or(Value::Null, |life| life.data.clone());
        let verb = match verb {
            Verb::ResolveDone(fields) => Verb::ResolveDone(self.bodies.known(fields, &data)),
            Verb::Answer { choice, .. } => {
                let data = answer.get("data").and_then(Value::as_object).cloned();
                let note = answer.get("note").and_then(Value::as_str).unwrap_or_default();
                let (choice, note) = (choice.clone(), note.to_owned());
                Verb::Answer { choice, note, data: data.unwrap_or_default() }
            }
            Verb::Retry
            | Verb::Skip
            | Verb::ResolveNotDone
            | Verb::GoBack
            | Verb::Cancel
            | Verb::Pause
            | Verb::Resume
            | Verb::SetData(_) => verb.clone(),
        };
        let is_answer = matches!(verb, Verb::Answer { .. });
        let why = if is_answer { "" } else { "they know more than the engine does" }.to_owned();
        Does::Act(Acted { verb, step: Coordinate::text(step), by: "somebody".to_owned(), why })
    }
}

/// The name of a step without its branch.
fn name_of(step: Option<&Coordinate>) -> String {
    step.map(|step| step.step.to_string()).unwrap_or_default()
}

/// An event.
pub(super) fn told(on: &Address, body: Value, answers: Answers) -> Told {
    Told { on: on.clone(), key: None, source: None, id: None, body, answers }
}

/// A call that surely never left.
pub(super) fn unsent(answers: Answers) -> Returned {
    let outcome = CallOutcome::Failed { reason: "nobody listens".to_owned(), unsent: true };
    Returned { command: named(answers), outcome }
}

fn named(answers: Answers) -> Option<String> {
    match answers {
        Answers::Command(command) => Some(command),
        Answers::Latest | Answers::ByKey => None,
    }
}

/// What a child says.
pub(super) fn says_of(step: &str, says: ToParent, data: Value) -> ChildSays {
    let data = if says == ToParent::Completed { data } else { Value::Object(Map::new()) };
    let is_rejection = says == ToParent::Compensated;
    let reason = if is_rejection { "the child said no" } else { "no reason given" }.to_owned();
    ChildSays { step: step.to_owned(), says, data, reason }
}

/// How an answer names the request that it is for; not at all where that is plain.
pub(super) fn answers(of: &Rehearsal, asked: &Asked, on: Option<&Address>) -> Answers {
    let part = match asked.part {
        Part::Action => String::new(),
        Part::Probe => "~probe".to_owned(),
        Part::Undo(1) => "~undo".to_owned(),
        Part::Undo(run) => format!("~undo.{run}"),
    };
    match of.latest(on) {
        Some((latest, part)) if latest.step() == Some(&asked.spot.name) && part == asked.part => {
            Answers::Latest
        }
        Some(_) | None => Answers::Command(format!("{}{part}/1", asked.spot.name)),
    }
}

/// The step of whoever a child answers.
fn asking<'s>(stride: &'s Planned, child: &InstanceId) -> Option<&'s Coordinate> {
    stride.before.around.partners.get(child).map(|partner| &partner.letter.step)
}

/// What came of a call; what is read of its event stands in `event.body`.
pub(super) fn called(status: u16, event: &Value, answers: Answers) -> Returned {
    let body = event.get("body").cloned().unwrap_or(Value::Null);
    Returned {
        command: named(answers),
        outcome: CallOutcome::Answered { status, headers: Vec::new(), body },
    }
}
