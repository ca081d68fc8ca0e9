use std::collections::BTreeSet;
use std::sync::Arc;

use crate::definition::Catalog;

/// What nodes that come up with other files say starts, and who has seen it.
#[derive(Debug)]
pub(super) struct Deployments {
    /// Each after so many turns.
    all: Vec<(u64, Arc<Catalog>)>,
    /// How many of them have come.
    come: usize,
    /// What a node reads now: the definitions, and what starts.
    pub published: Arc<Catalog>,
    /// Nodes whose gateway has not seen the last one.
    outdated: BTreeSet<&'static str>,
}

impl Deployments {
    pub fn new(first: &Arc<Catalog>, all: Vec<(u64, Arc<Catalog>)>) -> Self {
        Self { all, come: 0, published: Arc::clone(first), outdated: BTreeSet::new() }
    }

    /// Publishes what comes in this turn; those who run will see it.
    pub fn come(&mut self, turn: u64, running: impl Iterator<Item = &'static str>) {
        let before = self.come;
        while let Some((_, catalog)) = self.all.get(self.come).filter(|(due, _)| *due <= turn) {
            self.published = Arc::clone(catalog);
            self.come += 1;
        }
        if self.come > before {
            self.outdated = running.collect();
        }
    }

    /// Whether a node's gateway reads by what started before.
    pub fn is_outdated(&self, name: &str) -> bool {
        self.outdated.contains(name)
    }

    /// A node's gateway begins anew, or its process has ended.
    pub fn seen(&mut self, name: &str) {
        self.outdated.remove(name);
    }

    /// Whether all have come and are seen.
    pub fn is_over(&self) -> bool {
        self.come == self.all.len() && self.outdated.is_empty()
    }
}
