//! How a text tells which elements of lists it comes from, so that two of them can change places
//! in it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

/// What stands around the number of a list and that of its element.
const OPEN: char = '⟦';
const CLOSE: char = '⟧';

/// Something in a text that comes from an element of a list.
type Tag = (usize, u32);

enum Piece<'t> {
    Plain(&'t str),
    Tag(Tag),
}

/// What is written for an element of a list.
pub(super) fn tag(list: usize, element: u32) -> String {
    format!("{OPEN}{list}.{element}{CLOSE}")
}

/// Whether nothing in a text could be taken for a tag.
pub(super) fn is_plain(text: &str) -> bool {
    !text.contains(OPEN)
}

/// A text in which the first two elements of these lists have changed places.
pub(super) fn exchanged<'t>(text: &'t str, lists: &BTreeSet<usize>) -> Cow<'t, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let piece = |piece| match piece {
        Piece::Plain(plain) => Cow::Borrowed(plain),
        Piece::Tag((list, element)) if lists.contains(&list) => {
            Cow::Owned(tag(list, other(element)))
        }
        Piece::Tag((list, element)) => Cow::Owned(tag(list, element)),
    };
    Cow::Owned(pieces(text).map(piece).collect())
}

/// The element that one changes places with: the second with the first.
pub(super) fn other(element: u32) -> u32 {
    match element {
        0 => 1,
        1 => 0,
        further => further,
    }
}

/// The list that two values come from, the one from its first element, the other from its second.
pub(super) fn pair(values: &[Value]) -> Option<usize> {
    let first = |value: &Value| {
        let text = value.to_string();
        pieces(&text).find_map(|piece| match piece {
            Piece::Tag(tag) => Some(tag),
            Piece::Plain(_) => None,
        })
    };
    let [one, two] = values else { return None };
    match (first(one)?, first(two)?) {
        ((list, 0), (other, 1)) if list == other => Some(list),
        _ => None,
    }
}

/// Some values as a text. When the two elements that a pair comes from change places in this text,
/// it is the text of the values that the elements would have left then.
pub(super) fn together(values: &[Value]) -> String {
    let Some(list) = pair(values) else {
        return Value::from(values).to_string();
    };
    let (one, two) = (values[0].to_string(), values[1].to_string());
    if exchanged(&one, &BTreeSet::from([list])) == two {
        // It makes no difference which is which.
        return format!("[{}]", one.replace(&tag(list, 0), &format!("{OPEN}{list}{CLOSE}")));
    }
    let (one, two) = if apart(&two).0 < apart(&one).0 { (two, one) } else { (one, two) };
    format!("[{one},{two}]")
}

/// A text without its tags, and these: each once, in the order in which they come first. What is
/// left says where each of them stood, so both together are as good as the text.
pub(super) fn apart(text: &str) -> (Cow<'_, str>, String) {
    if is_plain(text) {
        return (Cow::Borrowed(text), String::new());
    }
    let (mut plain, mut seen) = (String::with_capacity(text.len()), Vec::<Tag>::new());
    for piece in pieces(text) {
        match piece {
            Piece::Plain(piece) => plain.push_str(piece),
            Piece::Tag(tag) => {
                let known = seen.iter().position(|known| *known == tag);
                let place = known.unwrap_or_else(|| {
                    seen.push(tag);
                    seen.len() - 1
                });
                write!(plain, "{OPEN}{place}{CLOSE}").expect("writing to a string never fails");
            }
        }
    }
    (Cow::Owned(plain), seen.into_iter().map(|(list, element)| tag(list, element)).collect())
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let marked = text.match_indices(OPEN).map(|(at, _)| at);
    let ends = marked.clone().chain([text.len()]);
    let parts = std::iter::once(0).chain(marked).zip(ends);
    parts.flat_map(|(from, to)| piece(&text[from..to]))
}

/// A tag and what stands behind it; what only looks like the beginning of one is plain.
fn piece(text: &str) -> [Piece<'_>; 2] {
    let read = || {
        let (inside, behind) = text.strip_prefix(OPEN)?.split_once(CLOSE)?;
        let (list, element) = inside.split_once('.')?;
        Some([Piece::Tag((list.parse().ok()?, element.parse().ok()?)), Piece::Plain(behind)])
    };
    read().unwrap_or([Piece::Plain(text), Piece::Plain("")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_change_places_and_what_is_left_out_can_be_told() {
        let text = format!("a{}b{}c{}⟦d", tag(0, 0), tag(1, 0), tag(0, 1));
        let twin = format!("a{}b{}c{}⟦d", tag(0, 1), tag(1, 0), tag(0, 0));
        let lists = BTreeSet::from([0]);
        assert_eq!(exchanged(&text, &lists), twin);
        assert_eq!(exchanged(&twin, &lists), text);
        assert_eq!(apart(&text).0, "a⟦0⟧b⟦1⟧c⟦2⟧⟦d");
        assert_eq!(apart(&text).0, apart(&twin).0);
        assert_eq!(exchanged(&apart(&text).1, &lists), apart(&twin).1);
        let again = format!("a{0}b{1}c{0}⟦d", tag(0, 0), tag(1, 0));
        assert_ne!(apart(&text).0, apart(&again).0);
    }
}
