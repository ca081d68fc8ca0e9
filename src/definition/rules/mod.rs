//! What can be wrong with a definition whose every part is right.

mod again;
mod apart;
mod branches;
mod children;
mod early;
mod ends;
mod events;
mod flow;
mod kinds;
mod known;
mod locks;
mod outcome;
mod reach;
mod search;
mod sensitive;
mod shared;
mod spelling;
mod texts;
mod times;
mod together;
mod topics;
mod undo;
mod usage;
mod whole;

use std::collections::BTreeMap;

use super::Definition;
use super::parse::Reader;
use crate::expression::Kinds;
use whole::Whole;

pub use together::{check_beside, check_together};

impl Definition {
    /// The fields that the data may hold, each with the kinds of what is set there, as far as is
    /// known.
    #[must_use]
    pub fn data_kinds(&self) -> BTreeMap<String, Kinds> {
        kinds::of_data(self)
    }
}

/// Says everything that is wrong with a definition as a whole.
pub(super) fn apply(reader: &mut Reader<'_>, definition: &Definition) {
    let places = std::mem::take(&mut reader.places);
    let mut whole = Whole::new(definition, &places);
    flow::check(&mut whole);
    shared::check(&mut whole);
    reach::check(&mut whole);
    events::check(&mut whole);
    times::check(&mut whole);
    early::check(&mut whole);
    undo::check(&mut whole);
    ends::check(&mut whole);
    locks::check(&mut whole);
    sensitive::check(&mut whole);
    search::check(&mut whole);
    kinds::check(&mut whole);
    usage::check(&mut whole);
    branches::check(&mut whole);
    branches::check_bounds(&mut whole);
    texts::check(&mut whole);
    topics::check(&mut whole);
    spelling::check(&mut whole);
    for finding in whole.found {
        reader.find(finding);
    }
    reader.places = places;
}
