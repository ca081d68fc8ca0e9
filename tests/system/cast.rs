use std::collections::BTreeSet;

use segue::correlation::Index;
use segue::definition::{self, Catalog, Definition};
use segue::message::{Span, Topic};
use segue::participants::{Delay, Field, Late, Participants, Script, Share, Starts};

use crate::callees::Services;
use crate::shipped::{SAGAS, text};

/// The sagas of a world, the services and people around them.
pub struct Cast {
    /// Name and text of each definition.
    pub sagas: Vec<(String, String)>,
    pub scripts: Vec<Script>,
    /// Lines for the engine's configuration.
    pub config: String,
}

impl Cast {
    /// Orders of a shop.
    pub fn orders(app: &str, _seed: u64) -> Self {
        Self::of(app, include_str!("saga.yaml"), include_str!("participants.yaml"))
    }

    /// One saga with its services; its topics carry the world's name.
    pub fn of(app: &str, saga: &str, participants: &str) -> Self {
        let topics = topics(&[saga], &[participants]);
        let script = Script::parse("participants.yaml", &placed(participants, &topics, app));
        Self {
            sagas: vec![("saga".to_owned(), placed(saga, &topics, app))],
            scripts: vec![script.unwrap_or_else(|e| panic!("{e}"))],
            config: String::new(),
        }
    }

    /// The sagas and services of both.
    pub fn and(mut self, other: Self) -> Self {
        self.sagas.extend(other.sagas.into_iter().map(|(name, text)| (format!("{name}-2"), text)));
        self.scripts.extend(other.scripts);
        self.config.push_str(&other.config);
        self
    }

    /// All sagas that ship, in a hurry and in trouble.
    pub fn shipped(app: &str, seed: u64) -> Self {
        let sagas = SAGAS.map(|folder| text(folder, "saga.yaml"));
        let participants = SAGAS.map(|folder| text(folder, "participants.yaml"));
        let topics = topics(&sagas.each_ref(), &participants.each_ref());
        let scripts: Vec<Script> = participants
            .iter()
            .map(|text| Script::parse("participants.yaml", &placed(text, &topics, app)))
            .map(|script| troubled(script.unwrap_or_else(|e| panic!("{e}"))))
            .collect();
        let services = Services::start(&scripts, seed);
        let sagas = SAGAS.iter().zip(sagas).map(|(folder, text)| {
            let text = services.reached(&hurried(&placed(&text, &topics, app)));
            (folder.replace('/', "."), text)
        });
        Self { sagas: sagas.collect(), config: services.config(), scripts }
    }
}

/// Every topic that sagas and their services know.
fn topics(sagas: &[impl AsRef<str>], participants: &[impl AsRef<str>]) -> BTreeSet<Topic> {
    let mut catalog = Catalog::default();
    let mut topics = BTreeSet::new();
    for text in sagas {
        let definition = definition::parse("saga.yaml", text.as_ref()).expect("a right definition");
        topics.extend(Definition::topics_written(&definition));
        catalog.add(definition).expect("definitions of their own");
    }
    topics.extend(Index::new(&catalog).topics());
    let scripts = participants
        .iter()
        .map(|text| Script::parse("participants.yaml", text.as_ref()).expect("a right script"));
    let scripts: Vec<Script> = scripts.collect();
    let services = Participants::new(&scripts, 0);
    topics.extend(services.topics().into_iter().chain(services.answer_topics()));
    topics.extend(Starts::new(&scripts, 0).expect("starts").topics());
    topics
}

/// A text whose topics carry the world's name.
fn placed(text: &str, topics: &BTreeSet<Topic>, app: &str) -> String {
    let mut placed = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(slash) = rest.find('/') {
        let (before, after) = rest.split_at(slash + 1);
        let is_outside = |c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c));
        let begin = before[..slash].rfind(is_outside).map_or(0, |at| at + 1);
        placed.push_str(&before[..begin]);
        if topics.iter().any(|topic| topic.as_str() == &before[begin..slash]) {
            placed.push_str(app);
            placed.push('.');
        }
        placed.push_str(&before[begin..]);
        rest = after;
    }
    placed + rest
}

/// A definition whose requests wait for a second and are sent twice, so that a test takes seconds.
/// One that a person must look after keeps its time.
fn hurried(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let is_request = |line: &str| {
        let line = line.trim_start();
        line.starts_with("command: ") || line.starts_with("call: ")
    };
    let is_inside = |line: &str, deep: usize| line.trim().is_empty() || depth(line) >= deep;
    let mut dropped = BTreeSet::new();
    let mut hurried = BTreeSet::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_request(line)) {
        let deep = depth(line);
        let begin = (0..at).rev().take_while(|i| is_inside(lines[*i], deep)).last().unwrap_or(at);
        let end = (at..lines.len()).take_while(|i| is_inside(lines[*i], deep)).last();
        let own = (begin..=end.unwrap_or(at)).filter(|i| depth(lines[*i]) == deep);
        let own: Vec<usize> = own.collect();
        if own.iter().any(|i| lines[*i].trim_start().starts_with("unknown: park")) {
            continue;
        }
        let is_time = |i: &&usize| {
            let line = lines[**i].trim_start();
            line.starts_with("within: ") || line.starts_with("retry: ")
        };
        dropped.extend(own.iter().filter(is_time).copied());
        hurried.insert(at);
    }
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(at, _)| !dropped.contains(at)) {
        out.push((*line).to_owned());
        if hurried.contains(&at) {
            let margin = " ".repeat(depth(line));
            out.push(format!("{margin}within: 1s"));
            // What undoes is repeated for as long as it takes.
            let outer = lines[..at].iter().rev().find(|l| depth(l) < depth(line));
            if outer.is_some_and(|outer| outer.trim_start().starts_with("- step:")) {
                out.push(format!("{margin}retry: {{ attempts: 2, first: 100ms }}"));
            }
        }
    }
    out.join("\n")
}

/// Services that are fast, but repeat, lose and delay some of their answers; and room enough for
/// many sagas at once, which would wait for each other's locks for minutes otherwise.
fn troubled(mut script: Script) -> Script {
    let span = |least, most| Delay { least: Span::millis(least), most: Span::millis(most) };
    for (command, behaviour) in &mut script.commands {
        behaviour.delay = span(5, 40);
        behaviour.duplicate = Share(50_000);
        for follow in behaviour.answers.iter_mut().flat_map(|answer| &mut answer.then) {
            follow.after = span(5, 300);
        }
        // Nobody is sent into the theatre twice, so its answer is never lost.
        if command.event_type.as_str() != "Treat" {
            (behaviour.silent, behaviour.lost) = (Share(20_000), Share(10_000));
            behaviour.late = Some(Late { share: Share(30_000), by: span(1_200, 2_600) });
        }
    }
    for call in &mut script.calls {
        call.delay = span(0, 0);
        (call.silent, call.failing) = (Share(20_000), Share(30_000));
    }
    for (name, field) in script.starts.iter_mut().flat_map(|start| &mut start.fields) {
        match name.as_str() {
            "room" | "clinician" | "cluster" => {
                let names = (1..=100).map(|n| format!("{name}-{n}").into());
                *field = Field::Choice(names.collect());
            }
            "debtor" => *field = Field::Number { from: 10_001, to: 10_100, decimals: 0 },
            "creditor" => *field = Field::Number { from: 20_001, to: 20_100, decimals: 0 },
            _ => {}
        }
    }
    for person in script.people.values_mut() {
        person.delay = span(20, 300);
    }
    script
}
