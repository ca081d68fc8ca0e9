//! Attempts, pauses and budgets.

use super::{PAIR, World, check};
use crate::definition::{Budget, Retry};
use crate::engine::handler::request::{again, pause};
use crate::engine::{Progress, Request, next_due};
use crate::message::{InputId, Span, Timestamp};

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
    let request =
        Request { attempts: 3, spent: 3, since, progress, answer: InputId::default(), unsent: 0 };
    assert!(again(&retry, &request, Timestamp(59_000), "x").is_some());
    assert!(again(&retry, &request, Timestamp(60_000), "x").is_none());
}

#[test]
fn a_wake_that_comes_late_is_obeyed_from_then_on() {
    let mut world = World::of(&PAIR.replace("attempts: 1", "for: 1h, first: 1s, most: 1s"));
    world.told("start");
    world.now = world.now.after(Span::seconds(600));
    assert_eq!(world.tell(&super::Input::Wake).map(|e| e.len()), Ok(0), "a pause begins");
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
