//! Keeps the local checkpoint in sled.
