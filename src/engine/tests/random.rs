//! Random runs, and what must hold in each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::drive::Dice;
use super::{ORDER, PAIR, World};
use crate::definition::{Compensation, StepKind};
use crate::engine::{
    Act, Direction, Effect, Input, Instance, Message, Note, NoteKind, Status, Verb, Wake, What,
    next_due,
};
use crate::message::{Address, Event, LifeId, Part, Span, Subject};

const RUNS: u64 = 3000;
const INPUTS: u64 = 40;

fn definitions() -> Vec<String> {
    let again =
        |text: &str, more: &str| text.replacen("event.id }", &format!("event.id, {more} }}"), 1);
    let park = "\n    unknown: park";
    let emit = "  - step: accept
    emit: t/Accepted
    compensate: { emit: t/Withdrawn }
  - step: charge";
    vec![
        ORDER.to_owned(),
        again(ORDER, "after: new")
            .replace("    unknown: park\n", "")
            .replace("most: 1s", "most: 3h"),
        again(ORDER, "again: queue")
            .replace("failed: t/Declined", "failed: { on: t/Declined, then: park }"),
        ORDER.replace("failed: t/Declined", &format!("failed: t/Declined{park}")),
        ORDER
            .replace("  - step: charge", emit)
            .replace("data: { id: event.id }", "data: { id: event.id, free: event.free }")
            .replace("command: t/Charge\n", "command: t/Charge\n    when: data.free\n"),
        ORDER
            .replace("failed: t/Refused", "failed: { on: t/Refused, then: go-on }")
            .replace("emit: t/Told", "emit: t/Told\n    compensate: none")
            .replace("within: 30m", "within: 20s"),
        ORDER
            .replace("attempts: 2, first: 1s, factor: 2, most: 1s", "for: 1m, first: 1s, most: 9s"),
        again(PAIR, "after: new, again: queue")
            .replace("failed: t/ANo", &format!("failed: t/ANo{park}")),
        PAIR.replace("steps:", "within: 25s\nsteps:"),
    ]
}

/// What is known of one step of one life, from the notes alone.
#[derive(Debug, Clone, Default)]
struct Account {
    may_have_happened: bool,
    given_up: bool,
    completed: usize,
    undos: u32,
}

struct Run {
    seed: u64,
    dice: Dice,
    world: World,
    accounts: BTreeMap<(LifeId, String), Account>,
    completions: usize,
    /// Generations that have ended, and how.
    ended: BTreeMap<LifeId, NoteKind>,
    ids: BTreeSet<String>,
    sent: Vec<Message>,
    told: Vec<Event>,
    acts: Vec<Act>,
    /// What each participant decided about an idempotency key: it says so every time.
    decided: BTreeMap<String, Address>,
    seen: BTreeSet<NoteKind>,
}

