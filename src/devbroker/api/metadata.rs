//! Metadata, `DescribeCluster` and `FindCoordinator`: there is one broker and it does everything.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId, DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    MetadataRequest, MetadataResponse, TopicName,
};

use super::{BROKER, CLUSTER, NO_AUTHORIZATION, text};
use crate::devbroker::batch::LEADER_EPOCH;
use crate::devbroker::cluster::Cluster;
use crate::devbroker::shared::{Creation, Shared};

pub(super) fn metadata(
    shared: &Shared,
    version: i16,
    request: MetadataRequest,
) -> MetadataResponse {
    let mut creation = shared.creation;
    creation.automatic &= version < 4 || request.allow_auto_topic_creation;
    let wanted = request.topics.map(|topics| {
        let names = topics.into_iter().filter_map(|t| t.name);
        names.map(|n| n.0.to_string()).collect::<Vec<_>>()
    });
    // Version 0 asks for everything by an empty list.
    let wanted = wanted.filter(|names| version > 0 || !names.is_empty());
    let topics = shared.with(|cluster, _| {
        let names =
            wanted.unwrap_or_else(|| cluster.topics.iter().map(|(n, _)| n.clone()).collect());
        names.iter().map(|name| topic(cluster, name, creation)).collect()
    });
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(BROKER))
        .with_host(text(&shared.host))
        .with_port(i32::from(shared.port));
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(CLUSTER)))
        .with_controller_id(BrokerId(BROKER))
        .with_cluster_authorized_operations(NO_AUTHORIZATION)
        .with_topics(topics)
}

fn topic(cluster: &mut Cluster, name: &str, creation: Creation) -> MetadataResponseTopic {
    let answer = MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_topic_authorized_operations(NO_AUTHORIZATION);
    let missing = cluster.topics.topic(name).is_err();
    if missing && creation.automatic {
        let created = cluster.create_topic(name, creation.partitions, BTreeMap::new());
        if let Err(error) = created {
            return answer.with_error_code(error.code());
        }
    }
    let topic = match cluster.topics.topic(name) {
        Ok(topic) => topic,
        Err(error) => return answer.with_error_code(error.code()),
    };
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(BROKER))
            .with_leader_epoch(LEADER_EPOCH)
            .with_replica_nodes(vec![BrokerId(BROKER)])
            .with_isr_nodes(vec![BrokerId(BROKER)])
    };
    // An id of zeros, which is that of the default, says that there is none.
    let id = topic.id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    let answer = answer.with_topic_id(id.try_into().unwrap_or_default());
    answer.with_partitions((0..topic.partition_count()).map(partition).collect())
}

pub(super) fn cluster(shared: &Shared) -> DescribeClusterResponse {
    let broker = DescribeClusterBroker::default()
        .with_broker_id(BrokerId(BROKER))
        .with_host(text(&shared.host))
        .with_port(i32::from(shared.port));
    DescribeClusterResponse::default()
        .with_cluster_id(text(CLUSTER))
        .with_controller_id(BrokerId(BROKER))
        .with_cluster_authorized_operations(NO_AUTHORIZATION)
        .with_brokers(vec![broker])
}

pub(super) fn coordinator(
    shared: &Shared,
    version: i16,
    request: &FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    // Groups are 0 and transactions are 1.
    let known = matches!(request.key_type, 0 | 1);
    let error = if known { 0 } else { ResponseError::InvalidRequest.code() };
    let port = i32::from(shared.port);
    if version < 4 {
        return FindCoordinatorResponse::default()
            .with_error_code(error)
            .with_node_id(BrokerId(BROKER))
            .with_host(text(&shared.host))
            .with_port(port);
    }
    let of = |key: &kafka_protocol::protocol::StrBytes| {
        Coordinator::default()
            .with_key(key.clone())
            .with_error_code(error)
            .with_node_id(BrokerId(BROKER))
            .with_host(text(&shared.host))
            .with_port(port)
    };
    let coordinators = request.coordinator_keys.iter().map(of).collect();
    FindCoordinatorResponse::default().with_coordinators(coordinators)
}
