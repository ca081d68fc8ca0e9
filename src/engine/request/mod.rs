//! Requests: how they are sent again and again, and what their answers say.

pub(super) mod asked;
pub(super) mod pause;
pub(super) mod probe;
pub(super) mod reply;
pub(super) mod send;
pub(super) mod slot;
