//! Simulates the services that obey commands, by `participants.yaml`, and places the events that
//! start sagas.
//!
//! A `participants.yaml` lies beside a saga and says how its services behave in `segue dev`:
//!
//! ```yaml
//! participants:                                # by the command that they obey
//!   payments.commands/ChargeCard:
//!     delay: 20ms..80ms                        # or 50ms; default: none
//!     duplicate: 5%                            # the same answer once more, after another delay
//!     silent: 1%                               # this attempt goes unanswered
//!     late: { share: 2%, by: 40s..60s }        # every attempt of it is answered that late
//!     echo: true                               # default; false leaves `segue-command` out
//!     answers:
//!       - event: payments.events/PaymentCaptured
//!         weight: 80                           # default 1
//!         body: { order_id: "${event.order_id}", payment_id: "p-${answer.id}" }
//!       - event: payments.events/PaymentDeclined
//!         weight: 20
//!         refusal: true                        # also answers an action that was undone before
//!         key: "${key}"                        # default: the command's record key
//!         body: { order_id: "${event.order_id}", why: card expired }
//! starts:                                      # what `segue dev` places
//!   - event: shop.orders/OrderPlaced
//!     key: "o-${data.n}"
//!     fields:                                  # `data.n` counts from 1
//!       sku: { choice: [LAMP, CHAIR, DESK] }
//!       total: { from: 5, to: 900, decimals: 3 }    # 19.990, with all its digits
//!     body: { order_id: "o-${data.n}", sku: "${data.sku}", total: "${data.total}" }
//! ```
//!
//! In an answer `event` is the command's body, `key` its record key and `answer.id` an id that is
//! the same for all attempts; in a start `data` holds the fields. A number written out in a body
//! is read as YAML reads it; write a generated one where every digit matters.
//!
//! Participants keep the contract that Segue asks of real ones. The outcome of an action is drawn
//! from the seed and its `idempotency-key` alone: every attempt gets the same answer and body
//! under a `ce_id` of its own, in whatever order commands arrive; exact duplicates share the
//! `ce_id`. What `segue-undoes` names is remembered: an action that arrives only after its undo is
//! refused, and stays refused. Lateness belongs to the action, silence and delay to the attempt.

mod behaviour;
mod decide;
mod draw;
#[cfg(feature = "server")]
mod load;
mod notation;
#[cfg(feature = "server")]
mod run;
mod starts;

#[cfg(test)]
mod tests;

pub use behaviour::{Behaviour, Delay, Field, Late, Reply, Script, Share, StartEvent};
pub use decide::{Answer, Command, Participants, REMEMBERED_MAX, Unanswered};
#[cfg(feature = "server")]
pub use load::{Load, Pace, Placed};
pub use notation::Error;
#[cfg(feature = "server")]
pub use run::{Answered, run};
pub use starts::Starts;
