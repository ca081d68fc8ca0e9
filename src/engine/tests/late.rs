//! Late answers.

use super::{ORDER, PAIR, check, part, saga};

#[test]
fn a_late_success_is_undone_again_once_by_a_fresh_id() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Cancelled > Refund charge~undo/1
        Refunded for=charge~undo/1 > Release reserve~undo/1
        Charged for=charge/1 > Refund charge~undo.2/1
        Charged for=charge/1 ! duplicate
        Charged ! duplicate
        Released > nothing
        is compensating
        Refunded for=charge~undo/1 ! duplicate
        Refunded for=charge~undo.2/1 > fact Undone {"kind":"cancelled","reason":"Cancelled"}
        is compensated
        "#,
    );
}

#[test]
fn a_success_that_crosses_its_undoing_is_undone_again() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        ADone > UndoA a~undo.2/1
        AUndone > nothing
        is compensating
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn a_success_after_the_end_is_undone() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        is compensated
        pass 6d > nothing
        ADone for=a/1 > UndoA a~undo.2/1
        is compensated
        ADone for=a/1 ! duplicate
        AUndone > nothing
        pass 2d > nothing
        is forgotten
        ",
    );
}

#[test]
fn what_is_owed_after_the_end_outlives_its_time() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        pass 604799s > nothing
        ADone > UndoA a~undo.2/1
        pass 30d > nothing
        is stuck
        act retry > UndoA a~undo.2/2
        is compensated
        pass 30d > nothing
        is stuck
        act skip > nothing
        is compensated
        pass 6d > nothing
        is compensated
        pass 1d > nothing
        is forgotten
        ",
    );
}

#[test]
fn a_late_rejection_changes_nothing() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        ANo > nothing
        ANo ! duplicate
        is compensating
        AUndone > nothing
        is compensated
        ADone for=a/1 ! refused
        ",
    );
}

#[test]
fn a_late_rejection_spares_a_step_that_is_not_yet_undone() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ANo > nothing
        BNo > nothing
        is compensated
        ",
    );
}

#[test]
fn a_late_success_on_the_way_forward_is_undone_at_once() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ADone > UndoA a~undo/1
        is running
        BDone > nothing
        is completed
        AUndone > nothing
        is completed
        ",
    );
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ADone > UndoA a~undo/1
        BNo > nothing
        is compensating
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn an_undoing_that_fails_after_the_end_is_a_persons_matter() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        pass 1s > nothing
        ADone > UndoA a~undo/1
        BDone > nothing
        is completed
        pass 10s > nothing
        is stuck
        act retry > UndoA a~undo/2
        AUndone > nothing
        is completed
        ",
    );
}

