use super::{Error, Fresh, View, query};
use crate::message::{SagaName, Version};
use crate::status::LifeState;

/// How many instances of a version are at a step, of those that have not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCount {
    /// The step's name, without branches.
    pub step: String,
    /// What they are at.
    pub state: LifeState,
    /// How many.
    pub instances: u64,
}

impl View {
    /// At which steps of a version its instances are, of those that have not ended.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn steps(&self, saga: &SagaName, version: Version) -> Result<Fresh<Vec<StepCount>>, Error> {
        self.fresh(|index| query::steps(index, saga, version))
    }
}
