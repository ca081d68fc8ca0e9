mod commands;
mod fields;
mod people;

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{Behaviour, Person, Script, StartEvent};
use crate::expression::{Name, Template};
use crate::message::Address;
use people::Calls;

/// What is wrong with a `participants.yaml`, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}\n  | {text}")]
pub struct Error {
    /// The file, as it was named.
    pub path: String,
    /// The line, from 1; 0 if it is not known.
    pub line: u64,
    /// The column, from 1; 0 if it is not known.
    pub column: u64,
    /// What is wrong and how to mend it.
    pub message: String,
    /// The line itself.
    pub text: String,
}

impl Script {
    /// Reads a `participants.yaml`; `path` is only for the errors.
    ///
    /// # Errors
    /// When it is not what the room's documentation describes.
    pub fn parse(path: &str, text: &str) -> Result<Self, Error> {
        // `why: no` is text, not false.
        let options = serde_saphyr::options! { strict_booleans: true };
        let file: FileNotation = serde_saphyr::from_str_with_options(text, options)
            .map_err(|e| error(path, text, &e))?;
        let commands = file.participants.into_iter().map(|(on, b)| (on.0, b)).collect();
        Ok(Self { commands, calls: file.calls.0, people: file.people, starts: file.starts })
    }
}

fn error(path: &str, text: &str, from: &serde_saphyr::Error) -> Error {
    let from = from.without_snippet();
    let (line, column) = from.location().map_or((0, 0), |l| (l.line(), l.column()));
    let place = usize::try_from(line).unwrap_or(0);
    let shown = place.checked_sub(1).and_then(|at| text.lines().nth(at)).unwrap_or_default();
    let message = match from {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => unknown(field, expected),
        serde_saphyr::Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        other => {
            let text = other.to_string();
            let end = text.find(" at line ").or_else(|| text.find('\n')).unwrap_or(text.len());
            text[..end].to_owned()
        }
    };
    Error { path: path.to_owned(), line, column, message, text: shown.trim_end().to_owned() }
}

fn unknown(field: &str, expected: &[&str]) -> String {
    let mut message = format!("`{field}` means nothing here");
    let near = expected.iter().map(|e| (strsim::damerau_levenshtein(field, e), e)).min();
    match near {
        Some((distance, name)) if distance <= 2 => {
            write!(message, "; did you mean `{name}`?").expect("writing to a string never fails");
        }
        _ => {
            write!(message, "; use one of: {}", expected.join(", "))
                .expect("writing to a string never fails");
        }
    }
    message
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNotation {
    #[serde(default)]
    participants: BTreeMap<Text<Address>, Behaviour>,
    #[serde(default)]
    calls: Calls,
    #[serde(default)]
    people: BTreeMap<String, Person>,
    #[serde(default)]
    starts: Vec<StartEvent>,
}

/// A scalar that is read by its own parser.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Text<T>(T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

/// A template, and the names that it reads.
struct Body(Template);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        template(Value::deserialize(deserializer)?).map(Self).map_err(de::Error::custom)
    }
}

fn template(value: Value) -> Result<Template, String> {
    Ok(match value {
        Value::String(text) => Template::parse(&text).map_err(|e| format!("`{text}`: {e}"))?,
        Value::Array(items) => {
            Template::List(items.into_iter().map(template).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => Template::Object(
            fields
                .into_iter()
                .map(|(name, field)| Ok((name, template(field)?)))
                .collect::<Result<_, String>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => Template::Literal(value),
    })
}

/// Refuses a template that reads a name without a meaning at its place.
fn reads_only(body: Option<Body>, names: &[Name]) -> Result<Option<Template>, String> {
    let Some(Body(template)) = body else {
        return Ok(None);
    };
    for reference in template.references() {
        if !names.contains(&reference.name) {
            let names: Vec<&str> = names.iter().map(|n| n.text()).collect();
            let name = reference.name.text();
            return Err(format!("`{name}` has no meaning here; use one of: {}", names.join(", ")));
        }
    }
    Ok(Some(template))
}
