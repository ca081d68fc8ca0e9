//! What is sensitive is shown nowhere: random definitions that `check` has no word against
//! (`SG0901`), run with canaries in every value that they call sensitive. A canary may stand in
//! what participants and facts carry, and in what is stored, and nowhere that people look.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::broker::dead_letter;
use crate::definition::{Catalog, Code, Definition, StepKind, check, check_together};
use crate::engine::tests::drive::{Dice, Drive, Family};
use crate::engine::{Act, Effect, Input, Instance, Note, Question, Verb, step};
use crate::format::{seal, wire};
use crate::message::{
    Address, CommandId, EngineTopics, Event, Headers, InstanceId, Key, Offset, Origin, SagaName,
    Span, Topic, header,
};
use crate::runtime::SourceRecord;
use crate::status::{Masks, overview};
use crate::view::messages::{Known, Records, Stored};
use crate::view::{Coordinates, DeadLetterRow, Entry, fold, foreseen, history, letter};

const DEFINITIONS: u64 = 120;
const RUNS: u64 = 2;
const INPUTS: u64 = 40;
const CANARY: &str = "canary";
const NUMBER: u64 = 73_310_073_310;

/// A definition under way, as its text.
struct Draw {
    dice: Dice,
    steps: Vec<String>,
    sensitive: Vec<String>,
    /// Paths that tell something sensitive.
    paths: Vec<String>,
    /// Events whose `token` is sensitive.
    planted: BTreeSet<String>,
    is_child_told: bool,
}

const PATHS: [&str; 4] = ["data.card.number", "data.pin", "data.sum", "data.cards"];

