use crate::definition::{Definition, Step};
use crate::message::{Address, CommandId};

/// Whether an event of this address is an answer to a command.
pub(super) fn takes(definition: &Definition, id: &CommandId, address: &Address) -> bool {
    step(definition, id).is_some_and(|step| step.replies(id.part).mention(address))
}

/// Whether a command is a call.
pub(super) fn is_call(definition: &Definition, id: &CommandId) -> bool {
    step(definition, id).is_some_and(|step| step.call(id.part).is_some())
}

/// The step of a command: its name stands before the coordinates of a fan-out.
fn step<'d>(definition: &'d Definition, id: &CommandId) -> Option<&'d Step> {
    let name = id.step.split('[').next().unwrap_or_default();
    definition.steps.iter().find(|step| step.name.as_str() == name)
}
