use std::ops::Range;

use crate::definition::node::floor;

/// Keys whose value is an expression.
const EXPRESSION_KEYS: [&str; 6] = ["key", "where", "when", "reason", "until", "each"];

/// Text as YAML reads it back unchanged.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('\'') && !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// A value on which YAML stumbles because it is an expression without quotes: its place, and its
/// key with the value quoted.
pub(super) fn culprit(source: &str, at: usize) -> Option<(Range<usize>, String)> {
    let at = floor(source, at);
    let start = source[..at].rfind('\n').map_or(0, |i| i + 1);
    let before = source[..start.saturating_sub(1)].rfind('\n').map_or(0, |i| i + 1);
    [start, before].into_iter().find_map(|start| {
        let line = source[start..].lines().next()?;
        let (key, from) = broken_value(line)?;
        let value = expression_at(line, from);
        let mended = format!("{key}: {}", quoted(value));
        Some((start + from..start + from + value.len(), mended))
    })
}

/// An expression that begins at a place of a line: to the line's end, inside `{ … }` to the next
/// comma or closing bracket outside its own brackets and strings.
pub(super) fn expression_at(line: &str, from: usize) -> &str {
    let rest = &line[from..];
    if depth(&line[..from]) == 0 {
        return rest.trim_end();
    }
    let mut open = 0_usize;
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => open += 1,
            (None, ',' | '}' | ']' | ')') if open == 0 => return rest[..at].trim_end(),
            (None, ')' | ']' | '}') => open -= 1,
            _ => {}
        }
    }
    rest.trim_end()
}

/// How many brackets are open behind a text.
fn depth(text: &str) -> usize {
    let mut open = 0_usize;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => open += 1,
            (None, ']' | '}') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

/// The first key of a line whose value is an expression that YAML cannot read without quotes.
fn broken_value(line: &str) -> Option<(&str, usize)> {
    line.match_indices(": ").find_map(|(colon, _)| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let before = line[..colon].char_indices().rev().find(|(_, c)| !word(*c));
        let start = before.map_or(0, |(i, c)| i + c.len_utf8());
        let key = &line[start..colon];
        let from = line.len() - line[colon + 1..].trim_start().len();
        let value = expression_at(line, from);
        let in_flow = depth(&line[..from]) > 0;
        (!key.is_empty() && is_broken(key, value, in_flow)).then_some((key, from))
    })
}

fn is_broken(key: &str, value: &str, in_flow: bool) -> bool {
    const OPERATORS: [&str; 13] =
        ["==", "!=", "&&", "||", " + ", " - ", " ? ", " > ", " < ", "(", ">=", "<=", " in "];
    let computes = OPERATORS.iter().any(|o| value.contains(o));
    let begins = ['!', '{', '[', '"', '\'', '&', '*', '%', '@', '`', '?', '|', '>'];
    let breaks = value.starts_with(begins)
        || value.contains(": ")
        || value.contains(" #")
        || (in_flow && value.contains(['[', '{', ',']));
    let expected = EXPRESSION_KEYS.contains(&key) || !value.starts_with(['{', '[']);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let whole =
        quote.is_some_and(|q| value.len() > 1 && value[1..].find(q) == Some(value.len() - 2));
    // An element, such as `event["order-id"]`, or a template.
    let is_element =
        |at: usize| value[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_one = value.contains("${") || value.find('[').is_some_and(is_element);
    let is_cut = in_flow && quote.is_none() && is_one;
    (computes || is_cut) && breaks && expected && !whole
}
