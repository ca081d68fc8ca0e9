use super::*;

const ORDER: &str = include_str!("../../sagas/order-fulfilment/saga.yaml");

#[test]
fn order_parses() {
    let d = parse("saga.yaml", ORDER).unwrap_or_else(|e| panic!("\n{e}"));
    assert_eq!(d.steps.len(), 4);
}
