//! When instances move by themselves.

use rusqlite::{Connection, params};

use super::moment;
use crate::message::{Span, Timestamp};
use crate::view::{Error, TimersTold};

const SOON: Span = Span::seconds(60);

/// The next timers of all instances.
pub(in crate::view) fn timers(
    connection: &Connection,
    now: Timestamp,
) -> Result<TimersTold, Error> {
    let mut count =
        connection.prepare("SELECT count(*) FROM instances WHERE due >= ?1 AND due < ?2")?;
    let mut between = |from: i64, to: i64| -> rusqlite::Result<u64> {
        let found: i64 = count.query_row(params![from, to], |row| row.get(0))?;
        Ok(u64::try_from(found).unwrap_or_default())
    };
    let next: Option<i64> =
        connection.query_row("SELECT min(due) FROM instances WHERE due >= ?1", [now.0], |row| {
            row.get(0)
        })?;
    Ok(TimersTold {
        overdue: between(i64::MIN, now.0)?,
        within_a_minute: between(now.0, now.after(SOON).0)?,
        next: next.map(moment),
    })
}
