//! Kafka, the engines and their disks go away and come back: nothing is lost, doubled or undone
//! for it, no engine ends by itself, and all are at work again soon.
//!
//! Each test has a cluster of its own, whose brokers it may kill. `SEGUE_TEST_LONG` makes the tests
//! as long as the promises that they prove; without it they are short.

mod answers;
mod brokers;
mod cluster;
mod disk;
mod drill;
mod engines;
mod network;
mod outcome;
mod proxy;
mod pulse;
mod request;
mod services;
mod silence;

use std::time::Duration;

/// Whether the tests may last for hours.
fn is_long() -> bool {
    std::env::var_os("SEGUE_TEST_LONG").is_some()
}

/// One of two numbers, by how long the tests may last.
fn rounds(short: u32, long: u32) -> u32 {
    if is_long() { long } else { short }
}

/// How long a broker is away in a round: from 2 to 6 seconds.
fn away(round: u32) -> Duration {
    Duration::from_millis(2_000 + 800 * u64::from(round % 6))
}
