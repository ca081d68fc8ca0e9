use super::geometry::{Point, Rect, Size};
use super::picture::{Item, LineId, Picture};

/// How large the parts of a picture are: all that a layout needs to know of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Its nodes, in their order.
    pub nodes: Vec<Size>,
    /// The heads of its regions, in their order.
    pub heads: Vec<Size>,
    /// The labels in front of the items of each line, and behind its last one.
    pub labels: Vec<Vec<Size>>,
    /// The names of its lanes, in their order.
    pub lanes: Vec<Size>,
}

impl Sizes {
    /// A label's size; nothing if there is none.
    pub fn label(&self, line: LineId, index: usize) -> Size {
        self.labels[line.0].get(index).copied().unwrap_or_default()
    }

    /// The size of what undoes an item; nothing if nothing does.
    pub fn undo(&self, picture: &Picture, item: Item) -> Option<Size> {
        picture.about(item).undo.map(|id| self.nodes[id.0])
    }
}

/// Where the parts of a picture stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Drawing {
    /// How large it is.
    pub size: Size,
    /// Its nodes, in their order.
    pub nodes: Vec<Rect>,
    /// Its regions, in their order.
    pub regions: Vec<Rect>,
    /// The heads of its regions, in their order.
    pub heads: Vec<Rect>,
    /// Its edges, in their order.
    pub routes: Vec<Route>,
    /// The parts of regions that lines take one behind another.
    pub bands: Vec<Rect>,
    /// Its lanes, if there are any.
    pub lanes: Vec<Rect>,
    /// Where their names stand.
    pub lane_heads: Vec<Rect>,
}

/// Where an edge runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Route {
    /// Its corners, from its beginning to its end.
    pub points: Vec<Point>,
    /// Where its label stands.
    pub label: Option<Rect>,
}
