/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its place in the file, such as `kafka.brokers`.
    pub path: &'static str,
    /// Its shape.
    pub kind: Kind,
    /// What holds when nobody says otherwise; empty for nothing.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
}

/// The shape of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A single value.
    Text,
    /// A single value that is never shown.
    Secret,
    /// A list of values; a single one may stand alone.
    List,
    /// Names with values.
    Map,
}

const fn text(path: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { path, kind: Kind::Text, default, about }
}

const fn list(path: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { path, kind: Kind::List, default, about }
}

const fn map(path: &'static str, about: &'static str) -> Key {
    Key { path, kind: Kind::Map, default: "", about }
}

const fn secret(path: &'static str, about: &'static str) -> Key {
    Key { path, kind: Kind::Secret, default: "", about }
}

/// Every key there is, with its default and what it does.
pub const KEYS: &[Key] = &[
    text("app", "segue", "Prefix of the engine's topics, consumer groups and transactional ids."),
    text(
        "node",
        "",
        "This node's name in the group, the same after a restart; default: host name.",
    ),
    list("sagas", "sagas", "Files and folders with definitions."),
    text(
        "data",
        "./data",
        "Folder of the local checkpoint; may be deleted while segue is stopped.",
    ),
    list("kafka.brokers", "127.0.0.1:9092", "Brokers to ask first, host:port."),
    text("kafka.security.protocol", "plaintext", "plaintext, ssl, sasl-plaintext or sasl-ssl."),
    text("kafka.security.mechanism", "scram-sha-512", "plain, scram-sha-256 or scram-sha-512."),
    text("kafka.security.username", "", "Name for SASL."),
    secret("kafka.security.password", "Password for SASL; better in a file."),
    text("kafka.security.password-file", "", "File that holds the password."),
    text("kafka.security.ca-file", "", "Certificates of the authorities to trust, PEM."),
    text("kafka.security.cert-file", "", "This client's certificate, PEM."),
    text("kafka.security.key-file", "", "This client's private key, PEM."),
    map("kafka.options", "Further settings of librdkafka, from a list of allowed ones."),
    text("topics.mode", "create", "create: missing engine topics are made; require: they are not."),
    text("topics.shards", "4", "Partitions of inbox and changelog; fixed once there is data."),
    text(
        "topics.replication",
        "auto",
        "Copies of each engine topic: auto is one a broker, three at most; -1 leaves it to them.",
    ),
    text("topics.history-retention", "7d", "How long the history is kept."),
    text("topics.dead-letter-retention", "14d", "How long dead letters are kept."),
    text("topics.inbox-retention", "7d", "How long inbox records are kept, for replays."),
    text("topics.changelog-delete-retention", "1d", "How long the changelog keeps removals."),
    text("delivery", "exactly-once", "exactly-once, or at-least-once for the lowest latency."),
    text("pipelines", "1", "Threads that own shards, each with a transactional producer."),
    text("batch.records-max", "2000", "The most inbox records of one transaction."),
    text("batch.bytes-max", "4MiB", "The most bytes of one transaction."),
    text("batch.wait", "5ms", "The least time to gather while records wait."),
    text("checkpoint.every", "5s", "How often committed state goes to the local checkpoint."),
    text("checkpoint.bytes", "8MiB", "A checkpoint is made early when so much has gathered."),
    text("memory.cache-bytes", "6MiB", "What the local checkpoint may keep in memory."),
    text("limits.event-bytes-max", "1MiB", "The largest event that is taken, headers included."),
    text("limits.data-bytes-max", "256KiB", "The largest data of one saga."),
    text("limits.instance-bytes-max", "4MiB", "The most that one instance remembers in all."),
    text("limits.message-bytes-max", "512KiB", "The largest message that is sent."),
    text("limits.reason-bytes-max", "1KiB", "The longest reason; the rest is cut off."),
    text("limits.queued-max", "16", "The most starts that wait for one instance to end."),
    text("limits.early-max", "1000", "The most events that one instance keeps for a later step."),
    text("limits.early-bytes-max", "256KiB", "The most that these events take in all."),
    text("limits.ids-max", "32", "The most cancels and acts of one life that are told apart."),
    text("limits.lock-waiting-max", "1000", "The most steps that wait for one lock."),
    text(
        "limits.lock-late",
        "24h",
        "How long a lock without `within` is asked for again for a late undoing.",
    ),
    text("limits.lock-kept", "7d", "How long a lock that nobody holds is remembered."),
    text("limits.insist", "24h", "How long `unknown: retry` goes on after its attempts."),
    text("unmatched.default", "dead-letter", "Events that nobody waits for: dead-letter or count."),
    map(
        "unmatched.topics",
        "The same for single topics; it holds for tombstones and records without a type too.",
    ),
    text(
        "sources.start-from",
        "latest",
        "Where a topic is begun that was not read before: latest, earliest or a moment (RFC 3339).",
    ),
    map("sources.topics", "The same for single topics."),
    list(
        "calls.allow",
        "",
        "Hosts that `call` steps may ask, such as api.example.org, *.a.org, b:81.",
    ),
    list(
        "calls.allow-private",
        "",
        "The same by exact name, also on this machine or its networks.",
    ),
    text("calls.ca-file", "", "Authorities to trust instead of the machine's, PEM."),
    text("calls.at-once-max", "64", "The most calls at once."),
    text("calls.host-at-once-max", "8", "The most calls at once to one host."),
    text("calls.waiting-max", "1000", "The most calls that wait; further ones fail at once."),
    text("calls.host-waiting-max", "200", "The most calls that wait for one host."),
    text("calls.body-bytes-max", "256KiB", "The largest body of an answer; a larger one fails."),
    text(
        "calls.failures-max",
        "5",
        "A host that fails so often in a row is left alone for a while.",
    ),
    text("calls.pause", "10s", "How long it is left alone before one call tries it again."),
    text("view.path", "", "Folder of the view's index, which may be deleted; default: in `data`."),
    text("view.keep", "", "How long an ended instance stays listed after it is forgotten."),
    text(
        "api.listen",
        "127.0.0.1:8900",
        "Where the API listens, address:port; empty turns it off.",
    ),
    text(
        "api.auth.tokens",
        "",
        "File with a line of `segue token new` for each token; beyond loopback it must be set.",
    ),
    text("api.auth.oidc.issuer", "", "OpenID provider whose tokens count too, by its address."),
    text("api.auth.oidc.audience", "", "Whom its tokens must be for (`aud`)."),
    text("api.auth.oidc.name-claim", "sub", "The claim with the name that acts carry."),
    text("api.auth.oidc.role-claim", "groups", "The claim with groups; dots lead into objects."),
    map("api.auth.oidc.roles", "The role of each group: viewer, operator or admin."),
    text("api.auth.oidc.ca-file", "", "Authorities to trust instead of the machine's, PEM."),
    text(
        "api.tls.certificate",
        "",
        "Certificate of the API and its chain, PEM; read when renewed.",
    ),
    text("api.tls.key", "", "Its private key, PEM."),
    text("api.requests-max", "100", "The most requests a second of one token."),
    text(
        "operator.key-file",
        "",
        "Keys that acts are signed with, 64 hexadecimal digits a line; the first signs.",
    ),
    text("watchdog", "60s", "A call to Kafka that hangs for so long ends the process."),
    text("telemetry.endpoint", "", "OTLP receiver of traces (HTTP), such as http://host:4318."),
    text("log.format", "text", "text or json."),
    text("log.level", "info", "error, warn, info, debug or trace; SEGUE_LOG says it in detail."),
];

/// The key of that path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether keys stand below that path.
pub(super) fn is_group(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

impl Key {
    /// The name of its environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        let name = self.path.to_ascii_uppercase();
        format!("SEGUE_{}", name.replace('.', "__").replace('-', "_"))
    }
}

/// The likeliest of some names for one that is unknown, if any is near.
pub(super) fn nearest(wrong: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let near = |name: String| (strsim::normalized_damerau_levenshtein(wrong, &name), name);
    let best = names.map(near).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.6).then_some(best.1)
}
