use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Sent};
use super::names::{Name, Names};
use super::plan::{Plan, Verdict};
use crate::message::{Address, Life, Part};

/// A request of an instance: its life, its step, and whether it undoes.
pub(super) type Request = (Life, Name, bool);

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
    pub fn new(plan: &Plan, names: &Names, account: &Account) -> Self {
        let mut answers = Self::default();
        let commands = account.sent.iter().filter(|s| s.is_command);
        let asked: BTreeSet<Request> =
            commands.map(|s| (s.generation, s.step, s.is_undo())).collect();
        for heard in &account.answers {
            let Ok(event) = names.text(heard.event).parse::<Address>() else {
                continue;
            };
            let requests: Vec<Request> = match heard.command {
                Some(c) => vec![(c.generation, c.step, c.part != Part::Action)],
                None => asked
                    .iter()
                    .filter(|(_, step, undo)| {
                        plan.verdict(names.text(*step), *undo, &event).is_some()
                    })
                    .copied()
                    .collect(),
            };
            for request in requests.into_iter().filter(|r| asked.contains(r)) {
                let verdict = plan.verdict(names.text(request.1), request.2, &event);
                answers.add(request, verdict, heard.id);
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
        if request.2 {
            self.undone_by.insert(id, request);
        } else if verdict == Some(Verdict::Failed) {
            self.refused_by.insert(id, request);
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
