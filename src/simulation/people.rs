use std::collections::BTreeMap;

use serde_json::json;

use super::world::{Place, World};
use crate::message::{Headers, InstanceId, Offset, Outgoing, Topic, header};
use crate::participants::Question;

/// How often somebody tries a stuck step again before they leave it out.
const TRIES_MAX: u32 = 2;

/// Where people are asked and answer, and those who see to what is stuck.
#[derive(Debug)]
pub(super) struct People {
    questions: Topic,
    operator: Topic,
    read: BTreeMap<Place, Offset>,
    tries: BTreeMap<(InstanceId, String, bool), u32>,
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
            tries: BTreeMap::new(),
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

    /// What somebody does about a stuck step.
    pub fn act(&mut self, id: &InstanceId, step: &str, undoing: bool) -> Outgoing {
        let tries = self.tries.entry((id.clone(), step.to_owned(), undoing)).or_default();
        *tries += 1;
        self.acts += 1;
        let body = json!({
            "id": format!("act:{}", self.acts),
            "saga": id.saga.as_str(),
            "key": id.key.as_str(),
            "step": step,
            "verb": if *tries > TRIES_MAX { "skip" } else { "retry" },
            "by": "bob",
            "why": "it waits for somebody",
        });
        let mut headers = Headers::default();
        headers.push(header::CONTENT_TYPE, "application/json");
        let (topic, key) = (self.operator.clone(), id.to_string());
        Outgoing { topic, key, headers, body: body.to_string().into() }
    }
}
