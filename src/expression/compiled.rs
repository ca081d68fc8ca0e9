use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::Parser;
use serde_json::Value;

use super::evaluate::Absence;
use super::node::Node;
use super::places::Places;
use super::walk::Walk;
use super::{Error, ParseError, Reference, Scope, words};

/// The deepest nesting of brackets in an expression.
pub(super) const DEPTH_MAX: usize = 24;

/// A part of an expression that is more than a look-up.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    node: Node,
}

/// A whole expression's tree and what it reads.
pub(super) struct Parsed {
    pub tree: IdedExpr,
    pub references: Vec<Reference>,
    pub places: SourceInfo,
}

/// Parses CEL and refuses what could not be computed.
pub(super) fn parse(source: &str) -> Result<Parsed, ParseError> {
    check_brackets(source)?;
    let parser = Parser::new();
    let (tree, places) =
        parser.parse_with_source_info(source).map_err(|e| words::unparsed(source, &e))?;
    let references = Walk::over(&tree, &Places::of_tree(source, &places))?;
    Ok(Parsed { tree, references, places })
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
    ///
    /// # Errors
    /// When it never could be computed.
    pub fn new(tree: &IdedExpr, places: &Places<'_>) -> Result<Self, ParseError> {
        Ok(Self { node: Node::of(tree, places)? })
    }

    /// Its value in a scope.
    ///
    /// # Errors
    /// When something that it reads is missing, or it cannot be computed.
    pub fn evaluate(&self, source: &str, scope: &Scope<'_>) -> Result<Value, Error> {
        let value = self.node.value(scope).map_err(|absence| match absence {
            Absence::Missing(path) => Error::Missing(path),
            Absence::Refused(reason) => Error::Failed { source_text: source.to_owned(), reason },
        })?;
        value.json().map_err(|found| Error::Kind {
            source_text: source.to_owned(),
            found,
            wanted: "a value that JSON can carry",
        })
    }
}
