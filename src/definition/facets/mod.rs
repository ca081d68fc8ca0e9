//! What the language says of a step, said once: whoever needs to know asks here.
//!
//! ```text
//! nature      what sort of step it is, one list for all kinds: what asks need not name them all
//! answers     which events answer a step, and what each means
//! outcomes    how a step can end by itself, and what each end writes
//! sent        what a step sends and calls, and for which part of it
//! around      what stands around a step
//! expressions every expression of a definition, what it is for and what its names mean
//! ```
//!
//! All of it is borrowed from the definition; nothing that is asked while a saga runs allocates.

mod answers;
mod around;
mod expressions;
mod nature;
mod outcomes;
mod sent;

#[cfg(test)]
mod tests;

pub use answers::{Answer, Answers, Reply};
pub use around::Around;
pub use expressions::{EventKind, PlacedExpression};
pub use nature::{Attempted, Composite, Instant, Nature, Waiting};
pub use outcomes::{Meaning, Outcome};
pub use sent::Sent;
