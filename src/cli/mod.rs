//! Reads the command line and runs what it asks for.
