//! Keeps the stored bytes: protobuf messages of the engine's own topics, with version and checksum.

mod act;
mod called;
mod event;
mod instance;
mod letter;
mod lock;
mod step;
mod value;
mod wake;
#[allow(missing_docs, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
#[path = "generated.rs"]
pub mod wire;

pub use value::{Error, open, seal};
