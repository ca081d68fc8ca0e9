use crate::definition::diagnostic::Code;
use crate::definition::node::Node;
use crate::definition::{EachStep, OnFailed, StepKind, Then};
use crate::expression::{Expression, Name, Reference};

use super::place::{Around, Place};
use super::position::Position;
use super::reader::{Fields, Reader};
use super::steps::Outline;
use super::verdict::Comes;

/// The longest list that a fan-out may allow.
const ITEMS_MAX: u64 = 1_000;

/// What rejects a fan-out whatever is in it.
const TOO_LONG: &str = "the list is longer than `at-most`";

/// How many branches run at once if the author does not say.
const AT_ONCE: u32 = 10;

impl Reader<'_> {
    /// One branch for each element of a list.
    pub fn each_step(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let items = fields.take("each")?;
        let items = self.expression(items, "each", Place::Alone);
        let at_most = fields.need(self, "at-most", "100");
        let at_most = at_most.and_then(|n| self.integer(n, "at-most", 1..ITEMS_MAX + 1));
        let at_once = fields.take("at-once");
        let at_once = at_once.map(|n| (n, self.integer(n, "at-once", 1..ITEMS_MAX + 1)));
        if let (Some((node, Some(once))), Some(most)) = (&at_once, at_most)
            && *once > most
        {
            self.check_at_once(node, *once, most);
        }
        let on_failed = [("go-back", OnFailed::GoBack), ("drop", OnFailed::Drop)];
        let on_failed = fields.take("on-failed").map(|n| self.choice(n, "on-failed", &on_failed));
        let within = self.within(fields);
        let comes = match (&items, at_most) {
            (Some(items), Some(most)) if self.is_short(items, most) => Comes::AtWorstInTime,
            (Some(_) | None, _) => Comes::Always(TOO_LONG),
        };
        let failed = self.verdict(fields, position, Place::Alone, comes);
        let goes_on = failed.as_ref().is_some_and(|failed| failed.then == Then::GoOn);
        let inside = if on_failed == Some(Some(OnFailed::Drop)) {
            Position::Before
        } else if goes_on {
            position.undoable()
        } else if position == Position::Pivot {
            Position::Before
        } else {
            position
        };
        let steps = fields.need(self, "steps", "[ … ]");
        let owner = self.step;
        self.around.extend(owner.map(Around::Each));
        let outline = Outline { key: "steps", owner, name: String::new() };
        let block = steps.map(|n| self.block(n, &outline, inside));
        let collect = fields.take("collect");
        let collect = collect.map(|n| self.assignments(n, "collect", Place::Collect));
        self.around.pop();
        Some(StepKind::Each(EachStep {
            items: items?,
            at_most: at_most?,
            at_once: at_once.map_or(Some(AT_ONCE.min(at_most?)), |(_, once)| once)?,
            on_failed: on_failed.unwrap_or(Some(OnFailed::GoBack))?,
            block: block?,
            collect: collect.unwrap_or_default(),
            within,
            failed: failed?,
        }))
    }

    /// Whether a list is surely no longer than that: it is written out, or the starts say so.
    fn is_short(&mut self, items: &Expression, most: u32) -> bool {
        if let Some(length) = items.written_elements() {
            return length <= most as usize;
        }
        let field = match items.path() {
            Some(Reference { name: Name::Data, fields, .. }) => match &fields[..] {
                [field] => field,
                [] | [_, ..] => return false,
            },
            Some(_) | None => return false,
        };
        let is_short = self.begun.has_at_most(field, most);
        if let Some(step) = self.step.filter(|_| is_short) {
            self.places.bounded.push((step, field.clone()));
        }
        is_short
    }

    fn check_at_once(&mut self, node: &Node, once: u32, most: u32) {
        let message = format!("`at-once` is {once}, but there are at most {most} branches");
        let help = format!("write a number from 1 to {most}");
        self.error::<()>(Code::Contradiction, node.span.clone(), message, help);
    }
}
