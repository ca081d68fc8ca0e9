//! Keeps the stored bytes: protobuf messages of the engine's own topics, with version and checksum.

mod event;
#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod generated;
mod instance;
mod value;

pub use generated as wire;
pub use value::{Error, open, seal};
