//! What needs attention, in groups.

use rusqlite::{Connection, Row, params};

use super::moment;
use crate::message::Timestamp;
use crate::status::{Fingerprint, LifeState};
use crate::view::index::number;
use crate::view::{AttentionGroup, Concern, Error};

/// A timer is overdue when it should have struck so long ago.
const OVERDUE_MS: u64 = 60_000;

/// What needs attention: first what is worst, then the largest groups, then the oldest.
pub(in crate::view) fn attention(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<AttentionGroup>, Error> {
    let mut groups = Vec::new();
    let by_state = |state| format!("i.state = {}", number(state));
    let late = now.0.saturating_sub_unsigned(OVERDUE_MS);
    grouped(connection, Concern::Stuck, &by_state(LifeState::Stuck), &mut groups)?;
    grouped(connection, Concern::Overdue, &format!("i.due < {late}"), &mut groups)?;
    grouped(connection, Concern::Retrying, &by_state(LifeState::Retrying), &mut groups)?;
    unanswered(connection, &mut groups)?;
    groups.sort_by(|one, other| {
        let size = other.instances.cmp(&one.instances);
        one.concern.cmp(&other.concern).then(size).then(one.oldest.cmp(&other.oldest))
    });
    Ok(groups)
}

fn grouped(
    connection: &Connection,
    concern: Concern,
    which: &str,
    groups: &mut Vec<AttentionGroup>,
) -> Result<(), Error> {
    // With `min`, SQLite takes the other columns from the row that has it.
    let select = format!(
        "SELECT s.word, p.word, e.reason, g.error, g.instances, g.oldest, g.key
         FROM (SELECT i.saga, i.step, i.error, count(*) AS instances, min(i.started) AS oldest,
                      i.key FROM instances i WHERE {which} GROUP BY i.saga, i.step, i.error) g
         JOIN words s ON s.id = g.saga LEFT JOIN words p ON p.id = g.step
         LEFT JOIN errors e ON e.error = g.error"
    );
    let mut select = connection.prepare(&select)?;
    let found = select.query_map([], |row| read(row, concern))?;
    for group in found {
        groups.push(group?);
    }
    Ok(())
}

fn unanswered(connection: &Connection, groups: &mut Vec<AttentionGroup>) -> Result<(), Error> {
    let select = "SELECT s.word, q.step, 'asks ' || q.who, NULL, count(*),
                min(ifnull(q.since, i.started)), i.key
         FROM questions q JOIN instances i ON i.id = q.instance JOIN words s ON s.id = i.saga
         GROUP BY i.saga, q.step, q.who";
    let mut select = connection.prepare(select)?;
    let found = select.query_map(params![], |row| read(row, Concern::Unanswered))?;
    for group in found {
        groups.push(group?);
    }
    Ok(())
}

fn read(row: &Row<'_>, concern: Concern) -> rusqlite::Result<AttentionGroup> {
    let error: Option<i64> = row.get(3)?;
    Ok(AttentionGroup {
        concern,
        saga: row.get(0)?,
        step: row.get(1)?,
        reason: row.get(2)?,
        error: error.map(|error| Fingerprint(error.cast_unsigned())),
        instances: row.get::<_, i64>(4)?.cast_unsigned(),
        oldest: moment(row.get(5)?),
        key: row.get(6)?,
    })
}
