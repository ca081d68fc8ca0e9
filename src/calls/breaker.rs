use std::time::Duration;

use tokio::time::Instant;

/// The circuit of one host: after so many failures in a row, calls fail at once for a while; then
/// one call finds out whether the host is well again.
///
/// ```text
///  closed ──failures──▶ open ──pause──▶ probing ──well──▶ closed
///                        ▲                 │
///                        └──────ill────────┘
/// ```
#[derive(Debug)]
pub(super) struct Breaker {
    failures_max: u32,
    pause: Duration,
    failures: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    Probing,
}

/// Why a call may not go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// Not for that long.
    Open { failures: u32, left: Duration },
    /// Another call finds out.
    Probing { failures: u32 },
}

impl Breaker {
    /// A closed circuit.
    pub fn new(failures_max: u32, pause: Duration) -> Self {
        Self { failures_max, pause, failures: 0, state: State::Closed }
    }

    /// Whether a call would have to fail at once.
    pub fn halts(&self, now: Instant) -> Option<Halt> {
        let failures = self.failures;
        match self.state {
            State::Closed => None,
            State::Open { until } if until <= now => None,
            State::Open { until } => Some(Halt::Open { failures, left: until - now }),
            State::Probing => Some(Halt::Probing { failures }),
        }
    }

    /// Lets a call go; it must be told afterwards how the host was.
    pub fn admit(&mut self, now: Instant) -> Result<(), Halt> {
        if let Some(halt) = self.halts(now) {
            return Err(halt);
        }
        if self.state != State::Closed {
            self.state = State::Probing;
        }
        Ok(())
    }

    /// The host is well. Answers whether that closes the circuit.
    pub fn well(&mut self) -> bool {
        self.failures = 0;
        std::mem::replace(&mut self.state, State::Closed) != State::Closed
    }

    /// The host is ill. Answers whether that opens the circuit.
    pub fn ill(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        match self.state {
            // A call from before the circuit opened: its failure is no news.
            State::Open { .. } => false,
            State::Closed if self.failures < self.failures_max => false,
            State::Closed | State::Probing => {
                self.state = State::Open { until: now + self.pause };
                true
            }
        }
    }

    /// The call ended and says nothing about the host: the next one may find out.
    pub fn unsaid(&mut self, now: Instant) {
        if self.state == State::Probing {
            self.state = State::Open { until: now };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(3, PAUSE);
        for expected in [false, false, true] {
            assert_eq!(breaker.admit(now), Ok(()));
            assert_eq!(breaker.ill(now), expected);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let now = Instant::now();
        let mut breaker = Breaker::new(2, PAUSE);
        for _ in 0..5 {
            assert!(!breaker.ill(now));
            assert!(!breaker.well());
        }
        let mut breaker = opened(now);
        let half = now + PAUSE / 2;
        assert_eq!(breaker.admit(half), Err(Halt::Open { failures: 3, left: PAUSE / 2 }));
    }

    #[test]
    fn after_the_pause_one_call_finds_out() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + PAUSE;
        assert_eq!(breaker.admit(later), Ok(()));
        assert_eq!(breaker.admit(later), Err(Halt::Probing { failures: 3 }));
        assert!(breaker.well(), "it closes");
        assert_eq!(breaker.admit(later), Ok(()));
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn a_probe_that_fails_opens_it_for_another_pause() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + PAUSE;
        assert_eq!(breaker.admit(later), Ok(()));
        assert!(breaker.ill(later));
        assert_eq!(breaker.admit(later), Err(Halt::Open { failures: 4, left: PAUSE }));
    }

    #[test]
    fn a_probe_that_says_nothing_leaves_it_to_the_next() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + PAUSE;
        assert_eq!(breaker.admit(later), Ok(()));
        breaker.unsaid(later);
        assert_eq!(breaker.admit(later), Ok(()));
        assert!(breaker.halts(later).is_some());
    }

    #[test]
    fn calls_from_before_it_opened_do_not_lengthen_the_pause_but_may_end_it() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert!(!breaker.ill(now + PAUSE / 2));
        assert_eq!(breaker.halts(now + PAUSE), None);
        assert!(breaker.well());
        assert_eq!(breaker.halts(now), None);
    }
}
