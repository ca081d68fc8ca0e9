use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::dice::Dice;
use super::setup::Place;
use super::world::World;
use crate::message::{Headers, InstanceId, Offset, Outgoing, Topic, header};
use crate::participants::Question;

/// What somebody does about a stuck step once trying it again has not helped.
const LAST_RESORTS: [&str; 4] = ["retry", "skip", "go-back", "resolve-not-done"];
/// The same about the undoing of a step.
const LAST_RESORTS_OF_UNDOING: [&str; 3] = ["retry", "skip", "resolve-done"];

/// Where people are asked and answer, and those who see to what is stuck.
#[derive(Debug)]
pub(super) struct People {
    questions: Topic,
    operator: Topic,
    read: BTreeMap<Place, Offset>,
    /// What was tried again already.
    tried: BTreeSet<(InstanceId, String, bool)>,
    acts: u64,
}

impl People {
    pub fn new(app: &str) -> Self {
        let topic = |what| {
            let topic = Topic::new(&format!("{app}.{what}"));
            topic.expect("the world's app is a topic's prefix")
        };
        Self {
            questions: topic("questions"),
            operator: topic("operator"),
            read: BTreeMap::new(),
            tried: BTreeSet::new(),
            acts: 0,
        }
    }

    /// Where they answer.
    pub fn operator(&self) -> &Topic {
        &self.operator
    }

    /// What they were asked since the last time.
    pub fn asked(&mut self, world: &World) -> Vec<Question> {
        let mut asked = Vec::new();
        for place in world.places().into_iter().filter(|(topic, _)| *topic == self.questions) {
            let from = self.read.get(&place).copied().unwrap_or_default();
            for record in world.read(&place, from) {
                self.read.insert(place.clone(), record.offset.next());
                match serde_json::from_slice(record.value.as_deref().unwrap_or_default()) {
                    Ok(question) => asked.push(question),
                    Err(e) => world.complain(format!("no question: {e}")),
                }
            }
        }
        asked
    }

    /// What somebody says about a topic that was made anew for the so-manieth time.
    pub fn accept(&self, topic: &Topic, times: u64) -> Outgoing {
        let body = json!({
            "id": format!("accept:{topic}:{times}"),
            "verb": "accept-topic",
            "topic": topic.as_str(),
            "by": "bob",
            "why": "it was made anew",
        });
        self.said(topic.to_string(), &body)
    }

    /// What somebody does about a stuck step.
    pub fn act(&mut self, id: &InstanceId, step: &str, undoing: bool, dice: &mut Dice) -> Outgoing {
        let resorts = if undoing { &LAST_RESORTS_OF_UNDOING[..] } else { &LAST_RESORTS };
        let is_first = self.tried.insert((id.clone(), step.to_owned(), undoing));
        let verb = if is_first { "retry" } else { resorts[dice.place(resorts.len())] };
        self.acts += 1;
        let body = json!({
            "id": format!("act:{}", self.acts),
            "saga": id.saga.as_str(),
            "key": id.key.as_str(),
            "step": step,
            "verb": verb,
            "by": "bob",
            "why": "it waits for somebody",
        });
        self.said(id.to_string(), &body)
    }

    /// What somebody does about a whole saga: cancels it, lets it stand still or go on, or sets the
    /// data that it has.
    pub fn steer(&mut self, id: &InstanceId, verb: &str, data: Option<&Value>) -> Outgoing {
        self.acts += 1;
        let mut body = json!({
            "id": format!("act:{}", self.acts),
            "saga": id.saga.as_str(),
            "key": id.key.as_str(),
            "verb": verb,
            "by": "bob",
            "why": "somebody has asked for it",
        });
        if let (Some(fields), Some(data)) = (body.as_object_mut(), data) {
            fields.insert("data".to_owned(), data.clone());
        }
        self.said(id.to_string(), &body)
    }

    fn said(&self, key: String, body: &Value) -> Outgoing {
        let mut headers = Headers::default();
        headers.push(header::CONTENT_TYPE, "application/json");
        Outgoing { topic: self.operator.clone(), key, headers, body: body.to_string().into() }
    }
}
