//! Random runs of the sagas that ship, on the pure engine: every end that one of them reaches was
//! foreseen by the checker. `SEGUE_RUNS` asks for more runs of each.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use segue::checker::{self, Ending, Report};
use segue::definition::{Catalog, Compensation, Definition, Done, Step, StepKind, parse};
use segue::engine::{CallOutcome, Called, Effect, Input, Life, Status, Verb, step};
use segue::message::{Address, CommandId, Coordinate, Event, InstanceId, Key, Part, Span};
use segue::{definition, engine, message};
use serde_json::{Map, Value, json};

#[path = "../src/engine/tests/drive.rs"]
mod drive;
mod shipped;

use drive::{Dice, Drive, Family};
use shipped::{SAGAS, text};

/// How many runs of each saga.
const RUNS: u64 = 150;
const INPUTS: u64 = 120;
/// More than the largest saga has.
const STATES_MAX: usize = 100_000;

fn definitions() -> Vec<Definition> {
    let read =
        |folder: &&str| parse(folder, &text(folder, "saga.yaml")).unwrap_or_else(|e| panic!("{e}"));
    SAGAS.iter().map(read).collect()
}

/// How a participant answers one request, whatever attempt it hears of.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Yes(u64),
    No(u64),
    Silent,
}

/// One instance of a saga, and the ends that it and its children come to.
struct Run<'c> {
    root: &'c Definition,
    family: Family<'c>,
    /// How many of a hundred requests are answered with yes.
    luck: u64,
    /// Whether hours go by between two answers.
    is_slow: bool,
    moods: BTreeMap<String, Mood>,
    /// What was reached, by the saga.
    ends: BTreeSet<(String, Ending)>,
}

impl<'c> Run<'c> {
    fn of(root: &'c Definition, catalog: &'c Catalog, seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let luck = [55, 80, 93, 98][usize::try_from(dice.roll(4)).expect("small")];
        let is_slow = dice.roll(3) == 0;
        Self {
            root,
            family: Family::of(catalog, dice),
            luck,
            is_slow,
            moods: BTreeMap::new(),
            ends: BTreeSet::new(),
        }
    }

    fn whole(mut self) -> BTreeSet<(String, Ending)> {
        let start = self.root.starts.first().expect("it begins by an event").on.clone();
        self.fact(&start);
        for _ in 0..INPUTS {
            self.any_input();
        }
        for _ in 0..12 {
            self.deliver_all();
            self.pass(Span::hours(24 * 12));
        }
        self.ends
    }

    fn any_input(&mut self) {
        match self.family.dice.roll(26) {
            0..=9 => self.answer(),
            10..=15 => {
                self.deliver();
            }
            16 => self.repeat(),
            17 => self.cancel(),
            18 => self.act(),
            19 | 20 => self.decide(),
            21..=23 => self.any_fact(),
            24 if self.is_slow => {
                let span = Span::hours(self.family.dice.roll(30));
                self.pass(span);
            }
            _ => {
                let span = Span::millis(self.family.dice.roll(4_000));
                self.pass(span);
            }
        }
    }

    fn root_id(&self) -> InstanceId {
        InstanceId { saga: self.root.saga.clone(), key: Key::new("k").expect("it is a key") }
    }

    fn event(&mut self, address: Address, command: Option<&CommandId>) -> Event {
        let body = body(&mut self.family.dice);
        let event = self.family.event(address, body, command);
        Event { key: Some("k".to_owned()), ..event }
    }

    fn fact(&mut self, address: &Address) {
        let id = self.root_id();
        let event = self.event(address.clone(), None);
        self.happen(&id, event);
    }

