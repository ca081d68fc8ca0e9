use serde_json::Value;

use super::model::{Acted, Answers, Told};
use super::run::Wrong;
use crate::correlation::{Heading, Index};
use crate::definition::{Catalog, Compensation, Definition, Request, Step, StepKind};
use crate::engine::{self, Act, Effect, Generation, Input, Instance, Rejection, next_due};
use crate::message::{Address, CommandId, Event, InstanceId, Part, Span, Timestamp};

/// 2026-01-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp(1_767_225_600_000);

/// The most timers that one `pass` may fire: more is a mistake in the scenario.
const WAKES_MAX: usize = 100_000;

/// One instance, its messages and the time.
pub(super) struct World {
    catalog: Catalog,
    index: Index,
    id: InstanceId,
    instance: Option<Instance>,
    now: Timestamp,
    /// Effects that no `expect` has looked at.
    pub unseen: Vec<Effect>,
    /// How the last event or act was declined, until a step has looked at it.
    pub declined: Option<Rejection>,
    /// Every command so far, the latest last.
    sent: Vec<CommandId>,
    inputs: u32,
}

impl World {
    /// Starts an instance.
    pub fn begin(definition: &Definition, given: &Told) -> Result<Self, Wrong> {
        let mut catalog = Catalog::default();
        catalog.add(definition.clone()).map_err(|e| Wrong::new(e.to_string()))?;
        let index = Index::new(&catalog);
        let event = event(given, given.id.clone().unwrap_or_default(), None, BEGIN);
        let route = index.route(&heading(&event), &event, BEGIN);
        let Some(id) = route.targets.into_iter().next() else {
            let mut why = vec![format!("{} starts no {}", given.on, definition.saga)];
            why.extend(route.complaints);
            return Err(Wrong::new(why.join("; ")));
        };
        let mut world = Self {
            catalog,
            index,
            id,
            instance: None,
            now: BEGIN,
            unseen: Vec::new(),
            declined: None,
            sent: Vec::new(),
            inputs: 0,
        };
        world.input(&Input::Event(event));
        match world.declined.take() {
            None => Ok(world),
            Some(reason) => Err(Wrong::new(format!("the start was declined: {reason}"))),
        }
    }

    /// The newest generation, while it is remembered.
    pub fn newest(&self) -> Option<&Generation> {
        self.instance.as_ref().and_then(Instance::newest)
    }

    /// An event is read: routed as the gateway does, then told.
    pub fn tell(&mut self, told: &Told) -> Result<(), Wrong> {
        let command = match &told.answers {
            Answers::ByKey => None,
            Answers::Latest => self.sent.iter().rev().find(|id| self.takes(id, &told.on)).cloned(),
            Answers::Command(text) => Some(self.command(text)?),
        };
        let id = told.id.clone().unwrap_or_else(|| self.fresh("event"));
        let mut event = event(told, id, command.as_ref(), self.now);
        event.key.get_or_insert_with(|| self.id.key.as_str().to_owned());
        if !self.index.reads(&event.address) {
            let reason = format!("no definition reads {}", event.address);
            self.declined = Some(Rejection::Unmatched(reason));
            return Ok(());
        }
        let route = self.index.route(&heading(&event), &event, self.now);
        if route.targets.contains(&self.id) {
            self.input(&Input::Event(event));
            return Ok(());
        }
        let mut why = route.complaints;
        why.extend(route.targets.iter().map(|other| format!("it belongs to {other}")));
        let why = if why.is_empty() { "it belongs to nothing".to_owned() } else { why.join("; ") };
        self.declined = Some(Rejection::Unmatched(why));
        Ok(())
    }

    /// Time passes; timers fire in their order, each at its time.
    pub fn pass(&mut self, span: Span) -> Result<(), Wrong> {
        let end = self.now.after(span);
        let due = |world: &Self| world.instance.as_ref().and_then(next_due);
        let mut wakes = 0;
        while let Some(at) = due(self).filter(|at| *at <= end) {
            wakes += 1;
            if wakes > WAKES_MAX {
                return Err(Wrong::new(format!("more than {WAKES_MAX} timers fire in {span}")));
            }
            self.now = at.max(self.now);
            self.input(&Input::Wake);
            self.declined = None;
        }
        self.now = end;
        Ok(())
    }

