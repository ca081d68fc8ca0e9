//! Every scenario beside a saga of `sagas/` passes.

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

#[test]
fn the_scenarios_of_every_saga_pass() {
    let sagas = Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas");
    let mut failed = Vec::new();
    for entry in fs::read_dir(sagas).expect("sagas/") {
        let folder = entry.expect("an entry").path();
        let (file, text) = read(&folder.join("saga.yaml"));
        let saga = definition::parse(&file, &text).unwrap_or_else(|e| panic!("\n{e}"));
        let scenarios = yaml_files(&folder.join("scenarios"));
        assert!(!scenarios.is_empty(), "{file} has no scenarios");
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
