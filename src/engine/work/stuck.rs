//! What people must see to, and how they are told.

use super::fill::Addressed;
use super::turn::Turn;
use crate::definition::Fact;
use crate::engine::state::place::{Line, Place};
use crate::engine::{Effect, Failure, FailureKind, Stuck, What};
use crate::message::{Coordinate, Part, Subject};

impl Turn<'_> {
    /// Parks a step: a person must act.
    pub fn park(&mut self, place: &Place, undoing: bool, reason: &str) {
        let step = self.at(place).step;
        let name = self.name_at(place);
        let branch = place.line.coordinates(&self.life.frame);
        let reason = self.limits.cut(reason);
        self.note(Some(&name), What::Stuck { reason: reason.clone() });
        let same = |s: &&mut Stuck| (s.step, s.undoing) == (step, undoing) && s.branch == branch;
        if let Some(stuck) = self.life.stuck.iter_mut().find(same) {
            // Both undoings of a step failed: people have been told.
            stuck.reason = reason;
            return;
        }
        let stuck = Stuck { step, branch, undoing, since: self.now, reason };
        self.tell_stuck(&name, &stuck);
        self.life.stuck.push(stuck);
    }

    /// Takes back a parking.
    pub fn unpark(&mut self, place: &Place, undoing: bool) {
        if self.life.stuck.is_empty() {
            return;
        }
        let step = self.at(place).step;
        let branch = place.line.coordinates(&self.life.frame);
        self.life.stuck.retain(|s| (s.step, s.undoing) != (step, undoing) || s.branch != branch);
    }

    /// Takes back the parkings of steps under way inside a list; what a person owes to an undoing
    /// is still owed.
    pub fn unpark_inside(&mut self, outer: &Line) {
        let (definition, frame) = (self.definition, &self.life.frame);
        self.life.stuck.retain(|s| {
            let place = Place::of(definition, frame, s.step, &s.branch);
            s.undoing || place.is_none_or(|place| !place.line.is_inside(outer))
        });
    }

    /// Tells that a person must act.
    fn tell_stuck(&mut self, step: &Coordinate, stuck: &Stuck) {
        let definition = self.definition;
        let Some(fact) = definition.ends.stuck.as_ref() else {
            return;
        };
        // `failure` says what is owed even when the way back was not taken.
        let kept = self.life.failure.clone();
        let kind = kept.as_ref().map_or(FailureKind::Failed, |f| f.kind);
        let reason = stuck.reason.clone();
        self.life.failure = Some(Failure { step: Some(step.clone()), kind, reason });
        // A matter is told once in a transition, so this number makes each telling's id its own.
        let told = u32::try_from(self.life.transitions).unwrap_or(u32::MAX);
        let subject = Subject::Stuck { step: step.clone(), undoing: stuck.undoing };
        self.tell(fact, subject, told);
        self.life.failure = kept;
    }

    /// Tells one of the facts of `ends`.
    pub fn tell(&mut self, fact: &Fact, end: Subject, attempt: u32) {
        let complaint = format!("{} {end}", self.id);
        let id = self.id_of(end, Part::Action, attempt);
        match self.fill(&Line::main(), id, None, &Addressed::from(fact)) {
            Ok(message) => self.out.effects.push(Effect::Fact(message)),
            // The end itself must not depend on it; people are told.
            Err(reason) => {
                self.out.effects.push(Effect::Complaint(format!("{complaint}: {reason}")));
            }
        }
    }
}
