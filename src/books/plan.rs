use std::collections::BTreeMap;

use super::carried::{Carried, Item, Source, carried, fences, item, sources};
use super::spot::{Line, Point, Spot, coordinate};
use crate::definition::{
    Answers, Compensation, Composite, Definition, Join, OnFailed, Reply, Sent, Step, StepId, Then,
    Verdict as Limit,
};
use crate::message::{Address, PartKind, SagaName};

/// What the books expect of one saga: its definition, looked at from the topics.
#[derive(Debug)]
pub(super) struct Plan {
    pub definition: Definition,
    pub sources: Vec<Source>,
    messages: BTreeMap<(String, PartKind), Expected>,
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
                plan.message_of(name, PartKind::Action, Sent::Fact(fact), None);
            }
        }
        plan
    }

    fn step(&mut self, step: &Step) {
        let name = step.name.as_str();
        let item = item(&self.definition, &self.sources, step.id);
        let item = item.as_ref();
        for (part, sent) in step.messages() {
            self.message_of(name, part.kind(), sent, item);
        }
    }

    fn message_of(&mut self, name: &str, part: PartKind, sent: Sent<'_>, item: Option<&Item>) {
        let sort = match sent {
            Sent::Command(_) => Sort::Command,
            Sent::Fact(_) => Sort::Fact,
            Sent::Reminder(_) => Sort::Reminder,
        };
        let expected = Expected {
            to: sent.to().clone(),
            sort,
            carried: carried(sent.body(), &self.sources, item),
            fences: fences(sent.body()),
        };
        self.messages.insert((name.to_owned(), part), expected);
    }

    /// The message of a step or end, whichever branch it stands in; `ends.stuck.<step>` is
    /// `ends.stuck`.
    pub fn message(&self, step: &str, part: PartKind) -> Option<&Expected> {
        let name = if step.starts_with("ends.stuck.") {
            "ends.stuck"
        } else {
            step.split('[').next().unwrap_or(step)
        };
        self.messages.get(&(name.to_owned(), part))
    }

    /// The request over Kafka of a step.
    pub fn command(&self, step: &str, part: PartKind) -> Option<&Expected> {
        self.message(step, part).filter(|expected| expected.sort == Sort::Command)
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
    pub fn verdict(&self, step: &str, part: PartKind, event: &Address) -> Option<Verdict> {
        verdict(self.find(step)?.answers(part.first()), event)
    }

    /// Whether an event may answer one of its requests.
    pub fn is_answered_by(&self, event: &Address) -> bool {
        let mut requests = self.messages.iter().filter(|(_, m)| m.sort == Sort::Command);
        requests.any(|((step, part), _)| self.verdict(step, *part, event).is_some())
    }

    /// The steps that wait for an event.
    pub fn waits_for(&self, event: &Address) -> bool {
        self.definition.steps.iter().any(|step| step.awaited().mention(event))
    }

    /// Whether what stands there may be left behind and undone while the saga goes on.
    pub fn may_be_left(&self, spot: &Spot) -> bool {
        let on = |limit: &Limit| limit.then == Then::GoOn;
        let owners = spot.owners(&self.definition);
        owners.iter().any(|(id, _)| match self.definition.step(*id).composite() {
            Some(Composite::Parallel(p)) => p.join == Join::First || on(&p.failed),
            Some(Composite::Each(each)) => each.on_failed == OnFailed::Drop || on(&each.failed),
            Some(Composite::Choose(choose)) => on(&choose.failed),
            Some(Composite::Lock(_)) | None => false,
        })
    }

    /// The branch of a composite step that goes by this word in the history.
    pub fn branch(&self, owner: &Spot, word: &str) -> Option<Line> {
        let mut branch = owner.branch().to_vec();
        let block = match self.definition.step(owner.step).composite()? {
            Composite::Each(each) => {
                branch.push(word.parse().ok()?);
                each.block
            }
            Composite::Parallel(parallel) => {
                let named = |id: &&_| self.definition.block(**id).name == word;
                *parallel.branches.iter().find(named)?
            }
            Composite::Choose(_) | Composite::Lock(_) => return None,
        };
        Some(Line { block, branch })
    }

    /// Whether the saga goes on behind a composite step, or a child, whose time is up.
    pub fn leaves_behind(&self, (step, _): &Point) -> bool {
        let step = self.definition.step(*step);
        let is_lock = matches!(step.composite(), Some(Composite::Lock(_)));
        step.verdict().is_some_and(|limit| limit.then == Then::GoOn && !is_lock)
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

fn verdict(answers: Answers<'_>, event: &Address) -> Option<Verdict> {
    let mut such = answers.iter().filter(|reply| reply.on == event);
    let first = such.next()?;
    let is_clear = |reply: &Reply<'_>| {
        reply.condition.is_none() && reply.says.is_done() == first.says.is_done()
    };
    if first.condition.is_some() || !such.all(|reply| is_clear(&reply)) {
        return Some(Verdict::Either);
    }
    Some(if first.says.is_done() { Verdict::Done } else { Verdict::Failed })
}
