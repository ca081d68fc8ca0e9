//! Starts: the first of a key, a second one, and one after the end.

use serde_json::{Map, Value};

use super::{cancel, motion};
use crate::definition::{After, Again, Definition, Start};
use crate::engine::early;
use crate::engine::limits::{GENERATIONS_MAX, QUEUED_MAX};
use crate::engine::turn::{Out, Turn, within_limit};
use crate::engine::{Direction, Frame, Generation, Instance, Note, NoteKind, Parent, Rejection};
use crate::expression::{Name, Scope};
use crate::message::{Address, Event, InstanceId, Life, Timestamp};

/// Which entry of `start` an event is for this instance, if it is one.
///
/// # Errors
/// When its `where` or `key` has no answer.
pub(in crate::engine) fn find(
    definition: &Definition,
    id: &InstanceId,
    event: &Event,
    now: Timestamp,
) -> Result<Option<usize>, Rejection> {
    let scope = Scope::at(now).with(Name::Event, &event.body);
    let refused = |e| Rejection::Refused(format!("{}: {e}", event.address));
    for (entry, start) in definition.starts.iter().enumerate() {
        if start.on != event.address {
            continue;
        }
        if let Some(condition) = &start.condition
            && !condition.holds(&scope).map_err(refused)?
        {
            continue;
        }
        let key = match &start.key {
            Some(key) => Some(key.text(&scope).map_err(refused)?),
            None => event.key.clone(),
        };
        if key.as_deref() == Some(id.key.as_str()) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// Obeys a start, as `again` and `after` say.
///
/// # Errors
/// When it begins nothing.
pub(in crate::engine) fn take(
    definition: &Definition,
    start: &Start,
    id: &InstanceId,
    instance: &mut Instance,
    event: &Event,
    now: Timestamp,
    out: &mut Out,
) -> Result<(), Rejection> {
    let known = instance.generations.iter().any(|g| g.started_by == event.id)
        || instance.queued.iter().any(|e| e.id == event.id);
    if known {
        return Err(Rejection::Duplicate(format!("event {} has started {id} before", event.id)));
    }
    let Some(newest) = instance.newest() else {
        return begin(definition, id, instance, Birth::by(event), now, out);
    };
    let (life, ended) = (newest.life, newest.ended.is_some());
    // A start that waits must not be overtaken.
    if ended && instance.queued.is_empty() {
        return match start.after {
            After::Ignore => Err(Rejection::Ignored(format!("{id} has ended and is remembered"))),
            After::New => begin(definition, id, instance, Birth::by(event), now, out),
        };
    }
    match start.again {
        Again::Ignore => Err(Rejection::Ignored(format!("{id} lives already"))),
        Again::Reject => Err(Rejection::Refused(format!("{id} lives already; `again: reject`"))),
        Again::Queue if instance.queued.len() >= QUEUED_MAX => Err(Rejection::Refused(format!(
            "{QUEUED_MAX} starts of {id} wait already; the limit is reached"
        ))),
        Again::Queue => {
            instance.queued.push(event.clone());
            if let Some(newest) = instance.generations.last_mut() {
                newest.transitions += 1;
            }
            out.notes.push(Note {
                generation: life,
                step: None,
                kind: NoteKind::Queued,
                words: format!("{} waits for the end", event.id),
            });
            Ok(())
        }
    }
}

/// What begins a generation.
pub(in crate::engine) struct Birth<'e> {
    /// What `data` reads as `event`.
    pub event: &'e Value,
    /// The id of the event or letter.
    pub by: &'e str,
    /// W3C trace context of whoever sent it; empty if there was none.
    pub trace_parent: &'e str,
    /// Whose child it is.
    pub parent: Option<Parent>,
    /// The event's kind; none for a parent's start.
    pub on: Option<&'e Address>,
}

impl<'e> Birth<'e> {
    /// By an event.
    pub fn by(event: &'e Event) -> Self {
        Self {
            event: &event.body,
            by: &event.id,
            trace_parent: event.trace_parent.as_deref().unwrap_or_default(),
            parent: None,
            on: Some(&event.address),
        }
    }
}

/// Begins a generation.
///
/// # Errors
/// When the event lacks what `data` reads from it, or too much is remembered.
pub(in crate::engine) fn begin(
    definition: &Definition,
    id: &InstanceId,
    instance: &mut Instance,
    birth: Birth<'_>,
    now: Timestamp,
    out: &mut Out,
) -> Result<(), Rejection> {
    let refused = |reason| {
        let what = birth.on.map_or_else(|| "the parent's start".to_owned(), ToString::to_string);
        Rejection::Refused(format!("{what}: {reason}"))
    };
    if instance.generations.len() >= GENERATIONS_MAX {
        return Err(refused(format!(
            "{GENERATIONS_MAX} lives of {id} are remembered; \
             shorten `late` or use another key"
        )));
    }
    let data = first_data(definition, id, birth.event, now).map_err(refused)?;
    let number = instance.newest().map_or(1, |newest| newest.life.number + 1);
    let mut generation = Generation {
        life: Life::begun(
            number,
            &birth.on.map_or_else(String::new, ToString::to_string),
            birth.by,
        ),
        definition: definition.hash,
        direction: Direction::Forward,
        data,
        started: now,
        deadline: definition.within.map(|within| now.after(within)),
        ended: None,
        forget: None,
        frame: Frame::default(),
        failure: None,
        stuck: Vec::new(),
        completions: 0,
        started_by: birth.by.to_owned(),
        trace_parent: birth.trace_parent.to_owned(),
        pending: None,
        transitions: 1,
        pivoted: false,
        seen: Vec::new(),
        parent: birth.parent.map(Box::new),
    };
    early::begun(&mut instance.early);
    let early = &mut instance.early;
    let mut turn = Turn { definition, id, generation: &mut generation, early, now, out };
    turn.note(None, NoteKind::Started, definition.title.clone());
    cancel::came_before(&mut turn);
    motion::settle(&mut turn);
    // Most instances have one life: room for one, not for four.
    instance.generations.reserve_exact(1);
    instance.generations.push(generation);
    Ok(())
}

fn first_data(
    definition: &Definition,
    id: &InstanceId,
    event: &Value,
    now: Timestamp,
) -> Result<Value, String> {
    let key = Value::String(id.key.as_str().to_owned());
    let scope = Scope::at(now).with(Name::Event, event).with(Name::Key, &key);
    let mut data = Map::new();
    for field in &definition.data {
        let value = field
            .value
            .evaluate(&scope)
            .map_err(|e| format!("`data: {}` has no value: {e}", field.field))?;
        data.insert(field.field.clone(), value);
    }
    let data = Value::Object(data);
    within_limit(&data)?;
    Ok(data)
}
