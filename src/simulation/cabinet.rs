use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::message::{Offset, Shard, Timestamp};
use crate::runtime::Change;

/// What a node's disk holds.
#[derive(Debug, Default)]
pub(super) struct Cabinet {
    pub shards: BTreeMap<Shard, Drawer>,
}

/// What it holds of one shard.
#[derive(Debug, Default)]
pub(super) struct Drawer {
    pub values: BTreeMap<Bytes, Kept>,
    pub checkpoint: Option<Offset>,
    pub written: Duration,
    /// Timers up to here are the owner's since it opened the shard.
    pub watched: Option<Timestamp>,
    /// The whole of it cannot be trusted.
    pub spoilt: bool,
    /// This value cannot be read.
    pub damaged: Option<Bytes>,
}

#[derive(Debug)]
pub(super) struct Kept {
    pub value: Bytes,
    pub due: Option<Timestamp>,
}

impl Cabinet {
    /// Empties it. Answers whether there was anything.
    pub fn lose(&mut self) -> bool {
        !std::mem::take(&mut self.shards).is_empty()
    }

    /// Damages a value, or a whole shard. Answers whether there was anything to damage.
    pub fn damage(&mut self, throw: u64) -> bool {
        let at = |sides: usize| usize::try_from(throw % sides.max(1) as u64).unwrap_or(0);
        let places = self.shards.len();
        let chosen = self.shards.values_mut().nth(at(places));
        let Some(drawer) = chosen.filter(|s| s.checkpoint.is_some()) else { return false };
        let keys: Vec<Bytes> = drawer.values.keys().cloned().collect();
        if keys.is_empty() || throw.is_multiple_of(3) {
            drawer.spoilt = true;
        } else {
            drawer.damaged = Some(keys[at(keys.len())].clone());
        }
        true
    }
}

impl Drawer {
    pub fn write(&mut self, changes: Vec<Change>, checkpoint: Offset, now: Duration) {
        for change in changes {
            if self.damaged.as_ref() == Some(&change.key) {
                self.damaged = None;
            }
            match change.value {
                Some(value) => {
                    self.values.insert(change.key, Kept { value, due: change.due });
                }
                None => {
                    self.values.remove(&change.key);
                }
            }
        }
        self.checkpoint = Some(checkpoint);
        self.written = now;
    }
}
