//! Learns from a definition's expressions what kind of value stands where.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::definition::Role;
use crate::expression::{Beside, Expression, Name, Reference, Usage};

/// A place where a value comes from: a source and the fields behind it.
pub(super) type Slot = (Source, Vec<String>);

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// What the saga remembers.
    Data,
    /// An event, by its address.
    Event(String),
    /// The answer to a call of a step.
    Call(String),
    /// What a child of a step remembers.
    Child(String),
    /// A person's answer to a step.
    Answer(String),
    /// An element of the list of a fan-out.
    Item(String),
    /// What a branch of a fan-out remembers.
    Branch(String),
}

/// What kind of value a place holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// Nobody said; text will do.
    #[default]
    Unknown,
    Text,
    Number,
    Flag,
    List,
    Moment,
    Length,
}

/// What is known of a place and those that it shares its values with.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub kind: Kind,
    /// What it is compared with.
    pub literals: Vec<Value>,
    /// Whether a condition depends on it.
    pub matters: bool,
    /// The longest list of a fan-out over it.
    pub most: Option<u32>,
    /// What its elements are read as, if a fan-out is over it.
    pub elements: Option<Source>,
}

/// Who means what by the names in an expression.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub event: Option<Source>,
    pub child: Option<Source>,
    pub answer: Option<Source>,
    /// The fan-out around.
    pub each: Option<String>,
}

impl Names {
    fn slot(&self, path: &Reference) -> Option<Slot> {
        let source = match path.name {
            Name::Data => Source::Data,
            Name::Event => self.event.clone()?,
            Name::Child => self.child.clone()?,
            Name::Answer => self.answer.clone()?,
            Name::Item => Source::Item(self.each.clone()?),
            Name::Branch => Source::Branch(self.each.clone()?),
            Name::Key | Name::Now | Name::Failure | Name::Index | Name::Fence => return None,
        };
        Some((source, path.fields.clone()))
    }
}

/// Every place that a definition reads, and what is known of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    known: BTreeMap<Slot, Known>,
    shared: BTreeMap<Slot, Slot>,
    /// What is computed: the field, and what it is computed from.
    sums: Vec<(Slot, Vec<Slot>)>,
}

impl Slots {
    /// Reads an expression.
    pub fn read(&mut self, names: &Names, expression: &Expression, role: Role) {
        let decides = match role {
            Role::Condition | Role::Items(_) | Role::Moment => true,
            Role::Key | Role::Message | Role::Value => false,
        };
        for used in expression.uses() {
            let Some(slot) = names.slot(&used.path) else { continue };
            self.known.entry(slot.clone()).or_default();
            self.at(&slot).matters |= decides;
            match &used.usage {
                Usage::Alone => self.at(&slot).alone(role),
                Usage::Held => self.at(&slot).learn(Kind::Flag),
                Usage::Looped => self.at(&slot).learn(Kind::List),
                Usage::Receiver(method) => self.at(&slot).learn(kind_for(method)),
                Usage::Argument(function) => self.at(&slot).learn(kind_of_argument(function)),
                Usage::Computed(beside) => {
                    self.at(&slot).learn(Kind::Number);
                    self.beside(names, &slot, beside);
                }
                Usage::Compared(beside) | Usage::Added(beside) => self.beside(names, &slot, beside),
                Usage::Asked | Usage::Other => {}
            }
        }
    }

    /// What stands beside a place in a comparison or a sum says what it is.
    fn beside(&mut self, names: &Names, slot: &Slot, beside: &Beside) {
        match beside {
            Beside::Literal(value) => self.at(slot).compared(value),
            Beside::Path(path) => {
                if let Some(other) = names.slot(path) {
                    self.alike(slot, &other);
                }
            }
            Beside::Other => {}
        }
    }

    /// Reads what fills a field.
    pub fn fill(&mut self, names: &Names, field: Slot, expression: &Expression) {
        self.read(names, expression, Role::Value);
        self.known.entry(field.clone()).or_default();
        if let Some(slot) = expression.path().and_then(|path| names.slot(path)) {
            self.share(&field, &slot);
        } else {
            let slots = expression.uses().iter().filter_map(|used| names.slot(&used.path));
            self.sums.push((field, slots.collect()));
        }
    }