impl Run {
    fn of(world: World, seed: u64) -> Self {
        Self {
            seed,
            dice: Dice::of(seed),
            world,
            accounts: BTreeMap::new(),
            completions: 0,
            ended: BTreeMap::new(),
            ids: BTreeSet::new(),
            sent: Vec::new(),
            told: Vec::new(),
            acts: Vec::new(),
            decided: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    fn tell(&mut self, input: &Input) {
        let before = self.world.instance.clone();
        let Ok(effects) = self.world.tell(input) else {
            assert_eq!(self.world.instance, before, "seed {}: declined and changed", self.seed);
            return;
        };
        let resolved = match input {
            Input::Act(Act { verb: Verb::ResolveNotDone, .. }) => before,
            Input::Act(_)
            | Input::Event(_)
            | Input::Wake(_)
            | Input::Letter(_)
            | Input::Called(_) => None,
        };
        let notes = std::mem::take(&mut self.world.notes);
        for note in &notes {
            self.account(note, resolved.as_ref());
        }
        for effect in effects {
            self.effect(effect);
        }
        for note in &notes {
            self.end(note);
        }
    }

    fn account(&mut self, note: &Note, resolved: Option<&Instance>) {
        self.seen.insert(note.kind());
        let Some(step) = &note.step else { return };
        let account = self.accounts.entry((note.life, step.to_string())).or_default();
        let happened = match note.kind() {
            NoteKind::Succeeded | NoteKind::Told | NoteKind::GivenUp => Some(true),
            NoteKind::Late if has_happened(note) && !account.may_have_happened => Some(true),
            NoteKind::Late if !has_happened(note) => Some(false),
            NoteKind::Rejected => Some(false),
            NoteKind::Acted => {
                let life = |i: &Instance| i.lives.iter().find(|g| g.id == note.life).cloned();
                let stuck = resolved.and_then(life).map(|g| g.stuck);
                let action = stuck.is_some_and(|all| all.iter().all(|s| !s.undoing));
                action.then_some(false)
            }
            _ => None,
        };
        account.given_up |= note.kind() == NoteKind::GivenUp;
        match happened {
            Some(true) => {
                self.completions += 1;
                account.may_have_happened = true;
                account.completed = self.completions;
            }
            Some(false) if account.undos == 0 => account.may_have_happened = false,
            Some(false) | None => {}
        }
    }

    /// Whether a step has an undoing that sends something.
    fn is_undone_by_a_message(&self, name: &str) -> bool {
        let definition = self.world.catalog.sagas().next().expect("the only one");
        let step = definition.steps.iter().find(|s| s.name.as_str() == name);
        step.is_some_and(|s| match s.compensation() {
            Compensation::Command { .. }
            | Compensation::Emit(_)
            | Compensation::Call { .. }
            | Compensation::Child => true,
            Compensation::Nothing | Compensation::Unsaid => false,
        })
    }

    fn effect(&mut self, effect: Effect) {
        let (message, is_command) = match effect {
            Effect::Command(message) => (message, true),
            Effect::Fact(message) => (message, false),
            Effect::Complaint(reason) => {
                assert!(reason.contains("held while"), "seed {}: {reason}", self.seed);
                return;
            }
            Effect::Letter { .. } | Effect::Call(_) | Effect::Question(_) => {
                panic!("seed {}: these definitions have none", self.seed)
            }
        };
        let (id, seed) = (message.id.clone(), self.seed);
        assert!(self.ids.insert(id.to_string()), "seed {seed}: {id} is emitted twice");
        let ended = self.ended.contains_key(&id.life);
        let undoing = id.part != Part::Action;
        let about_stuck = matches!(id.subject, Subject::Stuck { .. });
        assert!(!ended || undoing || about_stuck, "seed {seed}: {id} after the end");
        if let (Part::Undo(run), 1) = (id.part, id.attempt) {
            self.undo(id.life, &id.subject.to_string(), run);
        }
        if is_command {
            self.sent.push(message);
        }
    }

    /// An undoing begins: the first one of a step on the way back is the last completion's.
    fn undo(&mut self, life: LifeId, step: &str, run: u32) {
        let seed = self.seed;
        let own = self.accounts[&(life, step.to_owned())].clone();
        assert_eq!(run, own.undos + 1, "seed {seed}: undoings of {step} are counted");
        assert!(run <= 2, "seed {seed}: {step} is undone a third time");
        let instance = self.world.instance.as_ref();
        let all = instance.map(|i| i.lives.as_slice()).unwrap_or_default();
        let back = all.iter().any(|g| g.id == life && g.direction == Direction::Back);
        if run == 1 {
            assert!(own.may_have_happened, "seed {seed}: {step} is undone, never done");
            let later = self.accounts.iter().find(|((number, name), other)| {
                *number == life
                    && other.may_have_happened
                    && other.undos == 0
                    && other.completed > own.completed
                    && self.is_undone_by_a_message(name)
            });
            let at_once = !back || self.ended.contains_key(&life);
            assert!(at_once || later.is_none(), "seed {seed}: {step} before {later:?}");
        }
        self.accounts.entry((life, step.to_owned())).or_default().undos += 1;
    }

    fn end(&mut self, note: &Note) {
        let (NoteKind::Completed | NoteKind::Compensated) = note.kind() else { return };
        let seed = self.seed;
        for ((life, step), account) in &self.accounts {
            if *life != note.life || !self.is_undone_by_a_message(step) {
                continue;
            }
            let fine = if note.kind() == NoteKind::Completed {
                account.undos == 0 || account.given_up
            } else {
                (account.undos > 0) == account.may_have_happened
            };
            assert!(fine, "seed {seed}: {:?} with {step} {account:?}", note.kind());
        }
        let before = self.ended.insert(note.life, note.kind());
        assert_eq!(before, None, "seed {seed}: it ended twice");
    }

    /// An answer to some command that was sent, as its participant decided, rarely another.
    fn answer(&mut self) -> Option<Event> {
        let message = self.dice.pick(&self.sent)?.clone();
        let definition = self.world.catalog.sagas().next().expect("the only one");
        let step =
            definition.steps.iter().find(|s| s.name.as_str() == message.id.subject.to_string())?;
        let mut choices: Vec<Address> = Vec::new();
        match (&step.kind, message.id.part, step.compensation()) {
            (StepKind::Command(command), Part::Action, _) => {
                choices.extend(command.request.done.iter().map(|d| d.on.clone()));
                choices.extend(command.failed.iter().map(|f| f.on.clone()));
            }
            (_, Part::Undo(_), Compensation::Command { request, .. }) => {
                choices.extend(request.done.iter().map(|d| d.on.clone()));
            }
            _ => {}
        }
        let fresh = self.dice.pick(&choices)?.clone();
        let key = message.id.idempotency_key();
        let decided = self.decided.entry(key).or_insert_with(|| fresh.clone()).clone();
        let address = if self.dice.roll(30) == 0 { fresh } else { decided };
        let named = self.dice.roll(3) > 0;
        let mut event = self.world.event("start", None);
        event.address = address;
        event.body = json!({"id": "k", "why": "no", "shelf": 7});
        event.command = named.then(|| message.id.to_string());
        Some(event)
    }

    fn act(&mut self) -> Act {
        let verbs = ["retry", "skip", "done", "not-done", "go-back", "cancel", "pause", "resume"];
        let verb = *self.dice.pick(&verbs).expect("a verb");
        self.world.act(verb, Some(json!({"shelf": 8})))
    }

    fn any_input(&mut self) {
        let input = match self.dice.roll(20) {
            0..=8 => self.answer().map(Input::Event),
            9 | 10 => self.dice.pick(&self.told).cloned().map(Input::Event),
            11 => {
                let free = self.dice.roll(2) == 0;
                Some(Input::Event(
                    self.world.event("start", Some(json!({"id": "k", "free": free}))),
                ))
            }
            12 => Some(Input::Event(self.world.event("Cancelled", None))),
            13 => Some(Input::Act(self.act())),
            14 => self.dice.pick(&self.acts).cloned().map(Input::Act),
            15 => Some(Input::Wake(Wake::DUE)),
            16..=18 => {
                let span = Span::millis(self.dice.roll(12_000));
                self.pass(span);
                None
            }
            _ => {
                let span = Span::hours(self.dice.roll(30));
                self.pass(span);
                None
            }
        };
        match &input {
            Some(Input::Event(event)) => self.told.push(event.clone()),
            Some(Input::Act(act)) => self.acts.push(act.clone()),
            Some(Input::Wake(_) | Input::Letter(_) | Input::Called(_)) | None => {}
        }
        if let Some(input) = input {
            self.tell(&input);
        }
    }

    fn pass(&mut self, span: Span) {
        let end = self.world.now.after(span);
        let due = |world: &World| world.instance.as_ref().and_then(next_due);
        while let Some(at) = due(&self.world).filter(|at| *at <= end) {
            self.world.now = at.max(self.world.now);
            self.tell(&Input::Wake(Wake::DUE));
        }
        self.world.now = end;
    }

    fn whole(mut self) -> BTreeSet<NoteKind> {
        let start = self.world.event("start", Some(json!({"id": "k", "free": true})));
        self.tell(&Input::Event(start));
        for _ in 0..INPUTS {
            self.any_input();
            if self.world.instance.is_none() {
                return self.seen;
            }
        }
        let resume = self.world.act("resume", None);
        self.tell(&Input::Act(resume));
        self.pass(Span::hours(24 * 90));
        if let Some(instance) = &self.world.instance {
            let stuck = instance.lives.iter().find(|g| g.status() == Status::Stuck);
            let reason = stuck.map(|g| g.stuck[0].reason.as_str()).unwrap_or_default();
            assert!(!reason.is_empty(), "seed {}: it neither ends nor is stuck", self.seed);
        }
        self.seen
    }
}

#[test]
fn every_random_run_keeps_the_promises() {
    let worlds: Vec<World> = definitions().iter().map(|text| World::of(text)).collect();
    let mut seen = BTreeSet::new();
    for seed in 0..RUNS {
        let place = usize::try_from(seed).expect("small") % worlds.len();
        seen.extend(Run::of(worlds[place].clone(), seed).whole());
    }
    let never: Vec<&str> = ALL.iter().filter(|k| !seen.contains(k)).map(|k| k.text()).collect();
    assert!(never.is_empty(), "what never happened proves nothing: {never:?}");
}

/// All that these definitions can make happen.
const ALL: [NoteKind; 23] = [
    NoteKind::Started,
    NoteKind::Queued,
    NoteKind::Sent,
    NoteKind::Told,
    NoteKind::Succeeded,
    NoteKind::Rejected,
    NoteKind::Skipped,
    NoteKind::TimedOut,
    NoteKind::GivenUp,
    NoteKind::WentBack,
    NoteKind::Undoing,
    NoteKind::Undone,
    NoteKind::Late,
    NoteKind::Cancelled,
    NoteKind::Refused,
    NoteKind::Stuck,
    NoteKind::Acted,
    NoteKind::Completed,
    NoteKind::Compensated,
    NoteKind::Forgotten,
    NoteKind::Paused,
    NoteKind::Held,
    NoteKind::Resumed,
];

/// What was heard of a step that had been given up.
pub(super) fn has_happened(note: &Note) -> bool {
    matches!(note.what, What::Late { has_happened: true, .. })
}