    /// A fact that some wait takes.
    fn any_fact(&mut self) {
        let facts = self.root.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Wait(wait) => Some(wait),
            _ => None,
        });
        let lucky = self.family.dice.roll(100) < self.luck;
        let facts: Vec<Address> = facts
            .flat_map(|wait| {
                let yes = wait.on.iter().filter(|_| lucky).map(|done| &done.on);
                yes.chain(wait.failed.iter().filter(|_| !lucky).map(|failed| &failed.on))
            })
            .cloned()
            .collect();
        if let Some(address) = self.family.dice.pick(&facts).cloned() {
            self.fact(&address);
        }
    }

    fn cancel(&mut self) {
        let on: Vec<Address> = self.root.cancel.iter().map(|cancel| cancel.on.clone()).collect();
        if let Some(address) =
            self.family.dice.pick(&on).cloned().filter(|_| self.family.dice.roll(8) == 0)
        {
            self.fact(&address);
        }
    }

    /// A person acts on what is stuck, or sends back what is not.
    fn act(&mut self) {
        let ids: Vec<InstanceId> = self.family.instances.keys().cloned().collect();
        let Some(id) = self.family.dice.pick(&ids).cloned() else { return };
        let stuck = self.family.instances[&id].newest().and_then(|g| g.stuck.first());
        let owner = stuck.and_then(|s| Some(self.family.catalog.newest(&id.saga)?.step(s.step)));
        let verbs = match owner {
            Some(owner) => vec![
                Verb::Retry,
                Verb::Skip,
                Verb::ResolveDone(resolved(owner)),
                Verb::ResolveNotDone,
                Verb::GoBack,
            ],
            None if self.family.dice.roll(20) == 0 => vec![Verb::GoBack, Verb::Cancel],
            None => return,
        };
        let verb = self.family.dice.pick(&verbs).expect("some").clone();
        self.acted(&id, None, verb);
    }

    /// An answer to something that was sent lately, as its participant decided.
    fn answer(&mut self) {
        let lately = self.family.sent.len().saturating_sub(2);
        let of = if self.family.dice.roll(6) == 0 {
            &self.family.sent[..]
        } else {
            &self.family.sent[lately..]
        };
        let Some((id, is_call)) = self.family.dice.pick(of).cloned() else { return };
        let (roll, which) = (self.family.dice.roll(100), self.family.dice.roll(8));
        let fresh = match roll {
            roll if roll < self.luck => Mood::Yes(which),
            roll if roll % 2 == 0 => Mood::No(which),
            _ => Mood::Silent,
        };
        let mood = *self.moods.entry(id.idempotency_key()).or_insert(fresh);
        let definition =
            self.family.catalog.newest(&id.instance.saga).expect("it has sent something");
        let named = id.subject.step();
        let step = named.and_then(|n| definition.steps.iter().find(|s| s.name == n.step));
        let Some(step) = step else { return };
        if is_call {
            let Some(outcome) = called(step, id.part, mood, &mut self.family.dice) else { return };
            let called = Called { command: id.to_string(), outcome };
            self.tell(&id.instance, &Input::Called(called));
        } else if let Some(address) = reply(step, id.part, mood) {
            let event = self.event(address, Some(&id));
            self.happen(&id.instance, event);
        }
    }
}

impl<'c> Drive<'c> for Run<'c> {
    fn family(&mut self) -> &mut Family<'c> {
        &mut self.family
    }

    /// Tells one instance, and notes where it has come to.
    fn tell(&mut self, id: &InstanceId, input: &Input) {
        let Ok(made) =
            step(self.family.catalog, id, self.family.instances.get(id), input, self.family.now)
        else {
            return;
        };
        for effect in made.effects {
            match effect {
                Effect::Command(message) => self.family.sent.push((message.id, false)),
                Effect::Call(call) => self.family.sent.push((call.id, true)),
                Effect::Question(question) => self.family.ask(question),
                Effect::Letter { to, letter } => self.family.mail(id, to, letter),
                Effect::Fact(_) | Effect::Complaint(_) => {}
            }
        }
        let Some(after) = made.after else {
            self.family.instances.remove(id);
            return;
        };
        let definition = self.family.catalog.newest(&id.saga);
        let ends = after.lives.iter().zip(definition).filter_map(|(g, d)| ending(d, g));
        self.ends.extend(ends.map(|end| (id.saga.to_string(), end)));
        self.family.instances.insert(id.clone(), after);
    }
}

/// Where a life has come to, if it is an end or a place where it waits for a person.
fn ending(definition: &Definition, life: &Life) -> Option<Ending> {
    match life.status() {
        Status::Completed if !life.owes() => Some(Ending::Completed),
        Status::Compensated if !life.owes() => {
            let failure = life.failure.as_ref()?;
            Some(Ending::Compensated { step: failure.step.clone(), kind: failure.kind.text() })
        }
        Status::Stuck => {
            let stuck = life.stuck.first()?;
            let name = definition.step(stuck.step).name.clone();
            let step = Coordinate { step: name, branch: stuck.branch.clone() };
            Some(Ending::Stuck { step, undoing: stuck.undoing })
        }
        Status::Running | Status::Compensating | Status::Completed | Status::Compensated => None,
    }
}

