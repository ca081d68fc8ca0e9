//! What a step of each kind does when it is entered, answered, late, joined or taken back. A kind
//! calls no other and nothing of the course: it answers an outcome.

pub(super) mod ask;
mod branches;
mod call;
mod choose;
mod command;
mod each;
mod emit;
mod fail;
pub(super) mod handler;
pub(super) mod lock;
mod parallel;
pub(super) mod saga;
pub(super) mod set;
mod sleep;
mod wait;
pub(super) mod waiting;
