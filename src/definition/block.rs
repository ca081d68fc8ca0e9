/// A step's place in its definition's file, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// A list of steps in its definition, counted from 0: the main line is 0, then the blocks of
/// composite steps in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockId(pub u32);

impl BlockId {
    /// The main line.
    pub const MAIN: Self = Self(0);
}

/// A list of steps that follow one another: the main line, or one branch of a composite step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The steps, in their order.
    pub steps: Vec<StepId>,
    /// The composite step that it belongs to; none for the main line.
    pub owner: Option<StepId>,
    /// A named branch's name; empty for all others.
    pub name: String,
}
