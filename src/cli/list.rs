//! The verbs that look: what there is, what needs attention, what is owed and asked.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::remote::{Remote, fresh};
use super::table::{Column, column};
use crate::api::{Endpoint, NoAnswer};

/// The most rows that the server gives at once.
const PAGE_ROWS_MAX: usize = 500;

/// Which instances are listed.
#[derive(Debug, Args)]
pub(super) struct Listing {
    /// What they are at, with commas between: stuck, retrying, waiting, …
    #[arg(long)]
    state: Option<String>,
    /// Their saga
    #[arg(long)]
    saga: Option<String>,
    /// The version of it
    #[arg(long)]
    version: Option<u32>,
    /// The step that is stuck, else under way, else failed
    #[arg(long)]
    step: Option<String>,
    /// The group of their error, as `segue attention -o json` says it
    #[arg(long)]
    error: Option<String>,
    /// What their key begins with
    #[arg(long)]
    key: Option<String>,
    /// They have started at that moment (RFC 3339) or later
    #[arg(long)]
    started_from: Option<String>,
    /// They have started before that moment (RFC 3339)
    #[arg(long)]
    started_before: Option<String>,
    /// What a field is that the saga names under `search`, such as data.total>=100; all of several
    #[arg(long = "where", value_name = "TEST")]
    tests: Vec<String>,
    /// What comes first: newest, oldest, a field as data.total, or the greatest: -data.total
    #[arg(long, allow_hyphen_values = true)]
    sort: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
}

/// Lists instances, as many pages as it takes.
pub(super) fn instances(listing: &Listing) -> Result<ExitCode, NoAnswer> {
    let client = listing.remote.client()?;
    let mut rows = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let left = listing.limit.saturating_sub(rows.len()).min(PAGE_ROWS_MAX);
        let mut endpoint = Endpoint::at(&["instances"])
            .with("state", listing.state.as_ref())
            .with("saga", listing.saga.as_ref())
            .with("version", listing.version)
            .with("step", listing.step.as_ref())
            .with("error", listing.error.as_ref())
            .with("key", listing.key.as_ref())
            .with("started_from", listing.started_from.as_ref())
            .with("started_before", listing.started_before.as_ref())
            .with("sort", listing.sort.as_ref())
            .with("after", after.as_ref())
            .with("limit", Some(left));
        for test in &listing.tests {
            endpoint = endpoint.with("where", Some(test));
        }
        let mut page = client.get(&endpoint)?;
        if after.is_some() {
            // The first page has said how fresh it is.
            page["freshness"].take();
        }
        let mut page = fresh(page);
        after = page["next"].as_str().map(str::to_owned);
        rows.extend(array(page["instances"].take()));
        if after.is_none() || rows.len() >= listing.limit {
            break;
        }
    }
    let is_by_field = listing.sort.as_deref().is_some_and(|sort| sort.contains("data."));
    let shown = INSTANCES.len() - usize::from(listing.tests.is_empty() && !is_by_field);
    listing.remote.print_rows(&rows, &INSTANCES[..shown], "no instance is like that");
    Ok(ExitCode::SUCCESS)
}

/// The last one only for who asks by fields.
const INSTANCES: [Column; 7] = [
    column("INSTANCE", &["/saga", "/key"]),
    column("STATE", &["/state"]),
    column("STEP", &["/step"]),
    column("STARTED", &["/started"]),
    column("CHANGED", &["/changed"]),
    column("REASON", &["/reason"]),
    column("FIELDS", &["/fields"]),
];

/// A list without choices.
#[derive(Debug, Args)]
pub(super) struct Plain {
    #[command(flatten)]
    remote: Remote,
}

/// What needs attention, by why, saga, step and error.
pub(super) fn attention(arguments: &Plain) -> Result<ExitCode, NoAnswer> {
    const COLUMNS: [Column; 6] = [
        column("WHY", &["/concern"]),
        column("HOW MANY", &["/instances"]),
        column("SAGA", &["/saga"]),
        column("STEP", &["/step"]),
        column("OLDEST", &["/oldest"]),
        column("REASON", &["/reason"]),
    ];
    let endpoint = Endpoint::at(&["attention"]);
    print(&arguments.remote, &endpoint, &COLUMNS, "nothing needs attention")
}

/// Sagas with their counts.
pub(super) fn sagas(arguments: &Plain) -> Result<ExitCode, NoAnswer> {
    const COLUMNS: [Column; 6] = [
        column("SAGA", &["/saga"]),
        column("VERSION", &["/version"]),
        column("STARTS", &["/starts"]),
        column("P50 MS", &["/p50_ms"]),
        column("P99 MS", &["/p99_ms"]),
        column("TITLE", &["/title"]),
    ];
    print(&arguments.remote, &Endpoint::at(&["sagas"]), &COLUMNS, "no saga was ever deployed")
}

/// What is owed by whom.
#[derive(Debug, Args)]
pub(super) struct Owing {
    /// Who owes it: an address such as inventory.commands/ReleaseStock
    #[arg(long)]
    to: Option<String>,
    /// How many
    #[arg(long, default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
}

/// The compensations that are not answered yet.
pub(super) fn owed(owing: &Owing) -> Result<ExitCode, NoAnswer> {
    const COLUMNS: [Column; 6] = [
        column("TO", &["/to"]),
        column("INSTANCE", &["/saga", "/key"]),
        column("STEP", &["/step"]),
        column("SINCE", &["/since"]),
        column("TRIED", &["/attempts"]),
        column("NEXT", &["/due"]),
    ];
    let endpoint = Endpoint::at(&["owed"]).with("to", owing.to.as_ref());
    let endpoint = endpoint.with("limit", Some(owing.limit));
    print(&owing.remote, &endpoint, &COLUMNS, "nothing is owed")
}

/// Which questions.
#[derive(Debug, Args)]
pub(super) struct Questioning {
    /// The role that is asked
    #[arg(long)]
    who: Option<String>,
    /// How many
    #[arg(long, default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
}

/// The questions that nobody has answered.
pub(super) fn questions(asked: &Questioning) -> Result<ExitCode, NoAnswer> {
    const COLUMNS: [Column; 6] = [
        column("WHO", &["/who"]),
        column("INSTANCE", &["/saga", "/key"]),
        column("STEP", &["/step"]),
        column("CHOICES", &["/choices"]),
        column("SINCE", &["/since"]),
        column("UNTIL", &["/until"]),
    ];
    let endpoint = Endpoint::at(&["questions"]).with("who", asked.who.as_ref());
    let endpoint = endpoint.with("limit", Some(asked.limit));
    print(&asked.remote, &endpoint, &COLUMNS, "nobody is asked anything")
}

fn print(
    remote: &Remote,
    endpoint: &Endpoint,
    columns: &[Column],
    nothing: &str,
) -> Result<ExitCode, NoAnswer> {
    remote.print_rows(&array(remote.found(endpoint)?), columns, nothing);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            vec![other]
        }
    }
}
