use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::services::Letter;
use super::world::{Place, World};
use crate::message::{Address, InstanceId, Offset, Topic, read_json};

/// How often somebody tries a stuck step again before they leave it out.
const TRIES_MAX: u32 = 2;

/// The people who are asked, and who see to what is stuck.
#[derive(Debug)]
pub(super) struct People {
    questions: Topic,
    operator: Address,
    read: BTreeMap<Place, Offset>,
    tries: BTreeMap<(InstanceId, String, bool), u32>,
    acts: u64,
}

/// A question that people were told.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    saga: Value,
    key: Value,
    step: Value,
    pub choices: Vec<String>,
}

impl People {
    pub fn new(app: &str) -> Self {
        let topic = Topic::new(&format!("{app}.questions"));
        Self {
            questions: topic.expect("the world's app is a topic's prefix"),
            operator: format!("{app}.operator/Act").parse().expect("an address"),
            read: BTreeMap::new(),
            tries: BTreeMap::new(),
            acts: 0,
        }
    }

    /// What they were asked since the last time.
    pub fn asked(&mut self, world: &World) -> Vec<Asked> {
        let mut asked = Vec::new();
        for place in world.places().into_iter().filter(|(topic, _)| *topic == self.questions) {
            let from = self.read.get(&place).copied().unwrap_or_default();
            for record in world.read(&place, from) {
                self.read.insert(place.clone(), record.offset.next());
                let body = read_json(record.value.as_deref().unwrap_or_default());
                asked.extend(body.ok().and_then(|body| Asked::read(&body)));
            }
        }
        asked
    }

    /// An answer to a question, each with an id of its own.
    pub fn answer(&mut self, asked: &Asked, choice: usize) -> Letter {
        let Asked { saga, key, step, choices } = asked;
        self.letter(json!({
            "saga": saga, "key": key, "step": step, "verb": "answer", "by": "ana",
            "choice": choices.get(choice),
        }))
    }

    /// What somebody does about a stuck step.
    pub fn act(&mut self, id: &InstanceId, step: &str, undoing: bool) -> Letter {
        let tries = self.tries.entry((id.clone(), step.to_owned(), undoing)).or_default();
        *tries += 1;
        let verb = if *tries > TRIES_MAX { "skip" } else { "retry" };
        self.letter(json!({
            "saga": id.saga.as_str(), "key": id.key.as_str(), "step": step, "verb": verb,
            "by": "bob", "why": "it waits for somebody",
        }))
    }

    fn letter(&mut self, mut body: Value) -> Letter {
        self.acts += 1;
        let id = format!("act:{}", self.acts);
        body["id"] = Value::String(id.clone());
        let key = body["key"].as_str().unwrap_or_default().to_owned();
        Letter { to: self.operator.clone(), key, id, answers: None, body: body.to_string() }
    }
}

impl Asked {
    fn read(body: &Value) -> Option<Self> {
        let choices = body["choices"].as_array()?.iter();
        Some(Self {
            saga: body["saga"].clone(),
            key: body["key"].clone(),
            step: body["step"].clone(),
            choices: choices.filter_map(|c| c.as_str().map(str::to_owned)).collect(),
        })
    }
}
