//! Rows, lists, pages and counts.

use super::{Folded, Folder, NOW, Shelf, completed, failed, id, running};
use crate::message::{Disposal, Disposed, Offset, SagaName, Span, Timestamp, Topic, Version};
use crate::status::{LifeState, Moment, OwedStanding};
use crate::view::fold::Asked;
use crate::view::{
    Concern, Count, DeadLetterRow, DisposalTold, Error, Filter, LetterFilter, LetterState, Sort,
    TimersTold, packed, query,
};

fn of(filter: Filter) -> Filter {
    filter
}

#[test]
fn timers_are_told_by_how_soon_they_strike() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let timers = |shelf: &Shelf| {
        let reader = shelf.file.reader().expect("a reader");
        query::timers(&reader, NOW).expect("an answer")
    };
    let none = TimersTold { overdue: 0, within_a_minute: 0, next: None };
    assert_eq!(timers(&shelf), none);
    for (key, after) in [("a", -1), ("b", 0), ("c", 59_999), ("d", 60_000)] {
        let due = Some(Timestamp(NOW.0 + after));
        shelf.put(&id("order", key), &Folded { due, ..running(5) });
    }
    shelf.put(&id("order", "e"), &running(5));
    let next = Some(Moment(NOW));
    assert_eq!(timers(&shelf), TimersTold { overdue: 1, within_a_minute: 2, next });
}

#[test]
fn pages_over_ties_repeat_nothing_and_leave_nothing_out() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let started = [5, 5, 5, 5, 3, 9, 5, 3];
    for (number, at) in started.into_iter().enumerate() {
        shelf.put(&id("order", &format!("o-{number}")), &running(at));
    }
    let all = |sort| shelf.keys(&Filter::default(), sort, 100);
    let oldest = ["o-4", "o-7", "o-0", "o-1", "o-2", "o-3", "o-6", "o-5"];
    assert_eq!(all(&Sort::Oldest), oldest);
    let newest: Vec<_> = oldest.into_iter().rev().collect();
    assert_eq!(all(&Sort::Newest), newest);
    for limit in 1..=8 {
        for sort in [&Sort::Newest, &Sort::Oldest] {
            assert_eq!(shelf.keys(&Filter::default(), sort, limit), all(sort), "{limit}");
        }
    }
}

#[test]
fn a_page_goes_on_where_it_was_although_rows_come_and_change() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    for number in 0..6 {
        shelf.put(&id("order", &format!("o-{number}")), &running(number));
    }
    let first = shelf.page(&Filter::default(), Sort::Newest, None, 3);
    shelf.put(&id("order", "new"), &running(100));
    shelf.put(&id("order", "o-1"), &completed(1, 50));
    let next = shelf.page(&Filter::default(), Sort::Newest, first.next.as_deref(), 3);
    let keys: Vec<_> = next.instances.iter().map(|row| row.key.as_str()).collect();
    assert_eq!((keys, next.next), (vec!["o-2", "o-1", "o-0"], None));
}

