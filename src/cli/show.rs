//! `segue show` and `segue history`: one instance, in words.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::list::array;
use super::output::say;
use super::remote::{Form, Remote};
use super::table::text;
use crate::api::{Endpoint, NoAnswer};

/// Which instance.
#[derive(Debug, Args)]
pub(super) struct Showing {
    /// The saga
    saga: String,
    /// The instance's key
    key: String,
    /// Show what the definition calls sensitive; for admins
    #[arg(long)]
    unmasked: bool,
    /// Wait so long for its end, such as 30s
    #[arg(long)]
    wait: Option<String>,
    /// Draw it with how far it is: as text, svg, json, mermaid or dot
    #[arg(
        long, value_name = "FORMAT", num_args = 0..=1, default_missing_value = "text",
        conflicts_with_all = ["unmasked", "wait"],
    )]
    drawing: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Shows an instance.
pub(super) fn show(showing: &Showing) -> Result<ExitCode, NoAnswer> {
    if let Some(format) = &showing.drawing {
        let endpoint = Endpoint::at(&["instances", &showing.saga, &showing.key, "drawing"]);
        let drawing = showing.remote.client()?.text(&endpoint.with("format", Some(format)))?;
        say(drawing.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let endpoint = Endpoint::at(&["instances", &showing.saga, &showing.key])
        .with("masks", showing.unmasked.then_some("off"))
        .with("wait", showing.wait.as_ref());
    showing.remote.print(&showing.remote.found(&endpoint)?, words);
    Ok(ExitCode::SUCCESS)
}

/// What is told of an instance, line by line.
fn words(detail: &Value) -> Vec<String> {
    let overview = &detail["overview"];
    let mut lines = vec![format!(
        "{}/{}  {}",
        text(overview, "/saga"),
        text(overview, "/key"),
        text(overview, "/state")
    )];
    for life in overview["lives"].as_array().into_iter().flatten() {
        lines.extend(life_words(life));
    }
    for start in overview["queued"].as_array().into_iter().flatten() {
        let (event, at) = (text(start, "/event"), text(start, "/at"));
        lines.push(format!("  starts next  {event} of {at}"));
    }
    for event in overview["early"].as_array().into_iter().flatten() {
        let (event, at) = (text(event, "/event"), text(event, "/at"));
        lines.push(format!("  came early   {event} at {at}"));
    }
    if let Some(holder) = overview.pointer("/lock/holder").filter(|holder| !holder.is_null()) {
        let waiting = overview["lock"]["waiting"].as_array().map_or(0, Vec::len);
        lines.push(format!("  held by      {}, {waiting} wait", claimed(holder)));
    }
    lines
}

fn life_words(life: &Value) -> Vec<String> {
    let version = text(life, "/version");
    let mut lines = vec![format!(
        "  life {}  {}  version {}  {}",
        text(life, "/life"),
        text(life, "/state"),
        if version.is_empty() { "unknown" } else { &version },
        text(life, "/title")
    )];
    let mut add = |name: &str, words: String| {
        if !words.is_empty() {
            lines.push(format!("    {name:<11}{words}"));
        }
    };
    for (name, at) in [
        ("started", "/started"),
        ("since", "/since"),
        ("ended", "/ended"),
        ("deadline", "/deadline"),
        ("trace", "/trace"),
    ] {
        add(name, text(life, at));
    }
    if let Some(paused) = life.get("paused").filter(|paused| !paused.is_null()) {
        let (by, why, held) = (text(paused, "/by"), text(paused, "/why"), text(paused, "/held"));
        add("paused", format!("by {by}: {why}; {held} kept for the resume"));
    }
    for (name, list) in [("stuck", "stuck"), ("step", "steps"), ("owed", "owed")] {
        for item in life[list].as_array().into_iter().flatten() {
            add(
                name,
                match list {
                    "stuck" => stuck(item),
                    "steps" => step(item),
                    _ => owed(item),
                },
            );
        }
    }
    if let Some(failure) = life.get("failure").filter(|failure| !failure.is_null()) {
        let at = text(failure, "/step");
        let at = if at.is_empty() { at } else { format!(" at {at}") };
        add("went back", format!("{}{at}: {}", text(failure, "/kind"), text(failure, "/reason")));
    }
    if let Some(parent) = life.get("parent").filter(|parent| !parent.is_null()) {
        add("child of", claimed(parent));
    }
    for child in life["children"].as_array().into_iter().flatten() {
        add("parent of", claimed(child));
    }
    add("data", text(life, "/data"));
    lines
}

fn claimed(who: &Value) -> String {
    format!("{}/{} at {}", text(who, "/saga"), text(who, "/key"), text(who, "/step"))
}

fn stuck(item: &Value) -> String {
    let undoing = if item["undoing"] == true { "the undoing of " } else { "" };
    let (step, since) = (text(item, "/step"), text(item, "/since"));
    format!("{undoing}{step} since {since}: {}", text(item, "/reason"))
}

fn step(item: &Value) -> String {
    let (name, waits) = (text(item, "/step"), text(item, "/waits/for"));
    let of = ["/waits/from", "/waits/of", "/waits/any_of", "/waits/who", "/waits/key"];
    let of: String = of.iter().map(|at| text(item, at)).collect();
    let words = format!("{name} waits for {waits} {of}").trim_end().to_owned();
    let (attempt, most) = (text(item, "/attempt"), text(item, "/attempts_max"));
    let words = match (attempt.as_str(), most.as_str()) {
        ("", _) => words,
        (attempt, "") => format!("{words}, attempt {attempt}"),
        (attempt, most) => format!("{words}, attempt {attempt} of {most}"),
    };
    let due = text(item, "/due");
    if due.is_empty() { words } else { format!("{words}, next at {due}") }
}

fn owed(item: &Value) -> String {
    let (step, to) = (text(item, "/step"), text(item, "/to"));
    format!("{step} to {to} since {}, tried {}", text(item, "/since"), text(item, "/attempts"))
}

/// Which history.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// The saga
    saga: String,
    /// The instance's key
    key: String,
    /// How many of the newest transitions
    #[arg(long, default_value_t = 200)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
}

/// Tells what has happened to an instance, oldest first.
pub(super) fn history(reading: &Reading) -> Result<ExitCode, NoAnswer> {
    let endpoint = Endpoint::at(&["instances", &reading.saga, &reading.key, "history"]);
    let entries = reading.remote.found(&endpoint.with("limit", Some(reading.limit)))?;
    if reading.remote.is(Form::Table) {
        entries.as_array().into_iter().flatten().flat_map(told).for_each(|line| say(&line));
    } else {
        reading.remote.print_rows(&array(entries), &[], "");
    }
    Ok(ExitCode::SUCCESS)
}

/// Whose messages.
#[derive(Debug, Args)]
pub(super) struct Leafing {
    /// The saga
    saga: String,
    /// The instance's key
    key: String,
    /// Those of how many of the newest transitions
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Show what the definition calls sensitive; for admins
    #[arg(long)]
    unmasked: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Tells what an instance was told, oldest first.
pub(super) fn messages(leafing: &Leafing) -> Result<ExitCode, NoAnswer> {
    let endpoint = Endpoint::at(&["instances", &leafing.saga, &leafing.key, "messages"])
        .with("limit", Some(leafing.limit))
        .with("masks", leafing.unmasked.then_some("off"));
    let messages = array(leafing.remote.found(&endpoint)?);
    if leafing.remote.is(Form::Table) {
        messages.iter().flat_map(message).for_each(|line| say(&line));
    } else {
        leafing.remote.print_rows(&messages, &[], "");
    }
    Ok(ExitCode::SUCCESS)
}

/// One message: what it is and where it stands, then its headers, then its body.
fn message(told: &Value) -> Vec<String> {
    let place = |at: &str| {
        let coordinates = told.get(at).filter(|place| !place.is_null())?;
        let (topic, partition) = (text(coordinates, "/topic"), text(coordinates, "/partition"));
        Some(format!("{topic}[{partition}]@{}", text(coordinates, "/offset")))
    };
    let (at, kind, name) = (text(told, "/at"), text(told, "/kind"), text(told, "/name"));
    let mut lines = vec![format!("{at}  {kind}  {name}").trim_end().to_owned()];
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("    {name:<10}{value}"));
        }
    };
    add("id", text(told, "/id"));
    add("from", text(told, "/from"));
    add("answers", text(told, "/answers"));
    add("stands at", place("origin").or_else(|| place("inbox")).unwrap_or_default());
    add("key", text(told, "/key"));
    for header in told["headers"].as_array().into_iter().flatten() {
        add("header", format!("{}: {}", text(header, "/0"), text(header, "/1")));
    }
    add("body", text(told, "/body"));
    add("gone", text(told, "/gone"));
    lines
}

