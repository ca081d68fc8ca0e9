use serde_json::{Map, Value};

use super::limits::{DATA_BYTES_MAX, MESSAGE_BYTES_MAX, REASON_BYTES_MAX};
use super::{Effect, Failure, Generation, Message, Note, NoteKind, Rejection, Stuck};
use crate::definition::{Assignment, Definition, Fact, Request, Step, StepId};
use crate::expression::{Error, Expression, Name, Scope, Template};
use crate::message::{Address, CommandId, Event, InstanceId, Part, StepName, Timestamp};

/// What a step has become so far: effects in their order, and the notes beside them.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub effects: Vec<Effect>,
    pub notes: Vec<Note>,
}

/// One generation under a handler's hands, with what it may read and write.
pub(super) struct Turn<'a> {
    pub definition: &'a Definition,
    pub id: &'a InstanceId,
    pub generation: &'a mut Generation,
    pub now: Timestamp,
    pub out: &'a mut Out,
}

/// The half of a message that its sender decides.
pub(super) struct Addressed<'t> {
    pub to: &'t Address,
    pub key: Option<&'t Expression>,
    pub with: Option<&'t Template>,
    pub headers: &'t [(String, Template)],
}

impl<'t> From<&'t Request> for Addressed<'t> {
    fn from(r: &'t Request) -> Self {
        Self { to: &r.command, key: r.key.as_ref(), with: r.with.as_ref(), headers: &r.headers }
    }
}

impl<'t> From<&'t Fact> for Addressed<'t> {
    fn from(f: &'t Fact) -> Self {
        Self { to: &f.to, key: f.key.as_ref(), with: f.with.as_ref(), headers: &f.headers }
    }
}

impl<'a> Turn<'a> {
    /// The definition of a step, alive independently of this turn.
    pub fn step(&self, id: StepId) -> &'a Step {
        self.definition.step(id)
    }

    pub fn note(&mut self, step: Option<&StepName>, kind: NoteKind, words: impl Into<String>) {
        self.out.notes.push(Note {
            generation: self.generation.number,
            step: step.cloned(),
            kind,
            words: words.into(),
        });
    }

    /// The id of an attempt at a step's action or undoing, or of the fact that it tells.
    pub fn command_id(&self, step: &StepName, part: Part, attempt: u32) -> CommandId {
        CommandId {
            instance: self.id.clone(),
            generation: self.generation.number,
            step: step.as_str().to_owned(),
            part,
            attempt,
        }
    }

    /// Fills a message from the data as it stands.
    pub fn fill(
        &self,
        id: CommandId,
        undoes: Option<String>,
        what: &Addressed<'_>,
    ) -> Result<Message, String> {
        let key = Value::String(self.id.key.as_str().to_owned());
        let failure = self.generation.failure.as_ref().map(failure_value);
        let mut scope =
            Scope::at(self.now).with(Name::Data, &self.generation.data).with(Name::Key, &key);
        if let Some(failure) = &failure {
            scope = scope.with(Name::Failure, failure);
        }
        let filled =
            |part: &str, e: Error| format!("`{part}` of {} cannot be filled: {e}", what.to);
        let body = match what.with {
            Some(template) => template.render(&scope).map_err(|e| filled("with", e))?,
            None => Value::Object(Map::new()),
        };
        if size(&body) > MESSAGE_BYTES_MAX {
            let limit = MESSAGE_BYTES_MAX / 1024;
            return Err(format!("the body of {} is larger than {limit} KiB", what.to));
        }
        let record_key = match what.key {
            Some(key) => key.text(&scope).map_err(|e| filled("key", e))?,
            None => self.id.key.as_str().to_owned(),
        };
        let mut headers = Vec::with_capacity(what.headers.len());
        for (name, template) in what.headers {
            let text = template.text(&scope).map_err(|e| filled("headers", e))?;
            headers.push((name.clone(), text));
        }
        Ok(Message { id, undoes, to: what.to.clone(), key: record_key, headers, body })
    }

    /// Fills a text, such as a reason.
    pub fn text(&self, template: &Template) -> Result<String, String> {
        let key = Value::String(self.id.key.as_str().to_owned());
        let scope =
            Scope::at(self.now).with(Name::Data, &self.generation.data).with(Name::Key, &key);
        template.text(&scope).map_err(|e| e.to_string())
    }

    /// The data after some assignments, each of which sees the ones before it; nothing changes yet.
    pub fn assigned(
        &self,
        assignments: &[Assignment],
        event: Option<&Event>,
    ) -> Result<Option<Value>, String> {
        if assignments.is_empty() {
            return Ok(None);
        }
        let key = Value::String(self.id.key.as_str().to_owned());
        let mut data = self.generation.data.clone();
        for assignment in assignments {
            let mut scope = Scope::at(self.now).with(Name::Data, &data).with(Name::Key, &key);
            if let Some(event) = event {
                scope = scope.with(Name::Event, &event.body);
            }
            let value = assignment
                .value
                .evaluate(&scope)
                .map_err(|e| format!("`set: {}` has no value: {e}", assignment.field))?;
            if let Value::Object(fields) = &mut data {
                fields.insert(assignment.field.clone(), value);
            }
        }
        within_limit(&data)?;
        Ok(Some(data))
    }

    /// Marks a step's place in the order of completions.
    pub fn completion(&mut self) -> u32 {
        self.generation.completions += 1;
        self.generation.completions
    }

    /// Parks a step: a person must act.
    pub fn park(&mut self, step: StepId, undoing: bool, reason: &str) {
        let name = &self.step(step).name;
        let reason = shortened(reason);
        self.note(Some(name), NoteKind::Stuck, reason.clone());
        let same = |s: &&mut Stuck| (s.step, s.undoing) == (step, undoing);
        if let Some(stuck) = self.generation.stuck.iter_mut().find(same) {
            // Both undoings of a step failed: people have been told.
            stuck.reason = reason;
            return;
        }
        let stuck = Stuck { step, branch: Vec::new(), undoing, since: self.now, reason };
        super::handler::finish::tell_stuck(self, name, &stuck);
        self.generation.stuck.push(stuck);
    }

    /// Takes back a parking.
    pub fn unpark(&mut self, step: StepId, undoing: bool) {
        self.generation.stuck.retain(|s| (s.step, s.undoing) != (step, undoing));
    }
}

