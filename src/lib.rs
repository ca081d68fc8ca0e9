#![doc = include_str!("ARCHITECTURE.md")]

// The language: what a definition says.
pub mod correlation;
pub mod definition;
pub mod expression;
pub mod graph;
pub mod message;

// The machine: what an input does to an instance.
pub mod engine;
pub mod format;

// Proof: what a definition promises.
pub mod books;
pub mod checker;
pub mod scenario;

// The loop: batches, commits, restores, over ports.
pub mod runtime;

// The edges: everything that touches the world.
#[cfg(feature = "server")]
pub mod broker;
#[cfg(feature = "server")]
pub mod calls;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod dev;
#[cfg(feature = "server")]
pub mod devbroker;
#[cfg(feature = "server")]
pub mod node;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod telemetry;

// The trials: made-up services, and a world in which everything goes wrong.
pub mod participants;
pub mod simulation;
