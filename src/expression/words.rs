use cel::{ExecutionError, ParseErrors};

use super::{Error, Name, ParseError, Reference, Scope};

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
    let words = message.trim().replace("mismatched input '<EOF>'", "it ends too early");
    let words = words.replace("mismatched input", "this does not fit here:");
    let words = words.replace("extraneous input", "this does not fit here:");
    let words = words.replace("no viable alternative at input", "this cannot be read:");
    let words = words.replace("token recognition error at:", "this is not CEL:");
    words.replace('\'', "`")
}

/// The path whose absence made CEL fail, if that was the reason.
pub(super) fn missing(
    error: &ExecutionError,
    references: &[Reference],
    scope: &Scope<'_>,
) -> Option<Error> {
    let absent = match error {
        ExecutionError::NoSuchKey(key) | ExecutionError::UndeclaredReference(key) => key.as_str(),
        _ => return None,
    };
    let untested = references.iter().filter(|r| !r.tested && r.name != Name::Now);
    let found = untested.filter_map(|r| {
        let mut path = r.name.text().to_owned();
        let Some(mut value) = scope.value(r.name) else {
            return (r.name.text() == absent).then_some(path);
        };
        for field in &r.fields {
            path.push('.');
            path.push_str(field);
            match value.get(field) {
                Some(inner) => value = inner,
                None => return (field == absent).then_some(path),
            }
        }
        None
    });
    let path = found.into_iter().next().unwrap_or_else(|| absent.to_owned());
    Some(Error::Missing(path))
}

/// Why CEL cannot compute, without the values themselves: they may be sensitive.
pub(super) fn failed(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(overload) => {
            mixed(overload.function(), overload.argument_types())
        }
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            mixed(operator, &[left.type_of().to_string(), right.type_of().to_string()])
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            mixed("comparison", &[left.type_of().to_string(), right.type_of().to_string()])
        }
        ExecutionError::UnexpectedType { got, want } => {
            format!("it is {got} where {want} is needed")
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by zero".to_owned()
        }
        ExecutionError::Overflow(operator, ..) => {
            format!("`{}` overflows", self::operator(operator))
        }
        ExecutionError::IndexOutOfBounds(_) => "the list is shorter than that".to_owned(),
        ExecutionError::NoSuchKey(key) => format!("`{key}` is missing"),
        ExecutionError::UndeclaredReference(name) => format!("`{name}` means nothing here"),
        ExecutionError::DuplicateKey(_) => "a map has the same key twice".to_owned(),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("a function takes {expected} arguments, not {actual}")
        }
        ExecutionError::FunctionError { function, .. } => {
            format!("`{function}` cannot make anything of its argument")
        }
        _ => "CEL cannot compute it with these values".to_owned(),
    }
}

fn mixed(function: &str, types: &[String]) -> String {
    // CEL's own names of its types and operators differ from the ones that authors write.
    let types: Vec<&str> =
        types.iter().map(|t| if t == "float" { "double" } else { t.as_str() }).collect();
    let numbers = types.iter().all(|t| matches!(*t, "int" | "uint" | "double"));
    let help = match types.len() {
        2 if numbers && types[0] != types[1] => "; make both double by `double(…)`",
        _ => "",
    };
    format!("`{}` cannot be applied to {}{help}", operator(function), types.join(" and "))
}

fn operator(function: &str) -> &str {
    match function {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        "_?_:_" => "? :",
        "_[_]" => "[ ]",
        other => other.trim_matches(['_', '@']),
    }
}
