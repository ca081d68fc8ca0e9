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
