//! Pages in the order of a field.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, Row as Stored, params_from_iter};

use super::instances::{listed, numbered};
use super::select::{Select, is_rare};
use super::{Numbered, rows, word};
use crate::status::SearchedValue;
use crate::view::index::number;
use crate::view::{Error, Filter};

/// The rows of a page, each with its number, and where the next page begins. What changes its value
/// between two pages may stand on both, or on none.
pub(super) fn page(
    connection: &Connection,
    filter: &Filter,
    (field, is_descending): (&str, bool),
    after: Option<&str>,
    limit: usize,
) -> Result<Numbered, Error> {
    let after = after.map(place_of).transpose()?;
    let (Some(select), Some(field)) = (Select::of(connection, filter)?, word(connection, field)?)
    else {
        return Ok(Numbered::default());
    };
    let states: Vec<i64> = filter.states.iter().map(|state| number(*state)).collect();
    let (all, mut values) = select.at(connection, None)?;
    let mut condition = format!("{all} AND searched.field = ?");
    values.push(Value::from(field));
    if !states.is_empty() {
        write!(condition, " AND state IN ({})", listed(&states)).expect("a text takes all");
    }
    let (order, sign) = if is_descending { (" DESC", "<") } else { ("", ">") };
    if let Some(Place { value, id }) = after {
        let behind = format!(" AND (rank, text, instance) {sign} (?, ?, ?)");
        condition.push_str(&behind);
        values.extend([Value::from(value.rank), Value::from(value.text), Value::from(id)]);
    }
    // Few instances are sorted by their values; of many the next ones are soon met in the order
    // of the values.
    let few = select.names_few || (!states.is_empty() && is_rare(connection, &states)?);
    let tables = if few {
        "instances CROSS JOIN searched ON searched.instance = instances.id"
    } else {
        "searched CROSS JOIN instances ON instances.id = searched.instance"
    };
    let select = format!(
        "SELECT rank, text, instance FROM {tables} WHERE {condition}
         ORDER BY rank{order}, text{order}, instance{order} LIMIT ?"
    );
    values.push(Value::from(rows(limit + 1)));
    let mut select = connection.prepare(&select)?;
    let places = select.query_map(params_from_iter(values), Place::of)?;
    let mut places: Vec<Place> = places.collect::<rusqlite::Result<_>>()?;
    let is_more = places.len() > limit;
    places.truncate(limit);
    let next = places.last().filter(|_| is_more).map(Place::cursor);
    let ids: Vec<i64> = places.iter().map(|place| place.id).collect();
    Ok(Numbered { rows: numbered(connection, &ids)?, next })
}

/// The place of a row in the order of a field.
struct Place {
    value: SearchedValue,
    id: i64,
}

impl Place {
    fn of(row: &Stored<'_>) -> rusqlite::Result<Self> {
        let value = SearchedValue { rank: row.get(0)?, text: row.get(1)? };
        Ok(Self { value, id: row.get(2)? })
    }

    fn cursor(&self) -> String {
        format!("{}.{}.{:x}", hex(&self.value.rank), hex(&self.value.text), self.id)
    }
}

/// The place that a cursor names.
fn place_of(cursor: &str) -> Result<Place, Error> {
    let read = || {
        let mut parts = cursor.split('.');
        let value = SearchedValue { rank: text(parts.next()?)?, text: text(parts.next()?)? };
        let id = i64::from_str_radix(parts.next()?, 16).ok()?;
        Some(Place { value, id }).filter(|place| place.cursor() == cursor)
    };
    read().ok_or_else(|| Error::Cursor(cursor.to_owned()))
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a text takes all");
        digits
    })
}

/// The text of hexadecimal digits.
fn text(digits: &str) -> Option<String> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    String::from_utf8(pairs.map(byte).collect::<Option<_>>()?).ok()
}
