//! What holds for the picture of any definition.

use proptest::prelude::*;

use super::saga::{
    Part, ask, call, child, child_with_command, choose, command, each, emit, fail, lock, parallel,
    probed, saga, set, sleep, wait,
};
use crate::definition::{Compensation, Definition, Join, OnFailed, Release};
use crate::graph::card::{Card, Cards};
use crate::graph::drawing::Drawing;
use crate::graph::geometry::{Point, Rect};
use crate::graph::measure;
use crate::graph::picture::{EdgeRole, Item, LineId};
use crate::graph::{Format, Options, Orientation, Picture, draw, flow, lanes, sizes};

/// A step of any kind, with what stands in it.
#[derive(Debug, Clone)]
struct Sketch {
    kind: u8,
    title: Option<String>,
    when: bool,
    pivot: bool,
    lines: Vec<Vec<Sketch>>,
}

fn single() -> impl Strategy<Value = Sketch> {
    let title = proptest::option::of(".{1,60}");
    (0..12_u8, title, any::<bool>(), proptest::bool::weighted(0.1)).prop_map(
        |(kind, title, when, pivot)| Sketch { kind, title, when, pivot, lines: Vec::new() },
    )
}

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let inner = single().prop_recursive(3, 24, 4, |inner| {
        let lines = prop::collection::vec(prop::collection::vec(inner, 0..4), 1..4);
        (12..17_u8, any::<bool>(), lines).prop_map(|(kind, when, lines)| Sketch {
            kind,
            title: None,
            when,
            pivot: false,
            lines,
        })
    });
    prop::collection::vec(inner, 0..6)
}

fn definition(sketches: &[Sketch]) -> Definition {
    let mut count = 0;
    saga("any", parts(sketches, &mut count))
}

fn parts(sketches: &[Sketch], count: &mut u32) -> Vec<Part> {
    sketches.iter().map(|sketch| part(sketch, count)).collect()
}

fn part(sketch: &Sketch, count: &mut u32) -> Part {
    *count += 1;
    let name = format!("step-number-{count}");
    let mut lines: Vec<Vec<Part>> = sketch.lines.iter().map(|line| parts(line, count)).collect();
    let mut line = || if lines.is_empty() { Vec::new() } else { lines.remove(0) };
    let part = match sketch.kind {
        0 => command(&name, "inventory", "ReserveStock", Some("ReleaseStock")),
        1 => command(&name, "payments", "Charge", None),
        2 => probed(&name, "inventory", "Reserve", "Release"),
        3 => emit(&name, "shop.orders/OrderShipped"),
        4 => wait(&name, "offers.events/Accepted", "offers.events/Declined"),
        5 => sleep(&name, 24),
        6 => ask(&name, "compliance", "Pay ${data.amount}?"),
        7 => call(&name, "fraud.internal:8443", "/score?account=${data.account}"),
        8 => set(&name),
        9 => fail(&name, "no carrier serves ${data.country}"),
        10 => child(&name, "settlement", Compensation::Child),
        11 => child_with_command(&name, "settlement", "ledger", "Reopen"),
        12 => each(&name, "data.lines", OnFailed::Drop, line()),
        13 => lock(&name, &["a/${data.from}", "a/${data.to}"], Release::End, line()),
        14 => choose(&name, vec![(Some("data.total > 1000"), line()), (None, line())]),
        kind => {
            let join = if kind == 15 { Join::All } else { Join::First };
            parallel(&name, join, vec![("one", line()), ("two", line()), ("three", line())])
        }
    };
    let part =
        if sketch.when { part.when("data.total > 0 && data.country == \"CH\"") } else { part };
    let part = if sketch.pivot { part.pivot() } else { part };
    match &sketch.title {
        Some(title) => part.title(title),
        None => part,
    }
}

fn settlement() -> Definition {
    saga("settlement", vec![command("write", "ledger", "Write", Some("Strike"))])
}

fn drawings(picture: &Picture) -> Vec<Drawing> {
    let cards = Cards::of(picture);
    let sizes = sizes::sizes(picture, &cards, &sizes::labels(picture, cards.label));
    [Orientation::Down, Orientation::Right]
        .into_iter()
        .flat_map(|direction| {
            [flow::lay_out(picture, &sizes, direction), lanes::lay_out(picture, &sizes, direction)]
        })
        .collect()
}

fn overlap(a: Rect, b: Rect) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

fn holds(outer: Rect, inner: Rect) -> bool {
    outer.x <= inner.x
        && outer.y <= inner.y
        && inner.right() <= outer.right()
        && inner.bottom() <= outer.bottom()
}

/// Whether a point lies on the border of a box.
fn touches(at: Rect, point: Point) -> bool {
    let inside = Rect { x: at.x, y: at.y, width: at.width + 1, height: at.height + 1 };
    let core = Rect { x: at.x + 1, y: at.y + 1, width: at.width - 2, height: at.height - 2 };
    let dot = Rect { x: point.x, y: point.y, width: 1, height: 1 };
    overlap(inside, dot) && !overlap(core, dot)
}

