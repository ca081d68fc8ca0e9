//! Exports traces and logs.

mod settings;

pub use settings::{Export, Format, Level, Log};
