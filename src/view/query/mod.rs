//! What people ask the index.

mod attention;
mod bulks;
mod by_value;
mod instances;
mod letters;
mod near;
mod owed;
mod sagas;
mod select;
mod steps;
mod timers;

pub(super) use attention::attention;
pub(super) use bulks::{bulk, bulk_place, bulks};
pub(super) use instances::{page, stored};
pub(super) use letters::{dead_letter, dead_letters};
pub(super) use near::near;
pub(super) use owed::{owed, questions};
pub(super) use sagas::{counts, sagas};
pub(super) use steps::steps;
pub(super) use timers::timers;

use rusqlite::{Connection, OptionalExtension as _};

use super::{Error, Row};
use crate::message::Timestamp;
use crate::status::Moment;

/// The rows of a page, each with its number, and where the next page begins.
#[derive(Default)]
struct Numbered {
    rows: Vec<(i64, Row)>,
    next: Option<String>,
}

/// The number of a word in the index; none if nothing there is called so.
fn word(connection: &Connection, word: &str) -> Result<Option<i64>, Error> {
    let select = "SELECT id FROM words WHERE word = ?1";
    Ok(connection.query_row(select, [word], |row| row.get(0)).optional()?)
}

fn moment(millis: i64) -> Moment {
    Moment(Timestamp(millis))
}

/// A limit in SQL.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The numbers of the sagas that there are instances of.
fn every_saga(connection: &Connection) -> Result<Vec<i64>, Error> {
    let mut select = connection.prepare("SELECT DISTINCT saga FROM counts")?;
    let sagas = select.query_map([], |row| row.get(0))?;
    Ok(sagas.collect::<rusqlite::Result<_>>()?)
}
