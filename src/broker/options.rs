//! Every option of librdkafka that Segue sets, by the kind of client that it is set for.
//!
//! Users may pass on the options in [`SETTINGS`](super::SETTINGS); what stands here below a base
//! of them is not theirs to change, for the engine's promises depend on it.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::connection::Isolation;
use super::membership::{Delivery, Membership};
use super::{Connection, Error};

/// The largest record that the engine writes, in bytes; its topics allow it.
pub(super) const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How soon a gateway sees a topic that is created again, or that gets more partitions.
const TOPICS_REFRESHED_MS: &str = "5000";
/// How soon a committer sees that brokers come and go. It forgets a coordinator that it has not
/// used for three times as long: the one that it knew when its leader went away may be gone as
/// well, and it would wait for that one as long as no broker comes or goes (librdkafka #5511).
const COORDINATORS_REFRESHED_MS: &str = "1000";

impl Connection {
    /// What every client has in common.
    pub(super) fn config(&self, client: &str) -> Result<ClientConfig, Error> {
        self.check()?;
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("client.id", client);
        // Without it small requests wait 40 ms for the other side's delayed acknowledgement.
        config.set("socket.nagle.disable", "true");
        config.set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "1000");
        config.set("allow.auto.create.topics", "false");
        for (name, value) in &self.settings {
            config.set(name, value);
        }
        Ok(config)
    }

    /// What every consumer has in common.
    pub(super) fn consumer(
        &self,
        client: &str,
        group: &str,
        isolation: Isolation,
    ) -> Result<ClientConfig, Error> {
        let mut config = self.config(client)?;
        config.set("group.id", group).set("isolation.level", isolation.as_str());
        config.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "earliest");
        // With the defaults a busy consumer stalls for a second once its queue was full.
        config.set("fetch.queue.backoff.ms", "5").set("fetch.wait.max.ms", "50");
        // What is fetched ahead stands in memory: by default up to 64 MiB for each client.
        config.set("queued.min.messages", "10000").set("queued.max.messages.kbytes", "8192");
        Ok(config)
    }

    /// What every member of a consumer group has in common.
    pub(super) fn member(
        &self,
        client: &str,
        group: &str,
        isolation: Isolation,
    ) -> Result<ClientConfig, Error> {
        let mut config = self.consumer(client, group, isolation)?;
        config.set("group.protocol", "classic");
        // Eager: every round assigns everything. A cooperative one needs a second round, and a
        // static member that ends between the two gets its old share back while what it gave up
        // is nobody's until somebody else joins.
        config.set("partition.assignment.strategy", "roundrobin");
        Ok(config)
    }

    /// What every producer has in common.
    pub(super) fn producer(&self, client: &str) -> Result<ClientConfig, Error> {
        let mut config = self.config(client)?;
        config.set("enable.idempotence", "true").set("acks", "all").set("linger.ms", "0");
        // The partition that Kafka's own clients choose for a key.
        config.set("partitioner", "murmur2_random");
        config.set("queue.buffering.max.messages", "1000000");
        // Room for two of the largest batches; by default a client may hold 1 GiB.
        config.set("queue.buffering.max.kbytes", "32768");
        Ok(config)
    }

    /// A static member of one of the engine's own groups.
    pub(super) fn static_member(
        &self,
        client: &str,
        group: &str,
        membership: &Membership,
    ) -> Result<ClientConfig, Error> {
        let mut config = self.member(client, group, Isolation::Committed)?;
        config.set("group.instance.id", membership.instance());
        config.set("session.timeout.ms", membership.session.as_millis().to_string());
        config.set("heartbeat.interval.ms", membership.heartbeat().as_millis().to_string());
        // Where to start is decided here: a place that is not in the log means lost or exchanged
        // records, and is never jumped over.
        config.set("auto.offset.reset", "error");
        Ok(config)
    }

    /// A gateway, which must see soon that a users' topic changes.
    pub(super) fn gateway(
        &self,
        client: &str,
        membership: &Membership,
    ) -> Result<ClientConfig, Error> {
        let group = format!("{}.gateway", membership.app);
        let mut config = self.static_member(client, &group, membership)?;
        config.set("topic.metadata.refresh.interval.ms", TOPICS_REFRESHED_MS);
        Ok(config)
    }

    /// A reader of one partition at a time, which is told where it ends.
    pub(super) fn log_reader(&self, client: &str) -> Result<ClientConfig, Error> {
        // The client asks for a group's name before it lets anyone assign partitions; it is not
        // used.
        let mut config = self.consumer(client, client, Isolation::Committed)?;
        config.set("enable.partition.eof", "true");
        Ok(config)
    }

    /// A client that only asks for offsets and topics; it sees records of open transactions.
    pub(super) fn asker(&self, client: &str) -> Result<ClientConfig, Error> {
        let mut config = self.config(client)?;
        config.set("isolation.level", Isolation::Uncommitted.as_str());
        // Nobody polls it, so what it logs would gather for ever; its failures are asked for.
        config.set_log_level(RDKafkaLogLevel::Emerg);
        Ok(config)
    }

    /// The producer of a pipeline's batches.
    pub(super) fn committer(&self, membership: &Membership) -> Result<ClientConfig, Error> {
        let client = membership.client();
        let mut config = self.producer(&client)?;
        config.set("message.max.bytes", RECORD_BYTES_MAX.to_string());
        if membership.delivery == Delivery::ExactlyOnce {
            let timeout = membership.transaction.as_millis().to_string();
            config.set("transactional.id", &client).set("transaction.timeout.ms", timeout);
            // The next transaction meets the last one's markers: with the default pauses a
            // commit takes 91 ms instead of 3.5 ms. They double up to the second, which is the
            // pace at which a leader is asked for that is away.
            config.set("retry.backoff.ms", "1").set("retry.backoff.max.ms", "50");
            config.set("topic.metadata.refresh.interval.ms", COORDINATORS_REFRESHED_MS);
            // Every lost connection is told (R1).
            config.set("log.connection.close", "true").set_log_level(RDKafkaLogLevel::Info);
        }
        Ok(config)
    }

    /// The producer of inbox records.
    pub(super) fn appender(&self, client: &str) -> Result<ClientConfig, Error> {
        let mut config = self.producer(client)?;
        config.set("message.max.bytes", RECORD_BYTES_MAX.to_string());
        // A record given up in the middle must not be followed by the next one.
        config.set("enable.gapless.guarantee", "true");
        Ok(config)
    }
}
