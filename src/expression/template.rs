use serde_json::Value;

use super::{Error, Expression, ParseError, Reference, Scope};

/// YAML in which `${ cel }` is evaluated and all else is literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A value as it stands.
    Literal(Value),
    /// A string that is only `${ cel }`: it keeps the value's type.
    Whole(Expression),
    /// A string with expressions in it.
    Text(Vec<Piece>),
    /// A list of templates.
    List(Vec<Template>),
    /// An object; its keys are literal.
    Object(Vec<(String, Template)>),
}

/// A piece of a text template.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text as it stands.
    Literal(String),
    /// An expression whose value is written as text.
    Hole(Expression),
}

impl Template {
    /// Parses one scalar string of a template.
    ///
    /// # Errors
    /// When a `${` has no `}`, or what stands between does not parse.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            Some(inside) => Ok(Self::Whole(Expression::parse(inside)?)),
            None => Ok(Self::Literal(Value::String(text.to_owned()))),
        }
    }

    /// Its value in a scope.
    ///
    /// # Errors
    /// When one of its expressions has none.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Whole(expression) => expression.evaluate(scope)?,
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Literal(literal) => text.push_str(literal),
                        Piece::Hole(expression) => text.push_str(&expression.text(scope)?),
                    }
                }
                Value::String(text)
            }
            Self::List(items) => {
                Value::Array(items.iter().map(|i| i.render(scope)).collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| Ok((name.clone(), field.render(scope)?)))
                    .collect::<Result<_, Error>>()?,
            ),
        })
    }

    /// Its value as text, for headers and reasons.
    ///
    /// # Errors
    /// When one of its expressions has none.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, Error> {
        Ok(match self.render(scope)? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// What its expressions read.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Whole(expression) => expression.references(),
            Self::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Hole(expression) => Some(expression.references()),
                    Piece::Literal(_) => None,
                })
                .flatten()
                .collect(),
            Self::List(items) => items.iter().flat_map(Self::references).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, f)| f.references()).collect(),
        }
    }
}
