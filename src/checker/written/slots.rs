//! Learns from a definition's expressions what kind of value stands where.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tokens::{Token, tokens};
use crate::definition::Role;
use crate::expression::Expression;

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
    fn slot(&self, path: &[String]) -> Option<Slot> {
        let (name, fields) = path.split_first()?;
        let source = match name.as_str() {
            "data" => Source::Data,
            "event" => self.event.clone()?,
            "child" => self.child.clone()?,
            "answer" => self.answer.clone()?,
            "item" => Source::Item(self.each.clone()?),
            "branch" => Source::Branch(self.each.clone()?),
            _ => return None,
        };
        Some((source, fields.to_vec()))
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

const ARITHMETIC: [&str; 5] = ["+", "-", "*", "/", "%"];
const COMPARISON: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

impl Slots {
    /// Reads an expression.
    pub fn read(&mut self, names: &Names, expression: &Expression, role: Role) {
        let pieces = tokens(expression.source());
        let decides = matches!(role, Role::Condition | Role::Items(_) | Role::Moment);
        for (at, piece) in pieces.iter().enumerate() {
            let (path, method) = match piece {
                Token::Path(path) => (path, None),
                Token::Method(path, method) => (path, Some(method.as_str())),
                Token::Open(_) | Token::Close | Token::Literal(_) | Token::Operator(_) => continue,
            };
            let Some(slot) = names.slot(path) else { continue };
            self.known.entry(slot.clone()).or_default();
            let known = self.at(&slot);
            known.matters |= decides;
            if let Some(kind) = method.map(kind_for) {
                known.learn(kind);
            }
            if let (Role::Items(most), 1) = (role, pieces.len()) {
                known.most = Some(most);
                known.learn(Kind::List);
            }
            if role == Role::Moment && pieces.len() == 1 {
                known.learn(Kind::Moment);
            }
            let before = at.checked_sub(1).and_then(|at| pieces.get(at));
            let after = pieces.get(at + 1).filter(|_| method.is_none());
            self.beside(names, &slot, (before, after), (at, &pieces), role);
        }
    }

    /// What stands before and after a path says what it is.
    fn beside(
        &mut self,
        names: &Names,
        slot: &Slot,
        (before, after): (Option<&Token>, Option<&Token>),
        (at, pieces): (usize, &[Token]),
        role: Role,
    ) {
        if let Some(Token::Open(function)) = before {
            let kind = match function.as_str() {
                "size" => Kind::List,
                "timestamp" => Kind::Moment,
                "duration" => Kind::Length,
                "int" | "double" => Kind::Number,
                _ => Kind::Unknown,
            };
            self.at(slot).learn(kind);
        }
        let sides = [
            (before, at.checked_sub(2).and_then(|at| pieces.get(at))),
            (after, pieces.get(at + 2)),
        ];
        let mut compared = false;
        for (operator, other) in sides {
            let Some(Token::Operator(operator)) = operator else { continue };
            let operator = operator.as_str();
            let sum = ARITHMETIC.contains(&operator);
            compared |= sum || COMPARISON.contains(&operator) || operator == "in";
            if sum && operator != "+" {
                self.at(slot).learn(Kind::Number);
            }
            if !sum && !COMPARISON.contains(&operator) {
                continue;
            }
            match other {
                Some(Token::Literal(value)) => self.at(slot).compared(value),
                Some(Token::Path(path)) => {
                    if let Some(other) = names.slot(path) {
                        self.alike(slot, &other);
                    }
                }
                _ => {}
            }
        }
        let decides = role == Role::Condition
            || matches!(after, Some(Token::Operator(operator)) if operator == "?");
        let called = matches!(before, Some(Token::Open(function)) if !function.is_empty());
        let method = matches!(pieces.get(at), Some(Token::Method(..)));
        if decides && !compared && !called && !method {
            self.at(slot).learn(Kind::Flag);
        }
    }

    /// Reads what fills a field.
    pub fn fill(&mut self, names: &Names, field: Slot, expression: &Expression) {
        self.read(names, expression, Role::Value);
        let pieces = tokens(expression.source());
        let slots: Vec<Slot> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Token::Path(path) | Token::Method(path, _) => names.slot(path),
                Token::Open(_) | Token::Close | Token::Literal(_) | Token::Operator(_) => None,
            })
            .collect();
        self.known.entry(field.clone()).or_default();
        match (&pieces[..], &slots[..]) {
            ([Token::Path(_)], [slot]) => self.share(&field, slot),
            _ => self.sums.push((field, slots)),
        }
    }

    /// A fan-out reads the elements of a list.
    pub fn elements(&mut self, names: &Names, list: &Expression, elements: Source) {
        if let [Token::Path(path)] = &tokens(list.source())[..]
            && let Some(slot) = names.slot(path)
        {
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
        "map" | "filter" | "all" | "exists" | "exists_one" => Kind::List,
        "startsWith" | "endsWith" | "contains" | "matches" => Kind::Text,
        method if method.starts_with("get") => Kind::Moment,
        _ => Kind::Unknown,
    }
}
