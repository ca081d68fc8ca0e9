//! What the names of expressions mean at one place of an instance.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::engine::state::place::Line;
use crate::engine::{Failure, Life, Rejection, StepState};
use crate::expression::{Expression, Name, Scope};
use crate::message::{Event, InstanceId, Timestamp};

/// Something that an expression may read besides what stands in the instance.
pub(in crate::engine) type More<'v> = Option<(Name, &'v Value)>;

/// The meaning of every name in one list of steps.
#[derive(Debug)]
pub(in crate::engine) struct Bound<'g> {
    now: Timestamp,
    key: Value,
    pub data: Cow<'g, Value>,
    failure: Option<Value>,
    item: Option<&'g Value>,
    index: Option<Value>,
    pub branch: Option<Value>,
    fence: Option<Value>,
    more: Option<(Name, &'g Value)>,
}

impl<'g> Bound<'g> {
    pub fn new(id: &InstanceId, life: &'g Life, line: &Line, now: Timestamp) -> Self {
        let key = Value::String(id.key.as_str().to_owned());
        let mut bound = Self {
            now,
            key,
            data: Cow::Borrowed(&life.data),
            failure: None,
            item: None,
            index: None,
            branch: None,
            fence: None,
            more: None,
        };
        let mut failure = life.failure.as_ref();
        for frame in line.branches(&life.frame) {
            failure = frame.failure.as_deref().or(failure);
            if let Some(item) = &frame.item {
                bound.item = Some(item);
                bound.index = Some(Value::from(frame.index));
                bound.branch = Some(Value::Object(frame.fields.clone()));
            } else if !frame.fields.is_empty() {
                bound.overlay(&frame.fields);
            }
        }
        let holds = line.owners(&life.frame).filter_map(|owner: &StepState| owner.hold());
        bound.fence = holds.last().map(|hold| Value::from(hold.fence));
        bound.failure = failure.map(Failure::value);
        bound
    }

    /// What a branch of a race has set lies over what it would set.
    fn overlay(&mut self, fields: &Map<String, Value>) {
        for (name, value) in fields {
            self.set(name, value.clone());
        }
    }

    /// Sets a field where a step here would set it, to be read by what follows.
    pub fn set(&mut self, name: &str, value: Value) {
        let target = self.branch.as_mut().unwrap_or_else(|| self.data.to_mut());
        if let Value::Object(fields) = target {
            fields.insert(name.to_owned(), value);
        }
    }

    /// Adds what a step's late answer has set, for what undoes that step.
    pub fn knowing(mut self, late: Option<&Map<String, Value>>) -> Self {
        if let Some(fields) = late {
            self.overlay(fields);
        }
        self
    }

    /// Gives one more name its value: an event, an answer, a child.
    pub fn with(mut self, more: Option<(Name, &'g Value)>) -> Self {
        self.more = more;
        self
    }

    pub fn scope(&self) -> Scope<'_> {
        let mut scope = Scope::at(self.now).with(Name::Data, &self.data).with(Name::Key, &self.key);
        let optional = [
            (Name::Failure, self.failure.as_ref()),
            (Name::Item, self.item),
            (Name::Index, self.index.as_ref()),
            (Name::Branch, self.branch.as_ref()),
            (Name::Fence, self.fence.as_ref()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                scope = scope.with(name, value);
            }
        }
        match self.more {
            Some((name, value)) => scope.with(name, value),
            None => scope,
        }
    }
}

/// Whether a `where` over event and data holds; true if there is none. `late` is what a late answer
/// has set that it may read.
///
/// # Errors
/// When it has no answer.
pub(in crate::engine) fn holds(
    condition: Option<&Expression>,
    id: &InstanceId,
    life: &Life,
    (line, late): (&Line, Option<&Map<String, Value>>),
    event: &Event,
    now: Timestamp,
) -> Result<bool, Rejection> {
    let Some(condition) = condition else {
        return Ok(true);
    };
    let bound = Bound::new(id, life, line, now).knowing(late);
    let bound = bound.with(Some((Name::Event, &event.body)));
    condition
        .holds(&bound.scope())
        .map_err(|e| Rejection::Refused(format!("{}: `where` has no answer: {e}", event.address)))
}
