use cel::ParseErrors;

use super::ParseError;

/// Why CEL cannot read an expression; the first thing that it stumbled over.
pub(super) fn unparsed(source: &str, errors: &ParseErrors) -> ParseError {
    let Some(first) = errors.errors.first() else {
        return ParseError { message: "it is not CEL".to_owned(), at: None };
    };
    let (line, column) = first.pos;
    let at = usize::try_from(line - 1).ok().and_then(|line| {
        let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
        let column = usize::try_from(column - 1).ok()?;
        let inside = source.get(start..)?.char_indices().nth(column).map(|(at, _)| at);
        Some(inside.map_or(source.len(), |inside| start + inside))
    });
    ParseError { message: shortened(&first.msg), at }
}

/// What the parser generator says, without its list of all tokens.
fn shortened(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split(" expecting ").next().unwrap_or(message);
    if message.starts_with("invalid") && message.ends_with(" literal") {
        return "this number is too large to be written here; give it as text: `double('…')`"
            .to_owned();
    }
    let words = message.trim().replace("mismatched input '<EOF>'", "it ends too early");
    let words = words.replace("mismatched input", "this does not fit here:");
    let words = words.replace("extraneous input", "this does not fit here:");
    let words = words.replace("no viable alternative at input", "this cannot be read:");
    let words = words.replace("token recognition error at:", "this is not CEL:");
    words.replace('\'', "`")
}
