//! Random definitions over the whole language, random runs of each, and what must hold in all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::coverage::Coverage;
use super::drive::{Dice, Drive, Family};
use super::random_saga::{CHILD, random_saga};
use crate::definition::{Catalog, Compensation, Correlation, Definition, StepKind, parse};
use crate::engine::request::asked::Asked;
use crate::engine::state::place::{places, walk};
use crate::engine::{
    CallOutcome, Called, Direction, Effect, Frame, Input, Instance, Letter, Life, NoteKind, Phase,
    Say, Stage, StepState, Transition, Verb, next_due, step,
};
use crate::message::{Address, CommandId, Event, InstanceId, Key, LifeId, Part, SagaName, Span};
use crate::status::tests::told_of;

const RUNS: u64 = 2_000;
/// How many threads share the runs: the same everywhere, so that the same definitions are drawn.
const SHARES: u64 = 2;
const RUNS_OF_ONE: u64 = 25;
const INPUTS: u64 = 60;

/// A saga twice, and what must hold of it.
struct Run<'c> {
    seed: u64,
    family: Family<'c>,
    ids: BTreeSet<String>,
    fences: BTreeMap<InstanceId, u64>,
    decided: BTreeMap<String, u64>,
    /// Steps that were heard of after they were given up, or that a person decided about.
    odd: BTreeSet<(InstanceId, LifeId, String)>,
    seen: Coverage,
}

impl<'c> Run<'c> {
    fn of(catalog: &'c Catalog, seed: u64) -> Self {
        Self {
            seed,
            family: Family::of(catalog, Dice::of(seed)),
            ids: BTreeSet::new(),
            fences: BTreeMap::new(),
            decided: BTreeMap::new(),
            odd: BTreeSet::new(),
            seen: Coverage::default(),
        }
    }

    /// What is forgotten begins anew, with the same ids.
    fn forget(&mut self, id: &InstanceId) {
        self.family.instances.remove(id);
        let whole = format!("{}/{}/", id.saga, id.key.as_str().replace('/', "%2F"));
        self.ids.retain(|other| !other.starts_with(&whole));
        self.decided.retain(|other, _| !other.starts_with(&whole));
        self.odd.retain(|(other, _, _)| other != id);
        self.family.sent.retain(|(other, _)| other.instance != *id);
        self.family.told.retain(|(other, _)| other != id);
    }

    fn effect(&mut self, from: &InstanceId, effect: Effect) {
        let seed = self.seed;
        match effect {
            Effect::Command(message) => {
                self.emitted(from, &message.id);
                self.family.sent.push((message.id, false));
            }
            Effect::Call(call) => {
                self.emitted(from, &call.id);
                self.family.sent.push((call.id, true));
            }
            Effect::Fact(message) => self.emitted(from, &message.id),
            Effect::Complaint(reason) => {
                let known = ["early", "held while it was paused"];
                let is_known = known.iter().any(|words| reason.contains(words));
                assert!(is_known, "seed {seed}: {reason}");
            }
            Effect::Question(question) => self.family.ask(question),
            Effect::Letter { to, letter } => {
                if let Say::Granted { fence } = letter.say {
                    let before = self.fences.insert(from.clone(), fence).unwrap_or(0);
                    assert!(before < fence, "seed {seed}: {from} hands out {fence} after {before}");
                }
                self.family.mail(from, to, letter);
            }
        }
    }

    /// Nothing is emitted twice, and after the end only undoings.
    fn emitted(&mut self, from: &InstanceId, id: &CommandId) {
        let seed = self.seed;
        assert!(self.ids.insert(id.to_string()), "seed {seed}: {id} is emitted twice");
        let life = self.life(from, id.life);
        let ended = life.is_some_and(|g| g.ended.is_some_and(|at| at < self.family.now));
        let about = id.part != Part::Action || id.subject.step().is_none();
        assert!(!ended || about, "seed {seed}: {id} after the end");
    }

    fn life(&self, id: &InstanceId, life: LifeId) -> Option<&Life> {
        self.family.instances.get(id)?.lives.iter().find(|g| g.id == life)
    }

