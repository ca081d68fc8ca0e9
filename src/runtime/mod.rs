//! Runs the shard loop and the gateway over ports: batch, commit, restore, assignment, schedule.

mod ports;

pub use ports::{
    Append, Batch, Broker, Change, ChangelogReader, ChangelogRecord, Checkpoint, Clock, DeadLetter,
    Forward, HistoryRecord, InboxRecord, Lost, Polled, ShardBatch, Source, SourceRecord, Store,
    StoreFault, Waker,
};
