/// How to mend an expression that is no CEL, if it looks like something that people often write.
pub(super) fn of(text: &str) -> Option<String> {
    if text.contains("${") {
        let whole = text.strip_prefix("${").and_then(|inner| inner.strip_suffix('}'));
        let inner = whole.filter(|inner| !inner.contains("${")).map(str::trim);
        return Some(match inner {
            Some(inner) => format!("this is no template: write `{inner}` alone"),
            None => "this is no template: join texts by `+`, such as `\"a-\" + key`".to_owned(),
        });
    }
    if let Some((list, _)) = text.split_once(" as ").filter(|(list, _)| !list.contains(['"', '\'']))
    {
        return Some(format!("write `{}` alone: each of its elements is `item`", list.trim()));
    }
    if let Some((word, operator)) = word_operator(text) {
        return Some(format!("CEL writes `{operator}` for `{word}`"));
    }
    if text.contains("===") || text.contains("!==") || has_single_equal(text) {
        return Some(
            "`==` asks whether two values are the same, `!=` whether they are not".to_owned(),
        );
    }
    if let Some((written, length)) = bare_duration(text) {
        return Some(format!("write `duration(\"{length}\")` for `{written}`"));
    }
    is_prose(text).then(|| format!("a text in CEL has quotes of its own: `'\"{text}\"'`"))
}

/// How to read a field whose name has a `-` in it, which CEL takes for a difference.
pub(super) fn dashed(text: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let unquoted = without_texts(text);
    let words = unquoted.split(|c: char| !is_name(c) && c != '-' && c != '.');
    for word in words {
        let Some((of, field)) = word.rsplit_once('.') else { continue };
        let parts: Vec<&str> = field.split('-').collect();
        let is_field = |part: &&str| part.starts_with(|c: char| c.is_ascii_alphabetic());
        if parts.len() == 1 || !parts.iter().all(is_field) {
            continue;
        }
        // What the saga itself remembers has no such name.
        return Some(if ["data", "branch"].contains(&of) {
            format!("`-` is a difference; write such as `{of}.{}`", parts.join("_"))
        } else {
            let quotes = "in quotes where it is the whole value";
            format!("`-` is a difference; write `{of}['{field}']`, {quotes}")
        });
    }
    None
}

/// Words that other languages have for CEL's operators.
const OPERATORS: [(&str, &str); 6] =
    [("and", "&&"), ("or", "||"), ("not", "!"), ("AND", "&&"), ("OR", "||"), ("NOT", "!")];

/// A word that stands for an operator beside something that a person would compute with.
fn word_operator(text: &str) -> Option<(&'static str, &'static str)> {
    let unquoted = without_texts(text);
    if is_prose(&unquoted) {
        return None;
    }
    let words = unquoted.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
    let mut known = words.filter_map(|word| OPERATORS.iter().find(|(other, _)| *other == word));
    known.next().copied()
}

/// `=` where it is no part of `==`, `!=`, `<=` or `>=`.
fn has_single_equal(text: &str) -> bool {
    let signs: Vec<char> = without_texts(text).chars().collect();
    let at = |place: Option<usize>| place.and_then(|place| signs.get(place)).copied();
    (0..signs.len()).any(|place| {
        let before = at(place.checked_sub(1)).is_some_and(|c| "=!<>".contains(c));
        signs[place] == '=' && !before && at(Some(place + 1)) != Some('=')
    })
}

/// A duration as definitions write it elsewhere, and how CEL reads it.
fn bare_duration(text: &str) -> Option<(String, String)> {
    let unquoted = without_texts(text);
    let mut words = unquoted.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
    words.find_map(|word| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let count: u32 = word[..word.len() - unit.len()].parse().ok()?;
        let length = match unit {
            "ms" | "s" | "m" | "h" => word.to_owned(),
            "d" => format!("{}h", u64::from(count) * 24),
            "w" => format!("{}h", u64::from(count) * 24 * 7),
            _ => return None,
        };
        Some((word.to_owned(), length))
    })
}

/// Several words of a language, with nothing between them that computes.
fn is_prose(text: &str) -> bool {
    let is_word = |word: &str| {
        let word = word.trim_end_matches([',', '.', '!', '?', ':']);
        !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    text.split_whitespace().count() > 1 && text.split_whitespace().all(is_word)
}

/// An expression without what stands in quotes.
fn without_texts(text: &str) -> String {
    let mut quote = None;
    let mut kept = String::new();
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => kept.push(c),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_with_a_dash_is_no_difference() {
        let said = dashed("event.order-id").expect("a field");
        let expected = "`-` is a difference; write `event['order-id']`, in quotes where it is the \
                        whole value";
        assert_eq!(said, expected);
        let said = dashed("data.a > 1 && event.body.seat-no == 2").expect("a field");
        assert!(said.contains("`event.body['seat-no']`"), "{said}");
        let said = dashed("data.order-id > 3").expect("a field");
        assert_eq!(said, "`-` is a difference; write such as `data.order_id`");
        for text in ["data.a - b", "data.a-1", "order-id", "data.a == \"x.y-z\"", "data.total"] {
            assert_eq!(dashed(text), None, "{text}");
        }
    }

    #[test]
    fn what_people_often_write_is_recognized() {
        for (text, mend) in [
            ("no room", Some("a text in CEL has quotes of its own: `'\"no room\"'`")),
            ("Sorry, we are full!", Some("has quotes of its own")),
            ("this or that", Some("has quotes of its own")),
            ("${data.total > 5}", Some("write `data.total > 5` alone")),
            ("order/${data.id}", Some("join texts by `+`")),
            ("${data.a}-${data.b}", Some("join texts by `+`")),
            (
                "data.lines as line",
                Some("write `data.lines` alone: each of its elements is `item`"),
            ),
            ("data.from + 1d", Some("write `duration(\"24h\")` for `1d`")),
            ("now + 2w", Some("write `duration(\"336h\")` for `2w`")),
            ("now + 30m", Some("write `duration(\"30m\")` for `30m`")),
            ("data.size = \"big\"", Some("`==` asks")),
            ("data.a === 1", Some("`==` asks")),
            ("data.a and data.b", Some("CEL writes `&&` for `and`")),
            ("data.a > 1 OR data.b", Some("CEL writes `||` for `OR`")),
            ("not data.a", Some("CEL writes `!` for `not`")),
            ("data.a >= 1 && (data.b", None),
            ("data.a == \"x = 1d and y\" &&", None),
            ("data.a >", None),
            ("data.and + data.1d", None),
        ] {
            let said = of(text).unwrap_or_default();
            assert_eq!(said.is_empty(), mend.is_none(), "{text}: {said}");
            assert!(said.contains(mend.unwrap_or_default()), "{text}: {said}");
        }
    }
}
