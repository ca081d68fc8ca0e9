//! Writes to the store what is committed and what it lacks.

use super::Pipeline;
use crate::format::changelog::position_key;
use crate::message::{Offset, Shard};
use crate::runtime::clock::Clock;
use crate::runtime::ports::{Broker, Change, Lost, Store, Waker};
use crate::runtime::shard::Fault;

/// What a checkpoint of one shard writes: all of it is committed.
pub(super) struct Save {
    shard: Shard,
    changes: Vec<Change>,
    changelog: Offset,
}

impl<B: Broker + Waker, S: Store, C: Clock> Pipeline<B, S, C> {
    /// What a checkpoint has to write, if it is time for one.
    pub(super) fn saves(&mut self) -> Vec<Save> {
        let now = self.clock.elapsed();
        let late = now >= self.checkpointed + self.settings.checkpoint_every;
        let dirty: usize = self.shards.values().map(|s| s.held.dirty_bytes()).sum();
        if !late && dirty < self.settings.checkpoint_bytes_max {
            return Vec::new();
        }
        self.checkpointed = now;
        let shards: Vec<Shard> = self.shards.keys().copied().collect();
        let saves = shards.into_iter().filter_map(|shard| self.take_save(shard)).collect();
        if late {
            self.shards.values_mut().for_each(|state| state.held.rest());
        }
        saves
    }

    /// What the store lacks of a shard. No commit is under way: what was sealed is committed.
    pub(super) fn take_save(&mut self, shard: Shard) -> Option<Save> {
        let state = self.shards.get_mut(&shard).filter(|state| !state.held.is_clean())?;
        let mut changes = state.held.take_changes();
        let (key, value) = (position_key(shard), Some(state.sealed.clone()));
        changes.push(Change { key, value, due: None });
        Some(Save { shard, changes, changelog: state.changelog })
    }

    pub(super) fn save(&mut self, saves: Vec<Save>) -> Result<(), Lost> {
        for Save { shard, changes, changelog } in saves {
            let written = self.store.checkpoint(shard, changes, changelog);
            written.map_err(|fault| self.faulted(Fault::Store(fault)))?;
        }
        Ok(())
    }
}
