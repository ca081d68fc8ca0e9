//! Serves the Kafka protocol in memory, for development and hermetic tests only.
//!
//! One broker on loopback, with transactions, fencing, classic groups, `read_committed` and
//! compaction. It replicates nothing and is not the product: that runs on Apache Kafka.
//!
//! ```text
//!  server (frames) ──▶ api (one file per kind of request) ──▶ shared (lock, waiters)
//!                                                               │
//!       cluster = topics (log, batch, sequence, compaction) + groups + transactions
//! ```
//!
//! The cluster knows neither sockets nor clocks: time is an argument, answers are values.

mod answer;
mod api;
mod batch;
mod cluster;
mod compaction;
mod fault;
mod generation;
mod group;
mod log;
mod member;
mod offsets;
mod sequence;
mod server;
mod shared;
mod topics;
mod transaction;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

pub use fault::{Api, Fault, Trouble};

use cluster::Cluster;
use fault::Faults;
use shared::{Creation, Shared};

/// Threads that serve connections.
const THREADS: usize = 2;

/// How a development broker is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on loopback; 0 takes any that is free.
    pub port: u16,
    /// Whether a topic that someone asks for comes into being.
    pub auto_create: bool,
    /// How many partitions a topic gets when nobody says.
    pub partitions_default: u32,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, auto_create: false, partitions_default: 1, faults: Vec::new() }
    }
}

/// Why a development broker did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the port, or it is not allowed: choose another or 0.
    #[error("the development broker cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no threads: look at its limits.
    #[error("the development broker cannot start its threads: {0}")]
    Threads(io::Error),
}

/// A running broker, for development only; it stops when dropped.
#[derive(Debug)]
pub struct DevBroker {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    runtime: Option<Runtime>,
}

impl DevBroker {
    /// Starts a broker on its own threads; it accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// When the port is taken or the threads are refused.
    pub fn start(options: Options) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("devbroker")
            .enable_all()
            .build()
            .map_err(Error::Threads)?;
        let port = options.port;
        let listen = |source| Error::Listen { port, source };
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = runtime.block_on(TcpListener::bind(wanted)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let creation = Creation {
            automatic: options.auto_create,
            partitions: i32::try_from(options.partitions_default).unwrap_or(1).max(1),
        };
        let faults = Faults::new(options.faults);
        let shared = Arc::new(Shared::new(address.port(), creation, faults, Cluster::default()));
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(server::serve(listener, Arc::clone(&shared), stopped));
        tracing::info!(%address, "devbroker.started for development only");
        Ok(Self { address, shared, stop, runtime: Some(runtime) })
    }

    /// The address for `bootstrap.servers`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many of the faults that were ordered have happened.
    #[must_use]
    pub fn faults_fired(&self) -> usize {
        self.shared.faults.fired()
    }

    /// Closes every connection and forgets what was in memory.
    pub fn stop(self) {}
}

impl Drop for DevBroker {
    fn drop(&mut self) {
        // Nobody listens any more if the server has already ended.
        let _ = self.stop.send(true);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
