//! Produce: batches go into their logs.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};

use super::code;
use crate::devbroker::batch::Batch;
use crate::devbroker::cluster::Cluster;
use crate::devbroker::log::Log;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::Place;

pub(super) fn produce(shared: &Shared, request: ProduceRequest) -> Option<ProduceResponse> {
    let acks = request.acks;
    let transactional_id = request.transactional_id.map(|id| id.0.to_string());
    let responses = shared.with(|cluster, now_ms| {
        let mut topics = Vec::new();
        for topic in request.topic_data {
            let partitions = topic.partition_data.into_iter().map(|data| {
                let place = Place::new(&topic.name, data.index);
                append(cluster, &place, transactional_id.as_deref(), acks, data, now_ms)
            });
            let partitions = partitions.collect();
            let response = TopicProduceResponse::default().with_name(topic.name.clone());
            topics.push(response.with_partition_responses(partitions));
        }
        topics
    });
    (acks != 0).then(|| ProduceResponse::default().with_responses(responses))
}

fn append(
    cluster: &mut Cluster,
    place: &Place,
    transactional_id: Option<&str>,
    acks: i16,
    data: PartitionProduceData,
    now_ms: i64,
) -> PartitionProduceResponse {
    let result = if matches!(acks, -1..=1) {
        let batches = Batch::split(&data.records.unwrap_or_default());
        batches.and_then(|batches| cluster.produce(place, transactional_id, batches, now_ms))
    } else {
        Err(ResponseError::InvalidRequiredAcks)
    };
    let start = cluster.topics.log(&place.topic, place.partition).map_or(-1, Log::start);
    PartitionProduceResponse::default()
        .with_index(place.partition)
        .with_error_code(code(&result))
        .with_base_offset(result.unwrap_or(-1))
        .with_log_append_time_ms(-1)
        .with_log_start_offset(start)
}
