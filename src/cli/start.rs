//! `segue start`: starts an instance over the API.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use super::output::{OUT_OF_TIME, complain};
use super::remote::{Remote, failed, fresh};
use super::table::text;
use crate::api::Endpoint;
use crate::message::read_json;

/// The largest event that is read from a file, in bytes.
const EVENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What is started.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The saga
    saga: String,
    /// The start event's body: JSON, @FILE, or - for what stands on stdin
    body: String,
    /// The event as topic/type, of a saga that several events start
    #[arg(long)]
    on: Option<String>,
    /// The record's key; by default the instance's
    #[arg(long)]
    key: Option<String>,
    /// Wait so long for its end, such as 30s
    #[arg(long)]
    wait: Option<String>,
    /// The event's own id: the same id starts once
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Starts an instance; waits for its end, if it should.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let body = body(&arguments.body)?;
    let endpoint = Endpoint::at(&["sagas", &arguments.saga, "start"])
        .with("on", arguments.on.as_ref())
        .with("key", arguments.key.as_ref())
        .with("wait", arguments.wait.as_ref());
    let posted = arguments
        .remote
        .client()
        .and_then(|client| client.post(&endpoint, &body, arguments.id.as_deref()));
    let placed = match posted {
        Ok(answer) => fresh(answer),
        Err(failure) => return Ok(failed(&failure)),
    };
    arguments.remote.print(&placed, words);
    let has_ended = !placed["life"].is_null();
    if let Some(wait) = arguments.wait.as_ref().filter(|_| !has_ended) {
        complain(&format!("it has not ended within {wait}; `segue show` tells where it is"));
        return Ok(ExitCode::from(OUT_OF_TIME));
    }
    Ok(ExitCode::SUCCESS)
}

fn body(text: &str) -> anyhow::Result<Value> {
    let mut bytes = Vec::new();
    if text == "-" {
        std::io::stdin().take(EVENT_BYTES_MAX).read_to_end(&mut bytes)?;
    } else if let Some(file) = text.strip_prefix('@') {
        let opened = std::fs::File::open(file).with_context(|| file.to_owned())?;
        opened.take(EVENT_BYTES_MAX).read_to_end(&mut bytes)?;
    } else {
        bytes.extend_from_slice(text.as_bytes());
    }
    read_json(&bytes).context("the body is no JSON; write such as '{\"order_id\":\"o-1\"}'")
}

fn words(placed: &Value) -> Vec<String> {
    let (instance, event) = (text(placed, "/instance"), text(placed, "/event"));
    let life = &placed["life"];
    if life.is_null() {
        return vec![format!("{instance}: {event} is written")];
    }
    let (state, ended) = (text(life, "/state"), text(life, "/ended"));
    let mut lines = vec![format!("{instance}  {state} at {ended}")];
    if !life["failure"].is_null() {
        lines.push(format!("  {}: {}", text(life, "/failure/kind"), text(life, "/failure/reason")));
    }
    lines
}
