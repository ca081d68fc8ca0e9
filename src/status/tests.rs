//! What is told of instances that the engine itself has made.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::{LifeState, Masks, Moment, Overview, Standing, Wait, overview};
use crate::definition::{Catalog, parse};
use crate::engine::{
    Act, Direction, Effect, Input, Instance, Letter, Status, Verb, Wake, next_due, step,
};
use crate::message::{
    Address, Event, EventSource, EventType, InstanceId, Key, SagaName, Span, Timestamp, Topic,
};

/// A saga that others begin.
const CHILD: &str = "saga: child\nversion: 1\nstart: { by: parent }\nlate: 7d\nsteps:\n  \
                     - { step: rest, wait: t/Rested, within: 1h }\n";
const START: Timestamp = Timestamp(1_000_000);

/// A saga under the key `k`, its children and locks, and the time.
struct World {
    catalog: Catalog,
    instances: std::collections::BTreeMap<InstanceId, Instance>,
    now: Timestamp,
    events: u32,
}

impl World {
    /// A saga of these steps begins.
    fn begun(steps: &str) -> Self {
        Self::begun_with("", steps)
    }

    fn begun_with(head: &str, steps: &str) -> Self {
        let mut world = Self {
            catalog: Catalog::default(),
            instances: std::collections::BTreeMap::new(),
            now: START,
            events: 0,
        };
        world.add(&format!(
            "saga: s\nversion: 3\ntitle: A sale\nlate: 7d\n\
             start: {{ on: t/Placed, key: event.id }}\n\
             within: 30d\ncancel: {{ on: t/Cancelled, key: event.id }}\n\
             data: {{ id: event.id, card: event.card, list: event.list }}\n{head}steps:\n{steps}"
        ));
        world.add(CHILD);
        world.told("Placed", json!({ "id": "k", "card": { "number": "4111" }, "list": [1, 2] }));
        world
    }

    fn add(&mut self, text: &str) {
        let read = parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{text}\n{e}"));
        self.catalog.add(read).expect("the first of its name");
    }

    fn tell(&mut self, id: &InstanceId, input: &Input) {
        let mut mail: VecDeque<(InstanceId, Letter)> = VecDeque::new();
        self.tell_one(id, input, &mut mail);
        while let Some((to, letter)) = mail.pop_front() {
            self.tell_one(&to, &Input::Letter(letter), &mut mail);
        }
    }

    fn tell_one(
        &mut self,
        id: &InstanceId,
        input: &Input,
        mail: &mut VecDeque<(InstanceId, Letter)>,
    ) {
        let before = self.instances.get(id);
        let made = step(&self.catalog, id, before, input, self.now);
        let made = made.unwrap_or_else(|e| panic!("{input:?}: {e}"));
        match made.after {
            Some(after) => drop(self.instances.insert(id.clone(), after)),
            None => drop(self.instances.remove(id)),
        }
        for effect in made.effects {
            if let Effect::Letter { to, letter } = effect {
                mail.push_back((to, letter));
            }
        }
    }

    fn told(&mut self, event: &str, body: Value) {
        self.events += 1;
        let event = Event {
            address: Address {
                topic: Topic::new("t").expect("a topic"),
                event_type: EventType::new(event),
            },
            source: EventSource::Unnamed,
            id: format!("e{}", self.events),
            key: None,
            body,
            command: None,
            trace_parent: None,
            timestamp: self.now,
        };
        self.tell(&id("s", "k"), &Input::Event(event));
    }

    fn acted(&mut self, verb: Verb) {
        self.events += 1;
        let id_of_act = format!("a{}", self.events);
        let (by, why) = ("ana".to_owned(), "because".to_owned());
        let act = Act { id: id_of_act, by, why, step: None, verb, signed: None };
        self.tell(&id("s", "k"), &Input::Act(act));
    }

    /// Lets time pass; what is due strikes in its order.
    fn pass(&mut self, span: Span) {
        let end = self.now.after(span);
        loop {
            let due = self.instances.iter().filter_map(|(id, i)| Some((next_due(i)?, id.clone())));
            let Some((at, id)) = due.min().filter(|(at, _)| *at <= end) else { break };
            self.now = at.max(self.now);
            self.tell(&id, &Input::Wake(Wake::DUE));
        }
        self.now = end;
    }

