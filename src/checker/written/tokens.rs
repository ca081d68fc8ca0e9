//! Cuts CEL into pieces, far enough to see what stands beside a path.

use serde_json::{Number, Value};

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// `data.total`.
    Path(Vec<String>),
    /// `size(`, or a bracket without a name; a method's path is the path before it.
    Open(String),
    /// `data.lines.map(`: the path and the method.
    Method(Vec<String>, String),
    /// A closing bracket.
    Close,
    /// A literal.
    Literal(Value),
    /// An operator, a comma, a colon.
    Operator(String),
}

/// The pieces of an expression that parses.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' | '\'' => quoted(rest, first),
            c if c.is_ascii_digit() => number(rest),
            c if c.is_ascii_alphabetic() || c == '_' => word(rest),
            '(' | '[' | '{' => (Token::Open(String::new()), 1),
            ')' | ']' | '}' => (Token::Close, 1),
            _ => operator(rest),
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    found
}

fn quoted(rest: &str, quote: char) -> (Token, usize) {
    let end = rest[1..].find(quote).map_or(rest.len(), |at| at + 2);
    let text = rest[1..end].trim_end_matches(quote);
    (Token::Literal(Value::from(text)), end)
}

fn number(rest: &str) -> (Token, usize) {
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let number: Option<Number> = rest[..end].parse().ok();
    // A suffix such as that of `10u` is its own word; it disturbs nobody.
    (Token::Literal(number.map_or(Value::Null, Value::Number)), end)
}

fn word(rest: &str) -> (Token, usize) {
    let mut parts: Vec<String> = Vec::new();
    let mut end = 0;
    loop {
        let part = &rest[end..];
        let length =
            part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        parts.push(part[..length].to_owned());
        end += length;
        let next = rest[end..].strip_prefix('.');
        match next.and_then(|next| next.chars().next()) {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => end += 1,
            _ => break,
        }
    }
    if rest[end..].starts_with('(') {
        let name = parts.pop().unwrap_or_default();
        let token = if parts.is_empty() { Token::Open(name) } else { Token::Method(parts, name) };
        return (token, end + 1);
    }
    let word = |word: &str| parts.len() == 1 && parts[0] == word;
    let token = match () {
        () if word("true") => Token::Literal(Value::Bool(true)),
        () if word("false") => Token::Literal(Value::Bool(false)),
        () if word("null") => Token::Literal(Value::Null),
        () if word("in") => Token::Operator("in".to_owned()),
        () => Token::Path(parts),
    };
    (token, end)
}

fn operator(rest: &str) -> (Token, usize) {
    let known = ["&&", "||", "==", "!=", "<=", ">="];
    let found = known.iter().find(|operator| rest.starts_with(**operator));
    let length = found.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), |o| o.len());
    (Token::Operator(rest[..length].to_owned()), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_cut_where_its_pieces_end() {
        let path = |text: &str| Token::Path(text.split('.').map(str::to_owned).collect());
        let operator = |text: &str| Token::Operator(text.to_owned());
        let ten = Token::Literal(Value::from(10));
        let found = tokens("size(data.a.b) >= 10 && event.x.startsWith('y z') || !has(item.c)");
        let wanted = [
            Token::Open("size".to_owned()),
            path("data.a.b"),
            Token::Close,
            operator(">="),
            ten,
            operator("&&"),
            Token::Method(vec!["event".to_owned(), "x".to_owned()], "startsWith".to_owned()),
            Token::Literal(Value::from("y z")),
            Token::Close,
            operator("||"),
            operator("!"),
            Token::Open("has".to_owned()),
            path("item.c"),
            Token::Close,
        ];
        assert_eq!(found, wanted);
    }
}