    fn definition(&self, id: &InstanceId) -> &Definition {
        self.family.catalog.newest(&id.saga).expect("it is known")
    }

    /// An end keeps its word.
    fn ended(&self, id: &InstanceId, life: LifeId) {
        let (seed, definition) = (self.seed, self.definition(id));
        let Some(life) = self.life(id, life) else { return };
        walk(&life.frame, |line, at, state| {
            let step = definition.step(state.step);
            let name = line.coordinate(&life.frame, &step.name).to_string();
            let odd = self.odd.contains(&(id.clone(), life.id, name.clone()));
            let undone = state.undos.iter().all(|undo| !undo.lacks_answer());
            let happened = matches!(state.phase, Phase::Succeeded | Phase::Unknown);
            let leaf = state.frames().is_empty() && state.locked().is_none();
            let nothing = *step.compensation() == Compensation::Nothing;
            let dropped = line
                .outwards()
                .any(|l| !l.is_main() && l.frame(&life.frame).direction == Direction::Back);
            if life.direction == Direction::Back && leaf && happened && !nothing {
                let fine = !state.undos.is_empty() && undone;
                assert!(fine, "seed {seed}: {id} ends without undoing {name}: {state:?} {at}");
            }
            if life.direction == Direction::Back && !happened && !odd {
                let fine = state.undos.is_empty() || state.phase == Phase::Rejected;
                assert!(fine, "seed {seed}: {id} undid {name}, which has not happened: {state:?}");
            }
            if life.direction == Direction::Forward && !dropped && leaf && !odd {
                let fine = state.undos.is_empty() || state.phase == Phase::Rejected;
                assert!(fine, "seed {seed}: {id} completed and undid {name}: {state:?}");
            }
            if dropped && leaf && happened && !nothing {
                let fine = !state.undos.is_empty() && undone;
                assert!(fine, "seed {seed}: {id} ends, {name} was left behind: {state:?}");
            }
            None::<()>
        });
    }

    /// What completed later is undone before, in each list.
    fn in_order(&self, id: &InstanceId) {
        let Some(instance) = self.family.instances.get(id) else { return };
        for life in instance.lives.iter().filter(|g| g.ended.is_none()) {
            self.frame_in_order(id, life, &life.frame);
            for place in places(&life.frame, |state| !state.frames().is_empty()) {
                for frame in place.state(&life.frame).frames() {
                    self.frame_in_order(id, life, frame);
                }
            }
        }
    }

    fn frame_in_order(&self, id: &InstanceId, life: &Life, frame: &Frame) {
        if frame.direction != Direction::Back {
            return;
        }
        let definition = self.definition(id);
        let steps: Vec<&StepState> = frame
            .steps
            .iter()
            .filter(|state| {
                let name = definition.step(state.step).name.to_string();
                let strange = |(i, n, step): &(InstanceId, LifeId, String)| {
                    i == id && *n == life.id && step.split('[').next() == Some(&name)
                };
                matches!(state.phase, Phase::Succeeded | Phase::Unknown)
                    && !self.odd.iter().any(strange)
            })
            .collect();
        // A late success begins to be undone whenever it comes.
        let plain = !self.odd.iter().any(|(i, n, _)| i == id && *n == life.id);
        for early in &steps {
            let later = steps.iter().find(|later| {
                later.completed > early.completed
                    && (later.undos.is_empty() || (plain && later.is_being_undone()))
            });
            let begun = !early.undos.is_empty();
            assert!(
                !begun || later.is_none(),
                "seed {}: {id} undoes {:?} before {later:?}",
                self.seed,
                early.step
            );
        }
    }

