use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::api;
use super::keys::nearest;
use super::options::{allowed, is_allowed};
use super::settings::Settings;
use super::{
    App, Batch, Checkpoint, Config, Delivery, Error, Export, Kafka, Level, Log, LogFormat,
    Mechanism, Memory, Node, OnUnmatched, Protocol, Replication, Secret, Security, Size, Sources,
    TopicMode, Topics, Unmatched,
};
use crate::calls::{Allow, HostName, Pattern, Settings as Calls};
use crate::definition::Limits;
use crate::message::{Span, StartFrom, Topic};

/// More partitions than any Kafka cluster is happy with.
const SHARDS_MAX: u32 = 4096;
/// The sizes that Kafka's and sled's settings can hold.
const BYTES_MAX: u64 = i32::MAX as u64;
/// The longest that anything is kept for people.
const YEAR_MS: u64 = 366 * 86_400_000;
/// A call's answer must fit into an inbox record, and that into what brokers take: 1 MB.
const ANSWER_BYTES_MAX: u64 = 512 * 1024;
const FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
const LEVELS: &[(&str, Level)] = &[
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
];

/// Makes a configuration of what was written.
pub(super) fn config(mut from: Settings) -> Result<Config, Error> {
    let app = from.take("app", App::new);
    let host = host_name();
    let node = from.take("node", |text| Node::new(if text.is_empty() { &host } else { text }));
    let telemetry = Export {
        endpoint: from.optional("telemetry.endpoint", url),
        service: app.to_string(),
        node: node.to_string(),
    };
    let data = from.take("data", path);
    let view_path = from.optional("view.path", path);
    let mut config = Config {
        sagas: from.list("sagas", path),
        view_path: view_path.unwrap_or_else(|| data.join("view")),
        view_keep: from.optional("view.keep", span(1, YEAR_MS)),
        data,
        kafka: kafka(&mut from),
        topics: topics(&mut from),
        delivery: from.take("delivery", one_of(Delivery::WORDS)),
        pipelines: from.take("pipelines", number(1, 64)),
        batch: Batch {
            records_max: from.take("batch.records-max", number(1, 1_000_000)),
            bytes_max: from.take("batch.bytes-max", size(1024, BYTES_MAX)),
            wait: from.take("batch.wait", span(0, 10_000)),
        },
        checkpoint: Checkpoint {
            every: from.take("checkpoint.every", span(1, 3_600_000)),
            bytes: from.take("checkpoint.bytes", size(1024, BYTES_MAX)),
        },
        memory: Memory { cache_bytes: from.take("memory.cache-bytes", size(1 << 20, 1 << 40)) },
        limits: limits(&mut from),
        unmatched: unmatched(&mut from),
        sources: sources(&mut from),
        calls: calls(&mut from),
        api: api::read(&mut from),
        operator_key_file: from.optional("operator.key-file", file),
        watchdog: from.take("watchdog", span(1000, 86_400_000)),
        log: Log {
            format: from.take("log.format", one_of(FORMATS)),
            level: from.take("log.level", one_of(LEVELS)),
        },
        telemetry,
        app,
        node,
        settings: Vec::new(),
    };
    if config.pipelines > config.topics.shards {
        let words = format!("is more than the {} `topics.shards`", config.topics.shards);
        from.refuse_key("pipelines", &words);
    }
    let (settings, problems) = from.finish();
    if !problems.is_empty() {
        return Err(Error::Settings(problems));
    }
    config.settings = settings;
    Ok(config)
}

