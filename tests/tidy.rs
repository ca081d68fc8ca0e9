//! House rules that a machine can keep; each failure names the rule and the mend.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/glossary.rs"]
mod glossary;

use circles::Files;

/// The rooms from the inside out: a room imports only rooms that stand before it.
const ROOMS: [&str; 26] = [
    "message",
    "expression",
    "definition",
    "graph",
    "correlation",
    "engine",
    "format",
    "status",
    "scenario",
    "books",
    "checker",
    "runtime",
    "store",
    "telemetry",
    "calls",
    "config",
    "broker",
    "view",
    "devbroker",
    "participants",
    "simulation",
    "node",
    "api",
    "console",
    "dev",
    "cli",
];

/// Crates that only one room may touch.
const WALLS: [(&str, &[&str]); 13] = [
    ("rdkafka", &["broker"]),
    ("sled", &["store"]),
    ("rusqlite", &["view"]),
    ("opentelemetry", &["telemetry"]),
    ("kafka_protocol", &["devbroker"]),
    ("clap", &["cli"]),
    ("hyper", &["calls", "api"]),
    ("axum", &["api", "console"]),
    ("askama", &["console"]),
    ("utoipa", &["api", "status", "view"]),
    ("utoipa_axum", &["api"]),
    ("tokio_rustls", &["calls", "api"]),
    ("cel", &["expression"]),
];

const PURE: [&str; 7] =
    ["expression", "definition", "graph", "correlation", "engine", "status", "checker"];
const LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;
const README_LINES_MAX: usize = 120;
/// The most files that may refer to each other in a circle.
const CIRCLE_MAX: usize = 3;
const NAMES_REFUSED: [&str; 4] = ["utils", "common", "helpers", "misc"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

struct Source {
    path: PathBuf,
    room: String,
    text: String,
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    rust_files(&root().join("src"), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let inside = path.strip_prefix(root().join("src")).expect("it lies in src");
        let room = inside.components().next().expect("it has a name");
        let room = room.as_os_str().to_string_lossy().into_owned();
        Source { room, text: fs::read_to_string(&path).expect("UTF-8 text"), path }
    };
    paths.into_iter().map(read).filter(|s| !s.path.ends_with("generated.rs")).collect()
}

fn is_test(source: &Source) -> bool {
    source.path.components().any(|c| c.as_os_str() == "tests")
        || source.path.file_name().is_some_and(|n| n == "tests.rs")
}

/// The text in front of its tests.
fn without_tests(source: &Source) -> &str {
    source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

fn refuse(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_room_says_what_it_is_for() {
    let mut broken = Vec::new();
    for entry in fs::read_dir(root().join("src")).expect("src") {
        let path = entry.expect("an entry").path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(path.join("mod.rs")).unwrap_or_default();
        if !text.starts_with("//! ") {
            broken.push(format!("src/{name}/mod.rs: begin with one sentence on its purpose"));
        }
        if !ROOMS.contains(&name.as_str()) {
            broken.push(format!("src/{name}: give the room its place in ROOMS of tests/tidy.rs"));
        }
        if NAMES_REFUSED.contains(&name.as_str()) {
            broken.push(format!("src/{name}: name the room for what it does"));
        }
    }
    refuse(&broken);
}

#[test]
fn imports_point_inward() {
    let rank = |room: &str| ROOMS.iter().position(|r| *r == room);
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !is_test(s)) {
        let Some(own) = rank(&source.room) else { continue };
        for (number, line) in without_tests(source).lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let room = &part[..end.unwrap_or(part.len())];
                if rank(room).is_some_and(|other| other > own) {
                    let place = format!("{}:{}", source.path.display(), number + 1);
                    broken.push(format!("{place}: {} imports {room}, outwards", source.room));
                }
            }
        }
    }
    refuse(&broken);
}

#[test]
fn each_edge_crate_stays_in_its_room() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !is_test(s)) {
        for (number, line) in without_tests(source).lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("//") {
                continue;
            }
            for (name, rooms) in WALLS {
                let uses = names(line, &format!("{name}::"));
                if uses
                    && !line.contains(&format!("crate::{name}"))
                    && !rooms.contains(&source.room.as_str())
                {
                    let place = format!("{}:{}", source.path.display(), number + 1);
                    broken.push(format!("{place}: {name} belongs in {rooms:?} only"));
                }
            }
        }
    }
    refuse(&broken);
}

