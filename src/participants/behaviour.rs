use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

use crate::expression::Template;
use crate::message::{Address, Span};

/// A `participants.yaml`, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// How each command is answered.
    pub commands: BTreeMap<Address, Behaviour>,
    /// The events that start sagas.
    pub starts: Vec<StartEvent>,
}

/// How one command is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// How long an answer takes.
    pub delay: Delay,
    /// How often an answer is sent twice.
    pub duplicate: Share,
    /// How often an attempt goes unanswered.
    pub silent: Share,
    /// How often an action is answered late, and how late.
    pub late: Option<Late>,
    /// Whether answers name the command.
    pub echo: bool,
    /// What is answered, by weight.
    pub answers: Vec<Reply>,
}

/// How often an action is answered late, and how late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// How often.
    pub share: Share,
    /// How long such an answer takes.
    pub by: Delay,
}

/// One of a command's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The event.
    pub event: Address,
    /// How often, against the others.
    pub weight: u32,
    /// Whether it refuses an action that was undone before it came.
    pub refusal: bool,
    /// The record's key; without it the command's.
    pub key: Option<Template>,
    /// The body; none means `{}`.
    pub body: Option<Template>,
}

/// An event that starts a saga.
#[derive(Debug, Clone, PartialEq)]
pub struct StartEvent {
    /// The event.
    pub event: Address,
    /// How often, against the others.
    pub weight: u32,
    /// The record's key.
    pub key: Template,
    /// What is drawn for each event.
    pub fields: Vec<(String, Field)>,
    /// The body; none means `{}`.
    pub body: Option<Template>,
}

/// How a field of a start event is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// One of these.
    Choice(Vec<Value>),
    /// A number between two bounds, written with so many decimals.
    Number {
        /// The lower bound.
        from: i64,
        /// The upper bound.
        to: i64,
        /// How many digits stand behind the point.
        decimals: u32,
    },
}

/// How often something happens, written `5%`; in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share(pub u32);

impl Share {
    /// Always.
    pub const ALL: Self = Self(1_000_000);
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a share; write such as 5% or 0.5%");
        let number = text.strip_suffix('%').ok_or_else(wrong)?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 4 {
            return Err(wrong());
        }
        let part: u32 = format!("{part:0<4}").parse().map_err(|_| wrong())?;
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let millionths = whole.checked_mul(10_000).and_then(|w| w.checked_add(part));
        match millionths {
            Some(millionths) if millionths <= Self::ALL.0 => Ok(Self(millionths)),
            _ => Err(format!("`{text}` is more than 100%")),
        }
    }
}

/// How long something takes, written `20ms..80ms` or `50ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// At least.
    pub least: Span,
    /// At most.
    pub most: Span,
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let span = |t: &str| t.trim().parse::<Span>().map_err(|e| e.to_string());
        let (least, most) = (span(least)?, span(most)?);
        if least > most {
            return Err(format!("`{text}` runs backwards; write the shorter time first"));
        }
        Ok(Self { least, most })
    }
}
