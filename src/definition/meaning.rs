//! What a text means, apart from how it is written: comments, titles, `state` and the order of keys
//! do not count.

use std::collections::BTreeMap;
use std::fmt;

use super::Definition;
use super::node::{Content, Node, read};

/// The keys whose values are data of the author's own: every key in them counts.
const VALUES: [&str; 13] = [
    "body",
    "collect",
    "data",
    "events",
    "fail",
    "headers",
    "lock",
    "path",
    "search",
    "sensitive",
    "set",
    "with",
    "choices",
];

/// The first place where a text means something else than another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    ours: Line,
    theirs: Line,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    file: String,
    number: usize,
    text: String,
}

impl Difference {
    /// Where a definition means something else than another; none if they mean the same.
    #[must_use]
    pub fn between(ours: &Definition, theirs: &Definition) -> Option<Self> {
        if ours.hash == theirs.hash {
            return None;
        }
        let (Ok(Some(one)), Ok(Some(other))) = (read(&ours.source), read(&theirs.source)) else {
            return Some(Self::at(ours, 0, theirs, 0));
        };
        let (here, there) = differ(&one, &other, Part::File)?;
        Some(Self::at(ours, here, theirs, there))
    }

    fn at(ours: &Definition, here: usize, theirs: &Definition, there: usize) -> Self {
        Self { ours: Line::of(ours, here), theirs: Line::of(theirs, there) }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ours, theirs } = self;
        let Line { file, number, text } = ours;
        write!(f, "{file}:{number}: `{text}` here, ")?;
        write!(f, "but `{}` in {}:{}", theirs.text, theirs.file, theirs.number)
    }
}

impl Line {
    fn of(definition: &Definition, at: usize) -> Self {
        let source = &definition.source;
        let before = source.get(..at).unwrap_or(source);
        let number = before.matches('\n').count() + 1;
        let text = source.lines().nth(number - 1).unwrap_or_default().trim().to_owned();
        Self { file: definition.file.to_string(), number, text }
    }
}

/// Which part of the language a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The whole file.
    File,
    /// Something with keys of the language's.
    Words,
    /// A step, which may have a title.
    Step,
    /// Data of the author's own.
    Value,
}

impl Part {
    /// Whether a key says nothing that matters to an instance.
    fn ignores(self, key: &str) -> bool {
        match self {
            Self::File => matches!(key, "title" | "state"),
            Self::Step => key == "title",
            Self::Words | Self::Value => false,
        }
    }

    /// Which part stands under a key.
    fn under(self, key: &str) -> Self {
        match self {
            Self::Value => Self::Value,
            Self::File | Self::Words | Self::Step if VALUES.contains(&key) => Self::Value,
            Self::File | Self::Words | Self::Step => Self::Words,
        }
    }

    /// Which part an element of a list is: what names a step is one.
    fn element(self, node: &Node) -> Self {
        match (&node.content, self) {
            (_, Self::Value) => Self::Value,
            (Content::Map(entries), Self::File | Self::Words | Self::Step)
                if entries.iter().any(|(key, _)| key.text == "step") =>
            {
                Self::Step
            }
            (Content::Map(_) | Content::List(_) | Content::Scalar { .. }, _) => Self::Words,
        }
    }
}

/// Where two values first mean something else, in each of the texts.
fn differ(one: &Node, other: &Node, part: Part) -> Option<(usize, usize)> {
    let here = Some((one.span.start, other.span.start));
    match (&one.content, &other.content) {
        (Content::Scalar { text, .. }, Content::Scalar { text: theirs, .. }) => {
            if one.kind() == other.kind() && text == theirs { None } else { here }
        }
        (Content::List(ours), Content::List(theirs)) => {
            let pairs = ours.iter().zip(theirs);
            let found = pairs.into_iter().find_map(|(a, b)| differ(a, b, part.element(a)));
            found.or_else(|| match (ours.get(theirs.len()), theirs.get(ours.len())) {
                (Some(more), _) => Some((more.span.start, last(theirs, other))),
                (None, Some(more)) => Some((last(ours, one), more.span.start)),
                (None, None) => None,
            })
        }
        (Content::Map(ours), Content::Map(_)) => {
            let theirs = by_key(other, part);
            for (key, value) in ours.iter().filter(|(key, _)| !part.ignores(&key.text)) {
                let Some((_, counterpart)) = theirs.get(key.text.as_str()) else {
                    return Some((key.span.start, other.span.start));
                };
                let found = differ(value, counterpart, part.under(&key.text));
                if found.is_some() {
                    return found;
                }
            }
            let known = by_key(one, part);
            let lost = theirs.iter().filter(|(key, _)| !known.contains_key(*key));
            lost.map(|(_, (at, _))| (one.span.start, *at)).min_by_key(|(_, at)| *at)
        }
        (Content::Scalar { .. } | Content::List(_) | Content::Map(_), _) => here,
    }
}

/// Where the last element of a list stands, or the list itself.
fn last(items: &[Node], list: &Node) -> usize {
    items.last().unwrap_or(list).span.start
}

/// The values of a mapping that count, each with the place of its key.
fn by_key(node: &Node, part: Part) -> BTreeMap<&str, (usize, &Node)> {
    let Content::Map(entries) = &node.content else { return BTreeMap::new() };
    let counted = entries.iter().filter(|(key, _)| !part.ignores(&key.text));
    counted.map(|(key, value)| (key.text.as_str(), (key.span.start, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::parse;

    const TEXT: &str = "saga: order\nversion: 1\nstart: { on: shop/Placed, key: event.id }\n\
                        events: { shop/*: { key: event.id } }\nsteps:\n  - step: ask\n    \
                        command: stock/Reserve\n    with: { title: \"a\", n: 1 }\n    \
                        done: stock/Reserved\n    within: 10s\n    compensate: none\n";

    /// The lines, here and there, where a changed text first means something else.
    fn lines(from: &str, to: &str) -> Option<(usize, usize)> {
        assert!(TEXT.contains(from), "{from}");
        let read = |text: &str| parse("a.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
        let found = Difference::between(&read(&TEXT.replace(from, to)), &read(TEXT));
        found.map(|found| (found.ours.number, found.theirs.number))
    }

    #[test]
    fn comments_titles_and_the_order_of_keys_do_not_count() {
        assert_eq!(lines("version: 1", "version: 1   # the first"), None);
        assert_eq!(lines("version: 1", "title: Orders\nversion: 1"), None);
        assert_eq!(lines("saga: order\nversion: 1", "version: 1\nsaga: order"), None);
        assert_eq!(lines("on: shop/Placed, key: event.id", "key: event.id, on: shop/Placed"), None);
        assert_eq!(lines("step: ask", "step: ask\n    title: We ask"), None);
        assert_eq!(lines("within: 10s", "within: \"10s\""), None);
    }

    #[test]
    fn the_first_line_that_differs_is_found() {
        assert_eq!(lines("10s", "20s"), Some((10, 10)));
        assert_eq!(lines("version: 1\n", "version: 1\n# one\nlate: 1d\n"), Some((4, 1)));
        assert_eq!(lines("    within: 10s\n", ""), Some((6, 10)));
        let more = "compensate: none\n  - { step: tell, emit: shop/Told, compensate: none }";
        assert_eq!(lines("compensate: none", more), Some((12, 6)));
    }

    #[test]
    fn what_a_message_says_counts_whatever_it_is_called() {
        assert_eq!(lines("title: \"a\"", "title: \"b\""), Some((8, 8)));
        assert_eq!(lines("n: 1 }", "n: \"1\" }"), Some((8, 8)));
    }
}
