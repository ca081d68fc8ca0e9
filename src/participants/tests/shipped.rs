//! The scripts that ship beside the sagas.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The folders of the sagas that ship, a child's in its parent's.
fn folders() -> Vec<PathBuf> {
    fn search(folder: &Path, found: &mut Vec<PathBuf>) {
        if folder.join("saga.yaml").is_file() {
            found.push(folder.to_owned());
        }
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                search(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    search(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas"), &mut found);
    found.sort();
    assert!(found.len() >= 7, "{found:?}");
    found
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a file of the project")
}

fn scripts() -> Vec<Script> {
    let parsed = folders().into_iter().map(|folder| {
        let text = read(&folder, "participants.yaml");
        let path = folder.join("participants.yaml").display().to_string();
        Script::parse(&path, &text).unwrap_or_else(|e| panic!("\n{e}"))
    });
    parsed.collect()
}

#[test]
fn every_start_can_be_filled_and_so_can_what_follows() {
    for script in scripts() {
        let Some(starts) = Starts::new([&script], 1) else {
            continue;
        };
        let mut follows = 0;
        for n in 1..200 {
            let event = starts.make(n, NOW).unwrap_or_else(|e| panic!("{e}"));
            assert!(event.key.ends_with(&format!("-{n}")), "{}", event.key);
            follows += u32::from(starts.follow(n, NOW).unwrap_or_else(|e| panic!("{e}")).is_some());
        }
        let told = script.starts.iter().any(|s| !s.then.is_empty());
        assert_eq!(told, follows > 0);
    }
}
