//! Exports traces and logs.
