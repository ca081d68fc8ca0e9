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
//! It touches no thread and no lock of the engine, and works while every engine is down. What is
//! not in the topics is not here: the file may be deleted at any time.

mod error;
mod filter;
mod found;
mod handle;
mod settings;

pub use error::Error;
pub use filter::{Filter, PAGE_ROWS_MAX, Sort};
pub use found::{
    AttentionGroup, Concern, Coordinates, Count, DeadLetterDetail, DeadLetterPage, DeadLetterRow,
    Detail, Entry, Fresh, Freshness, NoteTold, OpenQuestion, OwedRow, Page, Row, SagaRow,
};
pub use handle::View;
pub use settings::Settings;
