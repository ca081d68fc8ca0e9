//! Parses a saga's YAML into a definition that cannot be wrong, or says where and how to mend it.
//!
#![doc = include_str!("DETAILS.md")]
#![doc = ""]
#![doc = include_str!("DIAGNOSTICS.md")]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod block;
mod call;
mod catalog;
mod compensation;
mod composite;
mod diagnostic;
mod discreet;
mod facets;
mod fact;
mod finding;
mod limits;
mod mapped;
mod meaning;
mod model;
mod node;
mod parse;
mod places;
mod request;
mod rules;
mod secrets;
mod starts;
mod step;
mod verdict;
mod waiting;

pub use action::{CallStep, CommandStep, EmitStep};
pub use block::{Block, BlockId, StepId};
pub use call::{CallDone, CallFailed, CallRequest, Method, Scheme};
pub use catalog::{Catalog, CatalogError};
pub use compensation::Compensation;
pub use composite::{Arm, ChooseStep, EachStep, Join, LockStep, OnFailed, ParallelStep, Release};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use facets::{
    Answer, Answers, Around, Attempted, Composite, EventKind, Instant, Meaning, Nature, Outcome,
    PlacedExpression, Reply, Sent, Waiting,
};
pub use fact::{Assignment, Fact};
pub use limits::Limits;
pub(crate) use limits::bytes;
pub use mapped::Role;
pub use meaning::Difference;
pub use model::{
    After, Again, Assumption, Cancel, Correlation, Definition, Ends, EventPattern, EventRule,
    Never, Start,
};
pub(crate) use node::{Content, Node};
pub use parse::{
    FILE_BYTES_MAX, STEPS_MAX, check, check_whole, parse, parse_stored, saga_of, text_of,
};
pub(crate) use parse::{Fields, Reader, read_file};
pub use request::{Budget, Done, Failed, Probe, Request, Retry};
pub use rules::{check_beside, check_together};
pub use secrets::Secrets;
pub use starts::{Starting, Starts, StartsWord, State};
pub use step::{Step, StepKind};
pub use verdict::{Then, Unknown, Verdict};
pub use waiting::{AskStep, Choice, Late, Remind, SagaStep, Sleep, WaitStep};

#[cfg(test)]
mod tests;
