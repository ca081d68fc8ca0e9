//! Definitions with nothing wrong in them, near those that a rule refuses.

use super::*;

const HEAD: &str = "
saga: parcel
version: 1
start: { on: shop.orders/OrderPlaced, key: event.order_id }
data: { order_id: event.order_id, total: event.total, lines: event.lines }
within: 10d
late: 30d
";

const RESERVE: &str = r"
- step: reserve
  command: inventory.commands/ReserveStock
  done: inventory.events/StockReserved
  set: { reservation: event.reservation_id }
  compensate: { command: inventory.commands/ReleaseStock, done: inventory.events/StockReleased }
";

fn right(head: &str, steps: &str, tail: &str) -> Definition {
    let mut text = format!("{HEAD}{head}steps:\n");
    for line in steps.lines() {
        writeln!(text, "  {line}").expect("writing to a string never fails");
    }
    parsed(&format!("{text}{tail}"))
}

fn check(steps: &str) {
    right("", steps, "");
}

#[test]
fn a_field_may_be_read_where_a_guard_tells_that_it_is_set() {
    let charge = r"
- step: charge
  command: payments.commands/ChargeCard
  done: payments.events/PaymentCaptured
  set: { payment: event.id }
  failed: { on: payments.events/PaymentDeclined, then: go-on, set: { declined: event.why } }
  compensate: { command: payments.commands/Refund, done: payments.events/Refunded }
";
    for guard in ["has(data.payment)", "!has(data.declined)"] {
        check(&format!(
            "{charge}
- step: route
  choose:
    - when: {}
      steps:
        - step: tell
          emit: shop.orders/Paid
          with: {{ payment: \"${{data.payment}}\" }}
          compensate: {{ emit: shop.orders/Unpaid }}
    - otherwise: true
      steps: [ {{ fail: \"${{data.declined}}\" }} ]",
            quoted(guard)
        ));
    }
    check(&format!("{charge}\n- set: {{ paid: 'has(data.payment) ? data.payment : \"no\"' }}"));
    check(&format!("{charge}\n- set: {{ paid: data.payment }}\n  when: has(data.payment)"));
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

#[test]
fn a_field_may_be_read_under_the_guard_under_which_it_was_set() {
    check(
        "
- set: { carrier: '\"air\"' }
  when: data.total > 100
- set: { label: data.carrier }
  when: data.total > 100",
    );
}

#[test]
fn a_field_that_every_way_sets_may_be_read_behind() {
    check(
        "
- step: route
  choose:
    - { when: data.total > 100, steps: [ { set: { carrier: '\"air\"' } } ] }
    - { when: data.total < 0, steps: [ { fail: odd } ] }
    - { otherwise: true, steps: [ { set: { carrier: '\"sea\"' } } ] }
- step: checks
  parallel:
    fraud: [ { set: { fraud: data.carrier } } ]
    credit: [ { set: { credit: data.carrier } } ]
- set: { both: data.fraud + data.credit }
- step: race
  parallel:
    a: [ { set: { won: data.both } } ]
    b: [ { set: { won: data.both } } ]
  join: first
- set: { last: data.won }",
    );
}

#[test]
fn an_undoing_may_read_what_was_known_before_its_step() {
    check(&format!(
        "{RESERVE}
- step: charge
  command: payments.commands/ChargeCard
  done: payments.events/PaymentCaptured
  set: {{ payment: event.id }}
  compensate:
    command: payments.commands/Refund
    with: {{ stock: \"${{data.reservation}}\", pay: \"${{has(data.payment) ? data.payment : 0}}\" }}
    done: payments.events/Refunded"
    ));
    check(
        "
- step: tell
  emit: shop.orders/Accepted
  set: { told: now }
  compensate: { emit: shop.orders/Withdrawn, with: { told: \"${data.told}\" } }",
    );
}

#[test]
fn ends_may_read_what_was_set_before_anything_could_fail() {
    let tail = r#"ends:
  completed: { emit: shop.ends/Done, with: { r: "${data.reservation}", g: "${data.gross}" } }
  compensated: { emit: shop.ends/Undone, with: { total: "${data.gross}" } }
  stuck: { emit: shop.ends/Stuck, with: { total: "${data.gross}" } }
"#;
    right("", &format!("- set: {{ gross: data.total }}\n{RESERVE}"), tail);
}

#[test]
fn replies_may_be_the_same_where_something_tells_them_apart() {
    let two = |done: &str, and: &str| {
        format!(
            "
- step: first
  command: mail.commands/Send
  done: {done}
  compensate: none
- step: second
  command: mail.commands/Send
  done: {and}
  compensate: none"
        )
    };
    let by_id = "events: { mail.events/*: { by: command-id } }\n";
    right(by_id, &two("mail.events/Sent", "mail.events/Sent"), "");
    let when = |n: u8| format!("{{ on: mail.events/Sent, where: event.n == {n} }}");
    right("", &two(&when(1), &when(2)), "");
    check(
        "
- step: route
  choose:
    - when: data.total > 1
      steps: [ { step: a, command: m.commands/A, done: m.events/Sent, compensate: none } ]
    - otherwise: true
      steps: [ { step: b, command: m.commands/A, done: m.events/Sent, compensate: none } ]",
    );
    check(
        "
- step: lines
  each: data.lines
  at-most: 9
  steps:
    - step: pick
      command: inventory.commands/Pick
      done: { on: inventory.events/Picked, where: event.sku == item.sku }
      set: { pick: event.id }
      compensate:
        command: inventory.commands/PutBack
        with: { pick: \"${has(branch.pick) ? branch.pick : ''}\" }
        done: { on: inventory.events/PutBack, where: event.sku == item.sku }
    - set: { label: branch.pick }
  collect: { labels: branch.label }
- set: { all: data.labels }",
    );
}

#[test]
fn behind_a_pivot_time_and_compensation_have_other_rules() {
    let ship = "- { step: ship, pivot: true, command: s.commands/Ship, done: s.events/Shipped }";
    check(&format!("{RESERVE}{ship}\n- {{ step: cool-off, sleep: 60d }}"));
    check(&format!(
        "{RESERVE}{ship}
- step: notify
  within: 5m
  failed: {{ then: go-on }}
  parallel:
    mail: [ {{ step: mail, command: m.commands/Send, done: m.events/Sent, compensate: none }} ]
    text: [ {{ step: text, command: t.commands/Send, done: t.events/Sent, compensate: none }} ]"
    ));
    check(&format!(
        "{RESERVE}{ship}
- step: race
  join: first
  failed: {{ then: park }}
  parallel:
    mail:
      - step: mail
        command: m.commands/Send
        done: m.events/Sent
        failed: m.events/Bounced
        compensate: {{ command: m.commands/Unsend, done: m.events/Unsent }}
    text: [ {{ step: text, command: t.commands/Send, done: t.events/Sent, compensate: none }} ]"
    ));
}

#[test]
fn a_pivot_in_every_branch_is_a_pivot_of_the_line() {
    check(&format!(
        "{RESERVE}
- step: route
  choose:
    - when: data.total > 1
      steps: [ {{ step: air, pivot: true, command: a.commands/Fly, done: a.events/Flown }} ]
    - when: data.total < 0
      steps: [ {{ fail: odd }} ]
    - otherwise: true
      steps:
        - step: exclusive
          lock: ship
          within: 1m
          steps: [ {{ step: sea, pivot: true, command: s.commands/Sail, done: s.events/Sailed }} ]
- step: tell
  emit: shop.orders/Shipped"
    ));
}

#[test]
fn a_lock_may_be_released_when_nothing_behind_it_can_fail() {
    let under = RESERVE.replace('\n', "\n    ");
    let lock = format!("- step: exclusive\n  lock: stock\n  within: 1m\n  steps:{under}");
    check(&format!("{lock}\n- set: {{ seen: now }}"));
    check(&format!(
        "{}\n- step: ask\n  wait: a.events/Answer\n  within: 1d",
        lock.replace("within: 1m", "within: 1m\n  release: pivot")
    ));
}

#[test]
fn fan_outs_may_stand_in_one_another() {
    check(
        "
- step: parcels
  each: data.lines
  at-most: 9
  steps:
    - step: items
      each: item.items
      at-most: 9
      steps: [ { set: { weight: item.weight } } ]
      collect: { weights: branch.weight }
    - set: { heaviest: branch.weights }
  collect: { all: branch.heaviest, places: index }
- set: { last: data.all }",
    );
}

#[test]
fn a_number_that_is_made_double_mixes_with_doubles() {
    check("- set: { fee: 'double(data.total + 1) * 0.19', next: data.total + 1 }");
}
