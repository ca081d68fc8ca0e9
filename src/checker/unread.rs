//! Fields that no condition, list, key or moment reads: whoever has set them, it is all the same.
//!
//! What such a field was set to goes into messages alone, and what a message says decides nothing.
//! Whether it was set does where a message reads it without asking first, for what reads a field
//! that is not there cannot be sent. So does what kind of value it is, for not every one can be
//! written as text: tokens are exchanged for each other, all else stays.
//!
//! Answers that were given are forgotten likewise once nothing asks any more. On the way back, and
//! behind the end, no step is entered: what is asked then are the conditions of answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::model::State;
use super::value::constant;
use crate::definition::{Definition, PlacedExpression, Role};
use crate::engine::{Direction, Frame, Instance, Life};
use crate::expression::Name;

/// What decides nothing.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// The fields whose values decide nothing.
    fields: BTreeSet<String>,
    /// Those that need not even be set.
    needless: BTreeSet<String>,
    /// Whether no answer that was given decides anything on the way back.
    asks_nothing_behind: bool,
    /// The texts that are written in the definition: they are no tokens.
    texts: BTreeSet<String>,
}

impl Unread {
    pub fn of(definition: &Definition) -> Self {
        let expressions = definition.expressions();
        let asks_nothing_behind = !expressions.iter().any(asks_behind);
        let Some(read) = deciding(&expressions) else {
            return Self { asks_nothing_behind, ..Self::default() };
        };
        let filled = expressions.iter().filter_map(|placed| placed.fills);
        let unread = filled.filter(|field| !read.contains(*field)).map(str::to_owned);
        let needed: BTreeSet<String> = expressions.iter().flat_map(needed_by).collect();
        let (fields, needless) = unread.partition(|field| needed.contains(field));
        let constants = expressions.iter().filter_map(|placed| constant(placed.expression));
        let texts = constants.filter_map(|value| value.as_str().map(str::to_owned)).collect();
        Self { fields, needless, asks_nothing_behind, texts }
    }

    /// Whether anything of a life can be forgotten.
    pub fn forgets(&self, life: &Life) -> bool {
        !self.fields.is_empty() || !self.needless.is_empty() || self.forgets_answers(life)
    }

    fn forgets_answers(&self, life: &Life) -> bool {
        self.asks_nothing_behind && (life.ended.is_some() || life.direction == Direction::Back)
    }

    /// Forgets what decides nothing.
    pub fn forget(&self, state: &mut State) {
        let lives = state.instance.as_mut().map(|instance: &mut Instance| &mut instance.lives);
        let Some(life) = lives.and_then(|lives| lives.last_mut()) else { return };
        if let Value::Object(data) = &mut life.data {
            self.fields(data);
        }
        self.frame(&mut life.frame);
        if self.forgets_answers(life) {
            state.around.memory = Arc::default();
        }
    }

    fn frame(&self, frame: &mut Frame) {
        self.fields(&mut frame.fields);
        for state in &mut frame.steps {
            state.late.iter_mut().for_each(|set| self.fields(set));
            state.frames_mut().iter_mut().for_each(|inner| self.frame(inner));
        }
    }

    fn fields(&self, of: &mut Map<String, Value>) {
        of.retain(|field, _| !self.needless.contains(field));
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

/// The fields that must be set wherever an expression is evaluated.
fn needed_by(placed: &PlacedExpression<'_>) -> Vec<String> {
    let references = placed.expression.references().into_iter();
    let needed = references
        .filter(|read| matches!(read.name, Name::Data | Name::Branch) && read.needs_first());
    needed.filter_map(|read| read.fields.into_iter().next()).collect()
}

/// Whether an expression may ask on the way back for more than an event tells: a condition of an
/// answer, or the element of a list.
fn asks_behind(placed: &PlacedExpression<'_>) -> bool {
    let is_of_answer = placed.step.is_some() && placed.event.is_some();
    let asks = (placed.role == Role::Condition && is_of_answer)
        || !placed.expression.elements().is_empty();
    asks && placed.expression.references().iter().any(|read| match read.name {
        Name::Event | Name::Now | Name::Answer | Name::Child => false,
        Name::Data
        | Name::Key
        | Name::Failure
        | Name::Item
        | Name::Index
        | Name::Branch
        | Name::Fence => true,
    })
}
