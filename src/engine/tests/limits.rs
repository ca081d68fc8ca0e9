//! What is too much is refused in words that name the limit, and nothing else is lost by it.

use serde_json::{Value, json};

use super::{Input, PAIR, World, part, saga, saga_by_id};
use crate::definition::Limits;
use crate::engine::{Act, Instance, Rejection, Remnant};
use crate::message::{LifeId, Span, Timestamp};

/// A world with limits of its own.
fn limited(definition: &str, limits: Limits) -> World {
    let mut world = World::of(definition);
    world.catalog.limits = limits;
    world
}

/// Why an event is refused.
fn refusal(world: &mut World, words: &str, body: Value) -> String {
    let event = world.event(words, Some(body));
    let refused = world.tell(&Input::Event(event)).expect_err("it is too much");
    refused.to_string()
}

/// Takes an event; answers what it makes the engine do.
fn taken(world: &mut World, input: &str) -> String {
    let told = world.told(input);
    assert!(told.starts_with('>'), "{input} {told}");
    told
}

/// What a person must see to.
fn stuck(world: &World) -> String {
    let newest = world.instance.as_ref().and_then(Instance::newest).expect("it lives");
    newest.stuck.iter().map(|stuck| stuck.reason.as_str()).collect::<Vec<_>>().join("; ")
}

