use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use rdkafka::admin::{ConfigResource, ResourceSpecifier};

use super::options::RECORD_BYTES_MAX;
use super::topics::{
    Inventory, Layout, TopicSpec, admin, create_topics, inventory, options, wait_for,
};
use super::{Connection, Error};
use crate::definition::Limits;
use crate::message::{EngineTopics, Topic};

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
    /// Copies of each record in the engine's topics.
    pub replication: Replication,
    /// Whether the engine makes its own topics.
    pub mode: Mode,
    /// Topics that the definitions read or write; never made by the engine.
    pub users: BTreeSet<Topic>,
    /// Those of them that the definitions write.
    pub written: BTreeSet<Topic>,
    /// The largest message that the definitions write: its key, headers and body.
    pub message_bytes_max: usize,
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

/// How many copies of each record Kafka keeps in the engine's topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// As many as there are brokers, but no more than three.
    Auto,
    /// The cluster's own default.
    Broker,
    /// So many.
    Copies(u16),
}

/// More copies are of little use, and two of three must have a record before it counts.
const COPIES_MAX: usize = 3;

impl Replication {
    /// The number as Kafka wants it, on so many brokers.
    fn on(self, brokers: usize) -> i32 {
        match self {
            Self::Auto => i32::try_from(brokers.clamp(1, COPIES_MAX)).expect("at most three"),
            Self::Broker => -1,
            Self::Copies(copies) => i32::from(copies),
        }
    }
}

/// What the engine's own headers and Kafka's framing add to a message, at most.
const FRAME_BYTES: usize = 8 * 1024;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Plan {
    /// The usual plan for an application.
    #[must_use]
    pub fn new(app: &str, shards: u32, mode: Mode, users: BTreeSet<Topic>) -> Self {
        Self {
            app: app.to_owned(),
            shards,
            replication: Replication::Auto,
            mode,
            users,
            written: BTreeSet::new(),
            message_bytes_max: Limits::default().message_bytes_max,
            inbox_kept: 7 * DAY,
            history_kept: 90 * DAY,
            dead_letters_kept: 30 * DAY,
            tombstones_kept: 7 * DAY,
        }
    }

    /// The engine's topics as they must be.
    fn engine_topics(&self, brokers: usize) -> Result<Vec<TopicSpec>, Error> {
        let replication = self.replication.on(brokers);
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
            if replication >= 3 {
                settings.push(("min.insync.replicas".to_owned(), "2".to_owned()));
            }
            TopicSpec { name, partitions, replication, settings }
        };
        Ok(vec![
            spec(topics.inbox, self.shards, deleted(self.inbox_kept)),
            spec(topics.changelog, self.shards, compacted.clone()),
            spec(topics.history, self.shards, deleted(self.history_kept)),
            spec(topics.dead_letters, 1, deleted(self.dead_letters_kept)),
            spec(topics.definitions, 1, compacted.clone()),
            spec(topics.sources, 1, compacted),
            spec(topics.questions, 1, deleted(self.history_kept)),
            spec(topics.operator, 1, deleted(self.history_kept)),
        ])
    }
}

/// A topic as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    partitions: u32,
    copies: usize,
    /// Known for the engine's topics.
    cleanup: Option<String>,
    /// `max.message.bytes`: known for the engine's topics and, if the cluster tells it, for those
    /// that are written.
    bytes_max: Option<usize>,
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
    let inventory = inventory(connection)?;
    let wanted = plan.engine_topics(inventory.brokers)?;
    let found = look(connection, plan, &wanted, &inventory)?;
    let verdict = decide(plan, &wanted, &found);
    if !verdict.problems.is_empty() {
        return Err(Error::Topics(listed(&verdict.problems)));
    }
    for topic in single_copies(plan, &wanted, &found, inventory.brokers) {
        tracing::warn!(
            %topic,
            brokers = inventory.brokers,
            "topic.one_copy: while its broker is away Kafka may leave it out of a transaction \
             (KAFKA-20734), and what it holds is lost with that broker; give it three copies \
             (kafka-reassign-partitions.sh)"
        );
    }
    if verdict.create.is_empty() {
        return Ok(());
    }
    create_topics(connection, &verdict.create)?;
    for spec in &verdict.create {
        let (partitions, copies) = (spec.partitions, spec.replication);
        tracing::info!(topic = %spec.name, partitions, copies, "topic created");
    }
    Ok(())
}

