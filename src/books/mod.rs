//! Checks the books: proves from the topics alone that every saga ended as its definition promises.
//!
//! ```text
//!   start events ─┐
//!   commands ─────┤                    one account       story (from the history)
//!   answers ──────┼─▶ Books::read ──▶  per instance ──▶  against the topics and back ──▶ Report
//!   facts ────────┤                    and lock          against the definition
//!   <app>.history ┤                                      against locks, parents, children
//!   questions ────┘
//! ```
//!
//! Each file knows those before it here: `ledger` is what was read, `records` and `history` fill
//! it, `lives` folds the history into stories (with `fold`, which judges each note as it comes),
//! `case` is one instance under audit, and `audit` alone calls what checks a whole one: `promises`,
//! `messages`, `answers`; `locks` and `family` check what several instances owe each other.
//!
//! What is not on topics, such as a call over HTTP or a letter to a child, is taken from the
//! history of both sides.
//!
//! Topics are different partitions, so nothing is concluded from timestamps between them. The order
//! of an instance's events is that of its history entries, which stand in one partition; beside it
//! only causes count (command ids, `ce_causationid`, offsets within one partition). Without any
//! history entry the promises are proved from commands, answers and facts alone.
//!
//! Every definition is taken in its newest version.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod account;
mod answers;
mod audit;
mod carried;
mod case;
mod family;
mod fold;
mod history;
mod ledger;
mod lives;
mod locks;
mod messages;
mod names;
mod pause;
mod plan;
mod promises;
mod records;
mod report;
mod spot;
mod story;
mod tally;
mod whole;

#[cfg(test)]
mod tests;

pub use ledger::{Books, Delivery, Options, Record};
pub use report::{Report, Rule, VIOLATIONS_MAX, Violation};
pub use tally::{REASONS_MAX, Tally};
