//! What an older engine has stored is read, and carried on as that engine would have.
//!
//! `tests/stored/transitions.jsonl` was written by the engine of commit 6d019de while random sagas
//! ran: a transition a line, chosen so that each message of `proto/segue.proto` that an instance
//! or an inbox record may hold is among them, with each of its fields. Its bytes are never made
//! anew: an engine that cannot read them loses what people run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use prost::Message as _;
use segue::definition::{Catalog, parse};
use segue::engine::{Effect, Input, Instance, Remnant, Transition, step};
use segue::format::wire;
use segue::message::{InstanceId, Key, SagaName, Timestamp};
use serde_json::Value;

/// One transition as the older engine made it.
struct Stored {
    saga: String,
    id: String,
    now: Timestamp,
    before: Option<Vec<u8>>,
    input: Vec<u8>,
    after: Option<Vec<u8>>,
    effects: Vec<String>,
    notes: Vec<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

fn bytes(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn stored() -> Vec<Stored> {
    let text = fs::read_to_string(folder().join("transitions.jsonl")).expect("the file is here");
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().expect("a list");
        list.iter().map(|item| item.as_str().expect("a text").to_owned()).collect()
    };
    text.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            Stored {
                saga: line["saga"].as_str().expect("a file").to_owned(),
                id: line["id"].as_str().expect("an instance").to_owned(),
                now: Timestamp(line["now"].as_i64().expect("milliseconds")),
                before: line["before"].as_str().map(bytes),
                input: bytes(line["input"].as_str().expect("an inbox record")),
                after: line["after"].as_str().map(bytes),
                effects: texts(&line["effects"]),
                notes: texts(&line["notes"]),
            }
        })
        .collect()
}

fn catalog(saga: &str) -> Catalog {
    let mut catalog = Catalog::default();
    for file in [saga, "child.yaml"] {
        let text = fs::read_to_string(folder().join(file)).expect("the file is here");
        let definition = parse(file, &text).unwrap_or_else(|e| panic!("{file}: {e}"));
        catalog.add(definition).expect("the first of its name");
    }
    catalog
}

fn instance_id(text: &str) -> InstanceId {
    let (saga, key) = text.split_once('/').expect("a saga and a key");
    let lock = SagaName::lock();
    let saga = if saga == lock.as_str() { lock } else { SagaName::new(saga).expect("a name") };
    InstanceId { saga, key: Key::new(key).expect("a key") }
}

/// An effect as the older engine told it.
fn told(effect: &Effect) -> String {
    match effect {
        Effect::Command(command) => format!("command {} {}", command.id, command.body),
        Effect::Call(call) => format!("call {}", call.id),
        Effect::Fact(fact) => format!("fact {} {}", fact.id, fact.body),
        Effect::Complaint(reason) => format!("complaint {reason}"),
        Effect::Question(question) => format!("question {} {}", question.instance, question.step),
        Effect::Letter { to, letter } => {
            let mut text = format!("letter {to} ");
            for byte in wire::Letter::new(letter).encode_to_vec() {
                write!(text, "{byte:02x}").expect("a text takes all");
            }
            text
        }
    }
}

#[test]
fn what_an_older_engine_stored_is_carried_on() {
    let mut catalogs: BTreeMap<String, Catalog> = BTreeMap::new();
    for (number, stored) in stored().into_iter().enumerate() {
        let line = number + 1;
        let id = instance_id(&stored.id);
        let catalog = catalogs.entry(stored.saga.clone()).or_insert_with(|| catalog(&stored.saga));
        let read =
            |bytes: &Vec<u8>| Instance::decode(bytes).unwrap_or_else(|e| panic!("{line}: {e}"));
        let before = stored.before.as_ref().map(read);
        let record = wire::Inbox::decode(&stored.input[..]).expect("an inbox record");
        assert_eq!(record.targets[0].read().as_ref(), Ok(&id), "line {line}");
        let input: Input = record.read().unwrap_or_else(|e| panic!("line {line}: {e}"));

        let made = step(catalog, &id, before.as_ref(), &input, stored.now)
            .unwrap_or_else(|e| panic!("line {line}: {e:?}"));
        let effects: Vec<String> = made.effects.iter().map(told).collect();
        assert_eq!(ordered(effects), ordered(stored.effects), "line {line}: what is sent");
        let notes: Vec<&str> = made.notes.iter().map(|note| note.kind().text()).collect();
        assert_eq!(notes, stored.notes, "line {line}: what has happened");
        let after = stored.after.as_ref().map(read).map(|after| shrunk(after, &made));
        assert_eq!(made.after, after, "line {line}: what is stored");
    }
}

/// Complaints go to a topic of their own: their place among the messages means nothing.
fn ordered(effects: Vec<String>) -> (Vec<String>, Vec<String>) {
    effects.into_iter().partition(|effect| effect.starts_with("complaint "))
}

/// Of lives that are over and done with the older engine kept the whole; since then only what is
/// needed is kept.
fn shrunk(mut after: Instance, made: &Transition) -> Instance {
    let remnants = made.after.iter().flat_map(|after| &after.remnants);
    for remnant in remnants {
        if let Some(at) = after.lives.iter().position(|life| life.id == remnant.life) {
            let life = after.lives.remove(at);
            after.remnants.extend(Remnant::of(&life));
        }
    }
    after
}

/// The version and the checksum in front of a stored message.
const SEAL_BYTES: usize = 5;

/// Nothing that was stored is dropped or changed on the way; fields may have been added since.
#[test]
fn what_was_read_is_written_again_whole() {
    for (number, stored) in stored().into_iter().enumerate() {
        for bytes in [stored.before, stored.after].into_iter().flatten() {
            let written = Instance::decode(&bytes).expect("an instance").encode();
            let is_whole = holds(&written[SEAL_BYTES..], &bytes[SEAL_BYTES..]);
            assert!(is_whole, "line {}: {bytes:?} became {written:?}", number + 1);
        }
    }
}

/// Whether a protobuf message holds all fields of an older one, in their order.
fn holds(newer: &[u8], older: &[u8]) -> bool {
    let (Some(newer), Some(older)) = (fields(newer), fields(older)) else { return false };
    let mut rest = newer.iter();
    older.iter().all(|(tag, value)| {
        rest.any(|(other, found)| other == tag && (found == value || holds(found, value)))
    })
}

/// The fields of a protobuf message, each with its tag; nothing if it is none.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            0 => {
                let before = bytes;
                varint(&mut bytes)?;
                &before[..before.len() - bytes.len()]
            }
            1 => bytes.split_off(..8)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                bytes.split_off(..length)?
            }
            5 => bytes.split_off(..4)?,
            _ => return None,
        };
        fields.push((tag, value));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    prost::encoding::decode_varint(bytes).ok()
}

#[test]
fn a_message_without_a_field_does_not_hold_it() {
    // Field 1 is 5; field 2 is a message whose field 1 is 7; the newer one has a field 3 too.
    let (older, newer) = ([8, 5, 18, 2, 8, 7], [8, 5, 18, 4, 8, 7, 16, 1, 24, 9]);
    assert!(holds(&newer, &older));
    assert!(!holds(&older, &newer));
    assert!(!holds(&[8, 6, 18, 2, 8, 7], &older), "another value");
    assert!(!holds(&[18, 2, 8, 7, 8, 5], &older), "another order");
}
