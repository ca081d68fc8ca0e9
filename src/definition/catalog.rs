use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::meaning::Difference;
use super::{Definition, Limits, Secrets, Starting, Starts, State};
use crate::message::{Hash, Offset, SagaName, Version};

/// What instances run on: every definition that starts or has started, which of them new instances
/// run on, and the limits that hold for all of them.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The limits.
    pub limits: Limits,
    all: BTreeMap<Hash, Arc<Definition>>,
    newest: BTreeMap<SagaName, Arc<Definition>>,
    /// Without it the newest definition of every saga starts.
    starts: Option<Arc<Starts>>,
    /// What is sensitive in each, looked for when somebody first asks.
    secrets: OnceLock<BTreeMap<Hash, Secrets>>,
}

/// Why a definition cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The same version number stands over a text that means something else.
    #[error(
        "{difference}; {saga} version {version} has run with that text: raise `version:`, or put \
         the old text back"
    )]
    Changed {
        /// The saga.
        saga: SagaName,
        /// The number used twice.
        version: Version,
        /// The first line that differs.
        difference: Box<Difference>,
    },
}

impl Catalog {
    /// Nothing yet, with limits of its own.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds a definition. A text that means the same as the one which is here under its version
    /// changes nothing: instances know their text by its hash, so the first one stays.
    ///
    /// # Errors
    /// When a text that means something else has the same saga and version.
    pub fn add(&mut self, definition: Definition) -> Result<(), CatalogError> {
        if let Some(other) = self.version(&definition.saga, definition.version) {
            return match Difference::between(&definition, other) {
                None => Ok(()),
                Some(difference) => Err(CatalogError::Changed {
                    saga: definition.saga,
                    version: definition.version,
                    difference: Box::new(difference),
                }),
            };
        }
        let definition = Arc::new(definition);
        self.secrets = OnceLock::new();
        self.all.insert(definition.hash, Arc::clone(&definition));
        let newest = self.newest.get(&definition.saga);
        if newest.is_none_or(|newest| newest.version < definition.version) {
            self.newest.insert(definition.saga.clone(), definition);
        }
        Ok(())
    }

    /// The same definitions, of which others start.
    #[must_use]
    pub fn starting_as(&self, starts: Option<Arc<Starts>>) -> Self {
        Self { starts, ..self.clone() }
    }

    /// What starts as a node with these definitions says: the newest version of each saga, and of
    /// every other saga that started before that it is removed.
    #[must_use]
    pub fn said_by(&self, node: &str, local: &[Definition]) -> Starts {
        let before = self.starts.as_ref().map_or_else(BTreeMap::new, |starts| starts.sagas.clone());
        let mut sagas: BTreeMap<SagaName, Starting> = BTreeMap::new();
        for (saga, definition) in &self.newest {
            let starting = before.get(saga).copied().unwrap_or(of(definition, State::Removed));
            sagas.insert(saga.clone(), Starting { state: State::Removed, ..starting });
        }
        let mut own: BTreeMap<&SagaName, &Definition> = BTreeMap::new();
        for definition in local {
            let newest = own.entry(&definition.saga).or_insert(definition);
            if newest.version < definition.version {
                *newest = definition;
            }
        }
        for (saga, definition) in own {
            let kept = self.version(saga, definition.version);
            let kept = kept.map_or(definition, |kept| &**kept);
            sagas.insert(saga.clone(), of(kept, definition.state));
        }
        Starts { offset: Offset::default(), node: node.into(), sagas }
    }

    /// What starts, if that was ever said.
    #[must_use]
    pub fn starts(&self) -> Option<&Arc<Starts>> {
        self.starts.as_ref()
    }

    /// The definition that an instance started on.
    #[must_use]
    pub fn by_hash(&self, hash: Hash) -> Option<&Arc<Definition>> {
        self.all.get(&hash)
    }

    /// The definition of a saga with this number.
    #[must_use]
    pub fn version(&self, saga: &SagaName, version: Version) -> Option<&Arc<Definition>> {
        self.all.values().find(|other| other.saga == *saga && other.version == version)
    }

    /// The definition that a new instance of this saga runs on, and whether events start it.
    #[must_use]
    pub fn starting(&self, saga: &SagaName) -> Option<(&Arc<Definition>, State)> {
        let Some(starts) = &self.starts else {
            return self.newest.get(saga).map(|definition| (definition, State::Active));
        };
        let Starting { definition, state, .. } = starts.sagas.get(saga)?;
        self.all.get(definition).map(|definition| (definition, *state))
    }

    /// The definition that a new instance of this saga runs on, whatever becomes of events.
    #[must_use]
    pub fn newest(&self, saga: &SagaName) -> Option<&Arc<Definition>> {
        self.starting(saga).map(|(definition, _)| definition)
    }

