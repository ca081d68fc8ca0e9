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
//! Who an event is: its address, its source and its id (`ce_source`, `ce_id`, or the headers
//! `source` and `id`); without an id of its own, where it was read. A header that is null, empty,
//! blank or not UTF-8 is as good as none. A body is JSON in UTF-8, with a byte order mark or not.
//!
//! A target need not live yet: an event may come before the start of its instance.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answer_topics;
mod decode;
mod index;
mod record_key;

pub use answer_topics::AnswerTopics;
pub use decode::{Error, Heading, Lack, decode, heading};
pub use index::{Index, Route};
pub use record_key::RecordKey;

#[cfg(test)]
mod tests;
