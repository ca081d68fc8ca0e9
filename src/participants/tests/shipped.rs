//! The scripts that ship beside the sagas.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::definition::{self, CallRequest, Compensation, Definition, StepKind};
use crate::expression::{Piece, Template};
use crate::message::Address;

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

/// The definitions that ship, each with the script beside it.
fn sagas() -> Vec<(Definition, Script)> {
    let definition = |folder: PathBuf| {
        let name = folder.join("saga.yaml").display().to_string();
        let text = read(&folder, "saga.yaml");
        definition::parse(&name, &text).unwrap_or_else(|e| panic!("\n{e}"))
    };
    folders().into_iter().map(definition).zip(scripts()).collect()
}

/// The answers of a request that a saga can do something with.
fn known<'d>(
    request: &'d definition::Request,
    others: impl Iterator<Item = &'d Address>,
) -> Vec<&'d Address> {
    let mut known: Vec<_> = request.done.iter().map(|done| &done.on).chain(others).collect();
    known.sort();
    known.dedup();
    known
}

/// A participant gives exactly the answers that the saga knows.
fn obeys(script: &Script, request: &definition::Request, known: &[&Address]) {
    let command = &request.command;
    let behaviour = script.commands.get(command).unwrap_or_else(|| panic!("{command}"));
    let mut answers: Vec<_> = behaviour.answers.iter().map(|a| &a.event).collect();
    answers.sort();
    answers.dedup();
    assert_eq!(answers, known, "{command}");
}

fn answers_call(script: &Script, call: &CallRequest) {
    // What stands in the path depends on the data: any part is as good as another.
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Hole(_) => "some".to_owned(),
    };
    let path: String = match &call.path {
        Template::Literal(path) => path.as_str().expect("a path is text").to_owned(),
        Template::Text(pieces) => pieces.iter().map(piece).collect(),
        other => panic!("{other:?} is no path"),
    };
    let fits = |c: &CallBehaviour| c.on.fits(call.method.text(), &call.authority, &path);
    let behaviour = script.calls.iter().find(|c| fits(c));
    let behaviour = behaviour.unwrap_or_else(|| panic!("nobody answers {path}"));
    assert!(!behaviour.answers.is_empty());
}

#[test]
fn everybody_whom_a_saga_asks_answers_what_it_understands() {
    for (definition, script) in sagas() {
        for step in &definition.steps {
            match &step.kind {
                StepKind::Command(command) => {
                    let failed = command.failed.iter().map(|f| &f.on);
                    obeys(&script, &command.request, &known(&command.request, failed));
                    if let Some(probe) = &command.probe {
                        let absent = probe.absent.iter().map(|done| &done.on);
                        obeys(&script, &probe.request, &known(&probe.request, absent));
                        let behaviour = &script.commands[&probe.request.command];
                        assert!(behaviour.answers.iter().all(|a| a.found.is_some()));
                    }
                }
                StepKind::Call(call) => answers_call(&script, &call.request),
                StepKind::Ask(ask) => {
                    let person = script.people.get(&ask.who).expect("a person");
                    let offered: Vec<_> = ask.choices.iter().map(|c| &c.name).collect();
                    assert!(person.choices.iter().all(|(choice, _)| offered.contains(&choice)));
                }
                _ => {}
            }
            match step.compensation() {
                Compensation::Command { request, .. } => {
                    obeys(&script, request, &known(request, std::iter::empty()));
                }
                Compensation::Call { request, .. } => answers_call(&script, request),
                _ => {}
            }
        }
    }
}

#[test]
fn what_a_saga_waits_for_follows_something() {
    for (definition, script) in sagas() {
        let then = script.commands.values().flat_map(|b| &b.answers).flat_map(|a| &a.then);
        let then = then.chain(script.starts.iter().flat_map(|s| &s.then));
        let facts: Vec<&Address> = then.filter_map(|follow| follow.event.as_ref()).collect();
        for step in &definition.steps {
            if let StepKind::Wait(wait) = &step.kind {
                for on in wait.on.iter().map(|d| &d.on).chain(wait.failed.iter().map(|f| &f.on)) {
                    assert!(facts.contains(&on), "nobody tells {on}");
                }
            }
        }
        let cancelled = definition.cancel.iter().any(|cancel| facts.contains(&&cancel.on));
        let is_order = definition.saga.as_str() == "order-fulfilment";
        assert!(cancelled || definition.cancel.is_empty() || is_order, "{}", definition.saga);
    }
}

#[test]
fn a_saga_that_ships_has_no_warnings() {
    let mut definitions = Vec::new();
    for folder in folders() {
        let text = read(&folder, "saga.yaml");
        let name = folder.join("saga.yaml").display().to_string();
        let (definition, diagnostics) = definition::check(&name, &text);
        assert!(diagnostics.is_empty(), "\n{}", diagnostics.render(false));
        definitions.push((name, definition.expect("nothing is wrong with it")));
    }
    let all = definitions.iter().map(|(name, definition)| (name.as_str(), definition));
    let diagnostics = definition::check_together(all);
    assert!(diagnostics.is_empty(), "\n{}", diagnostics.render(false));
}
