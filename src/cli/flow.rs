//! `segue flow`: the nodes with their shards, how much is left to read, and how much happens.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::remote::Remote;
use super::table::text;
use crate::api::{Endpoint, NoAnswer};

/// What is asked.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
}

/// Tells how things flow.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, NoAnswer> {
    let flow = arguments.remote.client()?.get(&Endpoint::at(&["flow"]))?;
    arguments.remote.print(&flow, words);
    Ok(ExitCode::SUCCESS)
}

fn words(flow: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let each = |name: &str| flow[name].as_array().cloned().unwrap_or_default();
    for node in each("nodes") {
        let shards: Vec<String> =
            node["shards"].as_array().into_iter().flatten().map(ToString::to_string).collect();
        let shards = if shards.is_empty() { "none".to_owned() } else { shards.join(", ") };
        let (name, host) = (text(&node, "/node"), text(&node, "/host"));
        lines.push(format!("node     {name} at {host}: shards {shards}"));
    }
    if lines.is_empty() {
        lines.push("node     none runs".to_owned());
    }
    for topic in each("gateway") {
        let (name, records) = (text(&topic, "/topic"), text(&topic, "/records"));
        lines.push(format!("gateway  {name}: {records} records left{}", behind(&topic)));
    }
    for shard in each("shards") {
        let (number, records) = (text(&shard, "/shard"), text(&shard, "/records"));
        lines.push(format!("shard    {number}: {records} records left{}", behind(&shard)));
    }
    let (records, ms) = (text(flow, "/view/behind_records"), text(flow, "/view/behind_ms"));
    lines.push(format!("view     {records} records left, {ms} ms behind"));
    let lately = text(flow, "/flowing/transitions_last_minute");
    lines.push(format!("pace     {lately} transitions in the last minute"));
    let timers = |name: &str| text(flow, &format!("/flowing/timers/{name}"));
    let (overdue, soon) = (timers("overdue"), timers("within_a_minute"));
    lines.push(format!("timers   {overdue} overdue, {soon} within a minute"));
    lines
}

/// How old the oldest of what is left is.
fn behind(lag: &Value) -> String {
    match lag["behind_ms"].as_u64() {
        Some(ms) => format!(", {ms} ms behind"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_is_told_in_records_and_time() {
        let flow = json!({
            "gateway": [{"topic": "shop.orders", "records": 7, "behind_ms": 1_200}],
            "shards": [{"shard": 3, "records": 0, "behind_ms": null}],
        });
        let lines = words(&flow);
        let gateway = "gateway  shop.orders: 7 records left, 1200 ms behind".to_owned();
        assert!(lines.contains(&gateway), "{lines:?}");
        assert!(lines.contains(&"shard    3: 0 records left".to_owned()), "{lines:?}");
    }
}
