//! Sagas as a whole.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::word;
use crate::definition::Catalog;
use crate::message::SagaName;
use crate::view::index::{bucket_end, state};
use crate::view::{Count, Error, SagaRow};

/// How many instances are at what, by saga.
pub(in crate::view) fn counts(
    connection: &Connection,
    saga: Option<&SagaName>,
) -> Result<Vec<Count>, Error> {
    let select = "SELECT s.word, c.state, c.instances FROM counts c JOIN words s ON s.id = c.saga
                  WHERE ?1 IS NULL OR s.word = ?1 ORDER BY s.word, c.state";
    let mut select = connection.prepare(select)?;
    let mut rows = select.query(params![saga.map(SagaName::as_str)])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(1)?;
        let state = state(number).ok_or_else(|| Error::Damaged(format!("a state is {number}")))?;
        let instances: i64 = row.get(2)?;
        counts.push(Count { saga: row.get(0)?, state, instances: instances.cast_unsigned() });
    }
    Ok(counts)
}

/// The sagas that are stored, with what their instances are at and how long they take.
pub(in crate::view) fn sagas(
    connection: &Connection,
    catalog: &Catalog,
) -> Result<Vec<SagaRow>, Error> {
    let mut all: BTreeMap<&SagaName, BTreeSet<u32>> = BTreeMap::new();
    for definition in catalog.definitions() {
        all.entry(&definition.saga).or_default().insert(definition.version.0);
    }
    let mut rows = Vec::new();
    for (saga, versions) in all {
        let Some((definition, starts)) = catalog.starting(saga) else { continue };
        let took = durations(connection, saga)?;
        rows.push(SagaRow {
            saga: saga.to_string(),
            version: definition.version.0,
            starts: starts.text().to_owned(),
            word: None,
            title: definition.title.clone(),
            versions: versions.into_iter().collect(),
            counts: counts(connection, Some(saga))?,
            p50_ms: part(&took, 50),
            p99_ms: part(&took, 99),
        });
    }
    Ok(rows)
}

/// How many took how long, the shortest first.
fn durations(connection: &Connection, saga: &SagaName) -> Result<Vec<(i64, i64)>, Error> {
    let Some(saga) = word(connection, saga.as_str())? else { return Ok(Vec::new()) };
    let select = "SELECT bucket, instances FROM durations WHERE saga = ?1 ORDER BY bucket";
    let mut select = connection.prepare(select)?;
    let pairs = select.query_map([saga], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(pairs.collect::<rusqlite::Result<_>>()?)
}

/// How long so many in a hundred took at the most.
fn part(took: &[(i64, i64)], percent: i64) -> Option<u64> {
    let all: i64 = took.iter().map(|(_, instances)| instances).sum();
    let wanted = (all * percent + 99) / 100;
    let mut seen = 0;
    let bucket = took.iter().find(|(_, instances)| {
        seen += instances;
        seen >= wanted
    });
    bucket.map(|(bucket, _)| bucket_end(*bucket).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_hundred_is_met_by_the_first_bucket_that_holds_it() {
        assert_eq!(part(&[], 50), None);
        assert_eq!(part(&[(3, 1)], 99), Some(3));
        let took = [(1, 50), (2, 49), (10, 1)];
        assert_eq!(
            (part(&took, 50), part(&took, 99), part(&took, 100)),
            (Some(1), Some(2), Some(10))
        );
    }
}
