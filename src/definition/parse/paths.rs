//! Plain paths into the data: what is sensitive, and what is searched by.

use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::node::Node;
use crate::definition::places::Read;
use crate::expression::Name;

use super::place::Place;
use super::reader::{Reader, nearest};

/// The most fields by which the instances of a saga are searched: each is kept for each instance.
pub(super) const SEARCH_MAX: usize = 8;

impl Reader<'_> {
    /// Paths of the data that hold secrets.
    pub fn sensitive(&mut self, node: &Node) -> Vec<Vec<String>> {
        let found = self.data_paths(node, "sensitive", "data.card_token");
        for (fields, span) in &found {
            self.note_read(fields, span);
        }
        found.into_iter().map(|(fields, _)| fields).collect()
    }

    /// Paths of the data by which people search, each once and not too many.
    pub fn search(&mut self, node: &Node) -> Vec<(Vec<String>, Range<usize>)> {
        let mut found: Vec<(Vec<String>, Range<usize>)> = Vec::new();
        for (fields, span) in self.data_paths(node, "search", "data.customer") {
            let path = fields.join(".");
            if found.iter().any(|(known, _)| *known == fields) {
                let message = format!("`data.{path}` stands in `search` twice");
                self.error::<()>(Code::NotSearchable, span, message, "leave one of them out");
            } else if found.len() == SEARCH_MAX {
                let message = format!("`search` has more than {SEARCH_MAX} fields");
                let help = "name those by which people look for an instance; \
                            its page shows all of the data";
                self.error::<()>(Code::NotSearchable, span, message, help);
                break;
            } else {
                found.push((fields, span));
            }
        }
        found
    }

    /// The same, of which something fills each: asked when every step is read.
    pub fn searched(&mut self, found: Vec<(Vec<String>, Range<usize>)>) -> Vec<Vec<String>> {
        let fills = self.fills.get(&None).cloned().unwrap_or_default();
        for (fields, span) in &found {
            let Some(field) = fields.first().filter(|field| !fills.contains(*field)) else {
                self.note_read(fields, span);
                continue;
            };
            let message = format!("nothing fills `data.{field}`, so nobody can search by it");
            let help = match nearest(field, fills.iter().map(String::as_str)) {
                Some(known) => format!("did you mean `data.{known}`?"),
                None => format!("fill it under `data` or by a step's `set: {{ {field}: … }}`"),
            };
            self.error::<()>(Code::NotSearchable, span.clone(), message, help);
        }
        found.into_iter().map(|(fields, _)| fields).collect()
    }

    /// Notes that a field is read, by whoever asks first whether it is there.
    fn note_read(&mut self, fields: &[String], span: &Range<usize>) {
        self.places.reads.push(Read {
            step: None,
            each: None,
            place: Place::Data,
            name: Name::Data,
            fields: fields.to_vec(),
            asked: true,
            span: span.clone(),
        });
    }

    fn data_paths(
        &mut self,
        node: &Node,
        key: &str,
        example: &str,
    ) -> Vec<(Vec<String>, Range<usize>)> {
        let mut found = Vec::new();
        for item in self.one_or_more(node, key) {
            let Some(text) = self.scalar(item, key) else { continue };
            let mut parts = text.split('.');
            let fields: Vec<String> = match parts.next() {
                Some("data") => parts.map(str::to_owned).collect(),
                Some(_) | None => Vec::new(),
            };
            if fields.is_empty() || !fields.iter().all(|field| is_field(field)) {
                let message = format!("`{text}` is not a path into the data");
                let help = format!("write such as `{example}`");
                self.error::<()>(Code::Name, item.span.clone(), message, help);
                continue;
            }
            found.push((fields, item.span.clone()));
        }
        found
    }
}

/// Whether an expression can read the name behind a dot.
pub(super) fn is_field(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
