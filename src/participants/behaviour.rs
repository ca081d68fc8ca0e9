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
    /// How HTTP requests are answered, the first that fits.
    pub calls: Vec<CallBehaviour>,
    /// How people answer, by who they are.
    pub people: BTreeMap<String, Person>,
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
    /// How often an attempt is obeyed but goes unanswered.
    pub silent: Share,
    /// How often an attempt never arrives.
    pub lost: Share,
    /// How often an action is answered late, and how late.
    pub late: Option<Late>,
    /// Whether answers name the command.
    pub echo: bool,
    /// What is drawn for each action, `answer.x` in the bodies.
    pub fields: Vec<(String, Field)>,
    /// What is answered, by weight.
    pub answers: Vec<ScriptedReply>,
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
pub struct ScriptedReply {
    /// The event.
    pub event: Address,
    /// How often, against the others.
    pub weight: u32,
    /// Whether it says that nothing was done; the first such answer also refuses an action that
    /// was undone before it came.
    pub refusal: bool,
    /// Answers a probe: whether the action that it asks about was done.
    pub found: Option<bool>,
    /// The record's key; without it the command's.
    pub key: Option<Template>,
    /// The body; none means `{}`.
    pub body: Option<Template>,
    /// What follows by itself: one of these, by weight.
    pub then: Vec<Follow>,
}

/// A fact that follows an answer or a start by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    /// The fact; none means that nothing follows.
    pub event: Option<Address>,
    /// How long after what it follows.
    pub after: Delay,
    /// How often, against the others.
    pub weight: u32,
    /// The record's key; without it that of what it follows.
    pub key: Option<Template>,
    /// The body; none means `{}`.
    pub body: Option<Template>,
}

/// How HTTP requests of one kind are answered.
#[derive(Debug, Clone, PartialEq)]
pub struct CallBehaviour {
    /// Which requests.
    pub on: CallPattern,
    /// How long an answer takes.
    pub delay: Delay,
    /// How often an attempt is obeyed but goes unanswered.
    pub silent: Share,
    /// How often an attempt is answered 503, without being obeyed.
    pub failing: Share,
    /// What is drawn for each action, `answer.x` in the bodies.
    pub fields: Vec<(String, Field)>,
    /// What is answered, by weight.
    pub answers: Vec<CallReply>,
}

/// One of a request's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct CallReply {
    /// Its status code.
    pub status: u16,
    /// How often, against the others.
    pub weight: u32,
    /// Whether it says that nothing was done; the first such answer also refuses an action that
    /// was undone before it came.
    pub refusal: bool,
    /// The body; none means no body.
    pub body: Option<Template>,
}

/// Which requests, written `PUT https://store.internal/models/*/data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPattern {
    /// The method.
    pub method: String,
    /// Host and port.
    pub authority: String,
    /// The path's parts; none stands for any one.
    pub path: Vec<Option<String>>,
}

impl CallPattern {
    /// Whether a request is of this kind; its query does not matter.
    #[must_use]
    pub fn fits(&self, method: &str, authority: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let mut parts = path.trim_start_matches('/').split('/');
        let same = self.path.iter().all(|own| match (own, parts.next()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(part)) => own == part,
        });
        same && parts.next().is_none() && self.method == method && self.authority == authority
    }
}

impl FromStr for CallPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is no request; write such as `POST https://fraud.internal/v1/scores`")
        };
        let (method, url) = text.split_once(' ').ok_or_else(wrong)?;
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
            return Err(wrong());
        }
        let url = url.trim_start();
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let rest = rest.ok_or_else(wrong)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.is_empty() || path.contains(['?', '$']) {
            return Err(format!("{}; `*` stands for one part of the path", wrong()));
        }
        let part = |part: &str| (part != "*").then(|| part.to_owned());
        let path = path.split('/').map(part).collect();
        Ok(Self { method: method.to_owned(), authority: authority.to_owned(), path })
    }
}

/// How a person answers the questions of an `ask`.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// How long they think.
    pub delay: Delay,
    /// How often they never answer.
    pub silent: Share,
    /// What they choose, by weight; of a question's choices that are not here none is taken.
    pub choices: Vec<(String, u32)>,
    /// What they say beside it.
    pub note: String,
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
    /// What follows by itself: one of these, by weight.
    pub then: Vec<Follow>,
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
