use std::collections::BTreeSet;

use super::kinds;
use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{Arm, ChooseStep, Role, Step, StepKind};
use crate::expression::{Condition, Expression};

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
    decided(whole);
}

/// Conditions that whatever the data is decides nothing: authors mean another operator.
fn decided(whole: &mut Whole<'_>) {
    let mut told = BTreeSet::new();
    for placed in whole.definition.expressions() {
        let condition = placed.expression.condition();
        if placed.role != Role::Condition || matches!(condition, Condition::Literal(_)) {
            continue;
        }
        let step = placed.step.map(|step| step.id);
        let is_always = Condition::Not(Box::new(condition.clone()));
        let (message, help) = if never_holds(&is_always) {
            let help = "leave it out, or join its parts by `&&` if all of them must be so";
            ("this is true, whatever the data", help)
        } else if never_holds(condition) && !is_guard(placed.step, placed.expression) {
            let help =
                "join its parts by `||` if one of them is enough, or leave out what it is for";
            ("this is never true", help)
        } else {
            continue;
        };
        let span = kinds::span(whole, step, placed.expression.source());
        if told.insert(span.start) {
            whole.warn(Code::NoEffect, span, message, help);
        }
    }
}

/// Whether an expression is a guard of the step itself or of a branch that it may take.
fn is_guard(step: Option<&Step>, expression: &Expression) -> bool {
    let Some(step) = step else { return false };
    let is_it = |guard: Option<&Expression>| guard == Some(expression);
    is_it(step.when.as_ref())
        || matches!(&step.kind,
            StepKind::Choose(choose) if choose.arms.iter().any(|arm| is_it(arm.when.as_ref())))
}

fn never_holds(condition: &Condition) -> bool {
    condition.excludes(&Condition::Literal(true), &|_| true)
}

fn is_never(guard: &Expression) -> bool {
    never_holds(guard.condition())
}

fn is_always(guard: &Expression) -> bool {
    *guard.condition() == Condition::Literal(true)
}

fn branches(whole: &mut Whole<'_>, step: &Step, choose: &ChooseStep) {
    for (place, arm) in choose.arms.iter().enumerate() {
        let span = whole.keys(step.id).key(&format!("choose.{place}.when"));
        let before = &choose.arms[..place];
        let always = before.iter().any(|b| b.when.as_ref().is_none_or(is_always));
        let covered = arm.when.as_ref().is_some_and(|own| is_taken_before(before, own));
        let twice = arm.when.is_some() && before.iter().any(|b| b.when == arm.when);
        let (message, help) = if always {
            let help = "put `otherwise` last: the first branch whose guard holds is taken";
            ("a branch before this one is taken in any case", help)
        } else if twice {
            ("a branch before this one has the same guard", "change the guard, or remove one")
        } else if arm.when.as_ref().is_some_and(is_never) {
            ("this is never true", "remove the branch, or say when it is taken")
        } else if covered {
            let help = "put the narrower guard first: the first branch whose guard holds is taken";
            ("a branch before this one is taken whenever this guard holds", help)
        } else {
            continue;
        };
        whole.error(Code::Unreachable, span, message, help);
    }
}

/// Whether the branches before it leave nothing for a guard.
fn is_taken_before(before: &[Arm], guard: &Expression) -> bool {
    let denied = |arm: &Arm| {
        let when = arm.when.as_ref()?;
        Some(Condition::Not(Box::new(when.condition().clone())))
    };
    let untaken: Vec<Condition> = before.iter().filter_map(denied).collect();
    let is_none = |left: &Condition| guard.condition().excludes(left, &|_| true);
    let both = |one: Condition, other| Condition::And(Box::new([one, other]));
    untaken.iter().any(is_none) || untaken.into_iter().reduce(both).is_some_and(|all| is_none(&all))
}
