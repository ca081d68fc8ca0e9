//! Offsets of groups: committed, held by transactions, and read.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::code;
use super::group::check;
use crate::devbroker::answer::Status;
use crate::devbroker::cluster::Cluster;
use crate::devbroker::offsets::Committed;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::Place;
use crate::devbroker::transaction::Producer;

/// Longest note that a client may leave with an offset.
const METADATA_BYTES_MAX: usize = 4_096;

pub(super) fn commit(shared: &Shared, request: &OffsetCommitRequest) -> OffsetCommitResponse {
    let topics = shared.with(|cluster, now_ms| {
        let allowed = may_commit(cluster, request, now_ms);
        let group = request.group_id.as_str();
        let mut topics = Vec::new();
        for topic in &request.topics {
            let partitions = topic.partitions.iter().map(|p| {
                let note = p.committed_metadata.as_ref();
                let committed = committed(p.committed_offset, p.committed_leader_epoch, note);
                let place = Place::new(&topic.name, p.partition_index);
                let checked = allowed.and_then(|()| check_place(cluster, &place, &committed));
                if checked.is_ok() {
                    cluster.commit_offset(group, place, committed);
                }
                OffsetCommitResponsePartition::default()
                    .with_partition_index(p.partition_index)
                    .with_error_code(code(&checked))
            });
            let partitions = partitions.collect();
            let response = OffsetCommitResponseTopic::default().with_name(topic.name.clone());
            topics.push(response.with_partitions(partitions));
        }
        topics
    });
    OffsetCommitResponse::default().with_topics(topics)
}

fn committed(offset: i64, leader_epoch: i32, metadata: Option<&StrBytes>) -> Committed {
    let metadata = metadata.map(ToString::to_string).unwrap_or_default();
    Committed { offset, leader_epoch, metadata }
}

fn check_place(
    cluster: &Cluster,
    place: &Place,
    committed: &Committed,
) -> Result<(), ResponseError> {
    cluster.topics.log(&place.topic, place.partition)?;
    if committed.metadata.len() > METADATA_BYTES_MAX {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    Ok(())
}

/// A commit comes from a member of the present generation, or from outside of an empty group.
fn may_commit(
    cluster: &mut Cluster,
    request: &OffsetCommitRequest,
    now_ms: i64,
) -> Result<(), ResponseError> {
    let (id, member) = (request.group_id.as_str(), request.member_id.as_str());
    let generation = request.generation_id_or_member_epoch;
    if id.is_empty() {
        return Err(ResponseError::InvalidGroupId);
    }
    if generation < 0 {
        let group = cluster.groups.entry(id.to_owned()).or_default();
        let empty = group.members.is_empty();
        return if empty { Ok(()) } else { Err(ResponseError::UnknownMemberId) };
    }
    if !cluster.groups.contains_key(id) {
        return Err(ResponseError::IllegalGeneration);
    }
    check(cluster, id, member, request.group_instance_id.as_deref(), generation)?;
    let group = cluster.groups.get_mut(id).ok_or(ResponseError::IllegalGeneration)?;
    if group.status == Status::Completing {
        return Err(ResponseError::RebalanceInProgress);
    }
    // A commit is a sign of life; whether to join again is for the heartbeat to say.
    let _ = group.heartbeat(member, now_ms);
    Ok(())
}

pub(super) fn commit_in_transaction(
    shared: &Shared,
    request: &TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let topics = shared.with(|cluster, _| {
        let allowed = may_hold(cluster, request);
        let group = request.group_id.as_str();
        let mut topics = Vec::new();
        for topic in &request.topics {
            let partitions = topic.partitions.iter().map(|p| {
                let note = p.committed_metadata.as_ref();
                let committed = committed(p.committed_offset, p.committed_leader_epoch, note);
                let place = Place::new(&topic.name, p.partition_index);
                let checked = allowed.and_then(|()| check_place(cluster, &place, &committed));
                if checked.is_ok() {
                    cluster.hold_offset(group, request.producer_id.0, place, committed);
                }
                TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(p.partition_index)
                    .with_error_code(code(&checked))
            });
            let partitions = partitions.collect();
            let response = TxnOffsetCommitResponseTopic::default().with_name(topic.name.clone());
            topics.push(response.with_partitions(partitions));
        }
        topics
    });
    TxnOffsetCommitResponse::default().with_topics(topics)
}

/// Offsets in a transaction come from its producer, for a member of the present generation.
fn may_hold(cluster: &mut Cluster, request: &TxnOffsetCommitRequest) -> Result<(), ResponseError> {
    let id = request.group_id.as_str();
    let producer = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    cluster.transactions.check_offsets(&request.transactional_id, producer, id)?;
    let instance = request.group_instance_id.as_deref();
    let member = request.member_id.as_str();
    if request.generation_id < 0 && member.is_empty() && instance.is_none() {
        // An old client, or one without a group; only its epoch fences it.
        cluster.groups.entry(id.to_owned()).or_default();
        return Ok(());
    }
    let group = cluster.groups.get(id).ok_or(ResponseError::IllegalGeneration)?;
    group.check_member(member, instance)?;
    group.check_generation(request.generation_id)
}
