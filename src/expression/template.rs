use serde_json::Value;

use super::{Error, Expression, Kinds, KindsOf, Number, ParseError, Reference, Scope};

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
    /// Parses one scalar string of a template; `$${` stands for `${` itself.
    ///
    /// # Errors
    /// When a `${` has no `}`, or what stands between does not parse.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(start) = text[at..].find("${").map(|i| at + i) {
            if text[at..start].ends_with('$') {
                literal.push_str(&text[at..start - 1]);
                literal.push_str("${");
                at = start + 2;
                continue;
            }
            literal.push_str(&text[at..start]);
            let end = hole_end(text, start + 2).ok_or_else(|| ParseError {
                message: "`${` has no `}`; write `$${` if you mean the characters".to_owned(),
                at: Some(start),
            })?;
            let expression = Expression::parse(&text[start + 2..end])
                .map_err(|e| ParseError { at: e.at.map(|i| start + 2 + i), ..e })?;
            if start == 0 && end + 1 == text.len() {
                return Ok(Self::Whole(expression));
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Hole(expression));
            at = end + 1;
        }
        literal.push_str(&text[at..]);
        if pieces.is_empty() {
            return Ok(Self::Literal(Value::String(literal)));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self::Text(pieces))
    }

    /// Its value in a scope.
    ///
    /// # Errors
    /// When one of its expressions has none.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Whole(expression) => expression.evaluate(scope)?,
            Self::Text(pieces) => Value::String(joined(pieces, |hole| hole.text(scope))?),
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
        match self {
            Self::Whole(expression) => expression.text(scope),
            Self::Literal(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => {
                Ok(match self.render(scope)? {
                    Value::String(text) => text,
                    other => other.to_string(),
                })
            }
        }
    }

    /// Its value as a key: as text, but numbers are one key however they are written.
    ///
    /// # Errors
    /// When one of its expressions has none.
    pub fn key(&self, scope: &Scope<'_>) -> Result<String, Error> {
        match self {
            Self::Whole(expression) => expression.key(scope),
            Self::Text(pieces) => joined(pieces, |hole| hole.key(scope)),
            Self::Literal(Value::Number(number)) => Ok(Number::of(number).to_string()),
            Self::Literal(_) | Self::List(_) | Self::Object(_) => self.text(scope),
        }
    }

    /// The same template with other expressions.
    #[must_use]
    pub fn mapped(&self, with: &impl Fn(&Expression) -> Expression) -> Self {
        match self {
            Self::Literal(value) => Self::Literal(value.clone()),
            Self::Whole(expression) => Self::Whole(with(expression)),
            Self::Text(pieces) => Self::Text(
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(text) => Piece::Literal(text.clone()),
                        Piece::Hole(expression) => Piece::Hole(with(expression)),
                    })
                    .collect(),
            ),
            Self::List(items) => Self::List(items.iter().map(|item| item.mapped(with)).collect()),
            Self::Object(fields) => {
                let field = |(name, t): &(String, Self)| (name.clone(), t.mapped(with));
                Self::Object(fields.iter().map(field).collect())
            }
        }
    }

    /// Its expressions, in the order of the text.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Whole(expression) => vec![expression],
            Self::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Hole(expression) => Some(expression),
                    Piece::Literal(_) => None,
                })
                .collect(),
            Self::List(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, f)| f.expressions()).collect(),
        }
    }

    /// The kinds that what it makes may be of, by the kinds of what its paths lead to.
    #[must_use]
    pub fn kinds(&self, of: &KindsOf<'_>) -> Kinds {
        match self {
            Self::Literal(value) => Kinds::of(value),
            Self::Whole(expression) => expression.kinds(of).0.kept(),
            Self::Text(_) => Kinds::TEXT,
            Self::List(items) => {
                let all = items.iter().map(|item| item.kinds(of));
                all.fold(Kinds::NONE, Kinds::or).listed()
            }
            Self::Object(_) => Kinds::OBJECT,
        }
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

/// A text with its holes filled.
fn joined(
    pieces: &[Piece],
    fill: impl Fn(&Expression) -> Result<String, Error>,
) -> Result<String, Error> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Hole(expression) => text.push_str(&fill(expression)?),
        }
    }
    Ok(text)
}

/// The `}` that closes a hole: braces count, those inside CEL's strings do not.
fn hole_end(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place behind a CEL string that begins with the quote at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = bytes[at];
    let prefix = bytes[..at].iter().rev().take_while(|b| b.is_ascii_alphabetic());
    let raw = prefix.take(2).any(|b| matches!(b, b'r' | b'R'));
    let triple = bytes.get(at..at + 3).is_some_and(|three| three.iter().all(|b| *b == quote));
    let closing = if triple { 3 } else { 1 };
    let mut at = at + closing;
    while at < bytes.len() {
        if bytes[at] == b'\\' && !raw {
            at += 2;
        } else if bytes[at..].len() >= closing
            && bytes[at..at + closing].iter().all(|b| *b == quote)
        {
            return Some(at + closing);
        } else {
            at += 1;
        }
    }
    None
}
