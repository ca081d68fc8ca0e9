//! What an input is to an instance, and for which of its lives and steps.

mod act;
mod cancel;
pub(super) mod case;
mod early;
mod letter;
pub(super) mod meaning;
mod moves;
mod obey;
mod pause;
mod search;
mod set_data;
mod start;
mod taken;
