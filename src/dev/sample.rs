/// The definition that `segue dev` runs when no other is named.
pub(super) const DEFINITION: &str = include_str!("../../sagas/order-fulfilment/saga.yaml");
/// How its simulated services answer.
pub(super) const PARTICIPANTS: &str =
    include_str!("../../sagas/order-fulfilment/participants.yaml");
