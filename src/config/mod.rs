//! Reads the configuration: file, environment, flags; every value keeps its origin.
