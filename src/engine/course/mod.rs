//! The course of a life: forward, back and to its end. It alone decides what follows from the
//! outcome of a step.

pub(super) mod back;
mod enter;
pub(super) mod finish;
pub(super) mod follow;
mod forward;
mod join;
pub(super) mod kinds;
mod late;
pub(super) mod motion;
mod race;
pub(super) mod timers;
