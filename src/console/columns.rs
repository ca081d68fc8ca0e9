//! Which columns a list of instances has: those that its address names, else the usual ones.

use std::collections::BTreeSet;

use super::query::Query;
use crate::view::Row;

/// What an address says of each column that is wanted.
pub(super) const COLUMN: &str = "column";
/// The columns that every list can have, with what stands above them and whether they are usual.
const KNOWN: [(&str, &str, bool); 6] = [
    ("step", "Step and reason", true),
    ("started", "Started", true),
    ("took", "Took", true),
    ("due", "Next timer", true),
    ("version", "Version", true),
    ("changed", "Last change", false),
];
/// The most columns of searched fields.
const FIELDS_MAX: usize = 20;

/// The columns of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// All that can be had, in their order.
    pub all: Vec<Column>,
}

/// A column that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// As the address names it.
    pub name: String,
    pub label: String,
    pub is_on: bool,
    /// Whether it is of a field that instances are searched by.
    pub is_field: bool,
}

impl Columns {
    /// Those that an address names; the fields are those of the rows, and those that it names.
    pub fn of(query: &Query, rows: &[Row]) -> Self {
        let wanted: BTreeSet<&str> = query.all(COLUMN).collect();
        let is_on = |name: &str, is_usual| {
            if wanted.is_empty() { is_usual } else { wanted.contains(name) }
        };
        let known = KNOWN.into_iter().map(|(name, label, is_usual)| Column {
            name: name.to_owned(),
            label: label.to_owned(),
            is_on: is_on(name, is_usual),
            is_field: false,
        });
        let of_rows = rows.iter().flat_map(|row| row.fields.keys().map(String::as_str));
        let named = wanted.iter().copied().filter(|name| name.starts_with("data."));
        let fields: BTreeSet<&str> = of_rows.chain(named).collect();
        let fields = fields.into_iter().take(FIELDS_MAX).map(|name| Column {
            name: name.to_owned(),
            label: name.to_owned(),
            is_on: is_on(name, false),
            is_field: true,
        });
        Self { all: known.chain(fields).collect() }
    }

    /// Whether one of those that every list can have is shown.
    pub fn shows(&self, name: &str) -> bool {
        self.all.iter().any(|column| column.is_on && column.name == name)
    }

    /// The fields that are shown.
    pub fn fields(&self) -> impl Iterator<Item = &Column> {
        self.all.iter().filter(|column| column.is_on && column.is_field)
    }
}
