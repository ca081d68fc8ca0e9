use std::borrow::Cow;

use regex::Regex;

use super::computed::{Computed, Kind};
use super::moment::{self, Part};
use super::number::Number;

/// A function that an expression may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Bool,
    Bytes,
    Contains,
    Double,
    Duration,
    Dyn,
    EndsWith,
    Int,
    Matches,
    Part(Part),
    Size,
    StartsWith,
    String,
    Timestamp,
    Type,
    Uint,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `f(x)`
    Plain,
    /// `x.f()`, with so many arguments at least and at most.
    Method(usize, usize),
    /// Either way; so many values, the receiver among them.
    Either(usize),
}

/// All functions, in the order of the alphabet.
const ALL: [(&str, Function, Style); 25] = [
    ("bool", Function::Bool, Style::Plain),
    ("bytes", Function::Bytes, Style::Plain),
    ("contains", Function::Contains, Style::Method(1, 1)),
    ("double", Function::Double, Style::Plain),
    ("duration", Function::Duration, Style::Plain),
    ("dyn", Function::Dyn, Style::Plain),
    ("endsWith", Function::EndsWith, Style::Method(1, 1)),
    ("getDate", Function::Part(Part::Date), Style::Method(0, 1)),
    ("getDayOfMonth", Function::Part(Part::DayOfMonth), Style::Method(0, 1)),
    ("getDayOfWeek", Function::Part(Part::DayOfWeek), Style::Method(0, 1)),
    ("getDayOfYear", Function::Part(Part::DayOfYear), Style::Method(0, 1)),
    ("getFullYear", Function::Part(Part::FullYear), Style::Method(0, 1)),
    ("getHours", Function::Part(Part::Hours), Style::Method(0, 1)),
    ("getMilliseconds", Function::Part(Part::Milliseconds), Style::Method(0, 1)),
    ("getMinutes", Function::Part(Part::Minutes), Style::Method(0, 1)),
    ("getMonth", Function::Part(Part::Month), Style::Method(0, 1)),
    ("getSeconds", Function::Part(Part::Seconds), Style::Method(0, 1)),
    ("int", Function::Int, Style::Plain),
    ("matches", Function::Matches, Style::Either(2)),
    ("size", Function::Size, Style::Either(1)),
    ("startsWith", Function::StartsWith, Style::Method(1, 1)),
    ("string", Function::String, Style::Plain),
    ("timestamp", Function::Timestamp, Style::Plain),
    ("type", Function::Type, Style::Plain),
    ("uint", Function::Uint, Style::Plain),
];

/// The functions' names.
pub(super) fn names() -> Vec<&'static str> {
    ALL.iter().map(|(name, ..)| *name).collect()
}

impl Function {
    /// The function that a call means; none if there is no such function.
    ///
    /// # Errors
    /// When it is not called like this: how it is.
    pub fn called(name: &str, is_method: bool, arguments: usize) -> Option<Result<Self, String>> {
        let (name, function, style) = ALL.iter().find(|(known, ..)| *known == name)?;
        let fits = match (style, is_method) {
            (Style::Plain, false) => arguments == 1,
            (Style::Method(least, most), true) => (*least..=*most).contains(&arguments),
            (Style::Either(values), _) => arguments + usize::from(is_method) == *values,
            (Style::Plain, true) | (Style::Method(..), false) => false,
        };
        Some(if fits { Ok(*function) } else { Err(style.words(name)) })
    }

    /// What it makes of its values, the receiver first.
    ///
    /// # Errors
    /// When it can make nothing of them: why.
    pub fn of(self, mut values: Vec<Computed<'_>>) -> Result<Computed<'_>, String> {
        let second = if values.len() > 1 { values.pop() } else { None };
        let first = values.pop().ok_or("a function without a value")?;
        let made = match (self, &second) {
            (Self::Dyn, _) => return Ok(first),
            (Self::Type, _) => Some(Computed::Type(first.kind())),
            (Self::Size, _) => size(&first).map(Computed::Number),
            (Self::Bool, _) => bool(&first).map(Computed::Bool),
            (Self::String, _) => string(&first),
            (Self::Bytes, _) => bytes(&first),
            (Self::Double, _) => number(&first).map(Computed::Number),
            (Self::Int, _) => whole(&first)?.map(Computed::Number),
            (Self::Uint, _) => {
                whole(&first)?.filter(|n| *n >= Number::from(0)).map(Computed::Number)
            }
            (Self::Timestamp, _) => timestamp(&first).map(Computed::Moment),
            (Self::Duration, _) => duration(&first).map(Computed::Duration),
            (Self::Part(part), zone) => part_of(part, &first, zone.as_ref())?.map(Computed::Number),
            (Self::Contains | Self::EndsWith | Self::StartsWith | Self::Matches, Some(other)) => {
                self.of_texts(&first, other)?.map(Computed::Bool)
            }
            (Self::Contains | Self::EndsWith | Self::StartsWith | Self::Matches, None) => None,
        };
        made.ok_or_else(|| self.refused(&first))
    }

    fn of_texts(self, text: &Computed<'_>, other: &Computed<'_>) -> Result<Option<bool>, String> {
        let Some((text, other)) = text.str().zip(other.str()) else { return Ok(None) };
        Ok(match self {
            Self::Contains => Some(text.contains(other)),
            Self::EndsWith => Some(text.ends_with(other)),
            Self::StartsWith => Some(text.starts_with(other)),
            Self::Matches => Some(pattern(other)?.is_match(text)),
            Self::Bool
            | Self::Bytes
            | Self::Double
            | Self::Duration
            | Self::Dyn
            | Self::Int
            | Self::Part(_)
            | Self::Size
            | Self::String
            | Self::Timestamp
            | Self::Type
            | Self::Uint => None,
        })
    }

    /// The value itself is not told: it may be sensitive.
    fn refused(self, value: &Computed<'_>) -> String {
        let what = if value.kind() == Kind::Text { "this text" } else { value.words() };
        format!("`{}` cannot make anything of {what}{}", self.name(), self.help(value.kind()))
    }

    /// What it could make something of.
    fn help(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Timestamp, Kind::Text) => "; it reads RFC 3339, such as `2026-01-31T09:00:00Z`",
            (Self::Duration, Kind::Text) => "; it reads `1h30m` or `14d`, with w d h m s ms us ns",
            (Self::Double, Kind::Text) => "; it reads digits, such as `12.50`",
            (Self::Int, Kind::Text) => "; it reads a whole number, such as `12`",
            (_, _) => "",
        }
    }

    fn name(self) -> &'static str {
        let found = ALL.iter().find(|(_, function, _)| *function == self);
        found.map_or("", |(name, ..)| *name)
    }
}

