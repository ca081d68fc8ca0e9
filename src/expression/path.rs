use std::borrow::Cow;
use std::fmt;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

use super::{Error, Name, Reference, Scope};

/// A look-up that never touches CEL, such as `event.lines[0].sku`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub root: Name,
    pub steps: Vec<PathStep>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathStep {
    /// Into an object.
    Field(String),
    /// Into a list, counted from 0.
    Index(usize),
}

impl Path {
    /// Reads a path without brackets; anything else is left to CEL.
    pub fn plain(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let root = Name::of(parts.next()?)?;
        let steps = parts.map(|part| is_name(part).then(|| PathStep::Field(part.to_owned())));
        let steps: Vec<PathStep> = steps.collect::<Option<_>>()?;
        // The time is no JSON object: its members are CEL functions.
        (root != Name::Now || steps.is_empty()).then_some(Self { root, steps })
    }

    /// The look-up that a tree spells, if it is one.
    pub fn of(tree: &IdedExpr) -> Option<Self> {
        let path = match &tree.expr {
            Expr::Ident(name) => Self { root: Name::of(name)?, steps: Vec::new() },
            Expr::Select(select) if !select.test => {
                let mut path = Self::of(&select.operand)?;
                path.steps.push(PathStep::Field(select.field.clone()));
                path
            }
            Expr::Call(call) if call.func_name == operators::INDEX && call.args.len() == 2 => {
                let mut path = Self::of(&call.args[0])?;
                path.steps.push(match &call.args[1].expr {
                    Expr::Literal(LiteralValue::Int(index)) => {
                        PathStep::Index(usize::try_from(*index.inner()).ok()?)
                    }
                    Expr::Literal(LiteralValue::String(field)) => {
                        PathStep::Field(field.inner().to_owned())
                    }
                    _ => return None,
                });
                path
            }
            _ => return None,
        };
        (path.root != Name::Now || path.steps.is_empty()).then_some(path)
    }

    /// The path as what is read, if it leads through fields alone.
    pub fn reference(&self) -> Option<Reference> {
        let fields = self.fields();
        (fields.len() == self.steps.len()).then(|| Reference::plain(self.root, fields))
    }

    /// The value that it leads to; numbers are the same text as in the message.
    ///
    /// # Errors
    /// When it leads nowhere, with the path as far as the first thing that is missing.
    pub fn look_up<'a>(&self, scope: &Scope<'a>) -> Result<Cow<'a, Value>, Error> {
        if self.root == Name::Now {
            return Ok(Cow::Owned(Value::String(scope.now().to_string())));
        }
        let mut value = scope.value(self.root).ok_or_else(|| self.missing(0))?;
        for (place, step) in self.steps.iter().enumerate() {
            let inner = match step {
                PathStep::Field(field) => value.get(field),
                PathStep::Index(index) => value.get(index),
            };
            value = inner.ok_or_else(|| self.missing(place + 1))?;
        }
        Ok(Cow::Borrowed(value))
    }

    /// The fields in front of the first index.
    pub fn fields(&self) -> Vec<String> {
        let fields = self.steps.iter().map_while(|step| match step {
            PathStep::Field(field) => Some(field.clone()),
            PathStep::Index(_) => None,
        });
        fields.collect()
    }

    fn missing(&self, length: usize) -> Error {
        let steps = self.steps[..length].to_vec();
        Error::Missing(Self { root: self.root, steps }.to_string())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root.text())?;
        self.steps.iter().try_for_each(|step| match step {
            PathStep::Field(field) => write!(f, ".{field}"),
            PathStep::Index(index) => write!(f, "[{index}]"),
        })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
