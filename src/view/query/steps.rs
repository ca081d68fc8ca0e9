//! At which steps of a version its instances are.

use rusqlite::{Connection, params};

use super::word;
use crate::message::{SagaName, Version};
use crate::status::LifeState;
use crate::view::index::{number, state};
use crate::view::{Error, StepCount};

/// How many instances of a version are at which step and state, of those that have not ended.
pub(in crate::view) fn steps(
    connection: &Connection,
    saga: &SagaName,
    version: Version,
) -> Result<Vec<StepCount>, Error> {
    let Some(saga) = word(connection, saga.as_str())? else { return Ok(Vec::new()) };
    let states = LifeState::WORDS.into_iter().filter(|(_, state)| !state.has_ended());
    let open: Vec<String> = states.map(|(_, state)| number(state).to_string()).collect();
    // By their states, for those that have ended are many; the signs keep SQLite from another
    // index.
    let select = format!(
        "SELECT p.word, g.state, g.instances
         FROM (SELECT i.step, i.state, count(*) AS instances FROM instances i
               WHERE i.state IN ({}) AND +i.saga = ?1 AND +i.version = ?2 AND i.step IS NOT NULL
               GROUP BY i.step, i.state) g
         JOIN words p ON p.id = g.step ORDER BY p.word, g.state",
        open.join(", ")
    );
    let mut select = connection.prepare(&select)?;
    let mut rows = select.query(params![saga, version.0])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(1)?;
        let state = state(number).ok_or_else(|| Error::Damaged(format!("a state is {number}")))?;
        let instances: i64 = row.get(2)?;
        counts.push(StepCount { step: row.get(0)?, state, instances: instances.cast_unsigned() });
    }
    Ok(counts)
}
