//! The same with the whole language: what is left behind, locks, children, questions.

use super::doctor::{Doctor, HISTORY};
use super::shipped::{self, definitions};
use super::world::right;
use super::*;
use crate::engine::{Failure, FailureKind, Sending, What};
use crate::format::wire;
use crate::message::header;

/// An instance of a saga that ships; the others' books are left closed, but for its children's.
fn of(saga: &'static str, with: &[&str], without: &[&str]) -> Doctor {
    let mut definitions = definitions();
    definitions.retain(|d| d.saga.as_str() == saga || (d.by_parent && saga == "agent-team"));
    Doctor::among(&shipped::LOG, definitions, saga, with, without)
}

fn race() -> Definition {
    right(include_str!("race.yaml"))
}

/// What the topics hold after 200 races.
static RACES: LazyLock<Vec<Rec>> = LazyLock::new(|| {
    let script = crate::participants::Script::parse(
        "participants.yaml",
        include_str!("race-participants.yaml"),
    );
    let mut world = World::of(vec![race()], &[script.expect("a script")], 9);
    world.start(200);
    world.run();
    world.log
});

fn raced(with: &[&str], without: &[&str]) -> Doctor {
    Doctor::among(&RACES, vec![race()], "race", with, without)
}

fn forget(doctor: &mut Doctor, kinds: &[&str], step: &str) {
    doctor.rewrite(|entry| {
        entry.notes.retain(|n| !(kinds.contains(&n.kind.as_str()) && n.step == step));
    });
}

fn note(step: &str, what: &What) -> wire::Note {
    wire::Note { step: step.to_owned(), ..wire::Note::of(what) }
}

fn report(attempt: u32) -> What {
    What::Sent(Sending { to: "reporting.commands/FileReport".to_owned(), attempt })
}

fn failure(kind: FailureKind) -> Failure {
    Failure { step: None, kind, reason: "no".to_owned() }
}

