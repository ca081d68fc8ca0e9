//! What is owed, and what people are asked.

use rusqlite::{Connection, params};

use super::{moment, rows};
use crate::view::{Error, OpenQuestion, OwedRow};

/// Compensations that are not answered yet, the oldest first.
pub(in crate::view) fn owed(
    connection: &Connection,
    to: Option<&str>,
    limit: usize,
) -> Result<Vec<OwedRow>, Error> {
    let select = "SELECT o.receiver, s.word, i.key, o.step, o.since, o.attempts, o.due, o.parked
         FROM owed o JOIN instances i ON i.id = o.instance JOIN words s ON s.id = i.saga
         WHERE ?1 IS NULL OR o.receiver = ?1 ORDER BY o.since, o.instance, o.step LIMIT ?2";
    let mut select = connection.prepare(select)?;
    let read = |row: &rusqlite::Row<'_>| {
        let due: Option<i64> = row.get(6)?;
        Ok(OwedRow {
            to: row.get(0)?,
            saga: row.get(1)?,
            key: row.get(2)?,
            step: row.get(3)?,
            since: moment(row.get(4)?),
            attempts: row.get(5)?,
            due: due.map(moment),
            parked: row.get(7)?,
        })
    };
    let found = select.query_map(params![to, rows(limit)], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Questions that nobody has answered, the oldest first.
pub(in crate::view) fn questions(
    connection: &Connection,
    who: Option<&str>,
    limit: usize,
) -> Result<Vec<OpenQuestion>, Error> {
    let select = "SELECT q.who, s.word, i.key, q.step, q.choices, q.since, q.until
         FROM questions q JOIN instances i ON i.id = q.instance JOIN words s ON s.id = i.saga
         WHERE ?1 IS NULL OR q.who = ?1
         ORDER BY ifnull(q.since, i.started), q.instance, q.step LIMIT ?2";
    let mut select = connection.prepare(select)?;
    let read = |row: &rusqlite::Row<'_>| {
        let choices: String = row.get(4)?;
        let (since, until): (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
        Ok(OpenQuestion {
            who: row.get(0)?,
            saga: row.get(1)?,
            key: row.get(2)?,
            step: row.get(3)?,
            choices: serde_json::from_str(&choices).unwrap_or_default(),
            since: since.map(moment),
            until: until.map(moment),
        })
    };
    let found = select.query_map(params![who, rows(limit)], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
