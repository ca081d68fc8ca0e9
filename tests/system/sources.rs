//! Topics of users that are made anew, and what an application reads of topics that it meets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use segue::broker::{Isolation, Writer};
use segue::message::{EngineTopics, Headers, Outgoing, Span, Timestamp, Topic, header};

use crate::cast::Cast;
use crate::engine::{Engine, last_words, program};
use crate::watch::{PATIENCE, Watch, until};
use crate::world::{EXACTLY_ONCE, World};

const HOUR: Span = Span::hours(1);
const ANSWERS_MAX: u64 = 50;

/// Two sagas over a topic each, which say of every event that they have taken it.
fn cast(app: &str, _seed: u64) -> Cast {
    let saga = |name: &str, topic: &str| {
        let text = format!(
            "saga: {name}\nversion: 1\nstart: {{ on: {app}.{topic}/Placed, key: event.key }}\n\
             data: {{ key: event.key }}\nsteps:\n  - step: tell\n    emit: {app}.taken/Taken\n    \
             with: {{ key: \"${{data.key}}\" }}\n    compensate: none\n"
        );
        (name.to_owned(), text)
    };
    let sagas = vec![saga("orders", "orders"), saga("facts", "facts")];
    Cast { sagas, scripts: Vec::new(), config: String::new() }
}

fn hermetic(seed: u64) -> World {
    World::hermetic_of(cast, EXACTLY_ONCE, seed)
}

fn real(name: &str, seed: u64) -> World {
    World::real_of(name, cast, EXACTLY_ONCE, seed)
}

/// So many events under keys that begin with a word.
fn events(topic: &Topic, word: &str, count: u64) -> Vec<Outgoing> {
    let event = |number| {
        let key = format!("{word}{number}");
        let mut headers = Headers::default();
        headers.push(header::TYPE, "Placed");
        let body = format!(r#"{{"key":"{key}"}}"#).into_bytes().into();
        Outgoing { topic: topic.clone(), key, headers, body }
    };
    (0..count).map(event).collect()
}

/// Follows which events were taken.
struct Taken {
    watch: Watch,
    /// What the engine says, for failures.
    log: PathBuf,
    keys: BTreeMap<String, u64>,
}

impl Taken {
    fn of(world: &World) -> Self {
        let topics = [world.topic("taken")];
        let log = world.log("a");
        let watch = Watch::over(&world.connection, &topics, Isolation::Committed, log.clone());
        Self { watch, log, keys: BTreeMap::new() }
    }

    fn look(&mut self) {
        for record in self.watch.news() {
            let key = record.key.as_deref().unwrap_or_default();
            *self.keys.entry(String::from_utf8_lossy(key).into_owned()).or_default() += 1;
        }
    }

    /// How many events under keys that begin with a word were taken.
    fn count(&self, word: &str) -> u64 {
        self.keys.iter().filter(|(key, _)| key.starts_with(word)).map(|(_, times)| times).sum()
    }

    /// Waits until so many of those were taken, each once.
    fn until(&mut self, word: &str, count: u64) {
        let begun = Instant::now();
        while self.count(word) < count {
            self.look();
            let (late, so_far) = (begun.elapsed() > PATIENCE, self.count(word));
            assert!(!late, "{so_far} of {count} {word}:\n{}", last_words(&self.log));
        }
        assert_eq!(self.count(word), count, "{word}: none is taken twice");
        assert!(self.keys.values().all(|times| *times == 1), "{:?}", self.keys);
    }
}

fn client(world: &World) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &world.connection.brokers);
    config
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

fn delete(world: &World, topic: &Topic) {
    let admin: AdminClient<DefaultClientContext> = client(world).create().expect("an admin client");
    let options = AdminOptions::new();
    let deleted = runtime().block_on(admin.delete_topics(&[topic.as_str()], &options));
    deleted.expect("an answer").into_iter().for_each(|done| drop(done.expect("deleted")));
}

/// Creates a topic that was deleted, empty.
fn create(world: &World, topic: &Topic) {
    let admin: AdminClient<DefaultClientContext> = client(world).create().expect("an admin client");
    let (runtime, options) = (runtime(), AdminOptions::new());
    let new = NewTopic::new(topic.as_str(), 4, TopicReplication::Fixed(1));
    // A cluster takes a moment to forget a name.
    until("the topic made anew", PATIENCE, || {
        let created = runtime.block_on(admin.create_topics([&new], &options)).ok()?;
        created.into_iter().all(|done| done.is_ok()).then_some(())
    });
}

