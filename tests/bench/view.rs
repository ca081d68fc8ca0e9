//! Measures the view over very many instances: how long it takes to build it, what it takes on the
//! disk and in memory, and how long people wait for a list or one instance.
//!
//! `cargo bench --bench view -- --help` tells the options. The topics are filled on a development
//! broker of this process, so its memory is told apart from the view's by what came before.

// A benchmark reads the clock.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use hdrhistogram::Histogram;
use segue::broker::{Connection, TopicSpec, Writer, create_topics, definitions};
use segue::config::App;
use segue::definition::{Catalog, parse};
use segue::devbroker::{self, DevBroker};
use segue::engine::{Input, Instance, Wake, next_due, step};
use segue::format::{changelog, seal, wire};
use segue::message::{
    Event, EventSource, EventType, Headers, InstanceId, Key, Outgoing, SagaName, Span, Timestamp,
    Topic,
};
use segue::status::{LifeState, Masks};
use segue::view::{Filter, Settings, Sort, View};
use tempfile::TempDir;

const APP: &str = "bench";
const SHARDS: u32 = 4;
/// The entries of the history of the instance that is looked at.
const ENTRIES: u64 = 100;
/// So many instances have a history. Here partitions are chosen by keys, not by shards as an engine
/// chooses them, so that only of some it stands beside what the changelog says of them.
const HISTORIES: u64 = 16;
/// How long an instance is remembered: longer than the benchmark takes.
const DEFINITION: &str = "saga: order
version: 1
title: A sale
start: { on: shop/Placed, key: event.id }
data: { id: event.id, total: event.total, customer: event.customer }
late: 30d
within: 60d
steps:
  - step: charge
    command: pay/Charge
    with: { total: '${data.total}' }
    done: paid/Charged
    failed: { on: paid/Declined, reason: event.why }
    within: 10s
    retry: { attempts: 2, first: 1s, factor: 1, most: 1s }
    compensate: none
  - { step: rest, wait: shop/Rested, within: 30d }
";

