//! Definitions with one realistic mistake each, and right ones that look unusual: what
//! `segue check` says of them. The tables are `tests/mutations/*.txt`, one for each saga that
//! ships, and `tests/mutations/businesses/*.txt`, one for each definition beside them;
//! `tests/mutations/README.md` says how to read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use segue::checker;
use segue::definition::{self, Definition};

#[path = "mutations/table.rs"]
mod table;

mod shipped;

use shipped::{SAGAS, text};
use table::{Case, Changed, Said, Verdict};

/// Enough for each of them; one that has more is told.
const STATES_MAX: usize = 20_000;

/// Sagas of other businesses, which do what those that ship do not: lists in lists, three and
/// five branches, waits told apart by `where`, branches under a lock, children in branches,
/// conditions of three terms.
const BUSINESSES: [&str; 7] = [
    "blood-bank",
    "building-permit",
    "film-shoot",
    "group-booking",
    "parcel-leg",
    "parcel-network",
    "vet-surgery",
];

fn name_of(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

/// The text of every saga, by its name.
fn sagas() -> BTreeMap<String, String> {
    let shipped = SAGAS.iter().map(|folder| (name_of(folder), text(folder, "saga.yaml")));
    let others = BUSINESSES.iter().map(|saga| (*saga, beside_tables(saga, "yaml")));
    shipped.chain(others).map(|(saga, text)| (saga.to_owned(), text)).collect()
}

fn cases(sagas: &BTreeMap<String, String>) -> Vec<Case> {
    let read = |saga: &String| table::read(saga, &beside_tables(saga, "txt"));
    sagas.keys().flat_map(read).collect()
}

/// A file that stands among the tables.
fn beside_tables(saga: &str, ending: &str) -> String {
    let folder = if BUSINESSES.contains(&saga) { "businesses/" } else { "" };
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutations");
    let path = tables.join(format!("{folder}{saga}.{ending}"));
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What is said of a saga's text beside the other sagas: its shape first, then its runs.
fn said(saga: &str, text: &str, beside: &BTreeMap<String, Definition>) -> Vec<Said> {
    let (parsed, found) = definition::check(saga, text);
    let mut all: Vec<Said> = found.iter().map(shape).collect();
    let Some(parsed) = parsed else { return all };
    let others = || beside.iter().filter(|(name, _)| *name != saga);
    let together = others().map(|(name, definition)| (name.as_str(), definition));
    let found = definition::check_together(together.chain([(saga, &parsed)]));
    all.extend(found.iter().map(shape));
    if all.is_empty() {
        let others: Vec<&Definition> = others().map(|(_, definition)| definition).collect();
        all.extend(runs(saga, &parsed, &others));
    }
    all
}

fn shape(found: &definition::Diagnostic) -> Said {
    Said {
        saga: found.file.clone(),
        line: found.line,
        code: found.code.to_string(),
        words: found.message.clone(),
    }
}

fn runs(saga: &str, definition: &Definition, others: &[&Definition]) -> Vec<Said> {
    let report = checker::check(definition, others, STATES_MAX);
    let broken = |finding: &checker::Finding| Said {
        saga: saga.to_owned(),
        line: finding.line as usize,
        code: finding.broken.promise.code().to_string(),
        words: finding.broken.words.clone(),
    };
    let mut all: Vec<Said> = report.findings.iter().map(broken).collect();
    if let Some(bound) = report.bound {
        let words = format!("more than {} states", bound.states);
        all.push(Said { saga: saga.to_owned(), line: 1, code: "bound".to_owned(), words });
    }
    all
}

/// What is wrong with what is said of one case.
fn judged(
    case: &Case,
    sagas: &BTreeMap<String, String>,
    beside: &BTreeMap<String, Definition>,
) -> Result<(), String> {
    let apply = |(name, text): (&String, &String)| (name.clone(), case.apply(name, text));
    let changed: BTreeMap<String, Changed> = sagas.iter().map(apply).collect();
    let mut beside = beside.clone();
    for other in case.others() {
        let other_text = &changed[other].text;
        let parsed = definition::parse(other, other_text).unwrap_or_else(|e| panic!("{e}"));
        beside.insert(other.to_owned(), parsed);
    }
    let said = said(&case.saga, &changed[&case.saga].text, &beside);
    let told: Vec<String> = said.iter().map(ToString::to_string).collect();
    let told = if told.is_empty() { "nothing is said".to_owned() } else { told.join("\n    ") };
    match &case.verdict {
        Verdict::Right(_) if said.is_empty() => Ok(()),
        Verdict::Found(codes) if said.iter().any(|s| case.is_it(codes, s, &changed)) => Ok(()),
        Verdict::Right(_) | Verdict::Found(_) => Err(told),
    }
}

/// Judges every case, on all cores: what is said of those that are not as expected.
fn misjudged<'c>(
    cases: &'c [Case],
    sagas: &BTreeMap<String, String>,
    beside: &BTreeMap<String, Definition>,
) -> Vec<(&'c Case, String)> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(told) = judged(case, sagas, beside) {
                wrong.lock().expect("no judge panics").push((case, told));
            }
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut wrong = wrong.into_inner().expect("no judge panics");
    wrong.sort_by_key(|(case, _)| (&case.saga, case.line));
    wrong
}

fn table_of(wrong: &[(&Case, String)]) -> String {
    let mut text = String::new();
    for (case, told) in wrong {
        writeln!(text, "{}.txt:{}: {}", case.saga, case.line, case.what).expect("it is a string");
        writeln!(text, "    {}\n    {told}", case.verdict).expect("it is a string");
    }
    text
}

#[test]
fn mistakes_are_found_and_right_variations_are_not_blamed() {
    let sagas = sagas();
    let parsed = |(name, text): (&String, &String)| {
        (name.clone(), definition::parse(name, text).unwrap_or_else(|e| panic!("{e}")))
    };
    let beside: BTreeMap<String, Definition> = sagas.iter().map(parsed).collect();
    let all = cases(&sagas);
    let is_right = |case: &&Case| matches!(case.verdict, Verdict::Right(_));
    let (right, mistakes) = all.iter().partition::<Vec<_>, _>(is_right);
    assert!(mistakes.len() >= 400, "only {} mistakes", mistakes.len());
    assert!(right.len() >= 140, "only {} right variations", right.len());

    let only = std::env::var("ONLY").unwrap_or_default();
    let chosen: Vec<Case> =
        all.iter().filter(|c| c.what.contains(&only) || c.saga == only).cloned().collect();
    let wrong = misjudged(&chosen, &sagas, &beside);
    let (blamed, missed) = wrong.into_iter().partition::<Vec<_>, _>(|(case, _)| is_right(case));
    println!("{} mistakes, missed:\n{}", mistakes.len(), table_of(&missed));
    assert!(blamed.is_empty(), "false alarms:\n{}", table_of(&blamed));
    assert!(missed.len() * 100 <= mistakes.len() * 3, "too many missed:\n{}", table_of(&missed));
}

#[test]
fn every_expectation_is_a_code() {
    let page = include_str!("../src/definition/DIAGNOSTICS.md");
    for case in cases(&sagas()) {
        let Verdict::Found(codes) = &case.verdict else { continue };
        for code in codes {
            let known = page.contains(&format!("| `{code}` |"));
            assert!(known, "{}.txt:{}: {code} is no code", case.saga, case.line);
        }
    }
}
