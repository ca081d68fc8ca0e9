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

/// The step of a command.
fn step<'d>(definition: &'d Definition, id: &CommandId) -> Option<&'d Step> {
    let named = id.subject.step()?;
    definition.steps.iter().find(|step| step.name == named.step)
}
