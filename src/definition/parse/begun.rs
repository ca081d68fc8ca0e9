use std::collections::BTreeMap;

use serde_json::Value;

use crate::definition::{Assignment, Start};
use crate::expression::{Condition, Demand, Expression, Measured, Reference, Relation, Test};

/// What the starts of a saga say of its data.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    /// The `where` of each start; none if one has none, or a parent may start it.
    conditions: Vec<Condition>,
    /// The fields that are a path of the start event as it stands.
    taken: BTreeMap<String, Reference>,
}

impl Begun {
    pub fn of(starts: &[Start], by_parent: bool, data: &[Assignment]) -> Self {
        let conditions = starts.iter().map(|start| start.condition.as_ref());
        let conditions: Option<Vec<&Expression>> = conditions.collect();
        let conditions = conditions.filter(|_| !by_parent).unwrap_or_default();
        let path = |a: &Assignment| Some((a.field.clone(), a.value.path()?.clone()));
        Self {
            conditions: conditions.into_iter().map(|c| c.condition().clone()).collect(),
            taken: data.iter().filter_map(path).collect(),
        }
    }

    /// Whether nothing starts with a list of more elements in a field.
    pub fn has_at_most(&self, field: &str, most: u32) -> bool {
        let Some(path) = self.taken.get(field) else { return false };
        let of = Measured::Size(path.clone());
        let more = Test::Compared(Relation::Greater, Value::from(most));
        let is_bounded = |condition: &Condition| {
            condition.holds_only_by(&|question, holds| {
                let demand = question.demand.as_ref().filter(|demand| demand.of == of);
                demand.is_some_and(|d| !Demand::can_be_size(&[(&d.test, holds), (&more, true)]))
            })
        };
        !self.conditions.is_empty() && self.conditions.iter().all(is_bounded)
    }
}