impl Draw {
    fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let is_child_told = dice.roll(3) > 0;
        let all = PATHS.map(str::to_owned);
        Self {
            dice,
            steps: Vec::new(),
            sensitive: all.to_vec(),
            paths: all.to_vec(),
            planted: BTreeSet::new(),
            is_child_told,
        }
    }

    fn path(&mut self) -> String {
        self.dice.pick(&self.paths).expect("there are some").clone()
    }

    /// The parent and its child, as texts.
    fn texts(mut self) -> (String, String, BTreeSet<String>) {
        for name in 0..=self.dice.roll(6) {
            self.step(name);
        }
        let searched = [self.path(), "data.id".to_owned()].join(", ");
        let search = if self.dice.roll(2) == 0 { "data.id" } else { searched.as_str() };
        let text = format!(
            "saga: s\nversion: 1\nstart: {{ on: t/Placed, key: event.id }}\nlate: 3d\n\
             within: 9d\ncancel: {{ on: t/Cancelled, key: event.id }}\n\
             events: {{ t/*: {{ by: command-id }}, w/*: {{ key: event.id }} }}\n\
             sensitive: [{}]\nsearch: [{search}]\n\
             data: {{ id: event.id, card: event.card, pin: event.pin, cards: event.cards, \
             sum: event.sum }}\nsteps:\n{}\n\
             ends: {{ completed: {{ emit: t/End, with: {{ id: '${{data.id}}' }} }}, \
             compensated: {{ emit: t/Back, with: {{ why: '${{failure.reason}}' }} }}, \
             stuck: {{ emit: t/Help, with: {{ why: '${{failure.reason}}' }} }} }}\n",
            self.sensitive.join(", "),
            self.steps.join("\n"),
        );
        let told = if self.is_child_told { "sensitive: [data.card]\n" } else { "" };
        let child = format!(
            "saga: child\nversion: 1\nstart: {{ by: parent }}\nlate: 1d\nwithin: 9d\n\
             {told}search: [data.id]\ndata: {{ id: event.id, card: event.card }}\nsteps:\n  \
             - {{ set: {{ last: data.card }} }}\n  \
             - {{ step: rest, wait: w/rest, within: 1h, late: go-on }}\n"
        );
        (text, child, self.planted)
    }

    fn step(&mut self, name: u64) {
        let path = self.path();
        let step = match self.dice.roll(12) {
            0 | 1 => {
                let value = match self.dice.roll(5) {
                    0 => path,
                    1 => format!("'x' + string({path})"),
                    2 => format!("[{path}]"),
                    3 => format!("has(data.pin) ? {path} : {path}"),
                    _ => format!("size(string({path}))"),
                };
                self.paths.push(format!("data.c{name}"));
                format!("{{ set: {{ c{name}: \"{value}\" }} }}")
            }
            2 | 3 => self.command(name, &path),
            4 | 5 => self.each(name),
            6 => format!(
                "{{ step: g{name}, when: 'int({path}) > 3', emit: t/told, compensate: none }}"
            ),
            7 => self.child(name, &path),
            8 => {
                self.planted.insert(format!("w/w{name}"));
                self.sensitive.push(format!("data.v{name}"));
                format!(
                    "{{ step: w{name}, wait: {{ on: w/w{name}, where: 'event.token != data.pin', \
                     set: {{ v{name}: event.token, u{name}: event.token }} }}, within: 6h, \
                     late: go-on }}"
                )
            }
            9 => format!("{{ step: u{name}, until: {path} }}"),
            10 => format!(
                "{{ step: c{name}, call: 'POST https://x.internal/y', \
                 body: {{ v: '${{{path}}}' }}, within: 2s, retry: {{ attempts: 1 }}, \
                 compensate: none }}"
            ),
            _ => self.in_the_open(name, &path),
        };
        self.steps.push(format!("  - {step}"));
    }

    /// Its answer sets a field that is called sensitive, and perhaps one that is not.
    fn command(&mut self, name: u64, path: &str) -> String {
        self.planted.insert(format!("t/a{name}-done"));
        self.sensitive.push(format!("data.t{name}"));
        self.paths.push(format!("data.o{name}"));
        let reason = if self.dice.roll(4) == 0 { "event.token" } else { "event.why" };
        if reason == "event.token" {
            self.planted.insert(format!("t/a{name}-no"));
        }
        format!(
            "{{ step: a{name}, command: t/a{name}, with: {{ v: '${{{path}}}' }}, \
             done: {{ on: t/a{name}-done, \
             set: {{ t{name}: event.token, o{name}: event.token }} }}, \
             failed: {{ on: t/a{name}-no, reason: {reason}, then: go-on, \
             set: {{ t{name}: event.token, o{name}: event.why }} }}, within: 5s, \
             retry: {{ attempts: 1 }}, compensate: {{ command: t/a{name}-undo, \
             with: {{ v: '${{{path}}}' }}, done: t/a{name}-undone, within: 5s }} }}"
        )
    }

    /// Elements of a sensitive list, and what the branches make of them.
    fn each(&mut self, name: u64) -> String {
        self.planted.insert(format!("t/f{name}-done"));
        self.sensitive.push(format!("data.r{name}"));
        self.paths.extend([format!("data.n{name}"), format!("data.q{name}")]);
        let list = if self.dice.roll(4) == 0 { "[data.card]" } else { "data.cards" };
        let told = if self.dice.roll(6) == 0 { "branch.q" } else { "data.id" };
        format!(
            "{{ step: e{name}, each: '{list}', at-most: 5, steps: [ \
             {{ step: f{name}, command: t/f{name}, with: {{ v: '${{item.number}}' }}, \
             done: {{ on: t/f{name}-done, set: {{ r: event.token, q: item.number }} }}, \
             within: 5s, retry: {{ attempts: 1 }}, compensate: none }}, \
             {{ step: h{name}, emit: t/h, with: {{ v: '${{{told}}}' }}, compensate: none }} ], \
             collect: {{ n{name}: item.number, r{name}: branch.r, q{name}: branch.q }} }}"
        )
    }

    fn child(&mut self, name: u64, path: &str) -> String {
        if self.dice.roll(3) > 0 {
            self.sensitive.push(format!("data.y{name}"));
        }
        self.paths.push(format!("data.y{name}"));
        format!(
            "{{ step: k{name}, saga: child, with: {{ id: '${{data.id}}', card: '${{{path}}}' }}, \
             within: 9d, failed: {{ then: go-on }}, compensate: none, \
             set: {{ y{name}: child.data.last }} }}"
        )
    }

    /// Where nothing sensitive may stand; sometimes nothing does.
    fn in_the_open(&mut self, name: u64, path: &str) -> String {
        let path = if self.dice.roll(2) == 0 { path } else { "data.id" };
        match self.dice.roll(5) {
            0 => format!("{{ step: o{name}, fail: 'because ${{{path}}}' }}"),
            1 => format!(
                "{{ step: o{name}, ask: team, question: 'Well ${{{path}}}?', \
                 choices: {{ yes: done, no: failed }}, within: 5h, late: go-on }}"
            ),
            2 => format!("{{ step: o{name}, emit: t/o, key: 'string({path})', compensate: none }}"),
            3 => format!(
                "{{ step: o{name}, emit: t/o, headers: {{ x: '${{{path}}}' }}, compensate: none }}"
            ),
            _ => format!(
                "{{ step: o{name}, lock: ['${{{path}}}'], within: 2m, \
                 steps: [ {{ step: p{name}, emit: t/p, compensate: none }} ] }}"
            ),
        }
    }
}

