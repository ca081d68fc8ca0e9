/// Settings of librdkafka that a user may change: none that loads code, names files to run,
/// or that the engine's guarantees stand on.
const ALLOWED: [&str; 22] = [
    "broker.address.family",
    "broker.address.ttl",
    "client.dns.lookup",
    "client.rack",
    "compression.codec",
    "compression.level",
    "compression.type",
    "connections.max.idle.ms",
    "debug",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "log.connection.close",
    "max.partition.fetch.bytes",
    "metadata.max.age.ms",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "ssl.endpoint.identification.algorithm",
];

/// Whether `kafka.options` may hold that key of librdkafka.
#[must_use]
pub fn is_allowed(name: &str) -> bool {
    ALLOWED.contains(&name)
}

/// The keys that are allowed.
pub fn allowed() -> impl Iterator<Item = &'static str> {
    ALLOWED.into_iter()
}