#[test]
fn each_filter_finds_what_fulfils_it_and_nothing_else() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let stuck = failed(20, "no stock for 3");
    let other = Folded { step: Some("ship".to_owned()), version: Some(2), ..running(30) };
    shelf.put(&id("order", "a-1"), &running(10));
    shelf.put(&id("order", "a-2"), &stuck);
    shelf.put(&id("order", "b-1"), &other);
    shelf.put(&id("refund", "a-3"), &completed(40, 5));
    let held = Folded { state: LifeState::Held, version: None, step: None, ..running(50) };
    shelf.put(&id("segue-lock", "a-desk"), &held);
    let saga = |name| Some(SagaName::new(name).expect("a name"));
    let error = stuck.error.as_ref().map(|(error, _)| *error);
    let none = Filter::default;
    for (filter, keys) in [
        (none(), &["a-1", "a-2", "b-1", "a-3"][..]),
        (of(Filter { states: vec![LifeState::Stuck], ..none() }), &["a-2"]),
        (
            of(Filter { states: vec![LifeState::Completed, LifeState::Stuck], ..none() }),
            &["a-2", "a-3"],
        ),
        (of(Filter { saga: saga("refund"), ..none() }), &["a-3"]),
        (of(Filter { saga: saga("segue-lock"), ..none() }), &["a-desk"]),
        (of(Filter { saga: saga("nobody"), ..none() }), &[]),
        (of(Filter { version: Some(Version(2)), ..none() }), &["b-1"]),
        (of(Filter { step: Some("charge".to_owned()), ..none() }), &["a-1", "a-2"]),
        (of(Filter { step: Some("nothing".to_owned()), ..none() }), &[]),
        (of(Filter { error, ..none() }), &["a-2"]),
        (of(Filter { key_prefix: Some("a-".to_owned()), ..none() }), &["a-1", "a-2", "a-3"]),
        (of(Filter { key_prefix: Some(String::new()), ..none() }), &["a-1", "a-2", "b-1", "a-3"]),
        (of(Filter { started_from: Some(Timestamp(20)), ..none() }), &["a-2", "b-1", "a-3"]),
        (of(Filter { started_before: Some(Timestamp(20)), ..none() }), &["a-1"]),
        (
            of(Filter {
                saga: saga("order"),
                key_prefix: Some("a".to_owned()),
                started_from: Some(Timestamp(11)),
                ..none()
            }),
            &["a-2"],
        ),
    ] {
        for limit in [1, 2, 100] {
            assert_eq!(shelf.keys(&filter, &Sort::Oldest, limit), keys, "{filter:?}");
        }
    }
}

#[test]
fn a_prefix_of_very_many_keys_finds_them_too() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    shelf.write(|batch| {
        for number in 0..5_200 {
            let (id, folded) = (id("order", &format!("o-{number:05}")), running(number));
            let (partition, place) = (0, Offset(number));
            let put = crate::view::index::Put {
                id: &id,
                folded: &folded,
                partition,
                place,
                changed: NOW,
            };
            batch.put(&put)?;
        }
        Ok(())
    });
    let filter = Filter { key_prefix: Some("o-0".to_owned()), ..Filter::default() };
    let page = shelf.page(&filter, Sort::Newest, None, 2);
    let keys: Vec<_> = page.instances.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["o-05199", "o-05198"]);
}

#[test]
fn a_row_says_what_was_put_last() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let id = id("order", "o-1");
    shelf.put(&id, &running(10));
    shelf.put(&id, &failed(10, "no stock for 3"));
    let row = &shelf.page(&Filter::default(), Sort::Newest, None, 9).instances[0];
    assert_eq!((row.saga.as_str(), row.state), ("order", LifeState::Stuck));
    assert_eq!(row.reason.as_deref(), Some("no stock for 3"));
    assert_eq!((row.started, row.changed), (Moment(Timestamp(10)), Moment(NOW)));
    shelf.put(&id, &failed(10, "no stock for 4"));
    let again = &shelf.page(&Filter::default(), Sort::Newest, None, 9).instances[0];
    assert_eq!(again.reason, row.reason, "a group keeps the words of the first");
    assert_eq!(again.error, row.error);
}

#[test]
fn a_cursor_that_is_none_is_refused() {
    let folder = Folder::new();
    let shelf = Shelf::open(&folder);
    let reader = shelf.file.reader().expect("a reader");
    for text in ["", "1", "x-1", "1-", "1-2-3", "+1-2", "ffffffffffffffff-1"] {
        let page = query::page(&reader, &Filter::default(), Sort::Newest, Some(text), 5);
        assert!(matches!(page, Err(Error::Cursor(shown)) if shown == text), "{text}");
        let letters = query::dead_letters(&reader, LetterState::Any, Some("1-2"), 5);
        assert!(matches!(letters, Err(Error::Cursor(_))));
    }
}