#[test]
fn no_large_circle_of_files_refers_to_each_other() {
    let mut files = Files::default();
    for source in sources().iter().filter(|s| !is_test(s)) {
        let inside = source.path.strip_prefix(root().join("src")).expect("it lies in src");
        files.add(&inside.to_string_lossy(), without_tests(source));
    }
    let mut broken = Vec::new();
    for room in ROOMS {
        let circle = files.largest_circle(room);
        let size = circle.len();
        if size > CIRCLE_MAX {
            broken.push(format!(
                "src/{room}: {size} files refer to each other in a circle, {CIRCLE_MAX} may; \
                 let one place decide and the others answer it: {}",
                circle.join(", ")
            ));
        }
    }
    refuse(&broken);
}

#[test]
fn a_word_means_one_thing() {
    let architecture = fs::read_to_string(root().join("src/ARCHITECTURE.md"));
    let words = glossary::words(&architecture.expect("src/ARCHITECTURE.md"));
    let (mut types, mut code) = (glossary::Types::default(), String::new());
    for source in sources().iter().filter(|s| !is_test(s)) {
        let text = without_tests(source);
        types.add(&source.room, text);
        code.push_str(&glossary::spelt(text));
    }
    let mut broken = Vec::new();
    if words.is_empty() {
        broken.push("src/ARCHITECTURE.md: its table of words is gone".to_owned());
    }
    for (name, rooms) in types.shared() {
        if !words.iter().any(|word| glossary::is_named(word, name)) {
            broken.push(format!(
                "{name} is public in {rooms:?}: give one of them a better name, or say under \
                 \"Words\" of src/ARCHITECTURE.md what it means"
            ));
        }
    }
    for word in words.iter().filter(|word| !glossary::is_spelt(word, &code)) {
        broken.push(format!(
            "src/ARCHITECTURE.md: the code does not know \"{word}\" any more; take its line out"
        ));
    }
    refuse(&broken);
}

/// Whether a path that begins with `start` stands in a line, as a word of its own.
fn names(line: &str, start: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    line.match_indices(start).any(|(place, _)| !line[..place].ends_with(word))
}

#[test]
fn pure_rooms_forbid_clocks_and_unordered_maps() {
    let mut broken = Vec::new();
    for room in PURE {
        let text = fs::read_to_string(root().join("src").join(room).join("mod.rs"));
        let wall = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";
        if !text.expect("the room").contains(wall) {
            broken.push(format!("src/{room}/mod.rs: add {wall}"));
        }
    }
    refuse(&broken);
}

#[test]
fn files_functions_and_lines_are_short() {
    let mut broken = Vec::new();
    for source in &sources() {
        let text = without_tests(source);
        let lines: Vec<&str> = text.lines().collect();
        let path = source.path.display();
        if !is_test(source) && lines.len() > LINES_MAX {
            broken.push(format!("{path}: {} lines; split at {LINES_MAX}", lines.len()));
        }
        for (number, line) in source.text.lines().enumerate() {
            if line.chars().count() > COLUMNS_MAX {
                broken.push(format!("{path}:{}: wider than {COLUMNS_MAX} columns", number + 1));
            }
        }
        for (start, length) in functions(&lines) {
            if length > FUNCTION_LINES_MAX {
                broken.push(format!(
                    "{path}:{}: a function of {length} lines; split at {FUNCTION_LINES_MAX}",
                    start + 1
                ));
            }
        }
    }
    refuse(&broken);
}

/// First line and length of each function, by rustfmt's indentation.
fn functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        let heads = ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "async fn "];
        if !heads.iter().any(|head| body.starts_with(head))
            && !body.starts_with("pub(in ")
            && !body.starts_with("pub async fn ")
        {
            continue;
        }
        let end = format!("{indent}}}");
        if let Some(length) = lines[start..].iter().position(|l| *l == end) {
            found.push((start, length + 1));
        }
    }
    found
}

#[test]
fn nothing_is_left_for_later() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let macros = [concat!("to", "do!("), concat!("unimple", "mented!(")];
    let mut broken = Vec::new();
    let mut paths = Vec::new();
    rust_files(&root().join("src"), &mut paths);
    rust_files(&root().join("tests"), &mut paths);
    for path in paths {
        let text = fs::read_to_string(&path).expect("UTF-8 text");
        for (number, line) in text.lines().enumerate() {
            if words.iter().chain(&macros).any(|word| line.contains(word)) {
                broken.push(format!("{}:{}: do it or drop it", path.display(), number + 1));
            }
        }
    }
    refuse(&broken);
}

#[test]
fn the_top_level_is_what_it_should_be() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE",
        "proto",
        "src",
        "sagas",
        "deploy",
        "tests",
        "target",
    ];
    let mut broken = Vec::new();
    for entry in fs::read_dir(root()).expect("the project") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !allowed.contains(&name.as_str()) {
            broken.push(format!("{name}: the top level is {allowed:?} and dotfiles"));
        }
    }
    refuse(&broken);
}

#[test]
fn the_readme_is_short() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    let lines = text.lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines; {README_LINES_MAX} at most");
}
