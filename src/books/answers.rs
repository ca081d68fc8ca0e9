use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Sent};
use super::names::{Name, Names};
use super::plan::{Plan, Verdict};
use super::story::Story;
use crate::definition::StepKind;
use crate::message::{Address, LifeId, PartKind};

/// A request of an instance: its life, its step, and what for. Of a step that waits for a fact it
/// is what it waits for.
pub(super) type Request = (LifeId, Name, PartKind);

/// What participants answered to each request of one instance.
#[derive(Debug, Default)]
pub(super) struct Answers {
    said: BTreeMap<Request, Said>,
    /// The undoing that an event answered, by the digest of the event's id.
    pub undone_by: BTreeMap<u128, Request>,
    /// The action that an event refused, by the digest of the event's id.
    refused_by: BTreeMap<u128, Request>,
}

/// The answers to one request, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    done: u32,
    failed: u32,
    either: u32,
}

impl Said {
    pub fn may_be_done(self) -> bool {
        self.done + self.either > 0
    }

    pub fn may_be_failed(self) -> bool {
        self.failed + self.either > 0
    }

    pub fn is_clear(self) -> bool {
        self.done + self.failed > 0
    }

    pub fn is_surely_failed(self) -> bool {
        self.failed > 0 && !self.may_be_done()
    }

    pub fn contradicts_itself(self) -> bool {
        self.done > 0 && self.failed > 0
    }
}

impl Answers {
    pub fn new(
        plan: &Plan,
        names: &Names,
        account: &Account,
        stories: &BTreeMap<LifeId, Story>,
    ) -> Self {
        let mut answers = Self::default();
        let commands = account.sent.iter().filter(|s| s.is_command);
        let asked: BTreeSet<Request> = commands.map(|s| (s.life, s.step, s.part.kind())).collect();
        let waits = waits(plan, names, stories);
        for answer in &account.answers {
            let Ok(event) = names.text(answer.event).parse::<Address>() else {
                continue;
            };
            let verdict =
                |(_, step, part): &Request| plan.verdict(names.text(*step), *part, &event);
            // A fact that a step waits for may name any command.
            for request in waits.iter().filter(|_| answer.is_for_waits) {
                answers.add(*request, verdict(request), answer.id);
            }
            let requests: Vec<Request> = match answer.command {
                Some(c) => vec![(c.life, c.step, c.part.kind())],
                None => asked.iter().filter(|r| verdict(r).is_some()).copied().collect(),
            };
            // A second event of one kind may be for a step that waits, and not the answer.
            let is_open = answer.is_for_waits && plan.waits_for(&event);
            for request in requests.into_iter().filter(|r| asked.contains(r)) {
                let says = verdict(&request).map(|v| if is_open { Verdict::Either } else { v });
                answers.add(request, says, answer.id);
            }
        }
        answers
    }

    fn add(&mut self, request: Request, verdict: Option<Verdict>, id: u128) {
        let said = self.said.entry(request).or_default();
        match verdict {
            Some(Verdict::Done) => said.done += 1,
            Some(Verdict::Failed) => said.failed += 1,
            Some(Verdict::Either) => said.either += 1,
            None => return,
        }
        match request.2 {
            PartKind::Undo => {
                self.undone_by.insert(id, request);
            }
            PartKind::Action if verdict == Some(Verdict::Failed) => {
                self.refused_by.insert(id, request);
            }
            PartKind::Action | PartKind::Probe => {}
        }
    }

    /// Whether a refusal of an action made the engine send something: then it came in time, for
    /// a late one changes nothing.
    pub fn is_refused_in_time(&self, request: Request, sent: &[&Sent]) -> bool {
        let causes = sent.iter().filter_map(|s| s.cause);
        causes.filter_map(|cause| self.refused_by.get(&cause)).any(|refused| *refused == request)
    }

    pub fn to(&self, request: Request) -> Said {
        self.said.get(&request).copied().unwrap_or_default()
    }
}

/// The steps that began to wait for a fact.
fn waits(plan: &Plan, names: &Names, stories: &BTreeMap<LifeId, Story>) -> Vec<Request> {
    let is_wait = |name: &Name| {
        let step = plan.find(names.text(*name));
        step.is_some_and(|step| matches!(step.kind, StepKind::Wait(_)))
    };
    let steps =
        stories.iter().flat_map(|(life, story)| story.steps.keys().map(|name| (*life, *name)));
    steps
        .filter(|(_, name)| is_wait(name))
        .map(|(life, name)| (life, name, PartKind::Action))
        .collect()
}
