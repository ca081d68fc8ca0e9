//! Makes the bodies of events, answers and children: from examples where there are some, else from
//! what the definition reads; and the variations of them that its conditions may ask for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::learn::learn;
use super::slots::{Kind, Known, Slots, Source};
use crate::definition::Definition;
use crate::expression::Number;
use crate::scenario::{Does, Scenario, Starter};

/// The most variations of one body.
const VARIATIONS_MAX: usize = 60;

/// What events of a definition can hold.
pub(super) struct Bodies {
    slots: Slots,
    examples: BTreeMap<Source, Vec<Value>>,
    /// The keys of children in the examples.
    pub child_key: Option<String>,
}

impl Bodies {
    /// Learns from a definition and from the scenarios beside it.
    pub fn of(definition: &Definition, examples: &[Scenario]) -> Self {
        let mut bodies =
            Self { slots: learn(definition), examples: BTreeMap::new(), child_key: None };
        for scenario in examples {
            bodies.example(scenario);
        }
        bodies
    }

    fn example(&mut self, scenario: &Scenario) {
        let given = &scenario.given;
        let source = match &given.by {
            Starter::Event(sent) => Source::Event(sent.on.to_string()),
            Starter::Parent => {
                self.child_key = self.child_key.take().or_else(|| given.key.clone());
                Source::Event(super::learn::PARENT.to_owned())
            }
        };
        let mut found = vec![(source, given.body.clone())];
        for step in &scenario.run {
            if let Does::Event(told) = &step.does {
                found.push((Source::Event(told.on.to_string()), told.body.clone()));
            }
            if let Does::Child(says) = &step.does {
                found.push((Source::Child(says.step.clone()), json!({ "data": says.data })));
            }
        }
        for (source, body) in found {
            let known = self.examples.entry(source).or_default();
            if !known.contains(&body) {
                known.push(body);
            }
        }
    }

    /// A body and its variations, the plainest first; `data` is what the saga remembers, `fixed`
    /// what must stand in it.
    pub fn variations(
        &self,
        source: &Source,
        data: &Value,
        fixed: &[(Vec<String>, Value)],
    ) -> Vec<Value> {
        let examples = self.examples.get(source).map_or(&[][..], Vec::as_slice);
        let plain = self.completed(source, data, examples.first());
        let mut all = vec![plain.clone()];
        let deciding: Vec<(Vec<String>, Vec<Value>)> = self
            .slots
            .reads(source)
            .into_iter()
            .map(|path| {
                let values = self.candidates(source, &path, data, at(&plain, &path));
                (path, values)
            })
            .filter(|(_, values)| !values.is_empty())
            .collect();
        for (path, values) in &deciding {
            for value in values {
                let mut body = plain.clone();
                put(&mut body, path, value.clone());
                all.push(body);
            }
        }
        all.extend(examples.iter().skip(1).map(|e| self.completed(source, data, Some(e))));
        for (place, (path, values)) in deciding.iter().enumerate() {
            for (other, others) in &deciding[place + 1..] {
                for value in values {
                    for second in others {
                        let mut body = plain.clone();
                        put(&mut body, path, value.clone());
                        put(&mut body, other, second.clone());
                        all.push(body);
                    }
                }
            }
        }
        let mut different: Vec<Value> = Vec::new();
        for mut body in all {
            for (path, value) in fixed {
                put(&mut body, path, value.clone());
            }
            if different.len() < VARIATIONS_MAX && !different.contains(&body) {
                different.push(body);
            }
        }
        different
    }

    /// What a person knows who says that a step was done: the fields that it would have set.
    pub fn known(&self, fields: &Map<String, Value>, data: &Value) -> Map<String, Value> {
        let value = |field: &String| {
            let path = vec![field.clone()];
            (field.clone(), self.value(&Source::Data, &path, data))
        };
        fields.keys().map(value).collect()
    }

    /// An example with everything that is read of its source.
    fn completed(&self, source: &Source, data: &Value, example: Option<&Value>) -> Value {
        let mut body = example.cloned().unwrap_or_else(|| json!({}));
        for path in self.slots.reads(source) {
            if at(&body, &path).is_none() {
                put(&mut body, &path, self.value(source, &path, data));
            }
        }
        body
    }