    fn overview(&self, masks: Masks) -> Overview {
        let id = id("s", "k");
        overview(&self.catalog, &id, &self.instances[&id], masks).expect("there is a life")
    }

    fn life(&self) -> Standing {
        let overview = self.overview(Masks::On);
        assert_eq!(overview.state, overview.lives[0].state);
        overview.lives[0].clone()
    }
}

/// What must hold of what is told of any instance that the engine can make.
pub(crate) fn told_of(catalog: &Catalog, id: &InstanceId, instance: &Instance) {
    let told = overview(catalog, id, instance, Masks::On);
    let waits = instance.living().is_none() && !instance.queued.is_empty();
    let is_told = waits || !instance.lives.is_empty() || !instance.early.is_empty();
    assert_eq!(told.is_some(), is_told || instance.lock.is_some(), "{id}");
    let Some(told) = told else { return };
    #[cfg(feature = "server")]
    crate::console::tests::is_shown(&told);
    assert_eq!(told.lives.len(), instance.lives.len(), "{id}");
    for (life, told) in instance.lives.iter().rev().zip(&told.lives) {
        let fits = match life.status() {
            Status::Running | Status::Compensating | Status::Stuck if life.paused.is_some() => {
                told.state == LifeState::Paused && told.next_due.is_none()
            }
            Status::Running => {
                matches!(told.state, LifeState::Running | LifeState::Retrying | LifeState::Waiting)
            }
            Status::Compensating => told.state == LifeState::Compensating,
            Status::Completed => told.state == LifeState::Completed,
            Status::Compensated => told.state == LifeState::Compensated,
            Status::Stuck => told.state == LifeState::Stuck,
        };
        assert!(fits, "{id}: {:?} is told as {:?}", life.status(), told.state);
        let is_unknown = |step: &super::StepStanding| step.waits == Wait::Unknown;
        assert!(!told.steps.iter().any(is_unknown), "{id}: {:?}", told.steps);
        assert_eq!(told.stuck.len(), life.stuck.len(), "{id}");
        for stuck in &told.stuck {
            let at = |step: &&super::StepStanding| {
                step.step == stuck.step && step.undoing == stuck.undoing
            };
            let mut under_way = told.steps.iter().filter(at);
            let awaits = under_way.any(|step| step.waits == Wait::Person);
            assert!(awaits, "{id}: {stuck:?} is not among {:?}", told.steps);
        }
        let went_back = told.failure.is_some() && life.direction == Direction::Back;
        let has_error = went_back || told.pending.is_some() || !told.stuck.is_empty();
        assert_eq!(told.error.is_some(), has_error, "{id}: {told:?}");
        assert!(told.since.is_none_or(|since| since >= told.started), "{id}: {told:?}");
    }
    let alone = instance.lives.len() == 1
        && instance.remnants.is_empty()
        && instance.early.is_empty()
        && !waits;
    if let [life] = &told.lives[..]
        && alone
    {
        assert_eq!(life.next_due, next_due(instance).map(Moment), "{id}: {life:?}");
    }
}

fn id(saga: &str, key: &str) -> InstanceId {
    let saga = SagaName::new(saga).expect("a name");
    InstanceId { saga, key: Key::new(key).expect("a key") }
}

fn at(since_start: u64) -> Moment {
    Moment(START.after(Span(since_start)))
}

/// A command that is tried twice, and can be undone.
const CHARGE: &str = "  - step: charge
    title: Take the money
    command: t/Charge
    done: t/Charged
    failed: { on: t/Declined, reason: event.why }
    within: 10s
    retry: { attempts: 2, first: 1s, factor: 1, most: 1s }
    compensate:
      command: t/Refund
      done: t/Refunded
      within: 10s
      retry: { attempts: 2, first: 1s, factor: 1, most: 1s }
";
const REST: &str = "  - { step: rest, wait: t/Rested, within: 1h }\n";

