//! What is stored of an instance, and what must hold of it; knows nothing of how it changes.

pub(super) mod check;
mod failure;
mod frame;
mod inside;
mod instance;
mod letter;
mod life;
mod lock;
mod paused;
pub(super) mod place;
pub(super) mod remnant;
mod request;
mod status;
mod step;
pub(super) mod weight;

pub use failure::{Failure, FailureKind};
pub use frame::Frame;
pub use inside::{Branched, Child, Hold, Inside, Locked, Reminder, Requested, Stage};
pub use instance::{Early, Instance};
pub use letter::{Letter, Say};
pub use life::{Life, Parent, Stuck};
pub use lock::{Claim, Lock};
pub use paused::Paused;
pub use remnant::Remnant;
pub use request::{Progress, Request};
pub use status::{Direction, Status};
pub use step::{Phase, StepState};
