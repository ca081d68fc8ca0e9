use std::collections::BTreeMap;
use std::ops::Range;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::facets::{EventKind, PlacedExpression};
use crate::definition::places::owned;
use crate::definition::{Composite, Definition, Role, Step, StepId};
use crate::expression::{Kinds, KindsOf, Misfit, Name, Reference, Scope, Template};
use crate::message::Timestamp;

/// Finds expressions that can never be computed, or whose value its place can never take.
pub(super) fn check(whole: &mut Whole<'_>) {
    let definition = whole.definition;
    let fields = Fields::of(definition, None);
    let mut told: Vec<(Option<StepId>, &str, String)> = Vec::new();
    for placed in definition.expressions() {
        let step = placed.step.map(|step| step.id);
        for Misfit { message, help, .. } in misfits(&fields, &placed) {
            let known = (step, placed.expression.source(), message.clone());
            if !told.contains(&known) {
                let span = span(whole, step, placed.expression.source());
                told.push(known);
                whole.error(Code::Kinds, span, message, help);
            }
        }
    }
}

/// Of which kinds each field of the data may be, by all that sets it.
pub(in crate::definition) fn of_data(definition: &Definition) -> BTreeMap<String, Kinds> {
    let known = Fields::of(definition, None).known.into_iter();
    known.filter_map(|((each, field), kinds)| each.is_none().then_some((field, kinds))).collect()
}

/// What a child can never compute of what its parent hands over.
pub(super) fn of_child(
    parent: &Definition,
    step: &Step,
    with: Option<&Template>,
    child: &Definition,
) -> Vec<Misfit> {
    let Some(Template::Object(given)) = with else { return Vec::new() };
    let fields = Fields::of(parent, None);
    let each = parent.fan_out_around(step.id);
    let of = |path: &Reference| fields.kinds(path, None, each);
    let kinds = |(name, template): &(String, Template)| (name.clone(), template.kinds(&of));
    let handed: BTreeMap<String, Kinds> = given.iter().map(kinds).collect();
    let (alone, begun) = (Fields::of(child, None), Fields::of(child, Some(handed)));
    let mut found = Vec::new();
    for placed in child.expressions() {
        // What an event that starts it as well brings is another matter.
        let is_another = placed.step.is_none()
            && matches!(placed.event, Some(EventKind::Event(on))
                if child.starts.iter().any(|start| start.on == *on));
        let known = misfits(&alone, &placed);
        let new = misfits(&begun, &placed).into_iter().filter(|misfit| !known.contains(misfit));
        found.extend(new.filter(|_| !is_another));
    }
    found
}

/// What is wrong with one expression at its place.
pub(super) fn misfits(fields: &Fields<'_>, placed: &PlacedExpression<'_>) -> Vec<Misfit> {
    misfits_by(placed, &|path: &Reference| fields.kinds(path, placed.event, placed.each))
}

/// The same, by the kinds of what its paths lead to.
pub(super) fn misfits_by(placed: &PlacedExpression<'_>, of: &KindsOf<'_>) -> Vec<Misfit> {
    let (kinds, mut found) = placed.expression.kinds(of);
    let (kinds, wanted) = match placed.role {
        Role::Condition => (kinds, Kinds::BOOL),
        Role::Items(_) => (kinds, Kinds::LIST),
        Role::Moment => (kinds, Kinds::MOMENT.or(Kinds::TEXT)),
        Role::Message | Role::Value if !placed.is_text => return found,
        Role::Key | Role::Message | Role::Value => {
            (kinds.kept(), Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL))
        }
    };
    if found.is_empty() && is_no_moment(placed) {
        let message = format!("`{}` is no moment", placed.expression);
        let help = "write it such as `\"2026-01-31T10:00:00Z\"`".to_owned();
        found.push(Misfit { message, help, is_computed: false });
    }
    if found.is_empty() && !kinds.is_none() && !kinds.meets(wanted) {
        let message = format!("`{}` is {kinds}, not {wanted}", placed.expression);
        let help = match placed.role {
            Role::Condition => "compare it, such as `size(data.lines) > 0`",
            Role::Items(_) => "name the list itself, such as `data.lines`",
            Role::Moment => "add a duration to a moment, such as `now + duration(\"36h\")`",
            Role::Key | Role::Message | Role::Value => {
                "take a part of it that is text, a number or true or false"
            }
        };
        found.push(Misfit { message, help: help.to_owned(), is_computed: false });
    }
    found
}

/// Whether a text that is written out stands for a moment and is none.
fn is_no_moment(placed: &PlacedExpression<'_>) -> bool {
    if placed.role != Role::Moment || !placed.expression.references().is_empty() {
        return false;
    }
    let value = placed.expression.evaluate(&Scope::at(Timestamp(0)));
    let text = value.as_ref().ok().and_then(serde_json::Value::as_str);
    text.is_some_and(|text| Timestamp::parse(text).is_none())
}