#[test]
fn counts_and_durations_are_those_of_the_rows() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    for (key, took) in [("a", 4), ("b", 8), ("c", 1_000)] {
        shelf.put(&id("order", key), &running(10));
        shelf.put(&id("order", key), &completed(10, took));
    }
    shelf.put(&id("order", "d"), &running(10));
    shelf.write(|batch| batch.gone(&id("order", "c"), NOW, None));
    shelf.write(|batch| batch.gone(&id("order", "never"), NOW, None));
    let reader = shelf.file.reader().expect("a reader");
    let count = |state, instances| Count { saga: "order".to_owned(), state, instances };
    let counts = query::counts(&reader, None).expect("counts");
    assert_eq!(counts, [count(LifeState::Running, 1), count(LifeState::Completed, 2)]);
    let mut catalog = crate::definition::Catalog::default();
    let text = "saga: order\nversion: 1\nstart: { on: t/Placed }\nsteps:\n  \
                - { step: a, emit: t/A, compensate: none }\n";
    catalog.add(crate::definition::parse("order.yaml", text).expect("a saga")).expect("new");
    let sagas = query::sagas(&reader, &catalog).expect("sagas");
    assert_eq!((sagas[0].p50_ms, sagas[0].p99_ms), (Some(4), Some(8)));
    assert_eq!(sagas[0].counts, counts);
}

#[test]
fn what_is_owed_and_asked_goes_with_its_answer_and_its_instance() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let owed = |since| OwedStanding {
        step: "charge".to_owned(),
        to: "t/Refund".to_owned(),
        since: Moment(Timestamp(since)),
        attempts: 2,
        due: None,
        parked: false,
    };
    let asked = Asked {
        who: "sales".to_owned(),
        step: "allow".to_owned(),
        choices: vec!["sell".to_owned()],
        since: Some(Timestamp(7)),
        until: None,
    };
    let owing = Folded { owed: vec![owed(30)], questions: vec![asked], ..running(10) };
    let (one, two) = (id("order", "o-1"), id("order", "o-2"));
    shelf.put(&one, &owing);
    shelf.put(&two, &Folded { owed: vec![owed(20)], ..running(11) });
    let keys = |shelf: &Shelf, to| {
        let reader = shelf.file.reader().expect("a reader");
        let page = query::owed(&reader, to, None, 10).expect("a list");
        page.owed.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&shelf, None), ["o-2", "o-1"]);
    assert_eq!(keys(&shelf, Some("t/Refund")), ["o-2", "o-1"]);
    assert_eq!(keys(&shelf, Some("t/Release")), Vec::<String>::new());
    let reader = shelf.file.reader().expect("a reader");
    let questions = query::questions(&reader, Some("sales"), None, 10).expect("a list").questions;
    assert_eq!(
        (questions[0].key.as_str(), &questions[0].choices[..]),
        ("o-1", &["sell".to_owned()][..])
    );
    shelf.put(&one, &running(10));
    shelf.write(|batch| batch.gone(&two, NOW, None));
    assert_eq!(keys(&shelf, None), Vec::<String>::new());
    assert_eq!(query::questions(&reader, None, None, 10).expect("a list").questions, []);
}

#[test]
fn pages_of_what_is_owed_and_asked_repeat_nothing_and_leave_nothing_out() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let owed = |step: &str, since| OwedStanding {
        step: step.to_owned(),
        to: "t/Refund".to_owned(),
        since: Moment(Timestamp(since)),
        attempts: 1,
        due: None,
        parked: false,
    };
    let asked = |step: &str, since: Option<i64>| Asked {
        who: "sales".to_owned(),
        step: step.to_owned(),
        choices: Vec::new(),
        since: since.map(Timestamp),
        until: None,
    };
    // Many began at the same moment; a question without one is as old as its instance.
    for number in 0..4 {
        let folded = Folded {
            owed: vec![owed("b-1[1]", 30), owed("a[0]", 30), owed("a[1]", number)],
            questions: vec![asked("x-y", Some(20)), asked("x", None)],
            ..running(20)
        };
        shelf.put(&id("order", &format!("o-{number}")), &folded);
    }
    let reader = shelf.file.reader().expect("a reader");
    let owed_pages = |limit| {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = query::owed(&reader, Some("t/Refund"), after.as_deref(), limit);
            let page = page.expect("a page");
            assert!(!page.owed.is_empty() && page.owed.len() <= limit, "{limit}");
            rows.extend(page.owed.into_iter().map(|row| (row.since, row.key, row.step)));
            after = page.next;
            if after.is_none() {
                return rows;
            }
        }
    };
    let asked_pages = |limit| {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = query::questions(&reader, None, after.as_deref(), limit).expect("a page");
            assert!(!page.questions.is_empty() && page.questions.len() <= limit, "{limit}");
            rows.extend(page.questions.into_iter().map(|row| (row.key, row.step)));
            after = page.next;
            if after.is_none() {
                return rows;
            }
        }
    };
    let (all_owed, all_asked) = (owed_pages(100), asked_pages(100));
    assert_eq!((all_owed.len(), all_asked.len()), (12, 8));
    assert!(all_owed.is_sorted(), "the oldest come first: {all_owed:?}");
    for limit in 1..=12 {
        assert_eq!((owed_pages(limit), asked_pages(limit)), (all_owed.clone(), all_asked.clone()));
    }
    let wrong = query::owed(&reader, None, Some("1-o"), 3);
    assert!(matches!(wrong, Err(Error::Cursor(_))), "{wrong:?}");
}

