use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;
use crate::definition::{Assignment, Definition, Role, Step, parse};
use crate::message::{Address, Part};

/// A definition that says everything that can be said.
const WHOLE: &str = include_str!("../tests/whole.yaml");

fn whole() -> Definition {
    parse("whole.yaml", WHOLE).unwrap_or_else(|e| panic!("{e}"))
}

fn step<'d>(definition: &'d Definition, name: &str) -> &'d Step {
    let found = definition.steps.iter().find(|step| step.name.as_str() == name);
    found.unwrap_or_else(|| panic!("a step {name}"))
}

const SAGA: &str = r"
saga: trip
version: 1
start: { on: t/Planned, key: event.trip }
data: { n: event.n, list: event.list }
within: 5d
steps:
  - step: book
    command: t/Book
    done: [ { on: t/Booked, where: event.n > 1, set: { seat: event.seat } }, t/Booked ]
    failed: { on: t/Full, then: go-on, set: { full: event.why } }
    set: { room: event.room }
    unknown: probe
    probe: { command: t/Ask, done: t/Found, absent: t/Nothing }
    compensate:
      command: t/Cancel
      done: [ t/Cancelled, { on: t/Gone, set: { gone: event.at } } ]
      set: { fee: event.fee }
  - step: all
    each: data.list
    at-most: 3
    steps:
      - step: any
        within: 1h
        choose:
          - when: item.big
            steps: [ { set: { size: item.size } } ]
          - { otherwise: true, steps: [ { fail: small } ] }
    collect: { sizes: branch.size }
  - step: answer
    wait: t/Yes
    failed: t/No
    within: 1d
    late: go-on
    remind: { after: 1h, emit: t/Remind }
  - step: tell
    pivot: true
    emit: t/Told
";

fn trip() -> Definition {
    parse("trip.yaml", SAGA).unwrap_or_else(|e| panic!("{e}"))
}

fn fields(set: &[Assignment]) -> Vec<&str> {
    set.iter().map(|assignment| assignment.field.as_str()).collect()
}

#[test]
fn every_expression_that_can_be_replaced_is_told_with_its_role() {
    for definition in [whole(), trip()] {
        let replaced: RefCell<BTreeSet<(String, Role)>> = RefCell::default();
        let _ = definition.mapped(&|expression, role| {
            replaced.borrow_mut().insert((expression.source().to_owned(), role));
            expression.clone()
        });
        let told = definition.expressions();
        let told = told.iter().map(|placed| (placed.expression.source().to_owned(), placed.role));
        assert_eq!(told.collect::<BTreeSet<_>>(), replaced.into_inner());
    }
}

#[test]
fn an_expression_knows_what_its_names_mean() {
    let definition = trip();
    let told: Vec<String> = definition
        .expressions()
        .iter()
        .map(|placed| {
            let event = match placed.event {
                Some(EventKind::Event(address)) => address.to_string(),
                Some(EventKind::Parent) => "parent".to_owned(),
                Some(EventKind::Call) => "call".to_owned(),
                None => "-".to_owned(),
            };
            let each = placed.each.map_or("-", |each| each.name.as_str());
            format!("{} {event} {each} {}", placed.expression, placed.fills.unwrap_or("-"))
        })
        .collect();
    for expected in [
        "event.trip t/Planned - -",
        "event.seat t/Booked - seat",
        "event.room t/Booked - room",
        "event.room t/Found - room",
        "event.fee t/Cancelled - fee",
        "event.at t/Gone - gone",
        "data.list - - -",
        "item.big - all -",
        "item.size - all size",
        "branch.size - all sizes",
    ] {
        assert!(told.iter().any(|told| told == expected), "{expected}: {told:#?}");
    }
}

#[test]
fn an_answer_is_the_first_of_its_address_whose_condition_holds() {
    let definition = trip();
    let check = |name: &str, part: Part, on: &str, holds: bool, expected: Option<Answer>| {
        let address: Address = on.parse().expect(on);
        let answers = step(&definition, name).answers(part);
        let found = answers.find(&address, |where_| Ok::<_, ()>(where_.is_none() || holds));
        assert_eq!(found, Ok(expected), "{name} {on}");
        assert!(expected.is_none() || answers.mention(&address), "{name} {on}");
    };
    check("book", Part::Action, "t/Booked", true, Some(Answer::Done(0)));
    check("book", Part::Action, "t/Booked", false, Some(Answer::Done(1)));
    check("book", Part::Action, "t/Full", true, Some(Answer::Failed(0)));
    check("book", Part::Action, "t/Nothing", true, None);
    check("book", Part::Probe, "t/Nothing", true, Some(Answer::Absent(0)));
    check("book", Part::Probe, "t/Booked", true, None);
    check("book", Part::Undo(2), "t/Gone", true, Some(Answer::Done(1)));
    check("answer", Part::Action, "t/No", true, Some(Answer::Failed(0)));
    check("tell", Part::Action, "t/Told", true, None);
    assert_eq!(step(&definition, "answer").all_replies().count(), 0);
    assert_eq!(step(&definition, "book").all_replies().count(), 7);
}

#[test]
fn an_outcome_says_what_it_means_and_what_it_writes() {
    let definition = trip();
    let told = |name: &str| -> Vec<(Meaning, Vec<String>)> {
        let outcomes = step(&definition, name).outcomes();
        outcomes.iter().map(|o| (o.meaning, o.fields().map(str::to_owned).collect())).collect()
    };
    let written = |fields: &[&str]| fields.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>();
    let rejected = Meaning::Rejected;
    assert_eq!(
        told("book"),
        [
            (Meaning::Succeeded, written(&["seat"])),
            (Meaning::Succeeded, written(&["room"])),
            (Meaning::Succeeded, written(&["room"])),
            (rejected(crate::definition::Then::GoOn), written(&["full"])),
        ]
    );
    assert_eq!(
        told("answer"),
        [
            (Meaning::Succeeded, written(&[])),
            (rejected(crate::definition::Then::GoBack), written(&[])),
            (Meaning::Passed, written(&[])),
        ]
    );
    assert_eq!(told("all")[0], (Meaning::Succeeded, written(&["sizes"])));
    let undone: Vec<_> = step(&definition, "book").undo_sets().into_iter().map(fields).collect();
    assert_eq!(undone, [["fee"], ["gone"]]);
    for (name, passed, back) in
        [("book", true, true), ("all", false, true), ("any", false, true), ("tell", false, false)]
    {
        let step = step(&definition, name);
        assert_eq!((step.may_be_passed(), step.goes_back()), (passed, back), "{name}");
    }
}

#[test]
fn a_step_knows_what_it_sends_and_what_stands_around_it() {
    let definition = trip();
    let sent = |name: &str| -> Vec<String> {
        let messages = step(&definition, name).messages();
        messages.map(|(part, sent)| format!("{part:?} {}", sent.to())).collect()
    };
    assert_eq!(sent("book"), ["Action t/Book", "Probe t/Ask", "Undo(1) t/Cancel"]);
    assert_eq!(sent("answer"), ["Action t/Remind"]);
    assert_eq!(sent("all"), [] as [&str; 0]);
    let inner = definition.steps.iter().find(|s| s.name.as_str().starts_with("fail")).expect("it");
    let around: Vec<_> = definition.around(inner.id).map(|s| s.name.to_string()).collect();
    assert_eq!(around, ["any", "all"]);
    let each = definition.fan_out_around(inner.id).map(|each| each.name.as_str());
    assert_eq!(each, Some("all"));
    assert!(definition.fan_out_around(step(&definition, "all").id).is_none());
}
