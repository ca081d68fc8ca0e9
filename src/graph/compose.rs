use super::edges;
use super::picture::{
    About, Item, LaneId, Line, LineId, Node, NodeId, Picture, Region, RegionId, RegionKind, Shape,
};
use super::plain::plain;
use super::words::Words;
use super::{step, whole};
use crate::definition::{BlockId, Definition, Step, StepId, StepKind};
use crate::message::SagaName;

/// How many sagas are drawn inside one another.
const NESTED_MAX: usize = 3;

/// Makes the picture of a definition; children among the `known` ones are drawn inside it.
pub(super) fn compose(definition: &Definition, known: &[&Definition], words: Words) -> Picture {
    let picture = Picture {
        saga: definition.saga.to_string(),
        version: definition.version.0,
        title: plain(&definition.title),
        notes: whole::notes(definition, words).iter().map(|note| plain(note)).collect(),
        lanes: vec![definition.saga.to_string()],
        ..Picture::default()
    };
    let mut composer = Composer { picture, words, known, inside: vec![definition.saga.clone()] };
    composer.main(definition);
    let mut picture = composer.picture;
    picture.edges = edges::edges(&picture);
    picture
}

struct Composer<'d> {
    picture: Picture,
    words: Words,
    known: &'d [&'d Definition],
    inside: Vec<SagaName>,
}

impl<'d> Composer<'d> {
    fn main(&mut self, definition: &Definition) {
        let line = self.line(None, None);
        let start = self.node(Shape::Start, whole::start(definition, self.words));
        self.picture.lines[line.0].items.push(Item::Node(start));
        self.steps(definition, definition.main(), line);
        let last = self.picture.line(line).items.last();
        if !last.is_some_and(|last| self.picture.is_dead_end(*last)) {
            let end = self.node(Shape::Completed, whole::completed(definition, self.words));
            self.picture.lines[line.0].items.push(Item::Node(end));
        }
        if self.picture.lines[line.0].back {
            let end = self.node(Shape::Compensated, whole::compensated(definition, self.words));
            self.picture.nodes[start.0].about.undo = Some(end);
        }
    }

    fn line(&mut self, owner: Option<RegionId>, label: Option<String>) -> LineId {
        let label = label.map(|label| plain(&label));
        self.picture.lines.push(Line { owner, label, items: Vec::new(), back: false });
        LineId(self.picture.lines.len() - 1)
    }

    fn node(&mut self, shape: Shape, about: About) -> NodeId {
        self.picture.nodes.push(Node { shape, about: cleaned(about) });
        NodeId(self.picture.nodes.len() - 1)
    }

    fn lane(&mut self, name: Option<String>) -> LaneId {
        let Some(name) = name else { return LaneId::SAGA };
        let known = self.picture.lanes.iter().position(|lane| *lane == name);
        LaneId(known.unwrap_or_else(|| {
            self.picture.lanes.push(name);
            self.picture.lanes.len() - 1
        }))
    }

    fn steps(&mut self, definition: &Definition, steps: &[StepId], line: LineId) {
        for id in steps {
            let item = self.step(definition, definition.step(*id));
            let back = self.picture.about(item).goes_back || self.picture.is_station(item);
            let line = &mut self.picture.lines[line.0];
            line.items.push(item);
            line.back |= back;
        }
    }

    fn step(&mut self, definition: &Definition, step: &Step) -> Item {
        let mut about = step::about(step, self.words);
        if let Some(kind) = step::region(step) {
            return self
                .region(about, kind, |composer, region| composer.blocks(definition, step, region));
        }
        if let StepKind::Saga(child) = &step.kind
            && step::takes_itself_back(child)
            && let Some(inner) = self.child(&child.saga)
        {
            return self.region(about, RegionKind::Child, |composer, region| {
                vec![composer.nested(inner, region)]
            });
        }
        about.lane = self.lane(step::participant(step));
        let node = self.node(step::shape(step), about);
        self.picture.nodes[node.0].about.undo = self.undo(step);
        Item::Node(node)
    }

    fn undo(&mut self, step: &Step) -> Option<NodeId> {
        let (mut about, participant) = step::undo(step, self.words)?;
        about.lane = self.lane(participant);
        Some(self.node(Shape::Undo, about))
    }

    fn region(
        &mut self,
        about: About,
        kind: RegionKind,
        fill: impl FnOnce(&mut Self, RegionId) -> Vec<LineId>,
    ) -> Item {
        let id = RegionId(self.picture.regions.len());
        let about = cleaned(about);
        self.picture.regions.push(Region { kind, about, lines: Vec::new(), back: false });
        let lines = fill(self, id);
        let back = lines.iter().any(|line| self.picture.line(*line).back);
        let region = &mut self.picture.regions[id.0];
        region.lines = lines;
        region.back = back;
        Item::Region(id)
    }

    fn blocks(&mut self, definition: &Definition, step: &Step, region: RegionId) -> Vec<LineId> {
        let one = |(index, block): (usize, BlockId)| {
            let block = definition.block(block);
            let line = self.line(Some(region), step::branch(step, index, &block.name));
            self.steps(definition, &block.steps, line);
            line
        };
        step.blocks().into_iter().enumerate().map(one).collect()
    }

    /// The definition of a child, if it is to be drawn inside its parent.
    fn child(&self, saga: &SagaName) -> Option<&'d Definition> {
        let deep = self.inside.len() >= NESTED_MAX || self.inside.contains(saga);
        self.known.iter().find(|known| !deep && known.saga == *saga).copied()
    }

    fn nested(&mut self, child: &Definition, region: RegionId) -> LineId {
        self.inside.push(child.saga.clone());
        let line = self.line(Some(region), None);
        self.steps(child, child.main(), line);
        self.inside.pop();
        line
    }
}

/// Its texts on one line each.
fn cleaned(mut about: About) -> About {
    about.heading = plain(&about.heading);
    about.when = about.when.map(|when| plain(&when));
    for detail in &mut about.details {
        detail.text = plain(&detail.text);
    }
    about
}