    /// Who holds a lock is who the lock says.
    fn exclusive(&self) {
        for (id, instance) in &self.family.instances {
            for life in &instance.lives {
                let holds = |s: &StepState| s.hold().is_some_and(|h| h.stage != Stage::Freed);
                for place in places(&life.frame, holds) {
                    let state = place.state(&life.frame);
                    let locked = state.locked().expect("it was asked for");
                    for key in &locked.keys[..locked.hold.got as usize] {
                        let key = key.clone();
                        let lock = InstanceId { saga: SagaName::lock(), key };
                        let held = self.family.instances.get(&lock).and_then(|l| l.lock.as_ref());
                        let holder = held.and_then(|lock| lock.holder.as_ref());
                        let mine = holder.is_some_and(|(claim, _)| claim.instance == *id);
                        assert!(mine, "seed {}: {id} works under {lock}: {held:?}", self.seed);
                    }
                }
            }
        }
    }

    fn event(&mut self, id: &InstanceId, address: Address, command: Option<&CommandId>) -> Event {
        let roll = self.family.dice.roll(3);
        let body = json!({
            "id": id.key.as_str(), "why": "no", "n": roll, "flag": roll > 0,
            "list": (0..roll).collect::<Vec<_>>(), "at": "1970-01-02T00:00:00Z",
        });
        self.family.event(address, body, command)
    }

    /// An answer to something that was sent, as its participant decided.
    fn answer(&mut self) {
        let Some((id, is_call)) = self.family.dice.pick(&self.family.sent).cloned() else { return };
        let fresh = self.family.dice.roll(10);
        let decided = *self.decided.entry(id.idempotency_key()).or_insert(fresh);
        if is_call {
            let outcome = match decided {
                0..=5 => answered(200),
                6 | 7 => answered(409),
                8 => answered(500),
                _ => CallOutcome::Failed { reason: "no route".to_owned(), unsent: true },
            };
            let called = Called { command: id.to_string(), outcome };
            self.tell(&id.instance.clone(), &Input::Called(called));
            return;
        }
        let definition = self.definition(&id.instance);
        let named = id.subject.step().expect("only facts are about an end");
        let step = definition.steps.iter().find(|s| s.name == named.step).expect("it is there");
        let mut choices: Vec<Address> = Vec::new();
        if let Some(Asked::Command(request)) = Asked::of(step, id.part) {
            choices.extend(request.done.iter().map(|done| done.on.clone()));
        }
        if let (StepKind::Command(command), Part::Action) = (&step.kind, id.part) {
            choices.extend(command.failed.iter().map(|failed| failed.on.clone()));
        }
        if let (StepKind::Command(command), Part::Probe) = (&step.kind, id.part) {
            let absent = command.probe.iter().flat_map(|probe| &probe.absent);
            choices.extend(absent.map(|absent| absent.on.clone()));
        }
        if choices.is_empty() {
            return;
        }
        let which = usize::try_from(decided / 7).expect("small").min(choices.len() - 1);
        let answer = choices[which].clone();
        let by_id = definition.rule(&answer).is_some_and(|rule| rule.by == Correlation::CommandId);
        let is_named = by_id || self.family.dice.roll(3) > 0;
        let event = self.event(&id.instance.clone(), answer, is_named.then_some(&id));
        self.happen(&id.instance, event);
    }

