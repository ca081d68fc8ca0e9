//! What values are in a world in which nobody knows them: tokens that tell where they come from.

use serde_json::{Value, json};

use super::element::{apart, together};
use crate::definition::{Definition, PlacedExpression};
use crate::expression::{Expression, Measured, Name, Reference, Scope, Test};

/// What every question of some definitions demands of a value, each once by its number, and the
/// texts that are no tokens but written in them.
#[derive(Debug, Default)]
pub(super) struct Written {
    tests: Vec<Test>,
    texts: Vec<String>,
}

impl Written {
    pub fn of<'d>(definitions: impl Iterator<Item = &'d Definition>) -> Self {
        let mut written = Self::default();
        for PlacedExpression { expression, .. } in definitions.flat_map(Definition::expressions) {
            let guards = expression.elements().iter().flat_map(|element| &element.asked);
            let conditions = guards.map(|(condition, _)| condition);
            for question in conditions.chain([expression.condition()]).flat_map(|c| c.questions()) {
                let test = question.demand.as_ref().map(|demand| &demand.test);
                if let Some(test) = test.filter(|test| !written.tests.contains(test)) {
                    written.tests.push(test.clone());
                }
            }
            if let Some(Value::String(text)) = constant(expression) {
                written.texts.push(text);
            }
        }
        written
    }

    /// The number of a test.
    pub fn number(&self, test: &Test) -> Option<usize> {
        self.tests.iter().position(|known| known == test)
    }

    /// The test of a number.
    pub fn test(&self, number: usize) -> Option<&Test> {
        self.tests.get(number)
    }

    /// The value of a path, if it is known and no token.
    pub fn known<'s>(&self, path: &Reference, scope: &Scope<'s>) -> Option<&'s Value> {
        if !matches!(path.name, Name::Data | Name::Branch) {
            return None;
        }
        let (first, rest) = path.fields.split_first()?;
        let value = scope.value(path.name)?.get(first)?;
        match value {
            Value::String(text) if !self.texts.contains(text) => None,
            Value::Array(_) if !rest.is_empty() => None,
            _ => rest.iter().try_fold(value, |value, field| value.get(field)),
        }
    }
}

/// The value of an expression that reads nothing.
pub(super) fn constant(expression: &Expression) -> Option<Value> {
    if !expression.references().is_empty() {
        return None;
    }
    let nothing = Scope::at(super::model::NOW);
    expression.plain().evaluate(&nothing).ok()
}

/// What a measured value is called: the same for the same value, wherever it was copied to.
pub(super) fn identity(of: &Measured, references: &[Reference], scope: &Scope<'_>) -> String {
    match of {
        Measured::Value(path) => path_identity(path, scope),
        Measured::Size(path) => format!("size of {}", path_identity(path, scope)),
        Measured::Computed(text) => token(text, references, scope),
    }
}

fn path_identity(path: &Reference, scope: &Scope<'_>) -> String {
    let text = [&[path.name.text().to_owned()], &path.fields[..]].concat().join(".");
    let (value, behind) = match (path.name, path.fields.split_first()) {
        (Name::Data | Name::Branch | Name::Failure | Name::Answer, Some((first, rest))) => {
            (scope.value(path.name).and_then(|value| value.get(first)), rest)
        }
        (Name::Item | Name::Key | Name::Index | Name::Fence, _) => {
            (scope.value(path.name), &path.fields[..])
        }
        (Name::Event | Name::Child | Name::Now, _)
        | (Name::Data | Name::Branch | Name::Failure | Name::Answer, None) => {
            return token(&text, std::slice::from_ref(path), scope);
        }
    };
    let Some(value) = value else { return text };
    let whole = match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            short(value)
        }
    };
    if behind.is_empty() {
        return whole;
    }
    // Of a token the text stands in front, and behind it what that reads.
    let behind = behind.join(".");
    match whole.split_once(" | ") {
        Some((of, reads)) => format!("{of}.{behind} | {reads}"),
        None => format!("{whole}.{behind}"),
    }
}

/// The value of a path that leads to one: it goes through as it is.
pub(super) fn passed(of: &Expression, scope: &Scope<'_>) -> Option<Value> {
    let reference = of.path()?;
    let value = scope.value(reference.name)?;
    match reference.name {
        Name::Data | Name::Branch | Name::Failure | Name::Answer => match &reference.fields[..] {
            [field] => value.get(field).cloned(),
            [] | [_, ..] => None,
        },
        Name::Key | Name::Item | Name::Index | Name::Fence => {
            reference.fields.is_empty().then(|| value.clone())
        }
        Name::Event | Name::Now | Name::Child => None,
    }
}

/// What an expression is called whose value nobody knows: its text, and what it reads.
pub(super) fn token(of: &str, references: &[Reference], scope: &Scope<'_>) -> String {
    let mut text = of.to_owned();
    for reference in references {
        let value = scope.value(reference.name);
        let read = match (reference.name, reference.fields.first(), value) {
            (Name::Now, ..) | (_, _, None) => continue,
            (Name::Event | Name::Child, _, Some(value)) => value.get(ORIGIN).cloned(),
            (
                Name::Data | Name::Branch | Name::Failure | Name::Answer,
                Some(field),
                Some(value),
            ) => value.get(field).cloned(),
            (_, _, Some(value)) => Some(value.clone()),
        };
        let read = read.map_or_else(|| "nothing".to_owned(), |read| short(&read));
        text.push_str(" | ");
        text.push_str(&read);
    }
    text
}

/// A value in few words; a long one is told apart by its hash, and by the elements in it.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => together(values),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    if text.len() <= 60 {
        return text;
    }
    let (plain, tags) = apart(&text);
    let hash = blake3::hash(plain.as_bytes()).to_hex();
    format!("{}…{}{tags}", plain.chars().take(40).collect::<String>(), &hash[..8])
}

/// The field of an event's body that says where it comes from.
const ORIGIN: &str = "$from";

/// A body that nobody knows.
pub(super) fn body(from: &str) -> Value {
    json!({ ORIGIN: from })
}
