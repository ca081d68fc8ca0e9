//! One instance and its lives under audit.

use super::account::{Account, Place, Sent};
use super::answers::Answers;
use super::family::Families;
use super::names::Name;
use super::plan::Plan;
use super::story::Story;
use super::{Books, Report, Rule};
use crate::message::{self, InstanceId, PartKind};

/// One instance's account under audit.
pub(super) struct Case<'a> {
    pub books: &'a Books,
    pub plan: &'a Plan,
    pub instance: &'a InstanceId,
    pub account: &'a Account,
    pub answers: Answers,
    pub families: &'a Families,
    /// Whether it waits for a lock behind one that needs a person.
    pub waits_for_lock: bool,
    pub report: &'a mut Report,
}

/// One life of an instance: its story, and what the topics hold of it, each id once.
pub(super) struct LifeCase<'a> {
    pub number: message::LifeId,
    pub story: &'a Story,
    pub sent: Vec<&'a Sent>,
}

impl LifeCase<'_> {
    /// Whether a step's message stands on a topic; reminders do not count.
    pub fn first(&self, step: Name, part: PartKind) -> Option<&Sent> {
        self.sent.iter().find(|s| s.step == step && s.part.kind() == part).copied()
    }
}

impl<'a> Case<'a> {
    pub fn broken(&mut self, rule: Rule, place: Option<Place>, words: String) {
        self.report.add(self.books.violation(rule, self.instance, place, words));
    }

    pub fn text(&self, name: Name) -> &'a str {
        self.books.names.text(name)
    }
}
