//! `ListOffsets`: first, last, and by time.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

use super::code;
use crate::devbroker::batch::LEADER_EPOCH;
use crate::devbroker::cluster::Cluster;
use crate::devbroker::log::Isolation;
use crate::devbroker::shared::Shared;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const YOUNGEST: i64 = -3;

pub(super) fn list(shared: &Shared, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let isolation = Isolation::of_wire(request.isolation_level);
    let topics = shared.with(|cluster, _| {
        let topics = request.topics.into_iter().map(|topic| {
            let found = topic.partitions.iter().map(|p| find(cluster, &topic.name, p, isolation));
            let partitions = found.collect();
            let response = ListOffsetsTopicResponse::default().with_name(topic.name.clone());
            response.with_partitions(partitions)
        });
        topics.collect()
    });
    ListOffsetsResponse::default().with_topics(topics)
}

fn find(
    cluster: &Cluster,
    topic: &str,
    wanted: &ListOffsetsPartition,
    isolation: Isolation,
) -> ListOffsetsPartitionResponse {
    let found = look(cluster, topic, wanted, isolation);
    let (offset, timestamp) = found.unwrap_or((-1, -1));
    ListOffsetsPartitionResponse::default()
        .with_partition_index(wanted.partition_index)
        .with_error_code(code(&found))
        .with_offset(offset)
        .with_timestamp(timestamp)
        .with_leader_epoch(if offset < 0 { -1 } else { LEADER_EPOCH })
}

fn look(
    cluster: &Cluster,
    topic: &str,
    wanted: &ListOffsetsPartition,
    isolation: Isolation,
) -> Result<(i64, i64), ResponseError> {
    let log = cluster.topics.log(topic, wanted.partition_index)?;
    match wanted.timestamp {
        LATEST => Ok((log.limit(isolation), -1)),
        EARLIEST => Ok((log.start(), -1)),
        YOUNGEST => Ok(log.youngest().unwrap_or((-1, -1))),
        time if time >= 0 => Ok(log.at_time(time, isolation).unwrap_or((-1, -1))),
        _ => Err(ResponseError::UnsupportedVersion),
    }
}
