use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::End;
use super::answers::takes;
use super::model::{Acted, Answers, Given, Identity, Returned, Starter, Told};
use super::run::Wrong;
use crate::correlation::{Heading, Index, RecordKey};
use crate::definition::{Catalog, Definition};
use crate::engine::{
    self, Act, Called, Direction, Effect, Input, Instance, Letter, Life, Rejection, Wake, next_due,
};
use crate::message::{
    Address, CommandId, Coordinate, Event, EventSource, InstanceId, LifeId, Part, Span, Subject,
    Timestamp,
};

/// 2026-01-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp(1_767_225_600_000);

/// The most timers that one `pass` may fire: more is a mistake in the scenario.
const WAKES_MAX: usize = 100_000;

/// One instance, the locks that it asks for, its messages and the time.
#[derive(Debug, Clone)]
pub(super) struct World {
    catalog: Arc<Catalog>,
    index: Arc<Index>,
    pub id: InstanceId,
    instances: BTreeMap<InstanceId, Instance>,
    now: Timestamp,
    /// Effects that no `expect` has looked at.
    pub unseen: Vec<Effect>,
    /// How the last event or act was declined, until a step has looked at it.
    pub declined: Option<Rejection>,
    /// Every command and call so far, the latest last.
    sent: Vec<CommandId>,
    /// The idempotency keys of those that were answered.
    answered: BTreeSet<String>,
    /// What was last said to each child, by the coordinate of the step.
    pub children: BTreeMap<String, (InstanceId, Letter)>,
    inputs: u32,
}

impl World {
    /// Starts an instance.
    pub fn begin(definition: &Definition, given: &Given) -> Result<Self, Wrong> {
        let mut catalog = Catalog::default();
        catalog.add(definition.clone()).map_err(|e| Wrong::new(e.to_string()))?;
        let index = Index::new(&catalog);
        let (id, input) = match &given.by {
            Starter::Event(sent) => start(definition, &index, given, sent)?,
            Starter::Parent => super::letters::start(definition, given)?,
        };
        let mut world = Self {
            catalog: Arc::new(catalog),
            index: Arc::new(index),
            id,
            instances: BTreeMap::new(),
            now: BEGIN,
            unseen: Vec::new(),
            declined: None,
            sent: Vec::new(),
            answered: BTreeSet::new(),
            children: BTreeMap::new(),
            inputs: 0,
        };
        world.input(input);
        match world.declined.take() {
            None => Ok(world),
            Some(reason) => Err(Wrong::new(format!("the start was declined: {reason}"))),
        }
    }

    /// The newest life, while it is remembered.
    pub fn newest(&self) -> Option<&Life> {
        self.instances.get(&self.id).and_then(Instance::newest)
    }