fn kafka(from: &mut Settings) -> Kafka {
    let brokers = from.list("kafka.brokers", broker);
    let security = security(from);
    let mut options = BTreeMap::new();
    for (name, value) in from.map("kafka.options") {
        if is_allowed(&name) {
            options.insert(name, value);
            continue;
        }
        let near = nearest(&name, allowed().map(str::to_owned));
        let advice = near.map_or_else(
            || format!("it takes {}", allowed().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let words = format!("does not take `{name}`; {advice}");
        from.refuse_key("kafka.options", &words);
    }
    Kafka { brokers, security, options }
}

fn security(from: &mut Settings) -> Security {
    let protocol = from.take("kafka.security.protocol", one_of(Protocol::WORDS));
    let password = from.optional("kafka.security.password", |text| Ok(Secret::new(text)));
    let from_file = from.optional("kafka.security.password-file", secret_file);
    let security = Security {
        protocol,
        mechanism: from.take("kafka.security.mechanism", one_of(Mechanism::WORDS)),
        username: from.optional("kafka.security.username", |text| Ok(text.to_owned())),
        password: password.clone().or(from_file.clone()),
        ca_file: from.optional("kafka.security.ca-file", file),
        cert_file: from.optional("kafka.security.cert-file", file),
        key_file: from.optional("kafka.security.key-file", file),
    };
    if password.is_some() && from_file.is_some() {
        from.refuse_key("kafka.security.password", "and `password-file` are both set; keep one");
    }
    let protocol_key = "kafka.security.protocol";
    if protocol.has_login() {
        if security.username.is_none() {
            from.refuse_key(protocol_key, "needs `kafka.security.username`");
        }
        // A password file that was refused has said so itself.
        if security.password.is_none() && !from.is_set("kafka.security.password-file") {
            from.refuse_key(protocol_key, "needs `kafka.security.password-file`");
        }
    } else {
        for path in
            ["kafka.security.username", "kafka.security.password", "kafka.security.password-file"]
        {
            if from.is_set(path) {
                from.refuse_key(path, "has no effect; set `protocol: sasl-ssl`");
            }
        }
    }
    if !protocol.is_encrypted() {
        for path in
            ["kafka.security.ca-file", "kafka.security.cert-file", "kafka.security.key-file"]
        {
            if from.is_set(path) {
                from.refuse_key(path, "has no effect; set `protocol: ssl` or `sasl-ssl`");
            }
        }
    }
    if security.cert_file.is_some() != security.key_file.is_some() {
        let path = if security.cert_file.is_some() { "cert-file" } else { "key-file" };
        let words = "stands alone; a certificate needs its key and a key its certificate";
        from.refuse_key(&format!("kafka.security.{path}"), words);
    }
    security
}

fn topics(from: &mut Settings) -> Topics {
    /// A minute to a hundred years.
    const RETENTION: (u64, u64) = (60_000, 100 * 366 * 86_400_000);
    let (least, most) = RETENTION;
    Topics {
        mode: from.take("topics.mode", one_of(TopicMode::WORDS)),
        shards: from.take("topics.shards", number(1, SHARDS_MAX)),
        replication: from.take("topics.replication", Replication::from_str),
        history_retention: from.take("topics.history-retention", span(least, most)),
        dead_letter_retention: from.take("topics.dead-letter-retention", span(least, most)),
        inbox_retention: from.take("topics.inbox-retention", span(least, most)),
        changelog_delete_retention: from
            .take("topics.changelog-delete-retention", span(least, most)),
    }
}

fn limits(from: &mut Settings) -> Limits {
    /// What is refused must be told, and a record must hold it: see [`Limits`].
    const BYTES: (u64, u64) = (1024, 4 * 1024 * 1024);
    /// A minute to a year.
    const TIME: (u64, u64) = (60_000, 366 * 86_400_000);
    let bytes = |from: &mut Settings, path, (least, most)| {
        let size = from.take(path, size(least, most));
        usize::try_from(size.0).unwrap_or(usize::MAX)
    };
    let time = |from: &mut Settings, path| from.take(path, span(TIME.0, TIME.1));
    let limits = Limits {
        event_bytes_max: bytes(from, "limits.event-bytes-max", BYTES),
        data_bytes_max: bytes(from, "limits.data-bytes-max", BYTES),
        instance_bytes_max: bytes(from, "limits.instance-bytes-max", BYTES),
        message_bytes_max: bytes(from, "limits.message-bytes-max", BYTES),
        reason_bytes_max: bytes(from, "limits.reason-bytes-max", (80, 1024)),
        queued_max: from.take("limits.queued-max", number(1, 10_000)),
        early_max: from.take("limits.early-max", number(1, 10_000)),
        early_bytes_max: bytes(from, "limits.early-bytes-max", BYTES),
        ids_max: from.take("limits.ids-max", number(8, 128)),
        lock_waiting_max: from.take("limits.lock-waiting-max", number(1, 10_000)),
        lock_late: time(from, "limits.lock-late"),
        lock_kept: time(from, "limits.lock-kept"),
        insist: time(from, "limits.insist"),
    };
    if limits.data_bytes_max > limits.instance_bytes_max {
        let words = "is more than `limits.instance-bytes-max`, of which it is a part";
        from.refuse_key("limits.data-bytes-max", words);
    }
    limits
}

fn unmatched(from: &mut Settings) -> Unmatched {
    let mut topics = BTreeMap::new();
    for (name, word) in from.map("unmatched.topics") {
        match (Topic::new(&name), one_of(OnUnmatched::WORDS)(&word)) {
            (Ok(topic), Ok(on)) => {
                topics.insert(topic, on);
            }
            (Err(e), _) => from.refuse_key("unmatched.topics", &format!("is wrong: {e}")),
            (Ok(_), Err(words)) => {
                from.refuse_key("unmatched.topics", &format!("is wrong for {name}: {words}"));
            }
        }
    }
    Unmatched { default: from.take("unmatched.default", one_of(OnUnmatched::WORDS)), topics }
}

fn sources(from: &mut Settings) -> Sources {
    let mut topics = BTreeMap::new();
    for (name, text) in from.map("sources.topics") {
        match (Topic::new(&name), text.parse()) {
            (Ok(topic), Ok(start)) => {
                topics.insert(topic, start);
            }
            (Err(e), _) => from.refuse_key("sources.topics", &format!("is wrong: {e}")),
            (Ok(_), Err(words)) => {
                from.refuse_key("sources.topics", &format!("is wrong for {name}: {words}"));
            }
        }
    }
    Sources { start_from: from.take("sources.start-from", StartFrom::from_str), topics }
}

fn calls(from: &mut Settings) -> Calls {
    let allow = Allow {
        public: from.list_or_none("calls.allow", Pattern::from_str),
        private: from.list_or_none("calls.allow-private", HostName::from_str),
    };
    let bytes_max = from.take("calls.body-bytes-max", size(1024, ANSWER_BYTES_MAX));
    let pause = from.take("calls.pause", span(100, 3_600_000));
    Calls {
        allow,
        ca_file: from.optional("calls.ca-file", file),
        at_once_max: from.take("calls.at-once-max", number(1, 4096)),
        host_at_once_max: from.take("calls.host-at-once-max", number(1, 4096)),
        waiting_max: from.take("calls.waiting-max", number(1, 1_000_000)),
        host_waiting_max: from.take("calls.host-waiting-max", number(1, 1_000_000)),
        body_bytes_max: usize::try_from(bytes_max.0).unwrap_or(usize::MAX),
        failures_max: from.take("calls.failures-max", number(1, 1_000_000)),
        pause: Duration::from_millis(pause.0),
    }
}

fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            format!("`{text}` is not one of {}", all.join(", "))
        })
    }
}

