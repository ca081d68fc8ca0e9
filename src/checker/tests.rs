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
