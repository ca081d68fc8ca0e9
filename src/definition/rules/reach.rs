use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{ChooseStep, Step, StepKind};
use crate::expression::Expression;

/// Finds steps and branches whose guards say that nothing leads to them.
pub(super) fn check(whole: &mut Whole<'_>) {
    for step in whole.steps() {
        if step.when.as_ref().is_some_and(is_never) {
            let span = whole.keys(step.id).value("when");
            let help = "remove the step, or say when it is done";
            whole.error(Code::Unreachable, span, "this is never true", help);
        }
        if let StepKind::Choose(choose) = &step.kind {
            branches(whole, step, choose);
        }
    }
}

fn is_never(guard: &Expression) -> bool {
    guard.source() == "false"
}

fn branches(whole: &mut Whole<'_>, step: &Step, choose: &ChooseStep) {
    for (place, arm) in choose.arms.iter().enumerate() {
        let span = whole.keys(step.id).key(&format!("choose.{place}.when"));
        let before = &choose.arms[..place];
        let always = before.iter().any(|b| b.when.as_ref().is_none_or(|w| w.source() == "true"));
        let twice = arm.when.is_some() && before.iter().any(|b| b.when == arm.when);
        let (message, help) = if always {
            let help = "put `otherwise` last: the first branch whose guard holds is taken";
            ("a branch before this one is taken in any case", help)
        } else if twice {
            ("a branch before this one has the same guard", "change the guard, or remove one")
        } else if arm.when.as_ref().is_some_and(is_never) {
            ("this is never true", "remove the branch, or say when it is taken")
        } else {
            continue;
        };
        whole.error(Code::Unreachable, span, message, help);
    }
}
