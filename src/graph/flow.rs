use super::Orientation;
use super::drawing::{Drawing, Sizes};
use super::geometry::{Area, Size, Spot};
use super::picture::{Item, LineId, NodeId, Picture, RegionId};
use super::route::{self, Track};

/// The room in front of an item, for the edge that leads to it.
pub(super) const GAP: i32 = 36;
/// The room between a label and what stands before and behind it.
pub(super) const LABEL_GAP: i32 = 16;
/// The room between a step and what undoes it, between branches, and inside a region's border.
const UNDO_GAP: i32 = 40;
const BRANCH_GAP: i32 = 28;
const PAD: i32 = 18;
/// How far a way back that nothing stands on runs from the items beside it.
const RAIL: i32 = 26;

/// What a line takes, seen from the track of its way forward.
struct LinePlan {
    line: LineId,
    length: i32,
    before: i32,
    after: i32,
    /// How far the track of its way back is from that of its way forward.
    back: i32,
    items: Vec<ItemPlan>,
}

/// What an item takes, and where it begins along its line.
struct ItemPlan {
    item: Item,
    start: i32,
    length: i32,
    before: i32,
    after: i32,
    inside: Vec<Inside>,
}

/// A line of a region, and where its way forward runs, seen from the region's corner.
struct Inside {
    plan: LinePlan,
    along: i32,
    across: i32,
}

/// Lays a picture out: boxes in boxes, each line along one track.
pub(super) fn lay_out(picture: &Picture, sizes: &Sizes, direction: Orientation) -> Drawing {
    let planner = Planner { picture, sizes, direction };
    let plan = planner.line(LineId::MAIN);
    let mut areas = Areas::of(picture);
    let (length, breadth) = (plan.length, plan.before + plan.after);
    planner.place(&plan, 0, plan.before, &mut areas);
    let end = direction.point(Spot { along: length, across: breadth });
    let rects = |areas: &[Area]| areas.iter().map(|area| direction.rect(*area)).collect();
    Drawing {
        size: Size { width: end.x, height: end.y },
        nodes: rects(&areas.nodes),
        regions: rects(&areas.regions),
        heads: rects(&areas.heads),
        routes: route::along_tracks(picture, &areas, sizes, direction),
        bands: Vec::new(),
        lanes: Vec::new(),
        lane_heads: Vec::new(),
    }
}

/// Where everything stands on the two axes.
pub(super) struct Areas {
    pub nodes: Vec<Area>,
    pub regions: Vec<Area>,
    pub heads: Vec<Area>,
    /// Where each region's lines begin, along the way forward.
    pub opens: Vec<i32>,
    /// The tracks of each line.
    pub tracks: Vec<Track>,
}

impl Areas {
    fn of(picture: &Picture) -> Self {
        Self {
            nodes: vec![Area::default(); picture.nodes.len()],
            regions: vec![Area::default(); picture.regions.len()],
            heads: vec![Area::default(); picture.regions.len()],
            opens: vec![0; picture.regions.len()],
            tracks: vec![Track::default(); picture.lines.len()],
        }
    }
}

struct Planner<'p> {
    picture: &'p Picture,
    sizes: &'p Sizes,
    direction: Orientation,
}

