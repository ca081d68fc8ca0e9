//! Serves the Kafka protocol in memory, for development and hermetic tests only.
//!
//! One broker on loopback, with transactions, fencing, classic groups, `read_committed` and
//! compaction. It replicates nothing and is not the product: that runs on Apache Kafka.
//!
//! ```text
//!  server (frames) ──▶ api (one file per kind of request) ──▶ shared (lock, waiters) ──▶ journal
//!                                                               │                      (frame)
//!       cluster = topics (log, batch, sequence, compaction) + groups + transactions
//!          │ ▲
//!   change ▼ │ restore
//! ```
//!
//! The cluster knows neither sockets nor clocks nor files: time is an argument, answers and
//! changes are values. With a folder for its data, the changes of each request go to a journal
//! there before the request is answered, and a restart restores topics, records, committed
//! offsets, producers and transactions, also after a kill. The members of groups join again.
//! Nothing is forced to the disk: a machine that loses power may lose the last seconds.

mod answer;
mod api;
mod batch;
mod change;
mod cluster;
mod compaction;
mod error;
mod fault;
mod frame;
mod generation;
mod group;
mod journal;
mod log;
mod member;
mod offsets;
mod restore;
mod sequence;
mod server;
mod shared;
mod stored;
mod topics;
mod transaction;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

pub use error::Error;
pub use fault::{Api, Fault, Trouble};

use cluster::Cluster;
use fault::Faults;
use journal::Journal;
use shared::{Creation, Shared, now_ms};

/// Threads that serve connections.
const THREADS: usize = 2;
/// How long a stop waits for the connections to close.
const STOP_WAIT: Duration = Duration::from_secs(2);

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
    /// The folder that outlives a restart; without one, all is forgotten. Nothing is forced to
    /// the disk: a killed process loses nothing that it answered, a power failure may.
    pub data: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        let faults = Vec::new();
        Self { port: 0, auto_create: false, partitions_default: 1, faults, data: None }
    }
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
    /// When the port is taken, the threads are refused, or the data cannot be restored.
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
        let (journal, cluster) = match &options.data {
            None => (None, Cluster::default()),
            Some(folder) => {
                let (journal, cluster) = Journal::open(folder, now_ms())?;
                (Some(journal), cluster)
            }
        };
        let shared = Shared::new(address.port(), creation, faults, cluster, journal);
        let shared = Arc::new(shared);
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

    /// Closes every connection, waits until the port is free, and forgets what was in memory.
    ///
    /// # Panics
    ///
    /// When it is called from an asynchronous task, which must not wait: drop the broker there.
    pub fn stop(mut self) {
        self.close();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(STOP_WAIT);
        }
    }

    fn close(&self) {
        // Nobody listens any more if the server has already ended.
        let _ = self.stop.send(true);
        self.shared.close();
    }
}

impl Drop for DevBroker {
    fn drop(&mut self) {
        self.close();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
