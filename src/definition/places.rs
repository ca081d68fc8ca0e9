use std::collections::BTreeMap;
use std::ops::Range;

use super::StepId;
use super::node::{Content, Node};
use super::parse::{Place, Position};
use crate::expression::Name;

/// Where the parts of a definition stand in its file, and what its expressions read there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// The keys of the file itself.
    pub file: Keys,
    /// The keys of each step, by its id.
    pub steps: Vec<Keys>,
    /// Where each step stands, seen from the pivots.
    pub stands: Vec<Position>,
    /// What is read, in the order of reading.
    pub reads: Vec<Read>,
    /// Every text in which nothing is evaluated, where an expression could stand.
    pub texts: Vec<Written>,
    /// Fan-outs over a field that is no longer than they allow, as far as the starts tell.
    pub bounded: Vec<(StepId, String)>,
    /// Every expression, in the order of reading.
    pub expressions: Vec<Written>,
}

/// Where an expression or a text stands.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The step that it belongs to; none outside the steps.
    pub step: Option<StepId>,
    /// The expression or text.
    pub source: String,
    /// Its place.
    pub span: Range<usize>,
}

/// One path that an expression reads.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    /// The step that reads it; none outside the steps.
    pub step: Option<StepId>,
    /// The `each` whose branch fields it means, for [`Name::Branch`].
    pub each: Option<StepId>,
    /// What kind of place it stands in.
    pub place: Place,
    /// The name that it starts from.
    pub name: Name,
    /// The fields behind it.
    pub fields: Vec<String>,
    /// Whether the expression asks first by `has(…)`.
    pub asked: bool,
    /// Where it stands.
    pub span: Range<usize>,
}

impl Read {
    /// The field that it reads, of the data (none) or of the branches of an `each`.
    pub fn field(&self) -> Option<(Option<StepId>, &str)> {
        owned(self.name, self.each, self.fields.first()?)
    }
}

/// A field with whose it is: the data's (none), or that of the branches of an `each`; none if the
/// name stands for neither.
pub(super) fn owned(
    name: Name,
    each: Option<StepId>,
    field: &str,
) -> Option<(Option<StepId>, &str)> {
    match name {
        Name::Data => Some((None, field)),
        Name::Branch => Some((each, field)),
        Name::Event
        | Name::Key
        | Name::Now
        | Name::Failure
        | Name::Item
        | Name::Index
        | Name::Fence
        | Name::Answer
        | Name::Child => None,
    }
}

/// The keys of one mapping and of those inside it, by their path: `compensate.done.0.on`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(BTreeMap<String, Spot>);

/// Where a key and its value stand.
#[derive(Debug, Clone)]
struct Spot {
    key: Range<usize>,
    value: Range<usize>,
}

impl Keys {
    /// Reads the places of a mapping; steps inside it have their own.
    pub fn of(node: &Node) -> Self {
        let mut keys = Self::default();
        keys.walk("", node);
        keys
    }

    /// The place of a key, or of the nearest one around it.
    pub fn key(&self, path: &str) -> Range<usize> {
        self.nearest(path).map_or(0..0, |spot| spot.key.clone())
    }

    /// The place of a value, or of the nearest one around it.
    pub fn value(&self, path: &str) -> Range<usize> {
        self.nearest(path).map_or(0..0, |spot| spot.value.clone())
    }

    /// Whether a key stands there.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn nearest(&self, path: &str) -> Option<&Spot> {
        if let Some(spot) = self.0.get(path) {
            return Some(spot);
        }
        match path.rsplit_once('.') {
            Some((outer, _)) => self.nearest(outer),
            None => self.0.values().min_by_key(|spot| spot.key.start),
        }
    }

    fn walk(&mut self, outer: &str, node: &Node) {
        let path = |name: &str| {
            if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
        };
        match &node.content {
            Content::Scalar { .. } => {}
            Content::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    let path = path(&place.to_string());
                    let spot = Spot { key: item.span.clone(), value: item.span.clone() };
                    self.0.insert(path.clone(), spot);
                    self.walk(&path, item);
                }
            }
            Content::Map(entries) => {
                for (key, value) in entries {
                    let path = path(&key.text);
                    let spot = Spot { key: key.span.clone(), value: value.span.clone() };
                    self.0.insert(path.clone(), spot);
                    if !matches!(key.text.as_str(), "steps" | "parallel" | "with" | "body") {
                        self.walk(&path, value);
                    }
                }
            }
        }
    }
}
