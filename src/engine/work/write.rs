//! What steps write: the data, or the fields of the branch around them, within their limits.

use serde_json::{Map, Value};

use super::scope::{Bound, More};
use super::turn::Turn;
use crate::definition::{Assignment, BlockId, Composite, Join, Limits, bytes};
use crate::engine::state::place::{Line, Place};
use crate::engine::state::weight;

impl Turn<'_> {
    /// What some assignments write, each of which sees the ones before it; nothing changes yet.
    pub fn assigned(
        &self,
        line: &Line,
        assignments: &[Assignment],
        more: More<'_>,
    ) -> Result<Map<String, Value>, String> {
        self.assigned_by(self.bound(line).with(more), line, assignments)
    }

    /// The same for the undoing of a step, which knows what a late answer of that step has set.
    pub fn assigned_undone(
        &self,
        place: &Place,
        assignments: &[Assignment],
        more: More<'_>,
    ) -> Result<Map<String, Value>, String> {
        let bound = self.bound(&place.line).knowing(self.at(place).late.as_deref());
        self.assigned_by(bound.with(more), &place.line, assignments)
    }

    fn assigned_by(
        &self,
        mut bound: Bound<'_>,
        line: &Line,
        assignments: &[Assignment],
    ) -> Result<Map<String, Value>, String> {
        let mut written = Map::new();
        if assignments.is_empty() {
            return Ok(written);
        }
        for (place, assignment) in assignments.iter().enumerate() {
            let value = assignment
                .value
                .evaluate(&bound.scope())
                .map_err(|e| format!("`set: {}` has no value: {e}", assignment.field))?;
            if place + 1 < assignments.len() {
                bound.set(&assignment.field, value.clone());
            }
            written.insert(assignment.field.clone(), value);
        }
        self.fits(line, &written)?;
        Ok(written)
    }

    /// Refuses branches of a fan-out that would make the data or the instance outgrow its limit.
    pub fn room_for(&self, elements: &[Value], block: BlockId) -> Result<(), String> {
        let data: usize = elements.iter().map(weight::of_value).sum();
        if weight::of_data(self.life) + data > self.limits.data_bytes_max {
            return too_large(self.limits);
        }
        let early = weight::of_events(self.early.iter().map(|early| &early.event));
        let steps = elements.len() * weight::of_branch(self.definition, block);
        let so_far = self.beside + early + weight::of_life(self.definition, self.life);
        if so_far + data + steps <= self.limits.instance_bytes_max {
            return Ok(());
        }
        let limit = bytes(self.limits.instance_bytes_max);
        Err(format!(
            "{} elements with their steps are more than one instance may remember \
             (`limits.instance-bytes-max`: {limit}); take fewer, or give each a child saga",
            elements.len()
        ))
    }

    /// Refuses what would make the data outgrow its limit.
    pub fn fits(&self, line: &Line, written: &Map<String, Value>) -> Result<(), String> {
        let most = weight::of_data(self.life) + weight::of_fields(written);
        if most <= self.limits.data_bytes_max {
            return Ok(());
        }
        let before = match self.target(line) {
            Some(branch) => &self.frame(&branch).fields,
            None => match &self.life.data {
                Value::Object(fields) => fields,
                _ => return too_large(self.limits),
            },
        };
        let replaced = before.iter().filter(|(name, _)| written.contains_key(*name));
        let less = weight::of_fields(replaced);
        if most - less <= self.limits.data_bytes_max { Ok(()) } else { too_large(self.limits) }
    }

    /// The branch whose own fields a step of this list sets; none means the data.
    pub fn target(&self, line: &Line) -> Option<Line> {
        if line.is_main() {
            return None;
        }
        line.outwards().find(|line| {
            line.owner().is_some_and(|owner| match self.step_at(&owner).composite() {
                Some(Composite::Each(_)) => true,
                Some(Composite::Parallel(parallel)) => parallel.join == Join::First,
                Some(Composite::Choose(_) | Composite::Lock(_)) | None => false,
            })
        })
    }

    /// Writes what a step of this list has set.
    pub fn write(&mut self, line: &Line, written: Map<String, Value>) {
        if written.is_empty() {
            return;
        }
        if let Some(branch) = self.target(line) {
            self.frame_mut(&branch).fields.extend(written);
        } else if let Value::Object(data) = &mut self.life.data {
            data.extend(written);
        }
    }
}

/// Refuses data that outgrew its limit.
pub(in crate::engine) fn within_limit(data: &Value, limits: &Limits) -> Result<(), String> {
    if weight::of_value(data) <= limits.data_bytes_max { Ok(()) } else { too_large(limits) }
}

fn too_large<T>(limits: &Limits) -> Result<T, String> {
    let limit = bytes(limits.data_bytes_max);
    Err(format!(
        "the saga's data would be larger than {limit} (`limits.data-bytes-max`); remember less"
    ))
}