    /// A fact that some wait takes.
    fn fact(&mut self) {
        let ids: Vec<InstanceId> = self.roots();
        let Some(id) = self.family.dice.pick(&ids).cloned() else { return };
        let definition = self.definition(&id);
        let facts = definition.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Wait(wait) => Some(
                wait.on
                    .iter()
                    .map(|done| done.on.clone())
                    .chain(wait.failed.iter().map(|failed| failed.on.clone())),
            ),
            _ => None,
        });
        let facts: Vec<Address> = facts.flatten().collect();
        if let Some(address) = self.family.dice.pick(&facts).cloned() {
            let event = self.event(&id, address, None);
            self.happen(&id, event);
        }
    }

    fn roots(&self) -> Vec<InstanceId> {
        let root = self.family.catalog.sagas().find(|d| !d.starts.is_empty()).expect("one starts");
        let id =
            |key: &str| InstanceId { saga: root.saga.clone(), key: Key::new(key).expect("a key") };
        vec![id("k"), id("l")]
    }

    fn start(&mut self) {
        let ids = self.roots();
        let id = self.family.dice.pick(&ids).expect("two").clone();
        let on: Vec<Address> = self.definition(&id).starts.iter().map(|s| s.on.clone()).collect();
        let on = self.family.dice.pick(&on).expect("one starts").clone();
        let event = self.event(&id, on, None);
        self.happen(&id, event);
    }

    fn cancel(&mut self) {
        let ids = self.roots();
        let id = self.family.dice.pick(&ids).expect("two").clone();
        let event = self.event(&id, "t/Cancelled".parse().expect("an address"), None);
        self.tell(&id, &Input::Event(event));
    }

    fn act(&mut self) {
        let ids: Vec<InstanceId> = self.family.instances.keys().cloned().collect();
        let Some(id) = self.family.dice.pick(&ids).cloned() else { return };
        let verbs = [
            Verb::Retry,
            Verb::Skip,
            Verb::ResolveDone(serde_json::Map::new()),
            Verb::ResolveNotDone,
            Verb::GoBack,
            Verb::Cancel,
            Verb::Pause,
            Verb::Resume,
            // What it has anyhow, so that what is sent stays what it was.
            Verb::SetData(self.known(&id)),
        ];
        let is_paused = self.family.instances[&id].paused_life().is_some();
        let verb = if is_paused && self.family.dice.roll(2) == 0 {
            Verb::Resume
        } else {
            self.family.dice.pick(&verbs).expect("a verb").clone()
        };
        self.acted(&id, None, verb);
    }

    /// What an instance remembers.
    fn known(&self, id: &InstanceId) -> Map<String, Value> {
        let data = self.family.instances[id].newest().map(|life| life.data.clone());
        if let Some(Value::Object(fields)) = data { fields } else { Map::new() }
    }

    /// Whoever stands still goes on.
    fn resume_all(&mut self) {
        let paused =
            |(id, instance): (&InstanceId, &Instance)| instance.paused_life().map(|_| id.clone());
        let ids: Vec<InstanceId> = self.family.instances.iter().filter_map(paused).collect();
        for id in ids {
            self.acted(&id, None, Verb::Resume);
        }
    }

    fn any_input(&mut self) {
        match self.family.dice.roll(24) {
            0..=6 => self.answer(),
            7..=12 => {
                self.deliver();
            }
            13 => self.repeat(),
            14 => self.start(),
            15 if self.family.dice.roll(3) == 0 => self.cancel(),
            16 => self.act(),
            17 => self.decide(),
            18 | 19 => self.fact(),
            20..=22 => {
                let span = Span::millis(self.family.dice.roll(8_000));
                self.pass(span);
            }
            _ => {
                let span = Span::hours(self.family.dice.roll(20));
                self.pass(span);
            }
        }
    }

    fn whole(mut self) -> Coverage {
        self.start();
        for _ in 0..INPUTS {
            self.any_input();
        }
        for _ in 0..40 {
            self.resume_all();
            self.deliver_all();
            self.pass(Span::hours(24 * 4));
            if self.family.instances.is_empty() {
                return self.seen;
            }
        }
        let stuck =
            self.family.instances.values().flat_map(|i| &i.lives).any(|g| !g.stuck.is_empty());
        if !stuck {
            let left: Vec<_> = self.family.instances.iter().collect();
            assert!(left.is_empty(), "seed {}: neither ends nor is stuck: {left:#?}", self.seed);
        }
        self.seen
    }
}

