//! Evaluates CEL expressions, plain paths and templates over JSON values.
//!
//! A plain path such as `event.order_id` (the great majority) is a direct look-up; everything
//! else is parsed as CEL and computed here, for CEL's own numbers are whole or binary. Ours are
//! decimals of 28 digits, exact; they keep their text, `1E400` too, as long as nothing computes
//! with them.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod compiled;
mod computed;
mod condition;
mod decimal;
mod demand;
mod element;
mod evaluate;
mod function;
mod judge;
mod kinds;
mod literal;
mod logic;
mod misfit;
mod moment;
mod node;
mod number;
mod operate;
mod path;
mod places;
mod print;
mod reference;
mod scope;
mod signature;
mod source;
mod template;
mod usage;
mod walk;
mod ways;
mod words;

#[cfg(test)]
mod tests;

pub use condition::{Comparison, Condition, Question, Relation};
pub use demand::{Demand, Measured, Test};
pub use element::Element;
pub use judge::Judge;
pub use kinds::Kinds;
pub use misfit::{KindsOf, Misfit};
pub use number::Number;
pub use reference::Reference;
pub use scope::{Name, Scope};
pub use source::Expression;
pub use template::{Piece, Template};
pub use usage::{Beside, Usage, Use};

/// Why an expression or a template does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, in words.
    pub message: String,
    /// Where in the expression's text, in bytes, if that is known.
    pub at: Option<usize>,
}

/// Why an expression or a template has no value here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A path leads nowhere.
    #[error("`{0}` is missing")]
    Missing(String),
    /// CEL refused, such as a comparison of text with a number.
    #[error("`{source_text}`: {reason}")]
    Failed {
        /// The expression.
        source_text: String,
        /// What CEL says.
        reason: String,
    },
    /// The value is of another kind than the place needs.
    #[error("`{source_text}` is {found}, not {wanted}")]
    Kind {
        /// The expression.
        source_text: String,
        /// What it is.
        found: &'static str,
        /// What was needed.
        wanted: &'static str,
    },
}
