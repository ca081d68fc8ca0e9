//! Topics come, grow, shrink and go.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
};

use super::{code, text};
use crate::devbroker::cluster::Cluster;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::{Place, SETTINGS};

/// The value of `config_source` for a topic's own setting and for a default.
pub(super) const SOURCE_TOPIC: i8 = 1;
pub(super) const SOURCE_DEFAULT: i8 = 5;

pub(super) fn create(shared: &Shared, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let try_only = request.validate_only;
    let default = shared.creation.partitions;
    let topics = shared.with(|cluster, _| {
        let topics = request.topics.into_iter();
        topics.map(|topic| create_one(cluster, &topic, default, try_only)).collect()
    });
    CreateTopicsResponse::default().with_topics(topics)
}

fn create_one(
    cluster: &mut Cluster,
    wanted: &CreatableTopic,
    default: i32,
    try_only: bool,
) -> CreatableTopicResult {
    let assigned = i32::try_from(wanted.assignments.len()).unwrap_or(i32::MAX);
    let partitions = match wanted.num_partitions {
        -1 if assigned > 0 => assigned,
        -1 => default,
        count => count,
    };
    let set = wanted
        .configs
        .iter()
        .filter_map(|c| c.value.as_ref().map(|value| (c.name.to_string(), value.to_string())));
    let settings: BTreeMap<String, String> = set.collect();
    let result = match wanted.replication_factor {
        -1 | 1 if try_only => cluster.topics.check_new(&wanted.name, partitions, &settings),
        -1 | 1 => cluster.create_topic(&wanted.name, partitions, settings.clone()),
        _ => Err(ResponseError::InvalidReplicationFactor),
    };
    let answer = CreatableTopicResult::default().with_name(wanted.name.clone());
    if let Err(error) = result {
        return answer
            .with_error_code(error.code())
            .with_error_message(Some(text(&explain(error, &wanted.name))))
            .with_num_partitions(-1)
            .with_replication_factor(-1);
    }
    let configs = SETTINGS.iter().map(|(name, default)| {
        let own = settings.get(*name);
        CreatableTopicConfigs::default()
            .with_name(text(name))
            .with_value(Some(text(own.map_or(*default, String::as_str))))
            .with_config_source(if own.is_some() { SOURCE_TOPIC } else { SOURCE_DEFAULT })
    });
    answer
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(Some(configs.collect()))
}

fn explain(error: ResponseError, topic: &str) -> String {
    match error {
        ResponseError::InvalidReplicationFactor => {
            format!("topic {topic}: the development broker is one broker; replication is 1 or -1")
        }
        other => format!("topic {topic}: {other}"),
    }
}

pub(super) fn delete(shared: &Shared, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let responses = shared.with(|cluster, _| {
        let mut responses = Vec::new();
        for name in request.topic_names {
            let deleted = cluster.delete_topic(&name);
            let response = DeletableTopicResult::default().with_error_code(code(&deleted));
            responses.push(response.with_name(Some(name)));
        }
        responses
    });
    DeleteTopicsResponse::default().with_responses(responses)
}

pub(super) fn grow(shared: &Shared, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let try_only = request.validate_only;
    let results = shared.with(|cluster, _| {
        let results = request.topics.into_iter().map(|topic| {
            let grown = if try_only {
                cluster.topics.grow(&topic.name, topic.count, true)
            } else {
                cluster.grow_topic(&topic.name, topic.count)
            };
            let message = grown.as_ref().err().map(|e| text(&explain(*e, &topic.name)));
            CreatePartitionsTopicResult::default()
                .with_error_code(code(&grown))
                .with_error_message(message)
                .with_name(topic.name)
        });
        results.collect()
    });
    CreatePartitionsResponse::default().with_results(results)
}

pub(super) fn delete_records(
    shared: &Shared,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let topics = shared.with(|cluster, _| {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|wanted| {
                let place = Place::new(&topic.name, wanted.partition_index);
                let result = delete_until(cluster, &place, wanted.offset);
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(wanted.partition_index)
                    .with_error_code(code(&result))
                    .with_low_watermark(result.unwrap_or(-1))
            });
            let partitions = partitions.collect();
            let response = DeleteRecordsTopicResult::default().with_name(topic.name.clone());
            response.with_partitions(partitions)
        });
        topics.collect()
    });
    DeleteRecordsResponse::default().with_topics(topics)
}

fn delete_until(cluster: &mut Cluster, place: &Place, offset: i64) -> Result<i64, ResponseError> {
    let log = cluster.topics.log(&place.topic, place.partition)?;
    let until = if offset == -1 { log.high_watermark() } else { offset };
    if until < 0 || until > log.high_watermark() {
        return Err(ResponseError::OffsetOutOfRange);
    }
    cluster.trim(place, until)
}
