use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// How often each owner of a token may ask: so many requests a second, and as many at once after
/// a second of silence.
#[derive(Debug)]
pub(super) struct Rates {
    a_second: u32,
    /// What is left of each, in billionths of a request, and as of when.
    left: Mutex<BTreeMap<String, (u128, Duration)>>,
}

impl Rates {
    pub fn new(a_second: u32) -> Self {
        Self { a_second, left: Mutex::default() }
    }

    /// Takes a request of `owner` at `now`, counted from any moment.
    ///
    /// # Errors
    /// When there were too many, and how long to wait.
    pub fn take(&self, owner: &str, now: Duration) -> Result<(), Duration> {
        let full = u128::from(self.a_second) * NANOS;
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, as_of) = all.entry(owner.to_owned()).or_insert((full, now));
        let since = now.saturating_sub(*as_of);
        *left = full.min(*left + since.as_nanos() * u128::from(self.a_second));
        *as_of = now.max(*as_of);
        if *left < NANOS {
            let wait = (NANOS - *left).div_ceil(u128::from(self.a_second));
            return Err(Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX)));
        }
        *left -= NANOS;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_so_many_a_second() {
        let rates = Rates::new(2);
        let at = Duration::from_millis;
        assert_eq!(rates.take("ana", at(0)), Ok(()));
        assert_eq!(rates.take("ana", at(0)), Ok(()));
        assert_eq!(rates.take("ana", at(100)), Err(at(400)), "the third must wait");
        assert_eq!(rates.take("ben", at(100)), Ok(()), "others do not");
        assert_eq!(rates.take("ana", at(500)), Ok(()));
        assert_eq!(rates.take("ana", at(500)), Err(at(500)));
        for _ in 0..2 {
            assert_eq!(rates.take("ana", at(900_000)), Ok(()));
        }
        assert_eq!(rates.take("ana", at(900_000)), Err(at(500)), "silence saves up one second");
        assert_eq!(rates.take("ana", at(0)), Err(at(500)), "a clock that goes back gives nothing");
    }
}
