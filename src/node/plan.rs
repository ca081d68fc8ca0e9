use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use super::act_keys::ActKeys;
use super::{Error, starts};
use crate::broker::definitions::Stored;
use crate::broker::retry::{Patience, patiently};
use crate::broker::{self, Connection, Membership, StartRules};
use crate::config::{
    Config, Delivery, Mechanism, OnUnmatched, Protocol, Replication, Security, TopicMode,
};
use crate::correlation::Index;
use crate::definition::{Catalog, Definition, Limits, Starts, State, parse_stored};
use crate::message::{Offset, Span, Topic};
use crate::runtime::{Lost, Settings, Unmatched, UnmatchedRules};
use crate::store;

/// Everything that the threads of a node need to know.
pub(super) struct Plan {
    pub connection: Connection,
    pub settings: Settings,
    pub store: store::Options,
    /// The keys that acts are signed with, if they must be.
    pub act_keys: Option<Arc<ActKeys>>,
    membership: Membership,
    limits: Limits,
    local: Vec<Definition>,
    /// What this node has said starts, or found to be said.
    said: Option<Arc<Starts>>,
    /// Where the newest word about what starts stands in `<app>.definitions`.
    newest_starts: AtomicI64,
}

impl Plan {
    /// Checks the cluster's topics, publishes the definitions, and lays everything out.
    pub fn make(
        config: &Config,
        definitions: Vec<Definition>,
        stop: &AtomicBool,
    ) -> Result<Self, Error> {
        let connection = connection(config);
        let act_keys = ActKeys::of(config)?.map(Arc::new);
        connection.check()?;
        let mut catalog = Catalog::default();
        for definition in &definitions {
            catalog.add(definition.clone())?;
        }
        let read = Index::new(&catalog).topics();
        let mut users = read.clone();
        let written: BTreeSet<Topic> =
            definitions.iter().flat_map(Definition::topics_written).collect();
        users.extend(written.iter().cloned());
        let wanted = topics(config, users, written);
        let cluster = patiently("starting", Patience::default(), stop, || {
            broker::provision(&connection, &wanted)?;
            broker::cluster_id(&connection)
        })?;
        let membership = Membership {
            delivery: match config.delivery {
                Delivery::ExactlyOnce => broker::Delivery::ExactlyOnce,
                Delivery::AtLeastOnce => broker::Delivery::AtLeastOnce,
            },
            ..Membership::new(config.app.as_str(), config.node.as_str())
        };
        let fingerprint = store::Fingerprint {
            cluster,
            app: config.app.to_string(),
            shards: config.topics.shards,
        };
        let store = store::Options {
            folder: config.data.clone(),
            fingerprint,
            cache_bytes_max: config.memory.cache_bytes.0,
            age_max: Span(config.topics.changelog_delete_retention.0 / 2),
        };
        let settings = settings(config);
        let mut plan = Self {
            connection,
            settings,
            store,
            act_keys,
            membership,
            limits: config.limits.clone(),
            local: definitions,
            said: None,
            newest_starts: AtomicI64::new(-1),
        };
        let rules = StartRules {
            default: config.sources.start_from,
            topics: config.sources.topics.clone(),
        };
        plan.said = Some(Arc::new(plan.publish(&read, &rules, stop)?));
        Ok(plan)
    }

    /// The member that a pipeline is, counted from 0.
    pub fn member(&self, pipeline: u32) -> Membership {
        Membership { pipeline, ..self.membership.clone() }
    }

    /// What this node has said starts.
    pub fn said(&self) -> Option<&Arc<Starts>> {
        self.said.as_ref()
    }

    /// Notes where a word about what starts stands.
    pub fn note_starts(&self, offset: Offset) {
        self.newest_starts.fetch_max(offset.0, Ordering::Relaxed);
    }

    /// Whether somebody has said since that other definitions start.
    pub fn is_outdated(&self, catalog: &Catalog) -> bool {
        let known = catalog.starts().map_or(-1, |starts| starts.offset.0);
        known < self.newest_starts.load(Ordering::Relaxed)
    }

