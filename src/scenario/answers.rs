use crate::definition::{Compensation, Definition, Request, Step, StepKind};
use crate::message::{Address, CommandId, Part};

/// Whether an event of this address is an answer to a command.
pub(super) fn takes(definition: &Definition, id: &CommandId, address: &Address) -> bool {
    step(definition, id).is_some_and(|step| answers(step, id.part).contains(&address))
}

/// Whether a command is a call.
pub(super) fn is_call(definition: &Definition, id: &CommandId) -> bool {
    step(definition, id).is_some_and(|step| match id.part {
        Part::Action => matches!(step.kind, StepKind::Call(_)),
        Part::Undo(_) => matches!(step.compensation(), Compensation::Call { .. }),
        Part::Probe => false,
    })
}

/// The step of a command: its name stands before the coordinates of a fan-out.
fn step<'d>(definition: &'d Definition, id: &CommandId) -> Option<&'d Step> {
    let name = id.step.split('[').next().unwrap_or_default();
    definition.steps.iter().find(|step| step.name.as_str() == name)
}

/// The events that answer the action of a step, the probe of it or its undoing.
fn answers(step: &Step, part: Part) -> Vec<&Address> {
    match (part, &step.kind) {
        (Part::Action, StepKind::Command(command)) => {
            let failed = command.failed.iter().map(|failed| &failed.on);
            dones(&command.request).chain(failed).collect()
        }
        (Part::Probe, StepKind::Command(command)) => {
            let Some(probe) = &command.probe else {
                return Vec::new();
            };
            dones(&probe.request).chain(probe.absent.iter().map(|done| &done.on)).collect()
        }
        (Part::Undo(_), _) => match step.compensation() {
            Compensation::Command { request, .. } => dones(request).collect(),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Call { .. }
            | Compensation::Child => Vec::new(),
        },
        (
            Part::Action | Part::Probe,
            StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_),
        ) => Vec::new(),
    }
}

fn dones(request: &Request) -> impl Iterator<Item = &Address> {
    request.done.iter().map(|done| &done.on)
}
