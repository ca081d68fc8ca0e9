//! Parses a saga's YAML into a definition that cannot be wrong, or says where and how to mend it.

mod catalog;
mod model;
mod step;

pub use catalog::{Catalog, CatalogError};
pub use model::{
    After, Again, Assignment, Cancel, Correlation, Definition, Ends, EventPattern, EventRule, Fact,
    Start,
};
pub use step::{
    Budget, CommandStep, Compensation, Done, EmitStep, Failed, Request, Retry, Step, StepId,
    StepKind, Then, Unknown,
};
