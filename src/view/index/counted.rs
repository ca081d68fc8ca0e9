//! How many instances are at what, and how long they took: kept beside the rows.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

/// What a row counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub saga: i64,
    pub state: i64,
    /// How long it took, if it has completed.
    pub took_ms: Option<i64>,
}

/// What a batch changes of the counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    states: BTreeMap<(i64, i64), i64>,
    durations: BTreeMap<(i64, i64), i64>,
}

impl Counts {
    pub fn change(&mut self, before: Option<Counted>, after: Option<Counted>) {
        if before == after {
            return;
        }
        for (counted, by) in [(before, -1), (after, 1)] {
            let Some(Counted { saga, state, took_ms }) = counted else { continue };
            *self.states.entry((saga, state)).or_default() += by;
            if let Some(took_ms) = took_ms {
                *self.durations.entry((saga, bucket(took_ms))).or_default() += by;
            }
        }
    }

    pub fn write(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        write(transaction, "counts", "state", self.states)?;
        write(transaction, "durations", "bucket", self.durations)
    }
}

fn write(
    transaction: &Transaction<'_>,
    table: &str,
    column: &str,
    changes: BTreeMap<(i64, i64), i64>,
) -> rusqlite::Result<()> {
    let add = format!(
        "INSERT INTO {table} (saga, {column}, instances) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET instances = instances + excluded.instances"
    );
    let mut add = transaction.prepare(&add)?;
    for ((saga, column), by) in changes {
        if by != 0 {
            add.execute(params![saga, column, by])?;
        }
    }
    let none = format!("DELETE FROM {table} WHERE instances = 0");
    transaction.execute(&none, [])?;
    Ok(())
}

/// Sixteen buckets for each power of two: a duration is known to a sixteenth.
fn bucket(took_ms: i64) -> i64 {
    let took = took_ms.max(0);
    if took < 16 {
        return took;
    }
    let power = i64::from(took.ilog2());
    let within = (took >> (power - 4)) & 15;
    (power - 3) * 16 + within
}

/// The longest duration of a bucket.
pub(in crate::view) fn bucket_end(bucket: i64) -> i64 {
    if bucket < 16 {
        return bucket;
    }
    let (power, within) = (bucket / 16 + 3, bucket % 16);
    ((within + 17) << (power - 4)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_lies_in_its_bucket_and_is_told_to_a_sixteenth() {
        let mut before = 0;
        for took in (0..5_000).chain([60_000, 3_600_000, 86_400_000, i64::from(u32::MAX) * 1_000]) {
            let end = bucket_end(bucket(took));
            assert!(end >= took && end - took <= took / 16, "{took} in {end}");
            assert!(bucket(took) >= before, "{took}");
            before = bucket(took);
        }
    }
}