    /// Every definition that has ever run, and what starts now.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn catalog(&self) -> Result<Arc<Catalog>, Lost> {
        let lost = |reason: String| Lost { reason, fatal: false };
        let stored = broker::definitions::read(&self.connection, &self.settings.app);
        let stored = stored.map_err(|e| lost(e.to_string()))?;
        let mut catalog = self.stored(stored).map_err(|e| lost(e.to_string()))?;
        for definition in &self.local {
            let added = catalog.add(definition.clone());
            added.map_err(|e| Lost { reason: e.to_string(), fatal: true })?;
        }
        Ok(Arc::new(catalog))
    }

    fn stored(&self, stored: Stored) -> Result<Catalog, Error> {
        let starts = stored.starts();
        let mut catalog = Catalog::with(self.limits.clone());
        let app = &self.settings.app;
        for (key, text) in stored.texts {
            let definition = parse_stored(&format!("{app}.definitions/{key}"), &text)
                .map_err(|wrong| Error::Stored(wrong.render(false)))?;
            catalog.add(definition)?;
        }
        Ok(catalog.starting_as(starts.map(Arc::new)))
    }

    /// Publishes what is new here, then what starts from now on, as one record; a version that
    /// stands there with a text that means something else is refused. The topics that the
    /// definitions here read are written down before, so that a published definition whose topics
    /// are not is one of an older segue, which had no such register. What people have said of the
    /// starts stands beside that record and holds; what starts is both together.
    fn publish(
        &self,
        read: &BTreeSet<Topic>,
        rules: &StartRules,
        stop: &AtomicBool,
    ) -> Result<Starts, Error> {
        let (connection, app) = (&self.connection, &self.settings.app);
        // A topic that was made a moment ago may have no leader yet.
        let stored = patiently("reading definitions", Patience::default(), stop, || {
            broker::definitions::read(connection, app)
        })?;
        let (before, words) = (stored.said.clone(), stored.words.clone());
        let mut catalog = self.stored(stored)?;
        let known = Index::new(&catalog).topics();
        let mut fresh = BTreeMap::new();
        for definition in &self.local {
            if catalog.version(&definition.saga, definition.version).is_none() {
                let key = format!("{}/{}", definition.saga, definition.version);
                fresh.insert(key, definition.source.to_string());
            }
            catalog.add(definition.clone())?;
        }
        patiently("writing down the users' topics", Patience::default(), stop, || {
            broker::meet(connection, app, read, &known, rules)
        })?;
        patiently("publishing definitions", Patience::default(), stop, || {
            broker::definitions::publish(connection, app, &fresh)
        })?;
        if !fresh.is_empty() {
            catalog = self.confirm(&fresh, stop)?;
        }
        let said = catalog.said_by(&self.membership.node, &self.local);
        let both = said.clone().with_words(&words);
        // What is paused or retired is said at each start.
        let quiet = catalog.starts().map(|starts| {
            let mut starts = Starts::clone(starts);
            let quiet = |state| matches!(state, State::Active | State::Removed);
            starts.sagas.retain(|_, starting| quiet(starting.state));
            starts
        });
        starts::tell(quiet.as_ref(), &both);
        if before.is_none_or(|before| before.sagas != said.sagas) {
            patiently("saying which sagas start", Patience::default(), stop, || {
                broker::definitions::announce(connection, app, &said)
            })?;
        }
        Ok(both)
    }

    /// Another node may have published another text under the same version at the same time: the
    /// first one counts, and is put on top again, so that compaction keeps it.
    fn confirm(
        &self,
        fresh: &BTreeMap<String, String>,
        stop: &AtomicBool,
    ) -> Result<Catalog, Error> {
        let (connection, app) = (&self.connection, &self.settings.app);
        let stored = patiently("reading definitions", Patience::default(), stop, || {
            broker::definitions::read(connection, app)
        })?;
        let overtaken = |(key, text): &(&String, &String)| stored.texts.get(*key) != Some(*text);
        let overtaken = fresh.iter().filter(overtaken);
        let first: BTreeMap<String, String> = overtaken
            .filter_map(|(key, _)| Some((key.clone(), stored.texts.get(key)?.clone())))
            .collect();
        if !first.is_empty() {
            broker::definitions::publish(connection, app, &first)?;
        }
        let mut catalog = self.stored(stored)?;
        for definition in &self.local {
            catalog.add(definition.clone())?;
        }
        Ok(catalog)
    }
}