impl Style {
    fn words(self, name: &str) -> String {
        match self {
            Self::Plain | Self::Either(1) => {
                format!("`{name}` takes one value; write `{name}(x)`")
            }
            Self::Method(0, _) => {
                format!("`{name}` stands behind a time; write `x.{name}()` or `x.{name}('UTC')`")
            }
            Self::Method(..) => format!("`{name}` stands behind a text; write `x.{name}(y)`"),
            Self::Either(_) => format!("`{name}` takes two texts; write `x.{name}(y)`"),
        }
    }
}

/// A pattern of `matches`.
///
/// # Errors
/// When it is none: why.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|_| {
        format!("`{text}` is no pattern that can be read; write one such as `^[a-z]+$`")
    })
}

fn size(value: &Computed<'_>) -> Option<Number> {
    let bytes = || {
        let Computed::Bytes(bytes) = value else { return None };
        Some(bytes.len())
    };
    let text = value.str().map(|text| text.chars().count());
    let size = text.or_else(|| Some(value.items()?.len())).or_else(|| value.entries());
    Some(Number::from(i64::try_from(size.or_else(bytes)?).ok()?))
}

fn bool(value: &Computed<'_>) -> Option<bool> {
    match value.str() {
        Some("1" | "t" | "true" | "TRUE" | "True") => Some(true),
        Some("0" | "f" | "false" | "FALSE" | "False") => Some(false),
        Some(_) => None,
        None => value.bool(),
    }
}

fn number(value: &Computed<'_>) -> Option<Number> {
    match value.str() {
        Some(text) => Number::parse(text),
        None => value.number().map(Cow::into_owned),
    }
}

/// A whole number: what stands behind the point is left out of a number, but not out of text.
fn whole(value: &Computed<'_>) -> Result<Option<Number>, String> {
    if let Computed::Moment(moment) = value {
        return Ok(Some(Number::from(moment.timestamp())));
    }
    match value.str() {
        Some(text) => Ok(Number::parse(text).filter(Number::is_whole)),
        None => value.number().map(|number| number.truncated()).transpose(),
    }
}

fn string<'v>(value: &Computed<'v>) -> Option<Computed<'v>> {
    if value.kind() == Kind::Text {
        return Some(value.clone());
    }
    let text = match (value, value.number(), value.bool()) {
        (_, Some(number), _) => number.to_string(),
        (_, _, Some(value)) => value.to_string(),
        (Computed::Moment(moment), ..) => moment::string(moment),
        (Computed::Duration(duration), ..) => moment::duration_text(*duration),
        (Computed::Bytes(bytes), ..) => String::from_utf8(bytes.to_vec()).ok()?,
        (_, None, None) => return None,
    };
    Some(Computed::text(text))
}

fn bytes<'v>(value: &Computed<'v>) -> Option<Computed<'v>> {
    if value.kind() == Kind::Bytes {
        return Some(value.clone());
    }
    Some(Computed::Bytes(value.str()?.as_bytes().to_vec().into()))
}

fn timestamp(value: &Computed<'_>) -> Option<chrono::DateTime<chrono::FixedOffset>> {
    if let Computed::Moment(moment) = value {
        return Some(*moment);
    }
    match value.str() {
        Some(text) => moment::parse(text),
        None => moment::of_seconds(value.number()?.whole()?),
    }
}

fn duration(value: &Computed<'_>) -> Option<chrono::TimeDelta> {
    match value {
        Computed::Duration(duration) => Some(*duration),
        other => moment::parse_duration(other.str()?),
    }
}

fn part_of(
    part: Part,
    of: &Computed<'_>,
    zone: Option<&Computed<'_>>,
) -> Result<Option<Number>, String> {
    let found = match (of, zone) {
        (Computed::Moment(moment), None) => Some(part.of(moment)),
        (Computed::Moment(moment), Some(zone)) => {
            let there = zone.str().and_then(|zone| moment::in_zone(moment, zone));
            let unknown = "there is no such zone; write one such as `Europe/Berlin` or `+02:00`";
            Some(part.of(&there.ok_or(unknown)?))
        }
        (Computed::Duration(duration), None) => part.within(*duration),
        (_, Some(_) | None) => None,
    };
    Ok(found.map(Number::from))
}
