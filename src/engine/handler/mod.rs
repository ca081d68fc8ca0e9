//! One handler for each kind of thing that can happen to a generation, and for each kind of step.

pub(super) mod act;
pub(super) mod ask;
pub(super) mod back;
pub(super) mod call;
pub(super) mod cancel;
mod child;
mod choose;
mod command;
mod each;
mod emit;
mod fail;
pub(super) mod finish;
pub(super) mod forward;
mod join;
pub(super) mod late;
pub(super) mod letter;
mod locking;
pub(super) mod motion;
mod parallel;
mod probe;
pub(super) mod reply;
pub(super) mod search;
mod set;
mod sleep;
pub(super) mod start;
mod wait;
pub(super) mod wake;
