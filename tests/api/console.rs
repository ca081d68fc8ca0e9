//! What the command line does beside looking and acting: SQL, the stream, contexts, help.

use std::process::{Command, Output};

use serde_json::Value;

use crate::dev::Dev;

fn segue(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.args(arguments).output().expect("the binary runs")
}

/// What a verb prints, and that it ends well.
fn said(arguments: &[&str]) -> String {
    let output = segue(arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "segue {arguments:?}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8 text")
}

#[test]
fn the_view_is_asked_in_sql_and_tells_transitions_as_they_come() {
    let mut dev = Dev::start();
    dev.says("needs help");
    let stuck = "SELECT saga, key FROM instances WHERE state = 'stuck' AND key = 'o-1'";
    let table = dev.said_in_time(&["sql", stuck], "parcel  o-1");
    assert!(table.starts_with("saga    key\n"), "{table}");
    let row: Value = serde_json::from_str(&dev.said(&["sql", stuck, "-o", "jsonl"])).expect("JSON");
    assert_eq!((&row["saga"], &row["key"]), (&"parcel".into(), &"o-1".into()));
    for (question, words) in [
        ("SELECT * FROM positions", "`SELECT * FROM tables` lists them"),
        ("DELETE FROM main.instances", "documented tables"),
        ("SELECT 1; SELECT 2", "more than one question"),
    ] {
        let refused = dev.segue(&["sql", question]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{question}: {told}");
        assert!(told.contains(words), "{question}: {told}");
    }
    let told = dev.said(&["tail", "--saga", "parcel", "--count", "2", "-o", "jsonl"]);
    let entries: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a line is a value")).collect();
    assert_eq!(entries.len(), 2, "{told}");
    assert!(entries.iter().all(|entry| entry["saga"] == "parcel"), "{told}");
    assert!(dev.said(&["tail", "--count", "1"]).starts_with("parcel/"), "in words for people");
}

#[test]
fn a_server_that_is_remembered_is_asked_with_its_token() {
    let dev = Dev::start();
    let home = tempfile::tempdir().expect("a folder");
    let segue = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command.args(arguments).env("XDG_CONFIG_HOME", home.path());
        command.env("SEGUE_TOKEN", if arguments[0] == "context" { "segue_secret" } else { "" });
        command.env_remove("SEGUE_SERVER").output().expect("the binary runs")
    };
    let said = |arguments: &[&str]| {
        let output = segue(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8 text")
    };
    said(&["context", "add", "away", "--server", "http://127.0.0.1:1"]);
    said(&["context", "add", "here", "--server", &dev.server]);
    let away = segue(&["sagas"]);
    assert!(String::from_utf8_lossy(&away.stderr).contains("http://127.0.0.1:1 does not answer"));
    said(&["context", "use", "here"]);
    said(&["sagas"]);
    let listed = said(&["context", "list"]);
    assert!(listed.contains("  away  http://127.0.0.1:1  with a token\n"), "{listed}");
    assert!(listed.contains("* here  ") && !listed.contains("segue_secret"), "{listed}");
    let unknown = segue(&["sagas", "--context", "there"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there are: away, here"));
    let wrong = segue(&["context", "add", "odd", "--server", "ftp://a"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("`ftp://a` is no server"));
}

#[test]
fn a_code_is_explained_from_the_binary() {
    let explained = said(&["explain", "SG0402"]);
    assert!(explained.starts_with("SG0402\n  meaning  Behind a pivot, "), "{explained}");
    assert!(explained.contains("  mend     Add `then: park`"), "{explained}");
    assert!(said(&["explain", "sg1001"]).contains("no answer, time or person's answer leads"));
    assert!(said(&["explain"]).lines().count() > 50);
    let unknown = segue(&["explain", "SG9999"]);
    assert_eq!(unknown.status.code(), Some(3));
}

#[test]
fn completions_and_the_manual_know_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&["completions", shell]);
        assert!(script.contains("dead-letters") && script.contains("explain"), "{shell}");
    }
    assert!(said(&["man"]).contains(".SH SUBCOMMANDS"));
    let page = said(&["man", "retry"]);
    assert!(page.contains("segue") && page.contains("\\-\\-why"), "{page}");
    assert_eq!(segue(&["man", "dance"]).status.code(), Some(1));
}
