//! `segue tail`: transitions as they come.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::output::{FAILED, complain, say};
use super::remote::{Form, Remote};
use super::show;
use super::table::text;
use crate::api::{Endpoint, NoAnswer};

/// Which transitions.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Of this saga alone
    #[arg(long)]
    saga: Option<String>,
    /// Of this instance alone
    #[arg(long, requires = "saga")]
    key: Option<String>,
    /// With a note of this kind, such as stuck or acted; may be said more than once
    #[arg(long)]
    kind: Vec<String>,
    /// Ends after so many
    #[arg(long)]
    count: Option<usize>,
    #[command(flatten)]
    remote: Remote,
}

/// Prints transitions until it is ended, or until there were as many as asked for.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, NoAnswer> {
    let endpoint = Endpoint::at(&["live"])
        .with("saga", arguments.saga.as_ref())
        .with("key", arguments.key.as_ref());
    let mut left = arguments.count;
    let mut is_dropped = false;
    if left == Some(0) {
        return Ok(ExitCode::SUCCESS);
    }
    arguments.remote.client()?.follow(&endpoint, |event, data| {
        match event {
            "transition" if takes(&arguments.kind, &data) => {
                print(&arguments.remote, &data);
                left = left.map(|left| left - 1);
            }
            "dropped" => is_dropped = true,
            _ => {}
        }
        left != Some(0) && !is_dropped
    })?;
    if left == Some(0) {
        return Ok(ExitCode::SUCCESS);
    }
    complain(if is_dropped {
        "error: this reads too slowly, and the server has dropped it; ask for less, by --saga"
    } else {
        "error: the server has ended the stream; begin again when it is back"
    });
    Ok(ExitCode::from(FAILED))
}

/// Whether a transition has a note of one of these kinds.
fn takes(kinds: &[String], entry: &Value) -> bool {
    let mut notes = entry["notes"].as_array().into_iter().flatten();
    kinds.is_empty() || notes.any(|note| kinds.contains(&text(note, "/kind")))
}

fn print(remote: &Remote, entry: &Value) {
    if remote.is(Form::Table) {
        let id = format!("{}/{}", text(entry, "/saga"), text(entry, "/key"));
        for line in show::told(entry) {
            say(&format!("{id}  {line}"));
        }
    } else {
        say(&entry.to_string());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn transitions_are_told_apart_by_what_has_happened() {
        let entry = json!({"notes": [{"kind": "sent"}, {"kind": "stuck"}]});
        let kinds =
            |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
        assert!(takes(&[], &entry));
        assert!(takes(&kinds(&["acted", "stuck"]), &entry));
        assert!(!takes(&kinds(&["acted"]), &entry));
    }
}
