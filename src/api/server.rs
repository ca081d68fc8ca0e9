use std::fmt;
use std::io;
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::tls::TlsListener;

/// Requests that look something up, at once; others wait.
const LOOKUPS_MAX: usize = 32;
/// How long answers under way may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(3);

/// A listening API on a thread of its own.
pub(super) struct Server {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what is routed until it is stopped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        router: Router,
        stop: watch::Sender<bool>,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(LOOKUPS_MAX)
            .thread_name("api")
            .enable_all()
            .build()?;
        let stopped = stop.subscribe();
        let serve = move || {
            if let Err(error) = runtime.block_on(serve(listener, tls, router, stopped)) {
                tracing::error!(%error, "api.ended");
            }
            runtime.shutdown_timeout(GRACE);
        };
        let thread = thread::Builder::new().name("api-server".to_owned()).spawn(serve)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever waits is answered at once, then the listener is closed.
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if ended.is_err() {
                tracing::error!("api.panicked: this is a defect of segue");
            }
        }
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    match tls {
        None => answer(listener, router, stopped).await,
        Some(tls) => answer(TlsListener::new(listener, tls)?, router, stopped).await,
    }
}

async fn answer<L: Listener<Addr: fmt::Debug>>(
    listener: L,
    router: Router,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let late = wait_for(stopped.clone());
    let serving = axum::serve(listener, router).with_graceful_shutdown(wait_for(stopped));
    tokio::select! {
        ended = serving => ended,
        () = async { late.await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}

/// Waits until the server is asked to stop.
pub(super) async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // A sender that has gone asks for the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
