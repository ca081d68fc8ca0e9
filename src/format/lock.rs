use super::instance::{each, instance_id};
use super::{Error, wire};
use crate::engine::{Claim, Lock};
use crate::message::Timestamp;

pub(super) fn out(lock: &Lock) -> wire::Lock {
    wire::Lock {
        fence: lock.fence,
        holder: lock.holder.as_ref().map(|(claim, _)| claim_out(claim)),
        held: lock.holder.as_ref().map_or(0, |(_, fence)| *fence),
        waiting: lock.waiting.iter().map(claim_out).collect(),
        forget_ms: lock.forget.map(|t| t.0),
    }
}

pub(super) fn read(lock: wire::Lock) -> Result<Lock, Error> {
    let held = lock.held;
    let holder = lock.holder.map(claim_in).transpose()?;
    Ok(Lock {
        fence: lock.fence,
        holder: holder.map(|claim| (claim, held)),
        waiting: each(lock.waiting, claim_in)?,
        forget: lock.forget_ms.map(Timestamp),
    })
}

fn claim_out(claim: &Claim) -> wire::Claim {
    wire::Claim {
        saga: claim.instance.saga.to_string(),
        key: claim.instance.key.to_string(),
        generation: claim.generation,
        step: claim.step.clone(),
        round: claim.round,
    }
}

fn claim_in(claim: wire::Claim) -> Result<Claim, Error> {
    Ok(Claim {
        instance: instance_id(&claim.saga, &claim.key)?,
        generation: claim.generation,
        step: claim.step,
        round: claim.round,
    })
}
