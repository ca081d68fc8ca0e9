//! Finds the instances that an event belongs to.
//!
//! An event is read from Kafka ([`decode`]) and routed by an [`Index`] over all definitions:
//!
//! ```text
//!                names a command of ours ──▶ that command's instance
//!   event ──▶    starts a saga           ──▶ the key of the start
//!   (topic/type) cancels a saga          ──▶ the key of the cancel, the event's rule, the record
//!                answers a step          ──▶ the key of the event's rule, the record
//!                is waited for           ──▶ the same, also if it answers another saga's command
//! ```
//!
//! A target need not live yet: an event may come before the start of its instance.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answer_topics;
mod decode;
mod index;

pub use answer_topics::AnswerTopics;
pub use decode::{Error, Heading, decode, heading};
pub use index::{Index, Route};

#[cfg(test)]
mod tests;
