use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanExporter, SpanProcessor as _,
};

use super::{CallSpan, Error, Export, TransitionSpan};

/// The most spans that wait for the receiver.
const QUEUE_MAX: usize = 16_384;
/// How long a span waits for others that are sent with it.
const DELAY_MAX: Duration = Duration::from_secs(1);
/// How long the end of the process waits for the receiver.
const STOP_MAX: Duration = Duration::from_secs(5);
const PATH: &str = "/v1/traces";
/// Standard variables that name a receiver when the configuration does not.
const VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Records transitions and calls; a copy records to the same place.
#[derive(Debug, Clone, Default)]
pub struct Tracer {
    export: Option<Arc<Exporting>>,
}

#[derive(Debug)]
struct Exporting {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    counts: Arc<Counts>,
    queue_max: usize,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

impl Tracer {
    /// Records nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Exports to the receiver that the settings name, else to that of the standard `OTEL_…`
    /// variables; with neither, records nothing.
    ///
    /// # Errors
    /// When the receiver cannot be spoken to at all. One that does not answer is no error: what
    /// is recorded meanwhile is dropped.
    pub fn start(export: &Export) -> Result<Self, Error> {
        let named = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let mut builder = opentelemetry_otlp::SpanExporter::builder().with_http();
        match &export.endpoint {
            None if !VARIABLES.iter().any(named) => return Ok(Self::off()),
            None => {}
            Some(endpoint) if endpoint.starts_with("https:") => {
                return Err(Error::Encrypted(endpoint.clone()));
            }
            Some(endpoint) => {
                let base = endpoint.trim_end_matches('/');
                let whole =
                    if base.ends_with(PATH) { base.into() } else { format!("{base}{PATH}") };
                builder = builder.with_endpoint(whole);
            }
        }
        let exporter = builder.build().map_err(|e| Error::Export(e.to_string()))?;
        Ok(Self::with_exporter(exporter, export, QUEUE_MAX, DELAY_MAX))
    }

    pub(super) fn with_exporter(
        exporter: impl SpanExporter + 'static,
        export: &Export,
        queue_max: usize,
        delay_max: Duration,
    ) -> Self {
        let counts = Arc::new(Counts::default());
        let counted = Counted { inner: exporter, counts: Arc::clone(&counts) };
        // It never drops by itself: what waits is bounded before it gets there.
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(queue_max)
            .with_scheduled_delay(delay_max)
            .build();
        let mut processor = BatchSpanProcessor::new(counted, config);
        let resource = Resource::builder()
            .with_service_name(export.service.clone())
            .with_attribute(KeyValue::new("service.instance.id", export.node.clone()))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        opentelemetry_sdk::trace::SpanProcessor::set_resource(&mut processor, &resource);
        let scope =
            InstrumentationScope::builder("segue").with_version(env!("CARGO_PKG_VERSION")).build();
        let exporting = Exporting { processor, scope, counts, queue_max };
        Self { export: Some(Arc::new(exporting)) }
    }

    /// Whether anything is recorded: if not, there is no need to make a span.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.export.is_some()
    }

    /// Records a transition, whole or not at all; never waits.
    pub fn record(&self, span: TransitionSpan) {
        self.pass(span.spans(), |scope| span.into_data(scope));
    }

    /// Records an attempt of a call; never waits.
    pub fn record_call(&self, span: CallSpan) {
        self.pass(1, |scope| span.into_data(scope));
    }

    fn pass(&self, many: usize, make: impl FnOnce(&InstrumentationScope) -> Vec<SpanData>) {
        let Some(export) = &self.export else { return };
        if export.counts.waiting.fetch_add(many, Ordering::Relaxed) + many > export.queue_max {
            export.counts.waiting.fetch_sub(many, Ordering::Relaxed);
            export.counts.dropped.fetch_add(many as u64, Ordering::Relaxed);
            return;
        }
        let spans = make(&export.scope);
        // Nobody wants to see a trace that is not sampled.
        export.counts.waiting.fetch_sub(many - spans.len(), Ordering::Relaxed);
        for span in spans {
            export.processor.on_end(span);
        }
    }

    /// How many spans were dropped because too many waited.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.export.as_ref().map_or(0, |export| export.counts.dropped.load(Ordering::Relaxed))
    }

    /// Exports what waits and ends; waits for the receiver a few seconds at most.
    pub(super) fn stop(&self) {
        let Some(export) = &self.export else { return };
        if let Err(error) = export.processor.shutdown_with_timeout(STOP_MAX) {
            tracing::warn!(%error, "telemetry.export.failed");
        }
    }
}

/// Counts what leaves the queue.
#[derive(Debug)]
struct Counted<E> {
    inner: E,
    counts: Arc<Counts>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.counts.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        self.inner.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