/// The definitions of a seed, if nothing is said against how they treat what is sensitive.
fn drawn(seed: u64, seen: &mut Seen) -> Option<(Catalog, BTreeSet<String>)> {
    let (text, child, planted) = Draw::of(seed).texts();
    let is_told = |code: Code| matches!(code, Code::Sensitive | Code::NotSearchable);
    let mut read = |file: &str, text: &str| {
        let (mut definition, mut found) = check(file, text);
        if definition.is_none() && found.iter().any(|d| d.code == Code::NotSearchable) {
            seen.unsearchable += 1;
            let lines = text.lines().filter(|line| !line.starts_with("search: "));
            (definition, found) = check(file, &lines.collect::<Vec<_>>().join("\n"));
        }
        let is_clean = !found.iter().any(|diagnostic| is_told(diagnostic.code));
        match definition {
            Some(definition) if is_clean => Some(definition),
            Some(_) => {
                seen.told += 1;
                None
            }
            None => {
                seen.refused.push(format!("{text}\n{found}"));
                None
            }
        }
    };
    let (parent, child) = (read("s.yaml", &text)?, read("child.yaml", &child)?);
    let together = check_together([("s.yaml", &parent), ("child.yaml", &child)]);
    let found = together.iter().find(|diagnostic| is_told(diagnostic.code));
    if found.is_some() {
        seen.told += 1;
        return None;
    }
    let mut catalog = Catalog::default();
    for definition in [parent, child] {
        catalog.add(definition).expect("the first of its name");
    }
    Some((catalog, planted))
}

/// What came of all runs: a test in which nothing happens proves nothing.
#[derive(Default)]
struct Seen {
    told: u64,
    unsearchable: u64,
    refused: Vec<String>,
    clean: u64,
    sent: u64,
    kept: u64,
    notes: u64,
    letters: u64,
    /// Messages of which something was masked.
    messages: u64,
    foreseen: u64,
}

struct Run<'c> {
    seed: u64,
    family: Family<'c>,
    topics: EngineTopics,
    planted: &'c BTreeSet<String>,
    seen: Seen,
    canaries: u64,
}

