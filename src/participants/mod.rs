//! Simulates the services that obey commands and calls, and the people who answer questions, by
//! `participants.yaml`, and places the events that start sagas.
//!
//! A `participants.yaml` lies beside a saga and says how they behave in `segue dev`:
//!
//! ```yaml
//! participants:                                # by the command that they obey
//!   payments.commands/ChargeCard:
//!     delay: 20ms..80ms                        # or 50ms; default: none
//!     duplicate: 5%                            # the same answer once more, after another delay
//!     silent: 1%                               # this attempt is obeyed, but goes unanswered
//!     lost: 1%                                 # this attempt never arrives
//!     late: { share: 2%, by: 40s..60s }        # every attempt of it is answered that late
//!     echo: true                               # default; false leaves `segue-command` out
//!     fields: { fee: { from: 1, to: 9 } }      # drawn for each action, `answer.fee`
//!     answers:
//!       - event: payments.events/PaymentCaptured
//!         weight: 80                           # default 1
//!         body: { order_id: "${event.order_id}", payment_id: "p-${answer.id}" }
//!         then:                                # one of these follows by itself, by weight
//!           - event: payments.events/MoneyArrived
//!             after: 2s..5s
//!             weight: 9
//!             body: { order_id: "${event.order_id}" }
//!           - { weight: 1 }                    # without `event` nothing follows
//!       - event: payments.events/PaymentDeclined
//!         weight: 20
//!         refusal: true                        # nothing was done; also refuses what was undone
//!         key: "${key}"                        # default: the command's record key
//!         body: { order_id: "${event.order_id}", why: card expired }
//!   payments.commands/FindPayment:             # a probe: its answer says what really happened
//!     answers:
//!       - { event: payments.events/PaymentFound, found: true, body: { id: "p-${answer.id}" } }
//!       - { event: payments.events/NoPayment, found: false }
//! calls:                                       # by the request; `*` stands for a part of the path
//!   POST https://fraud.internal/v1/scores/*:
//!     delay: 5ms..20ms
//!     silent: 1%
//!     failing: 2%                              # this attempt is answered 503
//!     fields: { score: { from: 0, to: 999 } }
//!     answers:
//!       - { status: 200, weight: 9, body: { score: "${answer.score}" } }
//!       - { status: 422, weight: 1, refusal: true, body: { why: no such account } }
//! people:                                      # by whom an `ask` asks
//!   compliance:
//!     delay: 1s..4s
//!     silent: 5%                               # they never answer
//!     choices: { approve: 9, refuse: 1 }       # by weight
//!     note: looked at it
//! starts:                                      # what `segue dev` places
//!   - event: shop.orders/OrderPlaced
//!     weight: 3                                # against the other starts
//!     key: "o-${data.n}"
//!     fields:                                  # `data.n` counts from 1
//!       sku: { choice: [LAMP, CHAIR, DESK] }
//!       total: { from: 5, to: 900, decimals: 3 }    # 19.990, with all its digits
//!     body: { order_id: "o-${data.n}", sku: "${data.sku}", total: "${data.total}" }
//!     then: [ … ]                              # as above, with `data` in place of `event`
//! ```
//!
//! In an answer and what follows it `event` is the command's (or request's) body, `key` its record
//! key and `answer` holds an `id` and the `fields`, the same for all attempts; in a probe's answer
//! they are those of the action that it asks about. In a start `data` holds the fields. A number
//! written out in a body is read as YAML reads it; write a generated one where every digit matters.
//!
//! Participants keep the contract that Segue asks of real ones. The outcome of an action is drawn
//! from the seed and its `idempotency-key` alone: every attempt gets the same answer and body
//! under a `ce_id` of its own, in whatever order commands arrive; exact duplicates share the
//! `ce_id`, and so does what follows, which goes its way even if the answer was lost. What
//! `segue-undoes` names is remembered: an action that arrives only after its undo is refused, and
//! stays refused. Lateness belongs to the action; silence, loss, failing and delay to the attempt.

mod behaviour;
mod callees;
#[cfg(feature = "server")]
mod caller;
mod decide;
mod draw;
#[cfg(feature = "server")]
mod load;
mod memory;
mod notation;
mod people;
#[cfg(feature = "server")]
mod run;
mod starts;
#[cfg(feature = "server")]
mod waiting;

#[cfg(test)]
mod tests;

pub use behaviour::{
    Behaviour, CallBehaviour, CallPattern, CallReply, Delay, Field, Follow, Late, Person, Script,
    ScriptedReply, Share, StartEvent,
};
pub use callees::{Callees, Response};
#[cfg(feature = "server")]
pub use caller::ScriptedCaller;
pub use decide::{Command, Participants, ScheduledAnswer, Unanswered};
#[cfg(feature = "server")]
pub use load::{Load, Pace, Placed};
pub use memory::REMEMBERED_MAX;
pub use notation::Error;
pub use people::{People, Question, Said};
#[cfg(feature = "server")]
pub use run::{Answered, run};
pub use starts::Starts;