pub(super) fn number<T: FromStr + PartialOrd + Copy + ToString>(
    least: T,
    most: T,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| match text.parse() {
        Ok(number) if number >= least && number <= most => Ok(number),
        Ok(_) | Err(_) => {
            let (least, most) = (least.to_string(), most.to_string());
            Err(format!("`{text}` is not a number from {least} to {most}"))
        }
    }
}

fn span(least_ms: u64, most_ms: u64) -> impl Fn(&str) -> Result<Span, String> {
    move |text| {
        let span: Span = text.parse().map_err(|e: crate::message::Error| e.to_string())?;
        if (least_ms..=most_ms).contains(&span.0) {
            Ok(span)
        } else {
            Err(format!("`{text}` is not from {} to {}", Span(least_ms), Span(most_ms)))
        }
    }
}

fn size(least: u64, most: u64) -> impl Fn(&str) -> Result<Size, String> {
    move |text| {
        let size: Size = text.parse()?;
        if (least..=most).contains(&size.0) {
            Ok(size)
        } else {
            Err(format!("`{text}` is not from {} to {}", Size(least), Size(most)))
        }
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("a path is missing".to_owned()) } else { Ok(PathBuf::from(text)) }
}

pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    // Opened, because librdkafka's own complaint names no file.
    fs::File::open(text).map_err(|e| format!("`{text}` cannot be read: {e}"))?;
    Ok(PathBuf::from(text))
}

fn secret_file(text: &str) -> Result<Secret, String> {
    let secret = fs::read_to_string(text).map_err(|e| format!("`{text}` cannot be read: {e}"))?;
    // Editors and `echo` end a file with a line break that is no part of the secret.
    match secret.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("`{text}` is empty")),
        secret => Ok(Secret::new(secret)),
    }
}

fn broker(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    match port.map(str::parse::<u16>) {
        Some(Ok(1..)) if !text.contains(['/', ' ', ',']) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is not a broker; write host:port, such as 127.0.0.1:9092")),
    }
}

pub(super) fn url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(host) if !host.is_empty() && !host.starts_with('/') && !host.contains(' ') => {
            Ok(text.to_owned())
        }
        _ => Err(format!("`{text}` is not an HTTP address; write such as http://127.0.0.1:4318")),
    }
}

/// The machine's name, as far as it can name a node.
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    let name = name.trim();
    if Node::new(name).is_ok() { name.to_owned() } else { "node".to_owned() }
}
