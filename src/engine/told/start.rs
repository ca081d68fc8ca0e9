//! Starts: the first of a key, a second one, and one after the end.

use std::iter;

use serde_json::{Map, Value};

use super::case::Case;
use super::{cancel, early};
use crate::definition::{After, Again, Definition, Start, State};
use crate::engine::course::motion;
use crate::engine::state::weight;
use crate::engine::work::write::within_limit;
use crate::engine::{Direction, Frame, Life, Note, Parent, Rejection, What};
use crate::expression::{Name, Scope};
use crate::message::{Address, Event, InputId, InstanceId, LifeId, Timestamp};

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
            Some(key) => Some(key.key(&scope).map_err(refused)?),
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
    case: &mut Case<'_>,
    definition: &Definition,
    start: &Start,
    event: &Event,
) -> Result<(), Rejection> {
    let (id, instance) = (case.id, &case.instance);
    // A start that waits must not be overtaken.
    let remembered = instance.newest().is_some_and(|newest| newest.ended.is_some());
    if instance.queued.is_empty() && (instance.lives.is_empty() || remembered) {
        return match start.after {
            After::Ignore if remembered => {
                Err(Rejection::Ignored(format!("{id} has ended and is remembered")))
            }
            After::Ignore | After::New => begin_or_keep(case, definition, event),
        };
    }
    match start.again {
        Again::Ignore => Err(Rejection::Ignored(format!("{id} lives already"))),
        Again::Reject => Err(Rejection::Refused(format!("{id} lives already; `again: reject`"))),
        Again::Queue => queue(case, event),
    }
}

/// Begins, unless the saga is paused or retired.
fn begin_or_keep(
    case: &mut Case<'_>,
    definition: &Definition,
    event: &Event,
) -> Result<(), Rejection> {
    let state = case.catalog.starting(&case.id.saga).map(|(_, state)| state);
    match state {
        Some(State::Active) => Ok(begin(case, definition, Birth::by(event))?),
        Some(State::Paused) => queue(case, event),
        Some(State::Retired | State::Removed) | None => {
            Err(Rejection::Refused(format!("{}: {}", event.address, retired(case.id))))
        }
    }
}

/// Why a saga that is retired starts nothing.
pub(in crate::engine) fn retired(id: &InstanceId) -> String {
    format!("{id} does not start: {} is retired (`state: retired`)", id.saga)
}

fn queue(case: &mut Case<'_>, event: &Event) -> Result<(), Rejection> {
    let most = case.catalog.limits.queued_max;
    if case.instance.queued.len() >= most {
        return Err(Rejection::Refused(format!(
            "{}: {most} starts of {} wait already (`limits.queued-max`)",
            event.address, case.id
        )));
    }
    case.room_for(&event.address, weight::of_events(iter::once(event)))?;
    case.instance.queued.push(event.clone());
    let life = case.count_newest();
    let what = What::Queued { event: event.id.clone() };
    case.out.notes.push(Note { life, step: None, what });
    Ok(())
}

/// What begins a life.
pub(in crate::engine) struct Birth<'e> {
    /// What `data` reads as `event`.
    pub event: &'e Value,
    /// The event or letter.
    pub by: InputId,
    /// Who sent the event.
    pub source: Option<&'e str>,
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
            by: InputId::of(event),
            source: event.source.name(),
            trace_parent: event.trace_parent.as_deref().unwrap_or_default(),
            parent: None,
            on: Some(&event.address),
        }
    }
}

/// Why no life begins.
#[derive(Debug)]
pub(in crate::engine) enum Unborn {
    /// Too much is remembered; there is room once something of it is forgotten.
    NoRoom(Rejection),
    /// It never can.
    Refused(Rejection),
}

impl From<Unborn> for Rejection {
    fn from(unborn: Unborn) -> Self {
        match unborn {
            Unborn::NoRoom(rejection) | Unborn::Refused(rejection) => rejection,
        }
    }
}

/// Begins a life.
///
/// # Errors
/// When the event lacks what `data` reads from it, or too much is remembered.
pub(in crate::engine) fn begin(
    case: &mut Case<'_>,
    definition: &Definition,
    birth: Birth<'_>,
) -> Result<(), Unborn> {
    let what = birth.on.map_or_else(|| "the parent's start".to_owned(), ToString::to_string);
    let refused = |reason| Unborn::Refused(Rejection::Refused(format!("{what}: {reason}")));
    let (id, now, limits) = (case.id, case.now, &case.catalog.limits);
    let data = first_data(definition, id, birth.event, now).map_err(refused)?;
    within_limit(&data, limits).map_err(refused)?;
    let mut life = Life {
        id: LifeId::begun(
            case.instance.next_number(),
            &birth.on.map_or_else(String::new, ToString::to_string),
            birth.source,
            &birth.by.text,
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
        started_by: birth.by,
        trace_parent: birth.trace_parent.to_owned(),
        pending: None,
        transitions: 1,
        pivoted: false,
        seen: Vec::new(),
        seen_since: None,
        parent: birth.parent.map(Box::new),
        paused: None,
    };
    // The first one always has room, for its data has.
    if !case.instance.lives.is_empty() {
        let room = case.room_for(&what, weight::of_life(definition, &life));
        room.map_err(Unborn::NoRoom)?;
    }
    early::begun(&mut case.instance.early);
    let mut turn = case.turn(definition, &mut life);
    turn.note(None, What::Started { title: definition.title.clone() });
    cancel::came_before(&mut turn);
    motion::settle(&mut turn);
    // Most instances have one life: room for one, not for four.
    case.instance.lives.reserve_exact(1);
    case.instance.lives.push(life);
    case.instance.shrink(now);
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
    Ok(Value::Object(data))
}
