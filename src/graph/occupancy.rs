use std::collections::BTreeMap;

use super::picture::{Item, LineId, Picture, RegionKind};

/// How many instances are at a step now, by how they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupancy {
    /// On their way, forward or back.
    pub under_way: u64,
    /// Those whose request had to be sent again.
    pub retrying: u64,
    /// Those that wait until a person acts.
    pub stuck: u64,
}

impl Occupancy {
    /// The most pressing of what there is, as a class of the style sheet; none if nobody is there.
    pub(super) fn class(self) -> Option<&'static str> {
        self.told().first().map(|(class, _)| *class)
    }

    /// What stands on the box of the step, the most pressing first: a class of the style sheet, and
    /// the number behind a sign that tells it apart without colours.
    pub(super) fn told(self) -> Vec<(&'static str, String)> {
        let all = [
            ("stuck", '!', self.stuck),
            ("retrying", '↻', self.retrying),
            ("under-way", '●', self.under_way),
        ];
        let there = all.into_iter().filter(|(_, _, instances)| *instances > 0);
        there
            .map(|(class, sign, instances)| (class, format!("{sign} {}", short(instances))))
            .collect()
    }
}

/// A number that finds room on a box.
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..10_000_000 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

/// How many instances are at the boxes of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Occupied {
    nodes: BTreeMap<usize, Occupancy>,
    regions: BTreeMap<usize, Occupancy>,
}

impl Occupied {
    /// Finds the boxes by the names of their steps. What is drawn of a child is of another saga.
    pub fn of(picture: &Picture, steps: &BTreeMap<String, Occupancy>) -> Self {
        let mut occupied = Self::default();
        occupied.line(picture, steps, LineId::MAIN);
        occupied
    }

    pub fn node(&self, index: usize) -> Option<Occupancy> {
        self.nodes.get(&index).copied()
    }

    pub fn region(&self, index: usize) -> Option<Occupancy> {
        self.regions.get(&index).copied()
    }

    fn line(&mut self, picture: &Picture, steps: &BTreeMap<String, Occupancy>, line: LineId) {
        for item in &picture.line(line).items {
            let there = steps.get(&picture.about(*item).name).copied();
            match item {
                Item::Node(id) => self.nodes.extend(there.map(|there| (id.0, there))),
                Item::Region(id) => {
                    self.regions.extend(there.map(|there| (id.0, there)));
                    let region = picture.region(*id);
                    if region.kind != RegionKind::Child {
                        for line in &region.lines {
                            self.line(picture, steps, *line);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_tells_what_is_most_pressing_first_by_a_sign_and_a_number() {
        let there = Occupancy { under_way: 12_345, retrying: 0, stuck: 3 };
        let told = [("stuck", "! 3".to_owned()), ("under-way", "● 12k".to_owned())];
        assert_eq!((there.told(), there.class()), (told.to_vec(), Some("stuck")));
        assert_eq!(Occupancy::default().class(), None);
        let (small, large) = (short(9_999), short(12_000_000));
        assert_eq!((small.as_str(), large.as_str()), ("9999", "12M"));
    }
}
