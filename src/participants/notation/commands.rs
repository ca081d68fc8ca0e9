use serde::{Deserialize, Deserializer, de};

use super::super::{Behaviour, Delay, Follow, Late, ScriptedReply, Share, StartEvent};
use super::fields::Fields;
use super::{Body, Text, reads_only};
use crate::expression::Name;
use crate::message::Address;

/// What a body of an answer may read.
pub(super) const ANSWER: [Name; 4] = [Name::Event, Name::Key, Name::Answer, Name::Now];
const START: [Name; 2] = [Name::Data, Name::Now];

/// Refuses answers of which none is ever given.
pub(super) fn some_weight(weights: impl Iterator<Item = u32>) -> Result<(), String> {
    if weights.sum::<u32>() > 0 {
        return Ok(());
    }
    Err("`answers` needs one with a weight above 0; for a service that never answers write \
         `silent: 100%` beside it"
        .to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BehaviourNotation {
    delay: Option<Text<Delay>>,
    duplicate: Option<Text<Share>>,
    silent: Option<Text<Share>>,
    lost: Option<Text<Share>>,
    late: Option<LateNotation>,
    echo: Option<bool>,
    #[serde(default)]
    fields: Fields,
    answers: Vec<ScriptedReply>,
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
        some_weight(n.answers.iter().map(|a| a.weight)).map_err(de::Error::custom)?;
        let probes = n.answers.iter().filter(|a| a.found.is_some()).count();
        if probes > 0 && probes < n.answers.len() {
            let message = "each answer to a probe says `found: true` or `found: false`";
            return Err(de::Error::custom(message));
        }
        Ok(Self {
            delay: n.delay.map(|d| d.0).unwrap_or_default(),
            duplicate: n.duplicate.map(|s| s.0).unwrap_or_default(),
            silent: n.silent.map(|s| s.0).unwrap_or_default(),
            lost: n.lost.map(|s| s.0).unwrap_or_default(),
            late: n.late.map(|l| Late { share: l.share.0, by: l.by.0 }),
            echo: n.echo.unwrap_or(true),
            fields: n.fields.without("id", "the answer's own").map_err(de::Error::custom)?,
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
    found: Option<bool>,
    key: Option<Body>,
    body: Option<Body>,
    #[serde(default)]
    then: Vec<FollowNotation>,
}

impl<'de> Deserialize<'de> for ScriptedReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = ReplyNotation::deserialize(deserializer)?;
        Ok(Self {
            event: n.event.0,
            weight: n.weight.unwrap_or(1),
            refusal: n.refusal,
            found: n.found,
            key: reads_only(n.key, &ANSWER).map_err(de::Error::custom)?,
            body: reads_only(n.body, &ANSWER).map_err(de::Error::custom)?,
            then: follows(n.then, &ANSWER).map_err(de::Error::custom)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowNotation {
    event: Option<Text<Address>>,
    after: Option<Text<Delay>>,
    weight: Option<u32>,
    key: Option<Body>,
    body: Option<Body>,
}

fn follows(all: Vec<FollowNotation>, names: &[Name]) -> Result<Vec<Follow>, String> {
    let follow = |n: FollowNotation| {
        if n.event.is_none() && (n.key.is_some() || n.body.is_some() || n.after.is_some()) {
            return Err("`event` is missing; only `weight` may stand alone: nothing follows then");
        }
        Ok(n)
    };
    let follow = |n| {
        let n = follow(n)?;
        Ok(Follow {
            event: n.event.map(|event| event.0),
            after: n.after.map(|d| d.0).unwrap_or_default(),
            weight: n.weight.unwrap_or(1),
            key: reads_only(n.key, names)?,
            body: reads_only(n.body, names)?,
        })
    };
    all.into_iter().map(follow).collect()
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
    #[serde(default)]
    then: Vec<FollowNotation>,
}

impl<'de> Deserialize<'de> for StartEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = StartNotation::deserialize(deserializer)?;
        let key = reads_only(Some(n.key), &START).map_err(de::Error::custom)?;
        Ok(Self {
            event: n.event.0,
            weight: n.weight.unwrap_or(1).max(1),
            key: key.expect("it was there"),
            fields: n.fields.without("n", "the counter").map_err(de::Error::custom)?,
            body: reads_only(n.body, &START).map_err(de::Error::custom)?,
            then: follows(n.then, &START).map_err(de::Error::custom)?,
        })
    }
}