/// The topics in our transactions that one broker takes along although there are more.
fn single_copies<'a>(
    plan: &'a Plan,
    wanted: &'a [TopicSpec],
    found: &BTreeMap<Topic, Found>,
    brokers: usize,
) -> Vec<&'a Topic> {
    let has_one = |topic: &&Topic| found.get(*topic).is_some_and(|found| found.copies == 1);
    let written = wanted.iter().map(|spec| &spec.name).chain(&plan.written);
    if brokers > 1 { written.filter(has_one).collect() } else { Vec::new() }
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
    let needed = plan.message_bytes_max + FRAME_BYTES;
    for (topic, bytes) in plan.written.iter().filter_map(|t| Some((t, found.get(t)?.bytes_max?))) {
        if bytes < needed {
            verdict.problems.push(format!(
                "the users' topic {topic} takes messages of {bytes} bytes, and the engine may send \
                 {needed}; raise its max.message.bytes, or set limits: {{ message-bytes-max: {} }}",
                bytes.saturating_sub(FRAME_BYTES)
            ));
        }
    }
    verdict
}

fn missing(spec: &TopicSpec) -> String {
    let settings: Vec<String> = spec.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let copies = match spec.replication {
        -1 => String::new(),
        copies => format!(" replication.factor={copies}"),
    };
    format!(
        "the engine's topic {} does not exist; create it with partitions={}{copies} and {}, or \
         set topics: {{ mode: create }}",
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
    if let Some(bytes) = found.bytes_max.filter(|bytes| *bytes < RECORD_BYTES_MAX) {
        problems.push(format!(
            "{} takes records of {bytes} bytes, and the engine may write {RECORD_BYTES_MAX}; set \
             its max.message.bytes to {RECORD_BYTES_MAX}",
            spec.name
        ));
    }
    problems
}

fn look(
    connection: &Connection,
    plan: &Plan,
    wanted: &[TopicSpec],
    inventory: &Inventory,
) -> Result<BTreeMap<Topic, Found>, Error> {
    let mut found = BTreeMap::new();
    for (name, layout) in &inventory.topics {
        let Layout { partitions, copies, .. } = *layout;
        found.insert(name.clone(), Found { partitions, copies, cleanup: None, bytes_max: None });
    }
    let ours: Vec<&Topic> = wanted.iter().map(|spec| &spec.name).collect();
    let asked: Vec<Topic> = ours
        .iter()
        .copied()
        .chain(&plan.written)
        .filter(|t| found.contains_key(t))
        .cloned()
        .collect();
    for (topic, answer) in settings(connection, &asked)? {
        match (answer, found.get_mut(&topic)) {
            (Ok(settings), Some(found)) => {
                let value = |name| settings.get(name).and_then(|entry| entry.value.clone());
                found.cleanup = value("cleanup.policy");
                found.bytes_max = value("max.message.bytes").and_then(|text| text.parse().ok());
            }
            (Err(reason), _) if ours.contains(&&topic) => {
                let doing = format!("asking for the settings of {topic}");
                return Err(Error::Refused { doing, reason });
            }
            // Whoever may write a topic need not be allowed to read its settings.
            (Err(reason), _) => {
                tracing::warn!(%topic, reason, "its max.message.bytes is not known here");
            }
            (Ok(_), None) => {}
        }
    }
    Ok(found)
}

type Answer = (Topic, Result<ConfigResource, String>);

/// What the cluster says about the settings of some topics.
fn settings(connection: &Connection, topics: &[Topic]) -> Result<Vec<Answer>, Error> {
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let admin = admin(connection)?;
    let asked: Vec<_> = topics.iter().map(|t| ResourceSpecifier::Topic(t.as_str())).collect();
    let answers = wait_for(admin.describe_configs(&asked, &options()));
    let doing = "asking for the settings of topics";
    let answers = answers.map_err(|e| connection.unanswered(doing, &e))?;
    let answers = answers.into_iter().map(|answer| answer.map_err(|code| code.to_string()));
    Ok(topics.iter().cloned().zip(answers).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::new(name).expect("a topic")
    }

    fn plan(mode: Mode) -> Plan {
        let users = BTreeSet::from([topic("shop.orders"), topic("payments.events")]);
        let written = BTreeSet::from([topic("shop.orders")]);
        Plan { written, ..Plan::new("shop", 4, mode, users) }
    }

    /// Everything as it must be.
    fn good() -> BTreeMap<Topic, Found> {
        let one = |partitions, cleanup: &str| Found {
            partitions,
            copies: 3,
            cleanup: Some(cleanup.into()),
            bytes_max: Some(RECORD_BYTES_MAX),
        };
        let users =
            |partitions| Found { partitions, copies: 1, cleanup: None, bytes_max: Some(1_048_588) };
        BTreeMap::from([
            (topic("shop.inbox"), one(4, "delete")),
            (topic("shop.changelog"), one(4, "compact")),
            (topic("shop.history"), one(4, "delete")),
            (topic("shop.dead-letters"), one(1, "delete")),
            (topic("shop.definitions"), one(1, "compact")),
            (topic("shop.sources"), one(1, "compact")),
            (topic("shop.questions"), one(1, "delete")),
            (topic("shop.operator"), one(1, "delete")),
            (topic("shop.orders"), users(12)),
            (topic("payments.events"), users(1)),
        ])
    }

    fn check(mode: Mode, found: &BTreeMap<Topic, Found>, create: &[&str], problems: &[&str]) {
        let plan = plan(mode);
        let wanted = plan.engine_topics(3).expect("legal names");
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
                      replication.factor=3 and cleanup.policy=delete";
        check(Mode::Require, &found, &[], &[engine, users]);
    }

    #[test]
    fn every_problem_is_told() {
        let mut found = good();
        let set = |found: &mut BTreeMap<Topic, Found>, name, partitions, cleanup: &str| {
            let bytes_max = Some(RECORD_BYTES_MAX);
            let cleanup = Some(cleanup.to_owned());
            found.insert(topic(name), Found { partitions, copies: 3, cleanup, bytes_max });
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

    #[test]
    fn copies_follow_the_brokers() {
        let copies = |replication: Replication| [1, 2, 3, 9].map(|brokers| replication.on(brokers));
        assert_eq!(copies(Replication::Auto), [1, 2, 3, 3]);
        assert_eq!(copies(Replication::Broker), [-1; 4]);
        assert_eq!(copies(Replication::Copies(2)), [2; 4]);
    }

    #[test]
    fn a_topic_that_dies_with_its_broker_is_told() {
        let plan = plan(Mode::Create);
        let wanted = plan.engine_topics(3).expect("legal names");
        let mut found = good();
        found.get_mut(&topic("shop.history")).expect("it is there").copies = 1;
        let told = single_copies(&plan, &wanted, &found, 3);
        assert_eq!(told, [&topic("shop.history"), &topic("shop.orders")], "only what is written");
        assert_eq!(single_copies(&plan, &wanted, &found, 1), Vec::<&Topic>::new());
    }

    #[test]
    fn topics_that_take_too_little_are_told() {
        let mut found = good();
        for (name, bytes) in [("shop.changelog", 1_048_588), ("shop.orders", 100_000)] {
            found.get_mut(&topic(name)).expect("it is there").bytes_max = Some(bytes);
        }
        found.get_mut(&topic("payments.events")).expect("it is there").bytes_max = Some(10);
        check(
            Mode::Create,
            &found,
            &[],
            &[
                "shop.changelog takes records of 1048588 bytes, and the engine may write 16777216",
                "the users' topic shop.orders takes messages of 100000 bytes, and the engine may \
                 send 532480; raise its max.message.bytes, or set limits: { message-bytes-max: \
                 91808 }",
            ],
        );
    }
}
