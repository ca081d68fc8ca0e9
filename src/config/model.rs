use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::Setting;
use super::settings::Settings;
use super::values::{App, Node, Replication, Secret, Size};
use super::words::{Delivery, Mechanism, OnUnmatched, Protocol, TopicMode};
use crate::calls::Settings as Calls;
use crate::definition::Limits;
use crate::message::{Span, StartFrom, Topic};
use crate::telemetry::{Export, Log};

/// Everything that can be set; [`super::KEYS`] says what each key does.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Prefix of the engine's topics, groups and transactional ids.
    pub app: App,
    /// This node's static membership name.
    pub node: Node,
    /// Files and folders with definitions.
    pub sagas: Vec<PathBuf>,
    /// Folder of the local checkpoint.
    pub data: PathBuf,
    /// How to reach Kafka.
    pub kafka: Kafka,
    /// The engine's own topics.
    pub topics: Topics,
    /// How often a command may be sent.
    pub delivery: Delivery,
    /// Threads that own shards.
    pub pipelines: u32,
    /// Bounds of one transaction.
    pub batch: Batch,
    /// When committed state goes to the disk.
    pub checkpoint: Checkpoint,
    /// What may be kept in memory.
    pub memory: Memory,
    /// What the engine bears at most; the same on every node.
    pub limits: Limits,
    /// What becomes of events that nobody waits for.
    pub unmatched: Unmatched,
    /// Where topics are begun that were not read before.
    pub sources: Sources,
    /// Whom `call` steps may ask, and the bounds of it.
    pub calls: Calls,
    /// Folder of the view's index.
    pub view_path: PathBuf,
    /// How long an ended instance stays listed after it is forgotten; none takes it out at once.
    pub view_keep: Option<Span>,
    /// How people and programs look at sagas and act on them.
    pub api: Listening,
    /// The keys that acts are signed with; without them the topic's rights alone say who may act.
    pub operator_key_file: Option<PathBuf>,
    /// A commit without progress for so long ends the process.
    pub watchdog: Span,
    /// Where traces go.
    pub telemetry: Export,
    /// How to write the log.
    pub log: Log,
    /// Every setting as it was written and where.
    pub settings: Vec<Setting>,
}

impl Default for Config {
    fn default() -> Self {
        super::read::config(Settings::default()).expect("every default holds; a test reads them")
    }
}

/// How to reach Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// Brokers to ask first, host:port.
    pub brokers: Vec<String>,
    /// How the connection is secured.
    pub security: Security,
    /// Further settings of librdkafka, all of them allowed.
    pub options: BTreeMap<String, String>,
}

/// How the connection to Kafka is secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// Encrypted or not, with a login or not.
    pub protocol: Protocol,
    /// How a login is proved.
    pub mechanism: Mechanism,
    /// The login's name; always there with a SASL protocol.
    pub username: Option<String>,
    /// The login's password, already read from its file; always there with a SASL protocol.
    pub password: Option<Secret>,
    /// Authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// This client's certificate.
    pub cert_file: Option<PathBuf>,
    /// This client's private key.
    pub key_file: Option<PathBuf>,
}

/// The engine's own topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// Whether missing ones are made.
    pub mode: TopicMode,
    /// Partitions of inbox and changelog.
    pub shards: u32,
    /// Copies of each.
    pub replication: Replication,
    /// How long the history is kept.
    pub history_retention: Span,
    /// How long dead letters are kept.
    pub dead_letter_retention: Span,
    /// How long inbox records are kept.
    pub inbox_retention: Span,
    /// How long the changelog keeps removals.
    pub changelog_delete_retention: Span,
}

/// Bounds of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The most inbox records.
    pub records_max: usize,
    /// The most bytes.
    pub bytes_max: Size,
    /// The least time to gather while records wait.
    pub wait: Span,
}

/// When committed state goes to the local checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// At the latest after so long.
    pub every: Span,
    /// At the latest when so much has gathered.
    pub bytes: Size,
}

/// What may be kept in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// By the local checkpoint.
    pub cache_bytes: Size,
}

/// What becomes of events that nobody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// Unless the topic says otherwise.
    pub default: OnUnmatched,
    /// By topic.
    pub topics: BTreeMap<Topic, OnUnmatched>,
}

/// Where topics are begun that were not read before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// Unless the topic says otherwise.
    pub start_from: StartFrom,
    /// By topic.
    pub topics: BTreeMap<Topic, StartFrom>,
}

/// How people and programs look at sagas and act on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// Where it listens; none turns it off. Beyond loopback there are always tokens.
    pub listen: Option<SocketAddr>,
    /// The file of those who may ask; without it whoever reaches the address may do everything.
    pub tokens: Option<PathBuf>,
    /// The most requests a second of one of them.
    pub requests_max: u32,
    /// What it proves itself with; without it, it answers plain HTTP.
    pub tls: Option<Identity>,
    /// Whose tokens count beside those of the file.
    pub oidc: Option<Oidc>,
}

/// What a server proves itself with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate and its chain, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// An `OpenID` provider, whose tokens say who somebody is and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// The issuer's address, as its tokens name it, without a slash at the end.
    pub issuer: String,
    /// Whom its tokens must be for.
    pub audience: String,
    /// The claim with the name that acts carry.
    pub name_claim: String,
    /// The claim with what somebody belongs to; dots lead into objects.
    pub role_claim: String,
    /// The role of each value of it: viewer, operator or admin.
    pub roles: BTreeMap<String, String>,
    /// Authorities to trust instead of the machine's.
    pub ca_file: Option<PathBuf>,
}

impl Unmatched {
    /// What becomes of such an event of that topic.
    #[must_use]
    pub fn of(&self, topic: &Topic) -> OnUnmatched {
        self.topics.get(topic).copied().unwrap_or(self.default)
    }
}
