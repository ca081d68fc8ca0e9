//! What a step of each kind does when it is entered, answered, late, or undone.

pub(super) mod ask;
pub(super) mod call;
pub(super) mod choose;
pub(super) mod command;
pub(super) mod each;
pub(super) mod emit;
pub(super) mod fail;
pub(super) mod lock;
pub(super) mod parallel;
pub(super) mod saga;
pub(super) mod set;
pub(super) mod sleep;
pub(super) mod wait;
