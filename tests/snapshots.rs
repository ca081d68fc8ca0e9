//! `segue check --write-scenarios` and `segue test --update`, as people call them.
#![cfg(feature = "server")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Small, and with a mistake that only some runs show.
const SAGA: &str = "saga: visit
version: 1
title: A visit
start: { on: t/Asked, key: event.id }
data: { id: event.id, size: event.size }
within: 7d
late: 14d
steps:
  - step: book
    command: t/Book
    with: { id: \"${data.id}\" }
    done: t/Booked
    failed: { on: t/Full, reason: event.why }
    compensate: { command: t/Free, done: t/Freed }
  - step: cook
    when: data.size > 4
    command: t/Cook
    done: t/Cooked
    set: { meal: event.meal }
    compensate: none
ends:
  completed: { emit: t/Ready, with: { id: \"${data.id}\" } }
";

/// An empty folder of this test with the saga in it.
fn folder(name: &str, saga: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("snapshots").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("visit")).expect("a folder of this test");
    fs::write(folder.join("visit/saga.yaml"), saga).expect("a file of this test");
    folder
}

/// The exit code, stdout and stderr of `segue` in a folder.
fn segue(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    let output = command.current_dir(folder).args(arguments).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("it exits by itself");
    (code, text(&output.stdout), text(&output.stderr))
}

/// The names of the files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |e: std::io::Result<fs::DirEntry>| e.expect("an entry").file_name();
    let mut names: Vec<String> = entries.map(|e| name(e).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_scenario_is_written_for_every_end_and_passes() {
    let folder = folder("ends", SAGA);
    let write = ["check", "visit", "--write-scenarios", "visit/scenarios"];
    let (code, said, told) = segue(&folder, &write);
    assert_eq!(code, 0, "{said}{told}");
    let names = files(&folder.join("visit/scenarios"));
    let all = names.len();
    assert!(all >= 6, "{names:?}");
    let wrote = format!("wrote scenarios for {all} of {all} ends into visit/scenarios");
    assert!(told.contains(&wrote), "{told}");
    assert!(names.contains(&"compensated-book-rejected.yaml".to_owned()), "{names:?}");
    let (code, said, told) = segue(&folder, &["test", "visit"]);
    let passed = format!("{all} passed, 0 failed\n");
    assert_eq!((code, said.ends_with(&passed)), (0, true), "{said}{told}");
}

#[test]
fn what_people_wrote_is_kept_and_what_nothing_comes_to_goes() {
    let folder = folder("kept", SAGA);
    let write = ["check", "visit", "--write-scenarios", "all"];
    segue(&folder, &write);
    let (own, old) = (folder.join("all/completed.yaml"), folder.join("all/old.yaml"));
    let text = fs::read_to_string(&own).expect("it was written");
    let (header, rest) = text.split_once('\n').expect("more than a line");
    fs::write(&own, rest).expect("a file of this test");
    fs::write(&old, format!("{header}\n{rest}")).expect("a file of this test");
    let (code, _, told) = segue(&folder, &write);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("kept all/completed.yaml: it was not written by"), "{told}");
    assert!(told.contains("removed all/old.yaml"), "{told}");
    assert_eq!(fs::read_to_string(&own).expect("it is there"), rest);
    assert!(!old.exists());
    let (code, said, told) = segue(&folder, &["test", "visit", "--scenarios", "all"]);
    assert_eq!((code, said.ends_with(" passed, 0 failed\n")), (0, true), "{said}{told}");
}

#[test]
fn a_broken_promise_is_a_scenario_that_fails() {
    // Nobody cooks for a few, and whether something was cooked is asked of all.
    let serve = "  - step: serve
    when: data.meal != \"\"
    command: t/Serve
    done: t/Served
    compensate: none
ends:";
    let folder = folder("broken", &SAGA.replace("ends:", serve));
    let (code, said, told) = segue(&folder, &["check", "visit", "--write-scenarios", "all"]);
    assert_eq!(code, 4, "{said}{told}");
    let (code, said, told) = segue(&folder, &["test", "visit", "--scenarios", "all"]);
    assert_eq!(code, 4, "{said}{told}");
    assert!(said.contains("FAILED visit: broken: `data.meal` is read"), "{said}");
    assert!(told.contains("it stands another way"), "{told}");
}

#[test]
fn a_mistake_in_the_shape_hides_nothing_that_goes_wrong_on_a_run() {
    let more = "  - step: rest
    sleep: 8d
  - step: serve
    when: data.meal != \"\"
    command: t/Serve
    done: t/Served
    compensate: none
ends:";
    let folder = folder("both", &SAGA.replace("ends:", more));
    let (code, said, told) = segue(&folder, &["check", "visit"]);
    assert_eq!(code, 4, "{said}{told}");
    assert!(told.contains("error[SG0704]") && told.contains("error[SG1009]"), "{told}");
    assert!(said.contains("if it ran as it is: 1 broken promise"), "{said}");
    let (code, _, told) = segue(&folder, &["check", "visit", "--shape"]);
    assert_eq!((code, told.contains("SG1009")), (4, false), "{told}");
    let (code, _, _) = segue(&folder, &["check", "visit", "--write-scenarios", "all"]);
    assert_eq!((code, folder.join("all").exists()), (4, false), "what cannot run has no tests");
}

#[test]
fn what_is_wrong_between_definitions_hides_nothing_that_goes_wrong_on_a_run() {
    let folder = folder("between", &SAGA.replace("title: A visit", "title: The visit"));
    let other = "saga: trip\nversion: 1\nstart: { on: t/Left, key: event.id }\nwithin: 7d\n\
                 events: { t/*: { by: command-id } }\nsteps:\n  \
                 - { step: see, saga: visit, with: { id: '${key}' }, compensate: none }\n  \
                 - { step: fly, saga: flight, with: { id: '${key}' }, compensate: none }\n";
    for (name, text) in [("again", &SAGA.replace("> 4", "> 5")), ("trip", &other.to_owned())] {
        fs::create_dir(folder.join("visit").join(name)).expect("a folder of this test");
        fs::write(folder.join("visit").join(name).join("saga.yaml"), text).expect("a file");
    }
    let (code, said, told) = segue(&folder, &["check", "visit"]);
    assert_eq!(code, 4, "{said}{told}");
    let is_run_through = |file: &str| {
        let mut lines = said.lines().filter(|line| line.starts_with(&format!("{file}: ")));
        lines.any(|line| line.contains("promise"))
    };
    for file in ["visit/saga.yaml", "visit/again/saga.yaml", "visit/trip/saga.yaml"] {
        assert!(is_run_through(file), "{file}: {said}{told}");
    }
}

#[test]
fn failing_scenarios_are_rewritten_only_when_asked_and_never_silently() {
    let folder = folder("update", SAGA);
    let scenario = folder.join("visit/scenarios/full.yaml");
    fs::create_dir_all(folder.join("visit/scenarios")).expect("a folder of this test");
    let text = "scenario: the house is full
given: { on: t/Asked, event: { id: v-1, size: 2 } }
run:
  - expect: [ { command: t/Book, with: { id: v-2 } } ]   # by its number
  # a full house
  - event: t/Full
    body: { why: full }
  - end: completed
";
    fs::write(&scenario, text).expect("a file of this test");
    let (code, said, _) = segue(&folder, &["test", "visit"]);
    assert_eq!((code, said.ends_with("0 passed, 1 failed\n")), (4, true), "{said}");
    assert_eq!(fs::read_to_string(&scenario).expect("it is there"), text, "nothing is rewritten");
    let (code, said, told) = segue(&folder, &["test", "visit", "--update"]);
    assert_eq!(code, 0, "{said}{told}");
    assert_eq!(
        said,
        "UPDATED visit: the house is full
  visit/scenarios/full.yaml:4
  -   - expect: [ { command: t/Book, with: { id: v-2 } } ]   # by its number
  +   - expect: [ { command: t/Book, with: { id: v-1 } } ]   # by its number
  visit/scenarios/full.yaml:8
  -   - end: completed
  +   - end: compensated
0 passed, 1 updated, 0 failed
"
    );
    let new = text.replace("v-2", "v-1").replace("end: completed", "end: compensated");
    assert_eq!(fs::read_to_string(&scenario).expect("it is there"), new);
    let (code, said, told) = segue(&folder, &["test", "visit", "--update"]);
    assert_eq!(
        (code, said.ends_with("1 passed, 0 updated, 0 failed\n")),
        (0, true),
        "{said}{told}"
    );
}
