//! Circles of files: which files of a room refer to each other, directly or through others.
//!
//! A file refers to another of its room if a path in it leads to something that is defined there:
//! a path that begins with `crate`, `super`, `self`, a module below, or a module that a `use`
//! brought in. A name that is only re-exported on the way, as by the `mod.rs` of a folder, is
//! followed to the file that defines it; the re-export itself is no reference, for it only gives
//! a name. Tests and comments do not count, nor does a call of a method, which names no file.

use std::collections::{BTreeMap, BTreeSet};

/// Where a module stands: `engine::kind::lock` is `["engine", "kind", "lock"]`.
type Module = Vec<String>;

/// How many re-exports may lie between a name and what it means.
const DETOURS_MAX: usize = 8;

/// The files of the crate and what they say.
#[derive(Default)]
pub struct Files {
    texts: BTreeMap<Module, String>,
    uses: BTreeMap<Module, Vec<Use>>,
}

/// What one `use` brings in: a name, `*` for all names, and the path that it stands for.
struct Use {
    name: String,
    path: Vec<String>,
    is_public: bool,
}

impl Files {
    /// Adds a file by its path below `src`, with its text in front of its tests.
    pub fn add(&mut self, path: &str, text: &str) {
        let path = path.trim_end_matches(".rs");
        let mut module: Module = path.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let text = lines.collect::<Vec<_>>().join("\n").replace("pub(in crate::", "pub(in ");
        self.uses.insert(module.clone(), uses(&text));
        self.texts.insert(module, text);
    }

    /// The largest set of files of a room that all refer to each other, directly or not.
    pub fn largest_circle(&self, room: &str) -> Vec<String> {
        let inside: Vec<&Module> =
            self.texts.keys().filter(|m| m.first().is_some_and(|first| first == room)).collect();
        let mut references: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
        for module in &inside {
            references.insert(module, self.references(module));
        }
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            inside.iter().map(|module| (*module, reach(module, &references))).collect();
        let mut largest = Vec::new();
        for module in &inside {
            let circle: Vec<String> = inside
                .iter()
                .filter(|m| reached[*module].contains(**m) && reached[**m].contains(*module))
                .map(|m| m.join("::"))
                .collect();
            if circle.len() > largest.len() {
                largest = circle;
            }
        }
        largest
    }

    /// The other files that a file refers to.
    fn references(&self, module: &Module) -> BTreeSet<Module> {
        let text = &self.texts[module];
        let mut paths: Vec<Vec<String>> = Vec::new();
        for entry in self.uses[module].iter().filter(|entry| !entry.is_public) {
            paths.push(entry.path.clone());
        }
        paths.extend(paths_in(text));
        let mut found = BTreeSet::new();
        for path in paths {
            if let Some(target) = self.resolve(module, &path, DETOURS_MAX) {
                found.insert(target);
            }
        }
        found.remove(module);
        found
    }

    /// The file that defines what a path means in a module; none if it is not of this crate.
    fn resolve(&self, module: &Module, path: &[String], detours: usize) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut here = module.clone();
        match first.as_str() {
            "crate" => here.clear(),
            "self" => {}
            "super" => {
                here.pop()?;
                while rest.first().is_some_and(|segment| segment == "super") {
                    here.pop()?;
                    rest = &rest[1..];
                }
            }
            name => {
                let known = self.uses[module].iter().any(|entry| entry.name == name);
                if !known && !self.texts.contains_key(&below(module, name)) {
                    return None;
                }
                rest = path;
            }
        }
        while let Some((segment, others)) = rest.split_first() {
            let inner = below(&here, segment);
            if self.texts.contains_key(&inner) {
                here = inner;
                rest = others;
                continue;
            }
            return Some(self.defined(&here, rest, detours));
        }
        Some(here)
    }

    /// The file in which a name of a module is defined: its own, unless `use` says another.
    fn defined(&self, here: &Module, rest: &[String], detours: usize) -> Module {
        if detours == 0 || self.defines(here, &rest[0]) {
            return here.clone();
        }
        let Some(uses) = self.uses.get(here) else {
            return here.clone();
        };
        for entry in uses {
            let mut path = entry.path.clone();
            if entry.name == rest[0] {
                path.extend_from_slice(&rest[1..]);
            } else if entry.name == "*" {
                path.extend_from_slice(rest);
            } else {
                continue;
            }
            // A path into another crate, such as `serde_json::Value`, leads nowhere here.
            if let Some(target) = self.resolve(here, &path, detours - 1)
                && (entry.name != "*" || self.defines(&target, &rest[0]))
            {
                return target;
            }
        }
        here.clone()
    }

    fn defines(&self, module: &Module, name: &str) -> bool {
        let kinds = ["struct", "enum", "trait", "fn", "type", "const", "static"];
        let text = &self.texts[module];
        kinds.iter().any(|kind| {
            let start = format!("{kind} {name}");
            let mut places = text.match_indices(&start);
            places.any(|(at, _)| !text[at + start.len()..].starts_with(is_word))
        })
    }
}

fn below(module: &Module, name: &str) -> Module {
    let mut inner = module.clone();
    inner.push(name.to_owned());
    inner
}

/// All that can be reached from a file, without itself unless a circle leads back to it.
fn reach<'m>(
    from: &'m Module,
    references: &'m BTreeMap<&Module, BTreeSet<Module>>,
) -> BTreeSet<&'m Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in references.get(module).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Every `use` of a text, each name that it brings in on its own.
fn uses(text: &str) -> Vec<Use> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_start();
        let is_public = body.starts_with("pub");
        let said = match body.find("use ") {
            Some(0) => Some(&body[4..]),
            Some(at) if is_public && !body[..at].contains("fn ") => Some(&body[at + 4..]),
            _ => None,
        };
        if let Some(said) = said {
            let at = start + line.len() - said.len();
            let tree = text[at..].split(';').next().unwrap_or_default();
            spread(tree, &[], is_public, &mut found);
        }
        start += line.len();
    }
    found
}

/// Takes the tree of a `use` apart: `a::{b, c as d}` is `a::b` and `a::c`, known as `d`.
fn spread(tree: &str, before: &[String], is_public: bool, found: &mut Vec<Use>) {
    let tree = tree.trim();
    let mut path = before.to_vec();
    let (head, group) = match tree.find('{') {
        Some(open) => (&tree[..open], Some(&tree[open + 1..tree.rfind('}').unwrap_or(open + 1)])),
        None => (tree, None),
    };
    let (head, alias) = match head.split_once(" as ") {
        Some((head, alias)) => (head, Some(alias.trim().to_owned())),
        None => (head, None),
    };
    path.extend(head.split("::").map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned));
    let Some(group) = group else {
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let last = path.last().cloned().unwrap_or_default();
        if last == "*" {
            path.pop();
        }
        found.push(Use { name: alias.unwrap_or(last), path, is_public });
        return;
    };
    let (mut depth, mut from) = (0_usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                spread(&group[from..at], &path, is_public, found);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !group[from..].trim().is_empty() {
        spread(&group[from..], &path, is_public, found);
    }
}

/// Every path of two words or more that stands in a text, outside of `use`.
fn paths_in(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in text.lines() {
        let body = line.trim_start();
        if body.starts_with("use ") || (body.starts_with("pub") && body.contains(" use ")) {
            continue;
        }
        for word in line.split(|c: char| !is_word(c) && c != ':') {
            let path: Vec<String> =
                word.split("::").filter(|s| !s.is_empty()).map(str::to_owned).collect();
            if path.len() > 1 && word.contains("::") && !word.starts_with(':') {
                found.push(path);
            }
        }
    }
    found
}
