use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::draw::Draws;
use super::{Person, Script};
use crate::message::{Headers, Outgoing, Timestamp, Topic, header};

/// A question as `<app>.questions` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Question {
    /// Its own id: it may be told again.
    pub id: String,
    /// The saga that asks.
    pub saga: String,
    /// The instance's key.
    pub key: String,
    /// The step that asks.
    pub step: String,
    /// Who is asked.
    pub who: String,
    /// What they can answer.
    pub choices: Vec<String>,
}

/// An answer as `<app>.operator` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The act's own id: the same for the same question, so a second answer changes nothing.
    pub id: String,
    /// The saga that asked.
    pub saga: String,
    /// The instance's key.
    pub key: String,
    /// What is done: always `answer`.
    pub verb: &'static str,
    /// The step that asked.
    pub step: String,
    /// What was chosen.
    pub choice: String,
    /// Who says it.
    pub by: String,
    /// What they say beside it.
    pub note: String,
}

/// The people who answer questions.
#[derive(Debug, Clone, Default)]
pub struct People {
    people: BTreeMap<String, Person>,
    seed: u64,
}

impl People {
    /// People that answer by some scripts; where two name somebody the first one counts.
    #[must_use]
    pub fn new<'a>(scripts: impl IntoIterator<Item = &'a Script>, seed: u64) -> Self {
        let mut people = BTreeMap::new();
        for (who, person) in scripts.into_iter().flat_map(|s| &s.people) {
            people.entry(who.clone()).or_insert_with(|| person.clone());
        }
        Self { people, seed }
    }

    /// Whether anybody answers questions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// What is answered and when; nothing for somebody who is silent.
    ///
    /// # Errors
    /// When the scripts do not know who is asked, or none of the choices, in words.
    pub fn decide(
        &self,
        question: &Question,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, Said)>, String> {
        let who = &question.who;
        let person = self.people.get(who).ok_or_else(|| {
            format!("nobody answers for `{who}`; add them to `people` in participants.yaml")
        })?;
        let mut draws = Draws::new(self.seed, "person", &question.id);
        let silent = draws.happens(person.silent);
        let at = now.after(draws.delay(person.delay));
        let offered = |choice: &String| question.choices.contains(choice);
        let weights = person.choices.iter().map(|(c, weight)| if offered(c) { *weight } else { 0 });
        let place = draws.weighted(weights);
        let choice = person.choices.get(place).map(|(choice, _)| choice).filter(|c| offered(c));
        let choice = choice.ok_or_else(|| {
            let offered = question.choices.join(", ");
            format!("`{who}` of participants.yaml chooses none of: {offered}")
        })?;
        let said = Said {
            id: format!("{}/answer", question.id),
            saga: question.saga.clone(),
            key: question.key.clone(),
            verb: "answer",
            step: question.step.clone(),
            choice: choice.clone(),
            by: who.clone(),
            note: person.note.clone(),
        };
        Ok((!silent).then_some((at, said)))
    }
}

impl Said {
    /// The act as a record: all acts on one instance have its name as their key.
    #[must_use]
    pub fn message(&self, operator: &Topic) -> Outgoing {
        let mut headers = Headers::default();
        headers.push(header::CONTENT_TYPE, "application/json");
        let body = serde_json::to_vec(self).expect("texts always serialise");
        let key = format!("{}/{}", self.saga, self.key);
        Outgoing { topic: operator.clone(), key, headers, body: body.into() }
    }
}
