//! What the engine promises, shown on small definitions.
