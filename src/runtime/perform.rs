use bytes::Bytes;

use super::envelope::{Cause, Purpose, asked, outgoing};
use super::ports::{Append, DeadLetter, HistoryRecord, InboxRecord};
use super::settings::{Observed, Unmatched};
use super::shard::{Case, Tools};
use crate::engine::{Effect, Input, Letter, Life, Message, Question};
use crate::format::{seal, wire};
use crate::message::{
    Address, CommandId, Headers, InstanceId, LifeId, Origin, TraceContext, Traced, shard_of,
};

/// What becomes of an input that nothing waits for.
pub(super) fn unmatched_by<S>(
    id: &InstanceId,
    reason: String,
    case: &Case<'_>,
    tools: &mut Tools<'_, S>,
) {
    let rule = match &case.input {
        Input::Event(event) => tools.settings.unmatched.of(&event.address.topic),
        // A timer of an instance that has gone means nothing.
        Input::Wake(_) => Unmatched::Count,
        Input::Act(_) | Input::Letter(_) | Input::Called(_) => Unmatched::DeadLetter,
    };
    if rule == Unmatched::DeadLetter {
        bury(Some(id), reason, case, tools);
    }
}

/// Turns effects into messages; answers what was sent.
pub(super) fn perform<S>(
    id: &InstanceId,
    effects: Vec<Effect>,
    life: Option<&Life>,
    case: &Case<'_>,
    tools: &mut Tools<'_, S>,
) -> Vec<(CommandId, Address)> {
    let of = life.map_or(LifeId::default(), |life| life.id);
    let parent = life.map(|life| life.trace_parent.as_str()).filter(|text| !text.is_empty());
    let mut sent = Vec::with_capacity(effects.len());
    let cause = Cause {
        app: &tools.settings.app,
        id,
        event: case.event.map(|event| event.id.as_str()),
        trace: TraceContext::of(id, of, parent),
        at: case.record.timestamp,
    };
    for effect in effects {
        match effect {
            Effect::Command(message) => send(message, Purpose::Command, &cause, &mut sent, tools),
            Effect::Fact(message) => send(message, Purpose::Fact, &cause, &mut sent, tools),
            Effect::Complaint(reason) => bury(Some(id), reason, case, tools),
            Effect::Letter { to, letter } => post(&to, &letter, tools),
            Effect::Call(call) => {
                let transition = life.map_or(1, |life| life.transitions);
                let traced = Traced { context: cause.trace, transition };
                tools.pending.calls.push((call, traced));
            }
            Effect::Question(question) => ask(&question, &cause, tools),
        }
    }
    sent
}

fn send<S>(
    message: Message,
    purpose: Purpose,
    cause: &Cause<'_>,
    sent: &mut Vec<(CommandId, Address)>,
    tools: &mut Tools<'_, S>,
) {
    let written = outgoing(&message, purpose, cause);
    tools.pending.bytes += written.body.len();
    tools.pending.messages.push(written);
    sent.push((message.id, message.to));
}

/// Lays a letter into the inbox of whoever it is for, in the same transaction.
fn post<S>(to: &InstanceId, letter: &Letter, tools: &mut Tools<'_, S>) {
    let value = wire::Inbox::of_letter(to, letter).stored();
    tools.pending.bytes += value.len();
    let shard = shard_of(to, tools.settings.shards);
    tools.pending.letters.push(Append { shard, value });
}

/// Tells the people who answer questions.
fn ask<S>(question: &Question, cause: &Cause<'_>, tools: &mut Tools<'_, S>) {
    let written = asked(question, &tools.settings.topics.questions, cause);
    tools.pending.bytes += written.body.len();
    tools.pending.messages.push(written);
}

/// Sends what is at hand to the dead letters.
pub(super) fn bury<S>(
    id: Option<&InstanceId>,
    reason: String,
    case: &Case<'_>,
    tools: &mut Tools<'_, S>,
) {
    tools.counts.dead_letters += 1;
    let instance = id.map(ToString::to_string);
    let letter = match case.event {
        Some(event) => DeadLetter { instance, ..put_aside(event, reason) },
        None => DeadLetter {
            reason,
            origin: None,
            instance,
            key: None,
            headers: Headers::default(),
            body: Bytes::new(),
        },
    };
    tools.pending.dead_letters.push(letter);
}

/// An event as it came, with the reason why it goes to the dead letters.
fn put_aside(event: &wire::Event, reason: String) -> DeadLetter {
    let text = event.key.clone().map(Bytes::from);
    DeadLetter {
        reason,
        origin: event.origin().ok(),
        instance: None,
        key: text.or_else(|| event.binary_key.clone().map(Bytes::from)),
        headers: headers(event),
        body: event.body.clone().into(),
    }
}

/// The headers that the gateway read, as far as a sent-again copy needs them.
fn headers(event: &wire::Event) -> Headers {
    let mut headers = Headers::default();
    headers.push(crate::message::header::TYPE, event.event_type.clone());
    headers.push(crate::message::header::ID, event.id.clone());
    if let Some(source) = event.source.as_ref().filter(|source| !source.is_empty()) {
        headers.push(crate::message::header::SOURCE, source.clone());
    }
    if let Some(command) = &event.command {
        headers.push(crate::message::header::COMMAND, command.clone());
    }
    headers
}

/// Puts aside an inbox record that holds nothing to obey; an event goes as it came.
pub(super) fn unreadable<S>(
    record: &InboxRecord,
    event: Option<&wire::Event>,
    reason: &str,
    tools: &mut Tools<'_, S>,
) {
    tools.counts.unreadable += 1;
    tools.counts.dead_letters += 1;
    if let Some(event) = event {
        tools.pending.dead_letters.push(put_aside(event, reason.to_owned()));
        return;
    }
    let topic = tools.settings.topics.inbox.clone();
    let partition = i32::try_from(record.shard.0).unwrap_or(i32::MAX);
    tools.pending.dead_letters.push(DeadLetter {
        reason: reason.to_owned(),
        origin: Some(Origin { topic, partition, offset: record.offset }),
        instance: None,
        key: None,
        headers: Headers::default(),
        body: record.value.clone(),
    });
}

pub(super) fn history(observed: &Observed) -> HistoryRecord {
    let entry = wire::Entry {
        saga: observed.id.saga.to_string(),
        key: observed.id.key.to_string(),
        life: observed.life.number,
        transition: observed.transition,
        at_ms: observed.at.0,
        status: observed.standing.to_owned(),
        shard: i32::try_from(observed.shard.0).unwrap_or(i32::MAX),
        inbox: observed.offset.0,
        notes: observed.notes.iter().map(wire::Note::new).collect(),
        mark: observed.life.mark,
    };
    HistoryRecord { key: observed.id.to_string().into(), value: seal(&entry).into() }
}