    /// The definition of every saga that new instances run on, by name; of none that is removed.
    pub fn sagas(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.newest.keys().filter_map(|saga| match self.starting(saga)? {
            (definition, State::Active | State::Paused | State::Retired) => Some(definition),
            (_, State::Removed) => None,
        })
    }

    /// Fields of the data of a definition that are as secret as those of which it says so, or as
    /// those of its parents and children from which they come.
    #[must_use]
    pub fn secret_fields(&self, of: Hash) -> BTreeSet<String> {
        let all = self.secrets.get_or_init(|| {
            let all: Vec<&Definition> = self.all.values().map(|definition| &**definition).collect();
            Secrets::among(&all)
        });
        all.get(&of).map(Secrets::of_data).unwrap_or_default()
    }

    /// Every definition, in the order of their hashes.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.all.values()
    }
}

fn of(definition: &Definition, state: State) -> Starting {
    Starting { version: definition.version, definition: definition.hash, state }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::parse;

    const ONE: &str = "saga: order\nversion: 1\ntitle: An order\nstart: { on: shop/Placed }\n\
                       steps:\n  - { step: tell, emit: shop/Told, compensate: none }\n";

    fn text(version: u32) -> String {
        ONE.replace("version: 1", &format!("version: {version}"))
    }

    fn read(text: &str) -> Definition {
        parse("order.yaml", text).unwrap_or_else(|e| panic!("\n{e}"))
    }

    fn saga() -> SagaName {
        SagaName::new("order").expect("a name")
    }

    fn catalog(texts: &[&str]) -> Catalog {
        let mut catalog = Catalog::default();
        for text in texts {
            catalog.add(read(text)).expect("versions of their own");
        }
        catalog
    }

    #[test]
    fn without_a_word_about_it_the_newest_version_starts() {
        let catalog = catalog(&[&text(2), ONE]);
        let (definition, state) = catalog.starting(&saga()).expect("it starts");
        assert_eq!((definition.version, state), (Version(2), State::Active));
    }

    #[test]
    fn an_older_version_that_is_put_back_starts_again() {
        let catalog = catalog(&[&text(2), ONE]);
        let said = catalog.said_by("n1", &[read(ONE)]);
        let catalog = catalog.starting_as(Some(Arc::new(said)));
        let (definition, state) = catalog.starting(&saga()).expect("it starts");
        assert_eq!((definition.version, state), (Version(1), State::Active));
        assert!(catalog.by_hash(read(&text(2)).hash).is_some(), "what runs on it still does");
    }

    #[test]
    fn a_saga_whose_file_is_gone_starts_nothing_and_keeps_its_definition() {
        let both = catalog(&[ONE]);
        let said = both.said_by("n1", &[read(ONE)]);
        let both = both.starting_as(Some(Arc::new(said)));
        let said = both.said_by("n1", &[]);
        let gone = both.starting_as(Some(Arc::new(said)));
        assert_eq!(gone.sagas().count(), 0);
        let (definition, state) = gone.starting(&saga()).expect("for parents that run");
        assert_eq!((definition.version, state), (Version(1), State::Removed));
    }

    #[test]
    fn a_text_that_means_the_same_is_the_one_that_came_first() {
        let same = ONE.replace("An order", "Any order").replace("version: 1", "version: 1 # one");
        let mut catalog = catalog(&[ONE]);
        catalog.add(read(&same)).expect("it means the same");
        assert!(catalog.by_hash(read(&same).hash).is_none());
        let said = catalog.said_by("n1", &[read(&same)]);
        assert_eq!(said.sagas[&saga()].definition, read(ONE).hash);
    }

    #[test]
    fn a_state_is_no_change_of_the_definition() {
        let paused = ONE.replace("version: 1", "version: 1\nstate: paused");
        let mut catalog = catalog(&[ONE]);
        catalog.add(read(&paused)).expect("it means the same");
        let said = catalog.said_by("n1", &[read(&paused)]);
        assert_eq!(said.sagas[&saga()], of(&read(ONE), State::Paused));
    }

    #[test]
    fn a_changed_text_is_refused_with_file_version_and_line() {
        let changed = ONE.replace("shop/Told", "shop/Said");
        let refused = catalog(&[ONE]).add(read(&changed)).expect_err("it means something else");
        assert_eq!(
            refused.to_string(),
            "order.yaml:6: `- { step: tell, emit: shop/Said, compensate: none }` here, but \
             `- { step: tell, emit: shop/Told, compensate: none }` in order.yaml:6; order version \
             1 has run with that text: raise `version:`, or put the old text back"
        );
    }
}
