use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Settings;
use super::breaker::{Breaker, Halt};
use super::failure::{Failure, Health, span};
use super::target::Target;

/// What is known of one host: how many calls are with it, and how it fares.
pub(super) struct Host {
    pub target: Target,
    /// Room for calls that wait or are under way.
    pub room: Arc<Semaphore>,
    /// Places for calls that are under way.
    pub places: Semaphore,
    breaker: Mutex<Breaker>,
}

impl Host {
    pub fn new(target: Target, settings: &Settings) -> Self {
        Self {
            target,
            room: Arc::new(Semaphore::new(settings.host_room())),
            places: Semaphore::new(settings.host_at_once_max),
            breaker: Mutex::new(Breaker::new(settings.failures_max, settings.pause)),
        }
    }

    /// Refuses a call that would have to fail at once.
    pub fn look(&self, now: Instant) -> Result<(), Failure> {
        self.breaker().halts(now).map_or(Ok(()), |halt| Err(self.halted(halt)))
    }

    /// Lets a call go to the host.
    pub fn enter(&self, now: Instant) -> Result<Visit<'_>, Failure> {
        let admitted = self.breaker().admit(now);
        admitted.map_err(|halt| self.halted(halt))?;
        Ok(Visit { host: self, health: Health::Unsaid })
    }

    fn halted(&self, halt: Halt) -> Failure {
        let target = self.target.to_string();
        match halt {
            Halt::Open { failures, left } => Failure::Open { target, failures, left: span(left) },
            Halt::Probing { failures } => Failure::Probed { target, failures },
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // No code that holds it can panic half way through a change.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call's stay at a host; its end tells the circuit how the host was, however it ends.
pub(super) struct Visit<'a> {
    host: &'a Host,
    pub health: Health,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let (host, now) = (self.host.target.to_string(), Instant::now());
        let mut breaker = self.host.breaker();
        match self.health {
            Health::Well => {
                if breaker.well() {
                    tracing::info!(host, "circuit.closed");
                }
            }
            Health::Ill => {
                if breaker.ill(now) {
                    tracing::warn!(host, "circuit.opened: its calls fail at once for a while");
                }
            }
            Health::Unsaid => breaker.unsaid(now),
        }
    }
}
