//! Groups as an operator sees them.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest, ListGroupsResponse, OffsetDeleteRequest, OffsetDeleteResponse,
};

use super::{NO_AUTHORIZATION, code, text};
use crate::devbroker::cluster::Cluster;
use crate::devbroker::group::Group;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::Place;

const CLASSIC: &str = "classic";

pub(super) fn describe(shared: &Shared, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let groups = shared.with(|cluster, _| {
        let groups = request.groups.into_iter();
        groups.map(|id| described(cluster.groups.get(id.as_str()), id)).collect()
    });
    DescribeGroupsResponse::default().with_groups(groups)
}

fn described(group: Option<&Group>, id: GroupId) -> DescribedGroup {
    let answer =
        DescribedGroup::default().with_group_id(id).with_authorized_operations(NO_AUTHORIZATION);
    let Some(group) = group else { return answer.with_group_state(text("Dead")) };
    let members = group.members.iter().map(|(id, member)| {
        DescribedGroupMember::default()
            .with_member_id(text(id))
            .with_group_instance_id(member.instance.as_deref().map(text))
            .with_client_id(text(&member.client))
            .with_client_host(text(&format!("/{}", member.host)))
            .with_member_metadata(member.metadata(&group.protocol))
            .with_member_assignment(member.assignment.clone())
    });
    answer
        .with_group_state(text(group.status.name()))
        .with_protocol_type(text(&group.protocol_type))
        .with_protocol_data(text(&group.protocol))
        .with_members(members.collect())
}

pub(super) fn list(shared: &Shared, request: &ListGroupsRequest) -> ListGroupsResponse {
    let wanted = |state: &str| {
        let filter = &request.states_filter;
        filter.is_empty() || filter.iter().any(|s| s.eq_ignore_ascii_case(state))
    };
    let kinds = &request.types_filter;
    let classic = kinds.is_empty() || kinds.iter().any(|k| k.eq_ignore_ascii_case(CLASSIC));
    let groups = shared.with(|cluster, _| {
        let mut listed = Vec::new();
        for (id, group) in &cluster.groups {
            if classic && wanted(group.status.name()) {
                let one = ListedGroup::default()
                    .with_group_id(GroupId(text(id)))
                    .with_protocol_type(text(&group.protocol_type))
                    .with_group_state(text(group.status.name()))
                    .with_group_type(text(CLASSIC));
                listed.push(one);
            }
        }
        listed
    });
    ListGroupsResponse::default().with_groups(groups)
}

pub(super) fn delete(shared: &Shared, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let results = shared.with(|cluster, _| {
        let results = request.groups_names.into_iter().map(|id| {
            let result = delete_one(cluster, &id);
            DeletableGroupResult::default().with_error_code(code(&result)).with_group_id(id)
        });
        results.collect()
    });
    DeleteGroupsResponse::default().with_results(results)
}

fn delete_one(cluster: &mut Cluster, id: &str) -> Result<(), ResponseError> {
    let group = cluster.groups.get(id).ok_or(ResponseError::GroupIdNotFound)?;
    if !group.members.is_empty() {
        return Err(ResponseError::NonEmptyGroup);
    }
    cluster.delete_group(id);
    Ok(())
}

pub(super) fn delete_offsets(
    shared: &Shared,
    request: &OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let id = request.group_id.as_str();
    shared.with(|cluster, _| {
        let empty = match cluster.groups.get(id) {
            None => Err(ResponseError::GroupIdNotFound),
            Some(group) if group.members.is_empty() => Ok(()),
            Some(_) => Err(ResponseError::NonEmptyGroup),
        };
        if let Err(error) = empty {
            return OffsetDeleteResponse::default().with_error_code(error.code());
        }
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|p| {
                cluster.forget_offset(id, &Place::new(&topic.name, p.partition_index));
                OffsetDeleteResponsePartition::default().with_partition_index(p.partition_index)
            });
            let partitions = partitions.collect();
            let response = OffsetDeleteResponseTopic::default().with_name(topic.name.clone());
            response.with_partitions(partitions)
        });
        OffsetDeleteResponse::default().with_topics(topics.collect())
    })
}
