//! What the engine promises, shown on small definitions by scripts.
//!
//! A script is a line for each input: `input > everything that it makes the engine do`. Inputs are
//! `start`, an event's type (`for=` names the command that it answers, `id=` its own id, `{…}` its
//! body), `pass 10s`, a person's `act verb step`, and `called step/1 200 {…}`. After `!` stands how
//! an input is declined. `@saga/key` before an input tells another instance. Letters are delivered
//! at once; what they say, and what the others do about it, stands among the effects.
//! `is` and `data` look at the newest life, `lives` counts those that are remembered.

mod back;
mod calls;
mod children;
mod choices;
mod coverage;
pub(crate) mod drive;
mod duplicates;
mod early;
mod fan_out;
mod forward;
mod late;
mod limits;
mod locks;
mod nested;
mod parallel;
mod pauses;
mod people;
mod pivot;
mod probes;
mod random;
mod random_language;
pub(crate) mod random_saga;
mod sources;
mod starts;
mod states;
mod stuck;
mod timers;
mod waiting;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::{
    Act, CallOutcome, Called, Effect, Input, Instance, Letter, Note, Rejection, Verb, Wake,
    next_due, step,
};
use crate::definition::{Catalog, parse};
use crate::message::{
    Address, CommandId, Event, EventSource, InstanceId, Key, LifeId, Span, Timestamp,
};
use crate::{definition, engine, message};

/// An order: stock and money that can be given back, a parcel that cannot.
const ORDER: &str = "
saga: order
version: 1
start: { on: t/Placed, key: event.id }
data: { id: event.id }
within: 30m
late: 7d
cancel: { on: t/Cancelled, key: event.id }
steps:
  - step: reserve
    command: t/Reserve
    done: t/Reserved
    set: { shelf: event.shelf }
    failed: { on: t/SoldOut, reason: event.why }
    within: 10s
    retry: { attempts: 2, first: 1s, factor: 2, most: 1s }
    compensate:
      command: t/Release
      done: t/Released
      within: 10s
      retry: { attempts: 2, first: 1s, factor: 2, most: 1s }
  - step: charge
    command: t/Charge
    done: t/Charged
    failed: t/Declined
    within: 10s
    retry: { attempts: 2, first: 1s, factor: 2, most: 1s }
    compensate:
      command: t/Refund
      done: t/Refunded
      within: 10s
      retry: { attempts: 2, first: 1s, factor: 2, most: 1s }
  - step: ship
    pivot: true
    command: t/Ship
    done: t/Shipped
    failed: t/Refused
    within: 10s
    retry: { attempts: 2, first: 1s, factor: 2, most: 1s }
    unknown: park
  - step: tell
    emit: t/Told
ends:
  completed: { emit: t/Done }
  compensated: { emit: t/Undone, with: { kind: '${failure.kind}', reason: '${failure.reason}' } }
  stuck: { emit: t/Help, with: { step: '${failure.step}' } }
";

/// Two parts that are undone and nothing else.
const PAIR: &str = "
saga: pair
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
steps:
  - step: a
    command: t/A
    done: t/ADone
    failed: t/ANo
    within: 10s
    retry: { attempts: 1 }
    compensate: { command: t/UndoA, done: t/AUndone, within: 10s, retry: { attempts: 1 } }
  - step: b
    command: t/B
    done: t/BDone
    failed: t/BNo
    within: 10s
    retry: { attempts: 1 }
    compensate: { command: t/UndoB, done: t/BUndone, within: 10s, retry: { attempts: 1 } }
";

/// A saga of these steps, its data `id` and what `data` adds.
fn saga(data: &str, steps: &[&str]) -> String {
    format!(
        "saga: s\nversion: 1\nstart: {{ on: t/Placed, key: event.id }}\nlate: 7d\nwithin: 30d\n\
         cancel: {{ on: t/Cancelled, key: event.id }}\n\
         data: {{ id: event.id{data} }}\nsteps:\n{}\n",
        steps.iter().map(|step| format!("  - {step}")).collect::<Vec<_>>().join("\n")
    )
}

/// The same, whose participants always echo the command's id.
fn saga_by_id(data: &str, steps: &[&str]) -> String {
    let by_id = "late: 7d\nevents: { t/*: { by: command-id } }\n";
    saga(data, steps).replace("late: 7d\n", by_id)
}

