use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::step::{Compensation, Done, Failed, Request, Then, Unknown};

use super::reader::Reader;

/// Where a step stands on the main line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The way back is open: in front of the pivot, or there is none.
    Before,
    /// It is the pivot.
    Pivot,
    /// There is only forward.
    After,
}

impl Position {
    pub fn of(place: usize, pivot: Option<usize>) -> Self {
        match pivot {
            Some(pivot) if place == pivot => Self::Pivot,
            Some(pivot) if place > pivot => Self::After,
            _ => Self::Before,
        }
    }

    /// What an action that may have happened means if its author says nothing.
    pub fn unknown(self) -> Unknown {
        match self {
            Self::Before => Unknown::Compensate,
            Self::Pivot | Self::After => Unknown::Retry,
        }
    }
}

impl Reader<'_> {
    /// The place of the first pivot; refuses a second one.
    pub fn pivot(&mut self, steps: &[Node]) -> Option<usize> {
        let mut pivots = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let Content::Map(entries) = &step.content else { continue };
            let pivot = entries.iter().find(|(key, node)| {
                let said = matches!(&node.content, Content::Scalar { text, .. } if text == "true");
                key.text == "pivot" && said
            });
            pivots.extend(pivot.map(|(key, _)| (place, key.span.clone())));
        }
        let mut pivots = pivots.into_iter();
        let (first, span) = pivots.next()?;
        for (_, second) in pivots {
            let message = format!("the pivot stands already on line {}", self.line(span.start));
            let help = "keep the first step that cannot be undone; \
                        behind it there is only forward in any case";
            self.error::<()>(Code::Pivots, second, message, help);
        }
        Some(first)
    }

    /// What it means that `compensate` is missing.
    pub fn unsaid(&mut self, position: Position, step: &Range<usize>) -> Option<Compensation> {
        match position {
            Position::Pivot | Position::After => Some(Compensation::Unsaid),
            Position::Before => {
                let help = "add `compensate: { command: …, with: …, done: … }`, or `compensate: \
                            none` if there is nothing to undo";
                let message = "this step does not say how it is undone";
                self.error(Code::NoCompensation, step.clone(), message, help)
            }
        }
    }

    /// A compensation behind the pivot is never used.
    pub fn check_undo(&mut self, position: Position, key: &Range<usize>) {
        if position == Position::After {
            let help = "leave it out: behind the pivot a step is repeated or parked, never undone";
            self.warn(Code::NoEffect, key.clone(), "this compensation is never used", help);
        }
    }

    pub fn check_unknown(
        &mut self,
        unknown: Unknown,
        position: Position,
        span: &Range<usize>,
    ) -> Option<Unknown> {
        if unknown == Unknown::Compensate && position != Position::Before {
            let message = "from the pivot on there is no way back";
            let help = "write `unknown: retry` (the default here) or `unknown: park`";
            return self.error(Code::NoWayBack, span.clone(), message, help);
        }
        Some(unknown)
    }

    /// What a rejection means; behind the pivot it must be said.
    pub fn then(
        &mut self,
        said: Option<Then>,
        position: Position,
        span: &Range<usize>,
    ) -> Option<Then> {
        match (said, position) {
            (None, Position::After) => {
                let message = "behind the pivot a rejection must say what it means";
                let help = "write `failed: { on: …, then: park }` to ask a person, or \
                            `then: go-on` if the saga deals with it";
                self.error(Code::NoThen, span.clone(), message, help)
            }
            (Some(Then::GoBack), Position::After) => {
                let message = "behind the pivot there is no way back";
                let help = "write `then: park` or `then: go-on`";
                self.error(Code::NoWayBack, span.clone(), message, help)
            }
            (said, _) => Some(said.unwrap_or(Then::GoBack)),
        }
    }

    /// An event that is done whatever it says cannot be a rejection as well.
    pub fn check_replies(&mut self, request: &Request, failed: &[Failed], span: &Range<usize>) {
        let always = |done: &&Done| done.condition.is_none();
        for done in request.done.iter().filter(always) {
            if failed.iter().any(|failed| failed.on == done.on) {
                let message = format!("`{}` says `done` and `failed` at once", done.on);
                let help = "tell them apart by a `where` on `done`";
                self.error::<()>(Code::Contradiction, span.clone(), message, help);
            }
        }
    }

    /// A step that goes back must not stand where there is no way back.
    pub fn check_fail(&mut self, position: Position, span: &Range<usize>) {
        if position != Position::Before {
            let message = "from the pivot on there is no way back";
            let help = "move `fail` in front of the pivot";
            self.error::<()>(Code::NoWayBack, span.clone(), message, help);
        }
    }
}
