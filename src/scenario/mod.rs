//! Runs a definition's scenario files against the engine in virtual time.