fn check_boxes(picture: &Picture, drawing: &Drawing) {
    let whole = Rect { x: 0, y: 0, width: drawing.size.width, height: drawing.size.height };
    for (index, node) in drawing.nodes.iter().enumerate() {
        assert!(holds(whole, *node), "{node:?} stands in {whole:?}");
        for other in &drawing.nodes[index + 1..] {
            assert!(!overlap(*node, *other), "{node:?} and {other:?} overlap");
        }
        for head in &drawing.heads {
            assert!(!overlap(*node, *head), "{node:?} stands on the head {head:?}");
        }
    }
    for (index, region) in drawing.regions.iter().enumerate() {
        assert!(holds(whole, *region), "{region:?} stands in {whole:?}");
        for other in &drawing.regions[index + 1..] {
            let apart = !overlap(*region, *other);
            assert!(apart || holds(*region, *other), "{region:?} and {other:?} cross");
        }
    }
    for line in (0..picture.lines.len()).map(LineId) {
        let Some(owner) = picture.line(line).owner else { continue };
        let region = drawing.regions[owner.0];
        for item in &picture.line(line).items {
            let inside = match item {
                Item::Node(id) => drawing.nodes[id.0],
                Item::Region(id) => drawing.regions[id.0],
            };
            assert!(holds(region, inside), "{inside:?} stands in {region:?}");
            if let Some(undo) = picture.about(*item).undo {
                assert!(holds(region, drawing.nodes[undo.0]), "what undoes it stands there too");
            }
        }
    }
}

fn check_routes(picture: &Picture, drawing: &Drawing) {
    let boxes = [&drawing.nodes, &drawing.regions, &drawing.heads, &drawing.bands];
    let boxes: Vec<Rect> = boxes.into_iter().flatten().copied().collect();
    for (edge, route) in picture.edges.iter().zip(&drawing.routes) {
        assert!(route.points.len() >= 2, "{edge:?} leads somewhere");
        for end in [route.points.first(), route.points.last()].into_iter().flatten() {
            let touched = boxes.iter().any(|at| touches(*at, *end));
            assert!(touched, "{edge:?} ends in the air at {end:?}: {:?}", route.points);
        }
        for pair in route.points.windows(2) {
            assert!(pair[0].x == pair[1].x || pair[0].y == pair[1].y, "{edge:?} is straight");
            check_clear(edge.role, pair, drawing);
        }
        if let Some(label) = route.label {
            let node = drawing.nodes.iter().find(|node| overlap(**node, label));
            assert_eq!(node, None, "the label of {edge:?} stands free");
        }
    }
}

/// No edge runs through a box.
fn check_clear(role: EdgeRole, pair: &[Point], drawing: &Drawing) {
    let (left, right) = (pair[0].x.min(pair[1].x), pair[0].x.max(pair[1].x));
    let (top, bottom) = (pair[0].y.min(pair[1].y), pair[0].y.max(pair[1].y));
    let line = Rect { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    for node in &drawing.nodes {
        let core =
            Rect { x: node.x + 2, y: node.y + 2, width: node.width - 4, height: node.height - 4 };
        assert!(!overlap(core, line), "a {role:?} edge {pair:?} runs through {node:?}");
    }
}

fn check_card(card: &Card) {
    for row in &card.rows {
        let right = row.x + measure::width(&row.text, row.style);
        assert!(right <= card.size.width, "`{}` is wider than its box", row.text);
        assert!(row.y < card.size.height, "`{}` is below its box", row.text);
    }
}

/// Mermaid's text: quotes come in pairs, and nothing in them means anything to it.
pub(super) fn check_mermaid(text: &str) {
    let body = text.splitn(3, "---\n").nth(2).expect("it has a title");
    for line in body.lines() {
        let parts: Vec<&str> = line.split('"').collect();
        assert!(parts.len() == 1 || parts.len() == 3, "a pair of quotes: {line}");
        let quoted = parts.get(1).copied().unwrap_or_default().replace("<br/>", " ");
        let odd = |c: char| c.is_ascii_punctuation() && !",:/#;-.".contains(c);
        assert!(!quoted.contains(odd), "a sign that Mermaid reads: {line}");
    }
}

/// Graphviz's text: behind the quotes nothing is left but its own words.
pub(super) fn check_dot(text: &str) {
    let (mut outside, mut quoted, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '\n' => assert!(!quoted, "a string ends on its line:\n{text}"),
            c if !quoted => outside.push(c),
            _ => {}
        }
    }
    assert!(!quoted, "the last string ends");
    let own = |c: char| c.is_ascii_alphanumeric() || "_ [],=.{}->".contains(c);
    assert!(outside.chars().all(own), "{outside}");
    assert_eq!(outside.matches('{').count(), outside.matches('}').count());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn boxes_stand_apart_and_edges_end_at_them(sketches in sketches(), nested in any::<bool>()) {
        let (definition, settlement) = (definition(&sketches), settlement());
        let known: &[&Definition] = if nested { &[&settlement] } else { &[] };
        let picture = Picture::of(&definition, known, false);
        for drawing in drawings(&picture) {
            check_boxes(&picture, &drawing);
            check_routes(&picture, &drawing);
        }
        let cards = Cards::of(&picture);
        cards.nodes.iter().chain(&cards.heads).for_each(check_card);
    }

    #[test]
    fn every_format_takes_any_definition(sketches in sketches()) {
        let (definition, settlement) = (definition(&sketches), settlement());
        for format in [Format::Svg, Format::Mermaid, Format::Dot, Format::Text] {
            for (lanes, direction) in [(false, Orientation::Right), (true, Orientation::Down)] {
                let options = Options { format, lanes, direction };
                let text = draw(&definition, &[&settlement], &options);
                prop_assert_eq!(&text, &draw(&definition, &[&settlement], &options));
                match format {
                    Format::Svg => {
                        let document = roxmltree::Document::parse(&text);
                        prop_assert!(document.is_ok(), "{:?}", document.err());
                    }
                    Format::Mermaid => check_mermaid(&text),
                    Format::Dot => check_dot(&text),
                    Format::Text => {
                        let widest = text.lines().map(|line| line.chars().count()).max();
                        prop_assert!(widest.unwrap_or(0) <= 100, "{}", text);
                    }
                }
                for step in &definition.steps {
                    let name = step.name.as_str();
                    prop_assert!(text.contains(name), "{} is not in {:?}", name, format);
                }
            }
        }
    }
}
