use std::collections::BTreeSet;

use crate::engine::{NoteKind, Status};
use crate::message::{InstanceId, SagaName};
use crate::runtime::Observed;

/// How many sagas have started and ended.
#[derive(Debug, Default)]
pub(super) struct Progress {
    started: u64,
    ended: u64,
    stuck: BTreeSet<InstanceId>,
    /// Sagas that only others start: they are part of what was ordered.
    children: BTreeSet<SagaName>,
}

impl Progress {
    pub fn of(children: BTreeSet<SagaName>) -> Self {
        Self { children, ..Self::default() }
    }

    pub fn note(&mut self, seen: &Observed) {
        let is_part = seen.id.saga.is_lock() || self.children.contains(&seen.id.saga);
        for note in seen.notes.iter().filter(|_| !is_part) {
            let kind = note.kind();
            self.started += u64::from(kind == NoteKind::Started);
            let has_ended = matches!(kind, NoteKind::Completed | NoteKind::Compensated);
            self.ended += u64::from(has_ended);
        }
        if seen.status == Some(Status::Stuck) {
            self.stuck.insert(seen.id.clone());
        } else {
            self.stuck.remove(&seen.id);
        }
    }

    /// Whether so many have started and none of them can go on by itself.
    pub fn is_settled(&self, orders: u64) -> bool {
        self.started >= orders && self.ended + self.stuck.len() as u64 >= self.started
    }

    pub fn words(&self) -> String {
        let Self { started, ended, stuck, .. } = self;
        format!("{started} started, {ended} ended, {} stuck", stuck.len())
    }
}
