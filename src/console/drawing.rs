//! Drawings of definitions as they stand in a page.

use std::sync::Arc;

use crate::definition::{Catalog, Definition};
use crate::graph::{self, Mark, Marks, Orientation};
use crate::message::{SagaName, Version};
use crate::status::{LifeState, Standing};

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
    draw(catalog, definition, &marks)
}

/// A definition alone.
pub(super) fn of_saga(catalog: &Catalog, definition: &Definition) -> String {
    draw(catalog, definition, &Marks::default())
}

fn draw(catalog: &Catalog, definition: &Definition, marks: &Marks) -> String {
    let known: Vec<&Definition> = catalog.sagas().map(Arc::as_ref).collect();
    graph::draw_marked(definition, &known, Orientation::Down, marks)
}
