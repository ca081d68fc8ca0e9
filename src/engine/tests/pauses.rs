//! A person lets a saga stand still.

use super::stuck::{CHARGING, parked};
use super::{ORDER, World, check, check_family, part, saga};
use crate::engine::{DryRun, NoteKind, dry_run, next_due};

#[test]
fn a_paused_saga_sends_nothing_and_its_time_limits_stand_still() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        pass 4s > nothing
        act pause > nothing
        act pause ! refused
        pass 2d > nothing
        is running
        act resume > nothing
        act resume ! refused
        pass 5s > nothing
        pass 2s > Reserve reserve/2
        ",
    );
}

#[test]
fn a_deadline_has_left_what_was_left_of_it() {
    let script = "
        start > Reserve reserve/1
        pass 5s > nothing
        act pause > nothing
        pass 1h > nothing
        act resume > nothing
    ";
    let definition = ORDER.replace("within: 30m", "within: 9s");
    check(&definition, &format!("{script}\npass 3s > nothing\npass 1s > Release reserve~undo/1"));
}

#[test]
fn a_moment_that_is_waited_for_comes_when_it_comes() {
    let a = part("a", "");
    let nap = saga(", at: event.at", &["{ step: nap, until: data.at }", &a]);
    check(
        &nap,
        r#"
        start {"id": "k", "at": "1970-01-01T02:00:00Z"} > nothing
        act pause > nothing
        pass 1h > nothing
        act resume > nothing
        pass 43m > nothing
        pass 25s > A a/1
        "#,
    );
    check(
        &nap,
        r#"
        start {"id": "k", "at": "1970-01-01T02:00:00Z"} > nothing
        act pause > nothing
        pass 9h > nothing
        act resume > nothing
        pass 1s > A a/1
        "#,
    );
    check(
        &saga("", &["{ step: nap, sleep: 2h }", &a]),
        "
        start > nothing
        pass 1h > nothing
        act pause > nothing
        pass 9h > nothing
        act resume > nothing
        pass 59m > nothing
        pass 1m > A a/1
        ",
    );
}

#[test]
fn reminders_go_on_where_they_were() {
    let wait = "{ step: answer, wait: t/Yes, within: 3d, \
                remind: { after: 1d, every: 1d, emit: t/Remind } }";
    check(
        &saga("", &[wait, &part("a", "")]),
        "
        start > nothing
        pass 20h > nothing
        act pause > nothing
        pass 9d > nothing
        Yes id=y > nothing
        act resume > A a/1
        ",
    );
    check(
        &saga("", &[wait, &part("a", "")]),
        "
        start > nothing
        pass 20h > nothing
        act pause > nothing
        pass 9d > nothing
        act resume > nothing
        pass 3h > nothing
        pass 1h > fact Remind
        pass 1d > fact Remind
        ",
    );
}

#[test]
fn what_it_is_told_meanwhile_is_kept_and_counts_at_the_resume() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        act pause > nothing
        Reserved id=r > nothing
        Reserved id=r ! duplicate
        data {"id":"k"}
        act resume > Charge charge/1
        data {"id":"k","shelf":7}
        Reserved id=r ! duplicate
        "#,
    );
}

#[test]
fn people_are_told_of_what_was_kept_and_cannot_be_taken_any_more() {
    let mut world = World::of(ORDER);
    world.told("start");
    world.told("act pause");
    assert_eq!(world.told("Reserved"), "> nothing");
    assert_eq!(world.told("SoldOut id=late"), "> nothing");
    let said = world.told("act resume");
    let words = "complaint order/k: t/SoldOut late, held while it was paused: ";
    assert!(said.starts_with(&format!("> {words}")), "{said}");
    assert!(said.ends_with("; Charge charge/1"), "{said}");
}

