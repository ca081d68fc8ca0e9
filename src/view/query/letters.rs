//! Dead letters.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{moment, rows};
use crate::view::{DeadLetterPage, DeadLetterRow, Error, PAGE_ROWS_MAX};

const COLUMNS: &str = "SELECT partition, place, at, reason, origin, instance, event_type
     FROM dead_letters";

/// A page of dead letters, the newest first.
pub(in crate::view) fn dead_letters(
    connection: &Connection,
    after: Option<&str>,
    limit: usize,
) -> Result<DeadLetterPage, Error> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let after = after.map(cursor).transpose()?;
    let (at, partition, place) = after.unwrap_or((i64::MAX, i32::MAX, i64::MAX));
    let select = format!(
        "{COLUMNS} WHERE (at, partition, place) < (?1, ?2, ?3)
         ORDER BY at DESC, partition DESC, place DESC LIMIT ?4"
    );
    let mut select = connection.prepare(&select)?;
    let found = select.query_map(params![at, partition, place, rows(limit + 1)], read)?;
    let mut letters: Vec<DeadLetterRow> = found.collect::<rusqlite::Result<_>>()?;
    let is_more = letters.len() > limit;
    letters.truncate(limit);
    let next = letters
        .last()
        .filter(|_| is_more)
        .map(|last| format!("{:x}-{:x}-{:x}", last.at.0.0, last.partition, last.offset));
    Ok(DeadLetterPage { letters, next })
}

/// One dead letter, as the list has it.
pub(in crate::view) fn dead_letter(
    connection: &Connection,
    partition: i32,
    offset: i64,
) -> Result<Option<DeadLetterRow>, Error> {
    let select = format!("{COLUMNS} WHERE partition = ?1 AND place = ?2");
    Ok(connection.query_row(&select, params![partition, offset], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeadLetterRow> {
    Ok(DeadLetterRow {
        partition: row.get(0)?,
        offset: row.get(1)?,
        at: moment(row.get(2)?),
        reason: row.get(3)?,
        origin: row.get(4)?,
        instance: row.get(5)?,
        event_type: row.get(6)?,
    })
}

/// The place of the last letter of the page before.
fn cursor(text: &str) -> Result<(i64, i32, i64), Error> {
    let wrong = || Error::Cursor(text.to_owned());
    let numbers: Option<Vec<i64>> =
        text.split('-').map(|digits| i64::from_str_radix(digits, 16).ok()).collect();
    match numbers.as_deref() {
        Some([at, partition, place]) => {
            Ok((*at, i32::try_from(*partition).map_err(|_| wrong())?, *place))
        }
        Some(_) | None => Err(wrong()),
    }
}
