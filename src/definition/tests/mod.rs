use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::expression::{Expression, Name, Scope, Template};
use crate::message::{Address, Hash, SagaName, Span, StepName, Timestamp, Topic, Version};

mod apart;
mod guards;
mod language;
mod meanings;
mod right;
mod secrets;
mod usage;
mod words;

const WHOLE: &str = include_str!("whole.yaml");
const ORDER: &str = include_str!("../../../sagas/order-fulfilment/saga.yaml");

fn parsed(text: &str) -> Definition {
    match check("saga.yaml", text) {
        (Some(definition), diagnostics) if diagnostics.is_empty() => definition,
        (_, diagnostics) => panic!("\n{diagnostics}"),
    }
}

fn address(text: &str) -> Address {
    text.parse().expect(text)
}

fn cel(text: &str) -> Expression {
    Expression::parse(text).expect(text)
}

fn assignment(field: &str, value: &str) -> Assignment {
    Assignment { field: field.to_owned(), value: cel(value) }
}

/// An object of templates.
fn with(fields: &[(&str, &str)]) -> Template {
    let field = |(name, text): &(&str, &str)| {
        ((*name).to_owned(), Template::parse(text).expect("a template"))
    };
    Template::Object(fields.iter().map(field).collect())
}

fn done(on: &str) -> Vec<Done> {
    vec![Done { on: address(on), condition: None, set: None }]
}

fn failed(on: &str) -> Vec<Failed> {
    let reason = Some(cel("event.why"));
    vec![Failed { on: address(on), condition: None, reason, set: Vec::new(), then: Then::GoBack }]
}

const FIVE: Retry = Retry {
    budget: Budget::Attempts(5),
    first: Span::millis(200),
    factor: 2.0,
    most: Span::seconds(10),
};

const DAY: Retry = Retry {
    budget: Budget::For(Span::hours(24)),
    first: Span::millis(200),
    factor: 2.0,
    most: Span::seconds(300),
};

fn request(
    command: &str,
    fields: &[(&str, &str)],
    reply: &str,
    within: u64,
    retry: Retry,
) -> Request {
    Request {
        command: address(command),
        key: None,
        with: Some(with(fields)),
        headers: Vec::new(),
        done: done(reply),
        within: Span::seconds(within),
        retry,
    }
}

const ORDER_ID: (&str, &str) = ("order_id", "${data.order_id}");

fn reserve_stock() -> StepKind {
    let fields = [ORDER_ID, ("lines", "${data.lines}")];
    let reply = "inventory.events/StockReserved";
    let undone = "inventory.events/StockReleased";
    StepKind::Command(CommandStep {
        request: request("inventory.commands/ReserveStock", &fields, reply, 10, FIVE),
        failed: failed("inventory.events/StockRejected"),
        probe: None,
        unknown: Unknown::Compensate,
        compensate: Compensation::Command {
            request: request("inventory.commands/ReleaseStock", &[ORDER_ID], undone, 30, DAY),
            set: Vec::new(),
        },
    })
}

fn charge_card() -> StepKind {
    let fields = [ORDER_ID, ("amount", "${data.total}")];
    let reply = "payments.events/PaymentCaptured";
    let undone = "payments.events/PaymentRefunded";
    StepKind::Command(CommandStep {
        request: request("payments.commands/ChargeCard", &fields, reply, 30, FIVE),
        failed: failed("payments.events/PaymentDeclined"),
        probe: None,
        unknown: Unknown::Compensate,
        compensate: Compensation::Command {
            request: request("payments.commands/RefundPayment", &fields, undone, 30, DAY),
            set: Vec::new(),
        },
    })
}

fn ship() -> StepKind {
    let fields = [ORDER_ID, ("lines", "${data.lines}")];
    let reply = "shipping.events/ShipmentCreated";
    StepKind::Command(CommandStep {
        request: request("shipping.commands/CreateShipment", &fields, reply, 30, FIVE),
        failed: failed("shipping.events/ShipmentRefused"),
        probe: None,
        unknown: Unknown::Retry,
        compensate: Compensation::Unsaid,
    })
}

