//! Implements the runtime's ports in memory, with a seed and faults.
//!
//! ```text
//!   World ── logs, groups, transactions, stores, clocks, dice
//!     │ node(name)            one process; kill, evict, lose_store, jump act on it from outside
//!     ▼
//!   Node ── broker() source() store() clock() calls()    every call is a place where it may die
//!
//!   Simulation ── nodes, participants by their scripts, load and time in turn, as the seed says;
//!                 then:
//!     fold     each inbox through the bare engine: what every commit must have made of it
//!     audit    what was sent, done and undone, read from the topics and from the participants
//! ```
//!
//! What a world is made of (`log`, `group`, `line`, `transaction`, …) knows no world; `state` moves
//! it, `world` shares the state, the ports stand on the world, and `harness` drives them all.

mod anew;
mod answer_odds;
mod audit;
mod broker;
mod cabinet;
mod caller;
mod clock;
mod deed;
mod deployment;
mod dice;
mod ending;
mod fault;
mod fold;
mod group;
mod harness;
mod line;
mod load;
mod log;
mod node;
mod options;
mod overtaken;
mod people;
mod promises;
mod reader;
mod services;
mod setup;
mod source;
mod state;
mod store;
mod transaction;
mod world;

pub use answer_odds::AnswerOdds;
pub use broker::{REASON, SimulatedBroker};
pub use caller::SimulatedCaller;
pub use clock::SimulatedClock;
pub use dice::Dice;
pub use fault::{CrashPoint, Fault, FaultTally, Moment, Odds, PortCall, Weakness};
pub use harness::Simulation;
pub use node::Node;
pub use options::{Options, Outcome};
pub use reader::SimulatedReader;
pub use setup::{Place, Setup};
pub use source::SimulatedSource;
pub use store::SimulatedStore;
pub use world::{Seen, World};
