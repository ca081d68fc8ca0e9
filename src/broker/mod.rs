//! Connects the runtime's ports to Kafka by librdkafka.
#![allow(clippy::disallowed_methods, reason = "waiting for a cluster is measured by a clock")]

mod connection;
mod error;
mod reader;
mod record;
pub mod retry;
mod topics;
mod writer;

pub use connection::{Connection, Isolation, SETTINGS};
pub use error::Error;
pub use reader::Reader;
pub use topics::{TopicSpec, create_topics};
pub use writer::Writer;
