//! Decides what an input does to an instance; pure: no IO, no clock, no randomness.
