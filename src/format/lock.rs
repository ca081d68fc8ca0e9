use super::instance::{coordinate, instance_id};
use super::{Error, wire};
use crate::engine::{Claim, Lock};
use crate::message::{LifeId, Timestamp};

pub(super) fn out(lock: &Lock) -> wire::Lock {
    wire::Lock {
        fence: lock.fence,
        holder: lock.holder.as_ref().map(|(claim, _)| claim_out(claim)),
        held: lock.holder.as_ref().map_or(0, |(_, fence)| *fence),
        waiting: lock.waiting.iter().map(claim_out).collect(),
        forget_ms: lock.forget.map(|t| t.0),
    }
}

pub(super) fn read(lock: &wire::Lock) -> Result<Lock, Error> {
    let held = lock.held;
    let holder = lock.holder.as_ref().map(claim_in).transpose()?;
    Ok(Lock {
        fence: lock.fence,
        holder: holder.map(|claim| (claim, held)),
        waiting: lock.waiting.iter().map(claim_in).collect::<Result<_, _>>()?,
        forget: lock.forget_ms.map(Timestamp),
    })
}

fn claim_out(claim: &Claim) -> wire::Claim {
    wire::Claim {
        saga: claim.instance.saga.to_string(),
        key: claim.instance.key.to_string(),
        life: claim.life.number,
        step: claim.step.to_string(),
        round: claim.round,
        mark: claim.life.mark,
    }
}

fn claim_in(claim: &wire::Claim) -> Result<Claim, Error> {
    Ok(Claim {
        instance: instance_id(&claim.saga, &claim.key)?,
        life: LifeId { number: claim.life, mark: claim.mark },
        step: coordinate(&claim.step)?,
        round: claim.round,
    })
}