    /// How the instance stands, while it is remembered.
    pub fn stands(&self) -> Option<End> {
        let life = self.newest()?;
        let (status, owes) = (life.status(), life.owes());
        let back = life.direction == Direction::Back;
        let failure = life.failure.as_ref().filter(|_| back);
        let stuck = life.stuck.first();
        let (at, undoing) = match stuck {
            Some(stuck) => {
                let definition = self.catalog.by_hash(life.definition)?;
                let mut name = definition.step(stuck.step).name.to_string();
                for index in &stuck.branch {
                    let _ = write!(name, "[{index}]");
                }
                (name, stuck.undoing)
            }
            None => (Coordinate::text(failure.and_then(|f| f.step.as_ref())), false),
        };
        Some(End { status, at, kind: failure.map(|f| f.kind), undoing, owes })
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// An event is read: routed as the gateway does, then told.
    pub fn tell(&mut self, told: &Told) -> Result<(), Wrong> {
        let command = match &told.answers {
            Answers::ByKey => None,
            Answers::Latest => self.latest(|world, id| world.takes(id, &told.on)),
            Answers::Command(text) => Some(self.command(text)?),
        };
        let id = told.id.clone().unwrap_or_else(|| self.fresh("event"));
        let sent = Identity { on: told.on.clone(), source: told.source.clone(), id };
        let mut event = event(&sent, told.key.as_ref(), &told.body, self.now);
        event.command = command.as_ref().map(ToString::to_string);
        event.key.get_or_insert_with(|| self.id.key.as_str().to_owned());
        if !self.index.reads(&event.address) {
            let reason = format!("no definition reads {}", event.address);
            self.declined = Some(Rejection::Unmatched(reason));
            return Ok(());
        }
        let route = self.index.route(&heading(&event), &event, self.now);
        if route.targets.contains(&self.id) {
            self.answered.extend(command.map(|id| id.idempotency_key()));
            self.input(Input::Event(event));
            return Ok(());
        }
        let mut why = route.complaints;
        why.extend(route.targets.iter().map(|other| format!("it belongs to {other}")));
        let why = if why.is_empty() { "it belongs to nothing".to_owned() } else { why.join("; ") };
        self.declined = Some(Rejection::Unmatched(why));
        Ok(())
    }

    /// A call comes back.
    pub fn called(&mut self, returned: &Returned) -> Result<(), Wrong> {
        let command = match &returned.command {
            Some(text) => Some(self.command(text)?),
            None => self.latest(Self::is_call),
        };
        let command = command.ok_or_else(|| Wrong::new("nothing was called before this step"))?;
        self.answered.insert(command.idempotency_key());
        let outcome = returned.outcome.clone();
        self.input(Input::Called(Called { command: command.to_string(), outcome }));
        Ok(())
    }

    /// Time passes; timers fire in their order, each at its time.
    pub fn pass(&mut self, span: Span) -> Result<(), Wrong> {
        let end = self.now.after(span);
        let mut wakes = 0;
        while let Some((at, id)) = self.due().filter(|(at, _)| *at <= end) {
            wakes += 1;
            if wakes > WAKES_MAX {
                return Err(Wrong::new(format!("more than {WAKES_MAX} timers fire in {span}")));
            }
            self.now = at.max(self.now);
            self.input_to(id, Input::Wake(Wake::DUE));
            self.declined = None;
        }
        self.now = end;
        Ok(())
    }

    /// Time passes while the engine is away; what is due fires at its end, all at once. Attempts
    /// whose time ran out meanwhile get it again.
    pub fn down(&mut self, span: Span) -> Result<(), Wrong> {
        self.now = self.now.after(span);
        let wake = Wake { away_until: self.now, ..Wake::DUE };
        let mut wakes = 0;
        while let Some((_, id)) = self.due().filter(|(at, _)| *at <= self.now) {
            wakes += 1;
            if wakes > WAKES_MAX {
                return Err(Wrong::new(format!("more than {WAKES_MAX} timers fire at once")));
            }
            self.input_to(id, Input::Wake(wake));
            self.declined = None;
        }
        Ok(())
    }

    /// The next timer of the instance or of a lock.
    pub fn due(&self) -> Option<(Timestamp, InstanceId)> {
        let due =
            |(id, instance): (&InstanceId, &Instance)| Some((next_due(instance)?, id.clone()));
        self.instances.iter().filter_map(due).min()
    }

    /// A person acts.
    pub fn act(&mut self, acted: &Acted) -> Result<(), Wrong> {
        let Acted { verb, step, by, why } = acted.clone();
        let step = Coordinate::read(&step).map_err(|e| Wrong::new(e.to_string()))?;
        let id = self.fresh("act");
        self.input(Input::Act(Act { id, by, why, step, verb, signed: None }));
        Ok(())
    }

    /// Tells the instance something, and the locks what it says to them.
    pub fn input(&mut self, input: Input) {
        self.input_to(self.id.clone(), input);
    }

    /// Tells the instance or a lock something, and both what they say to each other.
    pub fn input_to(&mut self, id: InstanceId, input: Input) {
        let mut inbox = VecDeque::from([(id, input)]);
        let mut first = true;
        while let Some((id, input)) = inbox.pop_front() {
            let before = self.instances.get(&id);
            match engine::step(&self.catalog, &id, before, &input, self.now) {
                Ok(transition) => {
                    match transition.after {
                        Some(after) => self.instances.insert(id, after),
                        None => self.instances.remove(&id),
                    };
                    for effect in transition.effects {
                        self.perform(effect, &mut inbox);
                    }
                }
                Err(rejection) if first => self.declined = Some(rejection),
                // What a lock says too late means nothing.
                Err(_) => {}
            }
            first = false;
        }
    }

    fn perform(&mut self, effect: Effect, inbox: &mut VecDeque<(InstanceId, Input)>) {
        match effect {
            Effect::Letter { to, letter } if to.saga.is_lock() || to == self.id => {
                inbox.push_back((to, Input::Letter(letter)));
            }
            Effect::Letter { ref letter, .. } if super::letters::is_unseen(letter) => {}
            Effect::Letter { ref to, ref letter } => {
                self.children.insert(letter.step.to_string(), (to.clone(), letter.clone()));
                self.unseen.push(effect);
            }
            Effect::Command(ref message) => {
                self.sent.push(message.id.clone());
                self.unseen.push(effect);
            }
            Effect::Call(ref call) => {
                self.sent.push(call.id.clone());
                self.unseen.push(effect);
            }
            Effect::Fact(_) | Effect::Question(_) | Effect::Complaint(_) => {
                self.unseen.push(effect);
            }
        }
    }

    /// A name for an input that has none.
    pub fn fresh(&mut self, what: &str) -> String {
        self.inputs += 1;
        format!("{what}-{}", self.inputs)
    }

    /// The latest command of a kind, of those without an answer if there are any.
    pub fn latest(&self, fits: impl Fn(&Self, &CommandId) -> bool) -> Option<CommandId> {
        let fitting: Vec<_> = self.sent.iter().rev().filter(|id| fits(self, id)).collect();
        let open = fitting.iter().find(|id| !self.answered.contains(&id.idempotency_key()));
        open.or_else(|| fitting.first()).map(|id| (*id).clone())
    }

    /// Whether an event of this address is an answer to a command.
    pub fn takes(&self, id: &CommandId, address: &Address) -> bool {
        let definition = self.catalog.newest(&self.id.saga);
        definition.is_some_and(|definition| takes(definition, id, address))
    }

    /// Whether a command is a call.
    pub fn is_call(&self, id: &CommandId) -> bool {
        let definition = self.catalog.newest(&self.id.saga);
        definition.is_some_and(|definition| super::answers::is_call(definition, id))
    }

    /// The command that `step/attempt`, `life/step/attempt` or a whole id names.
    fn command(&self, text: &str) -> Result<CommandId, Wrong> {
        let newest = self.newest().map_or(1, |life| life.id.number);
        let whole = CommandId {
            instance: self.id.clone(),
            life: LifeId::unmarked(newest),
            subject: Subject::Completed,
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
        let named: CommandId = text.parse().map_err(|e| {
            Wrong::new(format!("{e}; write `step/attempt`, `step~undo/attempt` or a whole id"))
        })?;
        Ok(self.marked(named))
    }

    /// The latest life of a number, where an author left its mark away.
    fn marked(&self, named: CommandId) -> CommandId {
        let latest = |id: &&CommandId| id.life.number == named.life.number;
        match self.sent.iter().rev().find(latest) {
            Some(sent) if named.life.mark == 0 && named.instance == self.id => {
                CommandId { life: sent.life, ..named }
            }
            Some(_) | None => named,
        }
    }
}

/// The instance that an event starts, and what it is told.
fn start(
    definition: &Definition,
    index: &Index,
    given: &Given,
    sent: &Identity,
) -> Result<(InstanceId, Input), Wrong> {
    let event = event(sent, given.key.as_ref(), &given.body, BEGIN);
    let route = index.route(&heading(&event), &event, BEGIN);
    let Some(id) = route.targets.into_iter().next() else {
        let mut why = vec![format!("{} starts no {}", sent.on, definition.saga)];
        why.extend(route.complaints);
        return Err(Wrong::new(why.join("; ")));
    };
    Ok((id, Input::Event(event)))
}

fn event(sent: &Identity, key: Option<&String>, body: &Value, now: Timestamp) -> Event {
    Event {
        address: sent.on.clone(),
        source: source(sent.source.as_deref()),
        id: sent.id.clone(),
        key: key.cloned(),
        body: body.clone(),
        command: None,
        trace_parent: None,
        timestamp: now,
    }
}

/// A blank source is none, as in a header.
fn source(said: Option<&str>) -> EventSource {
    match said {
        Some(name) if !name.trim().is_empty() => EventSource::Named(name.to_owned()),
        Some(_) | None => EventSource::Unnamed,
    }
}

fn heading(event: &Event) -> Heading {
    Heading {
        address: event.address.clone(),
        source: event.source.clone(),
        id: event.id.clone(),
        key: RecordKey::of(event.key.as_deref().map(str::as_bytes)),
        command: event.command.as_ref().and_then(|text| text.parse().ok()),
        trace_parent: None,
        data: None::<Value>,
    }
}
