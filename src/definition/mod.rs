//! Parses a saga's YAML into a definition that cannot be wrong, or says where and how to mend it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod catalog;
mod diagnostic;
mod model;
mod node;
mod parse;
mod step;

pub use catalog::{Catalog, CatalogError};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use model::{
    After, Again, Assignment, Cancel, Correlation, Definition, Ends, EventPattern, EventRule, Fact,
    Start,
};
pub(crate) use node::{Content, Node};
pub use parse::{FILE_BYTES_MAX, STEPS_MAX, check, parse};
pub(crate) use parse::{Fields, Reader, read_file};
pub use step::{
    Budget, CommandStep, Compensation, Done, EmitStep, Failed, Request, Retry, Step, StepId,
    StepKind, Then, Unknown,
};

#[cfg(test)]
mod tests;
