use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::facets::{Composite, Nature};
use crate::definition::node::{Content, Node};
use crate::definition::places::Keys;
use crate::definition::{BlockId, Join, Step, StepId, StepKind, Then};
use crate::message::StepName;

use super::STEPS_MAX;
use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader, nearest};

/// The kinds of step; one of them makes a mapping a step.
const KINDS: [&str; 14] = [
    "command", "emit", "set", "fail", "wait", "sleep", "until", "ask", "call", "saga", "parallel",
    "each", "choose", "lock",
];

/// What a list of steps is, for its messages and its block.
pub(crate) struct Outline<'k> {
    /// The key that it stands under.
    pub key: &'k str,
    /// The composite step that it belongs to.
    pub owner: Option<StepId>,
    /// A branch's name.
    pub name: String,
}

impl Reader<'_> {
    /// The main line and all that is in it.
    pub fn steps(&mut self, node: &Node) {
        let outline = Outline { key: "steps", owner: None, name: String::new() };
        self.block(node, &outline, Position::Before);
    }

    /// A list of steps.
    pub fn block(&mut self, node: &Node, outline: &Outline<'_>, position: Position) -> BlockId {
        let block = self.drafts.begin_block(outline.owner, outline.name.clone());
        let Content::List(nodes) = &node.content else {
            let message = format!("`{}` is {}, not a list", outline.key, node.kind());
            let help = "begin every step with `- `, such as `- step: reserve-stock`";
            self.error::<()>(Code::WrongType, node.span.clone(), message, help);
            self.drafts.end_block(block, Vec::new(), Some(position));
            return block;
        };
        let chosen = outline.owner.is_some_and(|o| self.places.steps[o.0 as usize].has("choose"));
        if nodes.is_empty() && !chosen {
            let message = format!("`{}` is an empty list", outline.key);
            let help = "add a step, such as `- step: reserve-stock`";
            self.error::<()>(Code::WrongType, node.span.clone(), message, help);
        }
        let mut steps = Vec::new();
        let (mut stand, mut end) = (position, Some(position));
        for node in nodes {
            if self.drafts.len() == STEPS_MAX {
                let message = format!("more than {STEPS_MAX} steps");
                let help = "split the saga into smaller ones";
                self.error::<()>(Code::Limit, node.span.clone(), message, help);
            }
            if self.drafts.len() >= STEPS_MAX {
                self.drafts.begin();
                self.places.steps.push(Keys::default());
                self.places.stands.push(position);
                break;
            }
            // What nothing leads to is read as if something did: that is its own mistake.
            let (step, next) = self.step(node, stand);
            steps.push(step);
            stand = next.unwrap_or(stand);
            end = end.and(next);
        }
        self.drafts.end_block(block, steps, end);
        block
    }

    /// A step, and where the one behind it stands; none if nothing comes out of it.
    fn step(&mut self, node: &Node, before: Position) -> (StepId, Option<Position>) {
        let id = self.drafts.begin();
        self.places.steps.push(Keys::of(node));
        self.places.stands.push(before);
        let outer = self.step.replace(id);
        let step = self.step_in(node, id, before);
        self.step = outer;
        let Some((step, end)) = step else {
            // What a step that cannot be read would fill is not reported as never filled.
            self.fill_from(node);
            return (id, Some(before));
        };
        self.drafts.end(step);
        (id, end)
    }

    fn step_in(
        &mut self,
        node: &Node,
        id: StepId,
        before: Position,
    ) -> Option<(Step, Option<Position>)> {
        let block = self.drafts.last_open();
        let mut fields = self.fields(node, "this step")?;
        let said = fields.take("step");
        let kind = self.kind(&mut fields);
        let line = self.line(node.span.start);
        let name = self.name(&fields, said, kind, id, line);
        let title = fields.take("title").and_then(|n| self.title(n, "title"));
        let when = self.optional(&mut fields, "when", Place::Guard);
        let pivot = fields.entry("pivot");
        // Whatever else stands there, its author means one: that is told, and nothing more.
        let pivot = pivot.map(|(key, n)| (key, self.boolean(n, "pivot").unwrap_or(true)));
        let pivot = pivot.filter(|(_, said)| *said).map(|(key, _)| key.span.clone());
        let kind = kind?;
        let position = self.stand(kind, pivot.as_ref(), before);
        self.places.stands[id.0 as usize] = position;
        let place = match kind {
            "command" | "wait" => Place::Reply,
            "call" => Place::Http,
            "ask" => Place::Answer,
            "saga" => Place::Child,
            _ => Place::Alone,
        };
        let set = fields.take("set").map(|n| self.assignments(n, "set", place));
        let body = self.body(kind, &mut fields, position);
        fields.finish(self);
        let step = Step {
            id,
            block,
            name: name?,
            title,
            when,
            set: set.unwrap_or_default(),
            pivot: pivot.is_some(),
            after_pivot: before.is_behind(),
            kind: body?,
            line,
        };
        let end = self.end(&step, before);
        Some((step, end))
    }

    fn body(
        &mut self,
        kind: &str,
        fields: &mut Fields<'_>,
        position: Position,
    ) -> Option<StepKind> {
        match kind {
            "command" => self.command(fields, position),
            "emit" => self.emit(fields, position),
            "fail" => self.fail(fields, position),
            "wait" => self.wait(fields, position),
            "sleep" | "until" => self.sleep(fields),
            "ask" => self.ask(fields, position),
            "call" => self.call(fields, position),
            "saga" => self.child(fields, position),
            "parallel" => self.parallel(fields, position),
            "each" => self.each_step(fields, position),
            "choose" => self.choose(fields, position),
            "lock" => self.lock(fields, position),
            _ => Some(StepKind::Set),
        }
    }

    /// Where the step behind this one stands; none if nothing comes out of it.
    fn end(&self, step: &Step, before: Position) -> Option<Position> {
        let through = |block: &BlockId| self.drafts.end_of(*block);
        let on = |then: Then, end: Option<Position>| match (then, end) {
            (Then::GoOn, Some(end)) => Some(end.or(before)),
            (Then::GoOn, None) => Some(before),
            (Then::GoBack | Then::Park, end) => end,
        };
        let passed = if !step.pivot {
            before
        } else if step.may_be_passed() {
            Position::After.or(before)
        } else {
            Position::After
        };
        let end = match step.nature() {
            Nature::Instant(instant) if instant.reason().is_some() => None,
            Nature::Composite(Composite::Choose(choose)) => {
                let ends = choose.arms.iter().filter_map(|arm| through(&arm.block));
                on(choose.failed.then, ends.reduce(Position::or))
            }
            Nature::Composite(Composite::Lock(lock)) => on(lock.failed.then, through(&lock.block)),
            Nature::Composite(Composite::Parallel(parallel)) => {
                let mut ends = parallel.branches.iter().map(through);
                let comes = match parallel.join {
                    Join::All => ends.all(|end| end.is_some()),
                    Join::First => ends.any(|end| end.is_some()),
                };
                on(parallel.failed.then, comes.then_some(before))
            }
            Nature::Instant(_)
            | Nature::Attempted(_)
            | Nature::Waiting(_)
            | Nature::Composite(Composite::Each(_)) => Some(passed),
        };
        if step.when.is_some() { Some(end.map_or(before, |end| end.or(before))) } else { end }
    }

    fn name(
        &mut self,
        fields: &Fields<'_>,
        said: Option<&Node>,
        kind: Option<&'static str>,
        id: StepId,
        line: u32,
    ) -> Option<StepName> {
        match (said, kind) {
            (Some(said), _) => self.step_name(said, line),
            (None, Some("set" | "fail")) => Some(StepName::unnamed(kind?, id.0 as usize)),
            (None, None) => None,
            (None, Some(_)) => {
                let span = fields.head(self);
                let help = "begin it with `- step: reserve-stock`";
                self.error(Code::MissingKey, span, "this step has no name", help)
            }
        }
    }

    /// What makes a mapping a step.
    fn kind(&mut self, fields: &mut Fields<'_>) -> Option<&'static str> {
        let mut found: Vec<(&'static str, Range<usize>)> = KINDS
            .iter()
            .filter_map(|kind| fields.entry(kind).map(|(key, _)| (*kind, key.span.clone())))
            .collect();
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
                    None => (fields.head(self), format!("add one of: {}", KINDS.join(", "))),
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

    fn step_name(&mut self, node: &Node, line: u32) -> Option<StepName> {
        let text = self.scalar(node, "step")?;
        if let Some(first) = self.drafts.names.insert(text.to_owned(), line) {
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

    fn emit(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, emit) = fields.entry("emit")?;
        let compensate = self.compensate(fields, position, &key.span);
        let fact = self.fact(fields, emit, Place::Alone);
        let compensate = compensate?;
        Some(StepKind::Emit(crate::definition::EmitStep { fact: fact?, compensate }))
    }

    fn fail(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, reason) = fields.entry("fail")?;
        self.check_fail(position, &key.span);
        self.text_value(reason, "fail", Place::Alone).map(StepKind::Fail)
    }
}
