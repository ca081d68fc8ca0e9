use std::collections::BTreeMap;

use super::account::Half;
use super::carried::{Carried, Item, Source, carried, fences, item, sources};
use super::spot::{Line, Point, Spot, coordinate};
use crate::definition::{
    Compensation, Definition, Done, Fact, Failed, Join, OnFailed, Request, Step, StepId, StepKind,
    Then, Verdict as Limit,
};
use crate::message::{Address, SagaName};

/// What the books expect of one saga: its definition, looked at from the topics.
#[derive(Debug)]
pub(super) struct Plan {
    pub definition: Definition,
    pub sources: Vec<Source>,
    messages: BTreeMap<(String, Half), Expected>,
    steps: BTreeMap<String, StepId>,
}

/// A message that the engine sends for a saga.
#[derive(Debug)]
pub(super) struct Expected {
    pub to: Address,
    pub sort: Sort,
    pub carried: Vec<Carried>,
    /// Where it carries the token of the lock around it.
    pub fences: Vec<Vec<String>>,
}

/// What sort of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Command,
    Fact,
    Reminder,
}

/// What an answer says about its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Failed,
    /// It depends on a `where` that reads the saga's data, which the topics do not show.
    Either,
}

/// How a step is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Undoing {
    /// There is nothing to undo, or nothing said about it.
    #[default]
    Nothing,
    Command,
    Fact,
    Call,
    Child,
}

impl Plan {
    pub fn new(definition: &Definition) -> Self {
        let mut plan = Self {
            definition: definition.clone(),
            sources: sources(definition),
            messages: BTreeMap::new(),
            steps: definition.steps.iter().map(|s| (s.name.to_string(), s.id)).collect(),
        };
        for step in &definition.steps {
            plan.step(step);
        }
        let ends = &definition.ends;
        for (name, fact) in [
            ("ends.completed", &ends.completed),
            ("ends.compensated", &ends.compensated),
            ("ends.stuck", &ends.stuck),
        ] {
            if let Some(fact) = fact {
                plan.fact(name, Half::Action, Sort::Fact, fact, None);
            }
        }
        plan
    }

    fn step(&mut self, step: &Step) {
        let name = step.name.as_str();
        let item = item(&self.definition, &self.sources, step.id);
        let item = item.as_ref();
        match &step.kind {
            StepKind::Command(command) => {
                self.request(name, Half::Action, &command.request, item);
                if let Some(probe) = &command.probe {
                    self.request(name, Half::Probe, &probe.request, item);
                }
            }
            StepKind::Emit(emit) => self.fact(name, Half::Action, Sort::Fact, &emit.fact, item),
            StepKind::Wait(wait) => {
                if let Some(remind) = &wait.remind {
                    self.fact(name, Half::Action, Sort::Reminder, &remind.fact, item);
                }
            }
            StepKind::Ask(ask) => {
                if let Some(remind) = &ask.remind {
                    self.fact(name, Half::Action, Sort::Reminder, &remind.fact, item);
                }
            }
            StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Sleep(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_) => {}
        }
        match step.compensation() {
            Compensation::Command { request, .. } => self.request(name, Half::Undo, request, item),
            Compensation::Emit(fact) => self.fact(name, Half::Undo, Sort::Fact, fact, item),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Call { .. }
            | Compensation::Child => {}
        }
    }

    fn request(&mut self, name: &str, half: Half, request: &Request, item: Option<&Item>) {
        let expected = Expected {
            to: request.command.clone(),
            sort: Sort::Command,
            carried: carried(request.with.as_ref(), &self.sources, item),
            fences: fences(request.with.as_ref()),
        };
        self.messages.insert((name.to_owned(), half), expected);
    }

    fn fact(&mut self, name: &str, half: Half, sort: Sort, fact: &Fact, item: Option<&Item>) {
        let expected = Expected {
            to: fact.to.clone(),
            sort,
            carried: carried(fact.with.as_ref(), &self.sources, item),
            fences: fences(fact.with.as_ref()),
        };
        self.messages.insert((name.to_owned(), half), expected);
    }

    /// The message of a step or end, whichever branch it stands in; `ends.stuck.<step>` is
    /// `ends.stuck`.
    pub fn message(&self, step: &str, half: Half) -> Option<&Expected> {
        let name = if step.starts_with("ends.stuck.") {
            "ends.stuck"
        } else {
            step.split('[').next().unwrap_or(step)
        };
        self.messages.get(&(name.to_owned(), half))
    }

    /// The request over Kafka of a step.
    pub fn command(&self, step: &str, half: Half) -> Option<&Expected> {
        self.message(step, half).filter(|expected| expected.sort == Sort::Command)
    }

    /// Where a step of this coordinate stands.
    pub fn spot(&self, text: &str) -> Option<Spot> {
        let (name, coordinates) = coordinate(text)?;
        Spot::of(&self.definition, *self.steps.get(name)?, &coordinates)
    }

    /// The definition of the step of this coordinate.
    pub fn find(&self, text: &str) -> Option<&Step> {
        let name = text.split('[').next().unwrap_or(text);
        self.steps.get(name).map(|id| self.definition.step(*id))
    }

