//! Definitions as they are drawn: `tests/graph/` holds a picture of every saga that ships, and of
//! one with every kind of step. `UPDATE=1 cargo test --test graph` draws them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use segue::definition::{Definition, parse};
use segue::graph::{Format, Options, Orientation, draw};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn goldens() -> PathBuf {
    root().join("tests/graph")
}

/// Every definition below a folder, in the order of their paths.
fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder of the project");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find(&path, found);
        } else if path.ends_with("saga.yaml") || path.parent() == Some(&goldens()) {
            found.extend((path.extension().is_some_and(|e| e == "yaml")).then_some(path));
        }
    }
}

fn definitions() -> Vec<Definition> {
    let mut paths = Vec::new();
    find(&root().join("sagas"), &mut paths);
    find(&goldens(), &mut paths);
    let read = |path: &PathBuf| {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).expect("a definition");
        parse(&shown, &text).unwrap_or_else(|wrong| panic!("\n{wrong}"))
    };
    paths.iter().map(read).collect()
}

/// The name of each picture of a definition, and how it is drawn.
fn variants(definition: &Definition) -> Vec<(String, Options)> {
    let mut variants = Vec::new();
    let all = ["everything", "order-fulfilment"].contains(&definition.saga.as_str());
    for (format, end) in [
        (Format::Svg, "svg"),
        (Format::Mermaid, "mmd"),
        (Format::Dot, "dot"),
        (Format::Text, "txt"),
    ] {
        for (direction, way) in [(Orientation::Down, ""), (Orientation::Right, ".right")] {
            for (lanes, laned) in [(false, ""), (true, ".lanes")] {
                let plain = way.is_empty() && laned.is_empty();
                let same = format == Format::Text && !way.is_empty();
                if plain || (all && !same) {
                    let name = format!("{}{way}{laned}.{end}", definition.saga);
                    variants.push((name, Options { format, lanes, direction }));
                }
            }
        }
    }
    variants
}

#[test]
fn every_saga_is_drawn_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let definitions = definitions();
    let known: Vec<&Definition> = definitions.iter().collect();
    let (mut differ, mut names) = (Vec::new(), BTreeSet::new());
    for definition in &definitions {
        for (name, options) in variants(definition) {
            let seen = draw(definition, &known, &options);
            let golden = goldens().join(&name);
            let expected = fs::read_to_string(&golden).unwrap_or_default();
            if seen != expected && update {
                fs::write(&golden, &seen).expect("the golden can be written");
            } else if seen != expected {
                differ.push(golden.display().to_string());
            }
            names.insert(name);
        }
    }
    let advice = "set UPDATE=1 to draw them anew, then look at each";
    assert!(differ.is_empty(), "differ from what was expected: {differ:#?}\n{advice}");
    for entry in fs::read_dir(goldens()).expect("the folder of pictures") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let known = names.contains(&name) || path.extension().is_some_and(|e| e == "yaml");
        assert!(known, "{name} is no picture of a saga; delete it");
    }
}

#[test]
fn every_svg_is_well_formed_and_says_what_it_shows() {
    for definition in &definitions() {
        for (name, options) in variants(definition).iter().filter(|(name, _)| name.ends_with("svg"))
        {
            let text = draw(definition, &[], options);
            let document = roxmltree::Document::parse(&text).expect(name);
            let svg = document.root_element();
            let child =
                |tag: &str| svg.children().find(|n| n.has_tag_name(tag)).and_then(|n| n.text());
            assert_eq!(child("title"), Some(definition.title.as_str()), "{name}");
            assert!(child("desc").is_some_and(|d| d.starts_with("The way forward: ")), "{name}");
            let ids: Vec<&str> = document.descendants().filter_map(|n| n.attribute("id")).collect();
            let labels = svg.attribute("aria-labelledby").expect("an accessible name");
            assert!(labels.split(' ').all(|label| ids.contains(&label)), "{name}: {labels}");
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: {ids:?}");
        }
    }
}

#[test]
fn every_step_stands_in_every_picture() {
    for definition in &definitions() {
        for (name, options) in variants(definition) {
            let text = draw(definition, &[], &options);
            let shown = shown(&text, options.format);
            for step in &definition.steps {
                let wanted = squeezed(step.name.as_str());
                assert!(shown.contains(&wanted), "{name} does not show {}", step.name);
            }
        }
    }
}

/// What a reader of a picture sees, without spaces: text may be broken anywhere.
fn shown(text: &str, format: Format) -> String {
    let Format::Svg = format else { return squeezed(text) };
    let document = roxmltree::Document::parse(text).expect("well-formed");
    let texts = document.descendants().filter(|n| n.has_tag_name("text"));
    squeezed(&texts.filter_map(|n| n.text()).collect::<String>())
}

fn squeezed(text: &str) -> String {
    text.replace("#46;", ".").chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn the_tree_fits_a_terminal() {
    for definition in &definitions() {
        for lanes in [false, true] {
            let options = Options { format: Format::Text, lanes, direction: Orientation::Down };
            for line in draw(definition, &[], &options).lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", definition.saga);
                assert_eq!(line.trim_end(), line, "{}: spaces at the end", definition.saga);
            }
        }
    }
}
