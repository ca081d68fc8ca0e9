use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::service::Service;
use crate::broker::{self, Lag};
use crate::correlation::Index;
use crate::message::Timestamp;
use crate::node::MachineClock;
use crate::runtime::Clock as _;
use crate::view::{Flowing, Freshness};

/// How things flow: who works on what, and how much is left to read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowTold {
    /// How far the view is behind the topics.
    view: Freshness,
    /// How much happens, as far as the view has read.
    flowing: Flowing,
    /// The nodes that run, each with its pipelines.
    nodes: Vec<NodeTold>,
    /// What no gateway has read yet of the topics that definitions read, and of
    /// `<app>.operator`.
    gateway: Vec<TopicLag>,
    /// What is left in the inbox of each shard.
    shards: Vec<ShardLag>,
}

/// A node that runs.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct NodeTold {
    /// Its name.
    node: String,
    /// The machine that it connects from.
    host: String,
    /// The shards that the group gave to it; they may be under restore.
    shards: Vec<u32>,
}

/// How much of a topic is not read.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct TopicLag {
    /// The topic.
    topic: String,
    /// So many records at the most, over all partitions.
    records: u64,
    /// How old the oldest of them is, in milliseconds; none if none is left, or that was not found
    /// out.
    behind_ms: Option<u64>,
}

/// How much of an inbox is not taken.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ShardLag {
    /// The shard.
    shard: i32,
    /// So many records at the most; the markers of transactions count too.
    records: u64,
    /// How old the oldest of them is, in milliseconds; none if none is left, or that was not found
    /// out.
    behind_ms: Option<u64>,
}

/// The nodes with their shards, how much is left to read by the gateways, by the shards and by the
/// view, how much happens, and when instances move by themselves.
#[utoipa::path(
    get, path = "/api/v1/flow", tag = "flow",
    responses(
        (status = 200, body = FlowTold),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn flow(State(service): State<Service>) -> Result<Json<FlowTold>, Problem> {
    let seen = service.look(|view| Ok((view.freshness(), view.flowing()?, view.catalog())));
    let (view, flowing, catalog) = seen.await?;
    let (topics, app) = (Index::new(&catalog).topics(), service.app.clone());
    let flow = service.ask(move |connection| broker::flow(connection, &app, &topics)).await?;
    let now = MachineClock::default().now();
    let shard = |lag: Lag| ShardLag {
        shard: lag.partition,
        records: lag.records,
        behind_ms: age(lag.since, now),
    };
    Ok(Json(FlowTold {
        view,
        flowing,
        nodes: nodes(&service.app, &flow.members),
        gateway: by_topic(&flow.gateway, now),
        shards: flow.shards.into_iter().map(shard).collect(),
    }))
}

/// The members of the group by the nodes whose pipelines they are: `<app>.<node>.<pipeline>`.
fn nodes(app: &str, members: &[broker::GroupMember]) -> Vec<NodeTold> {
    let mut nodes: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
    for member in members {
        let own = member.name.strip_prefix(app).and_then(|rest| rest.strip_prefix('.'));
        let own = own.unwrap_or(&member.name);
        let node = own.rsplit_once('.').map_or(own, |(node, _)| node);
        let shards = nodes.entry((node, &member.host)).or_default();
        shards.extend(member.shards.iter().map(|shard| shard.0));
        shards.sort_unstable();
    }
    let told = |((node, host), shards): ((&str, &str), Vec<u32>)| NodeTold {
        node: node.to_owned(),
        host: host.to_owned(),
        shards,
    };
    nodes.into_iter().map(told).collect()
}

fn by_topic(lags: &[Lag], now: Timestamp) -> Vec<TopicLag> {
    let mut topics: BTreeMap<&str, TopicLag> = BTreeMap::new();
    for lag in lags {
        let topic = lag.topic.as_str();
        let told = topics.entry(topic).or_insert_with(|| TopicLag {
            topic: topic.to_owned(),
            records: 0,
            behind_ms: None,
        });
        told.records = told.records.saturating_add(lag.records);
        told.behind_ms = told.behind_ms.max(age(lag.since, now));
    }
    topics.into_values().collect()
}

/// How old something is; what a clock that is ahead has written is not old.
fn age(since: Option<Timestamp>, now: Timestamp) -> Option<u64> {
    since.map(|since| now.since(since).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::GroupMember;
    use crate::message::{Shard, Topic};

    #[test]
    fn the_pipelines_of_a_node_are_one_node() {
        let member = |name: &str, shards: &[u32]| GroupMember {
            name: name.to_owned(),
            host: "10.0.0.1".to_owned(),
            shards: shards.iter().copied().map(Shard).collect(),
        };
        let members = [
            member("shop.eu.east.0", &[3, 5]),
            member("shop.eu.east.1", &[1]),
            member("other", &[]),
        ];
        let told = |node: &str, shards: &[u32]| NodeTold {
            node: node.to_owned(),
            host: "10.0.0.1".to_owned(),
            shards: shards.to_vec(),
        };
        assert_eq!(nodes("shop", &members), [told("eu.east", &[1, 3, 5]), told("other", &[])]);
    }

    #[test]
    fn what_is_left_of_a_topic_is_that_of_its_partitions() {
        let lag = |name: &str, partition, records, since: Option<i64>| {
            let topic = Topic::new(name).expect("a topic");
            Lag { topic, partition, records, since: since.map(Timestamp) }
        };
        let told = |topic: &str, records, behind_ms| TopicLag {
            topic: topic.to_owned(),
            records,
            behind_ms,
        };
        let lags = [
            lag("b", 0, 2, Some(70)),
            lag("a", 0, 0, None),
            lag("b", 1, 3, Some(40)),
            lag("b", 2, 1, None),
            lag("c", 0, 1, Some(200)),
        ];
        let topics = [told("a", 0, None), told("b", 6, Some(60)), told("c", 1, Some(0))];
        assert_eq!(by_topic(&lags, Timestamp(100)), topics, "the oldest record counts");
    }
}
