use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::message::{Address, Span};

use super::reader::{Reader, nearest};

impl Reader<'_> {
    /// A scalar as it stands; numbers and booleans are text as well.
    pub fn scalar<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            let message = format!("`{key}` is {}, not text", node.kind());
            return self.error(Code::WrongType, node.span.clone(), message, "write one value here");
        }
        text
    }

    /// Text for people.
    pub fn title(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = self.scalar(node, key)?.trim().to_owned();
        if text.is_empty() {
            let message = format!("`{key}` is empty");
            return self.error(
                Code::WrongType,
                node.span.clone(),
                message,
                "say it in a few words",
            );
        }
        Some(text)
    }

    /// `true` or `false`, nothing else.
    pub fn boolean(&mut self, node: &Node, key: &str) -> Option<bool> {
        match node.plain() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) | None => {
                let message = format!("`{key}` is {}, not true or false", node.kind());
                let help = format!("write `{key}: true` or `{key}: false`, without quotes");
                self.error(Code::WrongType, node.span.clone(), message, help)
            }
        }
    }

    /// A whole number within a range.
    pub fn integer(&mut self, node: &Node, key: &str, range: Range<u64>) -> Option<u32> {
        let Some(number) = node.plain().and_then(|text| text.parse::<u64>().ok()) else {
            let message = format!("`{key}` is {}, not a whole number", node.kind());
            let help = format!("write such as `{key}: {}`", range.start);
            return self.error(Code::WrongType, node.span.clone(), message, help);
        };
        if !range.contains(&number) {
            let message = format!("`{key}` is {number}");
            let help = format!("write a number from {} to {}", range.start, range.end - 1);
            return self.error(Code::Range, node.span.clone(), message, help);
        }
        u32::try_from(number).ok()
    }

    /// A number of at least 1 and at most `most`.
    pub fn factor(&mut self, node: &Node, key: &str, most: f64) -> Option<f64> {
        let Some(number) = node.plain().and_then(|text| text.parse::<f64>().ok()) else {
            let message = format!("`{key}` is {}, not a number", node.kind());
            let help = format!("write such as `{key}: 2`");
            return self.error(Code::WrongType, node.span.clone(), message, help);
        };
        if !(1.0..=most).contains(&number) {
            let message = format!("`{key}` is {number}");
            let help = format!("write a number from 1 to {most}");
            return self.error(Code::Range, node.span.clone(), message, help);
        }
        Some(number)
    }

    /// A duration longer than nothing.
    pub fn duration(&mut self, node: &Node, key: &str) -> Option<Span> {
        let text = self.scalar(node, key)?;
        match text.parse::<Span>() {
            Ok(span) if span == Span::default() => {
                let message = format!("`{key}` is no time at all");
                self.error(Code::Range, node.span.clone(), message, "write such as `10s`")
            }
            Ok(span) => Some(span),
            Err(e) => {
                let words = e.to_string();
                let message = words.split("; ").next().unwrap_or_default();
                let help = match text.parse::<f64>() {
                    Ok(_) => format!("say the unit: `{text}s` for seconds, `{text}ms`, `{text}m`"),
                    Err(_) if text.contains("${") => String::from(
                        "a duration is written out, such as 7d; a moment may come from the data: \
                         `until: data.not_before`",
                    ),
                    Err(_) => String::from(
                        "write such as 200ms, 10s, 1h30m, 7d or 2w, the largest unit first",
                    ),
                };
                self.error(Code::Duration, node.span.clone(), message, help)
            }
        }
    }

    /// `topic/event-type`.
    pub fn address(&mut self, node: &Node, key: &str) -> Option<Address> {
        let text = self.scalar(node, key)?;
        match text.parse::<Address>() {
            Ok(address) if address.event_type.as_str() == "*" => {
                let message = format!("`{text}` names no event type");
                let help = "`*` stands only under `events`; name the event here";
                self.error(Code::Address, node.span.clone(), message, help)
            }
            Ok(address) => Some(address),
            Err(e) => {
                let words = format!("`{key}`: {e}");
                let help = "write topic/event-type, such as shop.orders/OrderPlaced";
                self.told(Code::Address, node.span.clone(), &words, help)
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &mut self,
        node: &Node,
        key: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.scalar(node, key)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let help = match nearest(text, words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("write one of: {}", words.join(", ")),
        };
        let message = format!("`{key}` cannot be `{text}`");
        self.error(Code::NotAChoice, node.span.clone(), message, help)
    }

    /// One value or a list of them.
    pub fn one_or_more<'n>(&mut self, node: &'n Node, key: &str) -> Vec<&'n Node> {
        match &node.content {
            Content::List(items) if items.is_empty() => {
                let message = format!("`{key}` is an empty list");
                let help = format!("name at least one, or leave `{key}` out");
                self.error::<()>(Code::WrongType, node.span.clone(), message, help);
                Vec::new()
            }
            Content::List(items) => items.iter().collect(),
            Content::Scalar { .. } | Content::Map(_) => vec![node],
        }
    }
}
