use super::geometry::Size;
use super::measure::{Style, rows, width};
use super::picture::{About, Picture, Shape};
use super::plain::wrap;

/// The room between a card's border and its text, left and right.
const PAD: i32 = 20;
/// The room above and below its text.
const PAD_ABOVE: i32 = 10;
/// The room between the word of a particular and what it says.
const WORD_GAP: i32 = 8;
/// The most lines of a heading or of a particular.
const LINES_MAX: usize = 5;
/// The narrowest and widest card of a step, those of what undoes one, and a region's widest head.
const STEP: (i32, i32) = (180, 300);
const UNDO: (i32, i32) = (150, 280);
const HEAD_MAX: i32 = 420;

/// What the word PIVOT takes.
pub(super) const BADGE: Size = Size { width: 54, height: 17 };

/// What is written on a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Card {
    /// The lines of text.
    pub rows: Vec<Row>,
    /// How large the box must be.
    pub size: Size,
}

/// A line of text: where it begins, from the box's upper left corner to the letters' ground line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub x: i32,
    pub y: i32,
    pub style: Style,
    pub text: String,
}

/// What is written on all boxes of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cards {
    /// On its nodes, in their order.
    pub nodes: Vec<Card>,
    /// On the heads of its regions, in their order.
    pub heads: Vec<Card>,
    /// How wide a label may be.
    pub label: i32,
}

impl Cards {
    /// Writes all cards of a picture; cards of a kind are equally wide.
    pub fn of(picture: &Picture) -> Self {
        let widest = |undo: bool| {
            let like = picture.nodes.iter().filter(|node| (node.shape == Shape::Undo) == undo);
            like.map(|node| natural(&node.about)).max().unwrap_or(0)
        };
        let step = even(widest(false).clamp(STEP.0, STEP.1));
        let undo = even(widest(true).clamp(UNDO.0, UNDO.1));
        let node = |node: &super::picture::Node| match node.shape {
            Shape::Undo => write(&node.about, undo),
            Shape::Start | Shape::Completed | Shape::Compensated => {
                write(&node.about, even(natural(&node.about).clamp(UNDO.0, step.min(UNDO.1))))
            }
            Shape::Command
            | Shape::Emit
            | Shape::Set
            | Shape::Fail
            | Shape::Wait
            | Shape::Sleep
            | Shape::Ask
            | Shape::Call
            | Shape::Child => write(&node.about, step),
        };
        let head = |about: &About| write(about, even(natural(about).clamp(STEP.0, HEAD_MAX)));
        Self {
            nodes: picture.nodes.iter().map(node).collect(),
            heads: picture.regions.iter().map(|region| head(&region.about)).collect(),
            label: step,
        }
    }
}

/// The next even number: middles are whole then.
pub(super) fn even(length: i32) -> i32 {
    length + length % 2
}

/// Breaks a text into lines of a width.
pub(super) fn lines(text: &str, style: Style, room: i32, lines_max: usize) -> Vec<String> {
    wrap(text, lines_max, |line| width(line, style) <= room)
}

/// How wide a card is on which nothing is broken.
fn natural(about: &About) -> i32 {
    let badge = if about.pivot { BADGE.width + WORD_GAP } else { 0 };
    let words = word_column(about);
    let details = about.details.iter().map(|d| words + width(&d.text, Style::Detail));
    let top = [
        width(&about.caption.to_uppercase(), Style::Caption) + badge,
        width(&about.heading, Style::Heading),
        width(&about.name, Style::Name),
    ];
    2 * PAD + top.into_iter().chain(details).max().unwrap_or(0)
}

fn word_column(about: &About) -> i32 {
    let words = about.details.iter().map(|d| width(d.word, Style::Word));
    words.max().map_or(0, |widest| widest + WORD_GAP)
}

fn write(about: &About, card: i32) -> Card {
    let mut writer = Writer { rows: Vec::new(), y: PAD_ABOVE };
    let room = card - 2 * PAD;
    if !about.caption.is_empty() || about.pivot {
        let badge = if about.pivot { BADGE.width + WORD_GAP } else { 0 };
        writer.block(&about.caption.to_uppercase(), Style::Caption, PAD, room - badge, 1);
        writer.y += 2;
    }
    writer.block(&about.heading, Style::Heading, PAD, room, LINES_MAX);
    if !about.name.is_empty() && about.name != about.heading {
        writer.block(&about.name, Style::Name, PAD, room, usize::MAX);
    }
    if !about.details.is_empty() {
        writer.y += 4;
    }
    let words = word_column(about);
    for detail in &about.details {
        let top = writer.y;
        writer.block(detail.word, Style::Word, PAD, room, 1);
        writer.y = top;
        writer.block(&detail.text, Style::Detail, PAD + words, room - words, LINES_MAX);
    }
    Card { rows: writer.rows, size: Size { width: card, height: even(writer.y + PAD_ABOVE) } }
}

struct Writer {
    rows: Vec<Row>,
    y: i32,
}

impl Writer {
    fn block(&mut self, text: &str, style: Style, x: i32, room: i32, lines_max: usize) {
        let lines = lines(text, style, room, lines_max);
        let count = rows(lines.len());
        for (index, text) in (0..).zip(lines) {
            let y = self.y + index * style.height() + style.size();
            self.rows.push(Row { x, y, style, text });
        }
        self.y += count * style.height();
    }
}
