#![doc = include_str!("ARCHITECTURE.md")]
//!
//! # A saga in memory
//!
//! The pure rooms need no Kafka: a definition is parsed and proved, and an event is put to it.
//!
//! ```
//! use segue::checker;
//! use segue::definition::{Catalog, parse};
//! use segue::engine::{Effect, Input, step};
//! use segue::message::{
//!     Address, Event, EventSource, EventType, InstanceId, Key, SagaName, Timestamp, Topic,
//! };
//!
//! let text = r#"
//! saga: parcel
//! version: 1
//! start: { on: shop.orders/OrderPlaced, key: event.order }
//! data: { order: event.order }
//! steps:
//!   - step: book
//!     command: carrier.commands/Book
//!     with: { order: "${data.order}" }
//!     done: carrier.events/Booked
//!     within: 10s
//!     pivot: true
//! "#;
//! let parcel = parse("parcel.yaml", text).expect("a definition");
//! let report = checker::check(&parcel, &[], 100_000);
//! assert_eq!(report.findings.len(), 0, "whatever happens, it ends well");
//!
//! let mut catalog = Catalog::default();
//! catalog.add(parcel).expect("the first of its version");
//! let placed = Event {
//!     address: Address {
//!         topic: Topic::new("shop.orders").expect("a topic"),
//!         event_type: EventType::new("OrderPlaced"),
//!     },
//!     source: EventSource::Unnamed,
//!     id: "17".to_owned(),
//!     key: None,
//!     body: serde_json::json!({"order": "o-1"}),
//!     command: None,
//!     trace_parent: None,
//!     timestamp: Timestamp(0),
//! };
//! let saga = SagaName::new("parcel").expect("a name");
//! let id = InstanceId { saga, key: Key::new("o-1").expect("a key") };
//! let begun = step(&catalog, &id, None, &Input::Event(placed), Timestamp(5)).expect("a start");
//! assert!(matches!(&begun.effects[..], [Effect::Command(book)] if book.body["order"] == "o-1"));
//! ```

// The language: what a definition says.
pub mod correlation;
pub mod definition;
pub mod expression;
pub mod graph;
pub mod message;

// The machine: what an input does to an instance.
pub mod engine;
pub mod format;
pub mod status;

// Proof: what a definition promises.
pub mod books;
pub mod checker;
pub mod scenario;

// The loop: batches, commits, restores, over ports.
pub mod runtime;

// The edges: everything that touches the world.
#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod broker;
#[cfg(feature = "server")]
pub mod calls;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod console;
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
#[cfg(feature = "server")]
pub mod view;

// The trials: made-up services, and a world in which everything goes wrong.
pub mod participants;
pub mod simulation;
