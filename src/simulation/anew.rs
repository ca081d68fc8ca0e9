use std::collections::{BTreeMap, BTreeSet};

use crate::message::Offset;

/// A users' topic that was deleted and created again.
///
/// The logs of its partitions go on, so that whoever audits a world sees all that was ever in
/// them; its readers count from the place where it was made anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Anew {
    /// How often.
    pub times: u64,
    /// Where the present topic's partitions begin in the logs.
    pub bases: BTreeMap<i32, Offset>,
    /// The act by which a person has accepted it; none while it is stopped.
    pub accepted: Option<String>,
    /// The acts by which it was accepted in its earlier lives; they may come once more.
    pub obeyed: BTreeSet<String>,
}
