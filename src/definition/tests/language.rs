use super::*;
use crate::message::EventType;

fn whole() -> Definition {
    parsed(WHOLE)
}

fn step<'d>(definition: &'d Definition, name: &str) -> &'d Step {
    definition.steps.iter().find(|s| s.name.as_str() == name).expect(name)
}

fn names(definition: &Definition, block: &Block) -> Vec<String> {
    block.steps.iter().map(|id| definition.step(*id).name.to_string()).collect()
}

#[test]
fn steps_and_blocks_are_numbered_depth_first() {
    let definition = whole();
    let ids: Vec<u32> = definition.steps.iter().map(|s| s.id.0).collect();
    assert_eq!(ids, (0..u32::try_from(ids.len()).expect("few")).collect::<Vec<_>>());
    let lines: Vec<u32> = definition.steps.iter().map(|s| s.line).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    let owners: Vec<Option<&str>> = definition
        .blocks
        .iter()
        .map(|b| b.owner.map(|id| definition.step(id).name.as_str()))
        .collect();
    let expected = [
        None,
        Some("checks"),
        Some("checks"),
        Some("lines"),
        Some("exclusive"),
        Some("route"),
        Some("route"),
    ];
    assert_eq!(owners, expected);
    assert_eq!(definition.blocks[1].name, "fraud");
    assert_eq!(names(&definition, &definition.blocks[3]), ["pick", "set.13"]);
    for (place, block) in definition.blocks.iter().enumerate() {
        for id in &block.steps {
            assert_eq!(definition.step(*id).block.0 as usize, place);
        }
    }
}

#[test]
fn the_head_of_the_file_reads_as_it_is_written() {
    let definition = whole();
    assert!(definition.by_parent);
    assert_eq!(definition.starts.len(), 1);
    assert_eq!(definition.early, Span::seconds(300));
    assert_eq!(definition.sensitive, [vec!["card_token".to_owned()]]);
    let never: Vec<Never> = definition.assume.iter().map(|a| a.never).collect();
    assert_eq!(never, [Never::Late, Never::Rejected]);
    let by = definition.rule(&address("inventory.events/Picked")).map(|r| r.by);
    assert_eq!(by, Some(Correlation::CommandId));
    assert_eq!(definition.events[0].on.event_type, None::<EventType>);
}

#[test]
fn a_probe_reads_its_own_event() {
    let definition = whole();
    let StepKind::Command(command) = &step(&definition, "reserve-stock").kind else {
        panic!("it is a command");
    };
    assert_eq!(command.unknown, Unknown::Probe);
    let probe = command.probe.as_ref().expect("it has a probe");
    assert_eq!(probe.request.done[0].set, Some(vec![assignment("reservation", "event.id")]));
    assert_eq!(probe.absent[0].on, address("inventory.events/ReservationAbsent"));
    assert_eq!(probe.request.within, Span::seconds(5));
}

#[test]
fn waits_and_questions_say_what_their_end_means() {
    let definition = whole();
    let StepKind::Wait(wait) = &step(&definition, "await-answer").kind else {
        panic!("it waits");
    };
    assert_eq!((wait.on.len(), wait.failed.len()), (2, 1));
    assert_eq!(wait.late, Late::GoOn);
    assert_eq!(wait.remind.as_ref().and_then(|r| r.every), Some(Span::hours(24)));
    let StepKind::Ask(ask) = &step(&definition, "approve").kind else {
        panic!("it asks");
    };
    assert_eq!(ask.who, "compliance");
    let meant: Vec<_> =
        ask.choices.iter().map(|c| (c.name.as_str(), c.failed.as_ref().map(|f| f.then))).collect();
    let expected =
        [("approve", None), ("refuse", Some(Then::GoBack)), ("ask-again", Some(Then::GoOn))];
    assert_eq!(meant, expected);
    assert!(matches!(&ask.late, Late::Fail(v) if v.then == Then::GoOn && v.set.len() == 1));
    assert_eq!(step(&definition, "cool-off").kind, StepKind::Sleep(Sleep::For(Span::hours(24))));
    let until = StepKind::Sleep(Sleep::Until(cel("data.not_before")));
    assert_eq!(step(&definition, "until-then").kind, until);
}

