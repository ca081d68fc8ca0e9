use std::collections::BTreeMap;

use super::mark::{Mark, Marked};
use super::picture::{
    About, Edge, EdgeRole, Item, LaneId, LineId, NodeId, Picture, Port, RegionId, RegionKind, Shape,
};

/// A picture as boxes in clusters: what Mermaid and Graphviz can lay out themselves.
///
/// Where a region begins and ends there is a small box, for edges end at boxes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clusters {
    /// What stands at the outside.
    pub members: Vec<Member>,
    /// What leads where, by the ids of boxes.
    pub links: Vec<Link>,
}

/// A box, or a cluster of some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// A box.
    Single(Single),
    /// Boxes inside a border.
    Cluster {
        /// Its name in the text.
        id: String,
        /// What stands at its top, line by line.
        label: Vec<String>,
        /// What stands in it.
        members: Vec<Member>,
    },
}

/// A box with its own shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Single {
    /// Its name in the text.
    pub id: String,
    /// What stands in it, line by line.
    pub label: Vec<String>,
    /// How it looks.
    pub look: Look,
    /// After it there is only forward.
    pub pivot: bool,
    /// How far its step is in one life, if the drawing is of one.
    pub mark: Option<Mark>,
}

/// How a box looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Like a node.
    Node(Shape),
    /// Where one of several lines is taken.
    Choice,
    /// Where lines part.
    Fork,
    /// Where lines meet.
    Join,
}

impl Look {
    /// Whether it is where every life begins or ends.
    fn is_end(self) -> bool {
        matches!(self, Self::Node(Shape::Start | Shape::Completed | Shape::Compensated))
    }
}

/// What leads from one box to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub from: String,
    pub to: String,
    pub role: EdgeRole,
    pub label: Option<String>,
}

impl Clusters {
    /// Gathers the boxes of a picture by its regions, or by who does them.
    pub fn of(picture: &Picture, lanes: bool, marked: Option<&Marked>) -> Self {
        let mut members = if lanes { by_lane(picture) } else { by_region(picture, LineId::MAIN) };
        if let Some(marked) = marked {
            mark(&mut members, &marks(picture, marked));
        }
        let links = picture.edges.iter().map(link).collect();
        Self { members, links }
    }
}

/// The marks of the boxes by their names in the text; that of a region stands where it begins.
fn marks(picture: &Picture, marked: &Marked) -> BTreeMap<String, Mark> {
    let nodes = (0..picture.nodes.len()).map(|at| (id(Port::Node(NodeId(at))), marked.node(at)));
    let regions =
        (0..picture.regions.len()).map(|at| (id(Port::Open(RegionId(at))), marked.region(at)));
    nodes.chain(regions).filter_map(|(id, mark)| Some((id, mark?))).collect()
}

/// Marks boxes; what tells marks apart without colours stands on top of each.
fn mark(members: &mut [Member], marks: &BTreeMap<String, Mark>) {
    for member in members {
        match member {
            Member::Cluster { members, .. } => mark(members, marks),
            Member::Single(single) => {
                single.mark = marks.get(&single.id).copied();
                let badge = single.mark.filter(|_| !single.look.is_end()).map(Mark::badge);
                single.label.splice(0..0, badge.map(ToOwned::to_owned));
            }
        }
    }
}

fn link(edge: &Edge) -> Link {
    Link { from: id(edge.from), to: id(edge.to), role: edge.role, label: edge.label.clone() }
}

fn id(port: Port) -> String {
    match port {
        Port::Node(NodeId(index)) => format!("n{index}"),
        Port::Open(RegionId(index)) | Port::Side(RegionId(index)) => format!("r{index}_open"),
        Port::Close(RegionId(index)) => format!("r{index}_close"),
    }
}

fn by_region(picture: &Picture, line: LineId) -> Vec<Member> {
    let mut members = Vec::new();
    for item in &picture.line(line).items {
        match *item {
            Item::Node(id) => members.push(node(picture, id)),
            Item::Region(id) => members.push(region(picture, id)),
        }
        members.extend(picture.about(*item).undo.map(|undo| node(picture, undo)));
    }
    members
}

fn region(picture: &Picture, region: RegionId) -> Member {
    let about = &picture.region(region).about;
    let opening = [about.caption.clone()].into_iter().chain(particulars(about)).collect();
    let mut members = vec![open(picture, region, opening)];
    for line in &picture.region(region).lines {
        members.extend(by_region(picture, *line));
    }
    members.push(close(region));
    Member::Cluster { id: format!("r{}", region.0), label: names(about), members }
}

fn by_lane(picture: &Picture) -> Vec<Member> {
    let lane = |(index, name): (usize, &String)| Member::Cluster {
        id: format!("lane{index}"),
        label: vec![name.clone()],
        members: of_lane(picture, LaneId(index)),
    };
    picture.lanes.iter().enumerate().map(lane).collect()
}

fn of_lane(picture: &Picture, lane: LaneId) -> Vec<Member> {
    let nodes = (0..picture.nodes.len()).map(NodeId);
    let nodes = nodes.filter(|id| picture.node(*id).about.lane == lane);
    let mut members: Vec<Member> = nodes.map(|id| node(picture, id)).collect();
    for index in (0..picture.regions.len()).filter(|_| lane == LaneId::SAGA) {
        let id = RegionId(index);
        members.push(open(picture, id, label(&picture.region(id).about)));
        members.push(close(id));
    }
    members
}

fn node(picture: &Picture, node: NodeId) -> Member {
    let (id, shape) = (id(Port::Node(node)), picture.node(node).shape);
    let about = &picture.node(node).about;
    let look = Look::Node(shape);
    Member::Single(Single { id, label: label(about), look, pivot: about.pivot, mark: None })
}

fn open(picture: &Picture, region: RegionId, label: Vec<String>) -> Member {
    let look = match picture.region(region).kind {
        RegionKind::Choose => Look::Choice,
        RegionKind::Parallel | RegionKind::Each | RegionKind::Lock | RegionKind::Child => {
            Look::Fork
        }
    };
    Member::Single(Single { id: id(Port::Open(region)), label, look, pivot: false, mark: None })
}

fn close(region: RegionId) -> Member {
    let (id, label) = (id(Port::Close(region)), Vec::new());
    Member::Single(Single { id, label, look: Look::Join, pivot: false, mark: None })
}

/// All of an item, line by line.
fn label(about: &About) -> Vec<String> {
    let caption = Some(about.caption.clone()).filter(|text| !text.is_empty());
    caption.into_iter().chain(names(about)).chain(particulars(about)).collect()
}

fn names(about: &About) -> Vec<String> {
    let pivot = about.pivot.then(|| "PIVOT: from here only forward".to_owned());
    let name = Some(about.name.clone()).filter(|name| !name.is_empty() && *name != about.heading);
    pivot.into_iter().chain([about.heading.clone()]).chain(name).collect()
}

fn particulars(about: &About) -> impl Iterator<Item = String> {
    about.details.iter().map(|detail| format!("{}: {}", detail.word, detail.text))
}
