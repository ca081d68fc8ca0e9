//! The sagas that ship, in every trouble.

use std::fs;
use std::path::{Path, PathBuf};

use super::world::right;
use super::*;
use crate::message::Span;
use crate::participants::{Delay, Late, Script, Share};

/// The folders of the sagas that ship, a child's in its parent's.
fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas");
    let folders = fs::read_dir(root).expect("the sagas").map(|entry| entry.expect("one").path());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas/agent-team/agent-task"));
    folders.sort();
    assert_eq!(folders.len(), 7, "{folders:?}");
    folders
}

pub fn definitions() -> Vec<Definition> {
    let read = |folder: PathBuf| fs::read_to_string(folder.join("saga.yaml")).expect("a saga");
    folders().into_iter().map(|folder| right(&read(folder))).collect()
}

/// The scripts beside them, with more trouble than `segue dev` has.
fn scripts() -> Vec<Script> {
    let read = |folder: PathBuf| {
        let path = folder.join("participants.yaml");
        let text = fs::read_to_string(&path).expect("a script");
        let mut script = Script::parse(&path.display().to_string(), &text).expect("a script");
        for behaviour in script.commands.values_mut() {
            let (silent, lost) = (Share(40_000), Share(30_000));
            (behaviour.silent, behaviour.lost) = (silent, lost);
            behaviour.duplicate = Share(100_000);
            let by = Delay { least: Span::millis(90_000), most: Span::millis(900_000) };
            behaviour.late = Some(Late { share: Share(60_000), by });
        }
        for call in &mut script.calls {
            (call.silent, call.failing) = (Share(60_000), Share(100_000));
        }
        for person in script.people.values_mut() {
            person.silent = Share(60_000);
        }
        script
    };
    folders().into_iter().map(read).collect()
}

/// What the topics hold after 400 sagas of all kinds in trouble.
pub static LOG: LazyLock<Vec<Rec>> = LazyLock::new(|| {
    let mut world = World::of(definitions(), &scripts(), 5);
    world.start(400);
    world.run();
    world.log
});

#[test]
fn the_books_of_all_sagas_that_ship_balance() {
    let report = audited_by(&definitions(), &LOG, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    let tally = &report.tally;
    println!("{tally}");
    assert_eq!(tally.started, 400);
    assert_eq!(tally.completed + tally.compensated_all() + tally.stuck + tally.open, 400);
    assert!(tally.children > 80 && tally.locks > 120, "{tally}");
    assert!(tally.late > 20 && tally.undone > 300, "{tally}");
}

#[test]
fn their_books_balance_without_the_history() {
    let report = audited_by(&definitions(), &without_history(&LOG), Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
}
