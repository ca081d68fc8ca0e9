/// In what a definition is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A drawing for browsers and documents.
    Svg,
    /// Text that Mermaid draws.
    Mermaid,
    /// Text that Graphviz draws.
    Dot,
    /// A tree for the terminal.
    Text,
}

/// Which way the way forward runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// Top down.
    Down,
    /// Left to right.
    Right,
}

impl Orientation {
    /// The word of Graphviz and of Mermaid for it.
    pub(super) fn rank_dir(self) -> &'static str {
        match self {
            Self::Down => "TB",
            Self::Right => "LR",
        }
    }
}

/// How a definition is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// In what.
    pub format: Format,
    /// Whether each participant has a lane of its own.
    pub lanes: bool,
    /// Which way the way forward runs; the tree for the terminal always runs down.
    pub direction: Orientation,
}
