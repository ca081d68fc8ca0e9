//! How the verbs reach a server of the API, and how they print what it answers.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::output::{FAILED, NOT_FOUND, REFUSED, complain, say};
use super::table::{Column, table};
use crate::api::{Client, Endpoint, NoAnswer};

/// A view that is further behind than this is worth a word, in milliseconds.
const BEHIND_MS_MAX: u64 = 5_000;

/// Where the server is, and how its answer is printed.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// The server; its token stands in `SEGUE_TOKEN`
    #[arg(long, env = "SEGUE_SERVER", default_value = "http://127.0.0.1:8900")]
    server: String,
    /// What is printed: a table for people, one JSON value, or a JSON value a line
    #[arg(long, short, value_enum, default_value_t = Form::Table)]
    output: Form,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    Table,
    Json,
    Jsonl,
}

impl Remote {
    /// A client for the server.
    pub fn client(&self) -> Result<Client, NoAnswer> {
        let token = std::env::var("SEGUE_TOKEN").ok().filter(|token| !token.is_empty());
        let by = std::env::var("USER").unwrap_or_default();
        Client::new(&self.server, token, &by)
    }

    /// What stands at an endpoint; says so if it is not fresh.
    pub fn found(&self, endpoint: &Endpoint) -> Result<Value, NoAnswer> {
        Ok(fresh(self.client()?.get(endpoint)?))
    }

    /// Whether that is what is printed.
    pub fn is(&self, form: Form) -> bool {
        self.output == form
    }

    /// Prints rows.
    pub fn print_rows(&self, rows: &[Value], columns: &[Column], nothing: &str) {
        match self.output {
            Form::Table if rows.is_empty() => complain(nothing),
            Form::Table => table(rows, columns).iter().for_each(|line| say(line)),
            Form::Json => say(&pretty(&Value::Array(rows.to_vec()))),
            Form::Jsonl => rows.iter().for_each(|row| say(&row.to_string())),
        }
    }

    /// Prints one thing, in words for people.
    pub fn print(&self, value: &Value, words: impl Fn(&Value) -> Vec<String>) {
        match self.output {
            Form::Table => words(value).iter().for_each(|line| say(line)),
            Form::Json => say(&pretty(value)),
            Form::Jsonl => say(&value.to_string()),
        }
    }
}

/// Takes what was found out of an answer; whoever reads an old one is told.
pub(super) fn fresh(mut answer: Value) -> Value {
    let freshness = &answer["freshness"];
    let behind = freshness["behind_ms"].as_u64().unwrap_or_default();
    let records = freshness["behind_records"].as_u64().unwrap_or_default();
    if freshness["is_whole"] == false {
        complain(&format!("the view is not whole yet: {records} records are left to read"));
    } else if behind > BEHIND_MS_MAX {
        let why = freshness["trouble"].as_str().map_or_else(String::new, |why| format!(": {why}"));
        complain(&format!("the view is {} s behind, {records} records{why}", behind / 1_000));
    }
    answer["found"].take()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Tells why a server did not do it, and the exit code that says the same.
pub(super) fn failed(failure: &NoAnswer) -> ExitCode {
    complain(&format!("error: {failure}"));
    let NoAnswer::Problem(told) = failure else { return ExitCode::from(FAILED) };
    for near in &told.near {
        complain(&format!("  near: {near}"));
    }
    ExitCode::from(match told.status {
        404 => NOT_FOUND,
        409 => REFUSED,
        _ => FAILED,
    })
}