impl<'c> Drive<'c> for Run<'c> {
    fn family(&mut self) -> &mut Family<'c> {
        &mut self.family
    }

    /// Tells one instance; what is remembered goes through its stored form.
    fn tell(&mut self, id: &InstanceId, input: &Input) {
        let before = self.family.instances.get(id);
        let made = step(self.family.catalog, id, before, input, self.family.now);
        let made = match made {
            Ok(made) => made,
            Err(rejection) => return self.seen.declined(&rejection),
        };
        self.seen.taken(before, input, &made);
        stands_still(self.seed, before, &made);
        for note in &made.notes {
            let odd = matches!(note.kind(), NoteKind::Late | NoteKind::Acted | NoteKind::Skipped);
            if let Some(step) = note.step.as_ref().filter(|_| odd) {
                self.odd.insert((id.clone(), note.life, step.to_string()));
            }
        }
        match &made.after {
            Some(after) => {
                let stored = Instance::decode(&after.encode()).expect("what was just written");
                assert_eq!(stored, *after, "seed {}: stored and read back", self.seed);
                self.family.instances.insert(id.clone(), stored);
            }
            None => self.forget(id),
        }
        for effect in made.effects {
            self.effect(id, effect);
        }
        for note in &made.notes {
            if matches!(note.kind(), NoteKind::Completed | NoteKind::Compensated) {
                self.ended(id, note.life);
            }
        }
        self.in_order(id);
        self.exclusive();
        // It costs as much as the rest, so not every run pays for it.
        if self.seed.is_multiple_of(8)
            && let Some(instance) = self.family.instances.get(id)
        {
            told_of(self.family.catalog, id, instance);
        }
    }

    fn woken(&mut self, id: &InstanceId) {
        let again = self.family.instances.get(id).and_then(next_due);
        let later = again.is_none_or(|next| next > self.family.now);
        assert!(later, "seed {}: {id} wakes for ever", self.seed);
    }

    fn delivered(&mut self, to: &InstanceId, letter: Letter) {
        if self.family.dice.roll(10) == 0 {
            self.tell(to, &Input::Letter(letter));
        }
    }
}

/// A life that stands still sends nothing.
fn stands_still(seed: u64, before: Option<&Instance>, made: &Transition) {
    let paused = |instance: Option<&Instance>| instance?.paused_life().map(|(life, _)| life.id);
    let Some(life) = paused(before).filter(|_| paused(made.after.as_ref()).is_some()) else {
        return;
    };
    for effect in &made.effects {
        let own = match effect {
            Effect::Command(message) | Effect::Fact(message) => message.id.life == life,
            Effect::Call(call) => call.id.life == life,
            Effect::Question(question) => question.life == life,
            // It may answer others for whom it is not there.
            Effect::Letter { .. } | Effect::Complaint(_) => false,
        };
        assert!(!own, "seed {seed}: it is paused and sends {effect:?}");
    }
}

fn answered(status: u16) -> CallOutcome {
    CallOutcome::Answered { status, headers: Vec::new(), body: json!({"why": "no", "n": 1}) }
}

/// How many runs; `SEGUE_RANDOM_RUNS` asks for more.
fn runs() -> u64 {
    std::env::var("SEGUE_RANDOM_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS)
}

/// Draws every `SHARES`th definition from the first one on, and runs each, until its share of all
/// runs is done.
fn share(child: &Definition, first: u64) -> Coverage {
    let mut seen = Coverage::default();
    let (mut done, mut drawn, mut refused) = (0, first, 0);
    while done < runs() / SHARES {
        drawn += SHARES;
        let text = random_saga(&mut Dice::of(drawn));
        let Ok(definition) = parse("saga.yaml", &text) else {
            refused += 1;
            assert!(refused < 10 + drawn / 2 / SHARES, "most are refused: {text}");
            continue;
        };
        seen.definition(&definition);
        let mut catalog = Catalog::default();
        catalog.add(definition).expect("the first of its name");
        catalog.add(child.clone()).expect("the first of its name");
        for run in 0..RUNS_OF_ONE {
            seen.add(Run::of(&catalog, drawn * 1_000 + run).whole());
            done += 1;
        }
    }
    seen
}

#[test]
fn every_random_definition_keeps_the_promises() {
    let child = parse("child.yaml", CHILD).unwrap_or_else(|e| panic!("{e}"));
    let mut seen = Coverage::default();
    seen.definition(&child);
    let shares: Vec<Coverage> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SHARES)
            .map(|first| {
                let child = &child;
                scope.spawn(move || share(child, first))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("its runs keep the promises"))
            .collect()
    });
    for share in shares {
        seen.add(share);
    }
    seen.assert_whole();
}
