//! Questions to people, people who ask for the way back, and what they are told of their acts.

use super::stuck::{CHARGING, parked};
use super::{Input, ORDER, World, check, part, saga, said};
use crate::engine::Status::Compensating;
use crate::engine::{DryRun, What, dry_run, refusal};

fn asking(more: &str) -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let ask = format!(
        "{{ step: approve, ask: compliance, question: 'Pay ${{data.id}}?', \
         choices: {{ approve: done, refuse: failed }}, within: 2d, \
         set: {{ by: answer.by, limit: answer.data.limit }}{more} }}"
    );
    saga("", &[&a, &ask, &b])
}

const HERE: &str = "start > A a/1\nADone > ask compliance Pay k? approve|refuse";

#[test]
fn an_answer_goes_on_with_what_it_says() {
    check(
        &asking(""),
        &format!(
            r#"{HERE}
            act answer maybe ! refused
            act answer approve ! refused
            act answer approve {{"limit": 5}} > B b/1
            data {{"id":"k","by":"ann","limit":5}}
            act answer approve {{"limit": 5}} ! refused
            "#
        ),
    );
}

#[test]
fn a_no_takes_the_saga_back() {
    check(&asking(""), &format!("{HERE}\nact answer approve refuse > UndoA a~undo/1"));
}

#[test]
fn nobody_answers_in_time() {
    check(&asking(""), &format!("{HERE}\npass 2d > UndoA a~undo/1\nact answer refuse ! refused"));
}

#[test]
fn a_person_sends_a_running_saga_back_before_its_pivot() {
    check(
        &asking(""),
        "
        start > A a/1
        act go-back > UndoA a~undo/1
        act go-back ! refused
        AUndone > nothing
        is compensated
        act go-back ! refused
        ",
    );
}

#[test]
fn a_person_cancels_what_runs_as_an_event_does() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        act cancel charge ! refused
        act cancel > Refund charge~undo/1
        act cancel ! refused
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"cancelled","reason":"ann: because"}
        act cancel ! refused
        "#,
    );
    check(ORDER, "act cancel ! unmatched");
}

#[test]
fn a_person_cancels_what_is_stuck_and_waits_for_a_pivot() {
    let shipping = "
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Charged > Ship ship/1
    ";
    check(
        ORDER,
        &format!(
            "{shipping}
            act cancel > nothing
            act cancel ! refused
            act go-back ! refused
            Refused > Refund charge~undo/1
            "
        ),
    );
    check(
        ORDER,
        &format!(
            r#"{shipping}
            pass 21s > Ship ship/2; fact Help {{"step":"ship"}}
            act go-back ! refused
            act cancel > nothing
            is stuck
            act not-done > Refund charge~undo/1
            "#
        ),
    );
    check(
        &parked(),
        &format!(
            "{CHARGING}
            act cancel > Refund charge~undo/1
            is compensating
            "
        ),
    );
}

/// What an act would do.
fn rehearsed(world: &World, words: &str) -> DryRun {
    let act = world.clone().act(words, None);
    dry_run(&world.catalog, &world.id, world.instance.as_ref(), &act, world.now)
}

