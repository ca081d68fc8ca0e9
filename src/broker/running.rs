//! Counts what still runs of some sagas, from the changelog.

use std::collections::{BTreeMap, BTreeSet};

use super::whole_topic::read_whole;
use super::{Connection, Error};
use crate::engine::Instance;
use crate::format::changelog::target_of;
use crate::message::{EngineTopics, SagaName};

/// What is left of one saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Running {
    /// Instances that have not ended.
    pub living: u64,
    /// Starts that are kept, for the end of another or of a pause.
    pub kept: u64,
}

/// What is left of each of these sagas, as the changelog says now.
///
/// # Errors
/// When the cluster does not answer, or the changelog is not read in a minute.
pub fn running(
    connection: &Connection,
    app: &str,
    sagas: &BTreeSet<SagaName>,
) -> Result<BTreeMap<SagaName, Running>, Error> {
    let topic = EngineTopics::new(app).map_err(|e| Error::Topics(e.to_string()))?.changelog;
    let mut instances = BTreeMap::new();
    read_whole(connection, &format!("{app}.running"), &topic, |record| {
        let Some(key) = &record.key else { return Ok(()) };
        let target = target_of(key);
        let saga = sagas.iter().find(|saga| saga.as_str() == target.saga);
        let instance = record.body.as_deref().and_then(|body| Instance::decode(body).ok());
        match (saga, instance) {
            (None, _) => {}
            (Some(_), None) => drop(instances.remove(key)),
            (Some(saga), Some(instance)) => {
                let living = u64::from(instance.living().is_some());
                let left = Running { living, kept: instance.queued.len() as u64 };
                instances.insert(key.clone(), (saga.clone(), left));
            }
        }
        Ok(())
    })?;
    let mut left: BTreeMap<SagaName, Running> = BTreeMap::new();
    for (saga, Running { living, kept }) in instances.into_values() {
        let of = left.entry(saga).or_default();
        of.living += living;
        of.kept += kept;
    }
    Ok(left)
}