fn nth<T: Clone>(all: &[T], which: u64) -> Option<T> {
    let len = u64::try_from(all.len()).expect("a short list");
    let at = which.checked_rem(len)?;
    all.get(usize::try_from(at).expect("small")).cloned()
}

/// The event that answers a part of a step.
fn reply(step: &Step, part: Part, mood: Mood) -> Option<Address> {
    let on = |done: &[Done]| done.iter().map(|done| done.on.clone()).collect::<Vec<_>>();
    let (yes, no) = match (part, &step.kind) {
        (Part::Action, StepKind::Command(command)) => (
            on(&command.request.done),
            command.failed.iter().map(|failed| failed.on.clone()).collect(),
        ),
        (Part::Probe, StepKind::Command(command)) => {
            let probe = command.probe.as_ref()?;
            (on(&probe.request.done), on(&probe.absent))
        }
        (Part::Undo(_), _) => match step.compensation() {
            Compensation::Command { request, .. } => (on(&request.done), Vec::new()),
            _ => return None,
        },
        _ => return None,
    };
    match mood {
        Mood::Yes(which) => nth(&yes, which),
        Mood::No(which) => nth(&no, which),
        Mood::Silent => None,
    }
}

/// What a service answers to a call.
fn called(step: &Step, part: Part, mood: Mood, dice: &mut Dice) -> Option<CallOutcome> {
    let request = match (part, &step.kind) {
        (Part::Action, StepKind::Call(call)) => &call.request,
        (Part::Undo(_), _) => match step.compensation() {
            Compensation::Call { request, .. } => request,
            _ => return None,
        },
        _ => return None,
    };
    let no: Vec<u16> = match (part, &step.kind) {
        (Part::Action, StepKind::Call(call)) => {
            call.failed.iter().filter_map(|f| Some(*f.status.first()?.start())).collect()
        }
        _ => Vec::new(),
    };
    let yes: Vec<u16> =
        request.done.iter().filter_map(|d| Some(*d.status.first()?.start())).collect();
    let status = match mood {
        Mood::Yes(which) => nth(&yes, which)?,
        Mood::No(which) => nth(&no, which).unwrap_or(500),
        Mood::Silent => {
            let unsent = dice.roll(2) == 0;
            return Some(CallOutcome::Failed { reason: "no route".to_owned(), unsent });
        }
    };
    Some(CallOutcome::Answered { status, headers: Vec::new(), body: body(dice) })
}

/// What a person who resolves a step as done knows: all that it would have set.
fn resolved(step: &Step) -> Map<String, Value> {
    let done = match &step.kind {
        StepKind::Command(command) => &command.request.done[..],
        StepKind::Wait(wait) => &wait.on[..],
        _ => &[],
    };
    let sets = done.iter().filter_map(|d| d.set.as_ref()).flatten();
    let known = body(&mut Dice::of(1));
    let value = |field: &str| known.get(field).cloned().unwrap_or_else(|| json!("known"));
    step.set.iter().chain(sets).map(|a| (a.field.clone(), value(&a.field))).collect()
}

fn one<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    *dice.pick(of).expect("there are some")
}

