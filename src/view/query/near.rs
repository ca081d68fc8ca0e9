//! What a person may have meant who asked for an instance that is not known.

use rusqlite::{Connection, params};

use super::{every_saga, word};
use crate::message::{InstanceId, Key, SagaName};
use crate::view::Error;

/// The most that is offered.
const NEAR_MAX: usize = 8;
/// So many keys beside the one that was asked for are looked at, on each side.
const BESIDE_MAX: i64 = 50;
/// How like two keys must be, from 0 to 1.
const LIKE_MIN: f64 = 0.7;

/// The same key in other sagas, then keys of the saga that are much like it.
pub(in crate::view) fn near(
    connection: &Connection,
    id: &InstanceId,
) -> Result<Vec<InstanceId>, Error> {
    let asked = id.key.as_str();
    let mut found: Vec<(f64, InstanceId)> = Vec::new();
    let known = word(connection, id.saga.as_str())?;
    for saga in every_saga(connection)? {
        let name: String = "SELECT word FROM words WHERE id = ?1".to_owned();
        let name: String = connection.query_row(&name, [saga], |row| row.get(0))?;
        let Ok(name) = SagaName::new(&name) else { continue };
        if name.is_lock() && !id.saga.is_lock() {
            continue;
        }
        let is_same = known == Some(saga);
        let keys = if is_same {
            beside(connection, saga, asked)?
        } else {
            exact(connection, saga, asked)?
        };
        for key in keys {
            let like = if is_same { strsim::jaro_winkler(asked, &key) } else { 1.0 };
            if let Some(key) = Key::new(&key).ok().filter(|_| like >= LIKE_MIN) {
                found.push((like, InstanceId { saga: name.clone(), key }));
            }
        }
    }
    found.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.cmp(b)));
    found.truncate(NEAR_MAX);
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

fn exact(connection: &Connection, saga: i64, key: &str) -> Result<Vec<String>, Error> {
    let select = "SELECT key FROM instances WHERE saga = ?1 AND key = ?2";
    let mut select = connection.prepare(select)?;
    let keys = select.query_map(params![saga, key], |row| row.get(0))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

/// The keys that stand before and behind a key in their order, and those that begin with it
/// differ from it only behind.
fn beside(connection: &Connection, saga: i64, key: &str) -> Result<Vec<String>, Error> {
    let behind = "SELECT key FROM instances WHERE saga = ?1 AND key >= ?2 ORDER BY key LIMIT ?3";
    let before =
        "SELECT key FROM instances WHERE saga = ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3";
    let mut keys = Vec::new();
    for select in [behind, before] {
        let mut select = connection.prepare(select)?;
        let found = select.query_map(params![saga, key, BESIDE_MAX], |row| row.get(0))?;
        for key in found {
            keys.push(key?);
        }
    }
    Ok(keys)
}
