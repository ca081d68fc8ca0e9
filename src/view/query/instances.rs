//! Pages of instances.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row as Stored, params, params_from_iter};

use super::{moment, rows, word};
use crate::message::{InstanceId, Offset, SagaName, Timestamp};
use crate::status::Fingerprint;
use crate::view::index::{number, state};
use crate::view::{Error, Filter, PAGE_ROWS_MAX, Page, Row, Sort};

/// So many keys with a prefix are sorted; of more the list is looked through.
const PREFIXED_MAX: i64 = 5_000;
/// So many instances at a state are looked through one by one, whatever else is asked of them.
const AT_STATE_MAX: i64 = 5_000;

/// A page of instances.
pub(in crate::view) fn page(
    connection: &Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<&str>,
    limit: usize,
) -> Result<Page, Error> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let after = after.map(str::parse::<Cursor>).transpose()?;
    let mut found = Vec::new();
    if let Some(select) = Select::of(connection, filter, sort, after)? {
        // Each state has its part of the index, in order: what is first of all is first in one.
        let states = filter.states.iter().map(|state| Some(number(*state)));
        let states: Vec<_> = if filter.states.is_empty() { vec![None] } else { states.collect() };
        for state in states {
            select.run(connection, state, limit + 1, &mut found)?;
        }
    }
    let place = |(cursor, _): &(Cursor, Row)| (cursor.started, cursor.id);
    match sort {
        Sort::Newest => found.sort_by_key(|row| std::cmp::Reverse(place(row))),
        Sort::Oldest => found.sort_by_key(place),
    }
    found.dedup_by_key(|row| place(row));
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| is_more).map(|(cursor, _)| cursor.to_string());
    Ok(Page { instances: found.into_iter().map(|(_, row)| row).collect(), next })
}

/// Where a page ends: the last row's place in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    started: i64,
    id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.started, self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let read = |digits: &str| i64::from_str_radix(digits, 16).ok();
        let (started, id) = text.split_once('-').ok_or_else(|| Error::Cursor(text.to_owned()))?;
        let cursor = read(started).zip(read(id)).map(|(started, id)| Self { started, id });
        cursor.filter(|c| c.to_string() == text).ok_or_else(|| Error::Cursor(text.to_owned()))
    }
}

/// What every row of a page fulfils, in SQL.
struct Select {
    conditions: Vec<String>,
    values: Vec<Value>,
    order: &'static str,
}

impl Select {
    /// None if nothing can fulfil it.
    fn of(
        connection: &Connection,
        filter: &Filter,
        sort: Sort,
        after: Option<Cursor>,
    ) -> Result<Option<Self>, Error> {
        let order = match sort {
            Sort::Newest => "started DESC, id DESC",
            Sort::Oldest => "started, id",
        };
        let mut select = Self { conditions: Vec::new(), values: Vec::new(), order };
        let mut saga = None;
        if let Some(name) = &filter.saga {
            let Some(known) = word(connection, name.as_str())? else { return Ok(None) };
            saga = Some(known);
            select.add("saga = ?", known);
        } else if let Some(lock) = word(connection, SagaName::lock().as_str())? {
            select.add("saga <> ?", lock);
        }
        if let Some(version) = filter.version {
            select.add("version = ?", i64::from(version.0));
        }
        if let Some(step) = &filter.step {
            let Some(known) = word(connection, step)? else { return Ok(None) };
            select.add("step = ?", known);
        }
        if let Some(error) = filter.error {
            select.add("error = ?", error.0.cast_signed());
        }
        if let Some(Timestamp(from)) = filter.started_from {
            select.add("started >= ?", from);
        }
        if let Some(Timestamp(before)) = filter.started_before {
            select.add("started < ?", before);
        }
        if let Some(prefix) = filter.key_prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
            select.prefixed(connection, saga, prefix)?;
        }
        if let Some(Cursor { started, id }) = after {
            let sign = match sort {
                Sort::Newest => "<",
                Sort::Oldest => ">",
            };
            select.conditions.push(format!("(started, id) {sign} (?, ?)"));
            select.values.extend([Value::from(started), Value::from(id)]);
        }
        Ok(Some(select))
    }

    fn add(&mut self, condition: &str, value: i64) {
        self.conditions.push(condition.to_owned());
        self.values.push(Value::from(value));
    }

    /// Few keys with a prefix are found by their index and sorted; of many the next ones are soon
    /// met in the order of the list.
    fn prefixed(
        &mut self,
        connection: &Connection,
        saga: Option<i64>,
        prefix: &str,
    ) -> Result<(), Error> {
        let sagas = match saga {
            Some(saga) => vec![saga],
            None => every_saga(connection)?,
        };
        let mut ids: Vec<i64> = Vec::new();
        let keyed = "SELECT id FROM instances WHERE saga = ?1 AND key >= ?2 AND key < ?3 LIMIT ?4";
        let mut keyed = connection.prepare(keyed)?;
        for saga in sagas {
            let most = PREFIXED_MAX + 1 - rows(ids.len());
            let found = keyed.query_map(params![saga, prefix, end(prefix), most], |r| r.get(0))?;
            for id in found {
                ids.push(id?);
            }
        }
        if rows(ids.len()) > PREFIXED_MAX {
            self.conditions.push("key >= ? AND key < ?".to_owned());
            self.values.extend([Value::from(prefix.to_owned()), Value::from(end(prefix))]);
        } else {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            self.conditions.push(format!("id IN ({})", ids.join(",")));
        }
        Ok(())
    }

    fn run(
        &self,
        connection: &Connection,
        state: Option<i64>,
        limit: usize,
        found: &mut Vec<(Cursor, Row)>,
    ) -> Result<(), Error> {
        let mut conditions = self.conditions.clone();
        let mut values = self.values.clone();
        if let Some(state) = state {
            if at_state(connection, state)? <= AT_STATE_MAX {
                // A plus keeps SQLite from the index of the column: that of the states is better.
                for condition in &mut conditions {
                    if ["saga ", "version ", "step "].iter().any(|name| condition.starts_with(name))
                    {
                        condition.insert(0, '+');
                    }
                }
            }
            conditions.push("state = ?".to_owned());
            values.push(Value::from(state));
        }
        let filter = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
        // The rows are found first, and only those of the page are completed.
        let select = format!(
            "{COLUMNS} WHERE i.id IN (SELECT id FROM instances WHERE {filter} ORDER BY {} LIMIT ?)",
            self.order
        );
        values.push(Value::from(rows(limit)));
        let mut select = connection.prepare(&select)?;
        let mut stored = select.query(params_from_iter(values))?;
        while let Some(row) = stored.next()? {
            found.push(read(row)?);
        }
        Ok(())
    }
}