#[test]
fn a_late_answer_without_an_id_belongs_to_the_oldest_life_that_lacks_it() {
    let again = PAIR.replace("key: event.id }", "key: event.id, after: new }");
    check(
        &again,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        start > A 2/a/1
        lives 2
        ADone > UndoA a~undo.2/1
        ADone > B 2/b/1
        AUndone > nothing
        BDone > nothing
        is completed
        ",
    );
    check(
        &again,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        start > A 2/a/1
        ADone for=2/a/1 > B 2/b/1
        ADone for=a/1 > UndoA a~undo.2/1
        AUndone for=a~undo.2/1 > nothing
        BNo > UndoA 2/a~undo/1
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn an_undoing_that_fails_on_the_way_forward_holds_it_until_a_person_acts() {
    let slow = PAIR
        .replace("failed: t/ANo", "failed: t/ANo\n    unknown: park")
        .replace("failed: t/BNo\n    within: 10s", "failed: t/BNo\n    within: 1h");
    let held = "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ADone > UndoA a~undo/1
        pass 10s > nothing
        is stuck
    ";
    check(&slow, &format!("{held} BDone > nothing\nis stuck\nact done > nothing\nis completed"));
    check(
        &slow,
        &format!(
            "{held} BNo > nothing
            is stuck
            act retry > UndoA a~undo/2
            is compensating
            AUndone > nothing
            is compensated
            "
        ),
    );
}

/// An action whose undoing names what the answer said, if it is known.
fn named_by_its_answer(more: &str) -> String {
    let open = "{ step: open, command: t/Open, done: t/Opened, set: { ref: event.ref }, \
                failed: t/OpenNo, within: 10s, retry: { attempts: 1 }, compensate: { \
                command: t/Close, within: 10s, retry: { attempts: 1 }, done: { on: t/Closed, \
                set: { closed: \"has(data.ref) ? data.ref : 'nothing'\" } }, \
                with: { ref: \"${has(data.ref) ? data.ref : 'unknown'}\" } }MORE }"
        .replace("MORE", more);
    saga("", &[&open, &part("b", "")])
}

#[test]
fn the_undoing_of_a_late_success_knows_what_its_answer_sets() {
    check(
        &named_by_its_answer(""),
        r#"
        start > Open open/1
        pass 10s > Close open~undo/1 {"ref":"unknown"}
        Closed > nothing
        is compensated
        data {"id":"k","closed":"nothing"}
        Opened for=open/1 {"ref": 7} > Close open~undo.2/1 {"ref":7}
        pass 10s > nothing
        is stuck
        act retry open > Close open~undo.2/2 {"ref":7}
        Closed for=open~undo.2/2 > nothing
        data {"id":"k","closed":7}
        "#,
    );
}

#[test]
fn an_undoing_still_to_come_knows_what_the_late_answer_sets() {
    let aside = "{ step: both, parallel: { one: [OPEN], two: [TWO] } }";
    let whole = named_by_its_answer("");
    let open = whole.lines().find(|line| line.contains("step: open")).expect("it is there");
    let two = format!("{}, {}", part("c", ""), part("d", ""));
    let both = aside.replace("OPEN", open.trim_start_matches("  - ")).replace("TWO", &two);
    check(
        &saga("", &[&both]),
        r#"
        start > Open open/1; C c/1
        CDone > D d/1
        DNo > Close open~undo/1 {"ref":"unknown"}; UndoC c~undo/1
        "#,
    );
    let sequence = saga("", &[open.trim_start_matches("  - "), &part("b", "")]);
    let probed = sequence.replacen(
        "within: 10s, retry",
        "unknown: probe, probe: { command: t/Ask, done: { on: t/Found, set: { ref: event.no } }, \
         absent: t/Absent, within: 10s, retry: { attempts: 1 } }, within: 10s, retry",
        1,
    );
    check(
        &probed,
        r#"
        start > Open open/1
        Cancelled > Ask open~probe/1
        Found {"no": 9} > Close open~undo/1 {"ref":9}
        Closed > nothing
        is compensated
        data {"id":"k","closed":9}
        "#,
    );
}

#[test]
fn what_a_late_answer_sets_is_known_to_nothing_else() {
    let more = ", unknown: compensate";
    let told = named_by_its_answer(more).replace(
        "data: { id",
        "ends: { compensated: { emit: t/Back, with: \
         { ref: \"${has(data.ref) ? data.ref : 'unknown'}\" } } }\ndata: { id",
    );
    check(
        &told,
        r#"
        start > Open open/1
        pass 10s > Close open~undo/1 {"ref":"unknown"}
        Opened for=open/1 {"ref": 7} > Close open~undo.2/1 {"ref":7}
        Closed for=open~undo/1 > nothing
        Closed for=open~undo.2/1 > fact Back {"ref":"unknown"}
        data {"id":"k","closed":7}
        "#,
    );
}

#[test]
fn a_late_answer_that_lacks_what_is_set_is_undone_all_the_same() {
    let told =
        "complaint s/k open: of its late answer `set: ref` has no value: `event.ref` is missing";
    check(
        &named_by_its_answer(""),
        &format!(
            r#"
            start > Open open/1
            pass 10s > Close open~undo/1 {{"ref":"unknown"}}
            Closed > nothing
            Opened for=open/1 {{"other": 7}} > {told}; Close open~undo.2/1 {{"ref":"unknown"}}
            "#
        ),
    );
}

#[test]
fn each_branch_is_undone_with_what_its_own_late_answer_sets() {
    let each = "{ step: all, each: data.list, at-most: 3, steps: [ \
                { step: keep, command: t/Keep, done: t/Kept, set: { ref: event.ref }, \
                failed: t/KeepNo, within: 10s, retry: { attempts: 1 }, compensate: { \
                command: t/Drop, done: t/Dropped, within: 10s, retry: { attempts: 1 }, \
                with: { n: '${item}', ref: \"${has(branch.ref) ? branch.ref : 'unknown'}\" } } } \
                ] }";
    let by_id = super::saga_by_id(", list: event.list", &[each]);
    check(
        &by_id,
        r#"
        start {"id": "k", "list": [5, 6]} > Keep keep[0]/1; Keep keep[1]/1
        KeepNo for=keep[0]/1 > Drop keep[1]~undo/1 {"n":6,"ref":"unknown"}
        Kept for=keep[1]/1 {"ref": 8} > Drop keep[1]~undo.2/1 {"n":6,"ref":8}
        "#,
    );
}
