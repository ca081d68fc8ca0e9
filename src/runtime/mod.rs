//! Runs the engine over ports: batches, commits, restores, timers; synchronous and deterministic.
//!
//! ```text
//!   Source ─▶ Gateway ─▶ inbox ─▶ Broker::poll ─▶ ShardState ─▶ engine::step
//!                          ▲                          │
//!                          │ timers that are due      ├─▶ Broker::begin: messages, changelog,
//!                          └──────────────────────────┤   history, inbox positions; all or nothing
//!                                                     └─▶ Store::checkpoint, some time after
//! ```
//!
//! Nothing in memory is worth more than what is committed: a pipeline that is in doubt answers
//! [`Lost`], is dropped whole, and a new one restores itself (R7).

mod acceptance;
mod clock;
mod envelope;
mod gateway;
mod held;
mod notices;
mod operator;
mod perform;
mod pipeline;
mod ports;
mod position;
mod restore;
mod schedule;
mod settings;
mod shard;

pub use acceptance::{Acceptance, Accepted};
pub use clock::Clock;
pub use gateway::{Gateway, Passed};
pub use operator::{ACT_BYTES_MAX, act_of};
pub use pipeline::Pipeline;
pub use ports::{
    Append, Batch, Broker, Caller, Change, ChangelogReader, ChangelogRecord, Checkpoint,
    DeadLetter, Forward, HistoryRecord, InboxRecord, Lost, Polled, ReadUpTo, ShardBatch, Source,
    SourceRecord, Store, StoreFault, Waker,
};
pub use settings::{Counts, Observed, Settings, Unmatched, UnmatchedRules};
