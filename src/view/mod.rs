//! Keeps a local index of the engine's own topics, for people, and answers what they ask.
//!
//! ```text
//!   changelog ───┐                      one batch: rows and positions
//!   history ─────┼─▶ follower (thread) ──────────────▶ index (SQLite) ──▶ View ── queries
//!   dead letters ┤    status::overview                                     │
//!   definitions ─┘                                                         │
//!         ▲                one record read back by partition and offset    │
//!         └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A row says what lists and counts need. What is told of one instance, with its data, is made of
//! the changelog record that its row names, and its history of the entries whose offsets it keeps:
//! both are read back from Kafka when somebody asks. A copy of every instance would make the index
//! three times as large (400 MB for a million are the bar), and the last record of a key is the one
//! that compaction keeps.
//!
//! It touches no thread and no lock of the engine, and works while every engine is down. What is
//! not in the topics is not here: the file may be deleted at any time.

#![allow(clippy::disallowed_methods, reason = "how fresh an answer is is told by a clock")]

mod bulk;
mod bulks;
mod error;
mod filter;
mod fold;
mod follow;
mod foreseen;
mod found;
mod freshness;
mod handle;
mod history;
mod index;
mod letter;
mod messages;
mod missed;
mod packed;
mod pending;
mod position;
mod query;
mod records;
mod settings;
mod shared;
mod sql;
mod step_count;
mod tail;
#[cfg(test)]
mod tests;
mod throughput;

pub use bulk::{BulkEndTold, BulkRow};
pub use error::Error;
pub use filter::{FieldTest, Filter, LetterFilter, LetterState, PAGE_ROWS_MAX, Sort};
pub use foreseen::{Foreseen, SentTold};
pub use found::{
    AttentionGroup, Concern, Coordinates, Count, DeadLetterDetail, DeadLetterPage, DeadLetterRow,
    Detail, DisposalTold, Entry, Flowing, Fresh, Freshness, NoteTold, OpenQuestion, OpenQuestions,
    OwedRow, OwedRows, Page, Row, SagaRow, SqlRows, StartsWordTold, TimersTold,
};
pub use handle::View;
pub use messages::MessageTold;
pub use missed::Missed;
pub use position::Position;
pub use settings::{Settings, Signatures};
pub use step_count::StepCount;
pub use tail::{Next, TAIL_ENTRIES_MAX, Tail};
