//! Keeps the stored bytes: protobuf messages of the engine's own topics, with version and checksum.

mod act;
mod called;
pub mod changelog;
mod event;
mod inbox;
mod instance;
mod letter;
mod lock;
mod note;
mod note_parts;
mod paused;
mod starts;
mod step;
mod value;
#[allow(missing_docs, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
#[path = "generated.rs"]
pub mod wire;

pub use value::{Error, open, seal};
