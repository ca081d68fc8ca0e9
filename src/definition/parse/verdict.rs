use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::{Late, Remind, Then, Verdict};

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader};

/// How a step of steps says what its rejection means.
const SAY: &str = "add `failed: { then: park }` to ask a person, or `failed: { then: go-on }` if \
                   the saga deals with it";

/// When a rejection that no event says can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    /// Whatever the author says: from where.
    Always(&'static str),
    /// Only if the step has a `within`.
    InTime,
    /// The same, as far as the definition tells: what it means may be said in any case.
    AtWorstInTime,
}

impl Comes {
    /// What says no, for people.
    fn words(self) -> String {
        match self {
            Self::Always(from) => format!("a rejection of this step ({from})"),
            Self::InTime | Self::AtWorstInTime => {
                "a rejection of this step (its `within` is over)".to_owned()
            }
        }
    }
}

impl Reader<'_> {
    /// A step's `failed` where no event says no: what its rejection means.
    pub fn verdict(
        &mut self,
        fields: &mut Fields<'_>,
        position: Position,
        place: Place,
        comes: Comes,
    ) -> Option<Verdict> {
        let timed = fields.entry("within").is_some();
        let Some((key, node)) = fields.entry("failed") else {
            let unsaid = Verdict { set: Vec::new(), then: Then::GoBack };
            if matches!(comes, Comes::InTime | Comes::AtWorstInTime) && !timed {
                return Some(unsaid);
            }
            let head = fields.head(self);
            let then = self.then_of(None, position, &head, (&comes.words(), SAY));
            return then.map(|then| Verdict { then, ..unsaid });
        };
        if comes == Comes::InTime && !timed {
            let help = "add `within`, or leave `failed` out";
            let message = "nothing rejects this step as long as it has no `within`";
            self.error::<()>(Code::NoEffect, key.span.clone(), message, help);
        }
        let mut fields = self.fields(node, "`failed`")?;
        let verdict = self.then_and_set(&mut fields, position, place);
        fields.finish(self);
        verdict
    }

    /// What it means that a `wait` or `ask` has waited long enough.
    pub fn late(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<Late> {
        let timed = fields.entry("within").is_some();
        let unsaid = Late::Fail(Verdict { set: Vec::new(), then: Then::GoBack });
        let Some((key, node)) = fields.entry("late") else {
            if !timed {
                return Some(unsaid);
            }
            let head = fields.head(self);
            return self.late_then(position, &head);
        };
        if !timed && !fields.is_misspelt("within") {
            let help = "add `within: 3d`, or leave `late` out";
            let message = "`late` has no effect without `within`";
            self.error::<()>(Code::NoEffect, key.span.clone(), message, help);
        }
        if let Content::Map(_) = &node.content {
            let mut fields = self.fields(node, "`late`")?;
            let verdict = self.then_and_set(&mut fields, position, Place::Alone);
            fields.finish(self);
            return verdict.map(Late::Fail);
        }
        let goes_on = self.choice(node, "late", &[("fail", false), ("go-on", true)])?;
        if goes_on { Some(Late::GoOn) } else { self.late_then(position, &node.span) }
    }

    fn late_then(&mut self, position: Position, span: &Range<usize>) -> Option<Late> {
        if position.is_behind() {
            let message = "behind the pivot a rejection must say what it means";
            let help = "add `late: go-on`, or `late: { then: park }` to ask a person";
            return self.error(Code::NoThen, span.clone(), message, help);
        }
        Some(Late::Fail(Verdict { set: Vec::new(), then: Then::GoBack }))
    }

    /// A fact that is told again and again while a step waits.
    pub fn remind(&mut self, node: &Node) -> Option<Remind> {
        let mut fields = self.fields(node, "`remind`")?;
        let after = fields.need(self, "after", "1d");
        let after = after.and_then(|n| self.duration(n, "after"));
        let every = fields.take("every").map(|n| self.duration(n, "every"));
        let emit = fields.need(self, "emit", "offers.reminders/Remind");
        let fact = if let Some(emit) = emit {
            self.fact(&mut fields, emit, Place::Alone)
        } else {
            self.message(&mut fields, Place::Alone);
            None
        };
        fields.finish(self);
        let every = every.map_or(Some(None), |every| every.map(Some));
        Some(Remind { after: after?, every: every?, fact: fact? })
    }

    /// A step's own deadline.
    pub fn within(&mut self, fields: &mut Fields<'_>) -> Option<crate::message::Span> {
        fields.take("within").and_then(|n| self.duration(n, "within"))
    }
}
