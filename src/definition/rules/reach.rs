use serde_json::Value;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{ChooseStep, Step, StepKind};
use crate::expression::{Condition, Expression, Number, Reference, Relation};

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
    *guard.condition() == Condition::Literal(false)
}

fn is_always(guard: &Expression) -> bool {
    *guard.condition() == Condition::Literal(true)
}

fn branches(whole: &mut Whole<'_>, step: &Step, choose: &ChooseStep) {
    for (place, arm) in choose.arms.iter().enumerate() {
        let span = whole.keys(step.id).key(&format!("choose.{place}.when"));
        let before = &choose.arms[..place];
        let always = before.iter().any(|b| b.when.as_ref().is_none_or(is_always));
        let covered = arm.when.as_ref().and_then(bound).is_some_and(|own| {
            before.iter().filter_map(|b| bound(b.when.as_ref()?)).any(|b| b.covers(&own))
        });
        let twice = arm.when.is_some() && before.iter().any(|b| b.when == arm.when);
        let (message, help) = if always {
            let help = "put `otherwise` last: the first branch whose guard holds is taken";
            ("a branch before this one is taken in any case", help)
        } else if twice {
            ("a branch before this one has the same guard", "change the guard, or remove one")
        } else if covered {
            let help = "put the narrower guard first: the first branch whose guard holds is taken";
            ("a branch before this one is taken whenever this guard holds", help)
        } else if arm.when.as_ref().is_some_and(is_never) {
            ("this is never true", "remove the branch, or say when it is taken")
        } else {
            continue;
        };
        whole.error(Code::Unreachable, span, message, help);
    }
}

/// A guard such as `data.total > 100`.
struct Bound<'e> {
    path: &'e Reference,
    above: bool,
    inclusive: bool,
    limit: Number,
}

fn bound(guard: &Expression) -> Option<Bound<'_>> {
    let comparison = guard.condition().comparison()?;
    let (above, inclusive) = match comparison.relation {
        Relation::Greater => (true, false),
        Relation::AtLeast => (true, true),
        Relation::Less => (false, false),
        Relation::AtMost => (false, true),
        Relation::Equal | Relation::Unequal => return None,
    };
    let Value::Number(limit) = &comparison.literal else { return None };
    let limit = Number::of(limit);
    Some(Bound { path: &comparison.path, above, inclusive, limit })
}

impl Bound<'_> {
    /// Whether it holds whenever another does.
    fn covers(&self, other: &Self) -> bool {
        let wider = if self.above { self.limit < other.limit } else { self.limit > other.limit };
        let same = self.limit == other.limit;
        self.path == other.path
            && self.above == other.above
            && (wider || (same && (self.inclusive || !other.inclusive)))
    }
}
