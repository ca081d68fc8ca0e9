//! Follows what is sensitive from place to place.
//!
//! ```text
//!   event.card ──▶ data.card (sensitive) ──▶ data.copy, branch.number, item.number, a child's with
//!   back: the very value that fills it       on: whatever tells something of it
//! ```

mod handed;
mod spot;

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, PlacedExpression, StepId};
use crate::expression::{Expression, Name, Reference, Template, Usage, Use};
use crate::message::{EventType, SagaName, Topic};
use handed::{Handed, child_of};
use spot::{Part, Source, field_of, list_of, owner, under};
pub(super) use spot::{Spot, meet};

/// What is sensitive in a definition beside the fields of which it says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Secrets {
    /// Fields with whose they are: the data's (none), or that of the branches of an `each`; and
    /// which sensitive field they tell.
    fields: BTreeMap<(Option<StepId>, String), String>,
    /// Parts of events, and which sensitive field they fill.
    events: BTreeMap<Part, String>,
    /// What is sensitive of the children, by their saga.
    children: BTreeMap<SagaName, BTreeSet<String>>,
}

impl Secrets {
    /// Where a value that is sensitive comes from, and all that is computed from it, unless that
    /// only says whether, or how many.
    pub(super) fn of(definition: &Definition) -> Self {
        Self::with(definition, &Handed::default())
    }

    fn with(definition: &Definition, handed: &Handed) -> Self {
        let mut secrets = Self { children: handed.children.clone(), ..Self::default() };
        for (path, secret) in &handed.start {
            let part = Part { of: Source::Parent, path: path.clone(), inner: Vec::new() };
            secrets.events.insert(part, secret.clone());
        }
        if definition.sensitive.is_empty() && *handed == Handed::default() {
            return secrets;
        }
        let all = definition.expressions();
        secrets.until_settled(|secrets| {
            for placed in &all {
                secrets.back(definition, placed);
            }
        });
        secrets.until_settled(|secrets| {
            for placed in &all {
                secrets.on(definition, placed);
            }
        });
        secrets
    }

    fn until_settled(&mut self, mut round: impl FnMut(&mut Self)) {
        loop {
            let known = self.fields.len() + self.events.len();
            round(self);
            if self.fields.len() + self.events.len() == known {
                return;
            }
        }
    }

    /// What fills a sensitive field is sensitive where it comes from: the very value wherever it
    /// stands, and of events all that is read for it.
    fn back(&mut self, definition: &Definition, placed: &PlacedExpression<'_>) {
        let Some(field) = placed.fills else { return };
        let owner = owner(definition, placed);
        for (inner, secret) in self.targets(definition, owner, field) {
            for used in placed.expression.uses().iter().filter(|used| tells(&used.usage)) {
                let spot = Spot::of(placed);
                if used.path.name == Name::Event {
                    let Some(of) = spot.source() else { continue };
                    let is_whole = used.usage == Usage::Alone;
                    let inner = if is_whole { inner.clone() } else { Vec::new() };
                    let part = Part { of, path: used.path.fields.clone(), inner };
                    self.events.entry(part).or_insert_with(|| secret.clone());
                } else if used.usage == Usage::Alone
                    && let Some((owner, field)) = field_of(definition, &used.path, spot)
                    && !(owner.is_none() && is_said(definition, &field))
                {
                    self.fields.entry((owner, field)).or_insert_with(|| secret.clone());
                }
            }
        }
    }

    /// What of a field is sensitive, and which field it is.
    fn targets(
        &self,
        definition: &Definition,
        owner: Option<StepId>,
        field: &str,
    ) -> Vec<(Vec<String>, String)> {
        let known = self.fields.get(&(owner, field.to_owned()));
        let mut found: Vec<_> =
            known.map(|secret| (Vec::new(), secret.clone())).into_iter().collect();
        if owner.is_none() {
            let said = definition.sensitive.iter().filter(|path| path[0] == field);
            found.extend(said.map(|path| (path[1..].to_vec(), said_path(path))));
        }
        found
    }

    /// What is computed from a secret is one.
    fn on(&mut self, definition: &Definition, placed: &PlacedExpression<'_>) {
        let Some(field) = placed.fills else { return };
        let owner = owner(definition, placed);
        if owner.is_none() && is_said(definition, field) {
            return;
        }
        let spot = Spot::of(placed);
        let told = placed.expression.uses().iter().filter(|used| tells(&used.usage));
        let mut open = told.filter(|used| {
            let said = definition.sensitive.iter().filter(|path| path[0] == field);
            let said: Vec<&[String]> = said.map(|path| &path[1..]).collect();
            owner.is_some() || !self.is_said_of(used, spot, &said)
        });
        if let Some(secret) = open.find_map(|used| self.behind(definition, &used.path, spot)) {
            self.fields.entry((owner, field.to_owned())).or_insert(secret);
        }
    }

    /// Whether all that is sensitive of a part of an event that is copied is what is said to be so
    /// where it is copied to: these paths into it.
    fn is_said_of(&self, used: &Use, spot: Spot<'_>, said: &[&[String]]) -> bool {
        let read = &used.path.fields;
        if used.usage != Usage::Alone || used.path.name != Name::Event || said.is_empty() {
            return false;
        }
        let source = spot.source();
        let all = self.events.keys().filter(|part| source.as_ref().is_none_or(|of| *of == part.of));
        all.map(Part::whole).filter(|path| meet(path, read)).all(|path| {
            path.get(read.len()..)
                .is_some_and(|rest| said.iter().any(|said| rest.starts_with(said)))
        })
    }

