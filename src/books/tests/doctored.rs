//! Right books with one thing wrong: each must fail, naming whose and where.

use super::doctor::{Doctor, HISTORY};
use super::*;
use crate::engine::{Sending, What};
use crate::format::{seal, wire};
use crate::message::{CommandId, header};

const DONE: [&str; 1] = ["completed "];
const LATE: [&str; 6] = [
    "late reserve-stock",
    "late charge-card",
    "given-up reserve-stock",
    "given-up charge-card",
    "timed-out reserve-stock",
    "timed-out charge-card",
];

/// A plain order that completed.
fn completed() -> Doctor {
    Doctor::of(&DONE, &LATE)
}

/// An order that was refused a parcel, so that card and stock were given back.
fn given_back() -> Doctor {
    Doctor::of(
        &["rejected ship", "compensated ", "undone charge-card", "undone reserve-stock"],
        &LATE,
    )
}

#[test]
fn a_doubled_command() {
    let mut doctor = completed();
    let twice = doctor.log[doctor.one("ChargeCard")].clone();
    let place = doctor.append(twice);
    doctor.fails(Rule::Once, "charge-card was sent already at payments.commands", &place);
    let report = audited(&doctor.log, Delivery::AtLeastOnce);
    assert!(report.balances(), "{report}");
    assert_eq!(report.tally.repeated, 1);
}

#[test]
fn a_doubled_command_with_another_body() {
    let mut doctor = completed();
    let mut twice = doctor.log[doctor.one("ChargeCard")].clone();
    twice.body = "{}".into();
    let place = doctor.append(twice);
    doctor.fails(Rule::Once, "repeated with another content", &place);
    assert!(!audited(&doctor.log, Delivery::AtLeastOnce).balances());
}

#[test]
fn a_lost_command() {
    let mut doctor = completed();
    doctor.remove("CreateShipment");
    doctor.fails(Rule::History, "ship, attempt 1, is in the history, but on no topic", "");
    doctor.fails(Rule::Completed, "completed without ship", "");
}

#[test]
fn a_command_that_the_history_does_not_know() {
    let mut doctor = completed();
    doctor.rewrite(|entry| entry.notes.retain(|n| (&*n.kind, &*n.step) != ("sent", "ship")));
    let place = doctor.log[doctor.one("CreateShipment")].place();
    doctor.fails(Rule::History, "ship, attempt 1, is on a topic, but not in the history", &place);
}

#[test]
fn undone_in_the_wrong_order_by_the_history() {
    let mut doctor = given_back();
    doctor.rewrite(|entry| {
        for note in &mut entry.notes {
            if note.kind.starts_with("undo") {
                let is_card = note.step == "charge-card";
                note.step = if is_card { "reserve-stock" } else { "charge-card" }.to_owned();
            }
        }
    });
    doctor.fails(Rule::Reverse, "reserve-stock is undone before charge-card", HISTORY);
}

#[test]
fn undone_in_the_wrong_order_by_its_causes() {
    let mut doctor = given_back();
    let released = doctor.log[doctor.one("StockReleased")].header(header::ID).to_owned();
    let refund = doctor.one("RefundPayment");
    let release = doctor.one("ReleaseStock");
    let refused = doctor.log[refund].header(header::CAUSATION).to_owned();
    doctor.log[release].set(header::CAUSATION, &refused);
    doctor.log[refund].set(header::CAUSATION, &released);
    let place = doctor.log[refund].place();
    doctor.fails(Rule::Reverse, "charge-card was undone after reserve-stock", &place);
    doctor.log = without_history(&doctor.log);
    doctor.fails(Rule::Reverse, "charge-card was undone after reserve-stock", &place);
}

#[test]
fn a_missing_undo() {
    let mut doctor = given_back();
    doctor.remove_all("RefundPayment");
    doctor.remove_all("PaymentRefunded");
    doctor.rewrite(|entry| {
        entry.notes.retain(|n| !(n.kind.starts_with("undo") && n.step == "charge-card"));
    });
    let place = doctor.log[doctor.one("ChargeCard")].place();
    doctor.fails(Rule::Compensated, "charge-card may have happened and was not undone", HISTORY);
    doctor.fails(Rule::Compensated, "charge-card may have happened and no undoing", &place);
    doctor.log = without_history(&doctor.log);
    doctor.fails(Rule::Compensated, "charge-card may have happened and no undoing", &place);
}

#[test]
fn an_undo_that_nobody_answered() {
    let mut doctor = given_back();
    doctor.remove_all("StockReleased");
    let place = doctor.log[doctor.one("ReleaseStock")].place();
    doctor.fails(Rule::Compensated, "nothing says that the undoing of reserve-stock", &place);
    doctor.fails(Rule::Answers, "reserve-stock was undone by an answer that is on no topic", "");
}

