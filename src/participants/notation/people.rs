use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::super::{CallBehaviour, CallPattern, CallReply, Delay, Person, Share};
use super::commands::some_weight;
use super::fields::Fields;
use super::{Body, Text, reads_only};
use crate::expression::Name;

const CALLED: [Name; 3] = [Name::Event, Name::Answer, Name::Now];

/// The calls in the author's order: the first that fits counts.
#[derive(Default)]
pub(super) struct Calls(pub Vec<CallBehaviour>);

impl<'de> Deserialize<'de> for Calls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Calls;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("requests and how they are answered")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Calls, A::Error> {
                let mut calls = Vec::new();
                while let Some(on) = map.next_key::<Text<CallPattern>>()? {
                    let n: CallNotation = map.next_value()?;
                    calls.push(n.checked(on.0).map_err(de::Error::custom)?);
                }
                Ok(Calls(calls))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallNotation {
    delay: Option<Text<Delay>>,
    silent: Option<Text<Share>>,
    failing: Option<Text<Share>>,
    #[serde(default)]
    fields: Fields,
    answers: Vec<CallReply>,
}

impl CallNotation {
    fn checked(self, on: CallPattern) -> Result<CallBehaviour, String> {
        some_weight(self.answers.iter().map(|a| a.weight))?;
        Ok(CallBehaviour {
            on,
            delay: self.delay.map(|d| d.0).unwrap_or_default(),
            silent: self.silent.map(|s| s.0).unwrap_or_default(),
            failing: self.failing.map(|s| s.0).unwrap_or_default(),
            fields: self.fields.without("id", "the answer's own")?,
            answers: self.answers,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallReplyNotation {
    status: u16,
    weight: Option<u32>,
    #[serde(default)]
    refusal: bool,
    body: Option<Body>,
}

impl<'de> Deserialize<'de> for CallReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = CallReplyNotation::deserialize(deserializer)?;
        if !(200..600).contains(&n.status) {
            let message = format!("`status: {}` ends no request; write 200 to 599", n.status);
            return Err(de::Error::custom(message));
        }
        Ok(Self {
            status: n.status,
            weight: n.weight.unwrap_or(1),
            refusal: n.refusal,
            body: reads_only(n.body, &CALLED).map_err(de::Error::custom)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonNotation {
    delay: Option<Text<Delay>>,
    silent: Option<Text<Share>>,
    choices: BTreeMap<String, u32>,
    #[serde(default)]
    note: String,
}

impl<'de> Deserialize<'de> for Person {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = PersonNotation::deserialize(deserializer)?;
        if n.choices.values().all(|weight| *weight == 0) {
            let message = "`choices` needs one with a weight above 0, such as \
                           `{ approve: 9, refuse: 1 }`; for a person who never answers write \
                           `silent: 100%` beside it";
            return Err(de::Error::custom(message));
        }
        Ok(Self {
            delay: n.delay.map(|d| d.0).unwrap_or_default(),
            silent: n.silent.map(|s| s.0).unwrap_or_default(),
            choices: n.choices.into_iter().collect(),
            note: n.note,
        })
    }
}