/// What a person says on the command line.
fn accept(world: &World, topic: &Topic, further: &[&str]) {
    let config = world.config("a", "");
    let mut command = Command::new(program());
    command.args(["act", "accept-topic", topic.as_str(), "--why", "it was made anew"]);
    command.args(["--by", "ana", "--config"]).arg(config).args(further);
    let output = command.output().expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn dead_letters(world: &World) -> u64 {
    let topics = EngineTopics::new(&world.app).expect("legal names");
    let mut count = 0;
    world.read(&[topics.dead_letters], |_| count += 1);
    count
}

/// How often a node has said something.
fn said(world: &World, words: &str) -> usize {
    fs::read_to_string(world.log("a")).unwrap_or_default().matches(words).count()
}

/// 2,000 events, the topic is made anew while the engine is away or runs, then 50 new events.
fn made_anew(world: &World, away: bool) {
    let (orders, facts) = (world.topic("orders"), world.topic("facts"));
    let mut taken = Taken::of(world);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    world.send(&events(&orders, "old", 2_000));
    taken.until("old", 2_000);
    if away {
        assert!(engine.terminate().success(), "SIGTERM is a clean end");
        delete(world, &orders);
        create(world, &orders);
        world.send(&events(&orders, "new", 50));
        engine = world.engine("a");
    } else {
        delete(world, &orders);
        engine.says("it does not exist any more");
        world.send(&events(&facts, "meanwhile", 20));
        taken.until("meanwhile", 20);
        create(world, &orders);
        engine.says("it was deleted and created again");
        world.send(&events(&orders, "new", 50));
    }
    engine.says(&format!("segue act accept-topic {orders} --why"));
    world.send(&events(&facts, "fact", 20));
    taken.until("fact", 20);
    assert_eq!(taken.count("new"), 0, "nobody has accepted the topic");
    accept(world, &orders, &[]);
    taken.until("new", 50);
    // The same keys once more, and a restart: nothing comes again.
    engine.kill();
    let mut engine = world.engine("a");
    world.send(&events(&orders, "last", 5));
    taken.until("last", 5);
    taken.until("new", 50);
    assert!(engine.lives(), "{}", engine.last_words());
    assert_eq!(dead_letters(world), 0);
    accept(world, &orders, &[]);
    until("the refusal of an act that is not needed", PATIENCE, || {
        (dead_letters(world) == 1).then_some(())
    });
}

/// A second application on topics that are full of old events.
fn second(mut world: World) {
    let (orders, facts) = (world.topic("orders"), world.topic("facts"));
    let mut taken = Taken::of(&world);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let now = Timestamp(i64::try_from(now.as_millis()).expect("a near time"));
    let ago = |hours: u64| Timestamp(now.0 - i64::try_from(HOUR.0 * hours).expect("some hours"));
    let writer = Writer::open(&world.connection, "sender").expect("a writer");
    for (word, at) in [("old", ago(3)), ("young", ago(1))] {
        for topic in [&orders, &facts] {
            for message in events(topic, &format!("{word}-{topic}-"), ANSWERS_MAX) {
                writer.send(&message, Some(at)).expect("queued");
            }
        }
    }
    writer.flush(PATIENCE).expect("acknowledged");
    let per_topic = format!("{{ topics: {{ {orders}: earliest }} }}");
    let since = format!("{{ start-from: {} }}", ago(2));
    let mut all = BTreeSet::from([format!("old-{orders}-"), format!("old-{facts}-")]);
    all.extend([format!("young-{orders}-"), format!("young-{facts}-")]);
    let first = world.app.clone();
    for (name, sources, expected) in [
        ("latest", "{}", vec![]),
        (
            "one-topic",
            per_topic.as_str(),
            vec![format!("old-{orders}-"), format!("young-{orders}-")],
        ),
        ("since", since.as_str(), vec![format!("young-{orders}-"), format!("young-{facts}-")]),
        ("earliest", "{ start-from: earliest }", all.iter().cloned().collect()),
    ] {
        world.app = format!("{first}-{name}");
        world.sources = String::from(sources);
        let before: BTreeMap<String, u64> =
            all.iter().map(|word| (word.clone(), taken.count(word))).collect();
        let mut engine = Engine::start(&world.config(name, ""), &world.log(name));
        engine.says("source.begun");
        engine.says("runs as node");
        let marker = format!("{name}-marker-");
        world.send(&events(&orders, &marker, 8));
        world.send(&events(&facts, &format!("{marker}facts-"), 8));
        until(&format!("the events after the start of {name}"), PATIENCE, || {
            taken.look();
            let read = |(word, before): (&String, &u64)| {
                let more = if expected.contains(word) { ANSWERS_MAX } else { 0 };
                taken.count(word) >= before + more
            };
            (taken.count(&marker) >= 16 && before.iter().all(read)).then_some(())
        });
        assert!(engine.terminate().success(), "SIGTERM is a clean end");
        taken.look();
        for (word, before) in &before {
            let more = if expected.contains(word) { ANSWERS_MAX } else { 0 };
            assert_eq!(taken.count(word), before + more, "{name}: {word}");
        }
    }
}

/// A crash right after the first start changes nothing: what was there before is not read, what
/// comes while the engine is away is.
fn crashed(mut world: World) {
    world.sources = String::from("{}");
    let orders = world.topic("orders");
    world.send(&events(&orders, "old", 30));
    let mut taken = Taken::of(&world);
    let mut engine = world.engine("a");
    engine.says("source.begun");
    engine.kill();
    world.send(&events(&orders, "new", 20));
    let engine = world.engine("a");
    taken.until("new", 20);
    assert_eq!(taken.count("old"), 0);
    assert!(said(&world, "source.begun") <= 2, "{}", engine.last_words());
}

/// A log that ends before what was read of it, as after a broker has lost some: here the group's
/// offset is ahead. A person has to say from where.
fn cut_off(world: &World) {
    let (orders, facts) = (world.topic("orders"), world.topic("facts"));
    let mut taken = Taken::of(world);
    let engine = world.engine("a");
    world.send(&events(&orders, "old", 20));
    taken.until("old", 20);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let consumer: BaseConsumer =
        client(world).set("group.id", format!("{}.gateway", world.app)).create().expect("a client");
    let mut ahead = TopicPartitionList::new();
    ahead.add_partition_offset(orders.as_str(), 0, Offset::Offset(5_000)).expect("an offset");
    // As long as the engine's static member may come back, nobody else commits.
    until("the group's offset", PATIENCE, || {
        drop(consumer.poll(Duration::from_millis(100)));
        consumer.commit(&ahead, CommitMode::Sync).ok()
    });
    let mut engine = world.engine("a");
    engine.says("but was read up to 5000");
    world.send(&events(&facts, "fact", 20));
    taken.until("fact", 20);
    accept(world, &orders, &[]);
    until("the refusal of an act that does not say from where", PATIENCE, || {
        (dead_letters(world) == 1).then_some(())
    });
    accept(world, &orders, &["--from", "latest"]);
    engine.says("source.resumed");
    world.send(&events(&orders, "new", 20));
    taken.until("new", 20);
    taken.until("old", 20);
}

/// An older segue has written nothing down: what it was reading goes on from its offsets.
fn upgraded(mut world: World) {
    world.sources = String::from("{}");
    let orders = world.topic("orders");
    world.send(&events(&orders, "old", 20));
    let mut taken = Taken::of(&world);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    world.send(&events(&orders, "known", 20));
    taken.until("known", 20);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    delete(&world, &EngineTopics::new(&world.app).expect("legal names").sources);
    world.send(&events(&orders, "new", 20));
    let mut engine = world.engine("a");
    engine.says("read by an older segue");
    taken.until("new", 20);
    taken.until("known", 20);
    assert_eq!(taken.count("old"), 0);
}

#[test]
fn a_topic_that_was_cut_off_waits_for_a_person_who_says_from_where() {
    cut_off(&hermetic(79));
}

#[test]
fn an_application_of_an_older_segue_goes_on_from_its_offsets() {
    upgraded(hermetic(80));
}

#[test]
fn a_topic_made_anew_while_the_engine_is_away_waits_for_a_person() {
    made_anew(&hermetic(71), true);
}

#[test]
fn a_topic_made_anew_while_the_engine_runs_waits_for_a_person() {
    made_anew(&hermetic(72), false);
}

#[test]
fn a_second_application_takes_of_old_topics_what_it_is_told() {
    second(hermetic(73));
}

#[test]
fn a_crash_right_after_the_first_start_changes_nothing() {
    crashed(hermetic(74));
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_topic_made_anew_while_the_engine_is_away_waits_for_a_person_on_kafka() {
    made_anew(&real("anew-away", 75), true);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_topic_made_anew_while_the_engine_runs_waits_for_a_person_on_kafka() {
    made_anew(&real("anew-running", 76), false);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_second_application_takes_of_old_topics_what_it_is_told_on_kafka() {
    second(real("second", 77));
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_crash_right_after_the_first_start_changes_nothing_on_kafka() {
    crashed(real("crashed", 78));
}