#[test]
fn a_command_that_was_sent_once_runs() {
    let life = World::begun(CHARGE).life();
    assert_eq!((life.state, life.version, life.since), (LifeState::Running, Some(3), None));
    assert_eq!((life.started, life.title.as_str()), (Moment(START), "A sale"));
    let [step] = &life.steps[..] else { panic!("{:?}", life.steps) };
    assert_eq!((step.step.as_str(), step.kind.as_str()), ("charge", "command"));
    assert_eq!(step.title, "Take the money");
    assert_eq!(step.waits, Wait::Reply { from: "t/Charge".to_owned() });
    let (attempt, most, all) = (step.attempt, step.attempts_max, step.attempts);
    assert_eq!((attempt, most, all), (Some(1), Some(2), Some(1)));
    assert_eq!((step.since, step.due), (Some(at(0)), Some(at(10_000))));
    assert_eq!(life.next_due, Some(at(10_000)));
    assert!(life.owed.is_empty() && life.error.is_none() && !step.undoing);
}

#[test]
fn a_command_that_was_not_answered_is_retried() {
    let mut world = World::begun(CHARGE);
    world.pass(Span::millis(10_000));
    let pausing = world.life();
    assert_eq!(pausing.state, LifeState::Retrying);
    assert_eq!(pausing.steps[0].waits, Wait::Attempt { of: "t/Charge".to_owned() });
    world.pass(Span::millis(2_000));
    let again = world.life();
    assert_eq!((again.state, again.since), (LifeState::Retrying, Some(at(0))));
    assert_eq!((again.steps[0].attempt, again.steps[0].attempts_max), (Some(2), Some(2)));
    assert_eq!(again.steps[0].waits, Wait::Reply { from: "t/Charge".to_owned() });
}

#[test]
fn what_waits_says_for_what_and_since_when() {
    let mut world = World::begun(&format!("{CHARGE}{REST}"));
    world.now = world.now.after(Span::millis(500));
    world.told("Charged", json!({ "id": "k" }));
    let life = world.life();
    assert_eq!((life.state, life.since), (LifeState::Waiting, Some(at(500))));
    let step = &life.steps[0];
    assert_eq!(step.waits, Wait::Event { any_of: vec!["t/Rested".to_owned()] });
    assert_eq!((step.since, step.until), (Some(at(500)), Some(at(3_600_500))));
}

#[test]
fn each_kind_of_wait_has_its_words() {
    let ask = "  - { step: allow, ask: sales, question: 'Sell?', \
               choices: { sell: done, keep: failed }, \
               within: 1h }\n";
    let answer = Wait::Answer {
        who: "sales".to_owned(),
        choices: vec!["sell".to_owned(), "keep".to_owned()],
    };
    let sleep = "  - { step: nap, sleep: 5m }\n";
    let child = "  - { step: part, saga: child, within: 1h, compensate: child }\n";
    let of_child = Wait::Child { saga: "child".to_owned(), key: "k/part".to_owned() };
    for (steps, wait) in [(ask, answer), (sleep, Wait::Time), (child, of_child)] {
        let life = World::begun(steps).life();
        assert_eq!((life.state, &life.steps[0].waits), (LifeState::Waiting, &wait), "{steps}");
    }
}

#[test]
fn a_way_back_says_what_is_owed_to_whom() {
    let mut world = World::begun(&format!("{CHARGE}{REST}"));
    world.told("Charged", json!({ "id": "k" }));
    world.now = world.now.after(Span::millis(700));
    world.told("Cancelled", json!({ "id": "k" }));
    let life = world.life();
    assert_eq!((life.state, life.since), (LifeState::Compensating, Some(at(700))));
    let [owed] = &life.owed[..] else { panic!("{:?}", life.owed) };
    assert_eq!((owed.step.as_str(), owed.to.as_str()), ("charge", "t/Refund"));
    assert_eq!((owed.since, owed.attempts, owed.due), (at(700), 1, Some(at(10_700))));
    assert!(!owed.parked && life.steps[0].undoing);
    let failure = life.failure.expect("why");
    assert_eq!((failure.kind.as_str(), failure.step), ("cancelled", None));
    world.told("Refunded", json!({ "id": "k" }));
    let life = world.life();
    assert_eq!((life.state, life.since), (LifeState::Compensated, Some(at(700))));
    assert!(life.owed.is_empty() && life.steps.is_empty());
}

