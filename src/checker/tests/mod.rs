mod drawn;
mod edges;
mod guards;
mod locks;
mod reduced;
mod size;
mod turns;
mod values;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;
use crate::definition::{Catalog, Step, StepKind, parse};
use crate::engine::{
    Direction, Effect, Frame, Input, Instance, Message, NoteKind, Phase, Progress, Rejection,
    Request, Say, StepState, Transition,
};
use crate::message::{Address, CommandId, InputId, InstanceId, Part, Timestamp};

fn checked(path: &str) -> Report {
    let text = std::fs::read_to_string(path).expect("a definition that ships");
    let definition = parse(path, &text).expect("it parses");
    check(&definition, &[], STATES_MAX)
}

#[test]
fn the_order_saga_keeps_every_promise() {
    let report = checked("sagas/order-fulfilment/saga.yaml");
    assert!(report.is_proved(), "{report}");
    assert!(report.endings.contains(&Ending::Completed), "{report}");
}

/// Two branches beside each other, then a fact that is waited for.
const PAIR: &str = "
saga: pair
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
within: 30d
events: { t/*: { key: event.id } }
steps:
  - step: both
    parallel:
      one:
        - { step: a, command: t/A, done: t/ADone, set: { got: event.got }, compensate: none }
      two:
        - { step: b, command: t/B, done: t/BDone, compensate: none }
  - { step: answer, wait: t/Yes, within: 3d }
  - { step: tell, emit: t/Told, with: { got: \"${data.got}\" }, compensate: none }
";

/// Steps that are undone, under a lock.
const TRANSFER: &str = "
saga: transfer
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
within: 30d
data: { from: event.from }
events: { t/*: { by: command-id } }
steps:
  - step: exclusive
    lock: [\"account/${data.from}\"]
    within: 30s
    steps:
      - step: debit
        command: t/Debit
        done: t/Debited
        failed: t/DebitRefused
        compensate: { command: t/GiveBack, done: t/GivenBack }
      - step: credit
        command: t/Credit
        done: t/Credited
        failed: t/CreditRefused
        compensate: { command: t/TakeBack, done: t/TakenBack }
ends:
  completed: { emit: t/Transferred }
";

/// What goes wrong with a definition that was right before this change.
fn broken(doctor: impl FnOnce(&mut Definition)) -> Report {
    let mut definition = parse("pair.yaml", PAIR).expect("it parses");
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.is_proved(), "{report}");
    doctor(&mut definition);
    told(check(&definition, &[], STATES_MAX))
}

/// What goes wrong with a definition that is right once the engine behaves like this.
fn broken_by(engine: Door) -> Report {
    let definition = parse("transfer.yaml", TRANSFER).expect("it parses");
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.is_proved(), "{report}");
    told(check_behind(engine, &definition, &[], STATES_MAX))
}

fn told(report: Report) -> Report {
    assert!(!report.is_proved(), "{report}");
    assert!(report.findings.iter().all(|f| !f.story.is_empty()), "{report}");
    report
}

/// Compares what is told of the first broken promise of this kind with `tests/checker`.
fn golden(report: &Report, promise: Promise, step: &str) {
    let is_it = |f: &&Finding| f.broken.promise == promise && f.broken.step == step;
    let finding = report.findings.iter().find(is_it);
    let finding = finding.unwrap_or_else(|| panic!("{promise:?} of {step} is kept: {report}"));
    let file = format!("{}.yaml", report.saga);
    let rendered = finding.diagnostic(&file).render(false);
    let seen = format!("{rendered}\n{}\n", finding.story.join("\n"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checker");
    let path = folder.join(format!("{}.txt", promise.code()));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &seen).expect("the golden can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(seen, expected, "{}: UPDATE=1 writes it anew", path.display());
}

fn step<'d>(definition: &'d mut Definition, name: &str) -> &'d mut Step {
    let found = definition.steps.iter_mut().find(|step| step.name.as_str() == name);
    found.expect("a step of that name")
}

#[test]
fn a_field_that_nothing_sets_is_missed_where_it_is_read() {
    let report = broken(|definition| step(definition, "a").set.clear());
    assert_eq!(report.findings.len(), 1, "{report}");
    golden(&report, Promise::Filled, "tell");
}

#[test]
fn an_answer_that_two_steps_would_take_is_told() {
    let report = broken(|definition| {
        let StepKind::Command(a) = &step(definition, "a").kind else { panic!("a command") };
        let on = a.request.done[0].on.clone();
        assert_eq!(on.to_string(), "t/ADone");
        if let StepKind::Command(b) = &mut step(definition, "b").kind {
            b.request.done[0].on = on;
        }
    });
    golden(&report, Promise::Answered, "b");
}

#[test]
fn a_wait_without_any_limit_is_told() {
    let report = broken(|definition| {
        definition.within = None;
        if let StepKind::Wait(wait) = &mut step(definition, "answer").kind {
            wait.within = None;
        }
    });
    assert_eq!(report.findings.len(), 1, "{report}");
    golden(&report, Promise::Waits, "answer");
}

/// Lets the engine take an input, and spoils what it makes of it.
fn spoilt(
    (catalog, id, before, input, now): Told<'_>,
    spoil: impl FnOnce(&mut Transition),
) -> Result<Transition, Rejection> {
    let mut made = engine::step(catalog, id, before, input, now)?;
    spoil(&mut made);
    Ok(made)
}

/// What an engine is told.
type Told<'a> = (&'a Catalog, &'a InstanceId, Option<&'a Instance>, &'a Input, Timestamp);

fn main_line(made: &mut Transition) -> Option<&mut Frame> {
    Some(&mut made.after.as_mut()?.lives.last_mut()?.frame)
}

/// The state of a step under the lock.
fn under_lock(made: &mut Transition, at: usize) -> Option<&mut StepState> {
    main_line(made)?.steps.first_mut()?.frames_mut().first_mut()?.steps.get_mut(at)
}

fn newest(instance: Option<&Instance>) -> Option<&engine::Life> {
    instance.and_then(Instance::newest)
}

fn settled() -> Request {
    Request {
        attempts: 1,
        spent: 1,
        since: Timestamp(0),
        progress: Progress::Answered,
        answer: InputId::default(),
        unsent: 0,
        extended: false,
    }
}

#[test]
fn an_undoing_that_is_never_over_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            let undos = under_lock(made, 0).map(|state| &mut state.undos);
            for undo in undos.into_iter().flatten().filter(|undo| undo.is_under_way()) {
                undo.progress = Progress::Open;
            }
        })
    });
    golden(&broken_by(door), Promise::Ends, "debit");
}

#[test]
fn a_saga_that_completes_with_something_undone_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            let forward = |g: &engine::Life| g.ended.is_some() && g.direction == Direction::Forward;
            if newest(made.after.as_ref()).is_some_and(forward) {
                let debit = under_lock(made, 0).expect("it has completed");
                debit.undos = vec![settled()];
            }
        })
    });
    golden(&broken_by(door), Promise::Complete, "debit");
}

#[test]
fn what_is_not_undone_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            let back = |g: &engine::Life| g.ended.is_some() && g.direction == Direction::Back;
            if newest(made.after.as_ref()).is_some_and(back)
                && let Some(debit) = under_lock(made, 0)
            {
                debit.undos.clear();
            }
        })
    });
    golden(&broken_by(door), Promise::Undone, "debit");
}

#[test]
fn what_is_undone_out_of_order_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            let undone = |state: Option<&mut StepState>| state.is_some_and(|s| !s.undos.is_empty());
            if undone(under_lock(made, 1)) && !undone(under_lock(made, 0)) {
                let undos = std::mem::take(&mut under_lock(made, 1).expect("it is undone").undos);
                under_lock(made, 0).expect("it came before").undos = undos;
            }
        })
    });
    let report = broken_by(door);
    let early = |f: &&Finding| f.broken.words == "debit is undone before credit";
    assert!(report.findings.iter().any(|f| early(&f)), "{report}");
}

#[test]
fn what_is_told_after_the_end_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            if newest(before).is_some_and(|g| g.ended.is_some()) {
                made.effects.push(fact(id, newest(before).expect("it has ended").id));
            }
        })
    });
    golden(&broken_by(door), Promise::Silent, "debit");
}

fn fact(id: &InstanceId, life: crate::message::LifeId) -> Effect {
    let id = CommandId {
        instance: id.clone(),
        life,
        subject: "debit".parse().expect("a step"),
        part: Part::Action,
        attempt: 1,
    };
    Effect::Fact(Message {
        id,
        undoes: None,
        to: "t/News".parse::<Address>().expect("it is an address"),
        key: "k".to_owned(),
        headers: Vec::new(),
        body: serde_json::Value::Null,
    })
}

#[test]
fn a_lock_that_is_not_let_go_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            let releases = |effect: &Effect| match effect {
                Effect::Letter { letter, .. } => {
                    matches!(letter.say, Say::Release { .. } | Say::Withdraw)
                }
                _ => false,
            };
            made.effects.retain(|effect| !releases(effect));
        })
    });
    golden(&broken_by(door), Promise::LetGo, "exclusive");
}

#[test]
fn an_answer_that_counts_twice_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        let mut before = before.cloned();
        let debit = before.as_mut().and_then(|i| i.lives.last_mut());
        let debit = debit.and_then(|g| g.frame.steps.first_mut()?.frames_mut().first_mut());
        let debit = debit.and_then(|frame| frame.steps.first_mut());
        // It forgets that it has taken an answer, as long as it goes forward.
        if let Some(debit) = debit.filter(|debit| debit.phase == Phase::Succeeded)
            && let Some(action) = debit.request_mut(Part::Action)
        {
            action.progress = Progress::GivenUp;
        }
        engine::step(catalog, id, before.as_ref(), input, now)
    });
    golden(&broken_by(door), Promise::Once, "debit");
}

/// Two ask for a price; who is first counts.
const RACE: &str = "
saga: race
version: 1
start: { on: t/Asked, key: event.id }
late: 7d
within: 30d
events: { t/*: { by: command-id } }
steps:
  - step: offers
    parallel:
      near:
        - step: near
          command: t/AskNear
          done: t/NearOffered
          failed: t/NearDeclined
          compensate: { command: t/DropNear, done: t/NearDropped }
      far:
        - step: far
          command: t/AskFar
          done: t/FarOffered
          failed: t/FarDeclined
          compensate: { command: t/DropFar, done: t/FarDropped }
    join: first
";

/// What goes wrong with the race once the engine forgets undoings, in a life that has ended.
fn race_broken_by(engine: Door) -> Report {
    let definition = parse("race.yaml", RACE).unwrap_or_else(|e| panic!("{e}"));
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.is_proved(), "{report}");
    told(check_behind(engine, &definition, &[], STATES_MAX))
}

/// Takes away what is undone in every branch of the first step.
fn forget_undoings(made: &mut Transition) {
    let life = made.after.as_mut().and_then(|after| after.lives.last_mut());
    let Some(offers) = life.and_then(|life| life.frame.steps.first_mut()) else { return };
    for state in offers.frames_mut().iter_mut().flat_map(|frame| &mut frame.steps) {
        state.undos.clear();
    }
}

#[test]
fn a_loser_that_is_not_undone_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            if newest(made.after.as_ref()).is_some_and(|life| life.ended.is_some()) {
                forget_undoings(made);
            }
        })
    });
    let report = race_broken_by(door);
    let left = |f: &Finding| f.broken.words.ends_with("was left behind and is not undone");
    assert!(report.findings.iter().any(left), "{report}");
}

#[test]
fn a_late_success_after_the_end_that_is_not_undone_is_told() {
    let door = Door(|catalog, id, before, input, now| {
        let had_ended = newest(before).is_some_and(|life| life.ended.is_some());
        spoilt((catalog, id, before, input, now), |made| {
            // It was rejected, or undone before it was sent; then it says that it has happened.
            let late = made.notes.iter().any(|note| note.kind() == NoteKind::Late);
            if had_ended && late {
                forget_undoings(made);
            }
        })
    });
    let report = race_broken_by(door);
    let left = |f: &Finding| f.broken.promise == Promise::Undone;
    assert!(report.findings.iter().any(left), "{report}");
}

/// Two branches at once, each with something to undo.
const FAN_OUT: &str = "
saga: fan-out
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
within: 30d
data: { lines: event.lines }
events: { t/*: { by: command-id } }
steps:
  - step: lines
    each: data.lines
    at-most: 9
    steps:
      - step: pick
        command: t/Pick
        with: { line: \"${item}\" }
        done: t/Picked
        failed: t/Missing
        compensate: { command: t/PutBack, done: t/IsBack }
  - { step: pack, command: t/Pack, done: t/Packed, compensate: none }
";

#[test]
fn what_goes_wrong_only_while_two_branches_run_is_found() {
    let definition = parse("fan-out.yaml", FAN_OUT).expect("it parses");
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.is_proved(), "{report}");
    let door = Door(|catalog, id, before, input, now| {
        let running = |frame: &Frame| frame.steps.iter().any(|s| s.phase == Phase::Running);
        let lines = newest(before).and_then(|g| g.frame.steps.first());
        let both = lines
            .is_some_and(|lines| lines.frames().len() == 2 && lines.frames().iter().all(running));
        spoilt((catalog, id, before, input, now), |made| {
            let goes_back =
                newest(made.after.as_ref()).is_some_and(|g| g.direction == Direction::Back);
            // The second branch is forgotten when the time of both is up.
            if both
                && goes_back
                && let Some(lines) = main_line(made).and_then(|line| line.steps.first_mut())
            {
                lines.frames_mut()[1].over = true;
                lines.frames_mut()[1].steps[0].undos.clear();
            }
        })
    });
    let report = check_behind(door, &definition, &[], STATES_MAX);
    let told = report
        .findings
        .iter()
        .any(|f| f.broken.promise == Promise::Undone && f.broken.step == "pick[1]");
    assert!(told, "{report}");
}

/// The first answer to a step is told from a later fact by what the step itself sets.
const TOLD_APART: &str = "
saga: told-apart
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
within: 30d
events: { t/*: { key: event.id } }
steps:
  - step: order
    command: t/Order
    done: { on: t/Ordered, where: \"!has(data.number)\" }
    set: { number: event.number }
    compensate: none
  - { step: again, wait: { on: t/OrderedAgain, where: has(data.number) }, within: 3d }
";

#[test]
fn an_answer_that_comes_again_and_is_taken_by_a_wait_is_told() {
    // The shape refuses this, so it is made behind its back.
    let mut definition = parse("told-apart.yaml", TOLD_APART).expect("it parses");
    if let StepKind::Wait(wait) = &mut step(&mut definition, "again").kind {
        wait.on[0].on = "t/Ordered".parse().expect("it is an address");
    }
    let report = told(check(&definition, &[], STATES_MAX));
    let twice = report.findings.iter().find(|f| f.broken.promise == Promise::Once);
    assert_eq!(twice.map(|f| f.broken.step.as_str()), Some("order"), "{report}");
}

#[test]
fn the_number_of_workers_changes_nothing() {
    for text in [TRANSFER, FAN_OUT] {
        let definition = parse("saga.yaml", text).expect("it parses");
        let by = |workers: usize| {
            let world = |_| World::new(Door(engine::step), &definition, &[]);
            let worlds: Vec<World> = (0..workers).map(world).collect();
            Report::new(&definition, &worlds[0], &explore::explore(&worlds, STATES_MAX))
        };
        assert_eq!(by(1), by(3));
    }
}

#[test]
fn every_broken_promise_has_a_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checker");
    let files = fs::read_dir(folder).expect("the goldens");
    let name = |file: std::io::Result<fs::DirEntry>| {
        file.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    let files: BTreeSet<String> = files.map(name).collect();
    let codes = Promise::ALL.iter().map(|promise| format!("{}.txt", promise.code()));
    let is_updated = std::env::var_os("UPDATE").is_some();
    assert!(is_updated || files == codes.collect(), "{files:?}");
}

#[test]
fn a_bound_that_is_reached_is_said() {
    let definition = parse("pair.yaml", PAIR).expect("it parses");
    let report = check(&definition, &[], 10);
    assert!(!report.is_proved() && !report.is_wrong(), "{report}");
    assert!(report.to_string().contains("not all that can happen was looked at"), "{report}");
    let bound = report.bound.expect("there are more");
    assert_eq!((bound.states, bound.moves, bound.step.as_deref()), (10, 2, Some("both")));
    let told = bound.diagnostic("pair.yaml").render(false);
    for word in ["warning[SG1010]", "10 states", "pair.yaml:9", "branches of both", "--states"] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

/// The scenarios for what goes wrong with a definition after a change, each of which fails.
fn failing(doctor: impl FnOnce(&mut Definition)) -> Vec<String> {
    let mut definition = parse("pair.yaml", PAIR).expect("it parses");
    doctor(&mut definition);
    let (report, written) = check_and_write(&definition, &[], STATES_MAX, &[]);
    assert_eq!(report.findings.len(), written.broken.len());
    let one = |broken: Result<Scenario, String>| {
        let text = crate::scenario::write(&broken.expect("it can be shown"));
        let read = crate::scenario::parse("it.yaml", &text).expect("what is written is read");
        let told = crate::scenario::run(&definition, &read);
        assert!(!told.passed(), "{text}");
        format!("{text}{told}")
    };
    written.broken.into_iter().map(one).collect()
}

#[test]
fn a_field_that_nothing_sets_is_shown_by_a_scenario_that_fails() {
    let told = failing(|definition| step(definition, "a").set.clear());
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("scenario: \"broken: `data.got` is read"), "{told}");
    assert!(told.contains("  - event: t/Yes\n"), "{told}");
    assert!(told.contains("  - end: running\n"), "{told}");
    assert!(told.contains("stuck"), "{told}");
}

#[test]
fn a_wait_without_any_limit_is_shown_by_a_scenario_that_fails() {
    let told = failing(|definition| {
        definition.within = None;
        if let StepKind::Wait(wait) = &mut step(definition, "answer").kind {
            wait.within = None;
        }
    });
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("  - pass: 365d\n  - end: ended\n"), "{told}");
}

#[test]
fn an_answer_that_another_step_takes_is_shown_by_a_scenario_that_fails() {
    let told = failing(|definition| {
        let StepKind::Command(a) = &step(definition, "a").kind else { panic!("a command") };
        let on = a.request.done[0].on.clone();
        if let StepKind::Command(b) = &mut step(definition, "b").kind {
            b.request.done[0].on = on;
        }
    });
    assert!(told.iter().any(|told| told.contains("by-key: true")), "{told:?}");
}

#[test]
fn every_end_of_a_small_saga_is_reached_without_any_example() {
    let definition = parse("pair.yaml", PAIR).expect("it parses");
    let (report, written) = check_and_write(&definition, &[], STATES_MAX, &[]);
    assert_eq!(written.unreached, []);
    let reached: Vec<&Ending> = written.endings.iter().map(|(end, _)| end).collect();
    assert_eq!(reached, report.endings.iter().collect::<Vec<_>>());
    for (_, scenario) in &written.endings {
        let told = crate::scenario::run(&definition, scenario);
        assert!(told.passed(), "{told}");
    }
}