/// A line for each thing that happened.
pub(super) fn told(entry: &Value) -> Vec<String> {
    let at = text(entry, "/at");
    let notes = entry["notes"].as_array().into_iter().flatten();
    let line = |note: &Value| {
        let (kind, step) = (text(note, "/kind"), text(note, "/step"));
        format!("{at}  {kind:<11}  {step:<20}  {}", text(note, "/words")).trim_end().to_owned()
    };
    notes.map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stuck_instance_says_where_since_when_and_what_is_owed() {
        let life = json!({
            "life": "1-3f09ac52d7", "version": 3, "state": "stuck", "title": "Parcel",
            "started": "2026-11-01T00:00:00Z", "trace": "", "failure": null, "parent": null,
            "stuck": [{"step": "ship", "undoing": false, "since": "2026-11-01T00:01:00Z",
                       "reason": "no carrier"}],
            "steps": [{"step": "ship", "waits": {"for": "person"}, "attempt": 5,
                       "attempts_max": 5}],
            "owed": [{"step": "reserve", "to": "carrier/Release",
                      "since": "2026-11-01T00:02:00Z", "attempts": 2}],
            "data": {"order": "o-1"},
        });
        let detail = json!({"overview": {
            "saga": "order", "key": "o-1", "state": "stuck", "lives": [life],
        }});
        let lines = [
            "order/o-1  stuck",
            "  life 1-3f09ac52d7  stuck  version 3  Parcel",
            "    started    2026-11-01T00:00:00Z",
            "    stuck      ship since 2026-11-01T00:01:00Z: no carrier",
            "    step       ship waits for person, attempt 5 of 5",
            "    owed       reserve to carrier/Release since 2026-11-01T00:02:00Z, tried 2",
            "    data       {\"order\":\"o-1\"}",
        ];
        assert_eq!(words(&detail), lines);
    }

    #[test]
    fn a_message_is_told_with_its_place_and_what_is_gone() {
        let told = json!({
            "at": "2026-11-01T00:00:00Z", "kind": "event", "name": "t/Placed", "id": "e-1",
            "from": null, "answers": null, "key": "k",
            "origin": {"topic": "t", "partition": 2, "offset": 7},
            "inbox": {"topic": "shop.inbox", "partition": 0, "offset": 9},
            "headers": [["ce_id", "e-1"]], "body": {"card": "***"}, "gone": null,
        });
        let lines = [
            "2026-11-01T00:00:00Z  event  t/Placed",
            "    id        e-1",
            "    stands at t[2]@7",
            "    key       k",
            "    header    ce_id: e-1",
            "    body      {\"card\":\"***\"}",
        ];
        assert_eq!(message(&told), lines);
        let gone = "shop.inbox[0]@9 is not kept any more";
        let told = json!({
            "at": "2026-11-01T00:00:00Z", "kind": "unknown", "name": "", "origin": null,
            "inbox": {"topic": "shop.inbox", "partition": 0, "offset": 9}, "gone": gone,
        });
        let lines = [
            "2026-11-01T00:00:00Z  unknown",
            "    stands at shop.inbox[0]@9",
            "    gone      shop.inbox[0]@9 is not kept any more",
        ];
        assert_eq!(message(&told), lines);
    }

    #[test]
    fn a_history_has_a_line_for_each_thing_that_happened() {
        let entry = json!({"at": "2026-11-01T00:00:00Z", "notes": [
            {"kind": "started", "step": null, "words": "Parcel"},
            {"kind": "sent", "step": "book", "words": "carrier.commands/Book"},
        ]});
        let lines = [
            "2026-11-01T00:00:00Z  started                            Parcel",
            "2026-11-01T00:00:00Z  sent         book                  carrier.commands/Book",
        ];
        assert_eq!(told(&entry), lines);
    }
}