/// A body that holds whatever one of the sagas reads.
fn body(dice: &mut Dice) -> Value {
    let names: Map<String, Value> = [
        "order_id",
        "claim_id",
        "member_id",
        "practice_id",
        "pay_to",
        "visit",
        "plan_id",
        "why",
        "patient_id",
        "diagnosis",
        "procedure",
        "panel",
        "room",
        "clinician",
        "day",
        "transfer_id",
        "currency",
        "purpose",
        "dataset_id",
        "model",
        "recipe",
        "since",
        "incident_id",
        "cluster",
        "symptom",
        "reservation_id",
        "payment_id",
        "plan",
        "contact",
        "channel",
        "encounter_id",
        "document",
        "scan",
        "filler_order",
        "findings",
        "advice",
        "outcome",
        "letter_id",
        "entry",
        "snapshot",
        "artifact",
        "sandbox",
        "uri",
        "file",
        "table",
        "error",
        "placer_order",
        "list",
        "summary",
        "checks",
        "agent",
        "task",
        "material",
        "letter",
        "payment",
        "consent",
        "decided_by",
        "lab_order",
        "encounter",
        "debit",
        "credit",
        "workspace",
        "evidence",
    ]
    .iter()
    .map(|name| ((*name).to_owned(), json!("k")))
    .collect();
    let size = |dice: &mut Dice| dice.roll(3);
    let items = |n: u64| (0..n).map(|i| json!({"name": format!("s{i}"), "query": "q"}));
    let party = |name: &str| json!({"account": name, "iban": "DE02", "name": name});
    let mut all = json!({
        "by": one(dice, &["customer", "practice", "debtor"]),
        "total": 10, "billed": 9_000, "severity": 1, "budget": 1_000,
        "begins": "1970-01-02T08:00:00Z", "ended": "1970-01-02T10:00:00Z", "recovery": "4h",
        "amount": one(dice, &[100, 1_100_000, 2_000_000]),
        "debtor": party("a"), "creditor": party("b"), "own_share": 5, "rows": 3,
        "payable": one(dice, &[100, 300_000]),
        "score": dice.roll(1_000), "cost": dice.roll(600), "cents": 5,
        "passed": dice.roll(4) > 0,
        "risk": one(dice, &["low", "high"]),
    });
    let lists = json!({
        "lines": items(1 + size(dice)).collect::<Vec<_>>(),
        "sources": items(1 + dice.roll(2)).collect::<Vec<_>>(),
        "doubts": items(size(dice)).collect::<Vec<_>>(), "diagnoses": ["E11.9"],
    });
    let fields = all.as_object_mut().expect("it is one");
    fields.extend(names);
    fields.extend(lists.as_object().expect("it is one").clone());
    all
}

fn runs() -> u64 {
    std::env::var("SEGUE_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS)
}

/// Every end that random runs reach, by the saga.
fn reached(all: &[Definition]) -> BTreeMap<String, BTreeSet<Ending>> {
    let mut catalog = Catalog::default();
    for definition in all {
        catalog.add(definition.clone()).expect("each saga is there once");
    }
    let mut reached: BTreeMap<String, BTreeSet<Ending>> = BTreeMap::new();
    for root in all.iter().filter(|d| !d.starts.is_empty()) {
        for seed in 0..runs() {
            for (saga, end) in Run::of(root, &catalog, seed).whole() {
                reached.entry(saga).or_default().insert(end);
            }
        }
    }
    reached
}

#[test]
fn every_end_that_a_random_run_reaches_was_foreseen() {
    let all = definitions();
    let others: Vec<&Definition> = all.iter().collect();
    let check = |definition| checker::check(definition, &others, STATES_MAX);
    let (reports, mut reached) = thread::scope(|scope| {
        let proofs = scope.spawn(|| all.iter().map(check).collect::<Vec<Report>>());
        let reached = reached(&all);
        (proofs.join().expect("the checker ends"), reached)
    });
    let (mut unforeseen, mut poor) = (Vec::new(), Vec::new());
    for report in reports {
        assert_eq!(report.bound, None, "{}: not all was looked at", report.saga);
        let reached = reached.remove(report.saga.as_str()).unwrap_or_default();
        let foreseen: BTreeSet<Ending> = report.endings.iter().cloned().collect();
        let told = |end: &Ending| format!("{}: {end}", report.saga);
        let seen = reached.intersection(&foreseen).count();
        println!("{}: {seen} of {} foreseen ends were reached", report.saga, foreseen.len());
        foreseen.difference(&reached).for_each(|end| println!("    not reached: {end}"));
        unforeseen.extend(reached.difference(&foreseen).map(told));
        if !reached.contains(&Ending::Completed) || seen * 2 < foreseen.len() {
            poor.push(report.saga.clone());
        }
    }
    assert!(unforeseen.is_empty(), "reached and not foreseen: {unforeseen:#?}");
    assert!(poor.is_empty(), "the driver reaches too little of {poor:?}");
}
