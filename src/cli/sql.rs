//! `segue sql`: a question in SQL over the view.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::output::{complain, say};
use super::remote::{Form, Remote, fresh};
use super::table::aligned;
use crate::api::{Endpoint, NoAnswer};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One SELECT; `-` reads it from the standard input. `SELECT * FROM tables` lists the tables
    question: String,
    #[command(flatten)]
    remote: Remote,
}

/// Asks, and prints the rows.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, NoAnswer> {
    let mut question = arguments.question.clone();
    if question == "-" {
        question.clear();
        let read = std::io::stdin().read_to_string(&mut question);
        read.map_err(|e| NoAnswer::Context(format!("the standard input cannot be read: {e}")))?;
    }
    let body = json!({"sql": question});
    let answer = arguments.remote.client()?.post(&Endpoint::at(&["sql"]), &body, None)?;
    let found = fresh(answer);
    if found["is_cut"] == true {
        complain("the answer is cut off; ask for less, with a LIMIT or by counting");
    }
    if arguments.remote.is(Form::Table) {
        for line in aligned(&cells(&found)) {
            say(&line);
        }
    } else {
        arguments.remote.print_rows(&objects(&found), &[], "");
    }
    Ok(ExitCode::SUCCESS)
}

/// The head and the rows, as text.
fn cells(found: &Value) -> Vec<Vec<String>> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        // A line break would look like another row.
        Value::String(text) => text.replace(['\n', '\r'], " "),
        other => other.to_string(),
    };
    let line = |values: &Value| values.as_array().into_iter().flatten().map(text).collect();
    let rows = found["rows"].as_array().into_iter().flatten();
    std::iter::once(&found["columns"]).chain(rows).map(line).collect()
}

/// Each row as an object.
fn objects(found: &Value) -> Vec<Value> {
    let columns: Vec<&str> =
        found["columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let object = |row: &Value| {
        let values = row.as_array().into_iter().flatten().cloned();
        let fields = columns.iter().map(|name| (*name).to_owned()).zip(values);
        Value::Object(fields.collect::<Map<_, _>>())
    };
    found["rows"].as_array().into_iter().flatten().map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_a_table_for_people_and_objects_for_programs() {
        let found = json!({"columns": ["key", "n"], "rows": [["o-1", 2], ["a\nb", null]]});
        assert_eq!(aligned(&cells(&found)), ["key  n", "o-1  2", "a b"]);
        assert_eq!(
            objects(&found),
            [json!({"key": "o-1", "n": 2}), json!({"key": "a\nb", "n": null})]
        );
    }
}
