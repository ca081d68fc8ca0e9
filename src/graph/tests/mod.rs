mod properties;
mod saga;

use saga::{ask, choose, command, fail, parallel, saga, set};

use super::*;
use crate::definition::Join;

fn options(format: Format) -> Options {
    Options { format, lanes: false, direction: Orientation::Down }
}

/// The edges of a picture, in words.
fn edges(picture: &Picture) -> Vec<String> {
    let name = |port: Port| match port {
        Port::Node(id) => match picture.node(id).about.name.as_str() {
            "" => picture.node(id).about.heading.clone(),
            name => name.to_owned(),
        },
        Port::Open(id) => format!("{}[", picture.region(id).about.name),
        Port::Close(id) => format!("]{}", picture.region(id).about.name),
        Port::Side(id) => picture.region(id).about.name.clone(),
    };
    let edge = |edge: &Edge| {
        let role = match edge.role {
            EdgeRole::Forward => "->",
            EdgeRole::Undo => "~>",
            EdgeRole::Back => "=>",
        };
        let label = edge.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
        format!("{} {role} {}{label}", name(edge.from), name(edge.to))
    };
    picture.edges.iter().map(edge).collect()
}

#[test]
fn the_way_back_leads_from_undoing_to_undoing() {
    let definition = saga(
        "order",
        vec![
            command("stock", "inventory", "Reserve", Some("Release")),
            set("note"),
            command("card", "payments", "Charge", Some("Refund")).when("data.total > 0"),
            command("ship", "shipping", "Ship", None).pivot(),
            command("file", "archive", "File", None),
        ],
    );
    let expected = [
        "start -> stock",
        "stock -> note",
        "note -> card (only if data.total > 0)",
        "card -> ship",
        "ship -> file",
        "file -> completed",
        "stock ~> Release",
        "card ~> Refund",
        "ship => Refund",
        "Refund => Release",
        "Release => all undone",
    ];
    assert_eq!(edges(&Picture::of(&definition, &[], false)), expected);
}

#[test]
fn the_way_back_runs_through_regions() {
    let branches = vec![
        ("one", vec![command("a", "x", "A", Some("UndoA"))]),
        ("two", vec![command("b", "x", "B", None), set("c")]),
    ];
    let arms = vec![(Some("data.total > 9"), vec![fail("no", "too much")]), (None, vec![])];
    let definition =
        saga("both", vec![parallel("pair", Join::All, branches), choose("route", arms)]);
    let expected = [
        "start -> pair[",
        "]pair -> route[",
        "]route -> completed",
        "route[ => ]pair",
        "pair[ => all undone",
        "pair[ -> a (one)",
        "a -> ]pair",
        "a ~> UndoA",
        "]pair => UndoA",
        "UndoA => pair[",
        "pair[ -> b (two)",
        "b -> c",
        "c -> ]pair",
        "b => pair[",
        "route[ -> no (if data.total > 9)",
        "no => route[",
        "route[ -> ]route (otherwise)",
    ];
    assert_eq!(edges(&Picture::of(&definition, &[], false)), expected);
}

#[test]
fn a_fail_that_is_skipped_lets_the_saga_go_on() {
    let parts = || vec![fail("stop", "no money").when("data.total > 9"), set("note")];
    let conditional = edges(&Picture::of(&saga("maybe", parts()), &[], false));
    assert!(conditional.contains(&"start -> stop (only if data.total > 9)".to_owned()));
    assert!(conditional.contains(&"stop -> note (otherwise)".to_owned()), "{conditional:?}");
    let certain = saga("never", vec![fail("stop", "no money")]);
    let certain = edges(&Picture::of(&certain, &[], false));
    assert_eq!(certain, ["start -> stop", "stop => all undone"]);
}

