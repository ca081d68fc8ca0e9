use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use rdkafka::admin::ResourceSpecifier;

use super::engine_topics::EngineTopics;
use super::ledger::RECORD_BYTES_MAX;
use super::topics::{TopicSpec, admin, create_topics, existing, options, wait_for};
use super::{Connection, Error};
use crate::message::Topic;

/// Whether the engine makes its own topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Missing ones are made.
    Create,
    /// Missing ones are refused; the refusal says how each must be.
    Require,
}

/// What topics there must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The application: the prefix of the engine's topics.
    pub app: String,
    /// The partitions of inbox, changelog and history.
    pub shards: u32,
    /// Copies of each record; -1 is the cluster's default.
    pub replication: i32,
    /// Whether the engine makes its own topics.
    pub mode: Mode,
    /// Topics that the definitions read or write; never made by the engine.
    pub users: BTreeSet<Topic>,
    /// How long inbox records are kept: for longer than the engine is ever down.
    pub inbox_kept: Duration,
    /// How long the history is kept.
    pub history_kept: Duration,
    /// How long dead letters are kept.
    pub dead_letters_kept: Duration,
    /// How long a forgotten key is told to stores that were away; a store's checkpoint older
    /// than half of it is refused.
    pub tombstones_kept: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Plan {
    /// The usual plan for an application.
    #[must_use]
    pub fn new(app: &str, shards: u32, mode: Mode, users: BTreeSet<Topic>) -> Self {
        Self {
            app: app.to_owned(),
            shards,
            replication: -1,
            mode,
            users,
            inbox_kept: 7 * DAY,
            history_kept: 90 * DAY,
            dead_letters_kept: 30 * DAY,
            tombstones_kept: 7 * DAY,
        }
    }

    /// The engine's topics as they must be.
    fn engine_topics(&self) -> Result<Vec<TopicSpec>, Error> {
        let topics = EngineTopics::new(&self.app).map_err(|e| Error::Topics(e.to_string()))?;
        let deleted = |kept: Duration| {
            vec![
                ("cleanup.policy".to_owned(), "delete".to_owned()),
                ("retention.ms".to_owned(), kept.as_millis().to_string()),
                ("max.message.bytes".to_owned(), RECORD_BYTES_MAX.to_string()),
            ]
        };
        let compacted = vec![
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("delete.retention.ms".to_owned(), self.tombstones_kept.as_millis().to_string()),
            ("max.message.bytes".to_owned(), RECORD_BYTES_MAX.to_string()),
        ];
        let spec = |name, partitions, mut settings: Vec<(String, String)>| {
            if self.replication >= 3 {
                settings.push(("min.insync.replicas".to_owned(), "2".to_owned()));
            }
            TopicSpec { name, partitions, replication: self.replication, settings }
        };
        Ok(vec![
            spec(topics.inbox, self.shards, deleted(self.inbox_kept)),
            spec(topics.changelog, self.shards, compacted.clone()),
            spec(topics.history, self.shards, deleted(self.history_kept)),
            spec(topics.dead_letters, 1, deleted(self.dead_letters_kept)),
            spec(topics.definitions, 1, compacted),
            spec(topics.questions, 1, deleted(self.history_kept)),
            spec(topics.operator, 1, deleted(self.history_kept)),
        ])
    }
}

/// A topic as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    partitions: u32,
    /// Known for the engine's topics only.
    cleanup: Option<String>,
}

/// What to do about the topics.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    create: Vec<TopicSpec>,
    problems: Vec<String>,
}

/// Makes or requires the engine's topics and checks that the users' topics exist.
///
/// # Errors
/// When a topic is missing or not as it must be: one refusal lists every problem with its next
/// step, and then nothing was made. Also when the cluster does not answer or refuses.
pub fn provision(connection: &Connection, plan: &Plan) -> Result<(), Error> {
    let wanted = plan.engine_topics()?;
    let found = look(connection, &wanted)?;
    let verdict = decide(plan, &wanted, &found);
    if !verdict.problems.is_empty() {
        return Err(Error::Topics(listed(&verdict.problems)));
    }
    if verdict.create.is_empty() {
        return Ok(());
    }
    create_topics(connection, &verdict.create)?;
    for spec in &verdict.create {
        tracing::info!(topic = %spec.name, partitions = spec.partitions, "topic created");
    }
    Ok(())
}

fn listed(problems: &[String]) -> String {
    let mut text = String::new();
    for problem in problems {
        write!(text, "\n  - {problem}").expect("a string takes all text");
    }
    text.split_off(1)
}

fn decide(plan: &Plan, wanted: &[TopicSpec], found: &BTreeMap<Topic, Found>) -> Verdict {
    let mut verdict = Verdict::default();
    for spec in wanted {
        match (found.get(&spec.name), plan.mode) {
            (Some(found), _) => verdict.problems.extend(differences(plan, spec, found)),
            (None, Mode::Create) => verdict.create.push(spec.clone()),
            (None, Mode::Require) => verdict.problems.push(missing(spec)),
        }
    }
    for topic in plan.users.iter().filter(|topic| !found.contains_key(topic)) {
        verdict.problems.push(format!(
            "the users' topic {topic} does not exist; create it, or correct its name in the \
             definitions (the engine never creates users' topics)"
        ));
    }
    verdict
}

fn missing(spec: &TopicSpec) -> String {
    let settings: Vec<String> = spec.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
    format!(
        "the engine's topic {} does not exist; create it with partitions={} and {}, or set \
         topics: create",
        spec.name,
        spec.partitions,
        settings.join(" ")
    )
}

