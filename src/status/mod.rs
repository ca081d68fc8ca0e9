//! Says what an instance is at, for people: a pure function of its stored state and definition.
//!
//! ```text
//!   Catalog ─┐
//!   id ──────┼─▶ overview ──▶ Overview ── lives ──▶ Standing ── steps ──▶ StepStanding
//!   Instance ┘                                               └─ owed, stuck, failure, data
//! ```
//!
//! What is told here is what the view keeps, what the API answers and what the command line
//! prints. Its fields are names and words as they are written outside, so that no edge says the
//! same in another way: this room knows the engine, and nothing behind it has to.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod fingerprint;
mod life;
mod life_state;
mod masked;
mod moment;
mod overview;
mod reached;
mod searched;
mod standing;
mod steps;
#[cfg(test)]
pub(crate) mod tests;
mod under_way;

pub use fingerprint::Fingerprint;
pub use life_state::LifeState;
pub use masked::{act_shown, event_shown, unread_shown};
pub use moment::Moment;
pub use overview::{Claimed, HeldEvent, LockStanding, Overview, overview};
pub use searched::{SEARCHED_BYTES_MAX, SearchedValue, searched};
pub use standing::{
    ChildName, FailureTold, OwedStanding, ParentName, PausedTold, Standing, StepReached,
    StepStanding, StuckStanding, Wait,
};

/// Whether what a definition calls `sensitive` is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masks {
    /// It is masked: for everybody.
    On,
    /// It is shown: for those who may see it.
    Off,
    /// No data is shown at all: for what is only listed.
    Whole,
}
