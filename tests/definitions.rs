//! Wrong definitions and what is said about them: `tests/definitions/*.yaml` with the expected
//! rendering beside each; a folder there holds definitions that are wrong only together.
//! `UPDATE=1 cargo test --test definitions` writes the renderings anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use segue::definition::{Code, Diagnostics, Severity, check, check_together, check_whole, parse};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions");
    let entries = fs::read_dir(folder).expect("the folder of wrong definitions");
    let paths = entries.map(|entry| entry.expect("an entry of it").path());
    let is_case = |p: &PathBuf| p.is_dir() || p.extension().is_some_and(|e| e == "yaml");
    let mut paths: Vec<_> = paths.filter(is_case).collect();
    paths.sort();
    paths
}

fn said(path: &Path) -> Diagnostics {
    if path.is_dir() {
        return said_together(path);
    }
    let text = fs::read_to_string(path).expect("a definition");
    let name = path.file_name().expect("a file's name").to_string_lossy();
    check(&name, &text).1
}

/// What is said about the parent and the child of a folder, each right alone.
fn said_together(folder: &Path) -> Diagnostics {
    let read = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).expect("a definition");
        let definition = parse(name, &text).unwrap_or_else(|e| panic!("{name}\n{e}"));
        (name.to_owned(), definition)
    };
    let all = ["parent.yaml", "child.yaml"].map(read);
    check_together(all.iter().map(|(file, definition)| (file.as_str(), definition)))
}

/// The text that a diagnostic is about.
fn text_of(path: &Path, file: &str) -> String {
    let path = if path.is_dir() { path.join(file) } else { path.to_owned() };
    fs::read_to_string(path).expect("a definition")
}

/// Every code and its name, as the definition room declares them.
fn declared() -> BTreeMap<String, String> {
    let source = include_str!("../src/definition/diagnostic.rs");
    let of = |line: &str| {
        let (name, number) = line.trim().strip_suffix(',')?.split_once(" = ")?;
        Some((format!("SG{:04}", number.parse::<u16>().ok()?), name.to_owned()))
    };
    source.lines().filter_map(of).collect()
}

#[test]
fn every_code_stands_in_the_reference() {
    let page = include_str!("../src/definition/DIAGNOSTICS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `SG"));
    let mut listed = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        let [code, meaning, mend] = cells[..] else { panic!("three cells: {row}") };
        assert!(meaning.len() > 10 && mend.trim_end_matches('|').len() > 10, "too short: {row}");
        listed.push(format!("SG{}", code.trim_end_matches('`')));
    }
    let declared: Vec<String> = declared().into_keys().collect();
    assert_eq!(listed, declared, "src/definition/DIAGNOSTICS.md lists every code, in order");
}

#[test]
fn every_mistake_of_a_run_has_a_section() {
    let page = include_str!("../src/definition/DIAGNOSTICS.md");
    let sections: Vec<(&str, &str)> =
        page.split("\n### ").skip(1).filter_map(|section| section.split_once('\n')).collect();
    let codes: Vec<&str> = sections.iter().map(|(code, _)| *code).collect();
    let of_runs = declared().into_keys().filter(|code| *code > format!("SG{:04}", Code::RUNS));
    assert_eq!(codes, of_runs.collect::<Vec<_>>());
    for (code, text) in sections {
        let text = text.replace('\n', " ");
        assert!(text.contains("Example: ") && text.contains("To mend: "), "{code}: {text}");
    }
}

#[test]
fn every_mistake_is_told_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differ = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 200, "{} cases", cases.len());
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

/// A definition that cannot run is run through as far as its parts go: whatever is wrong with it as
/// a whole, the engine gets on with it.
#[test]
fn what_is_wrong_as_a_whole_can_be_run_through() {
    let mut codes = BTreeSet::new();
    for path in cases().into_iter().filter(|path| path.is_file()) {
        let text = fs::read_to_string(&path).expect("a definition");
        let (Some(definition), found) = check_whole("saga.yaml", &text) else { continue };
        let errors = found.iter().filter(|d| d.severity == Severity::Error);
        codes.extend(errors.map(|d| d.code));
        let report = segue::checker::check(&definition, &[], 100).of_definition();
        assert!(report.states > 0, "{}", path.display());
    }
    assert!(codes.len() >= 15, "{} codes", codes.len());
    assert!(codes.contains(&Code::NoCompensation), "its steps are right apart from that");
}

#[test]
fn every_mistake_has_a_place_and_a_mend() {
    let mut codes = BTreeSet::new();
    for path in cases() {
        let diagnostics = said(&path);
        assert!(!diagnostics.is_empty(), "{} has nothing wrong with it", path.display());
        for diagnostic in diagnostics.iter() {
            let text = text_of(&path, &diagnostic.file);
            let line = text.lines().nth(diagnostic.line - 1).unwrap_or_default();
            assert_eq!(line, diagnostic.line_text, "{}", path.display());
            assert!(diagnostic.column <= line.chars().count() + 1, "{}", path.display());
            let help = diagnostic.help.as_deref().unwrap_or_default();
            assert!(!help.is_empty(), "{}: {} has no mend", path.display(), diagnostic.message);
            codes.insert(diagnostic.code);
        }
    }
    let seen: Vec<String> = codes.iter().map(ToString::to_string).collect();
    // What goes wrong on a run has its goldens in `tests/checker`.
    let is_shape = |code: &String| *code < format!("SG{:04}", Code::RUNS);
    let declared: Vec<String> = declared().into_keys().filter(is_shape).collect();
    assert_eq!(seen, declared, "every code has a wrong definition");
}
