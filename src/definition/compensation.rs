use super::call::CallRequest;
use super::fact::{Assignment, Fact};
use super::request::Request;

/// How a step is undone.
#[derive(Debug, Clone, PartialEq)]
pub enum Compensation {
    /// Nothing was said: right only from the pivot on.
    Unsaid,
    /// `none`: there is nothing to undo.
    Nothing,
    /// By a request; `set` is what its success writes into the data.
    Command {
        /// The request.
        request: Request,
        /// What its success writes into the data.
        set: Vec<Assignment>,
    },
    /// By the correcting fact.
    Emit(Fact),
    /// By a call; `set` is what its success writes into the data.
    Call {
        /// The call.
        request: CallRequest,
        /// What its success writes into the data.
        set: Vec<Assignment>,
    },
    /// The child takes itself back.
    Child,
}
