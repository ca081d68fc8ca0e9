//! Parses a saga's YAML into a definition that cannot be wrong, or says where and how to mend it.
//!
#![doc = include_str!("DETAILS.md")]
#![doc = ""]
#![doc = include_str!("DIAGNOSTICS.md")]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod call;
mod catalog;
mod composite;
mod diagnostic;
mod facets;
mod limits;
mod mapped;
mod model;
mod node;
mod parse;
mod places;
mod rules;
mod step;
mod waiting;

pub use call::{CallDone, CallFailed, CallRequest, CallStep, Method, Scheme};
pub use catalog::{Catalog, CatalogError};
pub use composite::{Arm, ChooseStep, EachStep, Join, LockStep, OnFailed, ParallelStep, Release};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use facets::{
    Answer, Answers, Around, Attempted, Composite, EventSource, Instant, Meaning, Nature, Outcome,
    PlacedExpression, Reply, Sent, Waiting,
};
pub use limits::Limits;
pub(crate) use limits::bytes;
pub use mapped::Role;
pub use model::{
    After, Again, Assignment, Assumption, Cancel, Correlation, Definition, Ends, EventPattern,
    EventRule, Fact, Never, Start,
};
pub(crate) use node::{Content, Node};
pub use parse::{FILE_BYTES_MAX, STEPS_MAX, check, parse};
pub(crate) use parse::{Fields, Reader, read_file};
pub use rules::check_together;
pub use step::{
    Block, BlockId, Budget, CommandStep, Compensation, Done, EmitStep, Failed, Probe, Request,
    Retry, Step, StepId, StepKind, Then, Unknown,
};
pub use waiting::{AskStep, Choice, Late, Remind, SagaStep, Sleep, Verdict, WaitStep};

#[cfg(test)]
mod tests;