/// Measures the view over very many instances.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench view --")]
struct Options {
    /// So many instances stand in the changelog.
    #[arg(long, default_value_t = 1_000_000)]
    instances: u64,
    /// So many times each question is asked.
    #[arg(long, default_value_t = 200)]
    asked: u32,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let broker = DevBroker::start(devbroker::Options::default())?;
    let connection = Connection::plain(&broker.address());
    let began = Instant::now();
    fill(&connection, options.instances)?;
    println!("{} instances written in {:.1?}", options.instances, began.elapsed());
    let folder = TempDir::new()?;
    let before = memory_kib()?;
    let settings = Settings {
        connection,
        app: App::new(APP).map_err(anyhow::Error::msg)?,
        folder: folder.path().to_owned(),
        age_max: Span::hours(12),
        keep: None,
        limits: segue::definition::Limits::default(),
        signatures: segue::view::Signatures::default(),
    };
    let (began, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let (view, follower) = View::start(&settings, Arc::clone(&stop))?;
    while !view.wait(Duration::from_secs(1)).is_whole {}
    println!("built in {:.1?}", began.elapsed());
    println!("on the disk {} MiB", disk_bytes(folder.path())? >> 20);
    println!("in memory {} MiB more than before", memory_kib()?.saturating_sub(before) >> 10);
    ask(&view, &options)?;
    stop.store(true, Ordering::Relaxed);
    follower.join().map_err(|_| anyhow::anyhow!("the view has panicked"))?;
    Ok(())
}

/// Asks each question so many times, and tells how long it took.
fn ask(view: &View, options: &Options) -> Result<()> {
    let none = Filter::default;
    let saga = Some(SagaName::new("order")?);
    let of = |state| Filter { states: vec![state], ..none() };
    let error = view.instances(&of(LifeState::Compensated), Sort::Newest, None, 1)?.found;
    let error = error.instances.first().and_then(|row| row.error);
    let middle = options.instances / 2;
    let questions = [
        ("no filter", none()),
        ("state: waiting", of(LifeState::Waiting)),
        ("state: retrying", of(LifeState::Retrying)),
        (
            "states: two",
            Filter { states: vec![LifeState::Retrying, LifeState::Completed], ..none() },
        ),
        ("saga", Filter { saga: saga.clone(), ..none() }),
        ("saga and version", Filter { saga, version: Some(segue::message::Version(1)), ..none() }),
        ("step", Filter { step: Some("rest".to_owned()), ..none() }),
        ("error", Filter { error, ..none() }),
        ("key prefix of all", Filter { key_prefix: Some("o-".to_owned()), ..none() }),
        (
            "key prefix of ten",
            Filter { key_prefix: Some(format!("o-{:07}", middle / 10)), ..none() },
        ),
        ("age", Filter { started_before: Some(started(middle)), ..none() }),
    ];
    for (name, filter) in questions {
        measure(&format!("50 by {name}"), options.asked, || {
            let page = view.instances(&filter, Sort::Newest, None, 50)?.found;
            ensure!(!page.instances.is_empty(), "nothing is listed");
            Ok(())
        })?;
    }
    measure("50 behind half of them", options.asked, || {
        let cursor = format!("{:x}-{:x}", started(middle).0, middle);
        view.instances(&none(), Sort::Newest, Some(&cursor), 50)?;
        Ok(())
    })?;
    measure("counts", options.asked, || {
        view.counts(None)?;
        Ok(())
    })?;
    measure("attention", options.asked, || {
        view.attention()?;
        Ok(())
    })?;
    measure("sagas", options.asked, || {
        view.sagas()?;
        Ok(())
    })?;
    let told = |id: &InstanceId| -> Result<u64> {
        let entries = view.history(id, usize::MAX)?.found.unwrap_or_default();
        Ok(u64::try_from(entries.len())?)
    };
    let ids = (0..HISTORIES).map(id).collect::<Result<Vec<_>>>()?;
    let whole = ids.iter().find(|id| told(id).is_ok_and(|entries| entries == ENTRIES));
    let whole = whole.context("no history stands beside its instance")?;
    measure("one with 100 entries", options.asked, || {
        let found = view.instance(whole, Masks::On)?.found;
        ensure!(found.is_some() && told(whole)? == ENTRIES, "not all is there");
        Ok(())
    })
}

fn measure(name: &str, times: u32, mut ask: impl FnMut() -> Result<()>) -> Result<()> {
    let mut took = Histogram::<u64>::new(3)?;
    for _ in 0..times {
        let start = Instant::now();
        ask().with_context(|| name.to_owned())?;
        took.record(u64::try_from(start.elapsed().as_micros())?)?;
    }
    let [p50, p99] =
        [0.5, 0.99].map(|quantile| Duration::from_micros(took.value_at_quantile(quantile)));
    println!("{name}: p50 {p50:.1?}, p99 {p99:.1?}");
    Ok(())
}

/// Fills the engine's topics as an engine would.
fn fill(connection: &Connection, instances: u64) -> Result<()> {
    let topic = |name: &str| Topic::new(&format!("{APP}.{name}"));
    let spec = |name: &str| -> Result<TopicSpec> {
        let partitions = if name == "definitions" { 1 } else { SHARDS };
        Ok(TopicSpec { name: topic(name)?, partitions, replication: 1, settings: Vec::new() })
    };
    let names = ["changelog", "history", "dead-letters", "definitions"];
    create_topics(connection, &names.map(spec).into_iter().collect::<Result<Vec<_>>>()?)?;
    let text = [("order/1".to_owned(), DEFINITION.to_owned())].into();
    definitions::publish(connection, APP, &text)?;
    let shapes = shapes()?;
    let writer = Writer::open(connection, "bench")?;
    let patience = Duration::from_secs(600);
    for number in 0..instances {
        // Out of a hundred most are done.
        let shape = match number % 100 {
            0..70 => &shapes[0],
            70..80 => &shapes[1],
            80..95 => &shapes[2],
            _ => &shapes[3],
        };
        let mut instance = shape.clone();
        for life in &mut instance.lives {
            let since = started(number).0 - life.started.0;
            life.started = started(number);
            life.ended = life.ended.map(|ended| Timestamp(ended.0 + since));
        }
        let key = changelog::instance_key(&id(number)?);
        let key = String::from_utf8(key.to_vec())?;
        let (headers, body) = (Headers::default(), instance.encode().into());
        let message = Outgoing { topic: topic("changelog")?, key, headers, body };
        writer.send(&message, None)?;
        if number % 100_000 == 0 {
            writer.flush(patience)?;
        }
    }
    for (number, transition) in (0..HISTORIES).flat_map(|n| (1..=ENTRIES).map(move |t| (n, t))) {
        let id = id(number)?;
        let entry = wire::Entry {
            saga: id.saga.to_string(),
            key: id.key.to_string(),
            life: 1,
            transition,
            ..wire::Entry::default()
        };
        let (headers, body) = (Headers::default(), seal(&entry).into());
        let message = Outgoing { topic: topic("history")?, key: id.to_string(), headers, body };
        writer.send(&message, None)?;
    }
    Ok(writer.flush(patience)?)
}

/// An instance that is done, one that went back, one that waits, and one that tries again.
fn shapes() -> Result<[Instance; 4]> {
    let mut catalog = Catalog::default();
    let definition = parse("order.yaml", DEFINITION).map_err(|e| anyhow::anyhow!("{e}"))?;
    catalog.add(definition)?;
    let begun = told(&catalog, None, "shop", "Placed")?;
    let waits = told(&catalog, Some(&begun), "paid", "Charged")?;
    let done = told(&catalog, Some(&waits), "shop", "Rested")?;
    let back = told(&catalog, Some(&begun), "paid", "Declined")?;
    let due = next_due(&begun).context("a command has a time")?;
    let again = step(&catalog, &id(0)?, Some(&begun), &Input::Wake(Wake::DUE), due);
    let again = again.map_err(|e| anyhow::anyhow!("{e}"))?.after.context("it lives")?;
    Ok([done, back, waits, again])
}

fn told(
    catalog: &Catalog,
    before: Option<&Instance>,
    topic: &str,
    event: &str,
) -> Result<Instance> {
    let body = serde_json::json!({
        "id": "o-00000000", "total": 4711, "customer": "c-00017", "why": "no cover for 4711",
    });
    let event = Event {
        address: segue::message::Address {
            topic: Topic::new(topic)?,
            event_type: EventType::new(event),
        },
        source: EventSource::Unnamed,
        id: event.to_owned(),
        key: None,
        body,
        command: None,
        trace_parent: None,
        timestamp: started(0),
    };
    let made = step(catalog, &id(0)?, before, &Input::Event(event), started(0));
    match made.map_err(|e| anyhow::anyhow!("{e}"))?.after {
        Some(instance) => Ok(instance),
        None => bail!("it is forgotten at once"),
    }
}

fn id(number: u64) -> Result<InstanceId> {
    Ok(InstanceId { saga: SagaName::new("order")?, key: Key::new(&format!("o-{number:08}"))? })
}

/// When an instance started: some start at the same moment.
fn started(number: u64) -> Timestamp {
    Timestamp(1_790_000_000_000).after(Span(number / 3 * 7))
}

fn disk_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// The resident memory of this process.
fn memory_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).context("VmRSS is told")?;
    Ok(kib.parse()?)
}
