use serde_json::{Map, Value};

use super::decide::{ScheduledAnswer, cloud_event, follow_id, followed, rendered};
use super::draw::{Draws, drawn};
use super::{Script, StartEvent, Unanswered};
use crate::expression::{Name, Scope};
use crate::message::{Address, Outgoing, Timestamp, Topic};

/// Makes the events that start sagas: the same number makes the same event.
#[derive(Debug, Clone)]
pub struct Starts {
    /// Those of each script; every script has the same chance.
    scripts: Vec<Vec<StartEvent>>,
    seed: u64,
}

impl Starts {
    /// The starts of some scripts; none if none of them has any.
    #[must_use]
    pub fn new<'a>(scripts: impl IntoIterator<Item = &'a Script>, seed: u64) -> Option<Self> {
        let scripts = scripts.into_iter().map(|script| script.starts.clone());
        let scripts: Vec<_> = scripts.filter(|starts| !starts.is_empty()).collect();
        (!scripts.is_empty()).then_some(Self { scripts, seed })
    }

    /// The topics that they go to.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let facts = self.scripts.iter().flatten().flat_map(|s| {
            s.then.iter().filter_map(|follow| follow.event.as_ref()).chain([&s.event])
        });
        let mut topics: Vec<Topic> = facts.map(|event| event.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// The `n`th event, counted from 1.
    ///
    /// # Errors
    /// When a template of the script has no value.
    pub fn make(&self, n: u64, now: Timestamp) -> Result<Outgoing, Unanswered> {
        let (start, data) = self.drawn(n);
        let unfilled = unfilled(&start.event);
        let scope = Scope::at(now).with(Name::Data, &data);
        Ok(Outgoing {
            topic: start.event.topic.clone(),
            key: start.key.text(&scope).map_err(&unfilled)?,
            headers: cloud_event(&format!("start-{:x}-{n}", self.seed), &start.event, now),
            body: rendered(start.body.as_ref(), &scope).map_err(&unfilled)?,
        })
    }

    /// What follows the `n`th event by itself, if anything does.
    ///
    /// # Errors
    /// When a template of the script has no value.
    pub fn follow(&self, n: u64, now: Timestamp) -> Result<Option<ScheduledAnswer>, Unanswered> {
        let (start, data) = self.drawn(n);
        let place = format!("start-{n}");
        let Some((follow, event, at)) = followed(self.seed, &place, &start.then, now) else {
            return Ok(None);
        };
        let unfilled = unfilled(event);
        let scope = Scope::at(at).with(Name::Data, &data);
        let key = follow.key.as_ref().unwrap_or(&start.key).text(&scope).map_err(&unfilled)?;
        let body = rendered(follow.body.as_ref(), &scope).map_err(&unfilled)?;
        let headers = cloud_event(&follow_id(self.seed, &place), event, at);
        let message = Outgoing { topic: event.topic.clone(), key, headers, body };
        Ok(Some(ScheduledAnswer { at, message }))
    }

    fn drawn(&self, n: u64) -> (&StartEvent, Value) {
        let place = n.to_string();
        let mut draws = Draws::new(self.seed, "start", &place);
        let starts = &self.scripts[draws.weighted(self.scripts.iter().map(|_| 1))];
        let start = &starts[draws.weighted(starts.iter().map(|s| s.weight))];
        let mut data = Map::new();
        data.insert("n".to_owned(), Value::Number(n.into()));
        for (name, field) in &start.fields {
            data.insert(name.clone(), drawn(self.seed, &place, name, field));
        }
        (start, Value::Object(data))
    }
}

fn unfilled(event: &Address) -> impl Fn(crate::expression::Error) -> Unanswered {
    |e| Unanswered::Unfilled { event: event.clone(), reason: e.to_string() }
}
