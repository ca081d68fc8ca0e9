//! What people see and do over the API, in a process of its own: `segue dev` and the verbs.
#![cfg(feature = "server")]

#[path = "api/acts.rs"]
mod acts;
#[path = "api/asking.rs"]
mod asking;
#[path = "api/console.rs"]
mod console;
#[path = "api/described.rs"]
mod described;
#[path = "api/dev.rs"]
mod dev;
#[path = "api/letters.rs"]
mod letters;
#[path = "api/restart.rs"]
mod restart;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;

use dev::Dev;
use segue::message::Timestamp;
use serde_json::Value;

#[test]
fn a_stuck_parcel_is_listed_shown_sent_again_and_resolved() {
    let mut dev = Dev::start();
    dev.says("needs help");
    let listed = dev.said_in_time(&["list", "--state", "stuck"], "parcel/o-1 ");
    assert!(listed.starts_with("INSTANCE"), "{listed}");
    let shown = dev.said(&["show", "parcel", "o-1"]);
    assert!(shown.starts_with("parcel/o-1  stuck"), "{shown}");
    assert!(shown.contains("book since "), "it says which step is stuck: {shown}");
    assert!(!shown.contains("4111"), "what is sensitive is masked: {shown}");
    let drawn = dev.said(&["show", "parcel", "o-1", "--drawing"]);
    assert!(drawn.contains("[! stuck]"), "the drawing says where it stands: {drawn}");
    let drawn = dev.said(&["show", "parcel", "o-1", "--drawing", "json"]);
    let drawn: Value = serde_json::from_str(&drawn).expect("JSON");
    let mut boxes = drawn["boxes"].as_array().into_iter().flatten();
    assert!(boxes.any(|told| told["step"] == "book" && told["mark"] == "stuck"), "{drawn}");
    let told = dev.said(&["messages", "parcel", "o-1"]);
    assert!(told.contains("event  shop.orders/OrderPlaced") && !told.contains("4111"), "{told}");
    assert!(told.contains("shop.orders["), "it says where the order stands: {told}");
    let told = dev.said(&["messages", "parcel", "o-1", "--unmasked"]);
    assert!(told.contains("4111"), "{told}");
    let entries = dev.said(&["history", "parcel", "o-1"]).lines().count();
    let foreseen = dev.said(&["retry", "parcel", "o-1", "--why", "it is back", "--dry-run"]);
    assert!(foreseen.contains("would be running; nothing is written"), "{foreseen}");
    assert!(
        foreseen.contains("would send   command") && foreseen.contains("carrier.commands/Book")
    );
    let refused = dev.segue(&["answer", "parcel", "o-1", "yes", "--dry-run"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(7), "{told}");
    assert!(told.contains("answer by local/ana: "), "in the words of the history: {told}");
    assert_eq!(dev.said(&["history", "parcel", "o-1"]).lines().count(), entries);
    let retry = ["retry", "parcel", "o-1", "--why", "it is back", "--wait", "60s"];
    let acted = dev.said(&retry);
    assert!(acted.contains("sent again by local/ana: it is back"), "{acted}");
    let history = dev.said(&["history", "parcel", "o-1", "-o", "jsonl"]);
    let last = history.lines().last().expect("entries");
    let entry: Value = serde_json::from_str(last).expect("a line is a value");
    assert_eq!((&entry["saga"], &entry["key"]), (&"parcel".into(), &"o-1".into()));
    // The carrier is silent again, so that it is stuck once more.
    dev.said_in_time(&["list", "--state", "stuck", "--key", "o-1"], "parcel/o-1 ");
    let done = ["resolve", "parcel", "o-1", "--done", "--why", "they called", "--wait", "60s"];
    let resolved = dev.said(&[&done[..], &["--data", r#"{"booking":"b-7"}"#]].concat());
    assert!(resolved.contains("resolved as done by local/ana"), "{resolved}");
    dev.said_in_time(&["list", "--state", "completed"], "parcel/o-1 ");
}

#[test]
fn what_is_not_there_or_not_possible_has_its_own_exit_code() {
    let mut dev = Dev::start();
    dev.says("needs help");
    dev.said_in_time(&["list", "--state", "stuck"], "parcel/o-1 ");
    let unknown = dev.segue(&["show", "parcel", "o-l"]);
    let told = String::from_utf8_lossy(&unknown.stderr);
    assert_eq!(unknown.status.code(), Some(3), "{told}");
    assert!(told.contains("there is no parcel/o-l") && told.contains("near: parcel/o-1"), "{told}");
    let outside = dev.segue(&["start", "parcel", r#"{"card":"4111"}"#]);
    let told = String::from_utf8_lossy(&outside.stderr);
    assert_eq!(outside.status.code(), Some(1), "{told}");
    assert!(told.contains("`key` has no value"), "{told}");
    let silent = Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(["list", "--server", "http://127.0.0.1:1"])
        .output()
        .expect("the binary runs");
    let told = String::from_utf8_lossy(&silent.stderr);
    assert_eq!(silent.status.code(), Some(1), "{told}");
    assert!(told.contains("http://127.0.0.1:1 does not answer") && told.contains("`segue dev`"));
}

#[test]
fn what_is_started_over_the_api_starts_once() {
    let dev = Dev::start();
    let body = r#"{"order":"mine","card":"4111","total":1}"#;
    let start = ["start", "parcel", body, "--id", "mine-1"];
    assert_eq!(dev.said_in_time(&start, ""), "parcel/mine: shop.orders/OrderPlaced is written\n");
    assert_eq!(dev.said(&start), "parcel/mine: shop.orders/OrderPlaced is written\n");
    dev.said_in_time(&["list", "--state", "stuck", "--key", "mine"], "parcel/mine ");
    let found = dev.said(&["list", "--where", "data.order=mine", "--sort", "-data.order"]);
    assert!(found.contains("parcel/mine ") && found.lines().count() == 2, "{found}");
    assert!(found.contains(r#"{"data.order":"mine"}"#), "it says by what it is found: {found}");
    let secret = dev.segue(&["list", "--where", "data.card=4111"]);
    let told = String::from_utf8_lossy(&secret.stderr);
    assert!(told.contains("no saga is searched by `data.card`"), "{told}");
    assert!(told.contains("there are data.order"), "{told}");
    let history = dev.said(&["history", "parcel", "mine"]);
    assert_eq!(history.matches("  started  ").count(), 1, "{history}");
    let cancel = ["cancel", "parcel", "mine", "--why", "they changed their mind", "--wait", "60s"];
    let cancelled = dev.said(&cancel);
    assert!(cancelled.contains("they changed their mind"), "{cancelled}");
    dev.said_in_time(&["list", "--state", "compensated"], "parcel/mine ");
}

#[test]
fn a_parcel_that_is_paused_stands_still_until_its_resume() {
    let mut dev = Dev::start();
    dev.says("needs help");
    dev.said_in_time(&["list", "--state", "stuck", "--key", "o-1"], "parcel/o-1 ");
    let act = |verb: &str, why: &str| -> String {
        dev.said(&[verb, "parcel", "o-1", "--why", why, "--wait", "60s"])
    };
    assert!(act("pause", "they move").contains("by local/ana: they move"));
    dev.said_in_time(&["list", "--state", "paused"], "parcel/o-1 ");
    let shown = dev.said(&["show", "parcel", "o-1"]);
    assert!(shown.contains("by local/ana: they move; 0 kept for the resume"), "{shown}");
    let refused = dev.segue(&["retry", "parcel", "o-1", "--why", "now", "--wait", "60s"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(7), "{told}");
    assert!(told.contains("paused") && told.contains("resume"), "it says the next step: {told}");
    let set = [r#"{"card":"4242"}"#, "--why", "a new card", "--wait", "60s"];
    let set = dev.said(&[&["set-data", "parcel", "o-1"][..], &set].concat());
    assert!(set.contains("local/ana: a new card") && !set.contains("4242"), "{set}");
    assert!(act("resume", "they have moved").contains("by local/ana: they have moved"));
    dev.said_in_time(&["list", "--state", "stuck", "--key", "o-1"], "parcel/o-1 ");
    let shown = dev.said(&["show", "parcel", "o-1", "--unmasked"]);
    assert!(shown.contains(r#""card":"4242""#), "{shown}");
}

#[test]
fn starts_that_a_person_pauses_are_kept_until_they_are_resumed() {
    let dev = Dev::start();
    dev.said_in_time(&["list", "--saga", "parcel"], "parcel/");
    let pause = ["pause-starts", "parcel", "--why", "the carrier moves", "--wait", "60s"];
    let paused = dev.said(&pause);
    assert!(paused.starts_with("parcel  starts are paused\n"), "{paused}");
    assert!(paused.contains("paused by local/ana at "), "{paused}");
    let refused = dev.segue(&pause);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(7), "{told}");
    assert!(told.contains("local/ana has paused the starts of parcel at "), "{told}");
    let sagas: Value = serde_json::from_str(&dev.said(&["sagas", "-o", "json"])).expect("JSON");
    assert_eq!(sagas[0]["starts"], "paused", "{sagas}");
    assert_eq!(sagas[0]["word"]["why"], "the carrier moves", "{sagas}");
    let resume = ["resume-starts", "parcel", "--why", "it has moved", "--wait", "60s"];
    let resumed = dev.said(&resume);
    assert!(resumed.starts_with("parcel  starts are active\n"), "{resumed}");
    let body = r#"{"order":"after","card":"4111","total":1}"#;
    dev.said_in_time(&["start", "parcel", body, "--id", "after-1"], "parcel/after: ");
    dev.said_in_time(&["list", "--state", "stuck", "--key", "after"], "parcel/after ");
    assert_eq!(dev.segue(&resume).status.code(), Some(7), "nobody pauses them any more");
}

#[test]
fn transitions_are_told_as_they_come() {
    let dev = Dev::start();
    let mut stream =
        TcpStream::connect(dev.server.trim_start_matches("http://")).expect("it lives");
    let request = "GET /api/v1/live?saga=parcel HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("UTF-8 text"));
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.1 200 OK"));
    assert!(lines.any(|line| line == "event: transition"), "orders are placed all the time");
    let data = lines.next().expect("an event has data");
    let entry: Value = serde_json::from_str(data.trim_start_matches("data: ")).expect("JSON");
    assert_eq!(entry["saga"], "parcel");
    assert!(entry["notes"].as_array().is_some_and(|notes| !notes.is_empty()), "{entry}");
}

/// The events of a stream for one instance behind an id, until so many came.
fn events(dev: &Dev, since: &str, count: usize) -> Vec<(String, Value)> {
    let mut stream =
        TcpStream::connect(dev.server.trim_start_matches("http://")).expect("it lives");
    let request = format!(
        "GET /api/v1/live?saga=parcel&key=o-1 HTTP/1.1\r\nhost: localhost\r\n\
         last-event-id: {since}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let (mut events, mut id) = (Vec::new(), String::new());
    for line in BufReader::new(stream).lines() {
        let line = line.expect("UTF-8 text");
        if let Some(text) = line.strip_prefix("id: ") {
            text.clone_into(&mut id);
        } else if let Some(data) = line.strip_prefix("data: ") {
            events.push((id.clone(), serde_json::from_str(data).expect("JSON")));
            if events.len() == count {
                break;
            }
        }
    }
    events
}

#[test]
fn who_was_away_is_told_what_came_since() {
    let mut dev = Dev::start();
    dev.says("needs help");
    dev.said_in_time(&["list", "--state", "stuck"], "parcel/o-1 ");
    let history = dev.said(&["history", "parcel", "o-1", "-o", "jsonl"]);
    let history: Vec<Value> =
        history.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(history.len() >= 3, "it was started, weighed and is stuck: {history:?}");
    let all = events(&dev, "0-0_1-0_2-0_3-0", history.len());
    let told: Vec<_> = all.iter().map(|(_, entry)| entry.clone()).collect();
    assert_eq!(told, history, "what the stream tells is the history");
    // How far other partitions were read beside it depends on when they were, so an id is what
    // leads to the rest.
    for (number, (id, _)) in all.iter().enumerate().take(history.len() - 1) {
        let behind = number + 1;
        let rest = events(&dev, id, history.len() - behind);
        let told: Vec<_> = rest.into_iter().map(|(_, entry)| entry).collect();
        assert_eq!(told, history[behind..], "each once, behind the one that came last: {id}");
    }
}

#[test]
fn it_says_who_works_on_what_and_that_it_is_ready() {
    let mut dev = Dev::start();
    dev.says("needs help");
    let flow = dev.said(&["flow"]);
    assert!(flow.contains("node     dev at ") && flow.contains("shards 0, 1, 2, 3\n"), "{flow}");
    for line in ["gateway  shop.orders: ", "shard    3: ", "view     ", "pace     ", "timers   "] {
        assert!(flow.contains(line), "{flow}");
    }
    let flow: Value = serde_json::from_str(&dev.said(&["flow", "-o", "json"])).expect("JSON");
    assert_eq!(flow["shards"].as_array().map(Vec::len), Some(4), "{flow}");
    let mut stream =
        TcpStream::connect(dev.server.trim_start_matches("http://")).expect("it lives");
    let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let lines: Vec<String> =
        BufReader::new(stream).lines().map(|line| line.expect("UTF-8 text")).collect();
    assert_eq!(lines.first().map(String::as_str), Some("HTTP/1.1 200 OK"), "{lines:?}");
    let ready: Value = serde_json::from_str(lines.last().expect("a body")).expect("JSON");
    assert_eq!(ready["shards"], serde_json::json!([0, 1, 2, 3]));
}

#[test]
fn the_same_is_done_about_many_instances_and_told_as_one() {
    let mut dev = Dev::start();
    dev.says("needs help");
    dev.said_in_time(&["list", "--state", "stuck", "--key", "o-1"], "parcel/o-1 ");
    let before = behind_the_first(&dev);
    let act = ["bulk", "act", "retry", "--saga", "parcel", "--state", "stuck", "--key", "o-1"];
    let act = [&act[..], &["--why", "all are back", "--started-before", &before]].concat();
    let counted = dev.said(&act);
    assert!(counted.contains("parcel/o-1  would be running"), "{counted}");
    assert_eq!(dev.said(&["bulk", "list"]), "", "nothing is written");
    let act = [&act[..], &["--yes", "--id", "b-1", "--rate", "100"]].concat();
    let done = dev.said(&act);
    assert!(done.starts_with("b-1  done\n") && done.contains("are written: retry"), "{done}");
    dev.said_in_time(&["history", "parcel", "o-1"], "sent again by local/ana: all are back");
    assert_eq!(dev.said(&act), done, "the same id begins once");
    assert_eq!(dev.segue(&["bulk", "stop", "b-1"]).status.code(), Some(7), "it has ended");
    let listed = dev.said(&["bulk", "list"]);
    assert!(listed.contains("b-1  done   retry"), "{listed}");
}

/// The moment behind the start of the first order: what starts later is left out.
fn behind_the_first(dev: &Dev) -> String {
    let oldest = ["list", "--saga", "parcel", "--sort", "oldest", "--limit", "1", "-o", "jsonl"];
    let row: Value = serde_json::from_str(&dev.said(&oldest)).expect("a row");
    let started = row["started"].as_str().and_then(Timestamp::parse).expect("a moment");
    Timestamp(started.0 + 1).to_string()
}

#[test]
fn a_token_is_drawn_with_the_line_that_lets_it_in() {
    let drawn = Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(["token", "new", "--role", "operator", "--name", "ana"])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8(drawn.stdout).expect("UTF-8 text");
    let [token, line] = said.lines().collect::<Vec<_>>()[..] else { panic!("two lines: {said}") };
    assert!(token.starts_with("segue_") && token.len() == 6 + 64, "{token}");
    assert!(line.starts_with("ana operator ") && !line.contains(&token[6..]), "{line}");
    let told = String::from_utf8(drawn.stderr).expect("UTF-8 text");
    assert!(told.contains("`api.auth.tokens`"), "it says where the line goes: {told}");
}