/// Adds the refund that another instance got.
fn refund(doctor: &mut Doctor) -> String {
    let charged = doctor.log[doctor.one("ChargeCard")].header(header::ID).to_owned();
    let mut id: CommandId = charged.parse().expect("an id");
    (id.part, id.attempt) = (crate::message::Part::Undo(1), 1);
    let refund = |r: &&Rec| r.header(header::TYPE) == "RefundPayment";
    let mut rec = LOG.iter().find(refund).expect("a refund").clone();
    for name in [header::ID, header::COMMAND] {
        rec.set(name, &id.to_string());
    }
    rec.set(header::IDEMPOTENCY_KEY, &id.idempotency_key());
    rec.key.clone_from(&doctor.key);
    rec.body = doctor.log[doctor.one("ChargeCard")].body.clone();
    doctor.append(rec)
}

#[test]
fn an_undo_too_many_of_a_completed_saga() {
    let mut doctor = completed();
    let place = refund(&mut doctor);
    doctor.fails(Rule::Completed, "completed, but charge-card was undone", &place);
    doctor.fails(Rule::History, "undoing of charge-card, attempt 1, is on a topic", &place);
}

#[test]
fn an_undo_too_many_of_a_declined_card() {
    let mut doctor = Doctor::of(&["rejected charge-card", "compensated "], &LATE);
    let place = refund(&mut doctor);
    doctor.fails(Rule::Compensated, "charge-card was undone although it did not", &place);
    doctor.rewrite(|entry| {
        if let Some(at) = entry.notes.iter().position(|n| n.kind == "went-back") {
            let to = "payments.commands/RefundPayment".to_owned();
            let undoing = wire::Note::of(&What::Undoing(Sending { to, attempt: 1 }));
            entry.notes.insert(at + 1, wire::Note { step: "charge-card".to_owned(), ..undoing });
        }
    });
    doctor.fails(Rule::Compensated, "charge-card is undone although it surely did not", HISTORY);
}

#[test]
fn a_number_that_lost_a_digit() {
    for word in ["ChargeCard", "OrderCompleted"] {
        let mut doctor = completed();
        let place = doctor.one(word);
        let body = String::from_utf8(doctor.log[place].body.to_vec()).expect("text");
        let (from, to) = digits(&body);
        assert_ne!(from, to);
        doctor.log[place].body = body.replace(&from, &to).into();
        let place = doctor.log[place].place();
        let words = format!("is {to}, the start event said {from}");
        doctor.fails(Rule::Unchanged, &words, &place);
    }
}

/// The number with three decimals in a body, and the same number with its last 0 gone.
fn digits(body: &str) -> (String, String) {
    let inside = |c: char| c.is_ascii_digit() || c == '.';
    let mut numbers = body.split(|c| !inside(c)).filter(|t| t.contains('.'));
    let number = numbers.next_back().expect("a total").to_owned();
    let shorter = number.strip_suffix('0').expect("all totals end in 0").to_owned();
    (number, shorter)
}

#[test]
fn a_number_inside_a_list() {
    let mut doctor = completed();
    let place = doctor.one("ReserveStock");
    let body = String::from_utf8(doctor.log[place].body.to_vec()).expect("text");
    doctor.log[place].body = body.replace("15E-1", "15e-1").into();
    let place = doctor.log[place].place();
    doctor.fails(Rule::Unchanged, "reserve-stock: `lines` is", &place);
}

#[test]
fn a_doubled_end() {
    let mut doctor = completed();
    let end = doctor.log[doctor.one("OrderCompleted")].clone();
    let place = doctor.append(end);
    doctor.fails(Rule::Once, "ends.completed was sent already", &place);
}

#[test]
fn both_ends() {
    let mut doctor = completed();
    let mut end = doctor.log[doctor.one("OrderCompleted")].clone();
    let id = end.header(header::ID).replace("ends.completed", "ends.compensated");
    end.set(header::ID, &id);
    end.set(header::TYPE, "OrderCancelled");
    let place = doctor.append(end);
    doctor.fails(Rule::Ended, "completed and was compensated", &place);
}

#[test]
fn a_lost_end() {
    let mut doctor = completed();
    doctor.remove("OrderCompleted");
    doctor.fails(Rule::Ended, "no fact ends.completed tells of it", "");
    doctor.rewrite(|entry| entry.notes.retain(|n| n.kind != "completed"));
    doctor.fails(Rule::Ended, "neither ended nor is it stuck", "[");
    let lost = doctor.report();
    assert_eq!(lost.tally.open, 1);
}

