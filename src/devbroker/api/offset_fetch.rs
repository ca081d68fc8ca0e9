//! `OffsetFetch`: how far groups have come.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{OffsetFetchRequest, OffsetFetchResponse, TopicName};

use super::text;
use crate::devbroker::cluster::Cluster;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::Place;

/// One partition's offset, and its topic's name.
type Found = (String, Vec<OffsetFetchResponsePartitions>);

pub(super) fn fetch(
    shared: &Shared,
    version: i16,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let stable = request.require_stable;
    if version < 8 {
        let wanted = request.topics.map(|topics| {
            let of = topics.into_iter().map(|t| (t.name.0.to_string(), t.partition_indexes));
            of.collect::<Vec<_>>()
        });
        let found = shared.with(|cluster, _| find(cluster, &request.group_id, wanted, stable));
        return OffsetFetchResponse::default()
            .with_topics(found.into_iter().map(old_topic).collect());
    }
    let groups = shared.with(|cluster, _| {
        let groups = request.groups.into_iter().map(|group| {
            let wanted = group.topics.map(|topics| {
                let of = topics.into_iter().map(|t| (t.name.0.to_string(), t.partition_indexes));
                of.collect::<Vec<_>>()
            });
            let topics = find(cluster, &group.group_id, wanted, stable).into_iter();
            let topics = topics.map(|(name, partitions)| {
                OffsetFetchResponseTopics::default()
                    .with_name(TopicName(text(&name)))
                    .with_partitions(partitions)
            });
            OffsetFetchResponseGroup::default()
                .with_group_id(group.group_id)
                .with_topics(topics.collect())
        });
        groups.collect()
    });
    OffsetFetchResponse::default().with_groups(groups)
}

fn old_topic((name, partitions): Found) -> OffsetFetchResponseTopic {
    let partition = |p: OffsetFetchResponsePartitions| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(p.partition_index)
            .with_committed_offset(p.committed_offset)
            .with_committed_leader_epoch(p.committed_leader_epoch)
            .with_metadata(p.metadata)
            .with_error_code(p.error_code)
    };
    OffsetFetchResponseTopic::default()
        .with_name(TopicName(text(&name)))
        .with_partitions(partitions.into_iter().map(partition).collect())
}

/// The offsets of the wanted partitions, or of all that have one.
fn find(
    cluster: &Cluster,
    group: &str,
    wanted: Option<Vec<(String, Vec<i32>)>>,
    stable: bool,
) -> Vec<Found> {
    let wanted = wanted.unwrap_or_else(|| {
        let mut all: Vec<(String, Vec<i32>)> = Vec::new();
        for (place, _) in cluster.offsets.get(group).iter().flat_map(|o| o.iter()) {
            match all.last_mut() {
                Some((topic, partitions)) if *topic == place.topic => {
                    partitions.push(place.partition);
                }
                _ => all.push((place.topic.clone(), vec![place.partition])),
            }
        }
        all
    });
    let of = |(topic, partitions): (String, Vec<i32>)| {
        let found = partitions.iter().map(|p| one(cluster, group, &topic, *p, stable)).collect();
        (topic, found)
    };
    wanted.into_iter().map(of).collect()
}

fn one(
    cluster: &Cluster,
    group: &str,
    topic: &str,
    partition: i32,
    stable: bool,
) -> OffsetFetchResponsePartitions {
    let place = Place::new(topic, partition);
    let answer = OffsetFetchResponsePartitions::default()
        .with_partition_index(partition)
        .with_committed_offset(-1)
        .with_committed_leader_epoch(-1)
        .with_metadata(Some(text("")));
    let Some(offsets) = cluster.offsets.get(group) else { return answer };
    if stable && offsets.is_unstable(&place) {
        return answer.with_error_code(ResponseError::UnstableOffsetCommit.code());
    }
    let Some(committed) = offsets.at(&place) else { return answer };
    answer
        .with_committed_offset(committed.offset)
        .with_committed_leader_epoch(committed.leader_epoch)
        .with_metadata(Some(text(&committed.metadata)))
}
