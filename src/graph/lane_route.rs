use super::Orientation;
use super::drawing::{Route, Sizes};
use super::flow::LABEL_GAP;
use super::geometry::{Area, Spot};
use super::lanes::{BACK_BEND, FORWARD_BEND, Lane, Places};
use super::picture::{Edge, EdgeRole, LaneId, NodeId, Picture, Port};
use super::route::index_of;

/// The routes of all edges: along a lane, and across the lanes in the gaps between the rows.
pub(super) fn routes(
    picture: &Picture,
    places: &Places,
    sizes: &Sizes,
    direction: Orientation,
) -> Vec<Route> {
    let router = Router { picture, places };
    let route = |edge: &Edge| {
        let spots = router.spots(edge);
        let label = edge.label.as_ref().map(|_| {
            let size = sizes.label(edge.line, index_of(picture, edge));
            let (length, breadth) = direction.extent(size);
            let (along, across) = (spots[0].along + LABEL_GAP, spots[0].across - breadth / 2);
            direction.rect(Area { along, across, length, breadth })
        });
        Route { points: spots.into_iter().map(|spot| direction.point(spot)).collect(), label }
    };
    picture.edges.iter().map(route).collect()
}

struct Router<'p> {
    picture: &'p Picture,
    places: &'p Places,
}

impl Router<'_> {
    fn spots(&self, edge: &Edge) -> Vec<Spot> {
        match edge.role {
            EdgeRole::Forward => self.forward(edge),
            EdgeRole::Undo => self.undo(edge),
            EdgeRole::Back => self.back(edge),
        }
    }

    fn forward(&self, edge: &Edge) -> Vec<Spot> {
        let track = |port: Port| node(port).map(|id| self.lane(id).forward);
        let saga = self.places.lanes[LaneId::SAGA.0].forward;
        let (from, to) = (track(edge.from), track(edge.to));
        let first = from.or(to).unwrap_or(saga);
        let last = to.or(from).unwrap_or(saga);
        let start = match edge.from {
            Port::Open(id) if self.is_inside(edge, id) => self.places.lines[edge.line.0].0,
            Port::Open(_) | Port::Node(_) | Port::Close(_) | Port::Side(_) => {
                self.area(edge.from).end()
            }
        };
        let end = match edge.to {
            Port::Close(id) if self.is_inside(edge, id) => self.places.lines[edge.line.0].1,
            Port::Open(_) | Port::Node(_) | Port::Close(_) | Port::Side(_) => {
                self.area(edge.to).along
            }
        };
        let bend = self.row(edge.to).unwrap_or(end) - FORWARD_BEND;
        bent(Spot { along: start, across: first }, bend, Spot { along: end, across: last })
    }

    /// From the side of a step to what undoes it.
    fn undo(&self, edge: &Edge) -> Vec<Spot> {
        let (from, to) = (self.area(edge.from), self.area(edge.to));
        let along = from.middle();
        let (start, end) = if to.across >= from.side() {
            (from.side(), to.across)
        } else {
            (from.across, to.side())
        };
        vec![Spot { along, across: start }, Spot { along, across: end }]
    }

    fn back(&self, edge: &Edge) -> Vec<Spot> {
        let track = |port: Port| node(port).map(|id| self.lane(id).back);
        let saga = self.places.lanes[LaneId::SAGA.0].back;
        let (from, to) = (track(edge.from), track(edge.to));
        let first = from.or(to).unwrap_or(saga);
        let last = to.or(from).unwrap_or(saga);
        let end = match edge.to {
            Port::Open(id) if self.is_inside(edge, id) => self.places.lines[edge.line.0].0,
            Port::Open(_) | Port::Node(_) | Port::Close(_) | Port::Side(_) => {
                self.area(edge.to).end()
            }
        };
        let end = Spot { along: end, across: last };
        let area = self.area(edge.from);
        let mut spots = Vec::new();
        let start = match edge.from {
            Port::Close(_) => self.places.lines[edge.line.0].1,
            Port::Node(id) if !self.is_on_the_way_back(id) => {
                spots.push(Spot { along: area.middle(), across: area.side() });
                area.middle()
            }
            Port::Node(_) | Port::Open(_) | Port::Side(_) => area.along,
        };
        let bend = self.row(edge.from).unwrap_or(start) - BACK_BEND;
        spots.extend(bent(Spot { along: start, across: first }, bend, end));
        spots
    }

    fn is_inside(&self, edge: &Edge, region: super::picture::RegionId) -> bool {
        self.picture.line(edge.line).owner == Some(region)
    }

    fn is_on_the_way_back(&self, id: NodeId) -> bool {
        self.picture.node(id).shape.is_on_the_way_back()
    }

    fn lane(&self, id: NodeId) -> Lane {
        self.places.lanes[self.picture.node(id).about.lane.0]
    }

    fn row(&self, port: Port) -> Option<i32> {
        node(port).map(|id| self.places.rows[id.0])
    }

    fn area(&self, port: Port) -> Area {
        match port {
            Port::Node(id) => self.places.nodes[id.0],
            Port::Open(id) | Port::Close(id) | Port::Side(id) => self.places.regions[id.0],
        }
    }
}

fn node(port: Port) -> Option<NodeId> {
    match port {
        Port::Node(id) => Some(id),
        Port::Open(_) | Port::Close(_) | Port::Side(_) => None,
    }
}

/// Straight, or with a change of track on the way.
fn bent(from: Spot, bend: i32, to: Spot) -> Vec<Spot> {
    if from.across == to.across {
        return vec![from, to];
    }
    let turn = |across: i32| Spot { along: bend, across };
    vec![from, turn(from.across), turn(to.across), to]
}