/// A command that is undone: `part("a", "")` sends `A`, is answered by `ADone` or `ANo`, and undone
/// by `UndoA`.
fn part(name: &str, more: &str) -> String {
    let upper = name.to_uppercase();
    let once = "within: 10s, retry: { attempts: 1 }";
    format!(
        "{{ step: {name}, command: t/{upper}, done: t/{upper}Done, failed: t/{upper}No, {once}, \
         compensate: {{ command: t/Undo{upper}, done: t/{upper}Undone, {once} }}{more} }}"
    )
}

/// One saga, its key `k`, and the time.
#[derive(Clone)]
struct World {
    catalog: Catalog,
    id: InstanceId,
    start: Event,
    instance: Option<Instance>,
    now: Timestamp,
    events: u32,
    /// What the last input made happen.
    notes: Vec<Note>,
    /// Children and locks.
    others: BTreeMap<InstanceId, Instance>,
    /// Letters on their way.
    mail: VecDeque<(InstanceId, Letter)>,
}

impl World {
    fn of(definition: &str) -> Self {
        Self::family(definition, &[])
    }

    /// A saga and those that may be its children.
    fn family(definition: &str, children: &[&str]) -> Self {
        let read =
            |text: &str| parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{text}\n{e}"));
        let definition = read(definition);
        let id = InstanceId { saga: definition.saga.clone(), key: Key::new("k").expect("a key") };
        let now = Timestamp(1_000_000);
        let start = Event {
            address: definition.starts[0].on.clone(),
            source: EventSource::Unnamed,
            id: String::new(),
            key: None,
            body: json!({"id": "k"}),
            command: None,
            trace_parent: None,
            timestamp: now,
        };
        let mut catalog = Catalog::default();
        catalog.add(definition).expect("the first of its name");
        for child in children {
            catalog.add(read(child)).expect("the first of its name");
        }
        Self {
            catalog,
            id,
            start,
            instance: None,
            now,
            events: 0,
            notes: Vec::new(),
            others: BTreeMap::new(),
            mail: VecDeque::new(),
        }
    }

    /// Tells the engine; what is remembered goes through its stored form.
    fn tell(&mut self, input: &Input) -> Result<Vec<Effect>, Rejection> {
        self.tell_to(&self.id.clone(), input)
    }

    fn tell_to(&mut self, id: &InstanceId, input: &Input) -> Result<Vec<Effect>, Rejection> {
        let before = if *id == self.id { self.instance.as_ref() } else { self.others.get(id) };
        let made = step(&self.catalog, id, before, input, self.now)?;
        let again = step(&self.catalog, id, before, input, self.now);
        assert_eq!(again.as_ref(), Ok(&made), "the same arguments, another answer");
        if let Some(instance) = &made.after {
            let stored = Instance::decode(&instance.encode());
            assert_eq!(stored.as_ref(), Ok(instance), "stored and read back");
        }
        for effect in &made.effects {
            if let Effect::Letter { to, letter } = effect {
                self.mail.push_back((to.clone(), letter.clone()));
            }
        }
        match (made.after, *id == self.id) {
            (after, true) => self.instance = after,
            (Some(after), false) => drop(self.others.insert(id.clone(), after)),
            (None, false) => drop(self.others.remove(id)),
        }
        self.notes = made.notes;
        Ok(made.effects)
    }

    /// Delivers every letter, in the order in which they were sent.
    fn deliver(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some((to, letter)) = self.mail.pop_front() {
            let words = format!("{}: {}", to, letter.say.text());
            match self.tell_to(&to, &Input::Letter(letter)) {
                Ok(made) => effects.extend(made),
                Err(rejection) => panic!("{words}: {rejection}"),
            }
        }
        effects
    }

