use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::broker::Progress;
use crate::message::Shard;

/// Whether the shards of this process are restored; cheap to clone, and whoever has it may ask.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<u32, Restored>>>);

/// What a pipeline has.
#[derive(Debug)]
struct Restored {
    progress: Progress,
    shards: Vec<Shard>,
}

impl Health {
    /// A pipeline begins; it has nothing until it says so.
    pub(super) fn begin(&self, pipeline: u32, progress: &Progress) {
        let restored = Restored { progress: progress.clone(), shards: Vec::new() };
        self.pipelines().insert(pipeline, restored);
    }

    /// A pipeline has these shards, restored and running.
    pub(super) fn note(&self, pipeline: u32, shards: impl Iterator<Item = Shard>) {
        if let Some(restored) = self.pipelines().get_mut(&pipeline) {
            restored.shards.clear();
            restored.shards.extend(shards);
            restored.progress.settle();
        }
    }

    /// The shards that are restored, if that is all that the group has given to this process; a
    /// process that it gave none to has them all.
    ///
    /// # Errors
    /// What it still waits for, in words.
    pub fn restored(&self) -> Result<Vec<Shard>, String> {
        let pipelines = self.pipelines();
        if pipelines.is_empty() {
            return Err("the engine is starting: it waits for the cluster or its topics".to_owned());
        }
        let mut shards = Vec::new();
        for restored in pipelines.values() {
            if !restored.progress.is_settled() {
                return Err("shards are being assigned or restored".to_owned());
            }
            shards.extend(restored.shards.iter().copied());
        }
        shards.sort_unstable();
        Ok(shards)
    }

    fn pipelines(&self) -> MutexGuard<'_, BTreeMap<u32, Restored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_whole_once_every_pipeline_has_what_the_group_gave_it() {
        let (health, progress) = (Health::default(), [Progress::default(), Progress::default()]);
        assert!(health.restored().is_err_and(|why| why.contains("is starting")));
        health.begin(0, &progress[0]);
        health.begin(1, &progress[1]);
        health.note(0, [Shard(3), Shard(1)].into_iter());
        let waits = Err("shards are being assigned or restored".to_owned());
        assert_eq!(health.restored(), waits, "the group has given nothing yet");
        progress[0].move_shards();
        progress[1].move_shards();
        health.note(0, [Shard(3), Shard(1)].into_iter());
        assert_eq!(health.restored(), waits, "the other one restores");
        health.note(1, std::iter::empty());
        assert_eq!(health.restored(), Ok(vec![Shard(1), Shard(3)]), "none are enough");
        progress[1].move_shards();
        assert_eq!(health.restored(), waits, "the group moves its shards");
        health.note(1, [Shard(2)].into_iter());
        assert_eq!(health.restored(), Ok(vec![Shard(1), Shard(2), Shard(3)]));
        progress[0].begin();
        assert_eq!(health.restored(), waits, "a pipeline was lost, the next one restores");
    }
}