#[test]
fn odd_texts_are_only_text() {
    let odd =
        "a\"b'c<d>&e\\f#g;h`i|j[k](l){m}%%n\u{1b}[31m\n$o ]]> --> <script> \u{202e} 1. ½ 漢 😀";
    let definition = saga(
        "odd",
        vec![
            ask("one", "a\"b<c>", "What is \\\" & <this>?").title(odd),
            fail("two", "--> subgraph end \"; }").when("data.x == \"a\\\"b\""),
        ],
    );
    let svg = draw(&definition, &[], &options(Format::Svg));
    let document = roxmltree::Document::parse(&svg).expect("well-formed");
    let titles: Vec<_> = document.descendants().filter(|n| n.has_tag_name("title")).collect();
    let shown = |text: &str| titles.iter().any(|n| n.text().is_some_and(|t| t.contains(text)));
    assert!(shown(
        "a\"b'c<d>&e\\f#g;h`i|j[k](l){m}%%n\u{fffd}[31m $o ]]> --> <script> \u{fffd} 1."
    ));
    assert!(document.descendants().all(|n| !n.has_tag_name("script")));
    let mermaid = draw(&definition, &[], &options(Format::Mermaid));
    properties::check_mermaid(&mermaid);
    assert!(mermaid.contains("a#34;b#39;c#60;d#62;#38;e#92;f#35;g#59;h#96;i#124;j#91;k#93;"));
    let dot = draw(&definition, &[], &options(Format::Dot));
    properties::check_dot(&dot);
    assert!(dot.contains("a\\\"b'c<d>&amp;e\\\\f#g;h`i"));
    let text = draw(&definition, &[], &options(Format::Text));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
}

#[test]
fn a_child_that_is_known_is_drawn_inside_its_parent_but_not_inside_itself() {
    use crate::definition::Compensation;
    let child = saga(
        "child",
        vec![
            command("inner", "x", "Do", Some("Undo")),
            saga::child("again", "child", Compensation::Child),
        ],
    );
    let parent = saga("parent", vec![saga::child("outer", "child", Compensation::Child)]);
    let alone = Picture::of(&parent, &[], false);
    assert_eq!((alone.regions.len(), alone.nodes.len()), (0, 5), "a box and what takes it back");
    let nested = Picture::of(&parent, &[&child, &parent], false);
    let region = &nested.regions[0];
    assert_eq!((region.kind, region.about.undo), (RegionKind::Child, None));
    let inside = &nested.line(region.lines[0]).items;
    let shapes: Vec<_> = inside
        .iter()
        .filter_map(|item| match item {
            Item::Node(id) => Some(nested.node(*id).shape),
            Item::Region(_) => None,
        })
        .collect();
    assert_eq!(shapes, [Shape::Command, Shape::Child]);
}

#[test]
fn every_format_tells_how_far_a_life_is() {
    let branches = vec![("one", vec![command("a", "x", "A", None)]), ("two", vec![set("b")])];
    let definition = saga(
        "order",
        vec![
            command("stock", "inventory", "Reserve", Some("Release")),
            parallel("pair", Join::All, branches),
            set("note"),
        ],
    );
    let steps = [("stock", Mark::Owed), ("pair", Mark::Failed), ("a", Mark::Stuck)];
    let steps = steps.into_iter().map(|(step, mark)| (step.to_owned(), mark)).collect();
    let marks = Marks { steps, ..Marks::default() };
    for lanes in [false, true] {
        for format in [Format::Svg, Format::Mermaid, Format::Dot, Format::Text] {
            let options = Options { lanes, ..options(format) };
            let (plain, of_life) =
                (draw(&definition, &[], &options), draw_life(&definition, &[], &options, &marks));
            // The badge stands at the step and at what undoes it.
            for (mark, count) in
                [(Mark::Owed, 2), (Mark::Failed, 1), (Mark::Stuck, 1), (Mark::Done, 0)]
            {
                let words = match (format, mark.badge().split_once(' ').expect("sign and words")) {
                    // Mermaid reads signs by their numbers.
                    (Format::Mermaid, (sign, words)) => {
                        let number = u32::from(sign.chars().next().expect("a sign"));
                        format!("#{number}; {words}")
                    }
                    (Format::Svg | Format::Dot | Format::Text, _) => mark.badge().to_owned(),
                };
                let is_there = |text: &str| text.matches(&words).count();
                assert_eq!(is_there(&plain), 0, "{words} in {format:?}:\n{plain}");
                assert_eq!(is_there(&of_life), count, "{words} in {format:?}:\n{of_life}");
            }
        }
    }
    let alone = draw_life(&definition, &[], &options(Format::Svg), &marks);
    assert!(alone.contains(".at-owed") && alone.contains("class=\"at-owed\""), "it has colours");
}
