//! Lets people and programs look at sagas and act on them, over HTTP.
//!
//! ```text
//!   request ──▶ guard: rule, origin, token, rate, role ──▶ handler ──▶ View (looked up)
//!                 │                                          └───────▶ Outbox ──▶ <app>.operator,
//!                 └──▶ problem (RFC 9457)             <app>.dead-letters, users' topics
//! ```
//!
//! It has no state of its own but who reads along and which act on many instances it writes, and
//! touches nothing of the engine: what it shows it asks the view, and what people do it writes to
//! Kafka, where the engine reads it; a word about a saga's starts stands in `<app>.definitions`,
//! where the nodes find it. Each endpoint is described by
//! its handler (`/openapi.json`), and who may ask for it stands in one table (`rules.rs`).
//!
//! Without `api.auth` it listens on loopback alone, and whoever reaches it may do everything:
//! their acts are by `local`, or by `local/ana` if the header `Segue-By` says `ana`. With tokens an
//! act is by the owner of the token, whatever the request says.

mod acts;
mod bulk;
mod clearing;
mod client;
mod dead_letters;
mod disposals;
mod drawing;
mod flow;
mod guard;
mod health;
mod instances;
mod issuer;
mod jwt;
mod lists;
mod live;
mod outbox;
mod owners;
mod pages;
mod pauses;
mod peer;
mod problem;
mod rates;
mod request;
mod resent;
mod role;
mod router;
mod rules;
mod runs;
mod sagas;
mod server;
mod service;
mod session;
mod sessions;
mod sql;
mod start;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod token;

pub(crate) use acts::{Written, act};
pub(crate) use bulk::{
    BulkShown, BulkWhole, begin as act_on_many, list as bulks, show as bulk, stop as stop_bulk,
};
pub(crate) use clearing::clear as clear_many;
pub(crate) use client::escaped;
pub use client::{Client, Endpoint, NoAnswer, ProblemTold};
pub(crate) use dead_letters::Leafing;
pub(crate) use guard::{Door, WaysIn};
pub(crate) use instances::{Listing, Showing, filter, limit, masks, sort};
pub(crate) use owners::Who;
pub use pages::Pages;
pub(crate) use problem::{Code, Problem};
pub use request::draw;
pub(crate) use request::{Asked, At, Body, Tested, instance, saga_name};
pub use role::Role;
#[cfg(test)]
pub(crate) use rules::PAGES;
pub(crate) use service::{Answer, Service};
pub(crate) use session::{log_in, log_out, shown as session};
pub use token::Token;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::broker::Connection;
use crate::config::Config;
use crate::message::EngineTopics;
use crate::node::{self, ActKeys, MachineClock};
use crate::runtime::SourceRecord;
use crate::view::{self, View};

use issuer::Issuer;
use live::Readers;
use outbox::{KafkaOutbox, Signer};
use owners::Owners;
use rates::Rates;
use runs::Runs;
use server::Server;
use sessions::Sessions;

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be had: somebody else listens there, or it is not this machine's.
    #[error("`api.listen`: {address} cannot be had: {reason}; say another, or none by ''")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file of tokens cannot be used: mend the line that is named.
    #[error("`api.auth.tokens`: {0}")]
    Tokens(String),
    /// The issuer's tokens cannot be held against anything.
    #[error("`api.auth.oidc`: {0}")]
    Issuer(String),
    /// The certificate or its key cannot be used.
    #[error("`api.tls`: {0}")]
    Tls(String),
    /// The keys that acts are signed with cannot be used.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// The view cannot be had.
    #[error(transparent)]
    View(#[from] view::Error),
    /// The system gives no thread.
    #[error("the system gives no thread: {0}")]
    System(#[from] std::io::Error),
}

/// A view and the API over it, until it is dropped.
pub struct Serving {
    /// Where it answers.
    address: SocketAddr,
    is_secure: bool,
    /// Dropped before the view ends, which its answers come from.
    server: Option<Server>,
    /// Acts on many instances, each of which tells that it was stopped.
    runs: Runs,
    stop: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
}

/// How long those may take for it: longer than Kafka may to acknowledge.
const RUNS_END_MAX: Duration = Duration::from_secs(15);

impl Serving {
    /// Begins to follow the topics of an application and to answer, with pages beside the API;
    /// without an address there is nothing to do.
    ///
    /// # Errors
    /// When the address, the tokens, the view or a thread cannot be had.
    pub fn start(config: &Config, pages: Pages) -> Result<Option<Self>, Error> {
        Self::beside(config, pages, None)
    }

    /// The same in the process of an engine: it is ready when the shards of that are restored.
    ///
    /// # Errors
    /// When the address, the tokens, the view or a thread cannot be had.
    pub fn beside(
        config: &Config,
        pages: Pages,
        health: Option<node::Health>,
    ) -> Result<Option<Self>, Error> {
        let Some(address) = config.api.listen else { return Ok(None) };
        let owners = config.api.tokens.as_deref().map(Owners::open).transpose();
        let issuer = config.api.oidc.clone().map(Issuer::new).transpose();
        let door = Door {
            owners: owners.map_err(Error::Tokens)?,
            issuer: issuer.map_err(Error::Issuer)?,
            sessions: Sessions::default(),
            is_secure: config.api.tls.is_some(),
            rates: Rates::new(config.api.requests_max),
            begun: guard::now(),
        };
        let tls = config.api.tls.as_ref().map(tls::acceptor).transpose().map_err(Error::Tls)?;
        let is_secure = tls.is_some();
        let signer = Signer {
            operator: EngineTopics::new(config.app.as_str()).map_err(node::Error::Name)?.operator,
            keys: ActKeys::of(config)?,
            clock: MachineClock::default(),
        };
        let listener = TcpListener::bind(address);
        let listener = listener.map_err(|reason| Error::Listen { address, reason })?;
        let connection = node::connection(config);
        let settings = settings(config, connection.clone())?;
        let stop = Arc::new(AtomicBool::new(false));
        let (view, follower) = View::start(&settings, Arc::clone(&stop))?;
        let (stopping, stopped) = watch::channel(false);
        let service = Service {
            app: config.app.to_string(),
            view,
            outbox: Arc::new(KafkaOutbox::new(
                connection.clone(),
                format!("{}.api", config.app),
                signer,
            )),
            readers: Readers::default(),
            stopped,
            connection: connection.clone(),
            health,
            runs: Runs::default(),
        };
        let runs = service.runs.clone();
        let address = listener.local_addr()?;
        let follower = Some(follower);
        let mut serving = Self { address, is_secure, server: None, runs, stop, follower };
        let router = (pages.dress)(router::router(service, door, (pages.routes)()));
        serving.server = Some(Server::start(listener, tls, router, stopping)?);
        Ok(Some(serving))
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as people write it, such as `https://0.0.0.0:8900`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// What the view is told: of acts it takes those that the gateways take.
fn settings(config: &Config, connection: Connection) -> Result<view::Settings, Error> {
    let mut settings = view::Settings::of(config, connection);
    if let Some(keys) = ActKeys::of(config)? {
        // An act is as old as it was when a gateway read it.
        let verify = move |record: &SourceRecord| keys.verify(record, record.timestamp).map(drop);
        settings.signatures = view::Signatures::verified(verify);
    }
    Ok(settings)
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.server.take());
        if !self.runs.wait(RUNS_END_MAX) {
            tracing::error!("bulk.end_untold: its page says that it is unended");
        }
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.follower.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            tracing::error!("view.panicked: this is a defect of segue");
        }
    }
}