#[test]
fn a_call_knows_its_host_and_its_codes() {
    let definition = whole();
    let StepKind::Call(call) = &step(&definition, "score").kind else {
        panic!("it calls");
    };
    assert_eq!((call.request.method, call.request.scheme), (Method::Post, Scheme::Https));
    assert_eq!(call.request.authority, "fraud.internal:8443");
    let data = json!({ "order_id": "o-1" });
    let scope = Scope::at(Timestamp(0)).with(Name::Data, &data);
    assert_eq!(call.request.path.text(&scope).as_deref(), Ok("/score/o-1?deep=true"));
    assert_eq!(call.request.done[0].status, [200..=299]);
    assert_eq!(call.request.done[1].status, [302..=302, 304..=304]);
    assert_eq!(call.failed[0].then, Then::Park);
    let Compensation::Call { request, .. } = &call.compensate else {
        panic!("a call undoes it");
    };
    assert_eq!((request.method, &request.done[0].status[..]), (Method::Delete, &[404..=404][..]));
    assert_eq!(request.retry, DAY);
}

#[test]
fn composite_steps_own_their_blocks() {
    let definition = whole();
    let StepKind::Parallel(checks) = &step(&definition, "checks").kind else {
        panic!("it is parallel");
    };
    assert_eq!((checks.join, checks.failed.then), (Join::First, Then::Park));
    assert_eq!(checks.branches, [BlockId(1), BlockId(2)]);
    let StepKind::Each(each) = &step(&definition, "lines").kind else {
        panic!("it fans out");
    };
    assert_eq!((each.at_most, each.at_once, each.on_failed), (100, 5, OnFailed::Drop));
    let collect = [assignment("picks", "branch.twice"), assignment("places", "index")];
    assert_eq!(each.collect, collect);
    let StepKind::Lock(lock) = &step(&definition, "exclusive").kind else {
        panic!("it locks");
    };
    assert_eq!((lock.keys.len(), lock.release), (2, Release::Pivot));
    let StepKind::Choose(choose) = &step(&definition, "route").kind else {
        panic!("it chooses");
    };
    assert_eq!(choose.arms[0].when, Some(cel("data.total > 1000")));
    assert_eq!(choose.arms[1].when, None);
}

#[test]
fn a_step_knows_whether_a_pivot_may_stand_before_it() {
    let behind: Vec<String> =
        whole().steps.iter().filter(|s| s.after_pivot).map(|s| s.name.to_string()).collect();
    assert_eq!(behind, ["set.18", "tell"]);
}

#[test]
fn what_is_sensitive_is_not_told_by_an_error() {
    let definition = parsed(
        "{ saga: pay, version: 1, start: { on: t/Due, key: event.id }, sensitive: [data.salary],
           data: { salary: event.salary, months: event.months, day: event.salary / event.months },
           steps: [
             { step: tell, emit: t/Told, compensate: none, when: data.salary / data.months > 1 },
             { step: count, emit: t/Counted, compensate: none, when: 12 / data.months > 1 },
           ] }",
    );
    let paid = json!({ "salary": 4100, "months": 0 });
    let scope = Scope::at(Timestamp(0)).with(Name::Data, &paid).with(Name::Event, &paid);
    let said =
        |of: &Expression| of.evaluate(&scope).expect_err("nothing is divided by 0").to_string();
    let hidden = "it cannot be computed with these values; they are sensitive";
    let when = |name| step(&definition, name).when.as_ref().expect("it has one");
    assert_eq!(said(when("tell")), format!("`data.salary / data.months > 1`: {hidden}"));
    assert_eq!(said(when("count")), "`12 / data.months > 1`: `12 / 0` divides by zero");
    assert_eq!(said(&definition.data[2].value), format!("`event.salary / event.months`: {hidden}"));
}
