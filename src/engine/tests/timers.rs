//! Attempts, pauses and budgets.

use super::{PAIR, World, check, part, saga};
use crate::definition::{Budget, Retry};
use crate::engine::request::pause::{again, pause};
use crate::engine::{Input, NoteKind, Progress, Request, Wake, next_due};
use crate::message::{Span, Timestamp};

fn retry(first: u64, factor: f64, most: u64) -> Retry {
    let (first, most) = (Span::millis(first), Span::millis(most));
    Retry { budget: Budget::Attempts(9), first, factor, most }
}

#[test]
fn pauses_grow_to_their_most_and_are_shortened_by_a_fifth_at_most() {
    let retry = retry(200, 2.0, 10_000);
    for (spent, full) in [(1, 200), (2, 400), (3, 800), (6, 6400), (7, 10_000), (400, 10_000)] {
        let Span(pause) = pause(&retry, spent, spent, "o/k/1/a");
        assert!((full * 8 / 10..=full).contains(&pause), "{pause} after {spent} of {full}");
    }
}

#[test]
fn the_jitter_depends_on_the_request_and_the_attempt_alone() {
    let retry = retry(10_000, 1.0, 10_000);
    let all: Vec<Span> = (1..9).map(|attempt| pause(&retry, 1, attempt, "o/k/1/a")).collect();
    assert_eq!(all, (1..9).map(|a| pause(&retry, 1, a, "o/k/1/a")).collect::<Vec<_>>());
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    assert_ne!(pause(&retry, 1, 1, "o/k/1/a"), pause(&retry, 1, 1, "o/l/1/a"));
}

#[test]
fn no_pause_is_without_length() {
    for retry in [retry(0, 1.0, 0), retry(1, 1.0, 1), retry(5, f64::INFINITY, 0)] {
        assert_eq!(pause(&retry, 3, 3, "x"), Span::millis(1));
    }
    assert!(pause(&retry(1, f64::MAX, u64::MAX), 1_000_000, 1, "x") > Span::hours(1));
}

#[test]
fn a_budget_of_time_counts_from_the_first_attempt() {
    let retry = Retry { budget: Budget::For(Span::seconds(60)), ..retry(1000, 1.0, 1000) };
    let since = Timestamp(0);
    let progress = Progress::Waiting(since);
    let request = Request { attempts: 3, spent: 3, progress, ..Request::unsent(since) };
    assert!(again(&retry, &request, Timestamp(59_000), "x").is_some());
    assert!(again(&retry, &request, Timestamp(60_000), "x").is_none());
}

#[test]
fn a_wake_that_comes_late_is_obeyed_from_then_on() {
    let mut world = World::of(&PAIR.replace("attempts: 1", "for: 1h, first: 1s, most: 1s"));
    world.told("start");
    world.now = world.now.after(Span::seconds(600));
    let woken = world.tell(&Input::Wake(Wake::DUE));
    assert_eq!(woken.map(|effects| effects.len()), Ok(0), "a pause begins");
    let due = world.instance.as_ref().and_then(next_due).expect("the pause ends");
    assert!(due > world.now);
    assert_eq!(world.told("pass 1s"), "> A a/2");
}

#[test]
fn an_action_that_must_succeed_is_sent_for_a_day() {
    let definition = PAIR.replacen(
        "failed: t/ANo\n    within: 10s\n    retry: { attempts: 1 }",
        "failed: t/ANo\n    within: 4h\n    retry: { attempts: 2, first: 1h, factor: 2, most: 4h }
    unknown: retry",
        1,
    );
    check(
        &definition,
        "
        start > A a/1
        pass 5h > A a/2
        pass 8h > A a/3
        pass 8h > A a/4
        is running
        pass 8h > nothing
        is stuck
        ",
    );
}

#[test]
fn an_attempt_that_ran_out_while_the_engine_was_away_gets_its_time_again_once() {
    check(
        PAIR,
        "
        start > A a/1
        away 1m > nothing
        pass 9s > nothing
        ADone > B b/1
        is running
        ",
    );
    check(
        PAIR,
        "
        start > A a/1
        away 1m > nothing
        pass 10s > UndoA a~undo/1
        is compensating
        ",
    );
    check(
        PAIR,
        "
        start > A a/1
        away 1m > nothing
        away 1m > UndoA a~undo/1
        ",
    );
}

#[test]
fn an_undoing_gets_its_time_again_and_each_attempt_anew() {
    check(
        &PAIR.replace("attempts: 1", "attempts: 2, first: 1s, most: 1s"),
        "
        start > A a/1
        pass 10s > nothing
        pass 1s > A a/2
        away 30s > nothing
        pass 10s > UndoA a~undo/1
        away 30s > nothing
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn an_attempt_whose_time_was_not_up_gets_none() {
    let mut world = World::of(PAIR);
    world.told("start");
    assert!(world.away(Span::seconds(9)).is_err(), "no timer is due");
    assert_eq!(world.told("pass 1s"), "> UndoA a~undo/1");
}

#[test]
fn a_call_whose_time_is_given_again_is_made_again_under_its_id() {
    let b = part("b", "");
    let call = "{ step: score, call: 'POST https://fraud.internal/score', done: { status: 2xx }, \
                within: 2s, retry: { attempts: 1 }, \
                compensate: { call: 'DELETE https://fraud.internal/score', within: 2s } }";
    let made = "POST https://fraud.internal/score score/1";
    check(
        &saga("", &[call, &b]),
        &format!("start > {made}\naway 1m > {made}\ncalled score/1 200 {{}} > B b/1"),
    );
    // The first making of the call may have arrived, whatever becomes of the second.
    check(
        &saga("", &[call, &b]),
        &format!(
            "start > {made}
            away 1m > {made}
            called score/1 unsent > DELETE https://fraud.internal/score score~undo/1"
        ),
    );
}

#[test]
fn only_timers_up_to_what_was_read_strike() {
    let mut world = World::of(PAIR);
    world.told("start");
    world.now = world.now.after(Span::seconds(60));
    let unread = Wake { until: Timestamp(world.now.0 - 51_000), ..Wake::DUE };
    assert!(world.tell(&Input::Wake(unread)).is_err(), "an answer may lie unread");
    let read = Wake { until: Timestamp(world.now.0 - 50_000), ..Wake::DUE };
    assert!(world.tell(&Input::Wake(read)).is_ok());
    assert!(world.notes.iter().any(|note| note.kind() == NoteKind::TimedOut));
}
