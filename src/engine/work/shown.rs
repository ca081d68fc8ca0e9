//! Values in words for people.

use serde_json::Value;

use super::turn::Turn;
use crate::expression::{Expression, Name, Reference};

/// The longest value that is shown; the rest is cut off.
const SHOWN_MAX: usize = 60;

impl Turn<'_> {
    /// What an expression has come to instead of what it should, behind a sentence that says so;
    /// nothing if it reads what is sensitive.
    pub fn instead(&self, expression: &Expression, value: &Value) -> String {
        if expression.references().iter().any(|read| self.is_sensitive(read)) {
            return String::new();
        }
        let text = value.to_string();
        match text.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => format!(", but `{}…`", &text[..end]),
            None => format!(", but `{text}`"),
        }
    }

    fn is_sensitive(&self, read: &Reference) -> bool {
        // An element or a field of a branch may come from a sensitive field.
        let is_plain = matches!(read.name, Name::Data);
        let mut paths = self.definition.sensitive.iter();
        let is_said = paths.any(|path| {
            !is_plain || path.starts_with(&read.fields) || read.fields.starts_with(path)
        });
        let field = read.fields.first().filter(|_| is_plain);
        is_said || field.is_some_and(|field| self.definition.secret_fields().contains(field))
    }
}
