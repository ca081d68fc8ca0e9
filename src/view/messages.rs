//! What an instance was told, read back from Kafka: the inbox by the places that the history
//! names, and users' topics by those that the inbox names.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Coordinates, Entry, Error, Fresh, View, history};
use crate::definition::{Catalog, Definition};
use crate::engine::{Act, CallOutcome, Called, Letter, Verb};
use crate::format::wire;
use crate::message::{EventType, InstanceId, Offset, Origin, Topic, read_body};
use crate::runtime::SourceRecord;
use crate::status::{Masks, Moment, act_shown, event_shown, unread_shown};

/// Something that an instance was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct MessageTold {
    /// When the instance took it.
    pub at: Moment,
    /// The life that took it.
    pub life: String,
    /// Which transition of that life it made.
    pub transition: u64,
    /// `event`, `act`, `letter` (of another instance or a lock) or `call` (what came of one);
    /// `unknown` if the inbox does not keep it any more.
    pub kind: String,
    /// An event's topic and type, an act's verb, what a letter says, the id of a call.
    pub name: String,
    /// Its own id.
    pub id: Option<String>,
    /// Who says it: an event's source, a person, an instance.
    pub from: Option<String>,
    /// The command that an event answers.
    pub answers: Option<String>,
    /// Where it stands in a user's topic, or stood.
    pub origin: Option<Coordinates>,
    /// Where it stands in the inbox, or stood.
    pub inbox: Coordinates,
    /// The record's key, as text.
    pub key: Option<String>,
    /// The record's headers, as text; none if its topic does not keep it any more.
    pub headers: Option<Vec<(String, String)>>,
    /// The body: JSON, else its text.
    pub body: Value,
    /// Whether something in the body was masked.
    pub is_masked: bool,
    /// What of it cannot be shown, and why.
    pub gone: Option<String>,
}

impl View {
    /// What an instance was told in the newest `limit` transitions, oldest first; none if it is
    /// not known. Timers are no messages.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn messages(
        &self,
        id: &InstanceId,
        limit: usize,
        masks: Masks,
    ) -> Result<Fresh<Option<Vec<MessageTold>>>, Error> {
        let Fresh { found, freshness } = self.history(id, limit)?;
        let Some(mut entries) = found else { return Ok(Fresh { found: None, freshness }) };
        entries.retain(|entry| entry.status != history::UNREAD);
        let inputs = self.inputs(&entries)?;
        let records = self.records_of(&inputs);
        let known = Known { catalog: &self.catalog(), masks, records: &records };
        let told = entries.iter().filter_map(|entry| {
            let stored = Stored { id, entry };
            match inputs.get(&entry.input.offset) {
                None => Some(stored.forgotten()),
                Some(inbox) => stored.told(inbox, &known),
            }
        });
        Ok(Fresh { found: Some(told.collect()), freshness })
    }

    /// The inbox records that transitions came of, by their offsets; an instance has one shard.
    fn inputs(&self, entries: &[Entry]) -> Result<BTreeMap<i64, wire::Inbox>, Error> {
        let Some(shard) = entries.first().map(|entry| entry.input.partition) else {
            return Ok(BTreeMap::new());
        };
        let offsets: BTreeSet<i64> = entries.iter().map(|entry| entry.input.offset).collect();
        let offsets: Vec<Offset> = offsets.into_iter().map(Offset).collect();
        let records = self.0.records(&self.0.topics.inbox, shard, &offsets)?;
        let read = |record: &SourceRecord| {
            let inbox = wire::Inbox::decode(record.body.as_deref().unwrap_or_default());
            Some((record.origin.offset.0, inbox.ok()?))
        };
        Ok(records.iter().filter_map(read).collect())
    }

    /// The records that events were read from. A topic that is gone, or was made anew, keeps
    /// none; what else keeps them from being read is told with each.
    fn records_of(&self, inputs: &BTreeMap<i64, wire::Inbox>) -> Records {
        let mut places: BTreeMap<(Topic, i32), Vec<Offset>> = BTreeMap::new();
        for event in inputs.values().filter_map(wire::Inbox::event) {
            let Ok(Origin { topic, partition, offset }) = event.origin() else { continue };
            places.entry((topic, partition)).or_default().push(offset);
        }
        let mut records = Records::default();
        for ((topic, partition), offsets) in places {
            match self.0.records(&topic, partition, &offsets) {
                Ok(found) => {
                    let found = found.into_iter().map(|record| (record.origin.clone(), record));
                    records.found.extend(found);
                }
                Err(reason) => drop(records.unread.insert(topic, reason.to_string())),
            }
        }
        records
    }
}

/// Records of users' topics.
#[derive(Default)]
pub(super) struct Records {
    found: BTreeMap<Origin, SourceRecord>,
    /// Topics that cannot be read, and why.
    unread: BTreeMap<Topic, String>,
}

/// What messages are shown by.
pub(super) struct Known<'k> {
    pub catalog: &'k Catalog,
    pub masks: Masks,
    pub records: &'k Records,
}

impl Known<'_> {
    fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.catalog.definitions().map(|definition| &**definition)
    }
}

/// A transition whose input is looked for.
pub(super) struct Stored<'s> {
    pub id: &'s InstanceId,
    pub entry: &'s Entry,
}

