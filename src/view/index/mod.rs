//! The file of the view: SQLite, one connection that writes, others that read.

mod batch;
mod counted;
mod file;
mod statements;

pub(super) use batch::{Batch, Put};
pub(super) use counted::bucket_end;
pub(super) use file::{File, Index, MADE_ANEW};

use rusqlite::ErrorCode;

use super::Error;
use crate::message::Disposed;
use crate::status::LifeState;

/// The number that a state has in the index; only added to.
pub(super) fn number(state: LifeState) -> i64 {
    let place = LifeState::WORDS.iter().position(|(_, other)| *other == state);
    i64::try_from(place.expect("every state has its word")).expect("there are few")
}

/// The number that stands for what was done with a dead letter; only added to.
pub(super) fn disposed_number(how: Disposed) -> i64 {
    match how {
        Disposed::Replayed => 1,
        Disposed::Discarded => 2,
    }
}

/// The state of a number; of one that is not known, which only damage makes, none.
pub(super) fn state(number: i64) -> Option<LifeState> {
    let place = usize::try_from(number).ok()?;
    LifeState::WORDS.get(place).map(|(_, state)| *state)
}

/// Whether the file itself is broken.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            Self::Damaged(error.to_string())
        } else {
            Self::Index(error.to_string())
        }
    }
}
