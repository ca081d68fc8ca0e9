/// A definition as it is drawn: lines of nodes and regions, and the edges between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picture {
    /// The saga's name.
    pub saga: String,
    /// The definition's version.
    pub version: u32,
    /// What the saga does, for people.
    pub title: String,
    /// What holds for all of it: deadline, cancel, stuck.
    pub notes: Vec<String>,
    /// Who takes part; the first is the saga itself.
    pub lanes: Vec<String>,
    /// Every node; a [`NodeId`] is a place in it.
    pub nodes: Vec<Node>,
    /// Every region; a [`RegionId`] is a place in it.
    pub regions: Vec<Region>,
    /// Every line; the first is the main line, a [`LineId`] is a place in it.
    pub lines: Vec<Line>,
    /// What leads where.
    pub edges: Vec<Edge>,
}

/// A node's place in its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// A region's place in its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegionId(pub usize);

/// A line's place in its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineId(pub usize);

impl LineId {
    /// The main line.
    pub const MAIN: Self = Self(0);
}

/// A lane's place in its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LaneId(pub usize);

impl LaneId {
    /// The saga itself: what needs no participant.
    pub const SAGA: Self = Self(0);
}

/// What stands in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A single step, the start or an end.
    Node(NodeId),
    /// A composite step.
    Region(RegionId),
}

/// Items that follow one another: the main line, or one branch of a region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The region that it belongs to; none for the main line.
    pub owner: Option<RegionId>,
    /// A branch's name or guard.
    pub label: Option<String>,
    /// The items in their order.
    pub items: Vec<Item>,
    /// Whether a way back runs beside it.
    pub back: bool,
}

/// What an item is, whatever its form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The step's name; empty for the start, the ends and what undoes a step.
    pub name: String,
    /// What it does, for people.
    pub heading: String,
    /// What kind of thing it is, in a word or two.
    pub caption: String,
    /// The particulars: a word and what it says.
    pub details: Vec<Detail>,
    /// The condition without which it is skipped.
    pub when: Option<String>,
    /// After it there is only forward.
    pub pivot: bool,
    /// Whether the way back can begin here.
    pub goes_back: bool,
    /// What undoes it; for the start, the end that the way back leads to. A region has none: it is
    /// undone by undoing what is in it.
    pub undo: Option<NodeId>,
    /// Who does it.
    pub lane: LaneId,
}

/// A particular of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What it is about, in a word.
    pub word: &'static str,
    /// What it says.
    pub text: String,
}

/// A box with its own shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// How it looks.
    pub shape: Shape,
    /// What it is.
    pub about: About,
}

/// How a node looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// What starts an instance.
    Start,
    /// A request to a participant.
    Command,
    /// A fact told to the world.
    Emit,
    /// Data only.
    Set,
    /// The way back, said by the author.
    Fail,
    /// Waits for a fact.
    Wait,
    /// Waits for a time.
    Sleep,
    /// Asks a person.
    Ask,
    /// A request over HTTP.
    Call,
    /// Another saga that is not drawn here.
    Child,
    /// What undoes a step.
    Undo,
    /// All done.
    Completed,
    /// All undone.
    Compensated,
}

impl Shape {
    /// The word for it, in drawings and in data.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Command => "command",
            Self::Emit => "emit",
            Self::Set => "set",
            Self::Fail => "fail",
            Self::Wait => "wait",
            Self::Sleep => "sleep",
            Self::Ask => "ask",
            Self::Call => "call",
            Self::Child => "child",
            Self::Undo => "undo",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
        }
    }

    /// Whether a node of this shape stands on the way back.
    #[must_use]
    pub fn is_on_the_way_back(self) -> bool {
        matches!(self, Self::Undo | Self::Compensated)
    }
}

/// A box around lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// What its lines are to one another.
    pub kind: RegionKind,
    /// What it is.
    pub about: About,
    /// The lines in it.
    pub lines: Vec<LineId>,
    /// Whether a way back runs through it.
    pub back: bool,
}

/// What the lines of a region are to one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegionKind {
    /// They run beside each other.
    Parallel,
    /// There is one for each element of a list.
    Each,
    /// One of them is taken.
    Choose,
    /// There is one, under a lock.
    Lock,
    /// There is one, another saga's.
    Child,
}

/// What leads from one place to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The line that it runs along.
    pub line: LineId,
    /// Where it begins.
    pub from: Port,
    /// Where it ends.
    pub to: Port,
    /// What it means.
    pub role: EdgeRole,
    /// What stands at it.
    pub label: Option<String>,
}

/// Where an edge touches a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// At a node.
    Node(NodeId),
    /// Where a region begins: from outside, or to its lines.
    Open(RegionId),
    /// Where a region ends: from its lines, or to the outside.
    Close(RegionId),
    /// At the side of a region, where the way back begins.
    Side(RegionId),
}

/// What an edge means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeRole {
    /// The way forward.
    Forward,
    /// From a step to what undoes it.
    Undo,
    /// The way back.
    Back,
}

impl Picture {
    /// A node by its id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// A region by its id.
    #[must_use]
    pub fn region(&self, id: RegionId) -> &Region {
        &self.regions[id.0]
    }

    /// A line by its id.
    #[must_use]
    pub fn line(&self, id: LineId) -> &Line {
        &self.lines[id.0]
    }

    /// What an item is.
    #[must_use]
    pub fn about(&self, item: Item) -> &About {
        match item {
            Item::Node(id) => &self.node(id).about,
            Item::Region(id) => &self.region(id).about,
        }
    }

    /// Whether the way back of its line runs through an item, rather than past it.
    #[must_use]
    pub fn is_crossed(&self, item: Item) -> bool {
        match item {
            Item::Node(_) => false,
            Item::Region(id) => self.region(id).back,
        }
    }

    /// Whether the way back of its line stops at an item: something is undone there.
    #[must_use]
    pub fn is_station(&self, item: Item) -> bool {
        self.about(item).undo.is_some() || self.is_crossed(item)
    }

    /// Whether the way forward ends at an item in any case.
    #[must_use]
    pub fn is_dead_end(&self, item: Item) -> bool {
        self.fails(item) && self.about(item).when.is_none()
    }

    fn fails(&self, item: Item) -> bool {
        match item {
            Item::Node(id) => self.node(id).shape == Shape::Fail,
            Item::Region(_) => false,
        }
    }

    /// What stands at the edge that leads to an item; past the last one, to the region's end.
    #[must_use]
    pub fn label_before(&self, line: LineId, index: usize) -> Option<String> {
        let line = self.line(line);
        let before = index.checked_sub(1).and_then(|before| line.items.get(before));
        let branch = match before {
            None => line.label.clone(),
            Some(item) => self.fails(*item).then(|| "otherwise".to_owned()),
        };
        let when = line.items.get(index).and_then(|item| self.about(*item).when.as_ref());
        match (branch, when) {
            (Some(branch), Some(when)) => Some(format!("{branch}; only if {when}")),
            (None, Some(when)) => Some(format!("only if {when}")),
            (branch, None) => branch,
        }
    }
}
