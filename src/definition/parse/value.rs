use std::ops::Range;

use serde_json::Value;

use crate::definition::Assignment;
use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node, is_number};
use crate::definition::places::Written;
use crate::expression::{Expression, ParseError, Template};
use crate::message::{Span, read_json};

use super::paths::is_field;
use super::place::Place;
use super::reader::Reader;
use super::{hint, quote};

impl Reader<'_> {
    /// A CEL expression.
    pub fn expression(&mut self, node: &Node, key: &str, place: Place) -> Option<Expression> {
        if node.tag.is_some() || !matches!(node.content, Content::Scalar { .. }) {
            return self.unquoted(node, key);
        }
        let Some(text) = node.text() else {
            let message = format!("`{key}` is empty");
            let help = "write an expression, such as `event.order_id`";
            return self.error(Code::WrongType, node.span.clone(), message, help);
        };
        match Expression::parse(text) {
            Ok(expression) => {
                let at = places(self.text(), node, text);
                self.note_expression(&expression, &at);
                self.check_references(&expression.references(), place, at);
                Some(expression)
            }
            Err(e) => self.no_expression(node, key, text, &e),
        }
    }

    /// Notes where an expression stands.
    fn note_expression(&mut self, expression: &Expression, at: &impl Fn(&str) -> Range<usize>) {
        let source = expression.source().to_owned();
        let span = at(&source);
        self.places.expressions.push(Written { step: self.step, source, span });
    }

    /// Text that is no CEL, where an author may have meant something else.
    fn no_expression<T>(
        &mut self,
        node: &Node,
        key: &str,
        text: &str,
        e: &ParseError,
    ) -> Option<T> {
        if key == "until" && text.trim().parse::<Span>().is_ok() {
            let message = format!("`until` is a moment, and `{text}` is a duration");
            let help = format!("write `sleep: {text}`, or a moment such as `data.not_before`");
            return self.error(Code::Expression, node.span.clone(), message, help);
        }
        let start = node.span.start;
        let line_start = self.text()[..start].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text()[line_start..].lines().next().unwrap_or_default();
        let whole = quote::expression_at(line, start - line_start);
        let is_cut = whole.len() > text.len() && whole.starts_with(text);
        let is_cut = is_cut && self.text()[node.span.end..].starts_with(',');
        if is_cut && Expression::parse(whole).is_ok() {
            let message = "in `{ … }` YAML ends this value at the comma";
            let help = format!("quote the expression: `{key}: {}`", quote::quoted(whole));
            return self.error(Code::Quote, start..start + whole.len(), message, help);
        }
        self.refused(node, text, Code::Expression, e)
    }

    /// An expression that YAML reads as a tag, a list or a mapping.
    fn unquoted<T>(&mut self, node: &Node, key: &str) -> Option<T> {
        let start = node.tag.as_ref().map_or(node.span.start, |t| t.start);
        let line_start = self.text()[..start].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text()[line_start..].lines().next().unwrap_or_default();
        let raw = quote::expression_at(line, start - line_start);
        let message = format!("YAML does not read `{raw}` as text");
        let help = format!("quote the expression: `{key}: {}`", quote::quoted(raw));
        self.error(Code::Quote, start..start + raw.len(), message, help)
    }

    fn refused<T>(&mut self, node: &Node, text: &str, code: Code, e: &ParseError) -> Option<T> {
        let span = match e.at {
            Some(at) if at < text.len() => {
                let start = inside(self.text(), node, text, at);
                start..start + 1
            }
            _ => node.span.clone(),
        };
        let raw = self.text().get(node.span.clone()).unwrap_or_default();
        let behind = self.text()[node.span.end..].lines().next().unwrap_or_default();
        if behind.trim_start().starts_with('#') && raw.matches('"').count() % 2 == 1 {
            let help = "` #` begins a YAML comment; quote the expression";
            return self.error(code, span, e.message.clone(), help);
        }
        let source = if code == Code::Template { hole(text, e.at) } else { text };
        if let Some(help) = hint::dashed(source) {
            let message = e.message.split("; ").next().unwrap_or_default().to_owned();
            return self.error(code, span, message, help);
        }
        let usual = || "write it as CEL, such as `data.total > 1000 && has(data.note)`".to_owned();
        let help = hint::of(source).unwrap_or_else(usual);
        self.told(code, span, &e.message, &help)
    }

    /// Named expressions, such as `set` and `data`; their names become fields of the data.
    pub fn assignments(&mut self, node: &Node, key: &'static str, place: Place) -> Vec<Assignment> {
        let Some(fields) = self.fields(node, key) else {
            return Vec::new();
        };
        drop(fields);
        let Content::Map(entries) = &node.content else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (field, value) in entries {
            if !is_field(&field.text) {
                let message = format!("`{}` cannot be a field's name", field.text);
                let help =
                    "use letters, digits and `_`, starting with a letter, such as `order_id`";
                self.error::<()>(Code::Name, field.span.clone(), message, help);
                continue;
            }
            if place == Place::Collect {
                // It is read inside the fan-out, and fills what is around it.
                let inside = self.around.pop();
                self.fill(&field.text);
                self.around.extend(inside);
            } else {
                self.fill(&field.text);
            }
            if let Some(value) = self.expression(value, &field.text, place) {
                found.push(Assignment { field: field.text.clone(), value });
            }
        }
        found
    }

    /// YAML in which `${ cel }` is evaluated.
    pub fn template(&mut self, node: &Node, place: Place) -> Option<Template> {
        if let Some(tag) = &node.tag {
            let help = "quote the text, so that its `!` is not a YAML tag";
            return self.error(Code::Quote, tag.clone(), "YAML reads this as a tag", help);
        }
        match &node.content {
            Content::List(items) => {
                let items: Vec<_> = items.iter().map(|i| self.template(i, place)).collect();
                Some(Template::List(items.into_iter().collect::<Option<_>>()?))
            }
            Content::Map(entries) => {
                drop(self.fields(node, "this mapping"));
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| Some((key.text.clone(), self.template(value, place)?)))
                    .collect();
                Some(Template::Object(entries.into_iter().collect::<Option<_>>()?))
            }
            Content::Scalar { text, plain: true } if node.kind() != "text" => {
                self.literal(node, text).map(Template::Literal)
            }
            Content::Scalar { text, .. } => self.text_template(node, text, place),
        }
    }

    /// A value as it stands: nothing in it is evaluated.
    pub fn value(&mut self, node: &Node) -> Option<Value> {
        match &node.content {
            Content::List(items) => {
                let items: Vec<_> = items.iter().map(|i| self.value(i)).collect();
                Some(Value::Array(items.into_iter().collect::<Option<_>>()?))
            }
            Content::Map(entries) => {
                drop(self.fields(node, "this mapping"));
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| Some((key.text.clone(), self.value(value)?)))
                    .collect();
                Some(Value::Object(entries.into_iter().collect::<Option<_>>()?))
            }
            Content::Scalar { text, plain: true } if node.kind() != "text" => {
                self.literal(node, text)
            }
            Content::Scalar { text, .. } => Some(Value::String(text.clone())),
        }
    }

    /// A plain number, boolean or null; a number's text goes through as it stands.
    fn literal(&mut self, node: &Node, text: &str) -> Option<Value> {
        if !is_number(text) {
            return Some(match text {
                "true" | "True" | "TRUE" => Value::Bool(true),
                "false" | "False" | "FALSE" => Value::Bool(false),
                _ => Value::Null,
            });
        }
        if let Ok(number) = read_json(text.as_bytes()) {
            return Some(number);
        }
        let message = format!("`{text}` is a number that JSON cannot carry");
        let help = format!("write it in decimal digits, or quote it: {}", quote::quoted(text));
        self.error(Code::WrongType, node.span.clone(), message, help)
    }

    /// A string with `${ cel }` in it.
    pub fn text_template(&mut self, node: &Node, text: &str, place: Place) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) => {
                let at = places(self.text(), node, text);
                if let Template::Literal(Value::String(text)) = &template {
                    let (step, source) = (self.step, text.clone());
                    self.places.texts.push(Written { step, source, span: node.span.clone() });
                }
                for expression in template.expressions() {
                    self.note_expression(expression, &at);
                }
                self.check_references(&template.references(), place, at);
                Some(template)
            }
            Err(e) => self.refused(node, text, Code::Template, &e),
        }
    }

    /// A text template that must become text: `fail`, a header's value.
    pub fn text_value(&mut self, node: &Node, key: &str, place: Place) -> Option<Template> {
        let Some(text) = node.text() else {
            let message = format!("`{key}` is {}, not text", node.kind());
            let help = "write text; `${ … }` in it is evaluated";
            return self.error(Code::WrongType, node.span.clone(), message, help);
        };
        self.text_template(node, text, place)
    }
}

/// Finds a path that an expression reads in the file.
fn places(source: &str, node: &Node, text: &str) -> impl Fn(&str) -> Range<usize> {
    move |path| match text.find(path) {
        Some(at) => {
            let start = inside(source, node, text, at);
            start..start + path.len()
        }
        None => node.span.clone(),
    }
}

/// The place in the file of a place in a scalar's text.
fn inside(source: &str, node: &Node, text: &str, at: usize) -> usize {
    let raw = source.get(node.span.clone()).unwrap_or_default();
    match raw.find(text.trim_end()) {
        Some(start) => node.span.start + start + at,
        None => node.span.start,
    }
}

/// The expression of a template in which a place is, or nothing.
fn hole(text: &str, at: Option<usize>) -> &str {
    let Some((before, behind)) = at.and_then(|at| text.split_at_checked(at)) else { return "" };
    let Some(open) = before.rfind("${") else { return "" };
    let close = behind.find('}').map_or(text.len(), |close| before.len() + close);
    &text[open + "${".len()..close]
}