#[test]
fn what_is_stuck_says_what_a_person_must_see_to() {
    let mut world = World::begun(&format!("{CHARGE}{REST}"));
    world.told("Charged", json!({ "id": "k" }));
    world.told("Cancelled", json!({ "id": "k" }));
    world.pass(Span::seconds(40));
    let life = world.life();
    let [stuck] = &life.stuck[..] else { panic!("{:?}", life.stuck) };
    assert_eq!((life.state, life.since), (LifeState::Stuck, Some(stuck.since)));
    // Two attempts of ten seconds, and a pause of about one between them.
    assert!(stuck.since > at(20_000) && stuck.since <= at(21_000), "{stuck:?}");
    assert_eq!((stuck.step.as_str(), stuck.undoing), ("charge", true));
    assert!(life.owed[0].parked && life.owed[0].attempts == 2);
    assert_eq!(life.steps[0].waits, Wait::Person);
    let grouped = super::Fingerprint::of("s", "charge", &stuck.reason);
    assert_eq!(life.error, Some(grouped));
    world.acted(Verb::Retry);
    let again = world.life();
    assert_eq!((again.state, again.error.is_some()), (LifeState::Compensating, true));
    let step = &again.steps[0];
    assert_eq!((step.attempt, step.attempts), (Some(1), Some(3)), "its budget is a new one");
}

#[test]
fn a_life_that_is_done_says_when() {
    let mut world = World::begun(CHARGE);
    world.now = world.now.after(Span::millis(300));
    world.told("Charged", json!({ "id": "k" }));
    let life = world.life();
    assert_eq!(
        (life.state, life.since, life.ended),
        (LifeState::Completed, Some(at(300)), Some(at(300)))
    );
    assert_eq!(life.forgotten_at, Some(at(300 + 7 * 86_400_000)));
    assert!(life.steps.is_empty() && life.deadline.is_none());
}

#[test]
fn a_declined_request_is_grouped_by_its_reason_without_numbers() {
    let failed = |why: &str| {
        let mut world = World::begun(CHARGE);
        world.told("Declined", json!({ "id": "k", "why": why }));
        world.life()
    };
    let (one, other) = (failed("card 17 is empty"), failed("card 4711 is empty"));
    assert_eq!(one.failure.as_ref().map(|f| f.reason.as_str()), Some("card 17 is empty"));
    assert_eq!(one.failure.as_ref().and_then(|f| f.step.as_deref()), Some("charge"));
    assert!(one.error.is_some() && one.error == other.error);
    assert_ne!(one.error, failed("card 17 is stolen").error);
}

#[test]
fn sensitive_data_is_masked_for_all_but_those_who_may_see_it() {
    let world = World::begun_with("sensitive: [data.card.number]\n", CHARGE);
    let masked = world.overview(Masks::On).lives.remove(0);
    assert_eq!(masked.data, json!({ "id": "k", "card": { "number": "***" }, "list": [1, 2] }));
    assert!(masked.is_masked);
    let whole = world.overview(Masks::Off).lives.remove(0);
    assert_eq!(whole.data["card"]["number"], "4111");
    assert!(!whole.is_masked);
}

#[test]
fn each_branch_of_a_fan_out_is_told_by_its_coordinate() {
    let steps = "  - { step: parts, each: data.list, at-most: 3, \
                 steps: [{ step: rest, sleep: 5m }] }\n";
    let life = World::begun(steps).life();
    let names: Vec<_> = life.steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!((life.state, names), (LifeState::Waiting, vec!["rest[0]", "rest[1]"]));
}

