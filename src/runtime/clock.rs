use std::time::Duration;

use crate::message::Timestamp;

/// Two clocks: the wall's, which stamps records, and one that only ever goes forward.
pub trait Clock {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;
}
