mod saga;

use saga::{
    ORDER, ask, call, child, child_with_command, choose, command, each, emit, fail, lock, parallel,
    probed, saga, set, sleep, wait,
};

use super::*;
use crate::definition::{Compensation, Join, OnFailed, Release, parse};

/// Every construct in one saga.
fn everything() -> Definition {
    let fraud = vec![
        call("score", "fraud.internal", "/score?account=${data.account}").title("Score the order"),
        set("note-score"),
    ];
    let credit = vec![
        command("hold-credit", "credit", "HoldCredit", Some("FreeCredit")).title("Hold the credit"),
        wait("await-credit", "credit.events/CreditCleared", "credit.events/CreditRefused"),
    ];
    let lines = vec![
        probed("reserve", "inventory", "ReserveStock", "ReleaseStock").title("Put goods aside"),
        command("label", "warehouse", "PrintLabel", None).when("item.fragile"),
    ];
    let big = vec![
        ask("approve", "compliance", "Pay ${data.amount} to ${data.payee}?").title("Ask them"),
        sleep("cool-off", 24),
    ];
    let none = vec![fail("nobody", "no carrier serves ${data.country}")];
    let exclusive = vec![
        command("debit", "accounts", "Debit", Some("CreditBack")).title("Take from one account"),
        command("credit", "accounts", "Credit", None).title("Give to the other").pivot(),
    ];
    saga(
        "everything",
        vec![
            parallel("checks", Join::All, vec![("fraud", fraud), ("credit", credit)])
                .title("Check who orders"),
            each("lines", "data.lines", OnFailed::Drop, lines).title("Every line of the order"),
            choose(
                "route",
                vec![
                    (Some("data.total > 1000"), big),
                    (Some("data.country == \"AQ\""), none),
                    (None, vec![set("small")]),
                ],
            ),
            child("settle", "settlement", Compensation::Child).when("data.total > 0"),
            lock(
                "exclusive",
                &["account/${data.from}", "account/${data.to}"],
                Release::End,
                exclusive,
            )
            .pivot(),
            emit("tell", "shop.orders/OrderShipped").title("Tell the customer"),
        ],
    )
}

/// A child for `settle`.
fn settlement() -> Definition {
    saga(
        "settlement",
        vec![
            command("open-books", "ledger", "OpenBooks", Some("CloseBooks")),
            command("write-books", "ledger", "WriteBooks", Some("StrikeBooks")),
        ],
    )
}

#[test]
fn scratch() {
    let Ok(path) = std::env::var("SCRATCH") else { return };
    let folder = std::path::Path::new(&path);
    let order = parse("saga.yaml", ORDER).expect("a definition");
    let (everything, settlement) = (everything(), settlement());
    let taken = saga(
        "taken",
        vec![
            child_with_command("settle", "settlement", "ledger", "Reopen"),
            parallel(
                "race",
                Join::First,
                vec![
                    ("one", vec![command("one-a", "a", "Do", Some("Undo"))]),
                    ("two", vec![command("two-a", "b", "Do", Some("Undo")), set("two-b")]),
                    ("none", vec![]),
                ],
            ),
        ],
    );
    for definition in [&order, &everything, &taken] {
        let known = [&order, &everything, &settlement, &taken];
        for direction in [Direction::Down, Direction::Right] {
            for lanes in [false, true] {
                let options = Options { format: Format::Svg, lanes, direction };
                let name = format!("{}-{direction:?}-{lanes}.svg", definition.saga);
                std::fs::write(folder.join(name), draw(definition, &known, &options))
                    .expect("written");
            }
        }
        for lanes in [false, true] {
            for (format, end) in
                [(Format::Text, "txt"), (Format::Mermaid, "mmd"), (Format::Dot, "dot")]
            {
                let options = Options { format, lanes, direction: Direction::Down };
                let name = format!("{}-{lanes}.{end}", definition.saga);
                std::fs::write(folder.join(name), draw(definition, &known, &options))
                    .expect("written");
            }
        }
    }
}
