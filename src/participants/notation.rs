use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{Behaviour, Delay, Field, Late, Reply, Script, Share, StartEvent};
use crate::expression::{Name, Template};
use crate::message::Address;

const DECIMALS_MAX: u32 = 9;
const BOUND_MAX: i64 = 1_000_000_000;

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
        Ok(Self { commands, starts: file.starts })
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BehaviourNotation {
    delay: Option<Text<Delay>>,
    duplicate: Option<Text<Share>>,
    silent: Option<Text<Share>>,
    late: Option<LateNotation>,
    echo: Option<bool>,
    answers: Vec<Reply>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LateNotation {
    share: Text<Share>,
    by: Text<Delay>,
}

impl<'de> Deserialize<'de> for Behaviour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = BehaviourNotation::deserialize(deserializer)?;
        if n.answers.iter().all(|a| a.weight == 0) {
            let message = "`answers` needs one with a weight above 0; for a service that never \
                           answers write `silent: 100%` beside it";
            return Err(de::Error::custom(message));
        }
        if n.answers.iter().filter(|a| a.refusal).count() > 1 {
            return Err(de::Error::custom("only one answer can be the `refusal`"));
        }
        Ok(Self {
            delay: n.delay.map(|d| d.0).unwrap_or_default(),
            duplicate: n.duplicate.map(|s| s.0).unwrap_or_default(),
            silent: n.silent.map(|s| s.0).unwrap_or_default(),
            late: n.late.map(|l| Late { share: l.share.0, by: l.by.0 }),
            echo: n.echo.unwrap_or(true),
            answers: n.answers,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyNotation {
    event: Text<Address>,
    weight: Option<u32>,
    #[serde(default)]
    refusal: bool,
    key: Option<Body>,
    body: Option<Body>,
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = ReplyNotation::deserialize(deserializer)?;
        let names = [Name::Event, Name::Key, Name::Answer, Name::Now];
        Ok(Self {
            event: n.event.0,
            weight: n.weight.unwrap_or(1),
            refusal: n.refusal,
            key: reads_only(n.key, &names).map_err(de::Error::custom)?,
            body: reads_only(n.body, &names).map_err(de::Error::custom)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartNotation {
    event: Text<Address>,
    weight: Option<u32>,
    key: Body,
    #[serde(default)]
    fields: Fields,
    body: Option<Body>,
}

impl<'de> Deserialize<'de> for StartEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = StartNotation::deserialize(deserializer)?;
        let names = [Name::Data, Name::Now];
        let key = reads_only(Some(n.key), &names).map_err(de::Error::custom)?;
        Ok(Self {
            event: n.event.0,
            weight: n.weight.unwrap_or(1).max(1),
            key: key.expect("it was there"),
            fields: n.fields.0,
            body: reads_only(n.body, &names).map_err(de::Error::custom)?,
        })
    }
}

/// The fields in the author's order.
#[derive(Default)]
struct Fields(Vec<(String, Field)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields and how they are drawn")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "n" {
                        return Err(de::Error::custom("`n` is the counter already; rename it"));
                    }
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldNotation {
    choice: Option<Vec<Value>>,
    from: Option<i64>,
    to: Option<i64>,
    decimals: Option<u32>,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = FieldNotation::deserialize(deserializer)?;
        match (n.choice, n.from, n.to) {
            (Some(choice), None, None) if !choice.is_empty() => Ok(Self::Choice(choice)),
            (None, Some(from), Some(to)) => {
                let decimals = n.decimals.unwrap_or(0);
                let sound = from <= to && from >= -BOUND_MAX && to <= BOUND_MAX;
                if !sound || decimals > DECIMALS_MAX {
                    return Err(de::Error::custom(format!(
                        "write `from` before `to`, both within {BOUND_MAX}, and at most \
                         {DECIMALS_MAX} decimals"
                    )));
                }
                Ok(Self::Number { from, to, decimals })
            }
            _ => Err(de::Error::custom(
                "a field is drawn by `choice: [ … ]` or by `from`, `to` and `decimals`",
            )),
        }
    }
}
