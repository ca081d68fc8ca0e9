//! Where values are read, and parts of events.

use crate::definition::{Composite, Definition, EventKind, PlacedExpression, Step, StepId};
use crate::expression::{Expression, Name, Reference};
use crate::message::{Address, EventType, Topic};

/// A part of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub of: Source,
    /// The path that is read.
    pub path: Vec<String>,
    /// What is sensitive of what is there.
    pub inner: Vec<String>,
}

impl Part {
    /// The path to what is sensitive.
    pub fn whole(&self) -> Vec<String> {
        self.path.iter().chain(&self.inner).cloned().collect()
    }
}

/// Where an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Event(Address),
    Parent,
    Call(Option<StepId>),
}

impl Source {
    /// Whether it may be such an event.
    pub fn is(&self, topic: &Topic, event_type: Option<&EventType>) -> bool {
        match self {
            Self::Event(address) => {
                address.topic == *topic
                    && event_type.is_none_or(|event_type| address.event_type == *event_type)
            }
            Self::Parent | Self::Call(_) => false,
        }
    }
}

/// Where an expression stands, as far as its names mean something else there.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::definition) struct Spot<'d> {
    pub step: Option<StepId>,
    pub each: Option<StepId>,
    /// The event at hand; none if it may be any.
    pub event: Option<EventKind<'d>>,
}

impl<'d> Spot<'d> {
    /// Where an expression stands.
    pub fn of(placed: &PlacedExpression<'d>) -> Self {
        let step = placed.step.map(|step| step.id);
        Self { step, each: placed.each.map(|each| each.id), event: placed.event }
    }

    /// In a step itself, without an event at hand.
    pub fn in_step(definition: &Definition, step: &Step) -> Self {
        let each = definition.fan_out_around(step.id).map(|each| each.id);
        Self { step: Some(step.id), each, event: None }
    }

    pub(super) fn source(self) -> Option<Source> {
        self.event.map(|event| match event {
            EventKind::Event(address) => Source::Event(address.clone()),
            EventKind::Parent => Source::Parent,
            EventKind::Call => Source::Call(self.step),
        })
    }
}

/// The list of the fan-out whose `item` is meant, and where it is read.
pub(super) fn list_of<'d>(
    definition: &'d Definition,
    spot: Spot<'_>,
) -> Option<(&'d Expression, Spot<'d>)> {
    let each = definition.step(spot.each?);
    match each.composite()? {
        Composite::Each(fan_out) => Some((&fan_out.items, Spot::in_step(definition, each))),
        Composite::Parallel(_) | Composite::Choose(_) | Composite::Lock(_) => None,
    }
}

/// The field of the data or of a branch in which the value of a path stands.
pub(super) fn field_of(
    definition: &Definition,
    path: &Reference,
    spot: Spot<'_>,
) -> Option<(Option<StepId>, String)> {
    match path.name {
        Name::Data => Some((None, path.fields.first()?.clone())),
        Name::Branch => Some((Some(spot.each?), path.fields.first()?.clone())),
        Name::Item => {
            let (items, outside) = list_of(definition, spot)?;
            field_of(definition, &under(items.path()?, &path.fields), outside)
        }
        Name::Event
        | Name::Key
        | Name::Now
        | Name::Failure
        | Name::Index
        | Name::Fence
        | Name::Answer
        | Name::Child => None,
    }
}

/// A path that goes on behind another one.
pub(super) fn under(path: &Reference, fields: &[String]) -> Reference {
    let mut longer = path.clone();
    longer.fields.extend_from_slice(fields);
    longer
}

/// Whose field an expression fills: that of the branches of the fan-out around its step.
pub(super) fn owner(definition: &Definition, placed: &PlacedExpression<'_>) -> Option<StepId> {
    let around = placed.step.and_then(|step| definition.fan_out_around(step.id));
    around.map(|each| each.id)
}

/// Whether one of two paths leads through the other.
pub(in crate::definition) fn meet(one: &[String], other: &[String]) -> bool {
    one.iter().zip(other).all(|(one, other)| one == other)
}
