use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use serde_json::Value;

use super::deed::Deed;
use super::fold::Fold;
use super::promises;
use super::world::{Seen, World};
use crate::books::{Books, Delivery, Options, Record};
use crate::definition::{Catalog, Definition, StepKind};
use crate::engine::{Direction, NoteKind};
use crate::format::{open, wire};
use crate::message::{
    Address, EngineTopics, InstanceId, LifeId, Outgoing, Timestamp, Topic, header, read_json,
};

/// Reads the topics when all is over: what was sent must be what the fold says, and what the
/// participants did must be what the endings say.
pub(super) fn audit(
    world: &World,
    app: &str,
    catalog: &Catalog,
    fold: &Fold,
    posted: &[Outgoing],
    delivery: Delivery,
) -> Vec<String> {
    let mut found = world.complaints();
    found.extend(fold.violations.clone());
    let once = delivery == Delivery::ExactlyOnce;
    sent(world, app, fold, once, &mut found);
    said(world, app, fold, once, &mut found);
    letters_read(world, app, fold, once, &mut found);
    refused(world, app, fold, &mut found);
    if once {
        told(world, app, &mut found);
    }
    let flat = catalog.sagas().all(|definition| is_flat(definition));
    found.extend(books(world, app, catalog, delivery));
    promises::kept(world, catalog, fold, once, &mut found);
    let is_start = |event: &&Outgoing| {
        let word = event.headers.text(header::TYPE);
        let starts = |on: &Address| on.topic == event.topic && word == Some(on.event_type.as_str());
        catalog.sagas().flat_map(|d| &d.starts).any(|start| starts(&start.on))
    };
    let starts: Vec<&Outgoing> = posted.iter().filter(is_start).collect();
    numbers(fold, &starts, &mut found);
    for start in starts {
        begun(fold, start, &mut found);
    }
    let deeds = world.deeds();
    for (id, instance) in fold.instances().filter(|_| flat) {
        for life in instance.lives.iter().filter(|g| g.direction == Direction::Back) {
            let prefix = idempotency_prefix(id, life.id);
            let own: Vec<&Deed> = deeds.iter().filter(|d| d.key.starts_with(&prefix)).collect();
            in_reverse(&format!("{id} ({})", life.id), &own, &mut found);
        }
    }
    found
}

/// The history topic in the order of its offsets, a line for each transition.
pub(super) fn story(world: &World, app: &str) -> Vec<String> {
    let line = |entry: wire::Entry| {
        let note = |note: &wire::Note| format!("{} {} {}", note.kind, note.step, note.text());
        let notes: Vec<String> = entry.notes.iter().map(note).collect();
        let wire::Entry { saga, key, life, shard, inbox, .. } = &entry;
        let at = Timestamp(entry.at_ms);
        let notes = notes.join(", ");
        format!("{saga}/{key} ({life}) {at} inbox {shard}:{inbox} {notes}")
    };
    history(world, app).into_iter().map(line).collect()
}

/// Everything that was committed, as one number.
pub(super) fn fingerprint(world: &World) -> u32 {
    let topics: BTreeSet<Topic> = world.places().into_iter().map(|(topic, _)| topic).collect();
    let mut hasher = crc32fast::Hasher::new();
    for record in topics.iter().flat_map(|topic| world.committed(topic)) {
        hasher.update(record.key.as_deref().unwrap_or_default());
        hasher.update(record.value.as_deref().unwrap_or_default());
        hasher.update(&record.timestamp.0.to_le_bytes());
    }
    hasher.finalize()
}

