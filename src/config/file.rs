use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::Error;
use super::keys::{KEYS, Key, Kind, find, is_group, nearest};
use super::settings::{Origin, Settings, Written};

/// The largest file that is read.
const BYTES_MAX: u64 = 1024 * 1024;

/// Reads a file of YAML into settings.
pub(super) fn read(path: &Path, settings: &mut Settings) -> Result<(), Error> {
    let name = path.display().to_string();
    let wrong = |reason: String| Error::File { file: name.clone(), reason };
    let length = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?.len();
    if length > BYTES_MAX {
        return Err(wrong(format!("{length} bytes are too many, {BYTES_MAX} at most")));
    }
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    parse(&name, &text, settings)
}

/// Reads YAML into settings.
pub(super) fn parse(name: &str, text: &str, settings: &mut Settings) -> Result<(), Error> {
    let document: Option<Spanned<Node>> =
        serde_saphyr::from_str(text).map_err(|e| Error::Yaml(in_words(name, &e)))?;
    let Some(document) = document else { return Ok(()) };
    let mut walk = Walk { name, text, settings };
    match &document.value {
        Node::Map(entries) => walk.group("", entries),
        Node::Null => {}
        Node::Plain | Node::Text(_) | Node::List(_) => {
            let origin = walk.origin(&document);
            walk.settings.refuse(&origin, "a configuration is a mapping, such as `app: segue`");
        }
    }
    Ok(())
}

fn in_words(name: &str, error: &serde_saphyr::Error) -> String {
    let error = error.without_snippet();
    let words = error.to_string();
    match error.location() {
        Some(at) => format!("{name}:{}:{}: {words}", at.line(), at.column()),
        None => format!("{name}: {words}"),
    }
}

/// YAML with places. A plain scalar's text stands in the source: as a number it could lose digits.
#[derive(Debug)]
enum Node {
    Null,
    Plain,
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = all.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = all.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

struct Walk<'a> {
    name: &'a str,
    text: &'a str,
    settings: &'a mut Settings,
}

impl Walk<'_> {
    fn group(&mut self, above: &str, entries: &[(Spanned<String>, Spanned<Node>)]) {
        for (name, node) in entries {
            let path = match above {
                "" => name.value.clone(),
                _ => format!("{above}.{}", name.value),
            };
            let origin = self.origin(name);
            match (find(&path), is_group(&path), &node.value) {
                (Some(key), _, _) => self.key(key, node),
                (None, true, Node::Map(entries)) => self.group(&path, entries),
                (None, true, Node::Null) => {}
                (None, true, _) => {
                    let words = format!("`{path}` is a mapping; its keys are {}", below(&path));
                    self.settings.refuse(&origin, &words);
                }
                (None, false, _) => {
                    let near = meant(above, &name.value);
                    let advice = near.map_or_else(
                        || format!("the keys here are {}", below(above)),
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.settings.refuse(&origin, &format!("unknown key `{path}`; {advice}"));
                }
            }
        }
    }

    fn key(&mut self, key: &'static Key, node: &Spanned<Node>) {
        let origin = self.origin(node);
        let written = match (key.kind, &node.value) {
            (_, Node::Null) => return,
            (Kind::Text | Kind::Secret, _) => self.scalar(node).map(Written::Text),
            (Kind::List, Node::List(items)) => {
                items.iter().map(|item| self.scalar(item)).collect::<Option<_>>().map(Written::List)
            }
            (Kind::List, _) => self.scalar(node).map(|text| Written::List(vec![text])),
            (Kind::Map, Node::Map(entries)) => {
                let pair = |(name, node): &(Spanned<String>, Spanned<Node>)| {
                    Some((name.value.clone(), self.scalar(node)?))
                };
                entries.iter().map(pair).collect::<Option<_>>().map(Written::Map)
            }
            (Kind::Map, _) => None,
        };
        if let Some(written) = written {
            self.settings.set(key, written, origin);
            return;
        }
        let wanted = match key.kind {
            Kind::Text | Kind::Secret => "a single value",
            Kind::List => "a list of single values",
            Kind::Map => "a mapping of single values",
        };
        self.settings.refuse(&origin, &format!("`{}` wants {wanted}", key.path));
    }

    fn scalar(&self, node: &Spanned<Node>) -> Option<String> {
        match &node.value {
            Node::Text(text) => Some(text.clone()),
            Node::Plain => {
                let span = node.defined.span();
                let from = usize::try_from(span.byte_offset()?).ok()?;
                let length = usize::try_from(span.byte_len()?).ok()?;
                Some(self.text.get(from..from.checked_add(length)?)?.trim().to_owned())
            }
            Node::Null => Some(String::new()),
            Node::List(_) | Node::Map(_) => None,
        }
    }

    fn origin<T>(&self, node: &Spanned<T>) -> Origin {
        let at = node.referenced;
        Origin::File { file: self.name.to_owned(), line: at.line(), column: at.column() }
    }
}

/// The key or group that is likely meant: one beside it, else one of that name elsewhere.
fn meant(above: &str, name: &str) -> Option<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let parent = |path: &str| path.rsplit_once('.').map_or("", |(parent, _)| parent).to_owned();
    let all = names();
    let beside = all.iter().filter(|path| parent(path) == above).map(|path| last(path));
    let (group, near) = if let Some(near) = nearest(name, beside) {
        (above.to_owned(), near)
    } else {
        let near = nearest(name, all.iter().map(|path| last(path)))?;
        (parent(all.iter().find(|path| last(path) == near)?), near)
    };
    Some(if group.is_empty() { near } else { format!("{group}.{near}") })
}

/// All keys and groups.
fn names() -> BTreeSet<String> {
    let groups = |key: &Key| {
        key.path.match_indices('.').map(|(at, _)| key.path[..at].to_owned()).collect::<Vec<_>>()
    };
    let keys = KEYS.iter().map(|key| key.path.to_owned());
    keys.chain(KEYS.iter().flat_map(groups)).collect()
}

/// The names below a group, for people.
fn below(above: &str) -> String {
    let inside = |key: &Key| {
        let rest = match above {
            "" => key.path,
            _ => key.path.strip_prefix(above)?.strip_prefix('.')?,
        };
        rest.split('.').next().map(|name| format!("`{name}`"))
    };
    let mut names: Vec<String> = KEYS.iter().filter_map(inside).collect();
    names.dedup();
    names.join(", ")
}
