use super::{Assignment, BlockId, Verdict};
use crate::expression::{Expression, Template};
use crate::message::Span;

/// Named branches beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelStep {
    /// The branches; their names are their blocks'.
    pub branches: Vec<BlockId>,
    /// When it is done.
    pub join: Join,
    /// How long all of it may take.
    pub within: Option<Span>,
    /// What its own rejection means: its time is up, or all branches of `first` were rejected.
    pub failed: Verdict,
}

/// When parallel branches are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// When all have succeeded.
    All,
    /// When the first has; the others are given up and undone.
    First,
}

/// One branch for each element of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct EachStep {
    /// The list: CEL over `data`.
    pub items: Expression,
    /// The longest list; a longer one is a rejection.
    pub at_most: u32,
    /// The most branches that run at once, at least 1.
    pub at_once: u32,
    /// What a rejected branch means.
    pub on_failed: OnFailed,
    /// The steps of every branch.
    pub block: BlockId,
    /// What the succeeded branches leave in the data, in their order: a list under each name, of
    /// an expression over `branch`, `item`, `index` and `data`.
    pub collect: Vec<Assignment>,
    /// How long all of it may take.
    pub within: Option<Span>,
    /// What its own rejection means: its time is up, or the list is too long.
    pub failed: Verdict,
}

/// What a rejected branch of a fan-out means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailed {
    /// The way back for the saga.
    GoBack,
    /// It undoes itself; the others go on.
    Drop,
}

/// One of several branches.
#[derive(Debug, Clone, PartialEq)]
pub struct ChooseStep {
    /// The branches; the first whose guard holds is taken.
    pub arms: Vec<Arm>,
    /// Whether the author says that the guards leave no gap; a gap parks then.
    pub total: bool,
    /// How long the branch may take.
    pub within: Option<Span>,
    /// What its own rejection means: its time is up.
    pub failed: Verdict,
}

/// A branch of a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// CEL over `data`; none is `otherwise`.
    pub when: Option<Expression>,
    /// Its steps.
    pub block: BlockId,
}

/// Steps that nobody else does at the same time with the same keys.
#[derive(Debug, Clone, PartialEq)]
pub struct LockStep {
    /// What is locked; all or nothing.
    pub keys: Vec<Template>,
    /// How long it may take to get them.
    pub within: Option<Span>,
    /// When they are free again.
    pub release: Release,
    /// The steps under it.
    pub block: BlockId,
    /// What it means that the keys were not to be had in time.
    pub failed: Verdict,
}

/// When a lock is free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// When its steps are done.
    Block,
    /// When nothing that was done under it can be undone any more.
    Pivot,
    /// When the saga ends.
    End,
}