    /// Lets time pass; timers are told in their order.
    fn pass(&mut self, span: Span) -> Vec<Effect> {
        let end = self.now.after(span);
        let mut effects = Vec::new();
        while let Some((due, id)) = self.due().filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            effects.extend(self.tell_to(&id, &Input::Wake(Wake::DUE)).expect("a timer was due"));
            effects.extend(self.deliver());
        }
        self.now = end;
        effects
    }

    /// Time passes while the engine is away; what is due meanwhile strikes at its end.
    fn away(&mut self, span: Span) -> Result<Vec<Effect>, Rejection> {
        self.now = self.now.after(span);
        let wake = Wake { until: self.now, away_until: self.now };
        self.tell(&Input::Wake(wake))
    }

    /// The next timer, and whose it is.
    fn due(&self) -> Option<(Timestamp, InstanceId)> {
        let own = self.instance.iter().map(|instance| (&self.id, instance));
        let all = own.chain(&self.others);
        all.filter_map(|(id, instance)| Some((next_due(instance)?, id.clone()))).min()
    }

    /// The id of an event that has none of its own.
    fn fresh(&mut self) -> String {
        self.events += 1;
        format!("e{}", self.events)
    }

    fn event(&mut self, words: &str, body: Option<Value>) -> Event {
        let mut words = words.split_whitespace();
        let kind = words.next().expect("an event's type");
        let mut event = self.start.clone();
        event.id = self.fresh();
        event.timestamp = self.now;
        if kind != "start" {
            event.address = format!("t/{kind}").parse::<Address>().expect("an address");
            event.body = json!({"id": "k", "why": "no", "shelf": 7});
        }
        for word in words {
            match word.split_once('=') {
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("from", "old")) => event.source = EventSource::Unread,
                Some(("from", source)) => event.source = EventSource::Named(source.to_owned()),
                Some(("for", command)) => event.command = Some(self.command(command)),
                _ => panic!("`{word}` is no part of an event"),
            }
        }
        event.body = body.unwrap_or(event.body);
        event
    }

    /// `reserve~undo/2` in the first life that is remembered under that number, `2/reserve/1` in
    /// another, or a whole id.
    fn command(&self, short: &str) -> String {
        let (number, rest) = match short.matches('/').count() {
            1 => ("1", short),
            2 => short.split_once('/').expect("a slash"),
            _ => return self.command_of_another(short),
        };
        let gone = self.instance.iter().flat_map(|i| &i.remnants).map(|t| t.life);
        let mut lives = self.instance.iter().flat_map(|i| &i.lives).map(|g| g.id).chain(gone);
        let number = number.parse().expect("a number");
        let life = lives.find(|life| life.number == number);
        format!("{}/{}/{rest}", self.id, life.unwrap_or(LifeId::unmarked(number)))
    }

    /// A whole id; another instance's life may be named by its number alone.
    fn command_of_another(&self, whole: &str) -> String {
        let Ok(mut id) = whole.parse::<CommandId>() else {
            return whole.to_owned();
        };
        let mut lives = self.others.get(&id.instance).into_iter().flat_map(|i| &i.lives);
        if let Some(meant) = lives.find(|g| LifeId::unmarked(g.id.number) == id.life) {
            id.life = meant.id;
        }
        id.to_string()
    }

    fn act(&mut self, words: &str, body: Option<Value>) -> Act {
        let words: Vec<&str> = words.split_whitespace().collect();
        let verb = match words[0] {
            "retry" => Verb::Retry,
            "skip" => Verb::Skip,
            "not-done" => Verb::ResolveNotDone,
            "go-back" => Verb::GoBack,
            "cancel" => Verb::Cancel,
            "pause" => Verb::Pause,
            "resume" => Verb::Resume,
            "answer" => {
                let data = match body {
                    Some(Value::Object(fields)) => fields,
                    _ => serde_json::Map::new(),
                };
                let choice = words.last().copied().unwrap_or_default().to_owned();
                let step = (words.len() > 2).then(|| words[1].parse().expect("a step"));
                let verb = Verb::Answer { choice, note: "well".to_owned(), data };
                return Act {
                    id: self.fresh(),
                    by: "ann".to_owned(),
                    why: String::new(),
                    step,
                    verb,
                    signed: None,
                };
            }
            "set-data" => match body {
                Some(Value::Object(fields)) => Verb::SetData(fields),
                _ => Verb::SetData(serde_json::Map::new()),
            },
            "done" => match body {
                Some(Value::Object(fields)) => Verb::ResolveDone(fields),
                _ => Verb::ResolveDone(serde_json::Map::new()),
            },
            other => panic!("`{other}` is no verb"),
        };
        let step = words.get(1).map(|step| step.parse().expect("a step"));
        let (id, by, why) = (self.fresh(), "ann".to_owned(), "because".to_owned());
        Act { id, by, why, step, verb, signed: None }
    }

    /// `score/1 200` with a body, or `score/1 failed`, or `score/1 unsent`.
    fn called(&self, words: &str, body: Option<Value>) -> Called {
        let (command, words) = words.split_once(' ').expect("what came of it");
        let outcome = match words.parse() {
            Ok(status) => CallOutcome::Answered {
                status,
                headers: vec![("etag".to_owned(), "x".to_owned())],
                body: body.unwrap_or_default(),
            },
            Err(_) => {
                CallOutcome::Failed { reason: "no route".to_owned(), unsent: words == "unsent" }
            }
        };
        Called { command: self.command(command), outcome }
    }

    /// What an input does, as the scripts write it.
    fn told(&mut self, input: &str) -> String {
        let brace = input.find('{').unwrap_or(input.len());
        let (words, body) = input.split_at(brace);
        let body = (!body.is_empty()).then(|| serde_json::from_str(body).expect("JSON"));
        let words = words.trim();
        let (id, words) = match words.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
            Some((id, words)) => {
                let (saga, key) = id.split_once('/').expect("a saga and a key");
                let saga = crate::message::SagaName::new(saga).expect("a name");
                (InstanceId { saga, key: Key::new(key).expect("a key") }, words)
            }
            None => (self.id.clone(), words),
        };
        let answer = match words.split_once(' ') {
            Some(("pass", span)) => Ok(self.pass(span.parse().expect("a duration"))),
            Some(("away", span)) => self.away(span.parse().expect("a duration")),
            Some(("act", words)) => {
                let act = self.act(words, body);
                self.tell_to(&id, &Input::Act(act))
            }
            Some(("called", words)) => {
                let called = self.called(words, body);
                self.tell_to(&id, &Input::Called(called))
            }
            _ => {
                let event = self.event(words, body);
                self.tell_to(&id, &Input::Event(event))
            }
        };
        let answer = answer.map(|mut effects| {
            effects.extend(self.deliver());
            effects
        });
        match answer {
            Ok(effects) if effects.is_empty() => "> nothing".to_owned(),
            Ok(effects) => {
                format!("> {}", effects.iter().map(said).collect::<Vec<_>>().join("; "))
            }
            Err(Rejection::Duplicate(_)) => "! duplicate".to_owned(),
            Err(Rejection::Ignored(_)) => "! ignored".to_owned(),
            Err(Rejection::Unmatched(_)) => "! unmatched".to_owned(),
            Err(Rejection::Refused(_)) => "! refused".to_owned(),
        }
    }

    fn look(&self, question: &str) -> Option<String> {
        let newest = self.instance.as_ref().and_then(Instance::newest);
        match question.split(' ').next()? {
            "is" => Some(
                newest.map_or("is forgotten".to_owned(), |g| format!("is {}", g.status().text())),
            ),
            "data" => newest.map(|g| format!("data {}", g.data)),
            "lives" => Some(format!(
                "lives {}",
                self.instance.as_ref().map_or(0, |i| i.lives.len() + i.remnants.len())
            )),
            _ => None,
        }
    }
}

