//! What a node is given by whoever starts it.

use std::sync::Arc;

use super::Error;
use crate::calls::Executor;
use crate::config::Config;
use crate::runtime::{Caller, Observed};
use crate::telemetry::Tracer;

/// Told of every committed transition; must not wait.
pub type Observer = Arc<dyn Fn(&Observed) + Send + Sync>;

/// Who makes the calls: one for each pipeline.
#[derive(Clone)]
pub struct Callers(Arc<dyn Fn() -> Box<dyn Caller> + Send + Sync>);

impl Callers {
    /// Callers of one's own making.
    pub fn new(make: impl Fn() -> Box<dyn Caller> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// Callers over HTTP, as far as the configuration allows it; each call is told to `tracer`.
    ///
    /// # Errors
    /// When calls cannot be made at all.
    pub fn http(config: &Config, tracer: Tracer) -> Result<Self, Error> {
        let executor = Executor::open(config.calls.clone(), tracer)?;
        Ok(Self::new(move || Box::new(executor.queue())))
    }

    pub(super) fn caller(&self) -> Box<dyn Caller> {
        (self.0)()
    }
}
