//! What the pivot asks of a step: before it everything can be undone, behind it nothing.

use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::{Compensation, Done, Failed, Request, Then, Unknown};

use super::place::Around;
use super::position::Position;
use super::reader::Reader;

impl Reader<'_> {
    /// Where a step stands that says, or does not say, that it is the pivot.
    pub fn stand(
        &mut self,
        kind: &str,
        pivot: Option<&Range<usize>>,
        before: Position,
    ) -> Position {
        let Some(span) = pivot else {
            return before;
        };
        if kind == "fail" {
            let help = "remove `pivot`: `fail` takes the way back";
            self.error::<()>(Code::PivotPlace, span.clone(), "`fail` cannot be a pivot", help);
            return before;
        }
        if matches!(kind, "parallel" | "each" | "choose" | "lock") {
            let message = format!("a `{kind}` step cannot be a pivot");
            let help = "put `pivot: true` on the one step that cannot be undone";
            self.error::<()>(Code::PivotPlace, span.clone(), message, help);
            self.pivot_lost = true;
            return before;
        }
        let beside = self.around.iter().any(|a| matches!(a, Around::Each(_) | Around::Parallel));
        if beside {
            let message = "other steps run beside this one, so it cannot be a pivot";
            let help = "put it on the main line, behind the steps that run side by side; \
                        `choose` and `lock` may hold a pivot";
            self.error::<()>(Code::PivotPlace, span.clone(), message, help);
            self.pivot_lost = true;
            return Position::Pivot;
        }
        match before {
            Position::Before | Position::Pivot => Position::Pivot,
            Position::Perhaps => Position::After,
            Position::After => {
                let help = "keep the first step that cannot be undone; \
                            behind it there is only forward in any case";
                let message = "a pivot stands before this one already";
                self.warn(Code::Pivots, span.clone(), message, help);
                Position::After
            }
        }
    }

    /// What it means that `compensate` is missing.
    pub fn unsaid(&mut self, position: Position, step: &Range<usize>) -> Compensation {
        match position {
            Position::Pivot | Position::After => {}
            // The one cause is told already.
            Position::Before | Position::Perhaps if self.pivot_lost => {}
            Position::Before | Position::Perhaps => {
                let of = self.step.is_some_and(|s| self.places.steps[s.0 as usize].has("saga"));
                let help = if of {
                    "add `compensate: child`, and the child takes itself back, or `compensate: \
                     none` if there is nothing to undo"
                } else {
                    "add `compensate: { command: …, with: …, done: … }`, or `compensate: none` if \
                     there is nothing to undo"
                };
                let message = "this step does not say how it is undone";
                self.error::<()>(Code::NoCompensation, step.clone(), message, help);
            }
        }
        Compensation::Unsaid
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
        let back = matches!(position, Position::Before | Position::Perhaps);
        if unknown == Unknown::Probe && position == Position::After {
            let message = "behind the pivot there is no way back if the probe says `absent`";
            let help = "write `unknown: retry` (the default here) or `unknown: park`";
            return self.error(Code::NoWayBack, span.clone(), message, help);
        }
        if unknown == Unknown::Compensate && !back {
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
        let help = "add `then: park` to ask a person, or `then: go-on` if the saga deals with it, \
                    such as `failed: { …, then: park }`";
        self.then_of(said, position, span, ("a rejection", help))
    }

    /// The same, of a rejection that comes so.
    pub fn then_of(
        &mut self,
        said: Option<Then>,
        position: Position,
        span: &Range<usize>,
        (rejection, help): (&str, &str),
    ) -> Option<Then> {
        match (said, position) {
            (None, Position::After | Position::Perhaps) => {
                let message = format!("behind the pivot {rejection} must say what it means");
                self.error(Code::NoThen, span.clone(), message, help)
            }
            (Some(Then::GoBack), Position::After | Position::Perhaps) => {
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
