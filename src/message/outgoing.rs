use bytes::Bytes;

use super::{Headers, Topic};

/// A message on its way to a user's topic, complete but for its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic that it goes to.
    pub topic: Topic,
    /// The record's key.
    pub key: String,
    /// Its headers, CloudEvents' binary mode.
    pub headers: Headers,
    /// The body, JSON.
    pub body: Bytes,
}

/// A record that goes to a topic byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The topic that it goes to.
    pub topic: Topic,
    /// The partition; by the key if none is named.
    pub partition: Option<i32>,
    /// Its key, if it has one.
    pub key: Option<Bytes>,
    /// Its headers, in their order.
    pub headers: Headers,
    /// Its body.
    pub body: Bytes,
}
