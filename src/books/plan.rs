use std::collections::BTreeMap;

use super::carried::{Carried, Source, carried, sources};
use crate::definition::{Compensation, Definition, Fact, Request, Step, StepKind, Then};
use crate::message::{Address, SagaName};

/// What the books expect of one saga: its definition, looked at from the topics.
#[derive(Debug)]
pub(super) struct Plan {
    pub definition: Definition,
    pub sources: Vec<Source>,
    messages: BTreeMap<(String, bool), Expected>,
    steps: BTreeMap<String, usize>,
}

/// A message that the engine sends for a saga.
#[derive(Debug)]
pub(super) struct Expected {
    pub to: Address,
    pub is_command: bool,
    pub carried: Vec<Carried>,
}

/// What an answer says about its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Failed,
    /// It depends on a `where` that reads the saga's data, which the topics do not show.
    Either,
}

/// How a step is undone, as far as the topics show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undoing {
    Nothing,
    Command,
    Fact,
}

impl Plan {
    pub fn new(definition: &Definition) -> Self {
        let sources = sources(definition);
        let mut plan = Self {
            definition: definition.clone(),
            sources,
            messages: BTreeMap::new(),
            steps: BTreeMap::new(),
        };
        for (place, id) in definition.main().iter().enumerate() {
            let step = definition.step(*id);
            plan.steps.insert(step.name.to_string(), place);
            plan.step(step);
        }
        let ends = &definition.ends;
        for (name, fact) in [
            ("ends.completed", &ends.completed),
            ("ends.compensated", &ends.compensated),
            ("ends.stuck", &ends.stuck),
        ] {
            if let Some(fact) = fact {
                plan.fact(name, false, fact);
            }
        }
        plan
    }

    fn step(&mut self, step: &Step) {
        let name = step.name.as_str();
        match &step.kind {
            StepKind::Command(command) => self.request(name, false, &command.request),
            StepKind::Emit(emit) => self.fact(name, false, &emit.fact),
            StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_) => {}
        }
        match step.compensation() {
            Compensation::Command { request, .. } => self.request(name, true, request),
            Compensation::Emit(fact) => self.fact(name, true, fact),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Call { .. }
            | Compensation::Child => {}
        }
    }

    fn request(&mut self, name: &str, undo: bool, request: &Request) {
        let carried = carried(request.with.as_ref(), &self.sources);
        let expected = Expected { to: request.command.clone(), is_command: true, carried };
        self.messages.insert((name.to_owned(), undo), expected);
    }

    fn fact(&mut self, name: &str, undo: bool, fact: &Fact) {
        let carried = carried(fact.with.as_ref(), &self.sources);
        let expected = Expected { to: fact.to.clone(), is_command: false, carried };
        self.messages.insert((name.to_owned(), undo), expected);
    }

    /// The message of a step or end; `ends.stuck.<step>` is `ends.stuck`.
    pub fn message(&self, step: &str, undo: bool) -> Option<&Expected> {
        let step = if step.starts_with("ends.stuck.") { "ends.stuck" } else { step };
        self.messages.get(&(step.to_owned(), undo))
    }

    /// A step's place on the main line.
    pub fn place(&self, step: &str) -> Option<usize> {
        self.steps.get(step).copied()
    }

    pub fn main(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.definition.main().iter().map(|id| self.definition.step(*id))
    }

    pub fn find(&self, step: &str) -> Option<&Step> {
        self.place(step).map(|place| self.definition.step(self.definition.main()[place]))
    }

    pub fn undoing(&self, step: &str) -> Undoing {
        match self.message(step, true) {
            Some(Expected { is_command: true, .. }) => Undoing::Command,
            Some(_) => Undoing::Fact,
            None => Undoing::Nothing,
        }
    }

    /// What an event means as an answer to a step's action or undoing.
    pub fn verdict(&self, step: &str, undo: bool, event: &Address) -> Option<Verdict> {
        let step = self.find(step)?;
        let (done, failed) = match (&step.kind, undo, step.compensation()) {
            (StepKind::Command(c), false, _) => (&c.request.done[..], &c.failed[..]),
            (_, true, Compensation::Command { request, .. }) => (&request.done[..], &[][..]),
            _ => return None,
        };
        let done: Vec<_> = done.iter().filter(|d| d.on == *event).collect();
        let failed: Vec<_> = failed.iter().filter(|f| f.on == *event).collect();
        let conditional = done.iter().any(|d| d.condition.is_some())
            || failed.iter().any(|f| f.condition.is_some());
        match (done.is_empty(), failed.is_empty()) {
            (true, true) => None,
            (false, true) if !conditional => Some(Verdict::Done),
            (true, false) if !conditional => Some(Verdict::Failed),
            (false, _) | (true, false) => Some(Verdict::Either),
        }
    }

    /// The requests that an event may answer, if it names none.
    pub fn answered_by(&self, event: &Address) -> impl Iterator<Item = (&str, bool)> {
        let requests = self.messages.iter().filter(|(_, m)| m.is_command);
        requests
            .map(|((step, undo), _)| (step.as_str(), *undo))
            .filter(|(step, undo)| self.verdict(step, *undo, event).is_some())
    }

    /// Whether the saga may go on after a step's "no".
    pub fn survives_no(step: &Step) -> bool {
        match &step.kind {
            StepKind::Command(c) => c.failed.iter().any(|f| f.then == Then::GoOn),
            StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_) => false,
        }
    }

    pub fn saga(&self) -> &SagaName {
        &self.definition.saga
    }
}
