//! Implements the runtime's ports in memory, with a seed and faults.
