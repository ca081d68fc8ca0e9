//! Connects the runtime's ports to Kafka by librdkafka.
#![allow(clippy::disallowed_methods, reason = "waiting for a cluster is measured by a clock")]

mod appender;
mod asking;
mod assignments;
mod changelog;
mod closing;
mod committer;
mod connection;
pub mod dead_letter;
pub mod definitions;
mod engine_topics;
mod error;
mod faults;
mod inbox;
mod kafka_broker;
mod kafka_source;
mod ledger;
mod low_watermark;
mod membership;
mod native;
mod outage;
mod poll;
mod progress;
mod provision;
mod reader;
mod record;
pub mod retry;
mod rivals;
mod topics;
mod writer;

pub use changelog::Changelog;
pub use connection::{Connection, Isolation, SETTINGS};
pub use engine_topics::EngineTopics;
pub use error::Error;
pub use kafka_broker::KafkaBroker;
pub use kafka_source::KafkaSource;
pub use membership::{Delivery, Membership};
pub use outage::is_any_away;
pub use progress::Progress;
pub use provision::{Mode, Plan, provision};
pub use reader::Reader;
pub use rivals::Token;
pub use topics::{TopicSpec, await_topics, cluster_id, create_topics};
pub use writer::Writer;