/// What the checker of a real Kafka's topics says to these.
fn books(world: &World, app: &str, catalog: &Catalog, delivery: Delivery) -> Vec<String> {
    let definitions: Vec<Definition> = catalog.definitions().map(|d| (**d).clone()).collect();
    let options = Options { app: app.to_owned(), delivery, ended: true };
    let mut books = Books::new(&definitions, options);
    let topics: BTreeSet<Topic> = world.places().into_iter().map(|(topic, _)| topic).collect();
    for seen in topics.iter().flat_map(|topic| world.committed(topic)) {
        books.read(&Record {
            topic: &seen.place.0,
            partition: seen.place.1,
            offset: seen.offset,
            key: seen.key.as_deref(),
            headers: &seen.headers,
            body: seen.value.as_ref(),
            timestamp: seen.timestamp,
        });
    }
    let report = books.close();
    report.violations.iter().map(|violation| format!("books: {violation}")).collect()
}

/// The history tells of every act that was not obeyed.
fn refused(world: &World, app: &str, fold: &Fold, found: &mut Vec<String>) {
    let entries = history(world, app);
    let notes = entries.iter().flat_map(|entry| &entry.notes);
    let refused = notes.filter(|note| note.kind() == Some(NoteKind::Refused));
    let told: BTreeSet<&str> = refused.map(|note| note.id.as_str()).collect();
    let untold = fold.refused.iter().filter(|id| !told.contains(id.as_str()));
    found.extend(untold.map(|id| format!("nothing tells that {id} was not obeyed")));
}

/// The history tells what became of each inbox record once, in their order.
fn told(world: &World, app: &str, found: &mut Vec<String>) {
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for entry in history(world, app) {
        let id = format!("{}/{}", entry.saga, entry.key);
        let before = last.insert(id.clone(), entry.inbox).unwrap_or(-1);
        if entry.inbox <= before {
            found.push(format!("the history of {id} tells inbox {} again", entry.inbox));
        }
    }
}

fn history(world: &World, app: &str) -> Vec<wire::Entry> {
    let topic = Topic::new(&format!("{app}.history"));
    let records = topic.map(|topic| world.committed(&topic)).unwrap_or_default();
    records.iter().filter_map(|record| open(record.value.as_deref()?).ok()).collect()
}

/// What every idempotency key of one life begins with.
pub(super) fn idempotency_prefix(id: &InstanceId, life: LifeId) -> String {
    let plain = |text: &str| text.replace('%', "%25").replace('/', "%2F").replace('~', "%7E");
    format!("{}/{}/{life}/", plain(id.saga.as_str()), plain(id.key.as_str()))
}

/// Whether a saga does one thing at a time, and all of it by commands and facts.
fn is_flat(definition: &Definition) -> bool {
    definition
        .steps
        .iter()
        .all(|step| matches!(step.kind, StepKind::Command(_) | StepKind::Emit(_) | StepKind::Set))
}

/// One effect for each id, the one that the fold says, with the same bytes.
fn sent(world: &World, app: &str, fold: &Fold, once: bool, found: &mut Vec<String>) {
    let source = format!("segue/{app}");
    let topics: BTreeSet<Topic> = world.places().into_iter().map(|(topic, _)| topic).collect();
    let mut seen: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for record in topics.iter().flat_map(|topic| world.committed(topic)) {
        if record.headers.text(header::SOURCE) == Some(&source) {
            let id = record.headers.text(header::ID).unwrap_or_default().to_owned();
            seen.entry(id).or_default().push(record);
        }
    }
    let mut ids = BTreeSet::new();
    for id in &fold.questions {
        match seen.remove(id).map_or(0, |records| records.len()) {
            1 => {}
            2.. if !once => {}
            times => found.push(format!("the question {id} was told {times} times")),
        }
    }
    for message in &fold.messages {
        let id = message.id.to_string();
        if !ids.insert(id.clone()) {
            found.push(format!("the engine asks twice for {id}"));
        }
        match seen.remove(&id).as_deref() {
            None => found.push(format!("{id} was never sent")),
            Some([record, more @ ..]) if more.is_empty() || !once => {
                let body = serde_json::to_vec(&message.body).unwrap_or_default();
                let other =
                    |r: &Seen| r.place.0 != message.to.topic || r.value.as_deref() != Some(&*body);
                if other(record) || more.iter().any(other) {
                    found.push(format!("{id} was sent with another body, or elsewhere"));
                }
            }
            Some(several) => found.push(format!("{id} was sent {} times", several.len())),
        }
    }
    found.extend(seen.keys().map(|id| format!("{id} was sent and nobody asked for it")));
}