    /// A person acts.
    pub fn act(&mut self, acted: &Acted) {
        let Acted { verb, step, by, why } = acted.clone();
        let id = self.fresh("act");
        self.input(&Input::Act(Act { id, by, why, step, verb }));
    }

    fn input(&mut self, input: &Input) {
        match engine::step(&self.catalog, &self.id, self.instance.as_ref(), input, self.now) {
            Ok(transition) => {
                for effect in &transition.effects {
                    if let Effect::Command(message) = effect {
                        self.sent.push(message.id.clone());
                    }
                }
                self.unseen.extend(transition.effects);
                self.instance = transition.after;
            }
            Err(rejection) => self.declined = Some(rejection),
        }
    }

    fn fresh(&mut self, what: &str) -> String {
        self.inputs += 1;
        format!("{what}-{}", self.inputs)
    }

    /// Whether an event of this address is an answer to a command.
    fn takes(&self, id: &CommandId, address: &Address) -> bool {
        let definition = self.catalog.newest(&self.id.saga);
        let step =
            definition.and_then(|d| d.steps.iter().find(|step| step.name.as_str() == id.step));
        step.is_some_and(|step| answers(step, id.part).contains(&address))
    }

    /// The command that `step/attempt`, `generation/step/attempt` or a whole id names.
    fn command(&self, text: &str) -> Result<CommandId, Wrong> {
        let newest = self.newest().map_or(1, |generation| generation.number);
        let whole = CommandId {
            instance: self.id.clone(),
            generation: newest,
            step: String::new(),
            part: Part::Action,
            attempt: 1,
        };
        let prefix = whole.idempotency_key();
        let instance = prefix.rsplitn(3, '/').nth(2).unwrap_or_default();
        let text = match text.matches('/').count() {
            1 => format!("{instance}/{newest}/{text}"),
            2 => format!("{instance}/{text}"),
            _ => text.to_owned(),
        };
        text.parse().map_err(|e| {
            Wrong::new(format!("{e}; write `step/attempt`, `step~undo/attempt` or a whole id"))
        })
    }
}

/// The events that answer the action of a step or its undoing.
fn answers(step: &Step, part: Part) -> Vec<&Address> {
    match (part, &step.kind) {
        (Part::Action, StepKind::Command(command)) => {
            let failed = command.failed.iter().map(|failed| &failed.on);
            dones(&command.request).chain(failed).collect()
        }
        (Part::Undo(_), StepKind::Command(command)) => undone(&command.compensate),
        (Part::Undo(_), StepKind::Emit(emit)) => undone(&emit.compensate),
        (Part::Probe, StepKind::Command(command)) => {
            let probe = command.probe.iter();
            probe
                .flat_map(|p| dones(&p.request).chain(p.absent.iter().map(|done| &done.on)))
                .collect()
        }
        (Part::Action | Part::Probe, StepKind::Emit(_))
        | (
            _,
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
            | StepKind::Lock(_),
        ) => Vec::new(),
    }
}

fn undone(compensation: &Compensation) -> Vec<&Address> {
    match compensation {
        Compensation::Command { request, .. } => dones(request).collect(),
        Compensation::Unsaid
        | Compensation::Nothing
        | Compensation::Emit(_)
        | Compensation::Call { .. }
        | Compensation::Child => Vec::new(),
    }
}

fn dones(request: &Request) -> impl Iterator<Item = &Address> {
    request.done.iter().map(|done| &done.on)
}

fn event(told: &Told, id: String, command: Option<&CommandId>, now: Timestamp) -> Event {
    Event {
        address: told.on.clone(),
        id,
        key: told.key.clone(),
        body: told.body.clone(),
        command: command.map(ToString::to_string),
        trace_parent: None,
        timestamp: now,
    }
}

fn heading(event: &Event) -> Heading {
    Heading {
        address: event.address.clone(),
        id: event.id.clone(),
        key: event.key.clone(),
        command: event.command.as_ref().and_then(|text| text.parse().ok()),
        trace_parent: None,
        data: None::<Value>,
    }
}