#[test]
fn who_waits_for_a_lock_names_its_keys_and_a_lock_names_its_holder() {
    let steps = "  - { step: hold, lock: [desk], within: 1h, \
                 steps: [{ step: rest, wait: t/Rested }] }\n";
    let mut world = World::begun(steps);
    let lock = InstanceId { saga: SagaName::lock(), key: Key::new("desk").expect("a key") };
    let told = |world: &World| {
        overview(&world.catalog, &lock, &world.instances[&lock], Masks::On).expect("a lock")
    };
    let held = told(&world);
    let holder = held.lock.as_ref().and_then(|lock| lock.holder.clone()).expect("a holder");
    assert_eq!((held.state, holder.key.as_str()), (LifeState::Held, "k"));
    assert_eq!(holder.step, "hold");
    let other = id("s", "other");
    let start = Event {
        address: "t/Placed".parse().expect("an address"),
        source: EventSource::Unnamed,
        id: "other".to_owned(),
        key: None,
        body: json!({ "id": "other", "card": null, "list": [] }),
        command: None,
        trace_parent: None,
        timestamp: START,
    };
    world.tell(&other, &Input::Event(start));
    let waits = overview(&world.catalog, &other, &world.instances[&other], Masks::On);
    let life = waits.expect("a life").lives.remove(0);
    let keys = vec!["desk".to_owned()];
    assert_eq!(life.state, LifeState::Waiting);
    assert_eq!(life.steps[0].waits, Wait::Lock { keys, held: 0, behind: None });
    assert_eq!(told(&world).lock.expect("a lock").waiting.len(), 1);
}

#[test]
fn of_an_unknown_definition_only_what_the_state_says_is_told() {
    let world = World::begun(CHARGE);
    let id = id("s", "k");
    let told = overview(&Catalog::default(), &id, &world.instances[&id], Masks::On);
    let life = told.expect("a life").lives.remove(0);
    assert_eq!((life.version, life.state), (None, LifeState::Running));
    assert_eq!((life.steps[0].step.as_str(), &life.steps[0].waits), ("#1", &Wait::Unknown));
    assert_eq!(life.data, json!({ "id": "***", "card": "***", "list": "***" }));
}

#[test]
fn of_an_instance_without_a_life_its_events_are_told() {
    let id = id("s", "k");
    let world = World::begun(CHARGE);
    let nothing = Instance::default();
    assert_eq!(overview(&world.catalog, &id, &nothing, Masks::On), None);
    let queued = world.instances[&id].clone();
    let event = Event {
        address: "t/Placed".parse().expect("an address"),
        source: EventSource::Unnamed,
        id: "e9".to_owned(),
        key: None,
        body: Value::Object(Map::new()),
        command: None,
        trace_parent: None,
        timestamp: START,
    };
    let kept = Instance { queued: vec![event], paused: true, ..Instance::default() };
    let told = overview(&world.catalog, &id, &kept, Masks::On).expect("a start is kept");
    assert_eq!((told.state, told.queued[0].id.as_str()), (LifeState::Paused, "e9"));
    let living = Instance { lives: queued.lives, ..kept };
    let told = overview(&world.catalog, &id, &living, Masks::On).expect("a life");
    assert_eq!(told.state, LifeState::Running, "a life that lives comes first");
}

#[test]
fn each_step_that_was_reached_says_how_far_it_is() {
    let marks = |world: &World| {
        let told = world.life().reached.into_iter();
        told.map(|step| format!("{} {}", step.step, step.mark)).collect::<Vec<_>>().join(", ")
    };
    let mut world = World::begun(&format!("{CHARGE}{REST}"));
    assert_eq!(marks(&world), "charge under-way");
    world.told("Charged", json!({ "id": "k" }));
    assert_eq!(marks(&world), "charge done, rest under-way");
    world.told("Cancelled", json!({ "id": "k" }));
    assert_eq!(marks(&world), "charge owed, rest left-out");
    world.pass(Span::seconds(40));
    assert_eq!(marks(&world), "charge stuck, rest left-out");
    world.acted(Verb::Retry);
    world.told("Refunded", json!({ "id": "k" }));
    assert_eq!(marks(&world), "charge undone, rest left-out");
    let listed = world.overview(Masks::Whole);
    assert!(listed.lives[0].reached.is_empty(), "a list shows none of it");
}

#[test]
fn what_is_told_reads_back_from_its_json() {
    let mut world = World::begun(&format!("{CHARGE}{REST}"));
    world.told("Charged", json!({ "id": "k" }));
    let told = world.overview(Masks::On);
    let json = serde_json::to_string(&told).expect("JSON");
    assert_eq!(serde_json::from_str::<Overview>(&json).expect("the same"), told);
    assert!(json.contains(r#""started":"1970-01-01T00:16:40.000Z""#), "{json}");
    assert!(json.contains(r#""waits":{"for":"event","any_of":["t/Rested"]}"#), "{json}");
}