/// What instances say to each other is in their inboxes once, and nothing else is.
fn said(world: &World, app: &str, fold: &Fold, once: bool, found: &mut Vec<String>) {
    let topic = EngineTopics::new(app).expect("the world's app is a topic's prefix").inbox;
    let mut there: Vec<(String, Vec<u8>)> = Vec::new();
    for record in world.committed(&topic) {
        let inbox = wire::Inbox::decode(record.value.unwrap_or_default()).unwrap_or_default();
        if let (Some(wire::inbox::Input::Letter(letter)), [to]) = (inbox.input, &inbox.targets[..])
        {
            there.push((format!("{}/{}", to.saga, to.key), letter.encode_to_vec()));
        }
    }
    let mut expected: Vec<(String, Vec<u8>)> =
        fold.letters.iter().map(|(to, letter)| (to.to_string(), letter.clone())).collect();
    there.sort();
    expected.sort();
    if !once {
        // Said again, they must be no news: the fold has read them all.
        there.dedup();
        expected.dedup();
    }
    if there != expected {
        let (there, expected) = (there.len(), expected.len());
        found.push(format!("{there} letters between instances are not the {expected} expected"));
    }
}

fn letters_read(world: &World, app: &str, fold: &Fold, once: bool, found: &mut Vec<String>) {
    let topic = Topic::new(&format!("{app}.dead-letters"));
    let there = topic.map_or(0, |topic| world.committed(&topic).len());
    let fine = if once { there == fold.dead_letters } else { there >= fold.dead_letters };
    if !fine {
        found.push(format!("{there} dead letters instead of {}", fold.dead_letters));
    }
}

/// A start begins one life, or none where one was there already; never two.
fn begun(fold: &Fold, start: &Outgoing, found: &mut Vec<String>) {
    let event = start.headers.text(header::ID).unwrap_or_default();
    let lives = fold.begun.get(event).map_or(0, Vec::len);
    if lives > 1 {
        found.push(format!("{event} began {lives} lives"));
    }
    if !fold.instances().any(|(id, _)| id.key.as_str() == start.key) {
        found.push(format!("{event} vanished"));
    }
}

/// A number goes through as it was written.
fn numbers(fold: &Fold, starts: &[&Outgoing], found: &mut Vec<String>) {
    let body = |start: &Outgoing| read_json(&start.body).unwrap_or_default();
    let placed = starts.iter().map(|start| (start.key.as_str(), body(start)));
    let placed: BTreeMap<&str, Value> = placed.collect();
    for message in &fold.messages {
        // A child's key begins with its parent's.
        let key = message.id.instance.key.as_str();
        let own = placed.iter().find(|(start, _)| {
            key.strip_prefix(**start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let start = own.map(|(_, body)| body);
        let (Some(Value::Object(start)), Value::Object(fields)) = (start, &message.body) else {
            continue;
        };
        for (name, value) in fields.iter().filter(|(_, value)| value.is_number()) {
            if start.get(name).is_some_and(|there| there.is_number() && there != value) {
                found.push(format!("{} says {name}: {value}", message.id));
            }
        }
    }
}

/// Everything that happened was undone, the last first: of a saga that does one thing at a time.
fn in_reverse(what: &str, deeds: &[&Deed], found: &mut Vec<String>) {
    let mut open: Vec<&str> = Vec::new();
    for deed in deeds {
        let Some(undone) = deed.undoes.as_deref() else {
            open.push(&deed.key);
            continue;
        };
        match open.iter().rposition(|key| *key == undone) {
            Some(place) if place + 1 < open.len() => {
                found.push(format!("{what}: {undone} was undone before {}", open[place + 1]));
                open.remove(place);
            }
            Some(place) => drop(open.remove(place)),
            // It may not have happened; asking is right.
            None => {}
        }
    }
}
