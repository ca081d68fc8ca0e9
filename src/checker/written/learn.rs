//! Tells [`Slots`] every expression of a definition, and what its names mean there.

use super::slots::{Names, Slots, Source};
use crate::definition::{Definition, EventKind, Role, Step, Waiting};

/// What the event is called that a parent starts its child with.
pub(super) const PARENT: &str = "parent";

/// What a definition says about its values.
pub(super) fn learn(definition: &Definition) -> Slots {
    let mut slots = Slots::default();
    for placed in definition.expressions() {
        let each = placed.each.map(|each| each.name.to_string());
        let event = placed.event.and_then(|event| match event {
            EventKind::Event(address) => Some(Source::Event(address.to_string())),
            EventKind::Parent => Some(Source::Event(PARENT.to_owned())),
            EventKind::Call => placed.step.map(|step| Source::Call(step.name.to_string())),
        });
        let (child, answer) = placed.step.map_or((None, None), told);
        let names = Names { event, child, answer, each };
        match placed.fills {
            Some(field) => {
                let around = placed.step.and_then(|step| definition.fan_out_around(step.id));
                let into =
                    around.map_or(Source::Data, |each| Source::Branch(each.name.to_string()));
                slots.fill(&names, (into, vec![field.to_owned()]), placed.expression);
            }
            None => slots.read(&names, placed.expression, placed.role),
        }
        if let (Role::Items(_), Some(step)) = (placed.role, placed.step) {
            slots.elements(&names, placed.expression, Source::Item(step.name.to_string()));
        }
    }
    slots.settle();
    slots
}

/// What `child` and `answer` mean at a step.
fn told(step: &Step) -> (Option<Source>, Option<Source>) {
    match step.waiting() {
        Some(Waiting::Child(_)) => (Some(Source::Child(step.name.to_string())), None),
        Some(Waiting::Person(_)) => (None, Some(Source::Answer(step.name.to_string()))),
        Some(Waiting::Fact(_) | Waiting::Time(_)) | None => (None, None),
    }
}
