//! Repeats questions to the cluster with growing pauses; the one place that knows `backoff`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

use rdkafka::error::KafkaResult;

use super::Error;
use super::connection::is_passing;

/// Whether asking again may help.
pub(super) trait Classified {
    fn is_transient(&self) -> bool;
}

/// How often and how long a question is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub most: Duration,
    /// After how long the last error is final.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            most: Duration::from_secs(5),
            whole: Duration::from_secs(60),
        }
    }
}

/// How long one of the answers to a question that is repeated may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// How long a question about offsets is repeated while a leader or coordinator moves.
const INSIST_MAX: Duration = Duration::from_secs(30);

/// Asks the cluster again while the answer is that a leader, a coordinator or a connection is just
/// changing; `ask` is told how long it may wait.
pub(super) fn insist<T>(mut ask: impl FnMut(Duration) -> KafkaResult<T>) -> KafkaResult<T> {
    let mut pauses = ExponentialBackoff {
        initial_interval: Duration::from_millis(20),
        current_interval: Duration::from_millis(20),
        max_interval: Duration::from_millis(500),
        max_elapsed_time: Some(INSIST_MAX),
        ..ExponentialBackoff::default()
    };
    loop {
        let error = match ask(ANSWER_MAX) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let passes = error.rdkafka_error_code().is_some_and(is_passing);
        let Some(pause) = pauses.next_backoff().filter(|_| passes) else {
            return Err(error);
        };
        std::thread::sleep(pause);
    }
}

/// How finely a pause looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// Asks until the answer is good, the error is permanent, the patience is spent or `stopped`.
///
/// # Errors
/// The last error, or [`Error::Stopped`].
pub fn patiently<T>(
    doing: &str,
    patience: Patience,
    stopped: &AtomicBool,
    mut ask: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut pauses = ExponentialBackoff {
        initial_interval: patience.first,
        current_interval: patience.first,
        max_interval: patience.most,
        // The crate gives up after 15 minutes unless it is told otherwise.
        max_elapsed_time: Some(patience.whole),
        ..ExponentialBackoff::default()
    };
    let mut is_told = false;
    loop {
        if stopped.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        let error = match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(pause) = pauses.next_backoff().filter(|_| error.is_transient()) else {
            return Err(error);
        };
        // Told once: that it fails again says nothing new.
        if is_told {
            tracing::debug!(doing, %error, pause_ms = pause.as_millis(), "question failed again");
        } else {
            let whole_s = patience.whole.as_secs();
            tracing::warn!(doing, %error, whole_s, "question failed: asked again");
        }
        is_told = true;
        wait(pause, stopped);
    }
}

fn wait(pause: Duration, stopped: &AtomicBool) {
    let until = Instant::now() + pause;
    while !stopped.load(Ordering::Relaxed) {
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return;
        }
        std::thread::sleep(rest.min(LOOK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEF: Patience = Patience {
        first: Duration::from_micros(10),
        most: Duration::from_micros(50),
        whole: Duration::from_secs(600),
    };

    fn unanswered() -> Error {
        let text = || "x".to_owned();
        Error::Unanswered { brokers: text(), doing: text(), reason: text() }
    }

    fn check(mut answers: Vec<Result<u8, Error>>, expected: Result<u8, Error>, asked: usize) {
        let running = AtomicBool::new(false);
        let mut times = 0;
        let answer = patiently("testing", BRIEF, &running, || {
            times += 1;
            answers.remove(0)
        });
        assert_eq!((answer, times), (expected, asked));
    }

    #[test]
    fn a_transient_error_is_asked_again() {
        check(vec![Err(unanswered()), Err(unanswered()), Ok(7)], Ok(7), 3);
    }

    #[test]
    fn a_permanent_error_is_not_asked_again() {
        let refused = Error::Topics("none".to_owned());
        check(vec![Err(refused.clone()), Ok(7)], Err(refused), 1);
    }

    #[test]
    fn patience_ends() {
        let running = AtomicBool::new(false);
        let spent = Patience { whole: Duration::from_millis(1), ..BRIEF };
        let answer: Result<(), _> = patiently("testing", spent, &running, || Err(unanswered()));
        assert_eq!(answer, Err(unanswered()));
    }

    #[test]
    fn a_stop_ends_the_waiting() {
        let stopped = AtomicBool::new(false);
        let minute = Duration::from_secs(60);
        let long = Patience { first: minute, most: minute, whole: 10 * minute };
        let answer: Result<(), _> = patiently("testing", long, &stopped, || {
            stopped.store(true, Ordering::Relaxed);
            Err(unanswered())
        });
        assert_eq!(answer, Err(Error::Stopped));
    }
}
