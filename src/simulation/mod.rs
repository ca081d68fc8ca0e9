//! Implements the runtime's ports in memory, with a seed and faults.
//!
//! ```text
//!   World ── logs, groups, transactions, stores, clocks, dice
//!     │ node(name)            one process; kill, evict, lose_store, jump act on it from outside
//!     ▼
//!   Node ── broker() source() store() clock()       every call is a place where the node may die
//! ```

mod broker;
mod clock;
mod dice;
mod fault;
mod group;
mod line;
mod log;
mod node;
mod reader;
mod shelves;
mod source;
mod state;
mod store;
mod transaction;
mod world;

pub use broker::{REASON, SimulatedBroker};
pub use clock::SimulatedClock;
pub use dice::Dice;
pub use fault::{Call, CrashPoint, Fault, Moment, Odds, Tally, Weakness};
pub use node::Node;
pub use reader::SimulatedReader;
pub use source::SimulatedSource;
pub use store::SimulatedStore;
pub use world::{Place, Seen, Setup, World};
