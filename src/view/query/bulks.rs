//! Acts on many instances.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{moment, rows};
use crate::message::Offset;
use crate::view::{BulkEndTold, BulkRow, Error};

/// What was done with dead letters tells whose member it was, and may be read before the record
/// that names them all.
const COLUMNS: &str = "SELECT id, at, by, why, verb, filter, members, max(written,
     (SELECT count(*) FROM disposals WHERE act > bulks.id || '/' AND act < bulks.id || '0')),
     ended, ended_at, ended_why FROM bulks";

/// The newest first.
pub(in crate::view) fn bulks(connection: &Connection, limit: usize) -> Result<Vec<BulkRow>, Error> {
    let select = format!("{COLUMNS} ORDER BY at DESC, place DESC LIMIT ?1");
    let mut select = connection.prepare(&select)?;
    let found = select.query_map([rows(limit)], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// One of them.
pub(in crate::view) fn bulk(connection: &Connection, id: &str) -> Result<Option<BulkRow>, Error> {
    let select = format!("{COLUMNS} WHERE id = ?1");
    Ok(connection.query_row(&select, [id], read).optional()?)
}

/// Where the record stands that names the members of one of them.
pub(in crate::view) fn bulk_place(
    connection: &Connection,
    id: &str,
) -> Result<Option<(i32, Offset)>, Error> {
    let select = "SELECT partition, place FROM bulks WHERE id = ?1";
    let place = |row: &Row<'_>| Ok((row.get(0)?, Offset(row.get(1)?)));
    Ok(connection.query_row(select, [id], place).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<BulkRow> {
    let how: Option<String> = row.get(8)?;
    let ended = match how {
        None => None,
        Some(how) => Some(BulkEndTold { how, at: moment(row.get(9)?), reason: row.get(10)? }),
    };
    let number = |column: usize| -> rusqlite::Result<u64> {
        let number: i64 = row.get(column)?;
        Ok(u64::try_from(number).unwrap_or_default())
    };
    Ok(BulkRow {
        id: row.get(0)?,
        at: moment(row.get(1)?),
        by: row.get(2)?,
        why: row.get(3)?,
        verb: row.get(4)?,
        filter: row.get(5)?,
        members: number(6)?,
        written: number(7)?,
        ended,
    })
}