/// Whether a `where` over event and data holds; true if there is none.
///
/// # Errors
/// When it has no answer.
pub(super) fn holds(
    condition: Option<&Expression>,
    data: &Value,
    id: &InstanceId,
    event: &Event,
    now: Timestamp,
) -> Result<bool, Rejection> {
    let Some(condition) = condition else {
        return Ok(true);
    };
    let key = Value::String(id.key.as_str().to_owned());
    let scope =
        Scope::at(now).with(Name::Data, data).with(Name::Key, &key).with(Name::Event, &event.body);
    condition
        .holds(&scope)
        .map_err(|e| Rejection::Refused(format!("{}: `where` has no answer: {e}", event.address)))
}

/// What `failure` reads as in expressions.
pub(super) fn failure_value(failure: &Failure) -> Value {
    let mut fields = Map::new();
    fields.insert("step".to_owned(), Value::String(failure.step.clone()));
    fields.insert("kind".to_owned(), Value::String(failure.kind.text().to_owned()));
    fields.insert("reason".to_owned(), Value::String(failure.reason.clone()));
    Value::Object(fields)
}

/// Refuses data that outgrew its limit.
pub(super) fn within_limit(data: &Value) -> Result<(), String> {
    let limit = DATA_BYTES_MAX / 1024;
    if size(data) <= DATA_BYTES_MAX {
        Ok(())
    } else {
        Err(format!("the saga's data would be larger than {limit} KiB; remember less"))
    }
}

/// About how many bytes of JSON a value is.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.as_str().len() + 1,
        Value::String(text) => text.len() + 3,
        Value::Array(items) => 2 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => {
            2 + fields.iter().map(|(name, field)| name.len() + 4 + size(field)).sum::<usize>()
        }
    }
}

/// A reason, cut at its limit.
pub(super) fn shortened(reason: &str) -> String {
    if reason.len() <= REASON_BYTES_MAX {
        return reason.to_owned();
    }
    let cut = (0..=REASON_BYTES_MAX).rev().find(|i| reason.is_char_boundary(*i)).unwrap_or(0);
    format!("{}…", &reason[..cut])
}
