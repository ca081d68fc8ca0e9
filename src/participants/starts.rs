use serde_json::{Map, Number, Value};

use super::decide::{cloud_event, rendered};
use super::draw::Draws;
use super::{Field, Script, StartEvent, Unanswered};
use crate::expression::{Name, Scope};
use crate::message::{Outgoing, Timestamp, Topic};

/// Makes the events that start sagas: the same number makes the same event.
#[derive(Debug, Clone)]
pub struct Starts {
    starts: Vec<StartEvent>,
    seed: u64,
}

impl Starts {
    /// The starts of some scripts; none if none of them has any.
    #[must_use]
    pub fn new<'a>(scripts: impl IntoIterator<Item = &'a Script>, seed: u64) -> Option<Self> {
        let starts: Vec<StartEvent> =
            scripts.into_iter().flat_map(|s| s.starts.iter().cloned()).collect();
        (!starts.is_empty()).then_some(Self { starts, seed })
    }

    /// The topics that they go to.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let mut topics: Vec<Topic> = self.starts.iter().map(|s| s.event.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// The `n`th event, counted from 1.
    ///
    /// # Errors
    /// When a template of the script has no value.
    pub fn make(&self, n: u64, now: Timestamp) -> Result<Outgoing, Unanswered> {
        let mut draws = Draws::new(self.seed, "start", &n.to_string());
        let start = &self.starts[draws.weighted(self.starts.iter().map(|s| s.weight))];
        let mut data = Map::new();
        data.insert("n".to_owned(), Value::Number(n.into()));
        for (name, field) in &start.fields {
            data.insert(name.clone(), draw(self.seed, n, name, field));
        }
        let data = Value::Object(data);
        let scope = Scope::at(now).with(Name::Data, &data);
        let unfilled = |e: crate::expression::Error| Unanswered::Unfilled {
            event: start.event.clone(),
            reason: e.to_string(),
        };
        Ok(Outgoing {
            topic: start.event.topic.clone(),
            key: start.key.text(&scope).map_err(unfilled)?,
            headers: cloud_event(&format!("start-{:x}-{n}", self.seed), &start.event, now),
            body: rendered(start.body.as_ref(), &scope).map_err(unfilled)?,
        })
    }
}

fn draw(seed: u64, n: u64, name: &str, field: &Field) -> Value {
    let mut draws = Draws::new(seed, name, &n.to_string());
    match field {
        Field::Choice(choices) => {
            let place = draws.weighted(choices.iter().map(|_| 1));
            choices[place].clone()
        }
        Field::Number { from, to, decimals } => {
            let unit = 10_u64.pow(*decimals);
            let width = from.abs_diff(*to).saturating_mul(unit).saturating_add(1);
            let above = draws.below(width);
            number(i128::from(*from) * i128::from(unit) + i128::from(above), *decimals)
        }
    }
}

/// A number of so many units behind the point, with every digit written.
fn number(units: i128, decimals: u32) -> Value {
    let sign = if units < 0 { "-" } else { "" };
    let unit = 10_u128.pow(decimals);
    let (whole, part) = (units.unsigned_abs() / unit, units.unsigned_abs() % unit);
    let text = match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part:0>width$}", width = decimals as usize),
    };
    let number: Number = text.parse().expect("these are a number's digits");
    Value::Number(number)
}
