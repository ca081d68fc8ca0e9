use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{Expr, IdedExpr, operators};
use serde_json::Value;

use super::compiled::{self, Compiled};
use super::logic::call;
use super::number::Number;
use super::path::Path;
use super::places::Places;
use super::usage::{self, Usage, Use};
use super::{Condition, Element, Error, Judge, Kinds, KindsOf, Misfit, ParseError, Reference};
use super::{Scope, element, misfit};

/// One expression of a definition, parsed once and evaluated often.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    form: Form,
    reading: Arc<Reading>,
}

/// What an expression says of itself, whatever its value.
#[derive(Debug)]
struct Reading {
    references: Vec<Reference>,
    condition: Condition,
    uses: Vec<Use>,
    elements: Vec<Element>,
    /// Its tree; none if it is a plain path.
    tree: Option<IdedExpr>,
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
    /// It tells no values when it cannot be computed.
    Discreet(Arc<Form>),
    /// Somebody else says what it is worth; the form that it had is kept for them.
    Judged(Arc<dyn Judge>, Arc<Form>),
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
            let reference = Reference::plain(path.root, path.fields());
            let reading = Reading {
                condition: Condition::of_path(text, &reference),
                uses: vec![Use { path: reference.clone(), usage: Usage::Alone }],
                references: vec![reference],
                elements: Vec::new(),
                tree: None,
            };
            return Ok(Self::of(text, Form::Path(path), reading));
        }
        let parsed = compiled::parse(text)
            .map_err(|e| ParseError { at: e.at.map(|at| at + offset), ..e })?;
        let reading = Reading {
            references: parsed.references,
            condition: Condition::of(&parsed.tree),
            uses: usage::of(&parsed.tree),
            elements: element::of(&parsed.tree),
            tree: Some(parsed.tree.clone()),
        };
        let form = Form::of(&parsed.tree, &Places::of_tree(text, &parsed.places))
            .map_err(|e| ParseError { at: e.at.map(|at| at + offset), ..e })?;
        Ok(Self::of(text, form, reading))
    }

    fn of(text: &str, form: Form, reading: Reading) -> Self {
        Self { source: text.to_owned(), form, reading: Arc::new(reading) }
    }

    /// The text as the author wrote it, without the space around it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads, without repetition.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        self.reading.references.clone()
    }

    /// The elements of lists that it reads by their place.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.reading.elements
    }

    /// The kinds that its value may be of, and what in it can never be computed, by the kinds of
    /// what its paths lead to.
    #[must_use]
    pub fn kinds(&self, of: &KindsOf<'_>) -> (Kinds, Vec<Misfit>) {
        match (&self.reading.tree, self.path()) {
            (Some(tree), _) => misfit::of(tree, of),
            (None, Some(path)) => misfit::of_path(path, of),
            (None, None) => (Kinds::ANY, Vec::new()),
        }
    }

    /// How many elements it has, if it is a list that is written out.
    #[must_use]
    pub fn written_elements(&self) -> Option<usize> {
        match &self.reading.tree.as_ref()?.expr {
            Expr::List(list) => Some(list.elements.len()),
            _ => None,
        }
    }

    /// What it says as a condition.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.reading.condition
    }

    /// Every path in it with what is done there with its value, in the order of the text.
    #[must_use]
    pub fn uses(&self) -> &[Use] {
        &self.reading.uses
    }

    /// The path that it is, if it is nothing but a path through fields.
    #[must_use]
    pub fn path(&self) -> Option<&Reference> {
        match &self.reading.uses[..] {
            [Use { path, usage: Usage::Alone }] => Some(path),
            _ => None,
        }
    }

    /// The same expression, but it tells no values when it cannot be computed.
    #[must_use]
    pub fn discreet(&self) -> Self {
        Self { form: Form::Discreet(Arc::new(self.form.clone())), ..self.clone() }
    }

    /// The same expression, but a judge says what it is worth wherever it is asked for.
    #[must_use]
    pub fn judged(&self, judge: Arc<dyn Judge>) -> Self {
        let form = Form::Judged(judge, Arc::new(self.form.clone()));
        Self { form, ..self.clone() }
    }

    /// The same expression without a judge.
    #[must_use]
    pub fn plain(&self) -> Self {
        match &self.form {
            Form::Judged(_, form) => Self { form: form.as_ref().clone(), ..self.clone() },
            Form::Path(_) | Form::Choice(_) | Form::Compiled(_) | Form::Discreet(_) => self.clone(),
        }
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
        if let Form::Judged(judge, _) = &self.form {
            return judge.holds(self, scope);
        }
        let value = self.value(scope)?;
        value.as_bool().ok_or_else(|| self.kind(&value, "true or false"))
    }

    /// Its value as text: text as it is, numbers and booleans as JSON writes them.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when the value is null, a list or an object.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, Error> {
        self.as_text(self.value(scope)?.as_ref())
    }

    fn as_text(&self, value: &Value) -> Result<String, Error> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(self.kind(value, "text, a number or true or false"))
            }
        }
    }

    /// Its value as a key: as text, but numbers are one key however they are written.
    ///
    /// # Errors
    /// As [`Expression::text`].
    pub fn key(&self, scope: &Scope<'_>) -> Result<String, Error> {
        let value = self.value(scope)?;
        match value.as_ref() {
            Value::Number(number) => Ok(Number::of(number).to_string()),
            Value::String(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Array(_)
            | Value::Object(_) => self.as_text(&value),
        }
    }

    fn value<'a>(&self, scope: &Scope<'a>) -> Result<Cow<'a, Value>, Error> {
        if let Form::Judged(judge, _) = &self.form {
            return judge.value(self, scope).map(Cow::Owned);
        }
        self.form.value(&self.source, scope)
    }

    fn kind(&self, value: &Value, wanted: &'static str) -> Error {
        Error::Kind { source_text: self.source.clone(), found: kind(value), wanted }
    }
}

impl Form {
    /// Keeps look-ups away from CEL, so that their numbers stay the same text.
    fn of(tree: &IdedExpr, places: &Places<'_>) -> Result<Self, ParseError> {
        if let Some(path) = Path::of(tree) {
            return Ok(Self::Path(path));
        }
        if let Some((operators::CONDITIONAL, [asked, yes, no])) = call(tree) {
            let part = |tree| Self::of(tree, places);
            return Ok(Self::Choice(Arc::new((part(asked)?, part(yes)?, part(no)?))));
        }
        Ok(Self::Compiled(Arc::new(Compiled::new(tree, places)?)))
    }

    fn value<'a>(&self, source: &str, scope: &Scope<'a>) -> Result<Cow<'a, Value>, Error> {
        match self {
            Self::Path(path) => path.look_up(scope),
            Self::Compiled(compiled) => compiled.evaluate(source, scope).map(Cow::Owned),
            Self::Discreet(form) => form.value(source, scope).map_err(|error| match error {
                Error::Failed { source_text, .. } => {
                    let reason = "it cannot be computed with these values; they are sensitive";
                    Error::Failed { source_text, reason: reason.to_owned() }
                }
                Error::Missing(_) | Error::Kind { .. } => error,
            }),
            // A part of an expression has no judge of its own.
            Self::Judged(_, form) => form.value(source, scope),
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