impl Run<'_> {
    fn id() -> InstanceId {
        InstanceId { saga: SagaName::new("s").expect("a name"), key: Key::new("k").expect("a key") }
    }

    fn canary(&mut self) -> String {
        self.canaries += 1;
        format!("{CANARY}-{}", self.canaries)
    }

    fn body(&mut self, address: &Address) -> Value {
        let mut body = json!({ "id": "k", "why": "no", "token": "plain" });
        if self.planted.contains(&address.to_string()) {
            body["token"] = self.canary().into();
        }
        if address.to_string() == "t/Placed" {
            body["pin"] = self.canary().into();
            body["sum"] = NUMBER.into();
            body["card"] = json!({ "number": self.canary() });
            let cards = (0..self.family.dice.roll(3)).map(|_| json!({ "number": self.canary() }));
            body["cards"] = Value::Array(cards.collect());
        }
        body
    }

    fn event(&mut self, address: &str, command: Option<&CommandId>) {
        let address: Address = address.parse().expect("an address");
        let body = self.body(&address);
        let event = self.family.event(address, body, command);
        self.aside(&event);
        let to = command.map_or_else(Self::id, |command| command.instance.clone());
        self.happen(&to, event);
    }

    /// The event as a dead letter.
    fn aside(&mut self, event: &Event) {
        let topic = event.address.topic.clone();
        let origin = format!("{topic}[0]@7");
        let headers = vec![
            (dead_letter::REASON.to_owned(), "nothing waits for it".into()),
            (dead_letter::ORIGIN.to_owned(), origin.clone().into()),
            (header::TYPE.to_owned(), event.address.event_type.to_string().into()),
        ];
        let record = SourceRecord {
            origin: Origin {
                topic: self.topics.dead_letters.clone(),
                partition: 0,
                offset: Offset(1),
            },
            incarnation: None,
            key: None,
            headers: Headers(headers),
            body: Some(event.body.to_string().into_bytes().into()),
            timestamp: event.timestamp,
        };
        let row: DeadLetterRow = letter::row(&record);
        let known = (self.family.catalog, &self.topics);
        let shown = letter::detail(row, &record, known, Masks::On);
        self.seen.letters += u64::from(shown.is_masked);
        self.hidden("a dead letter", &serde_json::to_string(&shown).expect("JSON"));
    }

    /// Nothing sensitive stands there.
    fn hidden(&self, place: &str, text: &str) {
        let is_shown = text.contains(CANARY) || text.contains(&NUMBER.to_string());
        let source = |definition: &std::sync::Arc<Definition>| definition.source.to_string();
        assert!(
            !is_shown,
            "seed {}: {place} shows a canary: {text}\n{}",
            self.seed,
            self.family.catalog.definitions().map(source).collect::<Vec<_>>().join("\n")
        );
    }

    fn look(&mut self, id: &InstanceId, instance: &Instance, notes: &[Note]) {
        let (catalog, at) = (self.family.catalog, self.family.now);
        for note in notes {
            self.hidden("a line of the log", &wire::Note::new(note).text());
        }
        self.seen.notes += u64::try_from(notes.len()).expect("few");
        let entry = wire::Entry {
            saga: id.saga.to_string(),
            key: id.key.to_string(),
            notes: notes.iter().map(wire::Note::new).collect(),
            ..wire::Entry::default()
        };
        let record = SourceRecord {
            origin: Origin { topic: self.topics.history.clone(), partition: 0, offset: Offset(1) },
            incarnation: None,
            key: None,
            headers: Headers::default(),
            body: Some(seal(&entry).into()),
            timestamp: at,
        };
        let entry = history::entry(&record, &self.topics).expect("an entry");
        self.hidden("the history", &serde_json::to_string(&entry).expect("JSON"));
        let row = fold::folded(catalog, id, instance, at);
        self.hidden("a row of the view", &format!("{row:?}"));
        for masks in [Masks::On, Masks::Whole] {
            let told = overview(catalog, id, instance, masks);
            self.hidden("an instance", &serde_json::to_string(&told).expect("JSON"));
        }
        let stored = instance.lives.iter().any(|life| life.data.to_string().contains(CANARY));
        self.seen.kept += u64::from(stored);
    }

    /// What an instance was told, as people read it back.
    fn message(&mut self, id: &InstanceId, input: &Input) {
        let target = || wire::Target::new(id);
        let inbox = match input {
            Input::Event(event) => {
                wire::Inbox::of_event(vec![target()], false, wire::Event::kept(event))
            }
            Input::Act(act) => wire::Inbox::of_act(target(), wire::Act::new(act)),
            Input::Letter(letter) => wire::Inbox::of_letter(id, letter),
            Input::Called(called) => wire::Inbox::of_called(id, called),
            Input::Wake(_) => return,
        };
        let place =
            |topic: &Topic| Coordinates { topic: topic.to_string(), partition: 0, offset: 1 };
        let entry = Entry {
            saga: id.saga.to_string(),
            key: id.key.to_string(),
            life: String::new(),
            transition: 1,
            at: self.family.now.into(),
            status: String::new(),
            stored: place(&self.topics.history),
            input: place(&self.topics.inbox),
            notes: Vec::new(),
        };
        let (catalog, records) = (self.family.catalog, &Records::default());
        let known = Known { catalog, masks: Masks::On, records };
        let shown = Stored { id, entry: &entry }.told(&inbox, &known).expect("it is a message");
        self.seen.messages += u64::from(shown.is_masked);
        self.hidden("a message", &serde_json::to_string(&shown).expect("JSON"));
    }

    fn asked(&self, question: &Question) {
        self.hidden("a question", &format!("{question:?}"));
    }

    fn effect(&mut self, from: &InstanceId, effect: Effect) {
        match effect {
            Effect::Command(message) => {
                self.hidden("a command's key", &format!("{} {:?}", message.key, message.headers));
                self.seen.sent += u64::from(message.body.to_string().contains(CANARY));
                self.family.sent.push((message.id, false));
            }
            Effect::Call(call) => {
                self.hidden("an address", &format!("{} {:?}", call.url, call.headers));
                self.family.sent.push((call.id, true));
            }
            Effect::Fact(message) => {
                self.hidden("a fact", &format!("{message:?}"));
            }
            Effect::Complaint(reason) => self.hidden("a complaint", &reason),
            Effect::Question(question) => {
                self.asked(&question);
                self.family.ask(question);
            }
            Effect::Letter { to, letter } => self.family.mail(from, to, letter),
        }
    }

    /// A participant answers, or says no.
    fn answer(&mut self) {
        let Some((id, is_call)) = self.family.dice.pick(&self.family.sent).cloned() else { return };
        if is_call {
            return;
        }
        let named = id.subject.step().expect("only facts are about an end");
        let definition = self.family.catalog.newest(&id.instance.saga).expect("it is known");
        let step = definition.steps.iter().find(|s| s.name == named.step).expect("it is there");
        let StepKind::Command(command) = &step.kind else { return };
        let all = command.request.done.iter().map(|done| done.on.to_string());
        let all = all.chain(command.failed.iter().map(|failed| failed.on.to_string()));
        let all: Vec<String> = all.collect();
        let answer = self.family.dice.pick(&all).expect("it has an answer").clone();
        self.event(&answer, Some(&id));
    }

    fn input(&mut self) {
        match self.family.dice.roll(14) {
            0..=5 => self.answer(),
            6 => {
                let waits = self.planted.iter().filter(|address| address.starts_with("w/"));
                let waits: Vec<String> = waits.cloned().collect();
                if let Some(address) = self.family.dice.pick(&waits).cloned() {
                    self.event(&address, None);
                }
            }
            7 => self.deliver_all(),
            8 => self.decide(),
            9 => self.act(),
            10 => self.event("t/Placed", None),
            11 if self.family.dice.roll(4) == 0 => self.event("t/Cancelled", None),
            _ => {
                let span = Span::millis(self.family.dice.roll(8_000_000));
                self.pass(span);
            }
        }
    }

    /// A person acts; what they set has something in it that is sensitive.
    fn act(&mut self) {
        let ids: Vec<InstanceId> = self.family.instances.keys().cloned().collect();
        let Some(id) = self.family.dice.pick(&ids).cloned() else { return };
        let data = self.family.instances[&id].newest().map(|life| life.data.clone());
        let data: Map<String, Value> = match data {
            Some(Value::Object(fields)) => fields,
            Some(_) | None => Map::new(),
        };
        let shown = json!({ "saga": id.saga.to_string(), "data": data });
        let all = self.family.catalog.definitions().map(|definition| &**definition);
        let (shown, _) = crate::status::act_shown(all, &shown, Masks::On);
        self.hidden("an act", &shown.to_string());
        let all =
            [Verb::Retry, Verb::Skip, Verb::ResolveNotDone, Verb::GoBack, Verb::SetData(data)];
        let verb = self.family.dice.pick(&all).expect("some").clone();
        self.foresee(&id, verb.clone());
        self.acted(&id, None, verb);
    }

    /// What the act would do is told before it is done.
    fn foresee(&mut self, id: &InstanceId, verb: Verb) {
        let before = &self.family.instances[id];
        let text = |text: &str| text.to_owned();
        let act = Act {
            id: text("a"),
            by: text("ann"),
            why: text("because"),
            step: None,
            verb,
            signed: None,
        };
        let told = foreseen::foreseen(self.family.catalog, id, before, &act, self.family.now);
        self.hidden("what an act would do", &serde_json::to_string(&told).expect("JSON"));
        self.seen.foreseen += u64::from(told.refused.is_none());
    }
}

