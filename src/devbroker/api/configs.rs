//! `DescribeConfigs` and `IncrementalAlterConfigs`: a topic's settings, and the broker's few.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

use super::admin::{SOURCE_DEFAULT, SOURCE_TOPIC};
use super::{BROKER, code, text};
use crate::devbroker::cluster::Cluster;
use crate::devbroker::shared::Shared;
use crate::devbroker::topics::{SETTINGS, check_setting};
use crate::devbroker::transaction::TIMEOUT_MS_MAX;

const TOPIC: i8 = 2;
const ONE_BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;

/// A setting: its value, and where that comes from.
struct Setting {
    name: String,
    value: String,
    source: i8,
    read_only: bool,
}

pub(super) fn describe(
    shared: &Shared,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let automatic = shared.creation.automatic;
    let results = shared.with(|cluster, _| {
        let resources = request.resources.into_iter();
        resources.map(|resource| describe_one(cluster, automatic, &resource)).collect()
    });
    DescribeConfigsResponse::default().with_results(results)
}

fn describe_one(
    cluster: &Cluster,
    automatic: bool,
    resource: &DescribeConfigsResource,
) -> DescribeConfigsResult {
    let settings = match resource.resource_type {
        TOPIC => topic_settings(cluster, &resource.resource_name),
        ONE_BROKER if *resource.resource_name == *BROKER.to_string() => {
            Ok(broker_settings(automatic))
        }
        _ => Err(ResponseError::InvalidRequest),
    };
    let error = code(&settings);
    let wanted = |s: &Setting| {
        let keys = resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.iter().any(|k| **k == *s.name))
    };
    let configs = settings.unwrap_or_default().into_iter().filter(wanted).map(|setting| {
        DescribeConfigsResourceResult::default()
            .with_name(text(&setting.name))
            .with_value(Some(text(&setting.value)))
            .with_read_only(setting.read_only)
            .with_config_source(setting.source)
    });
    DescribeConfigsResult::default()
        .with_error_code(error)
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone())
        .with_configs(configs.collect())
}

fn topic_settings(cluster: &Cluster, name: &str) -> Result<Vec<Setting>, ResponseError> {
    let topic = cluster.topics.topic(name)?;
    let mut values: BTreeMap<&str, (&str, i8)> =
        SETTINGS.iter().map(|(name, value)| (*name, (*value, SOURCE_DEFAULT))).collect();
    let own = topic.settings.iter().map(|(n, v)| (n.as_str(), (v.as_str(), SOURCE_TOPIC)));
    values.extend(own);
    let setting = |(name, (value, source)): (&str, (&str, i8))| Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        source,
        read_only: false,
    };
    Ok(values.into_iter().map(setting).collect())
}

fn broker_settings(automatic: bool) -> Vec<Setting> {
    let values = [
        ("auto.create.topics.enable", automatic.to_string()),
        ("message.max.bytes", "1048588".to_owned()),
        ("transaction.max.timeout.ms", TIMEOUT_MS_MAX.to_string()),
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("default.replication.factor", "1".to_owned()),
    ];
    let setting = |(name, value): (&str, String)| Setting {
        name: name.to_owned(),
        value,
        source: SOURCE_DEFAULT,
        read_only: true,
    };
    values.into_iter().map(setting).collect()
}

pub(super) fn alter(
    shared: &Shared,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let try_only = request.validate_only;
    let responses = shared.with(|cluster, _| {
        let responses = request.resources.into_iter().map(|resource| {
            let result = alter_one(cluster, &resource, try_only);
            AlterConfigsResourceResponse::default()
                .with_error_code(code(&result))
                .with_error_message(result.err().map(|e| text(&e.to_string())))
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
        });
        responses.collect()
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses)
}

fn alter_one(
    cluster: &mut Cluster,
    resource: &AlterConfigsResource,
    try_only: bool,
) -> Result<(), ResponseError> {
    if resource.resource_type != TOPIC {
        return Err(ResponseError::InvalidRequest);
    }
    let topic = cluster.topics.topic(&resource.resource_name)?;
    let mut settings = topic.settings.clone();
    for change in &resource.configs {
        let value = change.value.as_ref().map(ToString::to_string);
        match (change.config_operation, value) {
            (SET, Some(value)) => {
                check_setting(&change.name, &value)?;
                settings.insert(change.name.to_string(), value);
            }
            (DELETE, _) => drop(settings.remove(change.name.as_str())),
            // Lists are short here: set them whole.
            _ => return Err(ResponseError::InvalidConfig),
        }
    }
    if try_only { Ok(()) } else { cluster.set_settings(&resource.resource_name, settings) }
}
