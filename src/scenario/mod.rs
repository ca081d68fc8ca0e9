//! Runs a definition's scenario files against the engine in virtual time.
//!
//! A scenario is a YAML file in `scenarios/` beside the `saga.yaml` that it tests:
//!
//! ```yaml
//! scenario: a declined card gives the stock back
//! given:                                    # the start; `id:` names the event, default `given`,
//!   on: shop.orders/OrderPlaced             # `source:` who sent it, default nobody
//!   key: o-1                                # the record's key, if the definition reads it
//!   event: { order_id: o-1, total: 10 }
//! run:
//!   - expect: [ { command: inventory.commands/ReserveStock } ]
//!   - event: inventory.events/StockReserved
//!     body: { reservation_id: r-9 }
//!   - expect: [ { command: payments.commands/ChargeCard, with: { amount: 10 } } ]
//!   - end: running
//! ```
//!
//! A child starts with `given: { by: parent, key: …, event: { … } }`. The clock stands at
//! 2026-01-01T00:00:00Z until a `pass` moves it. The steps of `run` are:
//!
//! - `expect: [ … ]`: all that was sent since the last `expect`, in its order, and nothing else.
//!   Each is one of these and has, as far as they are said, the fields of `with`, the record's
//!   `key`, the `headers` and the `attempt`; `times: 3` or `times: any` stands for repetitions.
//!   - `command: topic/type`, `fact: topic/type`
//!   - `call: POST https://fraud.internal/scores`, with `body` in place of `with`
//!   - `question: compliance`, with `text: …` and `choices: [ … ]`
//!   - `child: settlement`: it is started (`with` is its event), or with `says: take-back` it is
//!     told to take itself back
//!   - `parent: completed` (or `compensated`, `taken`, `taken-back`, `kept`), what a child answers;
//!     `with` is its data
//!   - `complaint: …`: people are told, as of a dead letter; the words, or a part of them
//! - `event: topic/type`: an event is read, with `body`, `key`, `id` and `source`. It answers the
//!   latest command that takes such an answer and has none; `command: charge-card/1` (or
//!   `charge-card~undo/1`, `check[2]~probe/1`, or a whole id) names another, `by-key: true` none.
//!   Two events of one address are the same if `source` and `id` are; an event without `id` has
//!   one of its own.
//! - `called: { status: 200, body: { … } }`, `called: { failed: it broke }` (it may have happened)
//!   or `called: { unsent: nobody listens }` (it surely did not): a call comes back, the latest one
//!   or that which `command:` beside it names.
//! - `answer: approve`, with `step`, `by`, `note` and `data`: a person answers a question.
//! - `child: settle`, with `says: completed` (or `compensated`, `taken`, `taken-back`, `kept`),
//!   `data` and `reason`: the child of that step answers; a scenario runs one saga.
//! - `parent: take-back` or `parent: let-go`: what a child is told.
//! - `held: account/7`, `freed: account/7`: somebody else takes a lock and lets it go. A lock that
//!   nobody else holds is granted at once; what is said to locks is not shown.
//! - `rejected: duplicate`: the event, act or answer before it was declined, as `duplicate`,
//!   `ignored`, `unmatched` or `refused`.
//! - `pass: 31s`: time passes; timers fire in their order, each at its time.
//! - `down: 2h`: time passes while the engine is away; what was due meanwhile fires at its end, all
//!   at once. An attempt whose time ran out meanwhile gets it again, once, before it counts as
//!   silence. So a saga can run out of time before an attempt of one of its steps does.
//! - `act: { retry: ship, by: ann, why: … }`: a person acts on the step that is named, or on what
//!   is stuck: `retry`, `skip`, `resolve-done` (with `data: { … }`), `resolve-not-done`, `go-back`.
//!   `cancel: ~`, `pause: ~`, `resume: ~` and `set-data: ~` (with `data`) are about the whole saga,
//!   stuck or not.
//! - `end: compensated`: how the instance stands: `running`, `compensating`, `stuck`, `completed`,
//!   `compensated`, `ended` (one way or the other, remembered or not) or `forgotten`. Beside it, if
//!   it matters, `at: charge-card` (where it went back or is stuck), `because: rejected` (or
//!   `exhausted`, `deadline`, `cancelled`, `failed`) and `undoing: true` (what is stuck).
//! - `data: { … }`: what the saga remembers, as far as it is said.
//!
//! Everything sent must be expected before the next event, act or end, the facts of `emit` steps
//! and of `ends` too. A `with`, `data` or `headers` may leave fields out; lists are compared whole.

mod answers;
mod compare;
mod draft;
mod letters;
mod model;
mod parse;
mod rehearsal;
mod report;
mod run;
mod update;
mod words;
mod world;
mod write;

#[cfg(test)]
mod tests;

pub use model::Scenario;
pub(crate) use model::{
    Acted, Answers, ChildSays, Declined, Does, Given, How, Identity, Returned, Stand, Starter,
    ToParent, Told,
};
pub use parse::{RUN_MAX, parse};
pub(crate) use rehearsal::Rehearsal;
pub use report::{End, Mismatch, Report};
pub use run::run;
pub use update::{Rewrite, Updated, update};
pub use write::write;
