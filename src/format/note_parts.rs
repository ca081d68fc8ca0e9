//! What notes are made of, as it is stored.

use super::instance::{coordinate, instance_id};
use super::{Error, wire};
use crate::engine::{Awaited, Claimant, DataChange, Proof};
use crate::message::{Address, EventType, InstanceId, Timestamp, Topic};

pub(super) fn change_out(change: &DataChange) -> wire::DataChange {
    let DataChange { field, before, after, is_hidden: hidden } = change.clone();
    wire::DataChange { field, before, after, hidden }
}

pub(super) fn change_in(change: &wire::DataChange) -> DataChange {
    let wire::DataChange { field, before, after, hidden: is_hidden } = change.clone();
    DataChange { field, before, after, is_hidden }
}

pub(super) fn address_out(address: &Address) -> wire::Note {
    wire::Note {
        topic: address.topic.to_string(),
        event_type: address.event_type.to_string(),
        ..wire::Note::default()
    }
}

pub(super) fn address_in(note: &wire::Note) -> Result<Address, Error> {
    let topic = Topic::new(&note.topic).map_err(|_| Error::Field("topic"))?;
    Ok(Address { topic, event_type: EventType::new(&note.event_type) })
}

pub(super) fn claimant_out(claimant: &Claimant) -> wire::Note {
    wire::Note {
        instance: Some(wire::Target::new(&claimant.instance)),
        claim_step: claimant.step.to_string(),
        ..wire::Note::default()
    }
}

pub(super) fn claimant_in(note: &wire::Note) -> Result<Claimant, Error> {
    Ok(Claimant { instance: instance_in(note)?, step: coordinate(&note.claim_step)? })
}

pub(super) fn instance_in(note: &wire::Note) -> Result<InstanceId, Error> {
    let target = note.instance.as_ref().ok_or(Error::Field("instance"))?;
    instance_id(&target.saga, &target.key)
}

pub(super) fn awaited_out(awaited: &Awaited) -> wire::Note {
    let none = wire::Note::default();
    match awaited {
        Awaited::Facts(facts) => {
            wire::Note { facts: facts.iter().map(ToString::to_string).collect(), ..none }
        }
        Awaited::Moment(until) => wire::Note { until_ms: until.0, ..none },
        Awaited::Lock => none,
    }
}

pub(super) fn awaited_in(note: &wire::Note) -> Awaited {
    if !note.facts.is_empty() {
        return Awaited::Facts(note.facts.iter().map(|fact| EventType::new(fact)).collect());
    }
    if note.until_ms == 0 { Awaited::Lock } else { Awaited::Moment(Timestamp(note.until_ms)) }
}

pub(super) fn proof_out(proof: &Proof) -> wire::Note {
    let of = |word: &str| wire::Note { proof: word.to_owned(), ..wire::Note::default() };
    match proof {
        Proof::Event(kind) => wire::Note { event_type: kind.to_string(), ..of("event") },
        Proof::Call => of("call"),
        Proof::Probe => of("probe"),
        Proof::Child(id) => wire::Note { instance: Some(wire::Target::new(id)), ..of("child") },
        Proof::Time => of("time"),
        Proof::Answer { choice, by } => {
            wire::Note { name: choice.clone(), by: by.clone(), ..of("answer") }
        }
        Proof::Person => of("person"),
    }
}

pub(super) fn proof_in(note: &wire::Note) -> Result<Proof, Error> {
    Ok(match note.proof.as_str() {
        "event" => Proof::Event(EventType::new(&note.event_type)),
        "call" => Proof::Call,
        "probe" => Proof::Probe,
        "child" => Proof::Child(instance_in(note)?),
        "time" => Proof::Time,
        "answer" => Proof::Answer { choice: note.name.clone(), by: note.by.clone() },
        "person" => Proof::Person,
        _ => return Err(Error::Field("proof")),
    })
}