#[test]
fn an_event_that_only_what_is_held_gives_a_meaning_is_kept_too() {
    let a = part("a", ", set: { mark: event.mark }");
    let plain = "cancel: { on: t/Cancelled, key: event.id }";
    let marked = plain.replace(" }", ", where: event.mark == data.mark }");
    let definition = saga(", mark: \"'none'\"", &[&a, &part("b", "")]).replace(plain, &marked);
    check(
        &definition,
        r#"
        start > A a/1
        Cancelled {"id": "k", "mark": "blue"} ! unmatched
        act pause > nothing
        Cancelled {"id": "k", "mark": "blue"} ! unmatched
        ADone {"id": "k", "mark": "blue"} > nothing
        Cancelled {"id": "k", "mark": "blue"} > nothing
        act resume > UndoA a~undo/1
        "#,
    );
}

#[test]
fn nothing_is_sent_that_a_cancel_during_the_pause_was_to_prevent() {
    for cancel in ["Cancelled", "act cancel"] {
        check(
            ORDER,
            &format!(
                "
                start > Reserve reserve/1
                act pause > nothing
                Reserved > nothing
                {cancel} > nothing
                act cancel ! refused
                is running
                act resume > Release reserve~undo/1
                is compensating
                "
            ),
        );
    }
}

#[test]
fn what_comes_behind_a_cancel_during_the_pause_counts_as_well() {
    let charging = "
        start > Reserve reserve/1
        Reserved > Charge charge/1
        act pause > nothing
        Cancelled > nothing
    ";
    check(ORDER, &format!("{charging}\nDeclined > nothing\nact resume > Release reserve~undo/1"));
    check(
        ORDER,
        &format!(
            "{charging}
            Charged > nothing
            act resume > Refund charge~undo/1
            Refunded > Release reserve~undo/1
            "
        ),
    );
}

#[test]
fn a_cancel_during_a_pause_waits_for_the_pivot_and_is_refused_behind_it() {
    let shipping = "
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Charged > Ship ship/1
        act pause > nothing
        act cancel > nothing
    ";
    check(ORDER, &format!("{shipping}\nRefused > nothing\nact resume > Refund charge~undo/1"));
    check(ORDER, &format!("{shipping}\nact resume > nothing\nRefused > Refund charge~undo/1"));
    check(
        ORDER,
        &format!("{shipping}\nShipped > nothing\nact resume > fact Told; fact Done\nis completed"),
    );
}

#[test]
fn other_acts_wait_for_the_resume() {
    check(
        &parked(),
        &format!(
            "{CHARGING}
            act pause > nothing
            act retry ! refused
            act go-back ! refused
            act skip charge ! refused
            is stuck
            Charged for=charge/1 > nothing
            is stuck
            act resume > Ship ship/1
            is running
            "
        ),
    );
    check(
        &parked(),
        &format!("{CHARGING}\nact pause > nothing\nact resume > nothing\nact skip > Ship ship/1"),
    );
}

#[test]
fn an_answer_to_a_question_is_kept_if_it_can_be_one() {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let ask = "{ step: approve, ask: compliance, question: 'Pay?', within: 2d, \
               choices: { approve: done, refuse: failed } }";
    check(
        &saga("", &[&a, ask, &b]),
        "
        start > A a/1
        act pause > nothing
        act answer approve ! refused
        act resume > nothing
        ADone > ask compliance Pay? approve|refuse
        act pause > nothing
        act answer maybe ! refused
        act answer approve > nothing
        pass 9d > nothing
        act resume > B b/1
        ",
    );
}

#[test]
fn what_has_ended_or_never_was_cannot_be_paused() {
    check(ORDER, "act pause ! unmatched");
    check(
        ORDER,
        "
        start > Reserve reserve/1
        act pause reserve ! refused
        SoldOut > fact Undone {\"kind\":\"rejected\",\"reason\":\"no\"}
        act pause ! refused
        act resume ! refused
        ",
    );
}

#[test]
fn a_way_back_is_paused_as_well() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Declined > Release reserve~undo/1
        act pause > nothing
        pass 1d > nothing
        Released > nothing
        is compensating
        act resume > fact Undone {\"kind\":\"rejected\",\"reason\":\"Declined\"}
        is compensated
        ",
    );
}

