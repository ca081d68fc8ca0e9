//! The verbs that look: what there is, what needs attention, what is owed and asked.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::remote::{Remote, fresh};
use super::table::{Column, column};
use super::which::Instances;
use crate::api::{Endpoint, NoAnswer};

/// The most rows that the server gives at once.
const PAGE_ROWS_MAX: usize = 500;

/// Which instances are listed.
#[derive(Debug, Args)]
pub(super) struct Listing {
    #[command(flatten)]
    which: Instances,
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
    let endpoint = Endpoint::at(&["instances"]).with("sort", listing.sort.as_ref());
    let endpoint = listing.which.of(endpoint);
    let rows = pages(&listing.remote, &endpoint, "instances", listing.limit)?;
    let is_by_field = listing.sort.as_deref().is_some_and(|sort| sort.contains("data."));
    let shown = INSTANCES.len() - usize::from(listing.which.tests.is_empty() && !is_by_field);
    listing.remote.print_rows(&rows, &INSTANCES[..shown], "no instance is like that");
    Ok(ExitCode::SUCCESS)
}

/// The rows of a list that has pages, as many pages as it takes.
fn pages(
    remote: &Remote,
    endpoint: &Endpoint,
    rows_of: &str,
    limit: usize,
) -> Result<Vec<Value>, NoAnswer> {
    let client = remote.client()?;
    let mut rows = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let left = limit.saturating_sub(rows.len()).min(PAGE_ROWS_MAX);
        let asked = endpoint.clone().with("after", after.as_ref()).with("limit", Some(left));
        let mut page = client.get(&asked)?;
        if after.is_some() {
            // The first page has said how fresh it is.
            page["freshness"].take();
        }
        let mut page = fresh(page);
        after = page["next"].as_str().map(str::to_owned);
        rows.extend(array(page[rows_of].take()));
        if after.is_none() || rows.len() >= limit {
            return Ok(rows);
        }
    }
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
    let rows = pages(&owing.remote, &endpoint, "owed", owing.limit)?;
    owing.remote.print_rows(&rows, &COLUMNS, "nothing is owed");
    Ok(ExitCode::SUCCESS)
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
    let rows = pages(&asked.remote, &endpoint, "questions", asked.limit)?;
    asked.remote.print_rows(&rows, &COLUMNS, "nobody is asked anything");
    Ok(ExitCode::SUCCESS)
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
