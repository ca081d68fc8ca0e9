//! Members of groups join, sync, live and leave.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Client, code, text};
use crate::devbroker::answer::{Answer, Joined};
use crate::devbroker::cluster::Cluster;
use crate::devbroker::member::{Join, Protocol};
use crate::devbroker::shared::Shared;

/// Shortest and longest session that a member may ask for.
const SESSION_MS_MIN: i32 = 100;
const SESSION_MS_MAX: i32 = 1_800_000;

pub(super) async fn join(
    shared: &Shared,
    client: &Client,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let member = request.member_id.clone();
    let refuse = |error: ResponseError, member: StrBytes| {
        JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            // Absent before version 7, but never null then.
            .with_protocol_name(Some(StrBytes::new()))
            .with_member_id(member)
    };
    if request.group_id.is_empty() {
        return refuse(ResponseError::InvalidGroupId, member);
    }
    if !(SESSION_MS_MIN..=SESSION_MS_MAX).contains(&request.session_timeout_ms) {
        return refuse(ResponseError::InvalidSessionTimeout, member);
    }
    let group = request.group_id.0.to_string();
    let join = join_of(client, request);
    let answer = shared.answer_to(|cluster, ticket, now_ms| {
        let answers = &mut cluster.events.answers;
        cluster.groups.entry(group).or_default().join(&join, ticket, now_ms, answers);
    });
    match answer.await {
        Answer::Joined(joined) => joined_response(joined),
        Answer::Refused { error, member } => refuse(error, text(&member)),
        Answer::Synced(_) => refuse(ResponseError::UnknownServerError, member),
    }
}

fn join_of(client: &Client, request: JoinGroupRequest) -> Join {
    let rebalance_ms = match request.rebalance_timeout_ms {
        // Version 0 has one timeout for both.
        -1 => request.session_timeout_ms,
        own => own,
    };
    let protocols = request
        .protocols
        .into_iter()
        .map(|p| Protocol { name: p.name.to_string(), metadata: p.metadata })
        .collect();
    Join {
        member: request.member_id.to_string(),
        instance: request.group_instance_id.map(|i| i.to_string()),
        session_ms: i64::from(request.session_timeout_ms),
        rebalance_ms: i64::from(rebalance_ms),
        protocol_type: request.protocol_type.to_string(),
        protocols,
        client: client.id.clone(),
        host: client.host.clone(),
        id_first: client.version >= 4,
        may_skip: client.version >= 9,
    }
}

fn joined_response(joined: Joined) -> JoinGroupResponse {
    let member = |(id, instance, metadata): (String, Option<String>, bytes::Bytes)| {
        JoinGroupResponseMember::default()
            .with_member_id(text(&id))
            .with_group_instance_id(instance.as_deref().map(text))
            .with_metadata(metadata)
    };
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type(Some(text(&joined.protocol_type)))
        .with_protocol_name(Some(text(&joined.protocol)))
        .with_leader(text(&joined.leader))
        .with_member_id(text(&joined.member))
        .with_skip_assignment(joined.skip_assignment)
        .with_members(joined.members.into_iter().map(member).collect())
}

/// Refuses a request of someone who is not the member of this generation that it says.
pub(super) fn check(
    cluster: &Cluster,
    group: &str,
    member: &str,
    instance: Option<&str>,
    generation: i32,
) -> Result<(), ResponseError> {
    let group = cluster.groups.get(group).ok_or(ResponseError::UnknownMemberId)?;
    group.check_member(member, instance)?;
    group.check_generation(generation)
}

pub(super) async fn sync(shared: &Shared, request: SyncGroupRequest) -> SyncGroupResponse {
    let member = request.member_id.to_string();
    let group = request.group_id.0.to_string();
    let instance = request.group_instance_id.as_deref();
    let of = |a: kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment| {
        (a.member_id.to_string(), a.assignment)
    };
    let portions: BTreeMap<_, _> = request.assignments.into_iter().map(of).collect();
    let generation = request.generation_id;
    let answer = shared.answer_to(|cluster, ticket, now_ms| {
        let checked = check(cluster, &group, &member, instance, generation);
        let answers = &mut cluster.events.answers;
        match (checked, cluster.groups.get_mut(&group)) {
            (Ok(()), Some(group)) => group.sync(&member, portions, ticket, now_ms, answers),
            (Err(error), _) => {
                answers.push((ticket, Answer::Refused { error, member: member.clone() }));
            }
            (Ok(()), None) => {
                let error = ResponseError::UnknownMemberId;
                answers.push((ticket, Answer::Refused { error, member: member.clone() }));
            }
        }
    });
    match answer.await {
        Answer::Synced(synced) => SyncGroupResponse::default()
            .with_protocol_type(Some(text(&synced.protocol_type)))
            .with_protocol_name(Some(text(&synced.protocol)))
            .with_assignment(synced.assignment),
        Answer::Refused { error, .. } => SyncGroupResponse::default().with_error_code(error.code()),
        Answer::Joined(_) => {
            SyncGroupResponse::default().with_error_code(ResponseError::UnknownServerError.code())
        }
    }
}

pub(super) fn heartbeat(shared: &Shared, request: &HeartbeatRequest) -> HeartbeatResponse {
    let (group, member) = (request.group_id.as_str(), request.member_id.as_str());
    let instance = request.group_instance_id.as_deref();
    let result = shared.with(|cluster, now_ms| {
        check(cluster, group, member, instance, request.generation_id)?;
        let group = cluster.groups.get_mut(group).ok_or(ResponseError::UnknownMemberId)?;
        group.heartbeat(member, now_ms)
    });
    HeartbeatResponse::default().with_error_code(code(&result))
}

pub(super) fn leave(
    shared: &Shared,
    version: i16,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let group = request.group_id.as_str();
    if version < 3 {
        let member = MemberIdentity::default().with_member_id(request.member_id.clone());
        let result = shared.with(|cluster, now_ms| leave_one(cluster, group, &member, now_ms));
        return LeaveGroupResponse::default().with_error_code(code(&result));
    }
    let members = shared.with(|cluster, now_ms| {
        let leaving = request.members.into_iter().map(|member| {
            let result = leave_one(cluster, group, &member, now_ms);
            MemberResponse::default()
                .with_member_id(member.member_id)
                .with_group_instance_id(member.group_instance_id)
                .with_error_code(code(&result))
        });
        leaving.collect()
    });
    LeaveGroupResponse::default().with_members(members)
}

fn leave_one(
    cluster: &mut Cluster,
    group: &str,
    leaving: &MemberIdentity,
    now_ms: i64,
) -> Result<(), ResponseError> {
    let group = cluster.groups.get_mut(group).ok_or(ResponseError::UnknownMemberId)?;
    let mut member = leaving.member_id.to_string();
    if let Some(instance) = leaving.group_instance_id.as_deref()
        && member.is_empty()
    {
        // An admin removes a static member by its instance alone.
        let holder = group.instances.get(instance).ok_or(ResponseError::UnknownMemberId)?;
        member.clone_from(holder);
    }
    group.check_member(&member, leaving.group_instance_id.as_deref())?;
    group.leave(&member, now_ms, &mut cluster.events.answers);
    Ok(())
}
