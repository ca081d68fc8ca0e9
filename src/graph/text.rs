use super::mark::Marked;
use super::picture::{About, Item, LaneId, LineId, NodeId, Picture, Shape};
use super::plain::wrap;

/// The widest line, in columns.
const COLUMNS: usize = 100;
/// The widest name of a lane.
const LANE_MAX: usize = 18;
/// The narrowest room for text, however deep it stands.
const TEXT_MIN: usize = 20;

/// Draws a picture as a tree, with how far one life is if that is given.
pub(super) fn draw(picture: &Picture, lanes: bool, marked: Option<&Marked>) -> String {
    let width = picture.lanes.iter().map(|lane| lane.chars().count()).max().unwrap_or(0);
    let gutter = if lanes { width.min(LANE_MAX) + 2 } else { 0 };
    let mut tree = Tree { picture, marked, gutter, text: String::new() };
    tree.head();
    tree.line(LineId::MAIN, "");
    if let Some(end) = picture.line(LineId::MAIN).items.first().and_then(|i| undo(picture, *i)) {
        tree.write(None, "", "");
        tree.item(Item::Node(end), "", false);
    }
    tree.text
}

fn undo(picture: &Picture, item: Item) -> Option<NodeId> {
    picture.about(item).undo
}

struct Tree<'p> {
    picture: &'p Picture,
    marked: Option<&'p Marked>,
    gutter: usize,
    text: String,
}

impl Tree<'_> {
    fn head(&mut self) {
        let picture = self.picture;
        self.wrapped(&format!("{}, version {}: {}", picture.saga, picture.version, picture.title));
        for note in &picture.notes {
            self.wrapped(note);
        }
        self.text.push('\n');
    }

    fn wrapped(&mut self, text: &str) {
        for line in wrap(text, usize::MAX, |line| line.chars().count() <= COLUMNS) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    fn line(&mut self, line: LineId, before: &str) {
        let items = &self.picture.line(line).items;
        for (index, item) in items.iter().enumerate() {
            let last = index + 1 == items.len();
            self.item(*item, before, !last);
            if !last {
                self.write(None, &format!("{before}│"), "");
            }
        }
    }

    fn item(&mut self, item: Item, before: &str, more: bool) {
        let about = self.picture.about(item);
        let lane = matches!(item, Item::Node(_)).then_some(about.lane);
        let trunk = if more { '│' } else { ' ' };
        let first = format!("{before}{} ", self.bullet(item));
        let head = format!("{}{}", headline(about), self.badge(item));
        self.write_below(lane, &first, &head, &format!("{before}{trunk}   "));
        let below = format!("{before}{trunk}     ");
        self.particulars(about, &below);
        let end = matches!(item, Item::Node(id) if self.picture.node(id).shape == Shape::Start);
        if let Some(id) = about.undo.filter(|_| !end) {
            let undo = &self.picture.node(id).about;
            let lane = Some(undo.lane).filter(|lane| *lane != about.lane);
            let head = format!("{}{}", headline(undo), self.badge(Item::Node(id)));
            self.write(lane, &format!("{below}↩ "), &head);
            self.particulars(undo, &format!("{below}    "));
        }
        if let Item::Region(id) = item {
            self.branches(&self.picture.region(id).lines, before, more);
        }
    }

    /// The lines of a region, each a step to the right; the trunk goes on beside them.
    fn branches(&mut self, lines: &[LineId], before: &str, more: bool) {
        for (index, line) in lines.iter().enumerate() {
            let last = !more && index + 1 == lines.len();
            let (corner, trunk) = if last { ('└', ' ') } else { ('├', '│') };
            match &self.picture.line(*line).label {
                Some(label) => self.write(None, &format!("{before}{corner}─ "), label),
                None => self.write(None, &format!("{before}│"), ""),
            }
            self.line(*line, &format!("{before}{trunk}  "));
            if index + 1 < lines.len() {
                self.write(None, &format!("{before}│"), "");
            }
        }
    }

    fn bullet(&self, item: Item) -> char {
        if self.picture.about(item).pivot {
            return '◆';
        }
        match item {
            Item::Region(_) => '▣',
            Item::Node(id) => match self.picture.node(id).shape {
                Shape::Start | Shape::Completed | Shape::Compensated => '◎',
                Shape::Fail => '✗',
                Shape::Set | Shape::Sleep | Shape::Wait | Shape::Ask => '○',
                Shape::Command | Shape::Emit | Shape::Call | Shape::Child | Shape::Undo => '●',
            },
        }
    }

    /// How far an item is, behind its headline; where each life begins needs no word.
    fn badge(&self, item: Item) -> String {
        let mark = match item {
            Item::Region(id) => self.marked.and_then(|marked| marked.region(id.0)),
            Item::Node(id) if self.picture.node(id).shape == Shape::Start => None,
            Item::Node(id) => self.marked.and_then(|marked| marked.node(id.0)),
        };
        mark.map_or_else(String::new, |mark| format!("  [{}]", mark.badge()))
    }

    fn particulars(&mut self, about: &About, before: &str) {
        if let Some(when) = &about.when {
            self.write(None, &format!("{before}only if "), when);
        }
        let word = about.details.iter().map(|d| d.word.len()).max().unwrap_or(0);
        for detail in &about.details {
            self.write(None, &format!("{before}{:word$}  ", detail.word), &detail.text);
        }
    }

    /// Writes a text behind a prefix; what does not fit goes on below it.
    fn write(&mut self, lane: Option<LaneId>, before: &str, text: &str) {
        let trunk = |c: char| if matches!(c, '│' | '├') { '│' } else { ' ' };
        let below: String = before.chars().map(trunk).collect();
        self.write_below(lane, before, text, &below);
    }

    fn write_below(&mut self, lane: Option<LaneId>, before: &str, text: &str, below: &str) {
        let taken = self.gutter + before.chars().count().max(below.chars().count());
        let room = COLUMNS.saturating_sub(taken).max(TEXT_MIN);
        let lines = wrap(text, usize::MAX, |line| line.chars().count() <= room);
        for (index, line) in lines.iter().enumerate() {
            let lane = lane.filter(|_| index == 0);
            let lane = self.lane(lane);
            let whole = format!("{lane}{}{line}", if index == 0 { before } else { below });
            self.text.push_str(whole.trim_end());
            self.text.push('\n');
        }
    }

    fn lane(&self, lane: Option<LaneId>) -> String {
        if self.gutter == 0 {
            return String::new();
        }
        let name = lane.map_or("", |lane| &self.picture.lanes[lane.0]);
        let short: String = name.chars().take(LANE_MAX).collect();
        format!("{short:width$}", width = self.gutter)
    }
}

fn headline(about: &About) -> String {
    let name = match about.name.as_str() {
        "" => about.heading.clone(),
        name if name == about.heading => name.to_owned(),
        name => format!("{name}: {}", about.heading),
    };
    let kind =
        if about.caption.is_empty() { String::new() } else { format!(" ({})", about.caption) };
    let pivot = if about.pivot { "; pivot: from here only forward" } else { "" };
    format!("{name}{kind}{pivot}")
}
