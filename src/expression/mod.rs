//! Evaluates CEL expressions, plain paths and templates over JSON values.
