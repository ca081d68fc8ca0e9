use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Key, Node};
use crate::definition::{AskStep, Choice, StepKind, Verdict};

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader, nearest};

/// The most choices of one question.
const CHOICES_MAX: usize = 32;

/// What a choice means, as its author writes it.
enum Meant {
    Done,
    Failed,
    Said(Verdict),
}

impl Reader<'_> {
    /// A question to a person.
    pub fn ask(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let who = fields.take("ask").and_then(|n| self.title(n, "ask"));
        let question = fields.need(self, "question", "\"Pay ${data.amount}?\"");
        let question = question.and_then(|n| self.text_value(n, "question", Place::Alone));
        let choices = fields.need(self, "choices", "{ approve: done, refuse: failed }");
        let choices = choices.and_then(|n| self.choices(n, fields, position));
        let within = self.within(fields);
        let late = self.late(fields, position);
        let remind = fields.take("remind").map(|n| self.remind(n));
        let remind = remind.map_or(Some(None), |remind| remind.map(Some));
        Some(StepKind::Ask(AskStep {
            who: who?,
            question: question?,
            choices: choices?,
            within,
            late: late?,
            remind: remind?,
        }))
    }

    fn choices(
        &mut self,
        node: &Node,
        fields: &mut Fields<'_>,
        position: Position,
    ) -> Option<Vec<Choice>> {
        drop(self.fields(node, "`choices`")?);
        let Content::Map(entries) = &node.content else { return None };
        if entries.is_empty() || entries.len() > CHOICES_MAX {
            let message = format!("`choices` has {} answers", entries.len());
            let help = format!("give 1 to {CHOICES_MAX}, such as `approve: done`");
            return self.error(Code::Range, node.span.clone(), message, help);
        }
        let meant: Vec<_> =
            entries.iter().map(|(key, value)| self.meant(key, value, position)).collect();
        let meant: Vec<_> = meant.into_iter().collect::<Option<_>>()?;
        if !meant.iter().any(|(_, meant)| matches!(meant, Meant::Done)) {
            let help = "let one of them mean `done`";
            let message = "every answer says no";
            return self.error(Code::Contradiction, node.span.clone(), message, help);
        }
        let plain = meant.iter().any(|(_, meant)| matches!(meant, Meant::Failed));
        let failed = self.plain_failed(fields, position, plain)?;
        let choice = |(name, meant)| match meant {
            Meant::Done => Choice { name, failed: None },
            Meant::Failed => Choice { name, failed: Some(failed.clone()) },
            Meant::Said(verdict) => Choice { name, failed: Some(verdict) },
        };
        Some(meant.into_iter().map(choice).collect())
    }

    /// What every answer means that is `failed` and says no more.
    fn plain_failed(
        &mut self,
        fields: &mut Fields<'_>,
        position: Position,
        used: bool,
    ) -> Option<Verdict> {
        if let Some((_, node)) = fields.entry("failed") {
            let mut failed = self.fields(node, "`failed`")?;
            let verdict = self.then_and_set(&mut failed, position, Place::Answer);
            failed.finish(self);
            return verdict;
        }
        let position = if used { position } else { Position::Before };
        let head = fields.head(self);
        let then = self.then(None, position, &head)?;
        Some(Verdict { set: Vec::new(), then })
    }

    fn meant(&mut self, key: &Key, node: &Node, position: Position) -> Option<(String, Meant)> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.text.is_empty() || !key.text.chars().all(legal) {
            let message = format!("`{}` cannot be an answer's name", key.text);
            let help = "use letters, digits, `-` and `_`, such as `approve`";
            return self.error(Code::Name, key.span.clone(), message, help);
        }
        let meant = match &node.content {
            Content::Map(_) => {
                let mut fields = self.fields(node, "this choice")?;
                let verdict = self.then_and_set(&mut fields, position, Place::Answer);
                fields.finish(self);
                Meant::Said(verdict?)
            }
            Content::Scalar { text, .. } if text == "done" => Meant::Done,
            Content::Scalar { text, .. } if text == "failed" => Meant::Failed,
            Content::Scalar { .. } | Content::List(_) => {
                let text = self.scalar(node, &key.text)?;
                let message = format!("`{}` cannot mean `{text}`", key.text);
                let help = match nearest(text, ["done", "failed"].into_iter()) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => String::from("write `done`, `failed` or `{ then: …, set: … }`"),
                };
                return self.error(Code::NotAChoice, node.span.clone(), message, help);
            }
        };
        Some((key.text.clone(), meant))
    }
}
