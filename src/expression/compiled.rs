use std::sync::LazyLock;

use cel::Context;
use cel::common::ast::IdedExpr;
use cel::common::value::{CowVal, Val};
use cel::parser::Parser;
use serde_json::Value;

use super::convert::{Parts, timestamp, to_cel, to_json};
use super::places::Places;
use super::walk::Walk;
use super::{Error, Name, ParseError, Reference, Scope, words};

/// The deepest nesting of brackets in an expression.
pub(super) const DEPTH_MAX: usize = 24;

/// Functions and types of CEL; one root for all evaluations, for making it costs more than most
/// expressions.
static ROOT: LazyLock<Context<'static, 'static>> = LazyLock::new(Context::default);

/// A part of an expression that only CEL can compute.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    tree: IdedExpr,
    reads: Vec<(Name, Parts)>,
    references: Vec<Reference>,
}

/// A whole expression's tree and what it reads.
pub(super) struct Parsed {
    pub tree: IdedExpr,
    pub references: Vec<Reference>,
}

/// Parses CEL and refuses what could not be computed.
pub(super) fn parse(source: &str) -> Result<Parsed, ParseError> {
    check_brackets(source)?;
    let parser = Parser::new();
    let (tree, places) =
        parser.parse_with_source_info(source).map_err(|e| words::unparsed(source, &e))?;
    let references = Walk::over(&tree, &Places::of_tree(source, &places))?;
    Ok(Parsed { tree, references })
}

/// The parser walks brackets by recursion: they are counted before.
fn check_brackets(source: &str) -> Result<(), ParseError> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in source.char_indices() {
        match (quote, c) {
            (Some(_), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !escaped => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = false;
        if depth > DEPTH_MAX {
            let message = format!("brackets nest deeper than {DEPTH_MAX} levels");
            return Err(ParseError { message, at: Some(at) });
        }
    }
    Ok(())
}

impl Compiled {
    /// Makes a part of a parsed expression computable.
    pub fn new(tree: IdedExpr, references: Vec<Reference>) -> Self {
        let mut reads: Vec<(Name, Parts)> = Vec::new();
        for reference in &references {
            let known = reads.iter().position(|(name, _)| *name == reference.name);
            let place = known.unwrap_or_else(|| {
                reads.push((reference.name, Parts::default()));
                reads.len() - 1
            });
            reads[place].1.add(&reference.fields);
        }
        Self { tree, reads, references }
    }

    /// Its value in a scope.
    ///
    /// # Errors
    /// When something that it reads is missing or CEL refuses.
    pub fn evaluate(&self, source: &str, scope: &Scope<'_>) -> Result<Value, Error> {
        let refused = |reason: String| Error::Failed { source_text: source.to_owned(), reason };
        let root: &Context<'_, '_> = &ROOT;
        let mut inner = root.new_inner_scope();
        for (name, parts) in &self.reads {
            let value: Option<Box<dyn Val + '_>> = match (name, scope.value(*name)) {
                (Name::Now, _) => Some(timestamp(scope.now()).map_err(refused)?),
                (_, Some(value)) => Some(to_cel(value, parts).map_err(refused)?),
                (_, None) => None,
            };
            if let Some(value) = value {
                inner.add_variable_as_val(name.text(), value);
            }
        }
        let value: CowVal<'_, '_> = cel::Value::resolve_val(&self.tree, &inner).map_err(|e| {
            words::missing(&e, &self.references, scope)
                .unwrap_or_else(|| refused(words::failed(&e)))
        })?;
        to_json(value.as_ref()).map_err(|found| Error::Kind {
            source_text: source.to_owned(),
            found,
            wanted: "a value that JSON can carry",
        })
    }
}
