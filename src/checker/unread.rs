//! Fields that no condition, list, key or moment reads: whoever has set them, it is all the same.
//!
//! What such a field was set to goes into messages alone, and what a message says decides nothing.
//! Whether it was set does, for a message that reads what is not there cannot be sent. So does what
//! kind of value it is, for not every one can be written as text: tokens are exchanged for each
//! other, all else stays.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::value::constant;
use crate::definition::{Definition, PlacedExpression, Role};
use crate::engine::{Frame, Life};
use crate::expression::Name;

/// The fields whose values decide nothing; whether they are set may.
#[derive(Debug, Default)]
pub(super) struct Unread {
    fields: BTreeSet<String>,
    /// The texts that are written in the definition: they are no tokens.
    texts: BTreeSet<String>,
}

impl Unread {
    pub fn of(definition: &Definition) -> Self {
        let expressions = definition.expressions();
        let Some(read) = deciding(&expressions) else { return Self::default() };
        let filled = expressions.iter().filter_map(|placed| placed.fills);
        let fields = filled.filter(|field| !read.contains(*field)).map(str::to_owned);
        let constants = expressions.iter().filter_map(|placed| constant(placed.expression));
        let texts = constants.filter_map(|value| value.as_str().map(str::to_owned));
        Self { fields: fields.collect(), texts: texts.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Forgets what the fields were set to.
    pub fn forget(&self, life: &mut Life) {
        if let Value::Object(data) = &mut life.data {
            self.fields(data);
        }
        self.frame(&mut life.frame);
    }

    fn frame(&self, frame: &mut Frame) {
        self.fields(&mut frame.fields);
        for state in &mut frame.steps {
            state.late.iter_mut().for_each(|set| self.fields(set));
            state.frames_mut().iter_mut().for_each(|inner| self.frame(inner));
        }
    }

    fn fields(&self, of: &mut Map<String, Value>) {
        let unread = of.iter_mut().filter(|(field, _)| self.fields.contains(*field));
        unread.for_each(|(_, value)| self.value(value));
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) if !self.texts.contains(text) => text.clear(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => {}
        }
    }
}

/// The fields that what decides reads, and that their values are made from; none where something
/// reads all fields at once.
fn deciding(expressions: &[PlacedExpression<'_>]) -> Option<BTreeSet<String>> {
    let mut read = BTreeSet::new();
    loop {
        let before = read.len();
        for placed in expressions {
            if decides(placed, &read) {
                read.extend(fields_of(placed)?);
            }
        }
        if read.len() == before {
            return Some(read);
        }
    }
}

/// Whether an expression's value decides anything, as far as it is known which fields do; an
/// element of a list that a message reads may not be there.
fn decides(placed: &PlacedExpression<'_>, read: &BTreeSet<String>) -> bool {
    let reads_element = !placed.expression.elements().is_empty();
    match placed.role {
        Role::Condition | Role::Items(_) | Role::Key | Role::Moment => true,
        Role::Message => reads_element,
        Role::Value => reads_element || placed.fills.is_none_or(|field| read.contains(field)),
    }
}

/// The fields that an expression reads; none if it reads all of them at once.
fn fields_of(placed: &PlacedExpression<'_>) -> Option<Vec<String>> {
    let references = placed.expression.references().into_iter();
    let of_data = references.filter(|read| match read.name {
        Name::Data | Name::Branch => true,
        Name::Event
        | Name::Key
        | Name::Now
        | Name::Failure
        | Name::Item
        | Name::Index
        | Name::Fence
        | Name::Answer
        | Name::Child => false,
    });
    of_data.map(|read| read.fields.into_iter().next()).collect()
}
