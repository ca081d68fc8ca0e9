//! Every end of the sagas that ship that the checker foresees is reached by a scenario that it
//! writes: the scenarios lie in files, are read back, and pass.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use segue::checker::{self, Ending};
use segue::definition::{Definition, parse};
use segue::engine::Status;
use segue::message::Coordinate;
use segue::scenario::{self, End, Scenario};

mod shipped;

use shipped::{SAGAS, folder, text};

/// More than the largest saga has.
const STATES_MAX: usize = 100_000;

fn definition(saga: &str) -> Definition {
    parse(saga, &text(saga, "saga.yaml")).unwrap_or_else(|e| panic!("{e}"))
}

/// Every scenario of a folder, in the order of the files' names.
fn scenarios(folder: &Path) -> Vec<Scenario> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a scenario");
        let file = path.display().to_string();
        scenario::parse(&file, &text).unwrap_or_else(|e| panic!("{e}\n{text}"))
    };
    paths.iter().map(read).collect()
}

/// The end that an instance has come to, as the checker tells ends.
fn ending(end: &End) -> Option<Ending> {
    let step = Coordinate::read(&end.at).ok()?;
    match end.status {
        Status::Completed if !end.owes => Some(Ending::Completed),
        Status::Compensated if !end.owes => {
            Some(Ending::Compensated { step, kind: end.kind?.text() })
        }
        Status::Stuck => Some(Ending::Stuck { step: step?, undoing: end.undoing }),
        Status::Running | Status::Compensating | Status::Completed | Status::Compensated => None,
    }
}

/// Writes the scenarios of one saga into a folder of its own and runs them from there.
fn told(saga: &str, others: &[&Definition]) -> (BTreeSet<Ending>, BTreeSet<Ending>, Vec<String>) {
    let definition = definition(saga);
    let examples = scenarios(&folder(saga).join("scenarios"));
    let (report, written) = checker::check_and_write(&definition, others, STATES_MAX, &examples);
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("written").join(saga.replace('/', "-"));
    let _ = fs::remove_dir_all(&into);
    fs::create_dir_all(&into).expect("a folder of this test");
    let mut wrong = Vec::new();
    if let Some(bound) = report.bound {
        wrong.push(format!("{saga}: only {} states were looked at", bound.states));
    }
    for (end, why) in &written.unreached {
        wrong.push(format!("{saga}: {end} is not reached: {why}"));
    }
    for (_, scenario) in &written.endings {
        let path = into.join(&scenario.file);
        assert!(!path.exists(), "{}: two scenarios of one name", path.display());
        fs::write(path, scenario::write(scenario)).expect("a file of this test");
    }
    let read = scenarios(&into);
    assert_eq!(read.len(), written.endings.len());
    let mut reached = BTreeSet::new();
    for scenario in read {
        let run = scenario::run(&definition, &scenario);
        if !run.passed() {
            wrong.push(run.to_string());
        }
        let end = run.end.as_ref().and_then(ending);
        let meant = written.endings.iter().find(|(_, own)| scenario.file.ends_with(&own.file));
        if end.as_ref() != meant.map(|(end, _)| end) {
            wrong.push(format!("{}: it comes to {end:?}", scenario.file));
        }
        reached.extend(end);
    }
    (report.endings.into_iter().collect(), reached, wrong)
}

fn every_end_is_reached(saga: &str) {
    let all: Vec<Definition> = SAGAS.iter().map(|saga| definition(saga)).collect();
    let (foreseen, reached, mut wrong) = told(saga, &all.iter().collect::<Vec<_>>());
    println!("{saga}: {} of {} foreseen ends are reached", reached.len(), foreseen.len());
    if reached != foreseen {
        let differ: Vec<_> = foreseen.symmetric_difference(&reached).collect();
        wrong.push(format!("{saga}: foreseen and reached differ by {differ:?}"));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_end_of_an_order_is_reached() {
    every_end_is_reached("order-fulfilment");
}

#[test]
fn every_end_of_a_claim_is_reached() {
    every_end_is_reached("insurance-claim");
}

#[test]
fn every_end_of_a_treatment_is_reached() {
    every_end_is_reached("treatment-plan");
}

#[test]
fn every_end_of_a_transfer_is_reached() {
    every_end_is_reached("money-transfer");
}

#[test]
fn every_end_of_a_dataset_is_reached() {
    every_end_is_reached("model-data-flow");
}

#[test]
fn every_end_of_a_team_is_reached() {
    every_end_is_reached("agent-team");
}

#[test]
fn every_end_of_a_task_is_reached() {
    every_end_is_reached("agent-team/agent-task");
}
