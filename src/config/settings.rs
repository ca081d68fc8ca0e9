use std::collections::BTreeMap;
use std::fmt;

use super::keys::{KEYS, Key, Kind, find, is_group, nearest};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A place in the file, counted from 1.
    File {
        /// The file's name as it was given.
        file: String,
        /// The line.
        line: u64,
        /// The column.
        column: u64,
    },
    /// An environment variable of that name.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A setting as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// The value as it was written; a secret is `***`.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(texts) => f.write_str(&texts.join(",")),
            Self::Map(pairs) => {
                let pair = |(name, value): &(String, String)| format!("{name}={value}");
                f.write_str(&pairs.iter().map(pair).collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// What was written, by key, and what was wrong with it.
#[derive(Debug, Default)]
pub(super) struct Settings {
    written: BTreeMap<&'static str, (Written, Origin)>,
    problems: Vec<String>,
}

impl Settings {
    pub(super) fn set(&mut self, key: &'static Key, written: Written, origin: Origin) {
        self.written.insert(key.path, (written, origin));
    }

    pub(super) fn refuse(&mut self, origin: &Origin, words: &str) {
        self.problems.push(format!("{origin}: {words}"));
    }

    /// Refuses a setting, wherever it came from.
    pub(super) fn refuse_key(&mut self, path: &str, words: &str) {
        let origin = self.origin(path);
        self.refuse(&origin, &format!("`{path}` {words}"));
    }

    pub(super) fn add_environment(&mut self, all: impl Iterator<Item = (String, String)>) {
        for (name, value) in all {
            let Some(short) = name.strip_prefix("SEGUE_") else { continue };
            let origin = Origin::Variable(name.clone());
            if let Some(key) = KEYS.iter().find(|key| key.variable() == name) {
                match from_text(key.kind, &value) {
                    Ok(written) => self.set(key, written, origin),
                    Err(words) => self.refuse(&origin, &words),
                }
                continue;
            }
            let near = nearest(&name, KEYS.iter().map(Key::variable));
            // A foreign variable may well begin like ours (Kubernetes makes such for a service of
            // that name); two underlines, or a name that is nearly right, is meant for us.
            let group = short.split("__").next().unwrap_or_default().to_ascii_lowercase();
            let near_top = nearest(&short.to_ascii_lowercase(), top_level()).is_some();
            match near {
                Some(near) if short.contains("__") || near_top => {
                    self.refuse(&origin, &format!("unknown variable; did you mean {near}?"));
                }
                None if short.contains("__") && is_group(&group) => {
                    self.refuse(&origin, "unknown variable; `segue config show` lists the keys");
                }
                Some(_) | None => {}
            }
        }
    }

    /// Where a key's value comes from.
    pub(super) fn origin(&self, path: &str) -> Origin {
        self.written.get(path).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// Whether somebody set it.
    pub(super) fn is_set(&self, path: &str) -> bool {
        self.written.contains_key(path)
    }

    /// The value of a key, or of its default after the value was refused.
    pub(super) fn take<T>(
        &mut self,
        path: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let default = find(path).expect("the table has every key that is read").default;
        if let Some((Written::Text(text), origin)) = self.written.get(path) {
            match parse(text) {
                Ok(value) => return value,
                Err(words) => {
                    let shown = format!("`{path}`: {words}");
                    self.refuse(&origin.clone(), &shown);
                }
            }
        }
        parse(default).expect("every default holds; a test reads them all")
    }

    /// The value of a key that may be missing or empty.
    pub(super) fn optional<T>(
        &mut self,
        path: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.take(path, |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) })
    }

    /// The values of a list; one at least.
    pub(super) fn list<T>(
        &mut self,
        path: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let values = self.list_or_none(path, parse);
        if values.is_empty() {
            self.refuse_key(path, "is empty; name at least one");
        }
        values
    }

    /// The values of a list that may be empty.
    pub(super) fn list_or_none<T>(
        &mut self,
        path: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let key = find(path).expect("the table has every key that is read");
        let default = || from_text(Kind::List, key.default).expect("every default holds");
        let (written, origin) =
            self.written.get(path).cloned().unwrap_or_else(|| (default(), Origin::Default));
        let Written::List(texts) = written else { return Vec::new() };
        let mut values = Vec::new();
        for text in texts {
            match parse(&text) {
                Ok(value) => values.push(value),
                Err(words) => self.refuse(&origin, &format!("`{path}`: {words}")),
            }
        }
        values
    }

    /// The pairs of a map.
    pub(super) fn map(&mut self, path: &str) -> Vec<(String, String)> {
        match self.written.get(path) {
            Some((Written::Map(pairs), _)) => pairs.clone(),
            Some(_) | None => Vec::new(),
        }
    }

    /// All settings for people, and all problems.
    pub(super) fn finish(self) -> (Vec<Setting>, Vec<String>) {
        let show = |key: &'static Key| {
            let (value, origin) = match self.written.get(key.path) {
                Some((written, origin)) => (written.to_string(), origin.clone()),
                None => (key.default.to_owned(), Origin::Default),
            };
            let hidden = key.kind == Kind::Secret && !value.is_empty();
            Setting { key, value: if hidden { "***".to_owned() } else { value }, origin }
        };
        (KEYS.iter().map(show).collect(), self.problems)
    }
}

fn top_level() -> impl Iterator<Item = String> {
    KEYS.iter().filter(|key| !key.path.contains('.')).map(|key| key.path.replace('-', "_"))
}

/// Reads a variable's text as the key's kind wants it.
fn from_text(kind: Kind, text: &str) -> Result<Written, String> {
    let parts = || text.split(',').map(str::trim).filter(|part| !part.is_empty());
    Ok(match kind {
        Kind::Text | Kind::Secret => Written::Text(text.to_owned()),
        Kind::List => Written::List(parts().map(str::to_owned).collect()),
        Kind::Map => {
            let pair = |part: &str| {
                let (name, value) = part.split_once('=')?;
                Some((name.trim().to_owned(), value.trim().to_owned()))
            };
            let pairs: Option<_> = parts().map(pair).collect();
            Written::Map(pairs.ok_or("write name=value,name=value")?)
        }
    })
}
