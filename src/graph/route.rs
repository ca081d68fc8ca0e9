use super::Orientation;
use super::drawing::{Route, Sizes};
use super::flow::{Areas, LABEL_GAP};
use super::geometry::{Area, Spot};
use super::picture::{Edge, EdgeRole, LineId, Picture, Port, Shape};

/// Where the ways forward and back of a line run, across it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Track {
    pub forward: i32,
    pub back: i32,
}

/// The routes of all edges, each along the tracks of its line.
pub(super) fn along_tracks(
    picture: &Picture,
    areas: &Areas,
    sizes: &Sizes,
    direction: Orientation,
) -> Vec<Route> {
    let router = Router { picture, areas };
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

/// The place in its line of the item that an edge of the way forward leads to.
pub(super) fn index_of(picture: &Picture, edge: &Edge) -> usize {
    use super::picture::Item;
    let items = &picture.line(edge.line).items;
    let target = match edge.to {
        Port::Node(id) => Item::Node(id),
        Port::Open(id) | Port::Close(id) | Port::Side(id) => Item::Region(id),
    };
    items.iter().position(|item| *item == target).unwrap_or(items.len())
}

struct Router<'p> {
    picture: &'p Picture,
    areas: &'p Areas,
}

impl Router<'_> {
    fn spots(&self, edge: &Edge) -> Vec<Spot> {
        let track = self.areas.tracks[edge.line.0];
        match edge.role {
            EdgeRole::Forward => {
                let (from, to) =
                    (self.leaves(edge.line, edge.from), self.meets(edge.line, edge.to));
                straight(track.forward, from, to)
            }
            EdgeRole::Undo => {
                let (from, to) = (self.area(edge.from), self.area(edge.to));
                let along = from.middle();
                let spot = |across| Spot { along, across };
                vec![spot(from.side()), spot(to.across)]
            }
            EdgeRole::Back => self.back(edge, track),
        }
    }

    /// Where the way forward leaves a box: behind it, or at the beginning of a region's lines.
    fn leaves(&self, line: LineId, port: Port) -> i32 {
        match port {
            Port::Open(id) if self.picture.line(line).owner == Some(id) => self.areas.opens[id.0],
            Port::Open(_) | Port::Node(_) | Port::Close(_) | Port::Side(_) => self.area(port).end(),
        }
    }

    /// Where the way forward meets a box: in front of it, or at the end of a region's lines.
    fn meets(&self, line: LineId, port: Port) -> i32 {
        match port {
            Port::Close(id) if self.picture.line(line).owner == Some(id) => self.area(port).end(),
            Port::Open(_) | Port::Node(_) | Port::Close(_) | Port::Side(_) => self.area(port).along,
        }
    }

    fn back(&self, edge: &Edge, track: Track) -> Vec<Spot> {
        let to = match edge.to {
            Port::Open(id) if self.picture.line(edge.line).owner == Some(id) => {
                self.areas.opens[id.0]
            }
            Port::Open(_) | Port::Node(_) | Port::Close(_) | Port::Side(_) => {
                self.area(edge.to).end()
            }
        };
        let from = self.area(edge.from);
        if self.stands_on_the_way_back(edge.from) {
            let inside = matches!(edge.from, Port::Close(_));
            let along = if inside { from.end() } else { from.along };
            return straight(track.back, along, to);
        }
        let along = from.middle();
        vec![
            Spot { along, across: from.side() },
            Spot { along, across: track.back },
            Spot { along: to, across: track.back },
        ]
    }

    fn stands_on_the_way_back(&self, port: Port) -> bool {
        match port {
            Port::Node(id) => match self.picture.node(id).shape {
                Shape::Undo | Shape::Compensated => true,
                Shape::Start
                | Shape::Command
                | Shape::Emit
                | Shape::Set
                | Shape::Fail
                | Shape::Wait
                | Shape::Sleep
                | Shape::Ask
                | Shape::Call
                | Shape::Child
                | Shape::Completed => false,
            },
            Port::Open(_) | Port::Close(_) => true,
            Port::Side(_) => false,
        }
    }

    fn area(&self, port: Port) -> Area {
        match port {
            Port::Node(id) => self.areas.nodes[id.0],
            Port::Open(id) | Port::Close(id) | Port::Side(id) => self.areas.regions[id.0],
        }
    }
}

fn straight(across: i32, from: i32, to: i32) -> Vec<Spot> {
    vec![Spot { along: from, across }, Spot { along: to, across }]
}
