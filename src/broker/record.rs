use bytes::Bytes;
use rdkafka::message::{
    BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders, Timestamp as Stamp,
};

use super::Error;
use crate::message::{Headers, Offset, Origin, Shard, Timestamp, Topic};
use crate::runtime::SourceRecord;

/// The shard of a partition.
pub(super) fn shard(partition: i32) -> Shard {
    Shard(u32::try_from(partition).expect("a consumed record has a partition"))
}

/// The partition of a shard, in every topic of the engine that has one for each.
pub(super) fn partition(shard: Shard) -> i32 {
    i32::try_from(shard.0).expect("Kafka counts partitions by i32")
}

/// A consumed record in the runtime's words.
pub(super) fn source_record(record: &BorrowedMessage<'_>) -> Result<SourceRecord, Error> {
    let topic = Topic::new(record.topic()).map_err(|error| Error::Foreign {
        place: format!("topic {}", record.topic()),
        reason: error.to_string(),
    })?;
    let origin = Origin { topic, partition: record.partition(), offset: Offset(record.offset()) };
    Ok(SourceRecord {
        origin,
        incarnation: None,
        key: record.key().map(Bytes::copy_from_slice),
        headers: headers(record),
        body: record.payload().map(Bytes::copy_from_slice),
        timestamp: timestamp(record),
    })
}

/// A record's time; the epoch if the broker keeps none.
pub(super) fn timestamp(record: &BorrowedMessage<'_>) -> Timestamp {
    match record.timestamp() {
        Stamp::CreateTime(millis) | Stamp::LogAppendTime(millis) => Timestamp(millis),
        Stamp::NotAvailable => Timestamp(0),
    }
}

fn headers(record: &BorrowedMessage<'_>) -> Headers {
    let Some(found) = record.headers() else { return Headers::default() };
    let pair = |header: Header<'_, &[u8]>| {
        (header.key.to_owned(), Bytes::copy_from_slice(header.value.unwrap_or_default()))
    };
    Headers(found.iter().map(pair).collect())
}

/// Headers in the client's form.
pub(super) fn owned_headers(headers: &Headers) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(headers.0.len());
    headers
        .0
        .iter()
        .fold(empty, |all, (key, value)| all.insert(Header { key, value: Some(value.as_ref()) }))
}