/// The reason for which an act would not be obeyed, which the history tells as well.
fn refused(world: &World, words: &str) -> String {
    let DryRun::Refused(rejection) = rehearsed(world, words) else { panic!("it is obeyed") };
    let act = world.clone().act(words, None);
    let note = refusal(world.instance.as_ref(), &act, &rejection).expect("it is told");
    let What::NotObeyed { id, by, reason, .. } = note.what else { panic!("it is told otherwise") };
    assert_eq!((id, by), (act.id, act.by));
    assert_eq!(reason, rejection.to_string());
    reason
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_where_it_would_stand() {
    let mut world = World::of(ORDER);
    world.told("start");
    world.told("Reserved");
    let before = world.instance.clone();
    let DryRun::Obeyed { transition, status } = rehearsed(&world, "cancel") else {
        panic!("it can be cancelled")
    };
    let sent: Vec<String> = transition.effects.iter().map(said).collect();
    assert_eq!((sent, status), (vec!["Refund charge~undo/1".to_owned()], Some(Compensating)));
    assert_eq!(world.instance, before);
    assert_eq!(world.told("act cancel"), "> Refund charge~undo/1");
    assert_eq!(world.instance, transition.after, "it did what was foreseen");
}

#[test]
fn what_is_not_obeyed_is_told_with_the_reason_of_the_dry_run() {
    let mut world = World::of(&ORDER.replace("emit: t/Told", "command: t/Tell\n    done: t/Heard"));
    world.told("start");
    assert_eq!(
        refused(&world, "retry"),
        "order/k: it is running, not stuck; to take it back, cancel it"
    );
    assert_eq!(
        refused(&world, "cancel reserve"),
        "`cancel` is about the whole saga; leave out the step `reserve`"
    );
    world.told("Reserved");
    world.told("Charged");
    world.told("act cancel");
    let waits = "cancel: the way back is asked for already and waits for the pivot";
    assert_eq!(refused(&world, "cancel"), waits);
    world.told("Shipped");
    let passed = "cancel: ship of order/k has been done, there is no way back";
    assert_eq!(refused(&world, "cancel"), passed);
    world.told("Heard");
    assert_eq!(refused(&world, "cancel"), "order/k: it has completed");
}

#[test]
fn what_was_obeyed_before_or_is_about_nothing_is_not_told() {
    let mut world = World::of(ORDER);
    let act = world.act("cancel", None);
    let input = Input::Act(act.clone());
    let nothing = world.tell(&input).expect_err("there is nothing");
    assert_eq!(refusal(world.instance.as_ref(), &act, &nothing), None);
    world.told("start");
    world.tell(&input).expect("it is cancelled");
    let again = world.tell(&input).expect_err("it was obeyed");
    assert_eq!(refusal(world.instance.as_ref(), &act, &again), None);
}

#[test]
fn a_person_sets_what_the_definition_knows_as_data() {
    let definition =
        saga(", n: '1', card: event.card", &[&part("a", ", set: { mark: event.mark }")])
            .replace("cancel:", "sensitive: [data.card.number]\ncancel:");
    let start = r#"start {"id": "k", "card": {"number": 4711}}"#;
    check(
        &definition,
        &format!(
            r#"
            act set-data {{"n": 2}} ! unmatched
            {start} > A a/1
            act set-data ! refused
            act set-data {{"m": 2}} ! refused
            act set-data {{"n": "two"}} ! refused
            act set-data a {{"n": 2}} ! refused
            act set-data {{"n": 2}} > nothing
            data {{"id":"k","n":2,"card":{{"number":4711}}}}
            act pause > nothing
            act set-data {{"mark": "x"}} > nothing
            act resume > nothing
            data {{"id":"k","n":2,"card":{{"number":4711}},"mark":"x"}}
            ANo > nothing
            act set-data {{"n": 3}} ! refused
            "#
        ),
    );
    let mut world = World::of(&definition);
    world.told(start);
    let no_field = refused_with(&world, r#"{"m": 2}"#);
    assert_eq!(no_field, "set-data: s has no field `m`; it has card, id, mark, n");
    let no_kind = refused_with(&world, r#"{"n": "two"}"#);
    assert_eq!(no_kind, "set-data: `n` is a number, and what is given is text");
    world.told(r#"act set-data {"n": 2.50, "mark": "x", "card": {"number": 42}}"#);
    let words = world.notes.iter().map(|note| note.what.to_string()).collect::<Vec<_>>();
    let changes = "`n` was 1 and is 2.50, `mark` was nothing and is \"x\", \
                   `card` is set; it is sensitive";
    assert_eq!(words, ["set the data by ann: because", changes]);
}

/// The reason for which data is not set.
fn refused_with(world: &World, data: &str) -> String {
    let body = serde_json::from_str(data).expect("JSON");
    let act = world.clone().act("set-data", Some(body));
    let (catalog, id) = (&world.catalog, &world.id);
    match dry_run(catalog, id, world.instance.as_ref(), &act, world.now) {
        DryRun::Refused(rejection) => rejection.to_string(),
        DryRun::Obeyed { transition, .. } => panic!("{transition:?}"),
    }
}

#[test]
fn data_is_set_for_what_is_stuck_and_read_by_its_retry() {
    let send = part("b", ", with: { to: '${data.to}' }, unknown: park");
    check(
        &saga(", to: \"'old'\"", &[&part("a", ""), &send]),
        r#"
        start > A a/1
        ADone > B b/1 {"to":"old"}
        pass 10s > nothing
        is stuck
        act set-data {"to": "new"} > nothing
        is stuck
        act retry > B b/2 {"to":"new"}
        "#,
    );
}
