use crate::expression::{Expression, Template};
use crate::message::Address;

/// One field of the data and the expression that fills it.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The field's name, behind `data.`.
    pub field: String,
    /// Its value.
    pub value: Expression,
}

/// A fact told to the world.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Where to and of what type.
    pub to: Address,
    /// The record's key; without it the instance's key.
    pub key: Option<Expression>,
    /// The body; none means `{}`.
    pub with: Option<Template>,
    /// More headers.
    pub headers: Vec<(String, Template)>,
}