fn fact(to: &str, fields: &[(&str, &str)]) -> Fact {
    Fact { to: address(to), key: None, with: Some(with(fields)), headers: Vec::new() }
}

fn step(id: u32, name: &str, title: &str, kind: StepKind) -> Step {
    let line = ORDER.lines().position(|l| l.trim() == format!("- step: {name}"));
    Step {
        id: StepId(id),
        block: BlockId::MAIN,
        name: StepName::new(name).expect(name),
        title: Some(title.to_owned()),
        when: None,
        set: Vec::new(),
        pivot: false,
        after_pivot: false,
        kind,
        line: u32::try_from(line.expect("the step is there") + 1).expect("a short file"),
    }
}

fn order_steps() -> Vec<Step> {
    let told = StepKind::Emit(EmitStep {
        fact: fact("shop.orders/OrderShipped", &[ORDER_ID]),
        compensate: Compensation::Unsaid,
    });
    let told_title = "Tell the customer that the parcel is on its way";
    vec![
        Step {
            set: vec![assignment("reservation", "event.reservation_id")],
            ..step(0, "reserve-stock", "Put the goods aside", reserve_stock())
        },
        Step {
            set: vec![assignment("payment", "event.payment_id")],
            ..step(1, "charge-card", "Take the money", charge_card())
        },
        Step { pivot: true, ..step(2, "ship", "Hand the parcel to the carrier", ship()) },
        Step { after_pivot: true, ..step(3, "tell-customer", told_title, told) },
    ]
}

fn rule(topic: &str) -> EventRule {
    EventRule {
        on: EventPattern { topic: Topic::new(topic).expect(topic), event_type: None },
        key: Some(cel("event.order_id")),
        by: Correlation::Any,
    }
}

#[test]
fn the_order_saga_reads_as_it_is_written() {
    let failure = [ORDER_ID, ("step", "${failure.step}"), ("reason", "${failure.reason}")];
    let expected = Definition {
        saga: SagaName::new("order-fulfilment").expect("a name"),
        version: Version(1),
        hash: Hash::of(ORDER),
        title: "From placed order to parcel on its way".to_owned(),
        state: State::Active,
        file: Arc::from("saga.yaml"),
        source: Arc::from(ORDER),
        starts: vec![Start {
            on: address("shop.orders/OrderPlaced"),
            condition: Some(cel("event.total > 0")),
            key: Some(cel("event.order_id")),
            again: Again::Ignore,
            after: After::Ignore,
        }],
        events: ["inventory.events", "payments.events", "shipping.events"].map(rule).to_vec(),
        data: vec![
            assignment("order_id", "event.order_id"),
            assignment("lines", "event.lines"),
            assignment("total", "event.total"),
        ],
        sensitive: Vec::new(),
        search: Vec::new(),
        within: Some(Span::seconds(30 * 60)),
        late: Span::hours(7 * 24),
        cancel: vec![Cancel {
            on: address("shop.orders/OrderCancelled"),
            condition: Some(cel("event.by == \"customer\"")),
            key: Some(cel("event.order_id")),
        }],
        steps: order_steps(),
        blocks: vec![Block { steps: (0..4).map(StepId).collect(), ..Block::default() }],
        by_parent: false,
        early: Span::seconds(600),
        assume: Vec::new(),
        ends: Ends {
            completed: Some(fact(
                "shop.completions/OrderCompleted",
                &[ORDER_ID, ("total", "${data.total}")],
            )),
            compensated: Some(fact("shop.completions/OrderCancelled", &failure)),
            stuck: Some(fact("shop.completions/OrderNeedsHelp", &failure)),
        },
    };
    assert_eq!(parsed(ORDER), expected);
}

/// The smallest saga around some steps.
fn saga(steps: &str) -> String {
    let start =
        "saga: s\nversion: 1\nstart: shop.orders/OrderPlaced\ndata: { total: event.total }\n";
    let mut text = format!("{start}steps:\n");
    for line in steps.lines() {
        writeln!(text, "  {line}").expect("writing to a string never fails");
    }
    text
}

