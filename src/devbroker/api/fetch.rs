//! Fetch: records from logs, waiting for them if there are too few.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, ProducerId, TopicName};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::devbroker::cluster::Cluster;
use crate::devbroker::log::Isolation;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::Place;

/// Longest wait that a client may ask for.
const WAIT_MS_MAX: i32 = 60_000;

/// What one look at all partitions found.
struct Found {
    responses: Vec<FetchableTopicResponse>,
    bytes: usize,
    failed: bool,
}

pub(super) async fn fetch(shared: &Shared, request: FetchRequest) -> FetchResponse {
    if request.session_id != 0 {
        // No session was ever given out; the client falls back to full requests.
        let error = ResponseError::FetchSessionIdNotFound;
        return FetchResponse::default().with_error_code(error.code());
    }
    let wait_ms = request.max_wait_ms.clamp(0, WAIT_MS_MAX);
    let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
    let deadline = Instant::now() + wait;
    let bytes_min = usize::try_from(request.min_bytes).unwrap_or(0);
    let woken = Arc::new(Notify::new());
    let places = places(&request);
    loop {
        let (found, enough) = shared.with(|cluster, _| {
            let found = look(cluster, &request);
            let late = Instant::now() >= deadline;
            let enough = found.failed || found.bytes >= bytes_min || late;
            if !enough {
                shared.wake_on_append(&woken, places.iter());
            }
            (found, enough)
        });
        if enough {
            return FetchResponse::default().with_responses(found.responses);
        }
        // A late answer is found to be late by the next look.
        let _ = timeout_at(deadline, woken.notified()).await;
    }
}

fn places(request: &FetchRequest) -> Vec<Place> {
    let topics = request.topics.iter();
    let of = |topic: &str, p: &FetchPartition| Place::new(topic, p.partition);
    topics.flat_map(|t| t.partitions.iter().map(move |p| of(&t.topic, p))).collect()
}

fn look(cluster: &Cluster, request: &FetchRequest) -> Found {
    let isolation = Isolation::of_wire(request.isolation_level);
    let mut found = Found { responses: Vec::new(), bytes: 0, failed: false };
    let bytes_max = usize::try_from(request.max_bytes).unwrap_or(0);
    for topic in &request.topics {
        let mut partitions = Vec::new();
        for wanted in &topic.partitions {
            let left = bytes_max.saturating_sub(found.bytes);
            let data = read(cluster, &topic.topic, wanted, left, found.bytes > 0, isolation);
            found.bytes += data.records.as_ref().map_or(0, bytes::Bytes::len);
            found.failed |= data.error_code != 0;
            partitions.push(data);
        }
        let response = FetchableTopicResponse::default().with_topic(topic.topic.clone());
        found.responses.push(response.with_partitions(partitions));
    }
    found
}

fn read(
    cluster: &Cluster,
    topic: &TopicName,
    wanted: &FetchPartition,
    left: usize,
    others: bool,
    isolation: Isolation,
) -> PartitionData {
    let data = PartitionData::default()
        .with_partition_index(wanted.partition)
        .with_preferred_read_replica(BrokerId(-1));
    let failed = |data: PartitionData, error: ResponseError| {
        data.with_error_code(error.code())
            .with_high_watermark(-1)
            .with_last_stable_offset(-1)
            .with_log_start_offset(-1)
            .with_records(Some(bytes::Bytes::new()))
    };
    let log = match cluster.topics.log(topic, wanted.partition) {
        Ok(log) => log,
        Err(error) => return failed(data, error),
    };
    let data = data
        .with_high_watermark(log.high_watermark())
        .with_last_stable_offset(log.last_stable())
        .with_log_start_offset(log.start());
    if others && left == 0 {
        return data.with_records(Some(bytes::Bytes::new()));
    }
    let own = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
    // Only the first partition with data may exceed the limits, so that nobody is stuck.
    match log.read(wanted.fetch_offset, own.min(left), !others, isolation) {
        Err(error) => failed(data, error),
        Ok(read) => {
            let aborted = read.aborted.iter().map(|a| {
                AbortedTransaction::default()
                    .with_producer_id(ProducerId(a.producer_id))
                    .with_first_offset(a.first_offset)
            });
            let aborted = (isolation == Isolation::Committed).then(|| aborted.collect());
            data.with_aborted_transactions(aborted).with_records(Some(read.records))
        }
    }
}