#[test]
fn data_has_an_end() {
    let definition = saga(", note: event.note", &[&part("a", ", set: { shelf: event.shelf }")]);
    let limits = Limits { data_bytes_max: 1024, ..Limits::default() };
    let words =
        "the saga's data would be larger than 1 KiB (`limits.data-bytes-max`); remember less";
    let mut world = limited(&definition, limits);
    let body = json!({"id": "k", "note": "x".repeat(1024)});
    assert_eq!(refusal(&mut world, "start", body), format!("t/Placed: {words}"));
    taken(&mut world, r#"start {"id": "k", "note": "short"}"#);
    let body = json!({"id": "k", "shelf": "x".repeat(1024)});
    assert!(refusal(&mut world, "ADone for=a/1", body).ends_with(words));
    taken(&mut world, r#"ADone for=a/1 {"shelf": "short"}"#);
}

#[test]
fn a_message_has_an_end_with_its_key_and_headers() {
    let more = |more: &str| {
        let step = format!("{{ step: tell, emit: t/Told, compensate: none, {more} }}");
        let limits = Limits { message_bytes_max: 100, ..Limits::default() };
        let mut world = limited(&saga(", note: event.note", &[&step]), limits);
        let told = taken(&mut world, &format!(r#"start {{"id":"k","note":"{}"}}"#, "x".repeat(95)));
        assert_eq!(told, "> nothing");
        stuck(&world)
    };
    let words = "the message to t/Told is larger than 100 bytes (`limits.message-bytes-max`)";
    assert_eq!(more(r#"with: { note: "${data.note}" }"#), words);
    assert_eq!(more(r#"headers: { x-note: "${data.note}" }"#), words);
    assert_eq!(more("key: data.note + data.note"), words);
}

#[test]
fn the_queue_of_starts_has_an_end() {
    let queue = PAIR.replace("key: event.id }", "key: event.id, again: queue }");
    let limits = Limits { queued_max: 2, instance_bytes_max: 9_000, ..Limits::default() };
    let mut world = limited(&queue, limits);
    for told in ["> A a/1", "> nothing"] {
        assert_eq!(taken(&mut world, r#"start {"id":"k"}"#), told);
    }
    let large = json!({"id": "k", "note": "x".repeat(4_000)});
    assert_eq!(
        refusal(&mut world, "start", large),
        "t/Placed: pair/k would remember more than 9000 bytes (`limits.instance-bytes-max`)"
    );
    taken(&mut world, r#"start {"id":"k"}"#);
    assert_eq!(
        refusal(&mut world, "start", json!({"id": "k"})),
        "t/Placed: 2 starts of pair/k wait already (`limits.queued-max`)"
    );
}

#[test]
fn lives_that_are_remembered_have_an_end_in_bytes() {
    let again = PAIR.replace("key: event.id }", "key: event.id, after: new }");
    let limits = Limits { instance_bytes_max: 10_000, ..Limits::default() };
    let mut world = limited(&again, limits);
    // A life that was never answered is remembered whole: it may have happened.
    for life in ["1", "2"] {
        assert_eq!(taken(&mut world, "start").replace("2/", ""), "> A a/1");
        world.pass(Span::seconds(10));
        taken(&mut world, &format!("AUndone for={life}/a~undo/1"));
    }
    let full =
        "t/Placed: pair/k would remember more than 10000 bytes (`limits.instance-bytes-max`)";
    assert_eq!(refusal(&mut world, "start", json!({"id": "k"})), full);
    world.pass(Span::hours(24 * 8));
    taken(&mut world, "start");
}

#[test]
fn a_queued_start_keeps_its_place_until_there_is_room() {
    let queue = PAIR.replace("key: event.id }", "key: event.id, again: queue, after: new }");
    let mut world = limited(&queue, Limits::default());
    taken(&mut world, "start");
    world.pass(Span::seconds(10));
    taken(&mut world, "start");
    world.catalog.limits = Limits { instance_bytes_max: 7_000, ..Limits::default() };
    assert_eq!(taken(&mut world, "AUndone for=1/a~undo/1"), "> nothing");
    let instance = world.instance.as_ref().expect("it is remembered");
    assert_eq!((instance.lives.len(), instance.queued.len()), (1, 1));
    let begun = world.pass(Span::hours(24 * 8));
    assert!(begun.len() == 2 && world.instance.as_ref().is_some_and(|i| i.queued.is_empty()));
}

#[test]
fn a_key_that_lives_every_minute_for_a_week_has_room() {
    let again = PAIR.replace("key: event.id }", "key: event.id, after: new }");
    let mut world = limited(&again, Limits::default());
    taken(&mut world, "start");
    taken(&mut world, "ANo for=1/a/1");
    world.pass(Span::seconds(1));
    taken(&mut world, "start");
    let instance = world.instance.as_mut().expect("it is remembered");
    let of_one = instance.remnants[0].clone();
    let week = 7 * 24 * 60;
    instance.remnants = (1..=week)
        .map(|number| Remnant { life: LifeId { number, ..of_one.life }, ..of_one.clone() })
        .collect();
    instance.lives[0].id.number = week + 1;
    taken(&mut world, &format!("ANo for={}/a/1", week + 1));
    world.pass(Span::seconds(1));
    taken(&mut world, "start");
    let bytes = world.instance.as_ref().expect("it lives").encode().len();
    assert!(bytes < 600_000, "{bytes} bytes for {week} lives");
}

#[test]
fn early_events_have_an_end() {
    let wait = "{ step: answer, wait: t/Answer, within: 1d }";
    let definition = saga("", &[&part("a", ""), wait]);
    let mut world = limited(&definition, Limits { early_max: 1, ..Limits::default() });
    taken(&mut world, "start");
    taken(&mut world, "Answer");
    assert_eq!(
        refusal(&mut world, "Answer", json!({"id": "k"})),
        "t/Answer: 1 events of s/k wait for their step already (`limits.early-max`), so this one \
         is not kept"
    );
    let mut world = limited(&definition, Limits { early_bytes_max: 1024, ..Limits::default() });
    taken(&mut world, "start");
    taken(&mut world, "Answer");
    assert_eq!(
        refusal(&mut world, "Answer", json!({"id": "k", "note": "x".repeat(1024)})),
        "t/Answer: the events of s/k that wait for their step would take more than 1 KiB \
         (`limits.early-bytes-max`), so this one is not kept"
    );
    taken(&mut world, "Answer");
}

#[test]
fn a_reason_is_cut_and_never_inside_a_letter() {
    let failed = PAIR.replace("failed: t/ANo", "failed: { on: t/ANo, reason: event.why }");
    let mut world = limited(&failed, Limits { reason_bytes_max: 80, ..Limits::default() });
    taken(&mut world, "start");
    taken(&mut world, &format!(r#"ANo for=a/1 {{"why": "x{}"}}"#, "é".repeat(60)));
    let newest = world.instance.as_ref().and_then(Instance::newest).expect("it is remembered");
    let reason = &newest.failure.as_ref().expect("it failed").reason;
    assert_eq!(*reason, format!("x{}…", "é".repeat(39)));
}

#[test]
fn acts_that_are_told_apart_have_an_end() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    let mut world = limited(&park, Limits { ids_max: 2, ..Limits::default() });
    taken(&mut world, "start");
    for _ in 0..3 {
        world.pass(Span::hours(1));
        taken(&mut world, "act retry a");
    }
    let newest = world.instance.as_ref().and_then(Instance::newest).expect("it lives");
    assert_eq!(newest.seen.len(), 2);
}

#[test]
fn a_signed_act_that_is_written_again_does_nothing_twice() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    let mut world = limited(&park, Limits { ids_max: 2, ..Limits::default() });
    taken(&mut world, "start");
    let mut acts = Vec::new();
    for _ in 0..4 {
        world.pass(Span::hours(1));
        let act = Act { signed: Some(world.now), ..world.act("retry a", None) };
        world.tell(&Input::Act(act.clone())).expect("it is obeyed");
        acts.push(act);
    }
    world.pass(Span::hours(1));
    let again = |world: &mut World, act: &Act| world.tell(&Input::Act(act.clone()));
    for act in &acts {
        let known = acts[2..].contains(act);
        match again(&mut world, act).expect_err("it was obeyed") {
            Rejection::Duplicate(_) => assert!(known, "{act:?}"),
            Rejection::Refused(words) => {
                assert!(
                    !known && words.ends_with("what is known of acts here; act again"),
                    "{words}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let unsigned = Act { signed: None, ..acts[0].clone() };
    again(&mut world, &unsigned).expect("without signatures all is as it was");
    let newest = world.instance.as_ref().and_then(Instance::newest).expect("it lives");
    let early = Timestamp(newest.started.0 - 1);
    let of_another_life = Act { signed: Some(early), ..world.act("retry a", None) };
    let refused = again(&mut world, &of_another_life).expect_err("that life is over");
    assert!(refused.to_string().contains("was signed before what is known"), "{refused}");
}

#[test]
fn too_many_that_wait_for_a_lock_are_turned_away() {
    let lock = format!("{{ step: l, lock: [x], within: 1h, steps: [{}] }}", part("a", ""));
    let mut world =
        limited(&saga("", &[&lock]), Limits { lock_waiting_max: 1, ..Limits::default() });
    for key in ["k1", "k2"] {
        taken(&mut world, &format!(r#"@s/{key} start {{"id": "{key}"}}"#));
    }
    let told = taken(&mut world, r#"@s/k3 start {"id": "k3"}"#);
    assert!(told.contains("full to s/k3"), "{told}");
}

#[test]
fn what_is_insisted_on_has_its_time() {
    let (once, undo) = ("retry: { attempts: 1 }", "compensate: { command: t/UndoA");
    let again = "unknown: retry\n    retry: { attempts: 1, first: 1s, most: 1s }";
    let insist = PAIR.replace(&format!("{once}\n    {undo}"), &format!("{again}\n    {undo}"));
    let limits = Limits { insist: Span::hours(1), ..Limits::default() };
    let mut world = limited(&insist, limits);
    taken(&mut world, "start");
    world.pass(Span::hours(1));
    assert_eq!(stuck(&world), "");
    world.pass(Span::hours(1));
    assert!(stuck(&world).contains("a has not answered"), "{}", stuck(&world));
}

/// The largest instance that a fan-out makes: every branch fails with a long reason after long
/// answers, and what it owes is stuck.
#[test]
fn what_is_within_the_limit_fits_into_a_record() {
    let a = part("a", "");
    let b = part("b", "").replace("failed: t/BNo", "failed: { on: t/BNo, reason: event.why }");
    let inner = format!(
        "{{ step: parts, each: item, at-most: 1000, at-once: 1000, on-failed: drop, \
         steps: [{a}, {b}] }}"
    );
    let outer = format!("{{ step: lines, each: data.lines, at-most: 1000, steps: [{inner}] }}");
    let definition = saga_by_id(", lines: event.lines", &[&outer]);
    let limits = Limits { instance_bytes_max: 200_000, ..Limits::default() };
    let start = |size: usize| {
        let mut world = limited(&definition, limits.clone());
        let lines = vec![vec![1; size]; 3];
        let event = world.event("start", Some(json!({"id": "k", "lines": lines})));
        world.tell(&Input::Event(event)).expect("it begins");
        world
    };
    assert!(stuck(&start(200)).contains(
        "200 elements with their steps are more than one instance may remember \
         (`limits.instance-bytes-max`: 200000 bytes); take fewer, or give each a child saga"
    ));
    let mut world = start(60);
    assert_eq!(stuck(&world), "");
    let long = "i".repeat(200);
    let mut answer = |kind: &str, step: String, number: usize| {
        let body = json!({"why": "w".repeat(2_000)});
        let mut event = world.event(&format!("{kind} for={step}"), Some(body));
        event.id = format!("{number:04}{}", &long[4..]);
        world.tell(&Input::Event(event)).expect("it is awaited");
    };
    let branches = || (0..3).flat_map(|line| (0..60).map(move |part| format!("[{line}][{part}]")));
    for (number, branch) in branches().enumerate() {
        answer("ADone", format!("a{branch}/1"), number);
    }
    for (number, branch) in branches().enumerate() {
        answer("BNo", format!("b{branch}/1"), 1_000 + number);
    }
    world.pass(Span::hours(30));
    let instance = world.instance.as_ref().expect("it is remembered");
    assert_eq!(instance.lives[0].stuck.len(), 180);
    let bytes = instance.encode().len();
    assert!(bytes > 200_000, "{bytes} bytes are no test of the limit");
    assert!(bytes <= 4 * limits.instance_bytes_max, "{bytes} bytes");
}
