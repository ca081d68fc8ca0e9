//! Drawings of definitions as they stand in a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::definition::{Catalog, Definition};
use crate::graph::{self, Mark, Marks, Occupancy, Orientation};
use crate::message::{SagaName, Version};
use crate::status::{LifeState, Standing};
use crate::view::StepCount;

/// The definition that a life runs on, where it is stored.
pub(super) fn definition<'c>(
    catalog: &'c Catalog,
    saga: &str,
    version: Option<u32>,
) -> Option<&'c Definition> {
    let saga = SagaName::new(saga).ok()?;
    catalog.version(&saga, Version(version?)).map(Arc::as_ref)
}

/// A definition with how far a life is.
pub(super) fn of_life(catalog: &Catalog, definition: &Definition, life: &Standing) -> String {
    let reached = life.reached.iter();
    let marks = Marks {
        steps: reached
            .filter_map(|reached| Some((reached.step.clone(), Mark::named(&reached.mark)?)))
            .collect(),
        completed: life.state == LifeState::Completed,
        compensated: life.state == LifeState::Compensated,
    };
    graph::draw_marked(definition, &known(catalog), Orientation::Down, &marks)
}

/// A definition with how many instances are at each step.
pub(super) fn of_saga(catalog: &Catalog, definition: &Definition, counts: &[StepCount]) -> String {
    let mut steps: BTreeMap<String, Occupancy> = BTreeMap::new();
    for StepCount { step, state, instances } in counts {
        let there = steps.entry(step.clone()).or_default();
        match state {
            LifeState::Stuck => there.stuck += instances,
            LifeState::Retrying => there.retrying += instances,
            LifeState::Running
            | LifeState::Waiting
            | LifeState::Compensating
            | LifeState::Paused
            | LifeState::Completed
            | LifeState::Compensated
            | LifeState::Early
            | LifeState::Held
            | LifeState::Free => there.under_way += instances,
        }
    }
    graph::draw_occupied(definition, &known(catalog), Orientation::Down, &steps)
}

/// The definitions that may be drawn as children.
fn known(catalog: &Catalog) -> Vec<&Definition> {
    catalog.sagas().map(Arc::as_ref).collect()
}
