//! What is owed, and what people are asked.

use rusqlite::{Connection, Row, params};

use super::{moment, rows};
use crate::view::{Error, OpenQuestion, OpenQuestions, OwedRow, OwedRows};

/// Compensations that are not answered yet, the oldest first.
pub(in crate::view) fn owed(
    connection: &Connection,
    to: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<OwedRows, Error> {
    let select = "SELECT o.since, o.instance, o.step, o.receiver, s.word, i.key, o.attempts, o.due,
             o.parked
         FROM owed o JOIN instances i ON i.id = o.instance JOIN words s ON s.id = i.saga
         WHERE (?1 IS NULL OR o.receiver = ?1) AND (o.since, o.instance, o.step) > (?2, ?3, ?4)
         ORDER BY o.since, o.instance, o.step LIMIT ?5";
    let read = |row: &Row<'_>| {
        let due: Option<i64> = row.get(7)?;
        Ok(OwedRow {
            step: row.get(2)?,
            to: row.get(3)?,
            saga: row.get(4)?,
            key: row.get(5)?,
            since: moment(row.get(0)?),
            attempts: row.get(6)?,
            due: due.map(moment),
            parked: row.get(8)?,
        })
    };
    let (owed, next) = page(connection, select, (to, after, limit), read)?;
    Ok(OwedRows { owed, next })
}

/// Questions that nobody has answered, the oldest first.
pub(in crate::view) fn questions(
    connection: &Connection,
    who: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<OpenQuestions, Error> {
    let select = "SELECT ifnull(q.since, i.started) AS at, q.instance, q.step, q.who, s.word,
             i.key, q.choices, q.since, q.until
         FROM questions q JOIN instances i ON i.id = q.instance JOIN words s ON s.id = i.saga
         WHERE (?1 IS NULL OR q.who = ?1)
             AND (ifnull(q.since, i.started), q.instance, q.step) > (?2, ?3, ?4)
         ORDER BY at, q.instance, q.step LIMIT ?5";
    let read = |row: &Row<'_>| {
        let choices: String = row.get(6)?;
        let (since, until): (Option<i64>, Option<i64>) = (row.get(7)?, row.get(8)?);
        Ok(OpenQuestion {
            step: row.get(2)?,
            who: row.get(3)?,
            saga: row.get(4)?,
            key: row.get(5)?,
            choices: serde_json::from_str(&choices).unwrap_or_default(),
            since: since.map(moment),
            until: until.map(moment),
        })
    };
    let (questions, next) = page(connection, select, (who, after, limit), read)?;
    Ok(OpenQuestions { questions, next })
}

/// A page of rows whose first three columns are their place in the list, and where the next page
/// begins.
fn page<T>(
    connection: &Connection,
    select: &str,
    (of, after, limit): (Option<&str>, Option<&str>, usize),
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let Place { at, instance, step } = after.map_or(Ok(Place::FIRST), Place::read)?;
    let mut select = connection.prepare(select)?;
    let more = rows(limit.saturating_add(1));
    let mut stored = select.query(params![of, at, instance, step, more])?;
    let (mut found, mut last) = (Vec::new(), None);
    while let Some(row) = stored.next()? {
        if found.len() == limit {
            return Ok((found, last.map(|place: Place| place.text())));
        }
        last = Some(Place { at: row.get(0)?, instance: row.get(1)?, step: row.get(2)? });
        found.push(read(row)?);
    }
    Ok((found, None))
}

/// A place in such a list.
struct Place {
    at: i64,
    instance: i64,
    step: String,
}

impl Place {
    /// Before every row.
    const FIRST: Self = Self { at: i64::MIN, instance: i64::MIN, step: String::new() };

    fn text(&self) -> String {
        format!("{:x}-{:x}-{}", self.at, self.instance, self.step)
    }

    fn read(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Cursor(text.to_owned());
        let mut parts = text.splitn(3, '-');
        let mut number = || i64::from_str_radix(parts.next()?, 16).ok();
        let (at, instance) = number().zip(number()).ok_or_else(wrong)?;
        let step = parts.next().ok_or_else(wrong)?.to_owned();
        Ok(Self { at, instance, step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_from_its_text_and_nothing_else_is_one() {
        let place = Place { at: 1_700_000_000_000, instance: 7, step: "pay-out[2]".to_owned() };
        let read = Place::read(&place.text()).expect("a place");
        assert_eq!((read.at, read.instance, read.step), (place.at, place.instance, place.step));
        for text in ["", "1", "1-2", "x-2-pay", "1-y-pay"] {
            assert!(matches!(Place::read(text), Err(Error::Cursor(of)) if of == text), "{text}");
        }
    }
}
