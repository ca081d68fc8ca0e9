use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Orientation;
use super::card::{self, BADGE, Card, Cards, Row};
use super::drawing::{Drawing, Route};
use super::flow;
use super::geometry::{Point, Rect, Size};
use super::lanes;
use super::mark::{Mark, Marked, Marks};
use super::measure::{self, Style};
use super::occupancy::{Occupancy, Occupied};
use super::outline::{outline, path};
use super::picture::{About, EdgeRole, LineId, Node, Picture, Region, RegionKind, Shape};
use super::sizes::{labels, lane, sizes};

/// The colours and letters, in light and in dark.
pub(super) const STYLE_SHEET: &str = include_str!("style.css");
/// The same of what says how far a life is, where no page has colours of its own for it.
const MARKS_SHEET: &str = include_str!("marks.css");
/// The room around everything.
const MARGIN: i32 = 28;
/// The narrowest picture: its legend must find room.
const WIDTH_MIN: i32 = 520;
/// How far the cards of a stack are from one another.
const STACK: i32 = 5;

/// How wide the badge of a mark is, by the signs in it.
const MARK_SIGN: i32 = 7;
/// How high it is.
const MARK_HEIGHT: i32 = 18;

/// Draws a picture as SVG that stands alone, with how far one life is if that is given.
pub(super) fn draw(
    picture: &Picture,
    lanes: bool,
    direction: Orientation,
    marked: Option<Marked>,
) -> String {
    let (occupied, text) = (Occupied::default(), String::new());
    Sheet { picture, marked, occupied, is_alone: true, text }.draw(lanes, direction)
}

/// Draws a picture for a page that has the style sheet, with how far one life is.
pub(super) fn draw_marked(picture: &Picture, direction: Orientation, marks: &Marks) -> String {
    let (occupied, text) = (Occupied::default(), String::new());
    let marked = Some(Marked::of(picture, marks));
    Sheet { picture, marked, occupied, is_alone: false, text }.draw(false, direction)
}

/// Draws a picture for a page that has the style sheet, with how many instances are where.
pub(super) fn draw_occupied(
    picture: &Picture,
    direction: Orientation,
    steps: &BTreeMap<String, Occupancy>,
) -> String {
    let (occupied, text) = (Occupied::of(picture, steps), String::new());
    let marked = Some(Marked::of(picture, &Marks::default()));
    Sheet { picture, marked, occupied, is_alone: false, text }.draw(false, direction)
}

/// The title and the notes, from the upper left corner.
fn head(picture: &Picture, width: i32) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut y = 0;
    let about = format!("{}, version {}", picture.saga, picture.version);
    let texts = [(picture.title.as_str(), Style::Title), (about.as_str(), Style::Note)];
    let notes = picture.notes.iter().map(|note| (note.as_str(), Style::Note));
    for (text, style) in texts.into_iter().chain(notes) {
        for text in card::lines(text, style, width, 4) {
            rows.push(Row { x: 0, y: y + style.size(), style, text });
            y += style.height() + 2;
        }
    }
    rows
}

struct Sheet<'p> {
    picture: &'p Picture,
    /// How far a life is, if the drawing is of one.
    marked: Option<Marked>,
    /// How many instances are where, if the drawing is of all of them.
    occupied: Occupied,
    /// Whether it stands in no page: it has a title and a style sheet of its own.
    is_alone: bool,
    text: String,
}