    /// A fan-out reads the elements of a list.
    pub fn elements(&mut self, names: &Names, list: &Expression, elements: Source) {
        if let Some(slot) = list.path().and_then(|path| names.slot(path)) {
            self.at(&slot).elements = Some(elements);
        }
    }

    /// Settles what follows from what was read.
    pub fn settle(&mut self) {
        // What is read behind a field that was filled from elsewhere is read there.
        let all: Vec<Slot> = self.known.keys().cloned().collect();
        for (source, fields) in &all {
            for cut in 1..fields.len() {
                let whole = (source.clone(), fields[..cut].to_vec());
                for other in self.sharing(&whole) {
                    if other != whole {
                        let path = [&other.1[..], &fields[cut..]].concat();
                        let other = (other.0, path);
                        self.known.entry(other.clone()).or_default();
                        self.share(&(source.clone(), fields.clone()), &other);
                    }
                }
            }
        }
        for _ in 0..=self.sums.len() {
            for (field, slots) in self.sums.clone() {
                let known = self.about(&field);
                for slot in slots {
                    let at = self.at(&slot);
                    at.matters |= known.matters;
                    if known.kind == Kind::Number && at.kind == Kind::Unknown {
                        at.kind = Kind::Number;
                    }
                }
            }
        }
    }

    /// What is known of a place.
    pub fn about(&self, slot: &Slot) -> Known {
        self.known.get(&self.root(slot)).cloned().unwrap_or_default()
    }

    /// Everything that is read of a source: the fields, the shortest first.
    pub fn reads(&self, source: &Source) -> Vec<Vec<String>> {
        let own = self.known.keys().filter(|(of, _)| of == source);
        own.map(|(_, fields)| fields.clone()).filter(|fields| !fields.is_empty()).collect()
    }

    /// The places that hold the same value, this one too.
    pub fn sharing(&self, slot: &Slot) -> BTreeSet<Slot> {
        let root = self.root(slot);
        let same = self.known.keys().filter(|other| self.root(other) == root);
        same.cloned().chain([slot.clone()]).collect()
    }

    fn root(&self, slot: &Slot) -> Slot {
        let mut root = slot;
        while let Some(next) = self.shared.get(root) {
            root = next;
        }
        root.clone()
    }

    fn at(&mut self, slot: &Slot) -> &mut Known {
        let root = self.root(slot);
        self.known.entry(root).or_default()
    }

    /// Two places that are compared are of one kind, and each may hold what the other does.
    fn alike(&mut self, one: &Slot, other: &Slot) {
        self.known.entry(other.clone()).or_default();
        self.share(one, other);
    }

    fn share(&mut self, one: &Slot, other: &Slot) {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return;
        }
        let known = self.known.get(&other).cloned().unwrap_or_default();
        self.known.entry(other.clone()).or_default();
        self.shared.insert(other, one.clone());
        let at = self.known.entry(one).or_default();
        at.learn(known.kind);
        at.matters |= known.matters;
        at.most = at.most.or(known.most);
        at.elements = at.elements.take().or(known.elements);
        known.literals.iter().for_each(|value| at.compared(value));
    }
}

impl Known {
    /// Learns from an expression that is nothing but this place.
    fn alone(&mut self, role: Role) {
        match role {
            Role::Condition => self.learn(Kind::Flag),
            Role::Items(most) => {
                self.most = Some(most);
                self.learn(Kind::List);
            }
            Role::Moment => self.learn(Kind::Moment),
            Role::Key | Role::Message | Role::Value => {}
        }
    }

    fn learn(&mut self, kind: Kind) {
        if self.kind == Kind::Unknown {
            self.kind = kind;
        }
    }

    fn compared(&mut self, value: &Value) {
        self.learn(match value {
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::Text,
            Value::Bool(_) => Kind::Flag,
            Value::Null | Value::Array(_) | Value::Object(_) => Kind::Unknown,
        });
        if !self.literals.contains(value) {
            self.literals.push(value.clone());
        }
    }
}

fn kind_for(method: &str) -> Kind {
    match method {
        "startsWith" | "endsWith" | "contains" | "matches" => Kind::Text,
        method if method.starts_with("get") => Kind::Moment,
        _ => Kind::Unknown,
    }
}

fn kind_of_argument(function: &str) -> Kind {
    match function {
        "size" => Kind::List,
        "timestamp" => Kind::Moment,
        "duration" => Kind::Length,
        "int" | "double" => Kind::Number,
        _ => Kind::Unknown,
    }
}