fn topics(config: &Config, users: BTreeSet<Topic>, written: BTreeSet<Topic>) -> broker::Plan {
    let topics = &config.topics;
    let lasting = |span: Span| Duration::from_millis(span.0);
    broker::Plan {
        app: config.app.to_string(),
        shards: topics.shards,
        replication: match topics.replication {
            Replication::Auto => broker::Replication::Auto,
            Replication::Broker => broker::Replication::Broker,
            Replication::Copies(copies) => broker::Replication::Copies(copies),
        },
        mode: match topics.mode {
            TopicMode::Create => broker::Mode::Create,
            TopicMode::Require => broker::Mode::Require,
        },
        users,
        written,
        message_bytes_max: config.limits.message_bytes_max,
        inbox_kept: lasting(topics.inbox_retention),
        history_kept: lasting(topics.history_retention),
        dead_letters_kept: lasting(topics.dead_letter_retention),
        tombstones_kept: lasting(topics.changelog_delete_retention),
    }
}

fn settings(config: &Config) -> Settings {
    let rule = |rule: OnUnmatched| match rule {
        OnUnmatched::DeadLetter => Unmatched::DeadLetter,
        OnUnmatched::Count => Unmatched::Count,
    };
    let topics = config.unmatched.topics.iter().map(|(topic, on)| (topic.clone(), rule(*on)));
    Settings {
        batch_records_max: config.batch.records_max,
        batch_bytes_max: usize::try_from(config.batch.bytes_max.0).unwrap_or(usize::MAX),
        gather: Duration::from_millis(config.batch.wait.0),
        checkpoint_every: Duration::from_millis(config.checkpoint.every.0),
        checkpoint_bytes_max: usize::try_from(config.checkpoint.bytes.0).unwrap_or(usize::MAX),
        unmatched: UnmatchedRules {
            default: rule(config.unmatched.default),
            topics: topics.collect(),
        },
        ..Settings::new(config.app.as_str(), config.topics.shards)
    }
}

/// How to reach the cluster: the client's settings that the configuration comes down to.
#[must_use]
pub fn connection(config: &Config) -> Connection {
    let mut settings = config.kafka.options.clone();
    secure(&config.kafka.security, &mut settings);
    Connection { brokers: config.kafka.brokers.join(","), settings }
}

fn secure(security: &Security, settings: &mut BTreeMap<String, String>) {
    if security.protocol == Protocol::Plaintext {
        return;
    }
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value);
        }
    };
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|p| p.display().to_string());
    set("security.protocol", Some(word(Protocol::WORDS, security.protocol).replace('-', "_")));
    if security.protocol.has_login() {
        let mechanism = word(Mechanism::WORDS, security.mechanism).to_uppercase();
        set("sasl.mechanism", Some(mechanism));
        set("sasl.username", security.username.clone());
        set("sasl.password", security.password.as_ref().map(|p| p.reveal().to_owned()));
    }
    set("ssl.ca.location", path(&security.ca_file));
    set("ssl.certificate.location", path(&security.cert_file));
    set("ssl.key.location", path(&security.key_file));
}

/// The configuration's word for a choice.
fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], of: T) -> &'static str {
    let found = words.iter().find(|(_, choice)| *choice == of);
    found.expect("every choice has its word").0
}

/// A connection that could not be made: the next life may have better luck.
#[allow(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn passing(error: broker::Error) -> Lost {
    let fatal = matches!(error, broker::Error::Setting(..) | broker::Error::Client(_));
    Lost { reason: error.to_string(), fatal }
}

/// Growing pauses between the lives of a worker that is lost again and again.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    lost: u32,
}

impl Pauses {
    /// It lives: the next loss is the first again.
    pub fn reset(&mut self) {
        self.lost = 0;
    }

    /// Whether nothing was lost since it last lived: the first loss is worth a line, what follows
    /// from it is not.
    pub fn is_first(&self) -> bool {
        self.lost == 0
    }

    /// Waits before the next life, longer each time, up to five seconds.
    pub fn pause(&mut self, stop: &AtomicBool) {
        let tenths = 1_u64 << self.lost.min(6);
        self.lost += 1;
        let is_outage = broker::is_any_away();
        for _ in 0..tenths.min(50) {
            let is_over = is_outage && !broker::is_any_away();
            if stop.load(Ordering::Relaxed) || is_over {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::allowed;

    #[test]
    fn every_option_of_the_configuration_reaches_the_client() {
        let mut config = Config::default();
        config.kafka.options = allowed().map(|name| (name.to_owned(), String::new())).collect();
        let connection = connection(&config);
        assert_eq!(connection.check(), Ok(()));
        assert_eq!(connection.settings.len(), allowed().count());
    }
}