    pub fn undoing(&self, step: &str) -> Undoing {
        match self.find(step).map(Step::compensation) {
            Some(Compensation::Command { .. }) => Undoing::Command,
            Some(Compensation::Emit(_)) => Undoing::Fact,
            Some(Compensation::Call { .. }) => Undoing::Call,
            Some(Compensation::Child) => Undoing::Child,
            Some(Compensation::Unsaid | Compensation::Nothing) | None => Undoing::Nothing,
        }
    }

    /// What an event means as an answer to a request, or to what waits for it.
    pub fn verdict(&self, step: &str, half: Half, event: &Address) -> Option<Verdict> {
        let step = self.find(step)?;
        let (done, failed): (&[Done], &[Failed]) = match (&step.kind, half) {
            (StepKind::Command(c), Half::Action) => (&c.request.done, &c.failed),
            (StepKind::Wait(w), Half::Action) => (&w.on, &w.failed),
            (StepKind::Command(c), Half::Probe) => {
                let probe = c.probe.as_ref()?;
                return verdict(&probe.request.done, conditions(&probe.absent), event);
            }
            (_, Half::Undo) => match step.compensation() {
                Compensation::Command { request, .. } => (&request.done, &[]),
                _ => return None,
            },
            (_, Half::Action | Half::Probe) => return None,
        };
        let failed = failed.iter().map(|f| (&f.on, f.condition.is_some()));
        verdict(done, failed, event)
    }

    /// Whether an event may answer one of its requests.
    pub fn is_answered_by(&self, event: &Address) -> bool {
        let mut requests = self.messages.iter().filter(|(_, m)| m.sort == Sort::Command);
        requests.any(|((step, half), _)| self.verdict(step, *half, event).is_some())
    }

    /// The steps that wait for an event.
    pub fn waits_for(&self, event: &Address) -> bool {
        let waits = |step: &Step| matches!(step.kind, StepKind::Wait(_));
        let mut steps = self.definition.steps.iter().filter(|step| waits(step));
        steps.any(|step| self.verdict(step.name.as_str(), Half::Action, event).is_some())
    }

    /// Whether what stands there may be left behind and undone while the saga goes on.
    pub fn may_be_left(&self, spot: &Spot) -> bool {
        let on = |limit: &Limit| limit.then == Then::GoOn;
        let owners = spot.owners(&self.definition);
        owners.iter().any(|(id, _)| match &self.definition.step(*id).kind {
            StepKind::Parallel(p) => p.join == Join::First || on(&p.failed),
            StepKind::Each(each) => each.on_failed == OnFailed::Drop || on(&each.failed),
            StepKind::Choose(choose) => on(&choose.failed),
            _ => false,
        })
    }

    /// The branch of a composite step that goes by this word in the history.
    pub fn branch(&self, owner: &Spot, word: &str) -> Option<Line> {
        let mut branch = owner.branch().to_vec();
        let block = match &self.definition.step(owner.step).kind {
            StepKind::Each(each) => {
                branch.push(word.parse().ok()?);
                each.block
            }
            StepKind::Parallel(parallel) => {
                let named = |id: &&_| self.definition.block(**id).name == word;
                *parallel.branches.iter().find(named)?
            }
            _ => return None,
        };
        Some(Line { block, branch })
    }

    /// Whether the saga goes on behind a composite step, or a child, whose time is up.
    pub fn leaves_behind(&self, (step, _): &Point) -> bool {
        let limit = match &self.definition.step(*step).kind {
            StepKind::Parallel(parallel) => &parallel.failed,
            StepKind::Each(each) => &each.failed,
            StepKind::Choose(choose) => &choose.failed,
            StepKind::Saga(child) => &child.failed,
            _ => return false,
        };
        limit.then == Then::GoOn
    }

    /// Whether the topics alone never show how it ends.
    pub fn tells_no_end(&self) -> bool {
        let ends = &self.definition.ends;
        ends.completed.is_none() || ends.compensated.is_none()
    }

    pub fn saga(&self) -> &SagaName {
        &self.definition.saga
    }
}

fn conditions(absent: &[Done]) -> impl Iterator<Item = (&Address, bool)> {
    absent.iter().map(|d| (&d.on, d.condition.is_some()))
}

fn verdict<'d>(
    done: &'d [Done],
    failed: impl Iterator<Item = (&'d Address, bool)>,
    event: &Address,
) -> Option<Verdict> {
    let done: Vec<bool> = conditions(done).filter(|(on, _)| *on == event).map(|d| d.1).collect();
    let failed: Vec<bool> = failed.filter(|(on, _)| *on == event).map(|f| f.1).collect();
    let conditional = done.iter().chain(&failed).any(|conditional| *conditional);
    match (done.is_empty(), failed.is_empty()) {
        (true, true) => None,
        (false, true) if !conditional => Some(Verdict::Done),
        (true, false) if !conditional => Some(Verdict::Failed),
        (false, _) | (true, false) => Some(Verdict::Either),
    }
}
