use super::bulk::members;
use super::handle::LIST_ROWS_MAX;
use super::{BulkRow, Error, Fresh, View, query};

impl View {
    /// Acts on many instances, the newest first.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn bulks(&self, limit: usize) -> Result<Fresh<Vec<BulkRow>>, Error> {
        self.fresh(|index| query::bulks(index, limit.min(LIST_ROWS_MAX)))
    }

    /// One act on many instances; none if it is not known.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn bulk(&self, id: &str) -> Result<Fresh<Option<BulkRow>>, Error> {
        self.fresh(|index| query::bulk(index, id))
    }

    /// The instances of an act on many, in their order, as its record names them; none if it is not
    /// known, or the record is not kept any more.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn bulk_members(&self, id: &str) -> Result<Option<Vec<String>>, Error> {
        let shared = &self.0;
        let place = shared.read(|index| query::bulk_place(index, id))?;
        let Some((partition, place)) = place else { return Ok(None) };
        let records = shared.records(&shared.topics.operator, partition, &[place])?;
        Ok(records.first().and_then(members))
    }
}
