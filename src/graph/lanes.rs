use super::Orientation;
use super::drawing::{Drawing, Sizes};
use super::flow::LABEL_GAP;
use super::geometry::{Area, Size, Spot};
use super::lane_route::routes;
use super::picture::{Item, LaneId, LineId, NodeId, Picture, RegionId};

/// The room in front of a row, for the ways forward and back.
pub(super) const GAP: i32 = 48;
/// How far in front of a row the way forward changes its lane, and how far the way back does.
pub(super) const FORWARD_BEND: i32 = 18;
pub(super) const BACK_BEND: i32 = 32;
/// The room between a step and what undoes it, inside a lane's border, and inside a region's.
const UNDO_GAP: i32 = 36;
const PAD: i32 = 20;
const INSET: i32 = 14;
/// How far a way back that nothing stands on runs from the steps of its lane.
const RAIL: i32 = 22;

/// Where everything stands on the two axes.
pub(super) struct Places {
    pub lanes: Vec<Lane>,
    pub nodes: Vec<Area>,
    /// Where the row of each node begins.
    pub rows: Vec<i32>,
    pub regions: Vec<Area>,
    pub heads: Vec<Area>,
    /// The parts of regions that lines take one behind another.
    pub bands: Vec<Area>,
    /// What each line takes, along the way forward.
    pub lines: Vec<(i32, i32)>,
}

/// The tracks of a lane, across the way forward.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lane {
    pub start: i32,
    pub forward: i32,
    pub back: i32,
    pub breadth: i32,
}

/// Lays a picture out with a lane for each participant, and a row for each step.
pub(super) fn lay_out(picture: &Picture, sizes: &Sizes, direction: Orientation) -> Drawing {
    let mut planner = Planner::of(picture, sizes, direction);
    let end = planner.line(LineId::MAIN, 0, planner.head + PAD) + PAD;
    let Planner { places, total, head, .. } = planner;
    let whole = direction.point(Spot { along: end, across: total });
    let rects = |areas: &[Area]| areas.iter().map(|area| direction.rect(*area)).collect();
    let lane = |length: i32| {
        let area =
            move |lane: &Lane| Area { along: 0, across: lane.start, length, breadth: lane.breadth };
        places.lanes.iter().map(area).collect::<Vec<_>>()
    };
    Drawing {
        size: Size { width: whole.x, height: whole.y },
        nodes: rects(&places.nodes),
        regions: rects(&places.regions),
        heads: rects(&places.heads),
        routes: routes(picture, &places, sizes, direction),
        bands: rects(&places.bands),
        lanes: rects(&lane(end)),
        lane_heads: rects(&lane(head)),
    }
}

struct Planner<'p> {
    picture: &'p Picture,
    sizes: &'p Sizes,
    direction: Orientation,
    places: Places,
    /// How long the lanes' heads are.
    head: i32,
    /// How far the regions at each depth reach beyond the lanes: before and behind them.
    reach: Vec<(i32, i32)>,
    /// How broad all of it is.
    total: i32,
}

impl<'p> Planner<'p> {
    fn of(picture: &'p Picture, sizes: &'p Sizes, direction: Orientation) -> Self {
        let places = Places {
            lanes: Vec::new(),
            nodes: vec![Area::default(); picture.nodes.len()],
            rows: vec![0; picture.nodes.len()],
            regions: vec![Area::default(); picture.regions.len()],
            heads: vec![Area::default(); picture.regions.len()],
            bands: Vec::new(),
            lines: vec![(0, 0); picture.lines.len()],
        };
        let heads = sizes.lanes.iter().map(|size| direction.extent(*size).0);
        let head = heads.max().unwrap_or(0) + PAD;
        let mut planner =
            Self { picture, sizes, direction, places, head, reach: Vec::new(), total: 0 };
        planner.reach = planner.reaches();
        let lead = planner.reach.first().map_or(0, |(before, _)| *before);
        planner.total = planner.spread(lead) + planner.reach.first().map_or(0, |(_, after)| *after);
        planner
    }

    /// How far regions reach beyond the lanes, the outermost first; one that stands in another
    /// leaves it room for its border, and for its head where that stands above the lanes.
    fn reaches(&self) -> Vec<(i32, i32)> {
        let mut heads = Vec::new();
        self.depths(LineId::MAIN, 0, &mut heads);
        let mut reach = vec![(0, 0); heads.len()];
        let (mut before, mut after) = (0, 0);
        for (index, head) in heads.into_iter().enumerate().rev() {
            before += INSET
                + match self.direction {
                    Orientation::Down => 0,
                    Orientation::Right => head,
                };
            after += INSET;
            reach[index] = (before, after);
        }
        reach
    }

