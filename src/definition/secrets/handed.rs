//! What parents and children say of each other's secrets.

use std::collections::{BTreeMap, BTreeSet};

use super::Secrets;
use super::spot::Spot;
use crate::definition::{Definition, SagaStep, Step, StepKind};
use crate::expression::Template;
use crate::message::{Hash, SagaName};

/// What other definitions say of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Handed {
    /// What is sensitive of what its parents start it with, and which of their fields it tells; an
    /// empty path is all of it.
    pub start: BTreeMap<Vec<String>, String>,
    pub children: BTreeMap<SagaName, BTreeSet<String>>,
}

impl Secrets {
    /// What is sensitive in definitions that are parents and children of each other.
    #[must_use]
    pub fn among(all: &[&Definition]) -> BTreeMap<Hash, Self> {
        let mut known: BTreeMap<Hash, Self> = BTreeMap::new();
        if all.iter().all(|definition| definition.sensitive.is_empty()) {
            return known;
        }
        loop {
            let of = |definition: &&Definition| {
                (definition.hash, Self::with(definition, &handed(definition, all, &known)))
            };
            let next: BTreeMap<Hash, Self> = all.iter().map(of).collect();
            // What is secret only grows; which field it tells may change from round to round.
            let is_settled = next.len() == known.len()
                && next.iter().zip(&known).all(|((_, one), (_, other))| one.is_like(other));
            known = next;
            if is_settled {
                return known;
            }
        }
    }

    /// Whether the same is secret in both.
    fn is_like(&self, other: &Self) -> bool {
        self.fields.keys().eq(other.fields.keys())
            && self.events.keys().eq(other.events.keys())
            && self.children == other.children
    }
}

/// What other definitions say of one, as far as is known of them.
fn handed(definition: &Definition, all: &[&Definition], known: &BTreeMap<Hash, Secrets>) -> Handed {
    let mut handed = Handed::default();
    for parent in all {
        let Some(secrets) = known.get(&parent.hash) else { continue };
        for step in &parent.steps {
            if child_of(step).is_some_and(|child| child.saga == definition.saga) {
                handed.start.extend(secrets.handed_over(parent, step));
            }
        }
    }
    for child in definition.steps.iter().filter_map(child_of) {
        for other in all.iter().filter(|other| other.saga == child.saga) {
            let said = other.sensitive.iter().map(|path| path[0].clone());
            let told = known.get(&other.hash).map(Secrets::of_data).unwrap_or_default();
            let fields: BTreeSet<String> = said.chain(told).collect();
            if !fields.is_empty() {
                handed.children.entry(child.saga.clone()).or_default().extend(fields);
            }
        }
    }
    handed
}

impl Secrets {
    /// What is sensitive of what a step starts its child with, by its path, and which field it
    /// tells.
    pub(in crate::definition) fn handed_over(
        &self,
        definition: &Definition,
        step: &Step,
    ) -> Vec<(Vec<String>, String)> {
        let Some(with) = child_of(step).and_then(|child| child.with.as_ref()) else {
            return Vec::new();
        };
        let spot = Spot::in_step(definition, step);
        let told = |template: &Template| self.told_by(definition, template, spot);
        match with {
            Template::Object(fields) => {
                let of = |(name, template): &(String, Template)| {
                    Some((vec![name.clone()], told(template)?))
                };
                fields.iter().filter_map(of).collect()
            }
            Template::Literal(_) | Template::Whole(_) | Template::Text(_) | Template::List(_) => {
                told(with).map(|secret| (Vec::new(), secret)).into_iter().collect()
            }
        }
    }
}

/// The child that a step is.
pub(super) fn child_of(step: &Step) -> Option<&SagaStep> {
    match &step.kind {
        StepKind::Saga(child) => Some(child),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => None,
    }
}