#[test]
fn attention_groups_what_failed_in_the_same_way() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    for (number, reason) in ["no stock for 3", "no stock for 5", "no card"].into_iter().enumerate()
    {
        let started = 10 + i64::try_from(number).expect("small");
        shelf.put(&id("order", &format!("o-{number}")), &failed(started, reason));
    }
    let due = Some(Timestamp(NOW.0 - 61_000));
    shelf.put(&id("order", "late"), &Folded { due, ..running(5) });
    let due = Some(Timestamp(NOW.0 - 59_000));
    shelf.put(&id("order", "soon"), &Folded { due, ..running(5) });
    shelf.put(&id("order", "again"), &Folded { state: LifeState::Retrying, ..running(5) });
    let reader = shelf.file.reader().expect("a reader");
    let groups = query::attention(&reader, NOW).expect("groups");
    let told: Vec<_> = groups.iter().map(|g| (g.concern, g.instances, g.key.as_str())).collect();
    let expected = [
        (Concern::Stuck, 2, "o-0"),
        (Concern::Stuck, 1, "o-2"),
        (Concern::Overdue, 1, "late"),
        (Concern::Retrying, 1, "again"),
    ];
    assert_eq!(told, expected);
    assert_eq!(groups[0].reason.as_deref(), Some("no stock for 3"));
}

#[test]
fn what_is_forgotten_stays_as_long_as_it_is_kept() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let (kept, alive) = (id("order", "kept"), id("order", "alive"));
    shelf.put(&kept, &completed(10, 5));
    shelf.put(&alive, &running(10));
    let keep = Some(Span::hours(1));
    shelf.write(|batch| batch.gone(&kept, Timestamp(100), keep));
    shelf.write(|batch| batch.gone(&alive, Timestamp(100), keep));
    let keys = |shelf: &Shelf| shelf.keys(&Filter::default(), &Sort::Newest, 10);
    assert_eq!(keys(&shelf), ["kept"], "what had not ended is nothing to remember");
    shelf.write(|batch| batch.forget_before(Timestamp(100)).map(|_| ()));
    assert_eq!(keys(&shelf), ["kept"]);
    shelf.put(&kept, &completed(10, 5));
    shelf.write(|batch| batch.forget_before(NOW).map(|_| ()));
    assert_eq!(keys(&shelf), ["kept"], "it lives again");
    shelf.write(|batch| batch.gone(&kept, Timestamp(200), keep));
    shelf.write(|batch| batch.forget_before(Timestamp(201)).map(|_| ()));
    assert_eq!(keys(&shelf), Vec::<String>::new());
    let reader = shelf.file.reader().expect("a reader");
    assert_eq!(query::counts(&reader, None).expect("counts"), []);
}

