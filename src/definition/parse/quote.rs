use std::ops::Range;

use crate::definition::node::floor;

/// Keys whose value is an expression.
const EXPRESSION_KEYS: [&str; 8] =
    ["key", "where", "when", "reason", "until", "each", "set", "data"];

/// Text as YAML reads it back unchanged.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('\'') && !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// A line on which YAML stumbles over an expression without quotes: its place and the line mended.
pub(super) fn culprit(source: &str, at: usize) -> Option<(Range<usize>, String)> {
    let at = floor(source, at);
    let start = source[..at].rfind('\n').map_or(0, |i| i + 1);
    let before = source[..start.saturating_sub(1)].rfind('\n').map_or(0, |i| i + 1);
    [start, before].into_iter().find_map(|start| {
        let line = source[start..].lines().next()?;
        let (from, value) = value_of(line)?;
        let mended = format!("{}{}", &line[..from], quoted(value));
        Some((start + from..start + from + value.len(), mended.trim_start().to_owned()))
    })
}

/// The value of a `key: value` line that YAML cannot read without quotes.
fn value_of(line: &str) -> Option<(usize, &str)> {
    let content = line.trim_start().trim_start_matches("- ").trim_start();
    let (key, rest) = content.split_once(':')?;
    let value = rest.trim();
    if value.is_empty() || key.contains(['{', '[', '"', '\'']) {
        return None;
    }
    let operators = ["==", "!=", "&&", "||", " + ", " - ", " ? ", " > ", " < ", "(", ">=", "<="];
    let computes = operators.iter().any(|o| value.contains(o));
    let breaks = value
        .starts_with(['!', '{', '[', '"', '\'', '&', '*', '%', '@', '`', '?', '|', '>'])
        || value.contains(": ")
        || value.contains(" #");
    let expected = EXPRESSION_KEYS.contains(&key.trim()) || computes;
    (expected && computes && breaks).then(|| (line.len() - rest.trim_start().len(), value))
}
