/// The definitions that `segue dev` runs when no other is named, and how their simulated services
/// answer.
pub(super) const SAGAS: [(&str, &str); 7] = [
    (
        include_str!("../../sagas/order-fulfilment/saga.yaml"),
        include_str!("../../sagas/order-fulfilment/participants.yaml"),
    ),
    (
        include_str!("../../sagas/insurance-claim/saga.yaml"),
        include_str!("../../sagas/insurance-claim/participants.yaml"),
    ),
    (
        include_str!("../../sagas/treatment-plan/saga.yaml"),
        include_str!("../../sagas/treatment-plan/participants.yaml"),
    ),
    (
        include_str!("../../sagas/money-transfer/saga.yaml"),
        include_str!("../../sagas/money-transfer/participants.yaml"),
    ),
    (
        include_str!("../../sagas/model-data-flow/saga.yaml"),
        include_str!("../../sagas/model-data-flow/participants.yaml"),
    ),
    (
        include_str!("../../sagas/agent-team/saga.yaml"),
        include_str!("../../sagas/agent-team/participants.yaml"),
    ),
    (
        include_str!("../../sagas/agent-team/agent-task/saga.yaml"),
        include_str!("../../sagas/agent-team/agent-task/participants.yaml"),
    ),
];
