use std::collections::BTreeMap;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

/// The deepest nesting of mappings and lists.
pub(super) const DEPTH_MAX: usize = 32;

/// The most values in one file, those that an alias repeats counted again.
pub(super) const NODES_MAX: usize = 20_000;

/// A value of the YAML file and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// What it is.
    pub content: Content,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// The tag in front of it, such as `!has`.
    pub tag: Option<Range<usize>>,
}

/// What a value of the file is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// Text, and whether it stands without quotes.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    /// The key.
    pub text: String,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
}

impl Node {
    /// What a person would call it.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Map(_) => "a mapping",
            Content::List(_) => "a list",
            Content::Scalar { plain: false, .. } => "text",
            Content::Scalar { text, .. } => match text.as_str() {
                "" | "~" | "null" | "Null" | "NULL" => "nothing",
                "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => "true or false",
                text if is_number(text) => "a number",
                _ => "text",
            },
        }
    }

    /// The text of a scalar that says something, with or without quotes.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } if self.kind() != "nothing" => Some(text),
            Content::Scalar { .. } | Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The text of a scalar that stands without quotes.
    pub fn plain(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, plain: true } => Some(text),
            Content::Scalar { plain: false, .. } | Content::List(_) | Content::Map(_) => None,
        }
    }
}

/// Whether YAML's core schema reads a plain scalar as a number.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let prefixed = |prefix: &str, radix: u32| {
        let digits = unsigned.strip_prefix(prefix);
        digits.is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_digit(radix)))
    };
    let special = matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN");
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || unsigned.strip_prefix('.').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    special
        || prefixed("0x", 16)
        || prefixed("0o", 8)
        || (starts
            && unsigned.chars().all(|c| "0123456789.eE+-".contains(c))
            && unsigned.parse::<f64>().is_ok())
}

/// Why a text has no tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// It is not YAML.
    Syntax { at: usize, message: String },
    /// It nests too deep or has too many values.
    Limit { at: usize, message: String },
    /// It uses a part of YAML that definitions do not use.
    Unused { span: Range<usize>, message: &'static str, help: &'static str },
}

/// Reads one YAML document with the place of every value.
pub(super) fn read(text: &str) -> Result<Option<Node>, Refusal> {
    let mut builder = Builder { text, ..Builder::default() };
    let mut documents = 0;
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|e| Refusal::Syntax {
            at: e.marker().byte_offset().unwrap_or(text.len()).min(text.len()),
            message: e.info(),
        })?;
        let range = builder.range(span);
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(Refusal::Unused {
                        span: range,
                        message: "a second document begins here",
                        help: "keep one definition in a file; `---` separates documents",
                    });
                }
            }
            event => builder.take(event, range, span)?,
        }
    }
    Ok(builder.root)
}

#[derive(Default)]
struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

struct Open {
    node: Node,
    anchor: usize,
    key: Option<Key>,
}

impl Builder<'_> {
    fn range(&self, span: Span) -> Range<usize> {
        let end = self.text.len();
        let range = span.byte_range().unwrap_or(end..end);
        let start = floor(self.text, range.start);
        start..floor(self.text, range.end).max(start)
    }

    fn take(&mut self, event: Event<'_>, range: Range<usize>, span: Span) -> Result<(), Refusal> {
        let tag = span.tag_span().and_then(|t| t.byte_range());
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let content = Content::Scalar { text: text.into_owned(), plain };
                self.put(Node { content, span: range, tag }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(Node { content: Content::List(Vec::new()), span: range, tag }, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(Node { content: Content::Map(Vec::new()), span: range, tag }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(mut open) => {
                    open.node.span.end = range.end.max(open.node.span.start);
                    self.put(open.node, open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    let (values, depth) = size(&node);
                    self.nodes += values;
                    if self.open.len() + depth > DEPTH_MAX {
                        return Err(too_deep(range.start));
                    }
                    self.put(Node { span: range, ..node }, 0)
                }
                None => Err(Refusal::Unused {
                    span: range,
                    message: "an alias to something that contains it",
                    help: "write it out",
                }),
            },
            _ => Ok(()),
        }
    }

    fn open(&mut self, node: Node, anchor: usize) -> Result<(), Refusal> {
        if self.open.len() == DEPTH_MAX {
            return Err(too_deep(node.span.start));
        }
        self.open.push(Open { node, anchor, key: None });
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Refusal> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Refusal::Limit {
                at: node.span.start,
                message: format!("more than {NODES_MAX} values"),
            });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.content, open.key.take()) {
            (Content::List(items), _) => items.push(node),
            (Content::Map(entries), Some(key)) => entries.push((key, node)),
            (Content::Map(_), None) => match node.content {
                Content::Scalar { text, plain: true } if text == "<<" => {
                    return Err(Refusal::Unused {
                        span: node.span,
                        message: "`<<` merges nothing: YAML 1.2 has no merge key",
                        help: "write the fields out, or quote the key if it is meant as a name",
                    });
                }
                Content::Scalar { text, .. } => {
                    open.key = Some(Key { text, span: node.span });
                }
                Content::List(_) | Content::Map(_) => {
                    return Err(Refusal::Unused {
                        span: node.span,
                        message: "a key is text, not a list or a mapping",
                        help: "quote what begins with `{` or `[`; a template is such as \
                               `\"${data.order_id}\"`",
                    });
                }
            },
            (Content::Scalar { .. }, _) => {}
        }
        Ok(())
    }
}

fn too_deep(at: usize) -> Refusal {
    Refusal::Limit { at, message: format!("nested deeper than {DEPTH_MAX} levels") }
}

/// How many values a node holds, itself included, and how deep it nests.
fn size(node: &Node) -> (usize, usize) {
    let inside: Vec<(usize, usize)> = match &node.content {
        Content::Scalar { .. } => return (1, 0),
        Content::List(items) => items.iter().map(size).collect(),
        Content::Map(entries) => entries.iter().map(|(_, value)| size(value)).collect(),
    };
    let depth = inside.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
    (1 + inside.iter().map(|(values, _)| *values).sum::<usize>(), 1 + depth)
}

/// The nearest character boundary at or before a place.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}
