//! Dead letters.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{moment, rows};
use crate::message::Disposed;
use crate::view::index::disposed_number;
use crate::view::{
    DeadLetterPage, DeadLetterRow, DisposalTold, Error, LetterFilter, LetterState, PAGE_ROWS_MAX,
};

const COLUMNS: &str = "SELECT d.partition, d.place, d.at, d.reason, d.origin, d.instance,
     d.event_type, x.how, x.at, x.by, x.why, x.act
     FROM dead_letters d
     LEFT JOIN disposals x ON x.partition = d.partition AND x.place = d.place";

/// A page of dead letters, the newest first.
pub(in crate::view) fn dead_letters(
    connection: &Connection,
    filter: impl Into<LetterFilter>,
    after: Option<&str>,
    limit: usize,
) -> Result<DeadLetterPage, Error> {
    let LetterFilter { state, topic, event_type, reason, before } = filter.into();
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let after = after.map(cursor).transpose()?;
    let (at, partition, place) = after.unwrap_or((i64::MAX, i32::MAX, i64::MAX));
    let select = format!(
        "{COLUMNS} WHERE (d.at, d.partition, d.place) < (?1, ?2, ?3) AND {}
         AND (?5 IS NULL OR substr(d.origin, 1, length(?5)) = ?5)
         AND (?6 IS NULL OR d.event_type = ?6) AND (?7 IS NULL OR instr(d.reason, ?7) > 0)
         AND (?8 IS NULL OR d.at < ?8)
         ORDER BY d.at DESC, d.partition DESC, d.place DESC LIMIT ?4",
        condition(state)
    );
    let mut select = connection.prepare(&select)?;
    let origin = topic.map(|topic| format!("{topic}["));
    let before = before.map(|before| before.0);
    let values = params![at, partition, place, rows(limit + 1), origin, event_type, reason, before];
    let found = select.query_map(values, read)?;
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
    let select = format!("{COLUMNS} WHERE d.partition = ?1 AND d.place = ?2");
    Ok(connection.query_row(&select, params![partition, offset], read).optional()?)
}

fn condition(state: LetterState) -> String {
    match state {
        LetterState::Open => "x.how IS NULL".to_owned(),
        LetterState::Disposed(how) => format!("x.how = {}", disposed_number(how)),
        LetterState::Any => "1".to_owned(),
    }
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
        disposal: disposal(row)?,
    })
}

/// What was done with a letter, if anything was.
fn disposal(row: &Row<'_>) -> rusqlite::Result<Option<DisposalTold>> {
    let number: Option<i64> = row.get(7)?;
    let of_number = |(_, how): &&(&str, Disposed)| Some(disposed_number(*how)) == number;
    let Some((word, _)) = Disposed::WORDS.iter().find(of_number) else { return Ok(None) };
    Ok(Some(DisposalTold {
        how: (*word).to_owned(),
        at: moment(row.get(8)?),
        by: row.get(9)?,
        why: row.get(10)?,
        id: row.get(11)?,
    }))
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