impl Stored<'_> {
    /// What is told of every message.
    fn plain(&self, kind: &str, name: &str) -> MessageTold {
        let Entry { at, life, transition, input, .. } = self.entry;
        MessageTold {
            at: *at,
            life: life.clone(),
            transition: *transition,
            kind: kind.to_owned(),
            name: name.to_owned(),
            id: None,
            from: None,
            answers: None,
            origin: None,
            inbox: input.clone(),
            key: None,
            headers: None,
            body: Value::Null,
            is_masked: false,
            gone: None,
        }
    }

    fn forgotten(&self) -> MessageTold {
        let Coordinates { topic, partition, offset } = &self.entry.input;
        let gone = format!("{topic}[{partition}]@{offset} is not kept any more");
        MessageTold { gone: Some(gone), ..self.plain("unknown", "") }
    }

    /// What a record of the inbox says; none of a timer.
    pub fn told(&self, inbox: &wire::Inbox, known: &Known<'_>) -> Option<MessageTold> {
        use wire::inbox::Input;
        match inbox.input.as_ref()? {
            Input::Event(event) => Some(self.event(event, known)),
            Input::WakeMs(_) | Input::Starts(_) => None,
            Input::Act(act) => Some(match act.read() {
                Ok(act) => self.act(&act, known),
                Err(reason) => self.unread("act", &reason.to_string()),
            }),
            Input::Letter(letter) => Some(match letter.read() {
                Ok(letter) => self.letter(&letter, known),
                Err(reason) => self.unread("letter", &reason.to_string()),
            }),
            Input::Called(called) => Some(match called.read() {
                Ok(called) => self.called(&called, known),
                Err(reason) => self.unread("call", &reason.to_string()),
            }),
        }
    }

    fn unread(&self, kind: &str, reason: &str) -> MessageTold {
        let gone = format!("it cannot be read: {reason}");
        MessageTold { gone: Some(gone), ..self.plain(kind, "") }
    }

    fn event(&self, event: &wire::Event, known: &Known<'_>) -> MessageTold {
        let plain = self.plain("event", &format!("{}/{}", event.topic, event.event_type));
        let Ok(origin) = event.origin() else {
            return self.unread("event", &format!("`{}` is no topic", event.topic));
        };
        let body = read_body(&event.body).unwrap_or_else(|_| Value::from(text(&event.body)));
        let event_type = EventType::new(&event.event_type);
        let (topic, of) = (&origin.topic, Some(&event_type));
        let (body, is_masked) = event_shown(known.definitions(), topic, of, &body, known.masks);
        let (headers, gone) = match known.records.original(event, &origin) {
            Ok(record) => (Some(headers(record)), None),
            Err(reason) => (None, Some(reason)),
        };
        let binary = event.binary_key.as_deref().map(text);
        MessageTold {
            id: Some(event.id.clone()),
            from: event.source.clone().filter(|source| !source.is_empty()),
            answers: event.command.clone(),
            origin: Some(Coordinates {
                topic: event.topic.clone(),
                partition: event.partition,
                offset: event.offset,
            }),
            key: event.key.clone().or(binary),
            headers,
            body,
            is_masked,
            gone,
            ..plain
        }
    }

    fn act(&self, act: &Act, known: &Known<'_>) -> MessageTold {
        let mut body = json!({ "saga": self.id.saga.as_str(), "why": act.why });
        if let Some(step) = &act.step {
            body["step"] = step.to_string().into();
        }
        match &act.verb {
            Verb::ResolveDone(data) | Verb::SetData(data) => body["data"] = data.clone().into(),
            Verb::Answer { choice, note, data } => {
                body["choice"] = choice.as_str().into();
                body["note"] = note.as_str().into();
                body["data"] = data.clone().into();
            }
            Verb::Retry
            | Verb::Skip
            | Verb::ResolveNotDone
            | Verb::GoBack
            | Verb::Cancel
            | Verb::Pause
            | Verb::Resume => {}
        }
        let (body, is_masked) = act_shown(known.definitions(), &body, known.masks);
        MessageTold {
            id: Some(act.id.clone()),
            from: Some(act.by.clone()),
            body,
            is_masked,
            ..self.plain("act", act.verb.text())
        }
    }

    fn letter(&self, letter: &Letter, known: &Known<'_>) -> MessageTold {
        let carried = letter.say.carried().unwrap_or(&Value::Null);
        let (body, is_masked) = unread_shown(known.definitions(), carried, known.masks);
        MessageTold {
            id: Some(letter.id.clone()),
            from: Some(letter.from.to_string()),
            body,
            is_masked,
            ..self.plain("letter", letter.say.text())
        }
    }

    /// What came of a call; what a service says of why there was none is shown as the history
    /// shows it.
    fn called(&self, called: &Called, known: &Known<'_>) -> MessageTold {
        let plain = self.plain("call", &called.command);
        match &called.outcome {
            CallOutcome::Answered { status, headers, body } => {
                let (shown, is_masked) = unread_shown(known.definitions(), body, known.masks);
                let body = json!({ "status": status, "body": shown });
                let headers = (!is_masked).then(|| headers.clone());
                MessageTold { headers, body, is_masked, ..plain }
            }
            CallOutcome::Failed { reason, unsent } => {
                let body = json!({ "failed": reason, "unsent": unsent });
                MessageTold { body, ..plain }
            }
        }
    }
}

impl Records {
    /// The record that an event was read from, or why it cannot be shown.
    fn original(&self, event: &wire::Event, origin: &Origin) -> Result<&SourceRecord, String> {
        let Origin { topic, partition, offset } = origin;
        let place = format!("{topic}[{partition}]@{offset}");
        if let Some(reason) = self.unread.get(topic) {
            return Err(format!("{place} cannot be read, so its headers are not shown: {reason}"));
        }
        let found = self.found.get(origin);
        // A topic that was made anew, or a cluster, may hold another record there.
        let same = found.filter(|record| record.body.as_deref() == Some(event.body.as_slice()));
        same.ok_or_else(|| format!("{place} is not kept any more, so its headers are not shown"))
    }
}

fn headers(record: &SourceRecord) -> Vec<(String, String)> {
    let shown = record.headers.0.iter();
    shown.map(|(name, value)| (name.clone(), text(value))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
