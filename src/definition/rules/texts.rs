use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::places::Written;
use crate::expression::{Expression, Name};

/// The names of which a text is likely to mean a field.
const NAMES: [Name; 7] =
    [Name::Data, Name::Event, Name::Item, Name::Branch, Name::Answer, Name::Child, Name::Failure];

/// Finds texts that read like an expression, where only what stands in `${ }` is evaluated.
pub(super) fn check(whole: &mut Whole<'_>) {
    for Written { source, span, .. } in &whole.places.texts {
        let Some((meant, whole_text)) = meant(whole, source) else { continue };
        let message = format!("this is the text `{source}`: nothing in it is evaluated");
        let help = if whole_text {
            format!("write `\"${{{meant}}}\"`, or other words if you mean the text")
        } else {
            format!("write `${{{meant}}}` in it, or other words if you mean the text")
        };
        whole.warn(Code::TextForExpression, span.clone(), message, help);
    }
}

/// The expression that a text seems to mean, and whether that is the whole text.
fn meant(whole: &Whole<'_>, text: &str) -> Option<(String, bool)> {
    let text = text.trim();
    if reads_like_one(whole, text, false) {
        return Some((text.to_owned(), true));
    }
    for (before, behind) in [("{{", "}}"), ("$(", ")"), ("{", "}")] {
        let mut rest = text;
        while let Some((_, inner)) = rest.split_once(before) {
            let (inner, further) = inner.split_once(behind)?;
            if reads_like_one(whole, inner.trim(), true) {
                return Some((inner.trim().to_owned(), false));
            }
            rest = further;
        }
    }
    words(text).find_map(|(word, is_marked)| {
        reads_like_one(whole, word, is_marked).then(|| (word.to_owned(), false))
    })
}

/// The paths in a text, and whether a `$` stands in front of each.
fn words(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let words = text.split(move |c| !is_part(c)).filter(|word| word.contains('.'));
    words.map(move |word| {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        (word.trim_end_matches('.'), text[..at].ends_with('$'))
    })
}

/// Whether a text is an expression that reads a field of what a saga knows: of the data one that
/// is filled, for `data.csv` may well be the name of a file.
fn reads_like_one(whole: &Whole<'_>, text: &str, is_marked: bool) -> bool {
    let begins = NAMES.iter().any(|name| text.starts_with(&format!("{}.", name.text())));
    let is_sum = text.contains([' ', '(']);
    let Ok(expression) = Expression::parse(text) else { return false };
    let references = expression.references();
    if references.is_empty() || !(begins || is_marked || is_sum) {
        return false;
    }
    references.iter().all(|read| {
        let Some(field) = read.fields.first() else { return read.name == Name::Now && is_sum };
        match read.name {
            Name::Data => is_filled(whole, field),
            Name::Event | Name::Item | Name::Branch | Name::Answer | Name::Child => true,
            Name::Failure => matches!(field.as_str(), "step" | "kind" | "reason"),
            Name::Key | Name::Now | Name::Index | Name::Fence => false,
        }
    })
}

fn is_filled(whole: &Whole<'_>, field: &str) -> bool {
    let of_start = whole.definition.data.iter().any(|assignment| assignment.field == field);
    of_start
        || whole.steps().any(|step| {
            whole.fills(step.id).contains(field) || whole.undo_fills(step.id).contains(field)
        })
}
