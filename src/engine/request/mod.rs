//! Requests: how they are sent again and again, what their answers say, and how they are undone.

pub(super) mod asked;
pub(super) mod attempt;
pub(super) mod called;
mod late;
pub(super) mod pause;
pub(super) mod probe;
pub(super) mod reply;
pub(super) mod send;
pub(super) mod undo;