    /// A value for a place, if nobody has an example.
    fn value(&self, source: &Source, path: &[String], data: &Value) -> Value {
        let slot = (source.clone(), path.to_vec());
        let known = self.slots.about(&slot);
        // An event that names something of the start means the same thing.
        let same = path.last().and_then(|field| data.get(field));
        if let Some(same) = same.filter(|_| *source != Source::Data && known.kind == Kind::Unknown)
        {
            return same.clone();
        }
        let example = self.slots.sharing(&slot).into_iter().find_map(|(other, path)| {
            self.examples.get(&other)?.iter().find_map(|body| at(body, &path).cloned())
        });
        example.unwrap_or_else(|| self.made(&known, path))
    }

    fn made(&self, known: &Known, path: &[String]) -> Value {
        match known.kind {
            Kind::Unknown | Kind::Text => known
                .literals
                .iter()
                .find(|literal| literal.is_string())
                .cloned()
                .unwrap_or_else(|| Value::from(format!("{}-1", path.join("-")))),
            Kind::Number => known.literals.first().cloned().unwrap_or_else(|| json!(10)),
            Kind::Flag => json!(true),
            Kind::Moment => json!("2026-01-02T09:00:00Z"),
            Kind::Length => json!("1h"),
            Kind::List => self.list(known, None, 1),
        }
    }

    /// Values that may turn a condition; none for a place that no condition depends on.
    fn candidates(
        &self,
        source: &Source,
        path: &[String],
        data: &Value,
        plain: Option<&Value>,
    ) -> Vec<Value> {
        let slot = (source.clone(), path.to_vec());
        let known = self.slots.about(&slot);
        if !known.matters {
            return Vec::new();
        }
        let kind = match (known.kind, plain) {
            (Kind::Unknown, Some(Value::Number(_))) => Kind::Number,
            (Kind::Unknown, Some(Value::Bool(_))) => Kind::Flag,
            (Kind::Unknown, Some(Value::Array(_))) => Kind::List,
            (kind, _) => kind,
        };
        let mut found: Vec<Value> = known.literals.clone();
        match kind {
            Kind::Number => {
                found.extend(known.literals.iter().chain(plain).flat_map(around));
                found.extend([json!(0), json!(1), json!(1_000_000_000)]);
            }
            Kind::Flag => found.extend([json!(true), json!(false)]),
            Kind::Moment => found.extend(
                [
                    "2026-01-01T00:00:01Z",
                    "2026-01-02T09:00:00Z",
                    "2036-01-01T00:00:00Z",
                    "some day",
                ]
                .map(Value::from),
            ),
            Kind::Length => found.extend(["1s", "20000h"].map(Value::from)),
            Kind::List => {
                let most = known.most.map(|most| most.saturating_add(1));
                let lengths = [1, 2, 0].into_iter().chain(most);
                found.extend(lengths.map(|length| self.list(&known, plain, length)));
            }
            Kind::Unknown | Kind::Text => found.push(json!("something else")),
        }
        let same = self.slots.sharing(&slot).into_iter().filter_map(|(other, path)| {
            (other == Source::Data).then(|| at(data, &path).cloned()).flatten()
        });
        found.extend(same);
        found
    }

    /// A list of so many elements: those of an example, repeated.
    fn list(&self, known: &Known, example: Option<&Value>, length: u32) -> Value {
        let examples = example.and_then(Value::as_array).filter(|all| !all.is_empty());
        let element = |index: u32| {
            if let Some(all) = examples {
                return all[index as usize % all.len()].clone();
            }
            let Some(source) = &known.elements else { return json!(format!("element-{index}")) };
            if self.slots.reads(source).is_empty() {
                return json!(format!("element-{index}"));
            }
            let mut item = json!({});
            for path in self.slots.reads(source) {
                put(
                    &mut item,
                    &path,
                    self.made(&self.slots.about(&(source.clone(), path.clone())), &path),
                );
            }
            item
        };
        Value::Array((0..length).map(element).collect())
    }
}

/// A number and its neighbours.
fn around(value: &Value) -> Vec<Value> {
    let Value::Number(number) = value else { return Vec::new() };
    let number = Number::of(number);
    let beside = [-1, 1].into_iter().filter_map(|by| number.greater_by(by));
    std::iter::once(value.clone()).chain(beside.map(Value::Number)).collect()
}

/// What stands at a path.
fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, field| value.get(field))
}

/// Writes a value at a path; what is no object on the way becomes one.
pub(super) fn put(value: &mut Value, path: &[String], new: Value) {
    let Some((field, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    if let Value::Object(fields) = value {
        put(fields.entry(field.clone()).or_insert(Value::Null), rest, new);
    }
}
