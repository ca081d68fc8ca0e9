//! What an input is to an instance, and for which of its lives and steps.

pub(super) mod act;
pub(super) mod cancel;
pub(super) mod case;
pub(super) mod early;
pub(super) mod letter;
pub(super) mod meaning;
pub(super) mod moves;
pub(super) mod search;
pub(super) mod start;