#[test]
fn everything_about_a_command_may_be_said() {
    let definition = parsed(&saga(
        "- step: reserve
  when: data.total > 1.0
  command: a.commands/Reserve
  key: data.total
  with: { amount: \"${data.total}\", exact: 19.990, big: 12345678901234567890, text: '5', no: null }
  headers: { tenant: \"t-${key}\" }
  set: { a: event.a }
  done:
    - a.events/Reserved
    - { on: a.events/Kept, where: event.n > 1, set: { b: event.b } }
  failed:
    - a.events/Rejected
    - { on: a.events/Gone, where: event.final, reason: event.why, set: { c: now }, then: go-on }
    - { on: a.events/Odd, then: park }
  within: 1m
  retry: { for: 1h, first: 1s, factor: 1.5, most: 1m }
  unknown: park
  compensate:
    command: a.commands/Release
    with: { why: \"${failure.kind}: ${failure.reason}\" }
    done: { on: a.events/Released, set: { d: event.d } }
    set: { e: event.e }
    retry: { attempts: 3 }",
    ));
    let StepKind::Command(command) = &definition.steps[0].kind else {
        panic!("it is a command");
    };
    let event = json!({});
    let data = json!({ "total": 1 });
    let scope = Scope::at(Timestamp(0)).with(Name::Event, &event).with(Name::Data, &data);
    let body = command.request.with.as_ref().map(|with| with.render(&scope).expect("it fills"));
    let body = body.as_ref().map(Value::to_string);
    let expected = r#"{"amount":1,"exact":19.990,"big":12345678901234567890,"text":"5","no":null}"#;
    assert_eq!(body.as_deref(), Some(expected));
    assert_eq!(command.request.headers.len(), 1);
    assert_eq!(command.request.done[1].set, Some(vec![assignment("b", "event.b")]));
    assert_eq!(command.request.done[1].condition, Some(cel("event.n > 1")));
    assert_eq!(command.failed[0].then, Then::GoBack);
    assert_eq!(command.failed[1].then, Then::GoOn);
    assert_eq!(command.failed[1].set, [assignment("c", "now")]);
    assert_eq!(command.failed[2].then, Then::Park);
    assert_eq!(command.unknown, Unknown::Park);
    let retry = Retry {
        budget: Budget::For(Span::hours(1)),
        first: Span::seconds(1),
        factor: 1.5,
        most: Span::seconds(60),
    };
    assert_eq!(command.request.retry, retry);
    let Compensation::Command { request, set } = &command.compensate else {
        panic!("it is undone by a command");
    };
    assert_eq!(request.retry, Retry { budget: Budget::Attempts(3), ..DAY });
    assert_eq!(*set, [assignment("e", "event.e")]);
}

#[test]
fn facts_sets_and_failures_are_steps() {
    let definition = parsed(&saga(
        "- step: tell
  emit: a.events/Told
  key: data.total
  set: { told: now }
  compensate: { emit: a.events/Withdrawn, with: { why: \"${failure.reason}\" } }
- set: { total: data.total + 1 }
  when: data.total < 10
- fail: \"no carrier takes ${data.total}\"
  when: data.total > 100",
    ));
    let names: Vec<&str> = definition.steps.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["tell", "set.2", "fail.3"]);
    assert_eq!(definition.steps[1].set, [assignment("total", "data.total + 1")]);
    assert_eq!(definition.steps[1].when, Some(cel("data.total < 10")));
    assert!(matches!(&definition.steps[0].kind, StepKind::Emit(e)
        if matches!(e.compensate, Compensation::Emit(_))));
    assert!(matches!(definition.steps[2].kind, StepKind::Fail(Template::Text(_))));
}

#[test]
fn a_name_that_is_repeated_by_an_alias_is_read_twice() {
    let text = saga(
        "- step: a
  command: a.commands/A
  done: a.events/A
  retry: &patient { attempts: 9 }
  compensate: none
- step: b
  command: a.commands/B
  done: a.events/B
  retry: *patient
  compensate: none",
    );
    let budgets = parsed(&text)
        .steps
        .iter()
        .map(|step| match &step.kind {
            StepKind::Command(command) => command.request.retry.budget,
            _ => panic!("it is a command"),
        })
        .collect::<Vec<_>>();
    assert_eq!(budgets, [Budget::Attempts(9), Budget::Attempts(9)]);
}

#[test]
fn a_file_has_limits() {
    let refused = |text: &str, words: &str| {
        let diagnostics = parse("saga.yaml", text).expect_err("it is too large");
        assert!(diagnostics.to_string().contains(words), "{diagnostics}");
    };
    refused(&format!("{ORDER}{}", "# more\n".repeat(40_000)), "larger than 256 KiB");
    refused(&saga(&"- set: { total: data.total }\n".repeat(STEPS_MAX + 1)), "more than 256 steps");
    refused(&saga(&format!("- fail: [{}]", "a,".repeat(20_000))), "more than 20000 values");
    let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, n| {
        writeln!(text, "a{n}: &a{n} [*a{0}, *a{0}]", n - 1).expect("a string");
        text
    });
    refused(&bomb, "more than 20000 values");
    let deep = (1..60).fold("a0: &a0 [x]\n".to_owned(), |mut text, n| {
        writeln!(text, "a{n}: &a{n} [*a{}]", n - 1).expect("a string");
        text
    });
    refused(&deep, "nested deeper than 32 levels");
}

#[test]
fn only_so_many_diagnostics_are_printed() {
    let text = saga(&"- sett: { total: 1 }\n".repeat(60));
    let diagnostics = parse("saga.yaml", &text).expect_err("nothing in it is known");
    assert_eq!(diagnostics.iter().len(), 60);
    assert_eq!(diagnostics.errors(), 60);
    assert!(diagnostics.to_string().ends_with("… and 10 more"), "{diagnostics}");
}

#[test]
fn a_warning_does_not_stop_a_definition() {
    let text = saga(
        "- step: a
  pivot: true
  emit: a.events/A
- step: b
  emit: a.events/B
  compensate: none",
    );
    let (definition, diagnostics) = check("saga.yaml", &text);
    assert!(definition.is_some());
    assert_eq!((diagnostics.iter().len(), diagnostics.errors()), (1, 0));
    assert!(parse("saga.yaml", &text).is_ok());
}

/// What an author may type, above all what means something to YAML.
const TYPED: &str = "\\PC{0,3}|[\n\t :{}\\[\\]'\"!&*#|>-]{1,3}";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_of_a_definition_panics_the_parser(
        edits in prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), TYPED), 1..6),
        whole: bool,
    ) {
        let mut text: Vec<char> = if whole { WHOLE } else { ORDER }.chars().collect();
        for (kind, place, with) in edits {
            let at = place.index(text.len().max(1)).min(text.len());
            let end = (at + with.chars().count()).min(text.len());
            match kind {
                0 => drop(text.splice(at..at, with.chars())),
                1 => drop(text.splice(at..end, with.chars())),
                _ => drop(text.drain(at..(at + 7).min(text.len()))),
            }
        }
        let text: String = text.into_iter().collect();
        let (definition, diagnostics) = check("saga.yaml", &text);
        prop_assert!(definition.is_some() || diagnostics.errors() > 0);
        prop_assert!(!diagnostics.to_string().is_empty() || diagnostics.is_empty());
    }

    #[test]
    fn no_shuffle_of_its_lines_panics_the_parser(
        moves in prop::collection::vec((any::<[prop::sample::Index; 2]>(), 0..3_u8), 1..8),
        whole: bool,
    ) {
        let text = if whole { WHOLE } else { ORDER };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for ([from, to], kind) in moves {
            let (from, to) = (from.index(lines.len()), to.index(lines.len()));
            match kind {
                0 => lines.swap(from, to),
                1 => lines[from] = format!("  {}", lines[to]),
                _ => lines[from] = lines[to].trim_start().to_owned(),
            }
        }
        let (definition, diagnostics) = check("saga.yaml", &lines.join("\n"));
        prop_assert!(definition.is_some() || diagnostics.errors() > 0);
        let _ = diagnostics.render(true);
    }
}

#[test]
fn a_definition_is_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&parsed(ORDER));
}
