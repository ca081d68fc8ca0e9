//! Finds the instances that an event belongs to.