    /// The broadest head of the regions at each depth.
    fn depths(&self, line: LineId, depth: usize, heads: &mut Vec<i32>) {
        for item in &self.picture.line(line).items {
            let Item::Region(id) = *item else { continue };
            if heads.len() <= depth {
                heads.push(0);
            }
            let (_, breadth) = self.direction.extent(self.sizes.heads[id.0]);
            heads[depth] = heads[depth].max(breadth);
            for line in &self.picture.region(id).lines {
                self.depths(*line, depth + 1, heads);
            }
        }
    }

    /// Gives each lane its tracks; says where the last one ends.
    fn spread(&mut self, lead: i32) -> i32 {
        let mut start = lead;
        for index in 0..self.picture.lanes.len() {
            let (steps, undos) = self.broadest(LaneId(index));
            let (_, name) = self.direction.extent(self.sizes.lanes[index]);
            let forward = start + PAD + steps / 2;
            let side = forward + steps / 2;
            let (back, end) = match undos {
                0 => (side + RAIL, side + 2 * RAIL),
                undos => (side + UNDO_GAP + undos / 2, side + UNDO_GAP + undos + PAD),
            };
            let breadth = (end - start).max(name + PAD);
            self.places.lanes.push(Lane { start, forward, back, breadth });
            start += breadth;
        }
        start
    }

    /// The broadest step of a lane, and the broadest box on its way back.
    fn broadest(&self, lane: LaneId) -> (i32, i32) {
        let (mut steps, mut undos) = (0, 0);
        for (node, size) in self.picture.nodes.iter().zip(&self.sizes.nodes) {
            let (_, breadth) = self.direction.extent(*size);
            if node.about.lane != lane {
                continue;
            }
            if node.shape.is_on_the_way_back() {
                undos = undos.max(breadth);
            } else {
                steps = steps.max(breadth);
            }
        }
        (steps, undos)
    }

    /// Places the rows of a line; says where it ends.
    fn line(&mut self, id: LineId, depth: usize, start: i32) -> i32 {
        let picture = self.picture;
        let line = picture.line(id);
        let inner = line.owner.is_some();
        let mut along = start;
        for (index, item) in line.items.iter().enumerate() {
            if inner || index > 0 {
                along += self.gap(id, index);
            }
            along = match *item {
                Item::Node(node) => self.row(node, along),
                Item::Region(region) => self.region(region, depth, along),
            };
        }
        if inner {
            along += self.gap(id, line.items.len());
        }
        self.places.lines[id.0] = (start, along);
        along
    }

    fn gap(&self, line: LineId, index: usize) -> i32 {
        match self.direction.extent(self.sizes.label(line, index)).0 {
            0 => GAP,
            length => LABEL_GAP + length + GAP,
        }
    }

    /// Places a step and what undoes it; says where the row ends.
    fn row(&mut self, step: NodeId, along: i32) -> i32 {
        let undo = self.picture.node(step).about.undo;
        let length = |id: NodeId| self.direction.extent(self.sizes.nodes[id.0]).0;
        let row = length(step).max(undo.map_or(0, length));
        for id in [step].into_iter().chain(undo) {
            self.put(id, along, row);
        }
        along + row
    }

    fn put(&mut self, id: NodeId, along: i32, row: i32) {
        let node = self.picture.node(id);
        let (length, breadth) = self.direction.extent(self.sizes.nodes[id.0]);
        let lane = self.places.lanes[node.about.lane.0];
        let track = if node.shape.is_on_the_way_back() { lane.back } else { lane.forward };
        let (along_row, across) = (along + (row - length) / 2, track - breadth / 2);
        self.places.nodes[id.0] = Area { along: along_row, across, length, breadth };
        self.places.rows[id.0] = along;
    }

    /// Places a region over all lanes, its lines one behind another; says where it ends.
    fn region(&mut self, id: RegionId, depth: usize, start: i32) -> i32 {
        let (head_length, head_breadth) = self.direction.extent(self.sizes.heads[id.0]);
        let picture = self.picture;
        let mut along = match self.direction {
            Orientation::Down => start + head_length,
            Orientation::Right => start,
        };
        for line in &picture.region(id).lines {
            along = self.line(*line, depth + 1, along);
        }
        if self.direction == Orientation::Right {
            along = along.max(start + head_length);
            // The last line takes what its region has left.
            if let Some(last) = picture.region(id).lines.last() {
                self.places.lines[last.0].1 = along;
            }
        }
        let (before, after) = self.reach[depth];
        let (outer_before, outer_after) = self.reach[0];
        let area = Area {
            along: start,
            across: outer_before - before,
            length: along - start,
            breadth: self.total - (outer_before - before) - (outer_after - after),
        };
        self.places.regions[id.0] = area;
        for line in picture.region(id).lines.iter().filter(|_| picture.region(id).lines.len() > 1) {
            let (along, end) = self.places.lines[line.0];
            self.places.bands.push(Area { along, length: end - along, ..area });
        }
        self.places.heads[id.0] = match self.direction {
            Orientation::Down => Area { length: head_length, ..area },
            Orientation::Right => Area { breadth: head_breadth, ..area },
        };
        along
    }
}
