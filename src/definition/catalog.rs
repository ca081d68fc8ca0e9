use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Definition, Limits};
use crate::message::{Hash, SagaName, Version};

/// What instances run on: every definition, the newest of each saga and those that ran before, and
/// the limits that hold for all of them.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The limits.
    pub limits: Limits,
    all: BTreeMap<Hash, Arc<Definition>>,
    newest: BTreeMap<SagaName, Arc<Definition>>,
}

/// Why a definition cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The same version number stands over another text.
    #[error(
        "{saga} version {version} has run with another text; raise `version:` and keep the old one"
    )]
    Changed {
        /// The saga.
        saga: SagaName,
        /// The number used twice.
        version: Version,
    },
}

impl Catalog {
    /// Nothing yet, with limits of its own.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds a definition; the highest version of a saga is the one that new instances run on.
    ///
    /// # Errors
    /// When another text has the same saga and version.
    pub fn add(&mut self, definition: Definition) -> Result<(), CatalogError> {
        let clash = self.all.values().any(|other| {
            other.saga == definition.saga
                && other.version == definition.version
                && other.hash != definition.hash
        });
        if clash {
            return Err(CatalogError::Changed {
                saga: definition.saga,
                version: definition.version,
            });
        }
        let definition = Arc::new(definition);
        self.all.insert(definition.hash, Arc::clone(&definition));
        match self.newest.get(&definition.saga) {
            Some(newest) if newest.version > definition.version => {}
            _ => {
                self.newest.insert(definition.saga.clone(), definition);
            }
        }
        Ok(())
    }

    /// The definition that an instance started on.
    #[must_use]
    pub fn by_hash(&self, hash: Hash) -> Option<&Arc<Definition>> {
        self.all.get(&hash)
    }

    /// The definition that a new instance of this saga runs on.
    #[must_use]
    pub fn newest(&self, saga: &SagaName) -> Option<&Arc<Definition>> {
        self.newest.get(saga)
    }

    /// The newest definition of every saga, by name.
    pub fn sagas(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.newest.values()
    }

    /// Every definition, in the order of their hashes.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.all.values()
    }
}
