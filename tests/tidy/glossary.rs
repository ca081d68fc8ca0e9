//! The glossary of `src/ARCHITECTURE.md`: one table of the project's words.

use std::collections::{BTreeMap, BTreeSet};

/// The heading above the table.
const HEADING: &str = "## Words";

/// The words of the glossary, in their order.
pub fn words(architecture: &str) -> Vec<String> {
    let section = architecture.split(HEADING).nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    // The first row is the head of the table.
    let first = rows.skip(1).filter_map(|row| row.split('|').nth(1));
    first.map(|word| word.trim().to_owned()).collect()
}

/// The public types of the crate, each with the rooms that define one of that name.
#[derive(Default)]
pub struct Types(BTreeMap<String, BTreeSet<String>>);

impl Types {
    /// Adds the public types of a file, from its text in front of its tests.
    pub fn add(&mut self, room: &str, text: &str) {
        for line in text.lines() {
            let mut parts = line.split_whitespace();
            if parts.next() != Some("pub") {
                continue;
            }
            let is_type = matches!(parts.next(), Some("struct" | "enum" | "trait" | "type"));
            let Some(name) = parts.next().filter(|_| is_type) else { continue };
            let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
            self.0.entry(name[..end].to_owned()).or_default().insert(room.to_owned());
        }
    }

    /// The names that stand in more than one room, with these rooms.
    pub fn shared(&self) -> impl Iterator<Item = (&String, &BTreeSet<String>)> {
        self.0.iter().filter(|(_, rooms)| rooms.len() > 1)
    }
}

/// The words that the names of a text are made of, so that `dead letter` is found in `DeadLetter`
/// and in `dead_letters`; comments do not count.
pub fn spelt(text: &str) -> String {
    let mut spelt = String::from(" ");
    for line in text.lines() {
        let mut before = ' ';
        for c in line.split("//").next().unwrap_or_default().chars() {
            let begins = !c.is_ascii_alphanumeric()
                || (c.is_ascii_uppercase() && before.is_ascii_lowercase());
            if begins && !spelt.ends_with(' ') {
                spelt.push(' ');
            }
            if c.is_ascii_alphanumeric() {
                spelt.push(c.to_ascii_lowercase());
            }
            before = c;
        }
        if !spelt.ends_with(' ') {
            spelt.push(' ');
        }
    }
    spelt
}

/// Whether a word of the glossary is the name of a type.
pub fn is_named(word: &str, name: &str) -> bool {
    spelt(word) == spelt(name)
}

/// Whether a word of the glossary is among the words of the code, one or many of it.
pub fn is_spelt(word: &str, code: &str) -> bool {
    let word = spelt(word);
    ["", "s", "es"].iter().any(|end| code.contains(&format!("{}{end} ", word.trim_end())))
}
