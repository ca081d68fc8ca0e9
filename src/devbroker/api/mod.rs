//! What each API does, between the protocol's messages and the cluster.

mod admin;
mod commit;
mod configs;
mod fetch;
mod group;
mod groups;
mod list_offsets;
mod metadata;
mod offset_fetch;
mod produce;
mod said;
mod transaction;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse, RequestKind, ResponseKind};

pub(super) use said::Client;

use super::shared::Shared;
use said::{BROKER, CLUSTER, NO_AUTHORIZATION, code, text};

/// Every API that is served, with its oldest and newest version.
///
/// A topic's id is told (`Metadata` 10), but nothing is asked by one (`Metadata` 12, `Fetch` 13,
/// `Produce` 13), and transactions of the second kind (`Produce` 12, `EndTxn` 5) are left out, so
/// clients use names and explicit partitions.
const SERVED: [(ApiKey, i16, i16); 28] = [
    // Nobody may send 0 to 2, but librdkafka takes their absence for missing compression.
    (ApiKey::Produce, 0, 11),
    (ApiKey::Fetch, 4, 12),
    (ApiKey::ListOffsets, 1, 7),
    (ApiKey::Metadata, 0, 10),
    (ApiKey::OffsetCommit, 2, 8),
    (ApiKey::OffsetFetch, 1, 8),
    (ApiKey::FindCoordinator, 0, 4),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 5),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 3),
    (ApiKey::CreateTopics, 2, 6),
    (ApiKey::DeleteTopics, 1, 5),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 4),
    (ApiKey::AddPartitionsToTxn, 0, 3),
    (ApiKey::AddOffsetsToTxn, 0, 3),
    (ApiKey::EndTxn, 0, 3),
    (ApiKey::TxnOffsetCommit, 0, 3),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::OffsetDelete, 0, 0),
    (ApiKey::DescribeCluster, 0, 1),
];

/// The API of a number, if it is served in this version.
pub(super) fn supported(number: i16, version: i16) -> Option<ApiKey> {
    let key = ApiKey::try_from(number).ok()?;
    let served = SERVED.iter().any(|(k, min, max)| *k == key && (*min..=*max).contains(&version));
    let decodes = key.valid_versions();
    (served && version >= decodes.min && version <= decodes.max).then_some(key)
}

/// What the broker says that it can do.
pub(super) fn versions() -> ApiVersionsResponse {
    let of = |(key, min, max): &(ApiKey, i16, i16)| {
        let version = ApiVersion::default().with_api_key(*key as i16);
        version.with_min_version(*min).with_max_version(*max)
    };
    ApiVersionsResponse::default().with_api_keys(SERVED.iter().map(of).collect())
}

/// Answers a request; none if its sender wants no answer.
pub(super) async fn answer(
    shared: &Shared,
    client: &Client,
    request: RequestKind,
) -> Option<ResponseKind> {
    use RequestKind as Ask;
    use ResponseKind as Say;
    let version = client.version;
    Some(match request {
        Ask::Produce(r) => return produce::produce(shared, r).map(Say::Produce),
        Ask::Fetch(r) => Say::Fetch(fetch::fetch(shared, r).await),
        Ask::ListOffsets(r) => Say::ListOffsets(list_offsets::list(shared, r)),
        Ask::Metadata(r) => Say::Metadata(metadata::metadata(shared, version, r)),
        Ask::DescribeCluster(_) => Say::DescribeCluster(metadata::cluster(shared)),
        Ask::FindCoordinator(r) => Say::FindCoordinator(metadata::coordinator(shared, version, &r)),
        Ask::ApiVersions(_) => Say::ApiVersions(versions()),
        Ask::JoinGroup(r) => Say::JoinGroup(group::join(shared, client, r).await),
        Ask::SyncGroup(r) => Say::SyncGroup(group::sync(shared, r).await),
        Ask::Heartbeat(r) => Say::Heartbeat(group::heartbeat(shared, &r)),
        Ask::LeaveGroup(r) => Say::LeaveGroup(group::leave(shared, version, r)),
        Ask::DescribeGroups(r) => Say::DescribeGroups(groups::describe(shared, r)),
        Ask::ListGroups(r) => Say::ListGroups(groups::list(shared, &r)),
        Ask::DeleteGroups(r) => Say::DeleteGroups(groups::delete(shared, r)),
        Ask::OffsetDelete(r) => Say::OffsetDelete(groups::delete_offsets(shared, &r)),
        Ask::OffsetCommit(r) => Say::OffsetCommit(commit::commit(shared, &r)),
        Ask::OffsetFetch(r) => Say::OffsetFetch(offset_fetch::fetch(shared, version, r)),
        Ask::TxnOffsetCommit(r) => Say::TxnOffsetCommit(commit::commit_in_transaction(shared, &r)),
        Ask::CreateTopics(r) => Say::CreateTopics(admin::create(shared, r)),
        Ask::DeleteTopics(r) => Say::DeleteTopics(admin::delete(shared, r)),
        Ask::CreatePartitions(r) => Say::CreatePartitions(admin::grow(shared, r)),
        Ask::DeleteRecords(r) => Say::DeleteRecords(admin::delete_records(shared, r)),
        Ask::DescribeConfigs(r) => Say::DescribeConfigs(configs::describe(shared, r)),
        Ask::IncrementalAlterConfigs(r) => Say::IncrementalAlterConfigs(configs::alter(shared, r)),
        Ask::InitProducerId(r) => Say::InitProducerId(transaction::init(shared, version, &r)),
        Ask::AddPartitionsToTxn(r) => {
            Say::AddPartitionsToTxn(transaction::add_partitions(shared, version, r))
        }
        Ask::AddOffsetsToTxn(r) => {
            Say::AddOffsetsToTxn(transaction::add_offsets(shared, version, &r))
        }
        Ask::EndTxn(r) => Say::EndTxn(transaction::end(shared, version, &r)),
        // Whatever else decodes was refused by its number.
        _ => return None,
    })
}

/// Makes an answer say that it knows none of its topics.
pub(super) fn forget_topics(answer: &mut ResponseKind) {
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    match answer {
        ResponseKind::ListOffsets(answer) => {
            for partition in answer.topics.iter_mut().flat_map(|t| &mut t.partitions) {
                (partition.error_code, partition.offset) = (unknown, -1);
            }
        }
        ResponseKind::OffsetCommit(answer) => {
            for partition in answer.topics.iter_mut().flat_map(|t| &mut t.partitions) {
                partition.error_code = unknown;
            }
        }
        _ => {}
    }
}
