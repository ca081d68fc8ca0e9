//! The course of a life: forward, back and to its end.

pub(super) mod back;
pub(super) mod finish;
pub(super) mod forward;
pub(super) mod join;
pub(super) mod late;
pub(super) mod motion;
pub(super) mod timers;