#[test]
fn entries_of_the_history_are_kept_of_those_who_are_known() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let known = id("order", "o-1");
    shelf.put(&known, &running(10));
    shelf.write(|batch| {
        assert!(batch.enter(&known, &[Offset(4)])?);
        assert!(batch.enter(&known, &[Offset(4), Offset(90)])?);
        assert!(!batch.enter(&id("order", "nobody"), &[Offset(5)])?);
        Ok(())
    });
    shelf.put(&known, &failed(10, "no"));
    let reader = shelf.file.reader().expect("a reader");
    let places = query::stored(&reader, &known).expect("an answer").expect("it is known");
    let offsets: Vec<_> = packed::unpacked(&places.history).collect();
    assert_eq!(offsets, [Offset(4), Offset(90)]);
    assert_eq!((places.partition, places.place), (0, Offset(2)));
    assert_eq!(query::stored(&reader, &id("order", "nobody")).expect("an answer"), None);
}

#[test]
fn dead_letters_come_the_newest_first_until_they_are_cut() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let letter = |partition, offset, at| DeadLetterRow {
        partition,
        offset,
        at: Moment(Timestamp(at)),
        reason: "no key".to_owned(),
        origin: Some("shop.orders[0]@17".to_owned()),
        instance: None,
        event_type: Some("OrderPlaced".to_owned()),
        disposal: None,
    };
    let letters = [letter(0, 1, 10), letter(1, 1, 10), letter(0, 2, 30)];
    shelf.write(|batch| letters.iter().try_for_each(|letter| batch.dead_letter(letter)));
    let reader = shelf.file.reader().expect("a reader");
    let first = query::dead_letters(&reader, LetterState::Open, None, 2).expect("a page");
    assert_eq!(first.letters, [letter(0, 2, 30), letter(1, 1, 10)]);
    let next =
        query::dead_letters(&reader, LetterState::Open, first.next.as_deref(), 2).expect("a page");
    assert_eq!((next.letters, next.next), (vec![letter(0, 1, 10)], None));
    assert_eq!(query::dead_letter(&reader, 1, 1).expect("an answer"), Some(letter(1, 1, 10)));
    shelf.write(|batch| batch.cut_dead_letters(0, Offset(2)));
    assert_eq!(query::dead_letter(&reader, 0, 1).expect("an answer"), None);
    assert!(query::dead_letter(&reader, 0, 2).expect("an answer").is_some());
}

#[test]
fn dead_letters_are_found_by_what_is_said_of_them() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let letter = |offset, reason: &str, origin: &str, event_type: &str| DeadLetterRow {
        partition: 0,
        offset,
        at: Moment(Timestamp(offset)),
        reason: reason.to_owned(),
        origin: Some(origin.to_owned()),
        instance: None,
        event_type: Some(event_type.to_owned()),
        disposal: None,
    };
    let letters = [
        letter(1, "no key", "shop.orders[0]@17", "OrderPlaced"),
        letter(2, "o-1 has ended", "shop.orders[1]@3", "OrderMoved"),
        letter(3, "o-2 has ended", "shop.orders-old[0]@3", "OrderMoved"),
        DeadLetterRow { origin: None, event_type: None, ..letter(4, "100% lost", "", "") },
    ];
    shelf.write(|batch| letters.iter().try_for_each(|letter| batch.dead_letter(letter)));
    let reader = shelf.file.reader().expect("a reader");
    let found = |filter: LetterFilter| {
        let page = query::dead_letters(&reader, filter, None, 9).expect("a page");
        page.letters.iter().map(|letter| letter.offset).collect::<Vec<_>>()
    };
    let all = LetterFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let topic = Topic::new("shop.orders").ok();
    assert_eq!(found(all()), [4, 3, 2, 1]);
    assert_eq!(found(LetterFilter { topic: topic.clone(), ..all() }), [2, 1]);
    assert_eq!(found(LetterFilter { event_type: text("OrderMoved"), ..all() }), [3, 2]);
    assert_eq!(found(LetterFilter { reason: text("has ended"), ..all() }), [3, 2]);
    assert_eq!(found(LetterFilter { reason: text("%"), ..all() }), [4], "it is no pattern");
    assert_eq!(found(LetterFilter { before: Some(Timestamp(3)), ..all() }), [2, 1]);
    let both = LetterFilter { topic, event_type: text("OrderMoved"), ..all() };
    assert_eq!(found(both), [2]);
}

