//! Makes the requests of `call` steps over HTTP, to hosts that the operator allows and nobody else.
//!
//! ```text
//!   a new call ─▶ allowed? ─▶ place of the host ─▶ place of all ─▶ circuit ─▶ connector ─▶ answer
//!                    │ no        │ too many wait                     │ open    │ name → addresses
//!                    ▼           ▼                                   ▼         │ → checked
//!  finished ◀──── Failed, with words that say what to do ◀───────────┴─────────┘ → connected
//! ```
//!
//! What is allowed is decided twice: the host's name before anything is done, and each address that
//! the name stands for where it is connected to, so that an answer of DNS that changes in between
//! gains nothing. HTTP/1.1 only; no proxy, no cookies, no decompression. Neither a header's value
//! nor a body is ever logged.

mod address;
mod allow;
mod answer;
mod attempt;
mod breaker;
mod connector;
mod executor;
mod failure;
mod host;
mod redirect;
mod request;
mod resolver;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod tls;

pub use allow::{Allow, HostName, Pattern};
pub use executor::{CallQueue, Executor};
pub use settings::Settings;
pub use tls::trusting;

/// Why no calls can be made at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of authorities is not what it should be: mend it or leave `calls.ca-file` out.
    #[error("calls.ca-file {file}: {reason}")]
    Authorities {
        /// Which file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up: this build is broken.
    #[error("calls over TLS cannot be set up: {0}")]
    Tls(String),
    /// The system gives no threads: raise its limits.
    #[error("calls have no threads: {0}")]
    Threads(String),
}
