use super::*;
use crate::definition::parse;

fn checked(path: &str) -> Report {
    let text = std::fs::read_to_string(path).expect("a definition that ships");
    let definition = parse(path, &text).expect("it parses");
    check(&definition, &[], STATES_MAX)
}

#[test]
fn the_order_saga_keeps_every_promise() {
    let report = checked("sagas/order-fulfilment/saga.yaml");
    assert!(report.is_proved(), "{report}");
    assert!(report.endings.contains(&Ending::Completed), "{report}");
}

#[test]
#[ignore = "a look at sagas elsewhere: set SAGA to a definition's path"]
fn look() {
    let path = std::env::var("SAGA").expect("SAGA is a path");
    let others = std::env::var("OTHERS").unwrap_or_default();
    let read = |path: &str| parse(path, &std::fs::read_to_string(path).expect("a file"));
    let others: Vec<Definition> =
        others.split_whitespace().map(|p| read(p).expect("it parses")).collect();
    let definition = match read(&path) {
        Ok(definition) => definition,
        Err(wrong) => panic!("{wrong}"),
    };
    let others: Vec<&Definition> = others.iter().collect();
    println!("{}", check(&definition, &others, STATES_MAX));
}
