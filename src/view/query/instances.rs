//! Pages of instances, and where one of them is stored.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row as Stored, params_from_iter};

use super::select::Select;
use super::{Numbered, by_value, moment, rows};
use crate::message::{InstanceId, Offset, Timestamp};
use crate::status::Fingerprint;
use crate::view::index::{number, state};
use crate::view::{Error, Filter, PAGE_ROWS_MAX, Page, Row, Sort};

/// A page of instances.
pub(in crate::view) fn page(
    connection: &Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<&str>,
    limit: usize,
) -> Result<Page, Error> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let Numbered { rows, next } = match sort {
        Sort::Newest => by_start(connection, filter, false, after, limit)?,
        Sort::Oldest => by_start(connection, filter, true, after, limit)?,
        Sort::Least(field) => by_value::page(connection, filter, (&field, false), after, limit)?,
        Sort::Greatest(field) => by_value::page(connection, filter, (&field, true), after, limit)?,
    };
    Ok(Page { instances: with_fields(connection, rows)?, next })
}

fn by_start(
    connection: &Connection,
    filter: &Filter,
    is_oldest_first: bool,
    after: Option<&str>,
    limit: usize,
) -> Result<Numbered, Error> {
    let after = after.map(str::parse::<Cursor>).transpose()?;
    let (order, sign) =
        if is_oldest_first { ("started, id", ">") } else { ("started DESC, id DESC", "<") };
    let mut found = Vec::new();
    if let Some(mut select) = Select::of(connection, filter)? {
        if let Some(Cursor { started, id }) = after {
            let behind = format!("(started, id) {sign} (?, ?)");
            select.add(behind, [Value::from(started), Value::from(id)]);
        }
        // Each state has its part of the index, in order: what is first of all is first in one.
        let states = filter.states.iter().map(|state| Some(number(*state)));
        let states: Vec<_> = if filter.states.is_empty() { vec![None] } else { states.collect() };
        for state in states {
            let (condition, mut values) = select.at(connection, state)?;
            // The rows are found first, and only those of the page are completed.
            let ids =
                format!("SELECT id FROM instances WHERE {condition} ORDER BY {order} LIMIT ?");
            values.push(Value::from(rows(limit + 1)));
            read_where(connection, &ids, values, &mut found)?;
        }
    }
    let place = |(cursor, _): &(Cursor, Row)| (cursor.started, cursor.id);
    found.sort_by_key(place);
    if !is_oldest_first {
        found.reverse();
    }
    found.dedup_by_key(|row| place(row));
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| is_more).map(|(cursor, _)| cursor.to_string());
    let rows = found.into_iter().map(|(cursor, row)| (cursor.id, row)).collect();
    Ok(Numbered { rows, next })
}

/// The rows whose numbers a query finds, in no order.
fn read_where(
    connection: &Connection,
    ids: &str,
    values: Vec<Value>,
    found: &mut Vec<(Cursor, Row)>,
) -> Result<(), Error> {
    let mut select = connection.prepare(&format!("{COLUMNS} WHERE i.id IN ({ids})"))?;
    let mut stored = select.query(params_from_iter(values))?;
    while let Some(row) = stored.next()? {
        found.push(read(row)?);
    }
    Ok(())
}

/// The rows of these numbers, in their order.
pub(super) fn numbered(connection: &Connection, ids: &[i64]) -> Result<Vec<(i64, Row)>, Error> {
    let mut found = Vec::new();
    read_where(connection, &listed(ids), Vec::new(), &mut found)?;
    let mut rows: BTreeMap<i64, Row> = found.into_iter().map(|(at, row)| (at.id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id).map(|row| (*id, row))).collect())
}

/// Says of each row by which fields it is searched.
fn with_fields(connection: &Connection, rows: Vec<(i64, Row)>) -> Result<Vec<Row>, Error> {
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    let select = format!(
        "SELECT s.instance, w.word, s.text FROM searched s JOIN words w ON w.id = s.field
         WHERE s.instance IN ({})",
        listed(&ids)
    );
    let mut select = connection.prepare(&select)?;
    let mut stored = select.query([])?;
    let mut fields: BTreeMap<i64, BTreeMap<String, String>> = BTreeMap::new();
    while let Some(row) = stored.next()? {
        fields.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    let complete = |(id, row)| Row { fields: fields.remove(&id).unwrap_or_default(), ..row };
    Ok(rows.into_iter().map(complete).collect())
}

/// Numbers as SQL lists them.
pub(super) fn listed(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(",")
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
        fields: BTreeMap::new(),
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