#[test]
fn right_races_balance() {
    let report = audited_by(&[race()], &RACES, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    assert_eq!(report.tally.started, 200);
    assert!(report.tally.completed > 60 && report.tally.compensated_all() > 40, "{report}");
    let report = audited_by(&[race()], &without_history(&RACES), Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
}

const LOSER: [&str; 4] =
    ["completed ", "undone right-offer", "undone right-book", "succeeded right-book"];

#[test]
fn a_loser_that_was_not_undone() {
    for (step, word, answer) in
        [("right-offer", "Forget", "Forgotten"), ("right-book", "Unbook", "Unbooked")]
    {
        let mut doctor = raced(&["completed ", "undone right-offer", "undone right-book"], &[]);
        doctor.remove_all(word);
        doctor.remove_all(answer);
        forget(&mut doctor, &["undoing", "undone"], step);
        let words = format!("{step} was left behind, may have happened and was not undone");
        doctor.fails(Rule::LeftBehind, &words, HISTORY);
    }
}

#[test]
fn a_loser_undone_in_the_wrong_order() {
    let mut doctor = raced(&LOSER[..3], &[]);
    doctor.rewrite(|entry| {
        for note in entry.notes.iter_mut().filter(|n| n.kind.starts_with("undo")) {
            note.step = match note.step.as_str() {
                "right-offer" => "right-book".to_owned(),
                "right-book" => "right-offer".to_owned(),
                other => other.to_owned(),
            };
        }
    });
    doctor.fails(Rule::Reverse, "right-offer is undone before right-book", HISTORY);
}

#[test]
fn a_winner_that_was_undone() {
    let mut doctor = raced(&["completed ", "undone right-offer", "undone right-book"], &[]);
    doctor.rewrite(|entry| entry.notes.retain(|n| n.kind != "dropped"));
    doctor.fails(Rule::Completed, "right-book is undone, and the saga goes forward", HISTORY);
}

#[test]
fn a_block_out_of_time_that_was_not_undone() {
    let mut doctor = raced(&["completed ", "timed-out compare", "undone ask-price"], &[]);
    doctor.remove_all("Close");
    doctor.remove_all("Closed");
    forget(&mut doctor, &["undoing", "undone"], "ask-price");
    let words = "ask-price was left behind, may have happened and was not undone";
    doctor.fails(Rule::LeftBehind, words, HISTORY);
}

#[test]
fn a_late_success_that_was_not_undone() {
    let mut doctor = raced(&["completed ", "late ask-price"], &[]);
    doctor.rewrite(|entry| {
        if entry.notes.iter().any(|n| n.kind == "late" && n.step == "ask-price") {
            entry.notes.retain(|n| n.kind == "late");
        }
    });
    let words = "ask-price succeeded late and was not undone again";
    doctor.breaks(&doctor.name(), Rule::LeftBehind, words, "");
}

#[test]
fn both_branches_that_were_passed_by() {
    let mut doctor = of("insurance-claim", &["completed "], &["late check-codes"]);
    doctor.remove_step("check-codes");
    forget(&mut doctor, &["sent", "succeeded", "timed-out"], "check-codes");
    doctor.fails(Rule::Completed, "it completed and never did check-codes", "");
}

#[test]
fn two_arms_of_a_choice() {
    let mut doctor = of("insurance-claim", &["completed ", "asked examine"], &[]);
    doctor.remove_step("examine");
    let asked = |r: &Rec, key: &str| r.topic.as_str() == "shop.questions" && r.key == key;
    let name = doctor.name();
    doctor.log.retain(|rec| !asked(rec, &name));
    forget(&mut doctor, &["asked", "reminded", "succeeded"], "examine");
    // The other arm tells nothing, so nothing is missing.
    assert!(doctor.report().balances(), "{}", doctor.report());
}

#[test]
fn a_lost_question_and_a_lost_reminder() {
    let mut doctor = of("insurance-claim", &["asked examine", "reminded examine"], &[]);
    let name = doctor.name();
    doctor.log.retain(|r| !(r.topic.as_str() == "shop.questions" && r.key == name));
    doctor.fails(Rule::History, "the question of examine is in the history, but on no topic", "");
    doctor.remove("ExaminationDue");
    doctor.fails(Rule::History, "a reminder of examine is on no topic", "");
}

#[test]
fn a_decision_of_nobody() {
    let mut doctor = of("insurance-claim", &["asked examine", "succeeded examine"], &[]);
    let name = doctor.name();
    doctor.log.retain(|r| !(r.topic.as_str() == "shop.operator" && r.key == name));
    doctor.fails(Rule::Answers, "examine was decided by nobody who stands on a topic", "");
}

#[test]
fn a_lost_probe() {
    let mut doctor = of("treatment-plan", &["probed order-lab"], &[]);
    doctor.remove("FindOrder");
    doctor.breaks(&doctor.name(), Rule::History, "the probe of order-lab, attempt 1,", "");
}

#[test]
fn a_wait_that_nothing_ended() {
    let mut doctor = of("treatment-plan", &["succeeded consent"], &[]);
    for word in ["ConsentSigned", "ConsentSignedOnPaper"] {
        doctor.remove_all(word);
    }
    doctor.fails(Rule::Answers, "consent succeeded by an answer that is on no topic", "");
}

#[test]
fn a_step_forward_on_the_way_back() {
    let mut doctor = of("money-transfer", &["rejected debit", "compensated "], &[]);
    doctor.rewrite(|entry| {
        if let Some(at) = entry.notes.iter().position(|n| n.kind == "went-back") {
            entry.notes.insert(at + 1, note("report", &report(1)));
        }
    });
    doctor.fails(Rule::Forward, "report was commanded on the way back", HISTORY);
}

#[test]
fn a_way_back_behind_the_pivot() {
    let mut doctor = of("money-transfer", &["succeeded credit", "completed "], &[]);
    doctor.rewrite(|entry| {
        if let Some(at) =
            entry.notes.iter().position(|n| n.step == "credit" && n.kind == "succeeded")
        {
            entry.notes.insert(at + 1, note("", &What::WentBack(failure(FailureKind::Rejected))));
        }
    });
    doctor.fails(Rule::Forward, "it went back behind its pivot", HISTORY);
}

#[test]
fn a_number_that_lost_a_digit_on_the_way_to_an_undoing() {
    let mut doctor = of("money-transfer", &["succeeded debit"], &[]);
    let place = doctor.one("DebitAccount");
    let body = String::from_utf8(doctor.log[place].body.to_vec()).expect("text");
    doctor.log[place].body = body.replace("\"amount\":", "\"amount\":1").into();
    doctor.fails(Rule::Unchanged, "debit: `amount` is", "ledger.commands");
}

#[test]
fn a_branch_that_works_on_another_element() {
    let mut doctor = of("model-data-flow", &["succeeded extract[1]", "completed "], &[]);
    let id = |rec: &Rec| rec.header(header::ID).to_owned();
    let begin = format!("model-data-flow/{}/", doctor.key);
    let is_it = |rec: &&mut Rec| {
        let id = id(rec);
        id.starts_with(&begin) && id.ends_with("/extract[1]/1")
    };
    let sent = doctor.log.iter_mut().find(is_it).expect("a command");
    let body = String::from_utf8(sent.body.to_vec()).expect("text");
    sent.body = body.replace("\"query\":\"", "\"query\":\"x").into();
    let place = sent.place();
    doctor.fails(Rule::Unchanged, "extract[1]: `query` is \"x", &place);
}

const BOOKED: [&str; 3] = ["locked book", "released book", "completed "];

#[test]
fn a_lock_that_was_not_let_go() {
    let mut doctor = of("money-transfer", &BOOKED, &[]);
    forget(&mut doctor, &["released"], "book");
    doctor.fails(Rule::Exclusive, "it ended and did not let go book", HISTORY);
}

#[test]
fn a_command_without_its_lock() {
    let mut doctor = of("money-transfer", &BOOKED, &[]);
    forget(&mut doctor, &["locked"], "book");
    doctor.fails(Rule::Exclusive, "debit was sent without the lock around it", HISTORY);
}

#[test]
fn a_command_with_another_token() {
    let mut doctor = of("money-transfer", &BOOKED, &[]);
    let place = doctor.one("CreditAccount");
    let body = String::from_utf8(doctor.log[place].body.to_vec()).expect("text");
    doctor.log[place].body = body.replace("\"fence\":", "\"fence\":9").into();
    doctor.fails(Rule::Exclusive, "carries the token 9", "ledger.commands");
}

#[test]
fn a_token_that_no_lock_gave() {
    let mut doctor = of("money-transfer", &BOOKED, &[]);
    doctor.rewrite(|entry| {
        for note in entry.notes.iter_mut().filter(|n| n.kind == "locked") {
            note.token = 99_999_999;
        }
    });
    doctor.fails(Rule::Exclusive, "book held token 99999999, which no lock gave to it", "");
}

/// A lock with a queue: its key, and those who waited in it one behind the other.
fn queue() -> (Doctor, String, [wire::Note; 2]) {
    let doctor = of("treatment-plan", &["locked appointment"], &[]);
    for rec in doctor.log.iter().filter(|r| r.key.starts_with("segue-lock/room/")) {
        let told = doctor.log.iter().filter(|r| r.key == rec.key);
        let notes: Vec<wire::Note> = told.flat_map(|r| r.entry().notes).collect();
        for pair in notes.windows(2) {
            if let [first, second] = pair
                && (first.kind.as_str(), second.kind.as_str()) == ("queued", "queued")
                && !notes.iter().any(|n| n.kind == "withdrawn")
            {
                let pair = [first.clone(), second.clone()];
                return (doctor.clone(), rec.key.clone(), pair);
            }
        }
    }
    panic!("nobody waits behind another one");
}

#[test]
fn a_waiter_that_was_overtaken() {
    let (mut doctor, lock, [first, second]) = queue();
    let mut swapped = 0;
    doctor.rewrite_of(&lock, |entry| {
        for note in entry.notes.iter_mut().filter(|n| n.kind == "queued") {
            if swapped == 2 {
                return;
            }
            if *note == first || *note == second {
                *note = if *note == first { second.clone() } else { first.clone() };
                swapped += 1;
            }
        }
    });
    assert_eq!(swapped, 2);
    doctor.breaks(
        &lock,
        Rule::InTurn,
        &format!("{} overtook {}", first.text(), second.text()),
        HISTORY,
    );
}

#[test]
fn a_lock_held_twice() {
    let (mut doctor, lock, [first, _]) = queue();
    doctor.rewrite_of(&lock, |entry| {
        let gets = entry.notes.iter().any(|n| n.kind == "locked" && n.instance == first.instance);
        entry.notes.retain(|n| !(gets && n.kind == "released"));
    });
    doctor.breaks(&lock, Rule::Exclusive, &format!("{} got it while", first.text()), HISTORY);
}

#[test]
fn what_two_holders_sent_in_the_wrong_order() {
    let mut doctor = of("agent-team", &["locked mend", "released mend"], &[]);
    let in_order = |rec: &Rec| rec.topic.as_str() == "platform.commands" && rec.partition == 0;
    let places: Vec<usize> =
        (0..doctor.log.len()).filter(|at| in_order(&doctor.log[*at])).collect();
    let end = places.len();
    for (from, to) in places.iter().zip((0..end).rev()) {
        doctor.log[*from].offset = i64::try_from(to).expect("a small number");
    }
    let report = doctor.report();
    let wrong =
        |v: &&Violation| v.rule == Rule::Exclusive && v.words.contains("stands behind token");
    assert!(report.violations.iter().filter(wrong).count() >= 3, "{report}");
}

#[test]
fn a_child_left_done_under_a_compensated_parent() {
    let mut doctor = of("agent-team", &["succeeded gather", "undone gather", "compensated "], &[]);
    let child = format!("agent-task/{}/gather", doctor.key);
    let mut is_over = false;
    doctor.rewrite_of(&child, |entry| {
        if is_over {
            entry.notes.clear();
        }
        is_over |= entry.notes.iter().any(|n| n.kind == "completed");
    });
    let words = "gather is undone, and its child has not taken itself back";
    doctor.breaks(&doctor.name(), Rule::Family, words, "");
}

#[test]
fn a_child_undone_under_a_completed_parent() {
    let mut doctor = of("agent-team", &["succeeded gather", "completed "], &[]);
    let child = format!("agent-task/{}/gather", doctor.key);
    doctor.rewrite_of(&child, |entry| {
        if let Some(at) = entry.notes.iter().position(|n| n.kind == "completed") {
            entry.notes[at] = note("", &What::WentBack(failure(FailureKind::Failed)));
            entry.notes.insert(at + 1, note("", &What::Compensated { reason: "no".to_owned() }));
        }
    });
    let words = "gather succeeded, and its child is undone";
    doctor.breaks(&doctor.name(), Rule::Family, words, "");
}

#[test]
fn a_child_that_nobody_began() {
    let mut doctor = of("agent-team", &["succeeded gather", "completed "], &[]);
    forget(&mut doctor, &["sent"], "gather");
    let child = format!("agent-task/{}/gather", doctor.key);
    doctor.breaks(&child, Rule::Started, "it lived 1 times by 0 start events", "");
}

#[test]
fn a_child_that_never_lived() {
    let mut doctor = of("agent-team", &["succeeded gather", "completed "], &[]);
    let child = format!("agent-task/{}/gather", doctor.key);
    doctor.log.retain(|rec| rec.key != child && !rec.header(header::ID).contains("%2Fgather/"));
    let words = "gather succeeded, and its child never lived";
    doctor.breaks(&doctor.name(), Rule::Family, words, "");
}

#[test]
fn a_branch_of_a_fan_out_that_was_not_undone() {
    let mut doctor = of("model-data-flow", &["undone extract[0]", "compensated "], &[]);
    forget(&mut doctor, &["undoing", "undone"], "extract[0]");
    let words = "extract[0] may have happened and was not undone";
    doctor.breaks(&doctor.name(), Rule::Compensated, words, HISTORY);
}