/// How many instances are at a state.
fn at_state(connection: &Connection, state: i64) -> Result<i64, Error> {
    let select = "SELECT ifnull(sum(instances), 0) FROM counts WHERE state = ?1";
    Ok(connection.query_row(select, [state], |row| row.get(0))?)
}

/// The first text behind all that begin with a prefix.
fn end(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// The numbers of the sagas that there are instances of.
pub(super) fn every_saga(connection: &Connection) -> Result<Vec<i64>, Error> {
    let mut select = connection.prepare("SELECT DISTINCT saga FROM counts")?;
    let sagas = select.query_map([], |row| row.get(0))?;
    Ok(sagas.collect::<rusqlite::Result<_>>()?)
}

const COLUMNS: &str = "SELECT i.id, s.word, i.key, i.state, i.version, p.word, e.reason, i.error,
     i.started, i.changed, i.ended, i.due
     FROM instances i JOIN words s ON s.id = i.saga LEFT JOIN words p ON p.id = i.step
     LEFT JOIN errors e ON e.error = i.error";

fn read(row: &Stored<'_>) -> Result<(Cursor, Row), Error> {
    let number: i64 = row.get(3)?;
    let state = state(number).ok_or_else(|| Error::Damaged(format!("a state is {number}")))?;
    let error: Option<i64> = row.get(7)?;
    let started = row.get(8)?;
    let at = |column: usize| -> rusqlite::Result<_> {
        let millis: Option<i64> = row.get(column)?;
        Ok(millis.map(moment))
    };
    let told = Row {
        saga: row.get(1)?,
        key: row.get(2)?,
        state,
        version: row.get(4)?,
        step: row.get(5)?,
        reason: row.get(6)?,
        error: error.map(|error| Fingerprint(error.cast_unsigned())),
        started: moment(started),
        changed: moment(row.get(9)?),
        ended: at(10)?,
        due: at(11)?,
    };
    Ok((Cursor { started, id: row.get(0)? }, told))
}

/// Where an instance and its history are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::view) struct StoredPlaces {
    pub partition: i32,
    pub place: Offset,
    pub changed: Timestamp,
    /// Packed.
    pub history: Vec<u8>,
}

/// Where an instance is stored; none if it is not known.
pub(in crate::view) fn stored(
    connection: &Connection,
    id: &InstanceId,
) -> Result<Option<StoredPlaces>, Error> {
    let select = "SELECT partition, place, changed, history FROM instances
                  WHERE saga = (SELECT id FROM words WHERE word = ?1) AND key = ?2";
    let names = [id.saga.as_str(), id.key.as_str()];
    let found = connection.query_row(select, names, |row| {
        let history: Option<Vec<u8>> = row.get(3)?;
        Ok(StoredPlaces {
            partition: row.get(0)?,
            place: Offset(row.get(1)?),
            changed: Timestamp(row.get(2)?),
            history: history.unwrap_or_default(),
        })
    });
    Ok(found.optional()?)
}
