use serde::{Deserialize, Serialize};

use super::{LifeState, Moment, Standing};

/// Everything that is told of one saga and key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Overview {
    /// The saga.
    pub saga: String,
    /// The key.
    pub key: String,
    /// What it is at: what its newest life is at, if it has one.
    pub state: LifeState,
    /// Its lives as far as they are remembered, the newest first.
    pub lives: Vec<Standing>,
    /// Starts that wait, the next one first.
    pub queued: Vec<HeldEvent>,
    /// Whether those starts wait for the end of a pause of the saga.
    pub paused: bool,
    /// Events that came before what waits for them.
    pub early: Vec<HeldEvent>,
    /// Who holds it and who waits for it, if it is a lock.
    pub lock: Option<LockStanding>,
}

/// An event that is kept for later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct HeldEvent {
    /// Its address.
    pub event: String,
    /// Its id.
    pub id: String,
    /// When it came.
    pub at: Moment,
    /// How long it is kept, where that is bounded by a time.
    pub until: Option<Moment>,
}

/// Who holds a lock and who waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct LockStanding {
    /// The last token that was handed out.
    pub fence: u64,
    /// Who holds it.
    pub holder: Option<Claimed>,
    /// Who waits, in their order.
    pub waiting: Vec<Claimed>,
    /// When it is forgotten; set while nobody holds it.
    pub forgotten_at: Option<Moment>,
}

/// Who holds or wants a lock: a step of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Claimed {
    /// The saga.
    pub saga: String,
    /// The key.
    pub key: String,
    /// The life.
    pub life: String,
    /// The step.
    pub step: String,
}
