//! Every scenario beside a saga of `sagas/`, and of those that tests have for one thing, passes.

use std::fs;
use std::path::{Path, PathBuf};

use segue::{definition, scenario};

/// The files of a folder that end in `.yaml`, by name.
fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).map(|all| all.filter_map(Result::ok)).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    found.sort();
    found
}

fn read(path: &Path) -> (String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
    (name, fs::read_to_string(path).expect("a file of the project"))
}

/// The folders of the sagas that ship, a child's in its parent's.
fn folders(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("saga.yaml").is_file() {
        found.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            folders(&path, found);
        }
    }
}

#[test]
fn the_scenarios_of_every_saga_pass() {
    check("sagas", 7);
}

#[test]
fn events_are_told_apart_by_source_and_id() {
    check("tests/identity", 2);
}

#[test]
fn numbers_are_numbers_however_they_are_written() {
    check("tests/numbers", 2);
}

/// Runs the scenarios of all sagas in a folder; there are so many at least.
fn check(folder: &str, sagas: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    folders(&root, &mut found);
    assert!(found.len() >= sagas, "{found:?}");
    for folder in found {
        let (file, text) = read(&folder.join("saga.yaml"));
        let saga = definition::parse(&file, &text).unwrap_or_else(|e| panic!("\n{e}"));
        let scenarios = yaml_files(&folder.join("scenarios"));
        if scenarios.is_empty() {
            failed.push(format!("{file} has no scenarios"));
        }
        for path in scenarios {
            let (file, text) = read(&path);
            let scenario = scenario::parse(&file, &text).unwrap_or_else(|e| panic!("\n{e}"));
            let report = scenario::run(&saga, &scenario);
            if !report.passed() {
                failed.push(report.to_string());
            }
        }
    }
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n\n"));
}
