//! Draws a definition: the way forward, the way back, the pivot, and who does what.
//!
//! ```text
//! Definition ──▶ Picture ─┬─▶ text
//!                         ├─▶ clusters ──▶ mermaid, dot
//!                         └─▶ layout (a pure function of sizes) ──▶ svg
//! ```

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod card;
mod clusters;
mod compose;
mod dot;
mod drawing;
mod edges;
mod flow;
mod geometry;
mod lane_route;
mod lanes;
mod mark;
mod measure;
mod mermaid;
mod occupancy;
mod options;
mod outline;
mod picture;
mod plain;
mod route;
mod sizes;
mod step;
mod svg;
mod text;
mod whole;
mod words;

#[cfg(test)]
mod tests;

pub use mark::{Mark, Marked, Marks};
pub use occupancy::Occupancy;
pub use options::{Format, Options, Orientation};
pub use picture::{
    About, Detail, Edge, EdgeRole, Item, LaneId, Line, LineId, Node, NodeId, Picture, Port, Region,
    RegionId, RegionKind, Shape,
};

use std::collections::BTreeMap;

use crate::definition::Definition;

/// Draws a definition; a child that is among the `known` ones is drawn inside it.
#[must_use]
pub fn draw(definition: &Definition, known: &[&Definition], options: &Options) -> String {
    drawn(definition, known, *options, None)
}

/// Draws a definition as [`draw`] does, with how far one life is.
#[must_use]
pub fn draw_life(
    definition: &Definition,
    known: &[&Definition],
    options: &Options,
    marks: &Marks,
) -> String {
    drawn(definition, known, *options, Some(marks))
}

fn drawn(
    definition: &Definition,
    known: &[&Definition],
    Options { format, lanes, direction }: Options,
    marks: Option<&Marks>,
) -> String {
    let picture = Picture::of(definition, known, format == Format::Text);
    let marked = marks.map(|marks| Marked::of(&picture, marks));
    match format {
        Format::Svg => svg::draw(&picture, lanes, direction, marked),
        Format::Mermaid => mermaid::draw(&picture, lanes, direction, marked.as_ref()),
        Format::Dot => dot::draw(&picture, lanes, direction, marked.as_ref()),
        Format::Text => text::draw(&picture, lanes, marked.as_ref()),
    }
}

/// The colours and letters of a drawing that [`draw_marked`] makes, in light and in dark.
pub const STYLE_SHEET: &str = svg::STYLE_SHEET;

/// Draws a definition as SVG for a page that has [`STYLE_SHEET`], without its title, with how far
/// one life is.
#[must_use]
pub fn draw_marked(
    definition: &Definition,
    known: &[&Definition],
    direction: Orientation,
    marks: &Marks,
) -> String {
    svg::draw_marked(&Picture::of(definition, known, false), direction, marks)
}

/// Draws a definition as SVG for a page that has [`STYLE_SHEET`], without its title, with how many
/// instances are at each of its steps.
#[must_use]
pub fn draw_occupied(
    definition: &Definition,
    known: &[&Definition],
    direction: Orientation,
    steps: &BTreeMap<String, Occupancy>,
) -> String {
    svg::draw_occupied(&Picture::of(definition, known, false), direction, steps)
}

impl Picture {
    /// Makes the picture of a definition; a child that is among the `known` ones is drawn inside
    /// it. Messages are named with their topic if `topics` says so.
    #[must_use]
    pub fn of(definition: &Definition, known: &[&Definition], topics: bool) -> Self {
        compose::compose(definition, known, words::Words { topics })
    }
}
