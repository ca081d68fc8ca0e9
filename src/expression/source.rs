use std::fmt;

use serde_json::Value;

use super::{Error, Name, ParseError, Scope};

/// One expression of a definition, parsed once and evaluated often.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    root: Name,
    fields: Vec<String>,
}

/// A path that an expression reads, such as `data.order.total`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The name it starts from.
    pub name: Name,
    /// The fields behind it, as far as they are written out.
    pub fields: Vec<String>,
    /// Whether it is only asked for by `has(…)`.
    pub tested: bool,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// When it is not CEL, reads a name that does not exist, or exceeds a limit.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        let mut parts = source.trim().split('.');
        let root = parts.next().and_then(Name::of).ok_or_else(|| ParseError {
            message: format!("`{source}` does not start with a name that exists"),
            at: Some(0),
        })?;
        let fields = parts.map(str::to_owned).collect();
        Ok(Self { source: source.to_owned(), root, fields })
    }

    /// The text as the author wrote it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads, without repetition.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        vec![Reference { name: self.root, fields: self.fields.clone(), tested: false }]
    }

    /// Its value in a scope.
    ///
    /// # Errors
    /// When a path leads nowhere or CEL refuses.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        let missing = || Error::Missing(self.source.clone());
        let mut value = scope.value(self.root).ok_or_else(missing)?;
        for field in &self.fields {
            value = value.get(field).ok_or_else(missing)?;
        }
        Ok(value.clone())
    }

    /// Its value as a condition.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when the value is neither true nor false.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Error> {
        self.evaluate(scope)?.as_bool().ok_or_else(|| Error::Kind {
            source_text: self.source.clone(),
            found: "something else",
            wanted: "true or false",
        })
    }

    /// Its value as a key or a record key: text as it is, numbers and booleans as JSON writes them.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when the value is null, a list or an object.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, Error> {
        match self.evaluate(scope)? {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