#[test]
fn a_dead_letter_is_open_until_a_person_has_done_something_with_it() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let letter = |offset| DeadLetterRow {
        partition: 0,
        offset,
        at: Moment(Timestamp(offset)),
        reason: "no key".to_owned(),
        origin: None,
        instance: None,
        event_type: None,
        disposal: None,
    };
    let disposal = |offset, how| Disposal {
        partition: 0,
        offset: Offset(offset),
        how,
        by: "ana".to_owned(),
        why: "a test order".to_owned(),
        id: "7".to_owned(),
    };
    let (replayed, discarded) = (Disposed::Replayed, Disposed::Discarded);
    // What was done may be read before the letter, of another partition.
    shelf.write(|batch| batch.dispose(&disposal(2, discarded), Timestamp(90)));
    shelf.write(|batch| (1..=3).try_for_each(|offset| batch.dead_letter(&letter(offset))));
    shelf.write(|batch| batch.dispose(&disposal(3, discarded), Timestamp(80)));
    shelf.write(|batch| batch.dispose(&disposal(3, replayed), Timestamp(91)));
    let reader = shelf.file.reader().expect("a reader");
    for (state, expected) in [
        (LetterState::Open, &[1][..]),
        (LetterState::Disposed(discarded), &[2]),
        (LetterState::Disposed(replayed), &[3]),
        (LetterState::Any, &[3, 2, 1]),
    ] {
        let page = query::dead_letters(&reader, state, None, 9).expect("a page");
        let offsets: Vec<_> = page.letters.iter().map(|letter| letter.offset).collect();
        assert_eq!(offsets, expected, "{state:?}");
    }
    let told = DisposalTold {
        how: "replayed".to_owned(),
        at: Moment(Timestamp(91)),
        by: "ana".to_owned(),
        why: "a test order".to_owned(),
        id: "7".to_owned(),
    };
    let found = query::dead_letter(&reader, 0, 3).expect("an answer").expect("it is known");
    assert_eq!(found, DeadLetterRow { disposal: Some(told), ..letter(3) });
    shelf.write(|batch| batch.cut_dead_letters(0, Offset(4)));
    shelf.write(|batch| batch.dead_letter(&letter(3)));
    let anew = query::dead_letter(&reader, 0, 3).expect("an answer");
    assert_eq!(anew, Some(letter(3)), "what was done went with the letter");
}

#[test]
fn an_unknown_instance_is_told_what_is_near_it() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    for key in ["order-1001", "order-1002", "zebra"] {
        shelf.put(&id("order", key), &running(10));
    }
    shelf.put(&id("refund", "order-100l"), &running(10));
    let reader = shelf.file.reader().expect("a reader");
    let near = query::near(&reader, &id("order", "order-100l")).expect("an answer");
    assert_eq!(near[0], id("refund", "order-100l"), "the same key of another saga");
    assert!(near.contains(&id("order", "order-1001")) && !near.contains(&id("order", "zebra")));
    assert_eq!(query::near(&reader, &id("nobody", "x")).expect("an answer"), []);
}

#[test]
fn those_on_their_way_are_counted_by_step_and_state_of_their_version() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    for (key, folded) in [
        ("a", running(5)),
        ("b", running(6)),
        ("c", failed(7, "no answer")),
        ("d", failed(7, "another reason")),
        ("e", completed(5, 9)),
        ("f", Folded { version: Some(2), ..running(5) }),
        ("g", Folded { step: None, ..running(5) }),
    ] {
        shelf.put(&id("order", key), &folded);
    }
    shelf.put(&id("parcel", "a"), &running(5));
    let reader = shelf.file.reader().expect("a reader");
    let steps = |saga: &str, version| {
        let saga = SagaName::new(saga).expect("a name");
        let found = query::steps(&reader, &saga, Version(version)).expect("an answer");
        let told = found.into_iter().map(|count| (count.step, count.state, count.instances));
        told.collect::<Vec<_>>()
    };
    let at = |state, instances| ("charge".to_owned(), state, instances);
    assert_eq!(steps("order", 1), [at(LifeState::Running, 2), at(LifeState::Stuck, 2)]);
    assert_eq!(steps("order", 2), [at(LifeState::Running, 1)]);
    assert_eq!((steps("order", 3), steps("nowhere", 1)), (vec![], vec![]));
}
