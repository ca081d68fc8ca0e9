//! Wrong definitions and what is said about them: `tests/definitions/*.yaml` with the expected
//! rendering beside each. `UPDATE=1 cargo test --test definitions` writes the renderings anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use segue::definition::{Diagnostics, check};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions");
    let entries = fs::read_dir(folder).expect("the folder of wrong definitions");
    let paths = entries.map(|entry| entry.expect("an entry of it").path());
    let mut paths: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "yaml")).collect();
    paths.sort();
    paths
}

fn said(path: &Path) -> Diagnostics {
    let text = fs::read_to_string(path).expect("a definition");
    let name = path.file_name().expect("a file's name").to_string_lossy();
    check(&name, &text).1
}

#[test]
fn every_mistake_is_told_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differ = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for path in cases {
        let seen = format!("{}\n", said(&path));
        let golden = path.with_extension("txt");
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if seen == expected {
            continue;
        }
        if update {
            fs::write(&golden, &seen).expect("the golden can be written");
        } else {
            differ.push(format!("{}\n--- expected\n{expected}--- seen\n{seen}", golden.display()));
        }
    }
    let advice = "set UPDATE=1 to write them anew, then read the difference";
    assert!(differ.is_empty(), "{}\n{advice}", differ.join("\n"));
}

#[test]
fn every_mistake_has_a_place_and_a_mend() {
    let mut codes = BTreeSet::new();
    for path in cases() {
        let diagnostics = said(&path);
        assert!(!diagnostics.is_empty(), "{} has nothing wrong with it", path.display());
        let text = fs::read_to_string(&path).expect("a definition");
        for diagnostic in diagnostics.iter() {
            let line = text.lines().nth(diagnostic.line - 1).unwrap_or_default();
            assert_eq!(line, diagnostic.line_text, "{}", path.display());
            assert!(diagnostic.column <= line.chars().count() + 1, "{}", path.display());
            let help = diagnostic.help.as_deref().unwrap_or_default();
            assert!(!help.is_empty(), "{}: {} has no mend", path.display(), diagnostic.message);
            codes.insert(diagnostic.code);
        }
    }
    assert!(codes.len() >= 25, "only {codes:?} have a case");
}