/// An effect in a script's words.
fn said(effect: &Effect) -> String {
    let (what, message) = match effect {
        Effect::Command(message) => ("", message),
        Effect::Fact(message) => ("fact ", message),
        Effect::Complaint(reason) => return format!("complaint {reason}"),
        Effect::Letter { to, letter } => return format!("{} to {to}", letter.say.text()),
        Effect::Call(call) => {
            let body = call.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
            let (method, url) = (call.method.text(), &call.url);
            return format!("{method} {url} {}{body}", short(&call.id));
        }
        Effect::Question(question) => {
            let choices = question.choices.join("|");
            return format!("ask {} {} {choices}", question.who, question.question);
        }
    };
    let mut text = format!("{what}{}", message.to.event_type);
    if what.is_empty() {
        text.push(' ');
        text.push_str(&short(&message.id));
    }
    if message.body != json!({}) {
        text = format!("{text} {}", message.body);
    }
    text
}

/// An id as scripts write it: without saga, key and mark.
fn short(id: &CommandId) -> String {
    let id = CommandId { life: LifeId::unmarked(id.life.number), ..id.clone() };
    let text = id.to_string();
    let inside = text.splitn(3, '/').nth(2).expect("saga, key and the rest");
    inside.strip_prefix("1/").unwrap_or(inside).to_owned()
}

/// Runs a script; shows what was expected and what was seen where they differ.
fn check(definition: &str, script: &str) {
    check_family(definition, &[], script);
}

/// Runs a script of a saga with children.
fn check_family(definition: &str, children: &[&str], script: &str) {
    let mut world = World::family(definition, children);
    let mut whole = String::new();
    for line in script.lines().map(str::trim) {
        whole.push_str(line);
        // A list of effects may go on in the next line.
        whole.push_str(if line.ends_with(';') { " " } else { "\n" });
    }
    for line in whole.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(seen) = world.look(line) {
            assert_eq!(seen, line, "in\n{script}");
            continue;
        }
        let end = line.find(['>', '!']);
        let input = line[..end.expect("`>` or `!` behind the input")].trim();
        let seen = format!("{input} {}", world.told(input));
        assert_eq!(seen, line, "in\n{script}");
    }
}