fn differences(plan: &Plan, spec: &TopicSpec, found: &Found) -> Vec<String> {
    let mut problems = Vec::new();
    if found.partitions != spec.partitions {
        let step = if spec.partitions == plan.shards {
            format!("set shards: {}, or start under a new application name", found.partitions)
        } else {
            format!("create it anew with {} partition", spec.partitions)
        };
        problems.push(format!(
            "{} has {} partitions, not {}: which instance lives where would change; {step}",
            spec.name, found.partitions, spec.partitions
        ));
    }
    let policy = spec.settings.iter().find(|(name, _)| name == "cleanup.policy");
    if let (Some((_, wanted)), Some(cleanup)) = (policy, &found.cleanup)
        && cleanup != wanted
    {
        problems.push(format!(
            "{} has cleanup.policy={cleanup}, not {wanted}: {}; set its cleanup.policy to {wanted}",
            spec.name,
            match wanted.as_str() {
                "compact" => "the state of instances would be lost with time",
                _ => "records would be lost as soon as a later one has the same key",
            }
        ));
    }
    problems
}

fn look(connection: &Connection, wanted: &[TopicSpec]) -> Result<BTreeMap<Topic, Found>, Error> {
    let doing = "asking which topics there are";
    let known = existing(connection)?;
    let bare = |(name, partitions)| (name, Found { partitions, cleanup: None });
    let mut found: BTreeMap<Topic, Found> = known.into_iter().map(bare).collect();
    let known: Vec<ResourceSpecifier<'_>> = wanted
        .iter()
        .filter(|spec| found.contains_key(&spec.name))
        .map(|spec| ResourceSpecifier::Topic(spec.name.as_str()))
        .collect();
    if known.is_empty() {
        return Ok(found);
    }
    let admin = admin(connection)?;
    let answers = wait_for(admin.describe_configs(&known, &options()));
    for answer in answers.map_err(|e| connection.unanswered(doing, &e))? {
        let resource = answer.map_err(|code| Error::Refused {
            doing: "asking for the settings of the engine's topics".to_owned(),
            reason: code.to_string(),
        })?;
        let cleanup = resource.get("cleanup.policy").and_then(|entry| entry.value.clone());
        if let rdkafka::admin::OwnedResourceSpecifier::Topic(name) = &resource.specifier
            && let Some(topic) = Topic::new(name).ok().and_then(|t| found.get_mut(&t))
        {
            topic.cleanup = cleanup;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::new(name).expect("a topic")
    }

    fn plan(mode: Mode) -> Plan {
        let users = BTreeSet::from([topic("shop.orders"), topic("payments.events")]);
        Plan::new("shop", 4, mode, users)
    }

    /// Everything as it must be.
    fn good() -> BTreeMap<Topic, Found> {
        let one = |partitions, cleanup: &str| Found { partitions, cleanup: Some(cleanup.into()) };
        BTreeMap::from([
            (topic("shop.inbox"), one(4, "delete")),
            (topic("shop.changelog"), one(4, "compact")),
            (topic("shop.history"), one(4, "delete")),
            (topic("shop.dead-letters"), one(1, "delete")),
            (topic("shop.definitions"), one(1, "compact")),
            (topic("shop.questions"), one(1, "delete")),
            (topic("shop.operator"), one(1, "delete")),
            (topic("shop.orders"), Found { partitions: 12, cleanup: None }),
            (topic("payments.events"), Found { partitions: 1, cleanup: None }),
        ])
    }

    fn check(mode: Mode, found: &BTreeMap<Topic, Found>, create: &[&str], problems: &[&str]) {
        let plan = plan(mode);
        let wanted = plan.engine_topics().expect("legal names");
        let verdict = decide(&plan, &wanted, found);
        let names: Vec<&str> = verdict.create.iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, create);
        assert_eq!(verdict.problems.len(), problems.len(), "{:?}", verdict.problems);
        for (problem, start) in verdict.problems.iter().zip(problems) {
            assert!(problem.starts_with(start), "{problem}");
        }
    }

    #[test]
    fn good_topics_are_left_alone() {
        check(Mode::Create, &good(), &[], &[]);
        check(Mode::Require, &good(), &[], &[]);
    }

    #[test]
    fn only_the_engines_topics_are_made() {
        let mut found = good();
        found.remove(&topic("shop.inbox"));
        found.remove(&topic("shop.orders"));
        let users = "the users' topic shop.orders does not exist; create it";
        check(Mode::Create, &found, &["shop.inbox"], &[users]);
        let engine = "the engine's topic shop.inbox does not exist; create it with partitions=4 \
                      and cleanup.policy=delete";
        check(Mode::Require, &found, &[], &[engine, users]);
    }

    #[test]
    fn every_problem_is_told() {
        let mut found = good();
        let set = |found: &mut BTreeMap<Topic, Found>, name, partitions, cleanup: &str| {
            found.insert(topic(name), Found { partitions, cleanup: Some(cleanup.to_owned()) });
        };
        set(&mut found, "shop.inbox", 8, "compact");
        set(&mut found, "shop.changelog", 4, "compact,delete");
        set(&mut found, "shop.definitions", 3, "compact");
        found.remove(&topic("payments.events"));
        check(
            Mode::Create,
            &found,
            &[],
            &[
                "shop.inbox has 8 partitions, not 4",
                "shop.inbox has cleanup.policy=compact, not delete",
                "shop.changelog has cleanup.policy=compact,delete, not compact",
                "shop.definitions has 3 partitions, not 1",
                "the users' topic payments.events does not exist",
            ],
        );
    }
}
