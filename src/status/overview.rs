use serde::{Deserialize, Serialize};

use super::life::standing;
use super::{LifeState, Masks, Moment, Standing};
use crate::definition::Catalog;
use crate::engine::{Claim, Early, Instance, Lock};
use crate::message::{Event, InstanceId};

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

/// What is told of an instance; none if nothing is remembered of it but what tells repetitions.
#[must_use]
pub fn overview(
    catalog: &Catalog,
    id: &InstanceId,
    instance: &Instance,
    masks: Masks,
) -> Option<Overview> {
    let lives = instance.lives.iter().rev();
    let lives: Vec<Standing> = lives.map(|life| standing(catalog, id, life, masks)).collect();
    let state = state(instance, &lives)?;
    let early = instance.early.iter();
    Some(Overview {
        saga: id.saga.to_string(),
        key: id.key.to_string(),
        state,
        lives,
        queued: instance.queued.iter().map(|event| held(event, None)).collect(),
        paused: instance.paused,
        early: early.map(|Early { event, until }| held(event, until.map(Moment))).collect(),
        lock: instance.lock.as_ref().map(lock),
    })
}

/// What an instance is at: a life that lives comes first, then what waits for one, then the past.
fn state(instance: &Instance, lives: &[Standing]) -> Option<LifeState> {
    if let Some(lock) = &instance.lock {
        return Some(if lock.holder.is_some() { LifeState::Held } else { LifeState::Free });
    }
    let newest = lives.first().map(|life| life.state);
    let waits = instance.living().is_none() && !instance.queued.is_empty();
    let early = (!instance.early.is_empty()).then_some(LifeState::Early);
    waits.then_some(LifeState::Paused).or(newest).or(early)
}

fn held(event: &Event, until: Option<Moment>) -> HeldEvent {
    HeldEvent {
        event: event.address.to_string(),
        id: event.id.clone(),
        at: Moment(event.timestamp),
        until,
    }
}

fn lock(lock: &Lock) -> LockStanding {
    LockStanding {
        fence: lock.fence,
        holder: lock.holder.as_ref().map(|(claim, _)| claimed(claim)),
        waiting: lock.waiting.iter().map(claimed).collect(),
        forgotten_at: lock.forget.map(Moment),
    }
}

fn claimed(claim: &Claim) -> Claimed {
    Claimed {
        saga: claim.instance.saga.to_string(),
        key: claim.instance.key.to_string(),
        life: claim.life.to_string(),
        step: claim.step.to_string(),
    }
}
