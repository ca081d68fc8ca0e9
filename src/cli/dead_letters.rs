//! `segue dead-letters`: what was put aside, and one of it whole.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::list::array;
use super::remote::Remote;
use super::table::{Column, column, text};
use crate::api::{Endpoint, NoAnswer};

/// Which dead letters.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One of them, as the list names it: PARTITION/OFFSET
    #[arg(value_parser = place)]
    letter: Option<(i32, i64)>,
    /// How many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
}

fn place(text: &str) -> Result<(i32, i64), String> {
    let parts = text.split_once('/');
    let read =
        parts.and_then(|(partition, offset)| Some((partition.parse().ok()?, offset.parse().ok()?)));
    read.ok_or_else(|| "write PARTITION/OFFSET, such as 0/17".to_owned())
}

/// Lists dead letters, or shows one.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, NoAnswer> {
    const COLUMNS: [Column; 5] = [
        column("LETTER", &["/partition", "/offset"]),
        column("AT", &["/at"]),
        column("INSTANCE", &["/instance"]),
        column("TYPE", &["/event_type"]),
        column("REASON", &["/reason"]),
    ];
    let remote = &arguments.remote;
    if let Some((partition, offset)) = arguments.letter {
        let place = [partition.to_string(), offset.to_string()];
        let endpoint = Endpoint::at(&["dead-letters", &place[0], &place[1]]);
        remote.print(&remote.found(&endpoint)?, whole);
        return Ok(ExitCode::SUCCESS);
    }
    let endpoint = Endpoint::at(&["dead-letters"]).with("limit", Some(arguments.limit));
    let mut page = remote.found(&endpoint)?;
    remote.print_rows(&array(page["letters"].take()), &COLUMNS, "nothing was put aside");
    Ok(ExitCode::SUCCESS)
}

/// One dead letter, line by line.
fn whole(letter: &Value) -> Vec<String> {
    let mut lines = vec![text(letter, "/row/reason")];
    for (name, at) in [
        ("at", "/row/at"),
        ("read from", "/row/origin"),
        ("instance", "/row/instance"),
        ("key", "/key"),
    ] {
        let value = text(letter, at);
        if !value.is_empty() {
            lines.push(format!("  {name:<10}{value}"));
        }
    }
    let headers = letter["headers"].as_array().map_or(0, Vec::len);
    for place in 0..headers {
        let name = text(letter, &format!("/headers/{place}/0"));
        let value = text(letter, &format!("/headers/{place}/1"));
        lines.push(format!("  {name}: {value}"));
    }
    lines.push(text(letter, "/body"));
    lines
}