impl Sheet<'_> {
    fn draw(mut self, lanes: bool, direction: Orientation) -> String {
        let picture = self.picture;
        let cards = Cards::of(picture);
        let labels = labels(picture, cards.label);
        let sizes = sizes(picture, &cards, &labels);
        let drawing = if lanes {
            lanes::lay_out(picture, &sizes, direction)
        } else {
            flow::lay_out(picture, &sizes, direction)
        };
        let width = drawing.size.width.max(WIDTH_MIN);
        let head = if self.is_alone { head(picture, width) } else { Vec::new() };
        let top = MARGIN + head.iter().map(|row| row.y).max().unwrap_or(0) + MARGIN;
        let whole =
            Size { width: width + 2 * MARGIN, height: top + drawing.size.height + 3 * MARGIN };
        self.open(whole);
        self.rows(&head, Point { x: MARGIN, y: MARGIN });
        let left = MARGIN + (width - drawing.size.width) / 2;
        let _ = writeln!(self.text, "<g transform=\"translate({left} {top})\">");
        self.drawing(&drawing, &cards, &labels);
        self.text.push_str("</g>\n");
        self.legend(Point { x: MARGIN, y: whole.height - MARGIN });
        self.text.push_str("</svg>\n");
        self.text
    }

    fn open(&mut self, size: Size) {
        let (saga, Size { width, height }) = (&self.picture.saga, size);
        let _ = writeln!(
            self.text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"segue-graph\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{saga}-title {saga}-about\">\n\
             <title id=\"{saga}-title\">{}</title>\n<desc id=\"{saga}-about\">{}</desc>",
            escape(&self.picture.title),
            escape(&describe(self.picture)),
        );
        if self.is_alone {
            let marks = if self.marked.is_some() { MARKS_SHEET } else { "" };
            let _ = writeln!(self.text, "<style>\n{STYLE_SHEET}{marks}</style>");
        }
        self.text.push_str("<defs>\n");
        for (name, class) in [("forward", "arrow"), ("back", "arrow arrow-back")] {
            let _ = writeln!(
                self.text,
                "<marker id=\"{saga}-{name}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
                 markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" \
                 orient=\"auto\"><path class=\"{class}\" d=\"M0 1L10 5L0 9Z\"/></marker>"
            );
        }
        let _ = writeln!(
            self.text,
            "</defs>\n<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>"
        );
    }

    fn drawing(&mut self, drawing: &Drawing, cards: &Cards, labels: &[Vec<Vec<String>>]) {
        for (index, name) in self.picture.lanes.iter().enumerate().take(drawing.lanes.len()) {
            self.rect("lane", drawing.lanes[index], 0);
            self.rect("lane-head", drawing.lane_heads[index], 0);
            self.centred(&lane(name), Style::Lane, drawing.lane_heads[index]);
        }
        for (index, region) in self.picture.regions.iter().enumerate() {
            let (at, head) = (drawing.regions[index], drawing.heads[index]);
            let mark = self.marked.as_ref().and_then(|marked| marked.region(index));
            self.region(region, at, head, &cards.heads[index]);
            self.mark(mark, at);
            self.occupancy(self.occupied.region(index), at);
        }
        for band in &drawing.bands {
            self.rect("band", *band, 0);
        }
        for (edge, route) in self.picture.edges.iter().zip(&drawing.routes) {
            let marked = self.marked.as_ref();
            let taken = marked.is_some_and(|marked| marked.is_taken(edge.from, edge.to));
            self.edge(edge.role, &route.points, taken);
        }
        for (edge, route) in self.picture.edges.iter().zip(&drawing.routes) {
            let index = super::route::index_of(self.picture, edge);
            self.label(route, labels[edge.line.0].get(index));
        }
        for (index, node) in self.picture.nodes.iter().enumerate() {
            let mark = self.marked.as_ref().and_then(|marked| marked.node(index));
            let there = self.occupied.node(index);
            let class = match mark {
                Some(mark) => Some(mark.text()),
                None => there.and_then(Occupancy::class),
            };
            let at = drawing.nodes[index];
            self.node(node, at, &cards.nodes[index], class);
            let is_end = matches!(node.shape, Shape::Start | Shape::Completed | Shape::Compensated);
            self.mark(mark.filter(|_| !is_end), at);
            self.occupancy(there, at);
        }
    }

    fn region(&mut self, region: &Region, at: Rect, head: Rect, card: &Card) {
        let class = match region.kind {
            RegionKind::Lock => "region lock",
            RegionKind::Parallel | RegionKind::Each | RegionKind::Choose | RegionKind::Child => {
                "region"
            }
        };
        let _ = writeln!(self.text, "<g>{}", tip(&region.about));
        if region.kind == RegionKind::Each {
            for step in [2, 1] {
                let behind = Rect { x: at.x + step * STACK, y: at.y + step * STACK, ..at };
                self.rect("stack", behind, 8);
            }
            self.rect("stack", at, 8);
        }
        self.rect(class, at, 8);
        self.rect("head", head, 8);
        self.card(card, &region.about, head);
        self.text.push_str("</g>\n");
    }

    fn node(&mut self, node: &Node, at: Rect, card: &Card, of: Option<&str>) {
        let pivot = if node.about.pivot { " pivot" } else { "" };
        let (class, data) = (node.shape.text(), outline(node.shape, at));
        let of = of.map_or_else(String::new, |of| format!(" class=\"at-{of}\""));
        let _ = writeln!(
            self.text,
            "<g{of}>{}<path class=\"box {class}{pivot}\" d=\"{data}\"/>",
            tip(&node.about)
        );
        if node.shape == Shape::Child {
            for x in [at.x + 8, at.right() - 8] {
                let _ = writeln!(
                    self.text,
                    "<path class=\"bar\" d=\"M{x} {}V{}\"/>",
                    at.y,
                    at.bottom()
                );
            }
        }
        self.card(card, &node.about, at);
        self.text.push_str("</g>\n");
    }

    fn mark(&mut self, mark: Option<Mark>, at: Rect) {
        let Some(mark) = mark else { return };
        self.badge(mark.text(), mark.badge(), at);
    }

    /// How many instances are there: a badge for each way in which they do.
    fn occupancy(&mut self, there: Option<Occupancy>, mut at: Rect) {
        for (class, words) in there.into_iter().flat_map(Occupancy::told) {
            at.x += self.badge(class, &words, at) + 4;
        }
    }

    /// A badge on the upper border of a box; answers how wide it is.
    fn badge(&mut self, class: &str, words: &str, at: Rect) -> i32 {
        let signs = measure::rows(words.chars().count());
        let (x, y) = (at.x + 12, at.y - MARK_HEIGHT / 2);
        let badge = Rect { x, y, width: signs * MARK_SIGN + 14, height: MARK_HEIGHT };
        let _ = writeln!(self.text, "<g class=\"mark is-{class}\">");
        self.rect("mark-box", badge, MARK_HEIGHT / 2);
        self.centred(&[words.to_owned()], Style::Badge, badge);
        self.text.push_str("</g>\n");
        badge.width
    }

    fn card(&mut self, card: &Card, about: &About, at: Rect) {
        self.rows(&card.rows, Point { x: at.x, y: at.y });
        if about.pivot {
            let badge = Rect {
                x: at.right() - BADGE.width - 18,
                y: at.y + 8,
                width: BADGE.width,
                height: BADGE.height,
            };
            self.rect("badge-box", badge, 8);
            self.centred(&["PIVOT".to_owned()], Style::Badge, badge);
        }
    }

    fn edge(&mut self, role: EdgeRole, points: &[Point], taken: bool) {
        let (class, arrow) = match role {
            EdgeRole::Forward => ("edge", "forward"),
            EdgeRole::Undo => ("edge edge-undo", "back"),
            EdgeRole::Back => ("edge edge-back", "back"),
        };
        let taken = if taken { " taken" } else { "" };
        let (saga, data) = (&self.picture.saga, path(points));
        let _ = writeln!(
            self.text,
            "<path class=\"{class}{taken}\" marker-end=\"url(#{saga}-{arrow})\" d=\"{data}\"/>"
        );
    }

    fn label(&mut self, route: &Route, lines: Option<&Vec<String>>) {
        let (Some(at), Some(lines)) = (route.label, lines) else { return };
        self.rect("label-box", at, 9);
        self.centred(lines, Style::Label, at);
    }

    /// Lines of text in the middle of a box.
    fn centred(&mut self, lines: &[String], style: Style, at: Rect) {
        let x = at.x + at.width / 2;
        let top = at.y + (at.height - measure::rows(lines.len()) * style.height()) / 2;
        for (index, text) in (0..).zip(lines) {
            let (y, class) = (top + index * style.height() + style.size(), style.class());
            let text = escape(text);
            let _ = writeln!(
                self.text,
                "<text class=\"{class}\" text-anchor=\"middle\" x=\"{x}\" y=\"{y}\">{text}</text>"
            );
        }
    }

    fn rows(&mut self, rows: &[Row], at: Point) {
        for row in rows {
            let (x, y, class) = (at.x + row.x, at.y + row.y, row.style.class());
            let text = escape(&row.text);
            let _ =
                writeln!(self.text, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>");
        }
    }

    fn rect(&mut self, class: &str, at: Rect, radius: i32) {
        let Rect { x, y, width, height } = at;
        let _ = writeln!(
            self.text,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             rx=\"{radius}\"/>"
        );
    }

    /// What the lines mean.
    fn legend(&mut self, at: Point) {
        let mut x = at.x;
        for (role, word) in [
            (EdgeRole::Forward, "the way forward"),
            (EdgeRole::Undo, "is undone by"),
            (EdgeRole::Back, "the way back"),
        ] {
            let y = at.y - 4;
            self.edge(role, &[Point { x, y }, Point { x: x + 36, y }], false);
            let row = Row { x: 44, y: 0, style: Style::Note, text: word.to_owned() };
            self.rows(&[row], Point { x, y: at.y });
            x += 44 + measure::width(word, Style::Note) + 24;
        }
    }
}

/// All of an item in words, for those who point at it and for those who cannot see it.
fn tip(about: &About) -> String {
    let mut text = about.heading.clone();
    if !about.name.is_empty() && about.name != about.heading {
        let _ = write!(text, " ({})", about.name);
    }
    for detail in &about.details {
        let _ = write!(text, "; {}: {}", detail.word, detail.text);
    }
    format!("<title>{}</title>", escape(&text))
}

/// A whole picture in a sentence.
fn describe(picture: &Picture) -> String {
    let items = picture.line(LineId::MAIN).items.iter().map(|item| picture.about(*item));
    let told = items.map(|about| match &about.undo {
        Some(undo) if !about.name.is_empty() => {
            format!("{}, undone by {}", about.heading, picture.node(*undo).about.heading)
        }
        _ if about.pivot => format!("{}, the pivot", about.heading),
        _ => about.heading.clone(),
    });
    format!("The way forward: {}.", told.collect::<Vec<_>>().join("; "))
}

/// A text as XML carries it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