impl Planner<'_> {
    fn line(&self, id: LineId) -> LinePlan {
        let line = self.picture.line(id);
        let mut items: Vec<ItemPlan> = line.items.iter().map(|item| self.item(*item)).collect();
        let back = if line.back { self.back_track(&items, line.owner.is_some()) } else { 0 };
        let inner = line.owner.is_some();
        let (mut along, mut before, mut after) =
            (0, 0, if line.back { back + RAIL / 2 } else { 0 });
        for (index, plan) in items.iter_mut().enumerate() {
            self.widen(plan, back);
            if inner || index > 0 {
                along += self.gap(id, index);
            }
            let undo = self.undo(plan.item);
            let row = undo.map_or(plan.length, |(length, _)| plan.length.max(length));
            plan.start = along + (row - plan.length) / 2;
            along += row;
            let label = self.label(id, index).1 / 2;
            before = before.max(plan.before).max(label);
            let beyond = undo.map_or(0, |(_, breadth)| back + breadth / 2);
            after = after.max(plan.after).max(label).max(beyond);
        }
        if inner {
            along += self.gap(id, items.len());
            let label = self.label(id, items.len()).1 / 2;
            (before, after) = (before.max(label), after.max(label));
        }
        LinePlan { line: id, length: along, before, after, back, items }
    }

    fn item(&self, item: Item) -> ItemPlan {
        match item {
            Item::Node(id) => {
                let (length, breadth) = self.direction.extent(self.sizes.nodes[id.0]);
                let half = breadth / 2;
                ItemPlan { item, start: 0, length, before: half, after: half, inside: Vec::new() }
            }
            Item::Region(id) => self.region(id),
        }
    }

    /// What a region takes, its lines side by side; it is centred on its line until it is widened.
    fn region(&self, id: RegionId) -> ItemPlan {
        let (head_length, head_breadth) = self.direction.extent(self.sizes.heads[id.0]);
        let (open, lead) = match self.direction {
            Orientation::Down => (head_length, PAD),
            Orientation::Right => (0, head_breadth + PAD),
        };
        let (mut inside, mut across, mut length) = (Vec::new(), lead, 0);
        for line in &self.picture.region(id).lines {
            let plan = self.line(*line);
            length = length.max(plan.length);
            let track = across + plan.before;
            across = track + plan.after + BRANCH_GAP;
            inside.push(Inside { along: open, across: track, plan });
        }
        let mut breadth = across - BRANCH_GAP + PAD;
        let mut length = open + length;
        match self.direction {
            Orientation::Down => breadth = breadth.max(head_breadth),
            Orientation::Right => length = length.max(head_length),
        }
        let item = Item::Region(id);
        let before = match inside.as_slice() {
            [only] => only.across,
            _ => breadth / 2,
        };
        ItemPlan { item, start: 0, length, before, after: breadth - before, inside }
    }

    /// How far the way back of a line must run from its way forward, to pass what it passes: of an
    /// inner line everything, for it comes from the line's end.
    fn back_track(&self, items: &[ItemPlan], inner: bool) -> i32 {
        let station = |plan: &ItemPlan| self.picture.is_station(plan.item);
        let concerned = |plan: &ItemPlan| station(plan) || self.picture.about(plan.item).goes_back;
        let last = if inner && items.iter().any(station) {
            items.len()
        } else {
            items.iter().rposition(concerned).map_or(0, |last| last + 1)
        };
        let beside = |plan: &ItemPlan| match self.undo(plan.item) {
            Some((_, breadth)) => plan.after + UNDO_GAP + breadth / 2,
            None if self.picture.is_crossed(plan.item) => 0,
            None => plan.after + RAIL,
        };
        items[..last].iter().map(beside).max().unwrap_or(0).max(RAIL)
    }

    /// Lets a region that the way back runs through reach over both tracks.
    fn widen(&self, plan: &mut ItemPlan, back: i32) {
        if !self.picture.is_crossed(plan.item) {
            return;
        }
        let own = plan.before + plan.after;
        if plan.inside.len() == 1 {
            plan.after = plan.after.max(back + PAD);
            return;
        }
        let breadth = own.max(back + 2 * PAD);
        for line in &mut plan.inside {
            line.across += (breadth - own) / 2;
        }
        plan.before = (breadth - back) / 2;
        plan.after = breadth - plan.before;
    }

    /// Length and breadth of what undoes an item.
    fn undo(&self, item: Item) -> Option<(i32, i32)> {
        self.sizes.undo(self.picture, item).map(|size| self.direction.extent(size))
    }

    fn label(&self, line: LineId, index: usize) -> (i32, i32) {
        self.direction.extent(self.sizes.label(line, index))
    }

    fn gap(&self, line: LineId, index: usize) -> i32 {
        match self.label(line, index).0 {
            0 => GAP,
            length => length + 2 * LABEL_GAP + LABEL_GAP / 2,
        }
    }

    fn place(&self, plan: &LinePlan, along: i32, across: i32, areas: &mut Areas) {
        let track = Track { forward: across, back: across + plan.back };
        areas.tracks[plan.line.0] = track;
        for item in &plan.items {
            let area = Area {
                along: along + item.start,
                across: across - item.before,
                length: item.length,
                breadth: item.before + item.after,
            };
            match item.item {
                Item::Node(id) => areas.nodes[id.0] = area,
                Item::Region(id) => self.fill(id, item, area, areas),
            }
            if let Some(undo) = self.picture.about(item.item).undo {
                areas.nodes[undo.0] = self.beside(undo, area, track);
            }
        }
    }

    /// Where what undoes an item stands: on the way back, beside it.
    fn beside(&self, undo: NodeId, item: Area, track: Track) -> Area {
        let (length, breadth) = self.direction.extent(self.sizes.nodes[undo.0]);
        Area {
            along: item.middle() - length / 2,
            across: track.back - breadth / 2,
            length,
            breadth,
        }
    }

    fn fill(&self, id: RegionId, plan: &ItemPlan, area: Area, areas: &mut Areas) {
        let (head_length, head_breadth) = self.direction.extent(self.sizes.heads[id.0]);
        areas.regions[id.0] = area;
        areas.heads[id.0] = match self.direction {
            Orientation::Down => Area { length: head_length, ..area },
            Orientation::Right => Area { breadth: head_breadth, ..area },
        };
        areas.opens[id.0] = match self.direction {
            Orientation::Down => area.along + head_length,
            Orientation::Right => area.along,
        };
        for line in &plan.inside {
            self.place(&line.plan, area.along + line.along, area.across + line.across, areas);
        }
    }
}
