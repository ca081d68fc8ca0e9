//! One handler for each kind of thing that can happen to a generation.

pub(super) mod act;
pub(super) mod back;
pub(super) mod cancel;
pub(super) mod finish;
pub(super) mod forward;
pub(super) mod late;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod start;
pub(super) mod wake;
