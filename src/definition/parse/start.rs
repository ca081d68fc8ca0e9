use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::model::{
    After, Again, Assumption, Cancel, Correlation, EventPattern, EventRule, Never, Start,
};
use crate::definition::node::{Content, Key, Node};
use crate::message::{Address, Topic};

use super::place::Place;
use super::reader::{Fields, Reader, nearest};

impl Reader<'_> {
    /// What starts an instance, one or a list, and whether another saga may.
    pub fn starts(&mut self, node: &Node) -> (Vec<Start>, bool) {
        let nodes = self.one_or_more(node, "start");
        let mut by_parent = false;
        let mut starts = Vec::new();
        for node in nodes {
            if is_by_parent(node) {
                self.by_parent(node, by_parent);
                by_parent = true;
            } else {
                starts.extend(self.start(node));
            }
        }
        (starts, by_parent)
    }

    fn by_parent(&mut self, node: &Node, twice: bool) {
        let Some(mut fields) = self.fields(node, "`start`") else { return };
        let by = fields.take("by");
        by.and_then(|n| self.choice(n, "by", &[("parent", ())]));
        if let Some((key, _)) = fields.entry("on") {
            let help = "make two starts of it: `[ { on: … }, { by: parent } ]`";
            let message = "a start is by its parent or on an event, not both";
            self.error::<()>(Code::Contradiction, key.span.clone(), message, help);
            fields.give_up();
        }
        if twice {
            let help = "keep one `by: parent`";
            let message = "`by: parent` stands twice";
            self.error::<()>(Code::NameTwice, node.span.clone(), message, help);
        }
        fields.finish(self);
    }

    fn start(&mut self, node: &Node) -> Option<Start> {
        if matches!(node.content, Content::Scalar { .. }) {
            let on = self.address(node, "start")?;
            let (again, after) = (Again::Ignore, After::Ignore);
            return Some(Start { on, condition: None, key: None, again, after });
        }
        let mut fields = self.fields(node, "`start`")?;
        let on = fields.need(self, "on", "shop.orders/OrderPlaced");
        let on = on.and_then(|n| self.address(n, "on"));
        let condition = self.optional(&mut fields, "where", Place::Before);
        let key = self.optional(&mut fields, "key", Place::Before);
        let again = [("ignore", Again::Ignore), ("reject", Again::Reject), ("queue", Again::Queue)];
        let again = fields.take("again").map(|n| self.choice(n, "again", &again));
        let after = [("ignore", After::Ignore), ("new", After::New)];
        let after = fields.take("after").map(|n| self.choice(n, "after", &after));
        fields.finish(self);
        Some(Start {
            on: on?,
            condition,
            key,
            again: again.unwrap_or(Some(Again::Ignore))?,
            after: after.unwrap_or(Some(After::Ignore))?,
        })
    }

    /// An expression that may be left out.
    pub fn optional(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        place: Place,
    ) -> Option<crate::expression::Expression> {
        fields.take(key).and_then(|n| self.expression(n, key, place))
    }

    /// How events find their instance.
    pub fn event_rules(&mut self, node: &Node) -> Vec<EventRule> {
        let Some(fields) = self.fields(node, "`events`") else {
            return Vec::new();
        };
        drop(fields);
        let Content::Map(entries) = &node.content else {
            return Vec::new();
        };
        entries.iter().filter_map(|(key, value)| self.event_rule(key, value)).collect()
    }

    fn event_rule(&mut self, on: &Key, node: &Node) -> Option<EventRule> {
        let on = self.pattern(on);
        let mut fields = self.fields(node, "this rule")?;
        let key = self.optional(&mut fields, "key", Place::Before);
        let by = [("any", Correlation::Any), ("command-id", Correlation::CommandId)];
        let by = fields.take("by").map(|n| self.choice(n, "by", &by));
        fields.finish(self);
        Some(EventRule { on: on?, key, by: by.unwrap_or(Some(Correlation::Any))? })
    }

    /// `topic/event-type` or `topic/*`.
    fn pattern(&mut self, key: &Key) -> Option<EventPattern> {
        let whole =
            key.text.strip_suffix("/*").map(|topic| Topic::new(topic).map(|topic| (topic, None)));
        let found = whole
            .unwrap_or_else(|| key.text.parse::<Address>().map(|a| (a.topic, Some(a.event_type))));
        match found {
            Ok((topic, event_type)) => Some(EventPattern { topic, event_type }),
            Err(e) => {
                let help = "write `topic/event-type`, or `topic/*` for every type of the topic";
                self.told(Code::Address, key.span.clone(), &e.to_string(), help)
            }
        }
    }

    /// Facts that ask for the way back: one or a list.
    pub fn cancels(&mut self, node: &Node) -> Vec<Cancel> {
        let nodes = self.one_or_more(node, "cancel");
        nodes.iter().filter_map(|n| self.cancel(n)).collect()
    }

    fn cancel(&mut self, node: &Node) -> Option<Cancel> {
        if matches!(node.content, Content::Scalar { .. }) {
            let on = self.address(node, "cancel")?;
            return Some(Cancel { on, condition: None, key: None });
        }
        let mut fields = self.fields(node, "`cancel`")?;
        let on = fields.need(self, "on", "shop.orders/OrderCancelled");
        let on = on.and_then(|n| self.address(n, "on"));
        let condition = self.optional(&mut fields, "where", Place::Cancel);
        let key = self.optional(&mut fields, "key", Place::Before);
        fields.finish(self);
        Some(Cancel { on: on?, condition, key })
    }

    /// What the author takes for granted: `topic/Command never late`.
    pub fn assumptions(&mut self, node: &Node) -> Vec<(Assumption, Range<usize>)> {
        let nodes = self.one_or_more(node, "assume");
        nodes.iter().filter_map(|n| Some((self.assumption(n)?, n.span.clone()))).collect()
    }

    fn assumption(&mut self, node: &Node) -> Option<Assumption> {
        let text = self.scalar(node, "assume")?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let [command, "never", what] = words[..] else {
            let message = format!("`{text}` is not something that can be assumed");
            let help = "write such as `payments.commands/ChargeCard never late`";
            return self.error(Code::NotAChoice, node.span.clone(), message, help);
        };
        let never = match what {
            "late" => Never::Late,
            "unknown" => Never::Unknown,
            "rejected" => Never::Rejected,
            _ => {
                let message = format!("`never {what}` means nothing");
                let known = ["late", "unknown", "rejected"];
                let help = match nearest(what, known.into_iter()) {
                    Some(word) => format!("did you mean `never {word}`?"),
                    None => format!("write one of: {}", known.join(", ")),
                };
                return self.error(Code::NotAChoice, node.span.clone(), message, help);
            }
        };
        match command.parse::<Address>() {
            Ok(command) => Some(Assumption { command, never }),
            Err(e) => {
                let help = "write such as `payments.commands/ChargeCard never late`";
                self.told(Code::Address, node.span.clone(), &e.to_string(), help)
            }
        }
    }
}

fn is_by_parent(node: &Node) -> bool {
    match &node.content {
        Content::Map(entries) => entries.iter().any(|(key, _)| key.text == "by"),
        Content::Scalar { .. } | Content::List(_) => false,
    }
}
