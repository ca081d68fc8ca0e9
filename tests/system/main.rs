//! The whole system: the engine as a process of its own among simulated services, checked by the
//! books. Against the development broker always, against a real Kafka when asked.
#![cfg(feature = "server")]
#![allow(clippy::disallowed_methods, reason = "processes are waited for by a clock")]

mod bad_input;
mod books;
mod callees;
mod cancels;
mod cast;
mod deploy;
mod engine;
mod foreign;
mod forgotten;
mod kills;
mod language;
mod locks;
mod outages;
mod refusals;
mod secure;
mod seen;
#[path = "../shipped/mod.rs"]
mod shipped;
mod sources;
mod two_nodes;
mod versions;
mod watch;
mod world;