#[test]
fn a_command_after_the_end() {
    let mut doctor = completed();
    let mut again = doctor.log[doctor.one("CreateShipment")].clone();
    let id = again.header(header::ID).replace("/ship/1", "/ship/2");
    again.set(header::ID, &id);
    again.set(header::COMMAND, &id);
    doctor.append(again);
    let name = doctor.name();
    let ours = |r: &&Rec| r.topic.as_str() == HISTORY && r.key == name;
    let mut last = doctor.log.iter().rfind(ours).expect("a history").clone();
    let mut entry = last.entry();
    entry.transition += 1;
    let to = "shipping.commands/CreateShipment".to_owned();
    let sent = wire::Note::of(&What::Sent(Sending { to, attempt: 2 }));
    entry.notes = vec![wire::Note { step: "ship".to_owned(), ..sent }];
    last.body = seal(&entry).into();
    let place = doctor.append(last);
    doctor.fails(Rule::AfterEnd, "ship was commanded after the end", &place);
}

#[test]
fn a_lost_start() {
    let mut doctor = completed();
    doctor.remove("OrderPlaced");
    doctor.fails(Rule::Started, "lived 1 times by 0 start events", "inventory.commands");
}

#[test]
fn a_start_that_led_to_nothing() {
    let mut doctor = completed();
    let mut start = doctor.log[doctor.one("OrderPlaced")].clone();
    start.body = String::from_utf8(start.body.to_vec())
        .expect("text")
        .replace(&format!("\"{}\"", doctor.key), "\"o-new\"")
        .into();
    start.set(header::ID, "placed-new");
    let place = doctor.append(start);
    doctor.key = "o-new".to_owned();
    doctor.fails(Rule::Started, "led to nothing", &place);
    let mut aside = doctor.log.last().expect("the start").clone();
    aside.topic = Topic::new("shop.dead-letters").expect("a topic");
    doctor.append(aside);
    let report = doctor.report();
    assert!(report.balances(), "{report}");
    assert_eq!((report.tally.ignored, report.tally.dead_letters), (1, 1));
}

#[test]
fn a_second_start_of_a_key_is_ignored() {
    let mut doctor = completed();
    let mut start = doctor.log[doctor.one("OrderPlaced")].clone();
    start.set(header::ID, "placed-again");
    doctor.append(start);
    let report = doctor.report();
    assert!(report.balances(), "{report}");
    assert_eq!((report.tally.started, report.tally.ignored), (150, 1));
}

#[test]
fn a_changed_outcome() {
    let mut doctor = completed();
    for place in doctor.all("PaymentCaptured") {
        doctor.log[place].set(header::TYPE, "PaymentDeclined");
    }
    let place = doctor.log[doctor.one("ChargeCard")].place();
    doctor.fails(Rule::Answers, "charge-card succeeded by an answer that is on no topic", &place);
    doctor.fails(Rule::Completed, "nothing says that charge-card is done", &place);
}

#[test]
fn answers_that_contradict_each_other() {
    let mut doctor = completed();
    let mut other = doctor.log[doctor.one("PaymentCaptured")].clone();
    other.set(header::TYPE, "PaymentDeclined");
    other.set(header::ID, "other");
    doctor.append(other);
    doctor.fails(Rule::Answers, "charge-card is answered as done and as failed", "");
}

#[test]
fn a_gap_in_the_attempts() {
    let mut doctor = Doctor::of(&["timed-out reserve-stock", "succeeded reserve-stock"], &[]);
    doctor.remove("ReserveStock");
    let place = doctor.log[doctor.one("ReserveStock")].place();
    doctor.fails(Rule::Attempts, "attempt 1 of reserve-stock is missing before 2", &place);
}

#[test]
fn a_lost_history_entry() {
    let mut doctor = completed();
    doctor.rewrite(|entry| {
        if entry.notes.iter().any(|n| n.step == "reserve-stock" && n.kind == "succeeded") {
            entry.notes.clear();
        }
    });
    doctor.fails(Rule::History, "charge-card, attempt 1, is on a topic", "payments.commands");
}

#[test]
fn a_doubled_history_entry() {
    let mut doctor = completed();
    let name = doctor.name();
    let ours = |r: &&Rec| r.topic.as_str() == HISTORY && r.key == name;
    let first = doctor.log.iter().find(ours).expect("a history").clone();
    let place = doctor.append(first);
    doctor.fails(Rule::Once, "transition 1 stands in the history twice", &place);
    assert!(audited(&doctor.log, Delivery::AtLeastOnce).balances());
}

#[test]
fn a_command_to_the_wrong_address() {
    let mut doctor = completed();
    let place = doctor.one("CreateShipment");
    doctor.log[place].set(header::TYPE, "RefundPayment");
    let place = doctor.log[place].place();
    doctor.fails(Rule::Form, "RefundPayment is no message of its step ship", &place);
}