#[test]
fn a_start_of_the_same_key_queues_behind_a_paused_life() {
    let queue = ORDER.replacen("key: event.id }", "key: event.id, again: queue, after: new }", 1);
    check(
        &queue,
        "
        start > Reserve reserve/1
        act pause > nothing
        start > nothing
        SoldOut for=reserve/1 > nothing
        lives 1
        act resume > fact Undone {\"kind\":\"rejected\",\"reason\":\"no\"}; Reserve 2/reserve/1
        lives 2
        ",
    );
}

#[test]
fn locks_stay_held_and_their_letters_are_kept() {
    let a = part("a", "");
    let lock = format!("{{ step: exclusive, lock: [x], within: 30s, steps: [{a}] }}");
    check(
        &saga("", &[&lock, &part("b", "")]),
        "
        start > acquire to segue-lock/x; granted to s/k; A a/1
        act pause > nothing
        ADone > nothing
        pass 1d > nothing
        act resume > release to segue-lock/x; B b/1
        ",
    );
}

#[test]
fn a_paused_parent_and_a_paused_child_hear_of_each_other_at_the_resume() {
    let child = saga("", &[&part("c", "")])
        .replace("saga: s", "saga: child")
        .replace("start: { on: t/Placed, key: event.id }", "start: { by: parent }")
        .replace("cancel: { on: t/Cancelled, key: event.id }\n", "");
    let settle = "{ step: settle, saga: child, with: { id: '${data.id}' }, within: 1h, \
                  compensate: child }";
    let parent = saga("", &[&part("a", ""), settle, &part("b", "")]);
    let here = "start > A a/1\nADone > start to child/k/settle; C c/1";
    check_family(
        &parent,
        &[&child],
        &format!(
            "{here}
            act pause > nothing
            @child/k/settle CDone > ended to s/k
            pass 2h > nothing
            act resume > B b/1
            "
        ),
    );
    check_family(
        &parent,
        &[&child],
        &format!(
            "{here}
            @child/k/settle act pause > nothing
            @child/k/settle CDone > nothing
            Cancelled > take-back to child/k/settle
            is compensating
            @child/k/settle act resume > UndoC c~undo/1
            "
        ),
    );
}

#[test]
fn more_than_may_be_held_is_refused_and_letters_never_are() {
    let mut world = World::of(ORDER);
    world.catalog.limits.early_max = 1;
    assert_eq!(world.told("start"), "> Reserve reserve/1");
    assert_eq!(world.told("act pause"), "> nothing");
    assert_eq!(world.told("Reserved"), "> nothing");
    assert_eq!(world.told("Cancelled"), "! refused");
    assert_eq!(world.told("act cancel"), "! refused");
    assert_eq!(world.told("act resume"), "> Charge charge/1");
    world.told("act pause");
    world.catalog.limits = crate::definition::Limits { early_bytes_max: 50, ..Default::default() };
    assert_eq!(world.told("Charged"), "! refused", "it is larger");
    assert_eq!(world.told("act resume"), "> nothing");
}

#[test]
fn a_pause_has_no_timer_and_its_end_can_be_foreseen() {
    let mut world = World::of(ORDER);
    world.told("start");
    world.told("act pause");
    assert_eq!(world.instance.as_ref().and_then(next_due), None);
    world.told("Reserved");
    let kinds =
        |world: &World| world.notes.iter().map(crate::engine::Note::kind).collect::<Vec<_>>();
    assert_eq!(kinds(&world), [NoteKind::Held]);
    let before = world.instance.as_ref().and_then(|i| i.newest()).expect("it lives").transitions;
    let act = world.clone().act("resume", None);
    let foreseen = dry_run(&world.catalog, &world.id, world.instance.as_ref(), &act, world.now);
    let DryRun::Obeyed { transition, .. } = foreseen else { panic!("{foreseen:?}") };
    assert_eq!(transition.effects.iter().map(super::said).collect::<Vec<_>>(), ["Charge charge/1"]);
    assert_eq!(world.told("act resume"), "> Charge charge/1");
    let after = world.instance.as_ref().and_then(|i| i.newest()).expect("it lives").transitions;
    assert_eq!(after, before + 1, "all of it is one transition");
    assert_eq!(kinds(&world), [NoteKind::Resumed, NoteKind::Succeeded, NoteKind::Sent]);
}