    /// The sensitive field of which an expression tells something.
    fn told(
        &self,
        definition: &Definition,
        expression: &Expression,
        spot: Spot<'_>,
    ) -> Option<String> {
        let told = expression.uses().iter().filter(|used| tells(&used.usage));
        told.into_iter().find_map(|used| self.behind(definition, &used.path, spot))
    }

    /// The sensitive field of which a template tells something.
    pub(super) fn told_by(
        &self,
        definition: &Definition,
        template: &Template,
        spot: Spot<'_>,
    ) -> Option<String> {
        let mut all = template.expressions().into_iter();
        all.find_map(|expression| self.told(definition, expression, spot))
    }

    /// The sensitive field that a path reads, or whose value it has; the whole data included.
    pub(super) fn behind(
        &self,
        definition: &Definition,
        read: &Reference,
        spot: Spot<'_>,
    ) -> Option<String> {
        if read.tested {
            return None;
        }
        match read.name {
            Name::Data => {
                let mut said = definition.sensitive.iter();
                let said = said.find(|path| meet(path, &read.fields)).map(|path| said_path(path));
                said.or_else(|| self.field(None, read.fields.first()))
            }
            Name::Branch => self.field(spot.each, read.fields.first()),
            Name::Item => self.element(definition, read, spot),
            Name::Event => {
                let source = spot.source();
                let is_it = |part: &Part| {
                    source.as_ref().is_none_or(|of| *of == part.of)
                        && meet(&part.whole(), &read.fields)
                };
                let mut parts = self.events.iter();
                parts.find_map(|(part, secret)| is_it(part).then(|| secret.clone()))
            }
            Name::Child => self.of_child(definition, read, spot),
            Name::Key | Name::Now | Name::Failure | Name::Index | Name::Fence | Name::Answer => {
                None
            }
        }
    }

    fn field(&self, owner: Option<StepId>, field: Option<&String>) -> Option<String> {
        let is_it = |(of, name): &(Option<StepId>, String)| {
            *of == owner && field.is_none_or(|field| field == name)
        };
        let mut all = self.fields.iter();
        all.find_map(|(known, secret)| is_it(known).then(|| secret.clone()))
    }

    /// An element is as sensitive as the list that it is of.
    fn element(&self, definition: &Definition, read: &Reference, spot: Spot<'_>) -> Option<String> {
        let (items, outside) = list_of(definition, spot)?;
        match items.path() {
            Some(list) => self.behind(definition, &under(list, &read.fields), outside),
            None => self.told(definition, items, outside),
        }
    }

    fn of_child(
        &self,
        definition: &Definition,
        read: &Reference,
        spot: Spot<'_>,
    ) -> Option<String> {
        let child = child_of(definition.step(spot.step?))?;
        let secrets = self.children.get(&child.saga)?;
        let is_data = read.fields.first().is_none_or(|part| part == "data");
        let field = read.fields.get(1);
        let mut known = secrets.iter().filter(|_| is_data);
        let known = known.find(|known| field.is_none_or(|field| *known == field))?;
        Some(format!("data.{known} of {}", child.saga))
    }

    /// Whether a field of the data is sensitive, or something in it, or tells what is.
    pub(super) fn is_secret(&self, definition: &Definition, field: &str) -> bool {
        definition.sensitive.iter().any(|path| path[0] == field)
            || self.fields.contains_key(&(None, field.to_owned()))
    }

    /// The fields of the data that are as secret as those of which the definition says so.
    #[must_use]
    pub fn of_data(&self) -> BTreeSet<String> {
        let all = self.fields.keys().filter(|(owner, _)| owner.is_none());
        all.map(|(_, field)| field.clone()).collect()
    }

    /// The sensitive field that a path into an event fills; of an event of no known type, into any
    /// event of its topic.
    pub(super) fn of_read(
        &self,
        (topic, event_type): (&Topic, Option<&EventType>),
        read: &[String],
    ) -> Option<String> {
        let is_it = |part: &Part| part.of.is(topic, event_type) && meet(&part.whole(), read);
        self.events.iter().find_map(|(part, secret)| is_it(part).then(|| secret.clone()))
    }

    /// The paths into an event at which something sensitive is; of an event of no known type, into
    /// any event of its topic.
    #[must_use]
    pub fn of_event(&self, topic: &Topic, event_type: Option<&EventType>) -> Vec<Vec<String>> {
        let parts = self.events.keys().filter(|part| part.of.is(topic, event_type));
        parts.map(|part| part.path.clone()).collect()
    }
}

impl Definition {
    /// Fields of the data that have the value of what is sensitive, or are set from it: they are as
    /// secret.
    #[must_use]
    pub fn secret_fields(&self) -> BTreeSet<String> {
        Secrets::of(self).of_data()
    }
}

fn said_path(path: &[String]) -> String {
    format!("data.{}", path.join("."))
}

/// Whether what is done with a value lets it be known.
fn tells(usage: &Usage) -> bool {
    match usage {
        Usage::Alone | Usage::Looped | Usage::Added(_) | Usage::Computed(_) | Usage::Other => true,
        Usage::Argument(function) => !matches!(function.as_str(), "matches" | "size" | "type"),
        Usage::Receiver(method) => {
            let asks = ["contains", "endsWith", "matches", "size", "startsWith"];
            !asks.contains(&method.as_str())
        }
        Usage::Asked | Usage::Held | Usage::Compared(_) => false,
    }
}

/// Whether the author says that a field is sensitive as a whole.
fn is_said(definition: &Definition, field: &str) -> bool {
    definition.sensitive.iter().any(|path| path[..] == [field.to_owned()])
}
