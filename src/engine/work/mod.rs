//! One life under way: what it may read, what it writes, and the effects and notes beside it.

pub(super) mod early;
pub(super) mod fill;
mod fill_call;
pub(super) mod outcome;
pub(super) mod scope;
mod shown;
mod stuck;
pub(super) mod turn;
mod way;
pub(super) mod write;
