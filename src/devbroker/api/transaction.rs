//! Transactions, as their producers drive them.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, EndTxnRequest, EndTxnResponse, InitProducerIdRequest,
    InitProducerIdResponse, ProducerId,
};

use super::code;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::Place;
use crate::devbroker::transaction::Producer;

/// First versions that know `PRODUCER_FENCED`; older ones say `INVALID_PRODUCER_EPOCH`.
const INIT_FENCED_SINCE: i16 = 4;
const FENCED_SINCE: i16 = 2;

pub(super) fn init(
    shared: &Shared,
    version: i16,
    request: &InitProducerIdRequest,
) -> InitProducerIdResponse {
    let transactional_id = request.transactional_id.as_ref().map(|id| id.as_str());
    let known = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let known = (known.id >= 0).then_some(known);
    let timeout_ms = request.transaction_timeout_ms;
    let result = shared
        .with(|cluster, now_ms| cluster.init_producer(transactional_id, timeout_ms, known, now_ms));
    let result = in_version(result, version, INIT_FENCED_SINCE);
    let producer = result.unwrap_or(Producer { id: -1, epoch: -1 });
    InitProducerIdResponse::default()
        .with_error_code(code(&result))
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
}

fn in_version<T>(
    result: Result<T, ResponseError>,
    version: i16,
    since: i16,
) -> Result<T, ResponseError> {
    result.map_err(|error| match error {
        ResponseError::ProducerFenced if version < since => ResponseError::InvalidProducerEpoch,
        other => other,
    })
}

pub(super) fn add_partitions(
    shared: &Shared,
    version: i16,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let id = request.v3_and_below_producer_id.0;
    let producer = Producer { id, epoch: request.v3_and_below_producer_epoch };
    let topics = request.v3_and_below_topics;
    let places: Vec<Place> =
        topics.iter().flat_map(|t| t.partitions.iter().map(|p| Place::new(&t.name, *p))).collect();
    let name = request.v3_and_below_transactional_id.as_str();
    let (missing, result) = shared.with(|cluster, now_ms| {
        let exists = |p: &&Place| cluster.topics.log(&p.topic, p.partition).is_err();
        let missing: Vec<Place> = places.iter().filter(exists).cloned().collect();
        if missing.is_empty() {
            let added = cluster.add_places(name, producer, places, now_ms);
            return (missing, added);
        }
        // All or none: the good ones say that they were not tried.
        (missing, Err(ResponseError::OperationNotAttempted))
    });
    let all = code(&in_version(result, version, FENCED_SINCE));
    let results = topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|p| {
            let unknown = missing.contains(&Place::new(&topic.name, *p));
            let error = ResponseError::UnknownTopicOrPartition.code();
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*p)
                .with_partition_error_code(if unknown { error } else { all })
        });
        let partitions = partitions.collect();
        let result = AddPartitionsToTxnTopicResult::default().with_name(topic.name.clone());
        result.with_results_by_partition(partitions)
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results.collect())
}

pub(super) fn add_offsets(
    shared: &Shared,
    version: i16,
    request: &AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let producer = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let name = request.transactional_id.as_str();
    let result =
        shared.with(|cluster, now_ms| cluster.add_group(name, producer, &request.group_id, now_ms));
    let result = in_version(result, version, FENCED_SINCE);
    AddOffsetsToTxnResponse::default().with_error_code(code(&result))
}

pub(super) fn end(shared: &Shared, version: i16, request: &EndTxnRequest) -> EndTxnResponse {
    let producer = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let name = request.transactional_id.as_str();
    let result = shared
        .with(|cluster, now_ms| cluster.end_transaction(name, producer, request.committed, now_ms));
    let result = in_version(result, version, FENCED_SINCE);
    EndTxnResponse::default().with_error_code(code(&result))
}
