use std::collections::BTreeMap;
use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::step::{
    BlockId, CommandStep, Compensation, EmitStep, Failed, Step, StepId, StepKind, Then, Unknown,
};
use crate::message::StepName;

use super::STEPS_MAX;
use super::place::Place;
use super::reader::{Fields, Reader, nearest};
use super::request::ACTION_RETRY;
use super::rules::Position;

/// The kinds of step that this version runs; one of them makes a mapping a step.
const KINDS: [&str; 4] = ["command", "emit", "set", "fail"];

/// The kinds of step that the language has and this version does not run.
const KINDS_LATER: [&str; 10] =
    ["wait", "sleep", "until", "ask", "call", "saga", "parallel", "each", "choose", "lock"];

impl Reader<'_> {
    /// The list of steps, the main line.
    pub fn steps(&mut self, node: &Node) -> Vec<Step> {
        let Content::List(nodes) = &node.content else {
            let message = format!("`steps` is {}, not a list", node.kind());
            let help = "begin every step with `- `, such as `- step: reserve-stock`";
            self.error::<()>(Code::WrongType, node.span.clone(), message, help);
            return Vec::new();
        };
        if nodes.is_empty() {
            let help = "add a step, such as `- step: reserve-stock`";
            self.error::<()>(Code::WrongType, node.span.clone(), "`steps` is an empty list", help);
        }
        if let Some(first) = nodes.get(STEPS_MAX) {
            let message = format!("more than {STEPS_MAX} steps");
            let help = "split the saga into smaller ones";
            self.error::<()>(Code::Limit, first.span.clone(), message, help);
        }
        let pivot = self.pivot(nodes);
        let mut names: BTreeMap<String, u32> = BTreeMap::new();
        let mut steps = Vec::new();
        for (place, node) in nodes.iter().take(STEPS_MAX).enumerate() {
            let position = Position::of(place, pivot);
            match self.step(node, place, position, &mut names) {
                Some(step) => steps.push(step),
                // What a step that cannot be read would fill is not reported as never filled.
                None => self.fill_from(node),
            }
        }
        steps
    }

    fn step(
        &mut self,
        node: &Node,
        place: usize,
        position: Position,
        names: &mut BTreeMap<String, u32>,
    ) -> Option<Step> {
        let mut fields = self.fields(node, "this step")?;
        let said = fields.take("step");
        let kind = self.kind(&mut fields);
        let line = self.line(node.span.start);
        let name = match (said, kind) {
            (Some(said), _) => self.step_name(said, names, line),
            (None, Some("set" | "fail")) => Some(StepName::unnamed(kind?, place)),
            (None, None) => None,
            (None, Some(_)) => {
                let span = fields.head(self);
                let help = "begin it with `- step: reserve-stock`";
                self.error(Code::MissingKey, span, "this step has no name", help)
            }
        };
        let title = fields.take("title").and_then(|n| self.title(n, "title"));
        let when = self.optional(&mut fields, "when", Place::Alone);
        let pivot = fields.take("pivot").and_then(|n| self.boolean(n, "pivot"));
        let kind = kind?;
        let set_place = if kind == "command" { Place::Reply } else { Place::Alone };
        let set = fields.take("set").map(|n| self.assignments(n, "set", set_place));
        let body = match kind {
            "command" => self.command(&mut fields, position),
            "emit" => self.emit(&mut fields, position),
            "set" => Some(StepKind::Set),
            _ => self.fail(&mut fields, position),
        };
        fields.finish(self);
        Some(Step {
            id: StepId(u32::try_from(place).expect("STEPS_MAX is small")),
            block: BlockId::MAIN,
            name: name?,
            title,
            when,
            set: set.unwrap_or_default(),
            pivot: pivot.unwrap_or(false),
            after_pivot: position == Position::After,
            kind: body?,
            line,
        })
    }

    /// What makes a mapping a step.
    fn kind(&mut self, fields: &mut Fields<'_>) -> Option<&'static str> {
        let later: Vec<Range<usize>> = KINDS_LATER
            .iter()
            .filter_map(|k| fields.entry(k))
            .map(|(key, _)| key.span.clone())
            .collect();
        let mut found: Vec<(&'static str, Range<usize>)> = KINDS
            .iter()
            .filter_map(|kind| fields.entry(kind).map(|(key, _)| (*kind, key.span.clone())))
            .collect();
        if let Some(span) = later.into_iter().next() {
            let message = format!("`{}` steps are not built yet", &self.text()[span.clone()]);
            let help = "this version runs `command`, `emit`, `set` and `fail` steps";
            fields.give_up();
            return self.error(Code::NotYet, span, message, help);
        }
        // Beside another kind, `set` says what that kind's success writes.
        if found.len() > 1 {
            found.retain(|(kind, _)| *kind != "set");
        }
        match &found[..] {
            [(kind, _)] => Some(kind),
            [] => {
                let meant = fields
                    .unread()
                    .find_map(|key| Some((key, nearest(&key.text, KINDS.into_iter())?)));
                let (span, help) = match meant {
                    Some((key, kind)) => (key.span.clone(), format!("did you mean `{kind}`?")),
                    None => (
                        fields.head(self),
                        "add one of `command`, `emit`, `set` or `fail`".to_owned(),
                    ),
                };
                self.error(Code::MissingKey, span, "this step does nothing that is known", help)
            }
            [(first, _), (second, span), ..] => {
                let message = format!("`{first}` and `{second}` cannot stand in one step");
                let help = "make two steps of it";
                self.error(Code::Contradiction, span.clone(), message, help)
            }
        }
    }

    fn step_name(
        &mut self,
        node: &Node,
        names: &mut BTreeMap<String, u32>,
        line: u32,
    ) -> Option<StepName> {
        let text = self.scalar(node, "step")?;
        if let Some(first) = names.insert(text.to_owned(), line) {
            let message = format!("the step `{text}` stands already on line {first}");
            let help = "give every step a name of its own; instances know their steps by it";
            return self.error(Code::NameTwice, node.span.clone(), message, help);
        }
        match StepName::new(text) {
            Ok(name) => Some(name),
            Err(e) => {
                let help = "write such as `reserve-stock`";
                self.told(Code::Name, node.span.clone(), &e.to_string(), help)
            }
        }
    }

    fn command(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, command) = fields.entry("command")?;
        let command = self.address(command, "command");
        fields.not_yet(self, &["probe"]);
        let failed = fields.take("failed");
        let failed = failed.map(|n| self.faileds(n, position)).unwrap_or_default();
        let unknown = fields.take("unknown").map(|n| self.unknown(n, position));
        let compensate = self.compensate(fields, position, &key.span);
        let request = self.request(fields, command, Place::Alone, ACTION_RETRY);
        if let Some(request) = &request {
            self.check_replies(request, &failed, &key.span);
        }
        Some(StepKind::Command(CommandStep {
            request: request?,
            failed,
            probe: None,
            unknown: unknown.unwrap_or(Some(position.unknown()))?,
            compensate: compensate?,
        }))
    }

    fn compensate(
        &mut self,
        fields: &mut Fields<'_>,
        position: Position,
        step: &Range<usize>,
    ) -> Option<Compensation> {
        match fields.entry("compensate") {
            Some((key, node)) => {
                self.check_undo(position, &key.span);
                self.compensation(node)
            }
            None if fields.is_misspelt("compensate") => None,
            None => self.unsaid(position, step),
        }
    }

    fn unknown(&mut self, node: &Node, position: Position) -> Option<Unknown> {
        if matches!(&node.content, Content::Scalar { text, .. } if text == "probe") {
            let help = "write `compensate`, `retry` or `park`";
            let message = "`unknown: probe` is not built yet";
            return self.error(Code::NotYet, node.span.clone(), message, help);
        }
        let choices = [
            ("compensate", Unknown::Compensate),
            ("retry", Unknown::Retry),
            ("park", Unknown::Park),
        ];
        let unknown = self.choice(node, "unknown", &choices)?;
        self.check_unknown(unknown, position, &node.span)
    }

    /// The business "no": one or a list, as text or mapping.
    fn faileds(&mut self, node: &Node, position: Position) -> Vec<Failed> {
        let nodes = self.one_or_more(node, "failed");
        nodes.iter().filter_map(|n| self.failed(n, position)).collect()
    }

    fn failed(&mut self, node: &Node, position: Position) -> Option<Failed> {
        if matches!(node.content, Content::Scalar { .. }) {
            let on = self.address(node, "failed")?;
            let then = self.then(None, position, &node.span)?;
            return Some(Failed { on, condition: None, reason: None, set: Vec::new(), then });
        }
        let mut fields = self.fields(node, "`failed`")?;
        let on = fields.need(self, "on", "inventory.events/StockRejected");
        let on = on.and_then(|n| self.address(n, "on"));
        let condition = self.optional(&mut fields, "where", Place::Reply);
        let reason = self.optional(&mut fields, "reason", Place::Reply);
        let choices = [("go-back", Then::GoBack), ("go-on", Then::GoOn), ("park", Then::Park)];
        let then = if let Some((_, node)) = fields.entry("then") {
            let then = self.choice(node, "then", &choices);
            then.and_then(|then| self.then(Some(then), position, &node.span))
        } else {
            let head = fields.head(self);
            self.then(None, position, &head)
        };
        let set = fields.entry("set");
        if let (Some((key, _)), Some(Then::GoBack | Then::Park)) = (set, then) {
            let help = "say `then: go-on`, or leave `set` out";
            let message = "`set` has an effect only with `then: go-on`";
            self.error::<()>(Code::NoEffect, key.span.clone(), message, help);
        }
        let set = set.map(|(_, n)| self.assignments(n, "set", Place::Reply));
        fields.finish(self);
        Some(Failed { on: on?, condition, reason, set: set.unwrap_or_default(), then: then? })
    }

    fn emit(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, emit) = fields.entry("emit")?;
        let compensate = self.compensate(fields, position, &key.span);
        let fact = self.fact(fields, emit, Place::Alone);
        Some(StepKind::Emit(EmitStep { fact: fact?, compensate: compensate? }))
    }

    fn fail(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, reason) = fields.entry("fail")?;
        self.check_fail(position, &key.span);
        self.text_value(reason, "fail", Place::Alone).map(StepKind::Fail)
    }
}
