use super::card::{self, Cards};
use super::drawing::Sizes;
use super::geometry::Size;
use super::measure::{self, Style};
use super::picture::{LineId, Picture};

/// The room between a label's text and its border.
const LABEL_PAD: Size = Size { width: 8, height: 4 };
/// The most lines of a label.
const LABEL_LINES: usize = 4;
/// The widest name of a lane.
const LANE_MAX: i32 = 180;

/// The lines of every label, by line and by the item that it stands in front of.
pub(super) fn labels(picture: &Picture, room: i32) -> Vec<Vec<Vec<String>>> {
    let lines = (0..picture.lines.len()).map(LineId);
    let label = |line: LineId, index: usize| {
        let text = picture.label_before(line, index);
        text.map_or_else(Vec::new, |text| card::lines(&text, Style::Label, room, LABEL_LINES))
    };
    let of_line =
        |line: LineId| (0..=picture.line(line).items.len()).map(|i| label(line, i)).collect();
    lines.map(of_line).collect()
}

/// How much room everything needs.
pub(super) fn sizes(picture: &Picture, cards: &Cards, labels: &[Vec<Vec<String>>]) -> Sizes {
    let label = |lines: &Vec<String>| {
        if lines.is_empty() {
            return Size::default();
        }
        let text = measure::size(lines, Style::Label);
        Size {
            width: card::even(text.width + 2 * LABEL_PAD.width),
            height: card::even(text.height + 2 * LABEL_PAD.height),
        }
    };
    Sizes {
        nodes: cards.nodes.iter().map(|card| card.size).collect(),
        heads: cards.heads.iter().map(|card| card.size).collect(),
        labels: labels.iter().map(|line| line.iter().map(label).collect()).collect(),
        lanes: picture.lanes.iter().map(|name| measure::size(&lane(name), Style::Lane)).collect(),
    }
}

/// The lines of a lane's name.
pub(super) fn lane(name: &str) -> Vec<String> {
    card::lines(name, Style::Lane, LANE_MAX, 2)
}
