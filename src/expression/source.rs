use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

use super::compiled::{self, Compiled};
use super::path::{Path, PathStep};
use super::sum::{self, Sum};
use super::walk;
use super::{Error, Name, ParseError, Scope};

/// One expression of a definition, parsed once and evaluated often.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    form: Form,
    references: Vec<Reference>,
    sums: Vec<Sum>,
}

/// How an expression is evaluated.
#[derive(Debug, Clone)]
enum Form {
    /// A look-up, without CEL.
    Path(Path),
    /// `a ? b : c`, whose branches may be look-ups.
    Choice(Arc<(Form, Form, Form)>),
    /// CEL.
    Compiled(Arc<Compiled>),
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
    /// The longest expression, in bytes.
    pub const BYTES_MAX: usize = 2048;

    /// Parses an expression.
    ///
    /// # Errors
    /// When it is not CEL, reads a name that does not exist, or exceeds a limit.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        let text = source.trim();
        let offset = source.len() - source.trim_start().len();
        if text.is_empty() {
            return Err(ParseError { message: "there is no expression".to_owned(), at: Some(0) });
        }
        if text.len() > Self::BYTES_MAX {
            let message = format!("it is longer than {} bytes", Self::BYTES_MAX);
            return Err(ParseError { message, at: Some(offset) });
        }
        if let Some(path) = Path::plain(text) {
            let references =
                vec![Reference { name: path.root, fields: path.fields(), tested: false }];
            let form = Form::Path(path);
            return Ok(Self { source: text.to_owned(), form, references, sums: Vec::new() });
        }
        let parsed = compiled::parse(text)
            .map_err(|e| ParseError { at: e.at.map(|at| at + offset), ..e })?;
        let sums = sum::of(&parsed.tree);
        let form = Form::of(parsed.tree);
        Ok(Self { source: text.to_owned(), form, references: parsed.references, sums })
    }

    /// The text as the author wrote it, without the space around it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads, without repetition.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        self.references.clone()
    }

    /// Its arithmetic operations.
    #[must_use]
    pub fn sums(&self) -> &[Sum] {
        &self.sums
    }

    /// Its value in a scope.
    ///
    /// # Errors
    /// When a path leads nowhere or CEL refuses.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        self.value(scope).map(Cow::into_owned)
    }

    /// Its value as a condition.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when the value is neither true nor false.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Error> {
        let value = self.value(scope)?;
        value.as_bool().ok_or_else(|| self.kind(&value, "true or false"))
    }

    /// Its value as a key or a record key: text as it is, numbers and booleans as JSON writes them.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when the value is null, a list or an object.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, Error> {
        let value = self.value(scope)?;
        match value.as_ref() {
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(self.kind(&value, "text, a number or true or false"))
            }
        }
    }

    fn value<'a>(&self, scope: &Scope<'a>) -> Result<Cow<'a, Value>, Error> {
        self.form.value(&self.source, scope)
    }

    fn kind(&self, value: &Value, wanted: &'static str) -> Error {
        Error::Kind { source_text: self.source.clone(), found: kind(value), wanted }
    }
}

impl Form {
    /// Keeps look-ups away from CEL, so that their numbers stay the same text.
    fn of(tree: IdedExpr) -> Self {
        if let Some(path) = path(&tree) {
            return Self::Path(path);
        }
        match tree.expr {
            Expr::Call(mut call) if is_choice(&call.func_name, &call.args) => {
                let mut parts = call.args.drain(..).map(Self::of);
                let mut part = || parts.next().expect("a choice has three parts");
                Self::Choice(Arc::new((part(), part(), part())))
            }
            expr => {
                let tree = IdedExpr { id: tree.id, expr };
                let references = walk::references(&tree);
                Self::Compiled(Arc::new(Compiled::new(tree, references)))
            }
        }
    }

    fn value<'a>(&self, source: &str, scope: &Scope<'a>) -> Result<Cow<'a, Value>, Error> {
        match self {
            Self::Path(path) => path.look_up(scope),
            Self::Compiled(compiled) => compiled.evaluate(source, scope).map(Cow::Owned),
            Self::Choice(choice) => {
                let (condition, yes, no) = choice.as_ref();
                let value = condition.value(source, scope)?;
                match value.as_bool() {
                    Some(true) => yes.value(source, scope),
                    Some(false) => no.value(source, scope),
                    None => Err(Error::Failed {
                        source_text: source.to_owned(),
                        reason: format!("what stands before `?` is {}", kind(&value)),
                    }),
                }
            }
        }
    }
}

fn is_choice(function: &str, arguments: &[IdedExpr]) -> bool {
    function == operators::CONDITIONAL && arguments.len() == 3
}

/// The look-up that a tree spells, if it is one.
fn path(tree: &IdedExpr) -> Option<Path> {
    let path = match &tree.expr {
        Expr::Ident(name) => Path { root: Name::of(name)?, steps: Vec::new() },
        Expr::Select(select) if !select.test => {
            let mut path = path(&select.operand)?;
            path.steps.push(PathStep::Field(select.field.clone()));
            path
        }
        Expr::Call(call) if call.func_name == operators::INDEX && call.args.len() == 2 => {
            let mut path = path(&call.args[0])?;
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

/// What a person would call a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
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