impl<'c> Drive<'c> for Run<'c> {
    fn family(&mut self) -> &mut Family<'c> {
        &mut self.family
    }

    fn tell(&mut self, id: &InstanceId, input: &Input) {
        self.message(id, input);
        let before = self.family.instances.get(id);
        let made = match step(self.family.catalog, id, before, input, self.family.now) {
            Ok(made) => made,
            Err(rejection) => return self.hidden("a refusal", &rejection.to_string()),
        };
        if let Some(after) = &made.after {
            self.look(id, after, &made.notes);
        }
        match made.after {
            Some(after) => drop(self.family.instances.insert(id.clone(), after)),
            None => drop(self.family.instances.remove(id)),
        }
        for effect in made.effects {
            self.effect(id, effect);
        }
    }
}

#[test]
fn what_is_sensitive_is_seen_by_participants_alone() {
    let mut all = Seen::default();
    for seed in 0..DEFINITIONS {
        let Some((catalog, planted)) = drawn(seed, &mut all) else { continue };
        all.clean += 1;
        for run in 0..RUNS {
            let mut run = Run {
                seed,
                family: Family::of(&catalog, Dice::of(seed * 1_000 + run)),
                topics: EngineTopics::new("shop").expect("topics"),
                planted: &planted,
                seen: Seen::default(),
                canaries: 0,
            };
            run.event("t/Placed", None);
            for _ in 0..INPUTS {
                run.input();
            }
            all.sent += run.seen.sent;
            all.kept += run.seen.kept;
            all.notes += run.seen.notes;
            all.letters += run.seen.letters;
            all.messages += run.seen.messages;
            all.foreseen += run.seen.foreseen;
        }
    }
    let Seen { told, unsearchable, refused, clean, sent, .. } = all;
    let Seen { kept, notes, letters, messages, foreseen, .. } = all;
    assert!(refused.len() < 30, "{} are refused: {}", refused.len(), refused[0]);
    assert!(clean > 20 && told > 20 && unsearchable > 10, "{clean} {told} {unsearchable}");
    let seen = (sent, kept, notes, letters, messages, foreseen);
    assert!(sent > 50 && kept > 500 && notes > 500 && letters > 50, "{seen:?}");
    assert!(foreseen > 20 && messages > 50, "{seen:?}");
}
