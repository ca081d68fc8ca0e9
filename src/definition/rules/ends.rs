use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{Attempted, Nature, Step};

/// Finds a saga that tells its ends, but not that it is stuck.
pub(super) fn check(whole: &mut Whole<'_>) {
    let ends = &whole.definition.ends;
    let told = ends.completed.is_some() || ends.compensated.is_some();
    if !told || ends.stuck.is_some() {
        return;
    }
    let Some(step) = whole.steps().find(|step| may_be_stuck(step)) else { return };
    let message = format!(
        "nobody is told when this saga is stuck, as it can be at `{}` on line {}",
        step.name, step.line
    );
    let help = "add `stuck: { emit: …, with: { step: \"${failure.step}\" } }`";
    whole.warn(Code::StuckUntold, whole.places.file.key("ends"), message, help);
}

/// Whether a step asks for something outside, which may never be answered on the way back or
/// behind the pivot.
fn may_be_stuck(step: &Step) -> bool {
    match step.nature() {
        Nature::Attempted(Attempted::Command(_) | Attempted::Call(_)) => true,
        Nature::Instant(_) | Nature::Waiting(_) | Nature::Composite(_) => false,
    }
}