/// Of which kinds the fields of a definition may be, by all that sets them.
pub(super) struct Fields<'d> {
    definition: &'d Definition,
    /// What a parent hands over, if that is known.
    handed: Option<BTreeMap<String, Kinds>>,
    known: BTreeMap<(Option<StepId>, String), Kinds>,
}

/// The most rounds in which kinds are followed from field to field.
const ROUNDS_MAX: usize = 32;

impl<'d> Fields<'d> {
    pub fn of(definition: &'d Definition, handed: Option<BTreeMap<String, Kinds>>) -> Self {
        let mut fields = Self { definition, handed, known: BTreeMap::new() };
        let all = definition.expressions();
        for placed in &all {
            // Of what is filled later nothing is known yet, not that it may be anything.
            fields
                .known
                .extend(placed.fills.map(|field| (fields.place(placed, field), Kinds::NONE)));
        }
        for _ in 0..ROUNDS_MAX {
            let before = fields.known.clone();
            for placed in &all {
                fields.fill(placed);
            }
            if fields.known == before {
                break;
            }
        }
        fields
    }

    fn fill(&mut self, placed: &PlacedExpression<'_>) {
        let Some(field) = placed.fills else { return };
        let is_start = placed.step.is_none();
        if is_start && self.handed.is_some() && placed.event != Some(EventKind::Parent) {
            return;
        }
        let of = |path: &Reference| self.kinds(path, placed.event, placed.each);
        let kinds = placed.expression.kinds(&of).0.kept();
        let is_collected =
            placed.step.is_some_and(|step| placed.each.is_some_and(|each| each.id == step.id));
        let kinds = if is_collected { kinds.listed() } else { kinds };
        let place = self.place(placed, field);
        let known = self.known.entry(place).or_default();
        *known = known.or(kinds);
    }

    /// Whose field it is that an expression fills.
    fn place(&self, placed: &PlacedExpression<'_>, field: &str) -> (Option<StepId>, String) {
        let around = placed.step.and_then(|step| self.definition.fan_out_around(step.id));
        (around.map(|each| each.id), field.to_owned())
    }

    /// Of which kinds what a path leads to may be.
    pub fn kinds(
        &self,
        path: &Reference,
        event: Option<EventKind<'_>>,
        each: Option<&Step>,
    ) -> Kinds {
        let fields: Vec<&str> = path.fields.iter().map(String::as_str).collect();
        match (path.name, &fields[..]) {
            (
                Name::Data
                | Name::Event
                | Name::Branch
                | Name::Answer
                | Name::Child
                | Name::Failure,
                [],
            )
            | (Name::Answer, ["data"])
            | (Name::Child, ["data" | "failure"]) => Kinds::OBJECT,
            (Name::Data | Name::Branch, [field]) => {
                let owner = owned(path.name, each.map(|each| each.id), field);
                let known = owner.and_then(|(of, field)| self.known.get(&(of, field.to_owned())));
                known.copied().unwrap_or(Kinds::JSON)
            }
            (Name::Event, fields) => self.of_event(fields, event),
            (Name::Item, []) => each.map_or(Kinds::JSON, |each| self.of_item(each)),
            (Name::Key | Name::Failure, _)
            | (Name::Answer, ["choice" | "by" | "note"])
            | (Name::Child, ["failure", ..]) => Kinds::TEXT,
            (Name::Now, _) => Kinds::MOMENT,
            (Name::Index | Name::Fence, _) => Kinds::NUMBER,
            (Name::Data | Name::Branch | Name::Item | Name::Answer | Name::Child, _) => Kinds::JSON,
        }
    }

    fn of_event(&self, fields: &[&str], event: Option<EventKind<'_>>) -> Kinds {
        match (event, fields) {
            (Some(EventKind::Call), ["status"]) => Kinds::NUMBER,
            (Some(EventKind::Call), ["headers"]) => Kinds::OBJECT,
            (Some(EventKind::Parent), [field]) => {
                let known = self.handed.as_ref().and_then(|handed| handed.get(*field));
                known.copied().unwrap_or(Kinds::JSON)
            }
            (Some(EventKind::Call | EventKind::Parent | EventKind::Event(_)) | None, _) => {
                Kinds::JSON
            }
        }
    }

    /// Of which kinds the elements of a fan-out may be.
    fn of_item(&self, each: &Step) -> Kinds {
        let Some(Composite::Each(fan_out)) = each.composite() else { return Kinds::JSON };
        let outer = self.definition.fan_out_around(each.id);
        let of = |path: &Reference| self.kinds(path, None, outer);
        let list = fan_out.items.kinds(&of).0;
        if list.meets(Kinds::LIST) { list.elements() } else { Kinds::JSON }
    }
}

/// Where an expression of a step, or of none, stands in the file.
pub(super) fn span(whole: &Whole<'_>, step: Option<StepId>, source: &str) -> Range<usize> {
    let mut written = whole.places.expressions.iter();
    let found = written.find(|written| written.step == step && written.source == source);
    found.map_or(0..0, |written| written.span.clone())
}
