use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::definition::StepId;
use crate::definition::diagnostic::{Code, Diagnostic, Severity};
use crate::definition::finding::Finding;
use crate::definition::node::{Content, Key, Node, floor};
use crate::definition::places::Places;

use super::begun::Begun;
use super::drafts::Drafts;
use super::odd::odd;
use super::place::Around;

/// Collects what is wrong with one file, and what its expressions read and fill.
pub(crate) struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<Diagnostic>,
    /// Where things stand in the file, and what its expressions read.
    pub places: Places,
    /// Every field that something fills: of the data (none), or of the branches of an `each`.
    pub fills: BTreeMap<Option<StepId>, BTreeSet<String>>,
    /// The step that is being read.
    pub step: Option<StepId>,
    /// The composite steps around it, the outermost first.
    pub around: Vec<Around>,
    /// The steps and blocks that were read.
    pub drafts: Drafts,
    /// What is known of the data at the start.
    pub begun: Begun,
    /// A pivot stands where it may not: whatever is behind it is not asked how it is undone.
    pub pivot_lost: bool,
    /// No part of the definition is wrong: what is wrong with it is wrong with it as a whole, or
    /// nothing is said of an undoing.
    pub is_whole: bool,
}

impl<'t> Reader<'t> {
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            found: Vec::new(),
            places: Places::default(),
            fills: BTreeMap::new(),
            step: None,
            around: Vec::new(),
            drafts: Drafts::default(),
            begun: Begun::default(),
            pivot_lost: false,
            is_whole: false,
        }
    }

    pub fn finish(self) -> Vec<Diagnostic> {
        self.found
    }

    /// Whether a part is wrong. A step that does not say how it is undone is right apart from that:
    /// what would happen to it can be looked at.
    pub fn has_wrong_part(&self) -> bool {
        let is_of_part = |code: Code| code != Code::NoCompensation;
        self.found.iter().any(|d| d.severity == Severity::Error && is_of_part(d.code))
    }

    /// The `each` whose branches a `set` here would fill; none for the data.
    pub fn each(&self) -> Option<StepId> {
        self.around.iter().rev().find_map(|around| match around {
            Around::Each(id) => Some(*id),
            Around::Parallel | Around::Lock => None,
        })
    }

    /// Notes a field that something fills here.
    pub fn fill(&mut self, field: &str) {
        let each = self.each();
        self.fills.entry(each).or_default().insert(field.to_owned());
    }

    pub fn file(&self) -> &'t str {
        self.file
    }

    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The line of a place, from 1.
    pub fn line(&self, at: usize) -> u32 {
        let line = self.text[..floor(self.text, at)].matches('\n').count() + 1;
        u32::try_from(line).expect("a file has less than four thousand million lines")
    }

    /// Reports an error; `None`, so that a reading function can end with it.
    pub fn error<T>(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.report(code, Severity::Error, span, message.into(), help.into());
        None
    }

    /// Reports an error whose words may name the mend behind a semicolon.
    pub fn told<T>(
        &mut self,
        code: Code,
        span: Range<usize>,
        words: &str,
        otherwise: &str,
    ) -> Option<T> {
        let (message, help) = words.split_once("; ").unwrap_or((words, otherwise));
        self.error(code, span, message, help)
    }

    /// Reports what does not stop the definition from running.
    pub fn warn(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(code, Severity::Warning, span, message.into(), help.into());
    }

    /// Reports what a rule found.
    pub fn find(&mut self, found: Finding) {
        let Finding { code, severity, span, message, help } = found;
        self.report(code, severity, span, message, help);
    }

    fn report(
        &mut self,
        code: Code,
        severity: Severity,
        span: Range<usize>,
        message: String,
        help: String,
    ) {
        let odd = odd(self.text, &span).map(|odd| format!("{odd} ({help})"));
        let help = odd.unwrap_or(help);
        let start = floor(self.text, span.start);
        let end = floor(self.text, span.end.max(start));
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |i| start + i);
        let line_text = self.text[line_start..line_end].trim_end_matches('\r').to_owned();
        self.found.push(Diagnostic {
            code,
            severity,
            message,
            file: self.file.to_owned(),
            line: self.line(start) as usize,
            column: self.text[line_start..start].chars().count() + 1,
            span: start..end,
            line_text,
            help: Some(help).filter(|h| !h.is_empty()),
        });
    }

    /// Whether a place belongs to an expression that should have been quoted.
    fn is_unquoted(&self, at: usize) -> bool {
        self.found.iter().any(|d| d.code == Code::Quote && d.span.contains(&at))
    }

    /// Notes every field that some `set` or `collect` inside a value would fill.
    pub fn fill_from(&mut self, node: &Node) {
        match &node.content {
            Content::Scalar { .. } => {}
            Content::List(items) => items.iter().for_each(|item| self.fill_from(item)),
            Content::Map(entries) => {
                for (key, value) in entries {
                    let fills = matches!(key.text.as_str(), "set" | "collect");
                    if let (true, Content::Map(fields)) = (fills, &value.content) {
                        for (field, _) in fields {
                            self.fill(&field.text);
                        }
                    }
                    self.fill_from(value);
                }
            }
        }
    }

    /// The entries of a mapping.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        let Content::Map(entries) = &node.content else {
            let message = format!("{what} is {}, not a mapping", node.kind());
            let help = match what {
                "`parallel`" => {
                    "name its branches, such as `{ one: [ … ], other: [ … ] }`".to_owned()
                }
                "`retry`" => "write such as `retry: { attempts: 5 }`".to_owned(),
                _ => format!("write {what} as `key: value` lines or as `{{ key: value, … }}`"),
            };
            return self.error(Code::WrongType, node.span.clone(), message, help);
        };
        let mut seen = BTreeSet::new();
        for (key, _) in entries {
            if !seen.insert(key.text.as_str()) {
                let message = format!("`{}` stands twice in {what}", key.text);
                self.error::<()>(Code::KeyTwice, key.span.clone(), message, "remove one of them");
            }
        }
        Some(Fields { what, span: node.span.clone(), entries, asked: Vec::new() })
    }
}

/// A mapping that is being read; it knows which of its keys were asked for.
pub(crate) struct Fields<'n> {
    pub what: &'static str,
    pub span: Range<usize>,
    entries: &'n [(Key, Node)],
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// A key's place and value.
    pub fn entry(&mut self, key: &'static str) -> Option<&'n (Key, Node)> {
        self.asked.push(key);
        self.entries.iter().find(|(k, _)| k.text == key)
    }

    /// A key's value.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key's value; says so if it is missing.
    pub fn need(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<&'n Node> {
        let found = self.take(key);
        if found.is_none() && !self.is_misspelt(key) {
            let message = format!("{} has no `{key}`", self.what);
            let help = format!("add `{key}: {example}`");
            let span = self.head(reader);
            reader.error::<()>(Code::MissingKey, span, message, help);
        }
        found
    }

    /// The place of the first key: what a message about the whole mapping points at.
    pub fn head(&self, reader: &Reader<'_>) -> Range<usize> {
        match self.entries.first() {
            Some((key, _)) => key.span.clone(),
            None => self.span.start..self.span.end.min(reader.text().len()),
        }
    }

    /// Whether a key that nothing reads looks like this one: it is reported as such.
    pub fn is_misspelt(&self, key: &str) -> bool {
        self.meant(key).is_some()
    }

    /// What stands under a key that nothing reads and that looks like this one.
    pub fn meant(&self, key: &str) -> Option<&'n Node> {
        let unread =
            self.unread().find(|unread| nearest(&unread.text, [key].into_iter()).is_some())?;
        self.entries.iter().find(|(k, _)| k == unread).map(|(_, node)| node)
    }

    /// The keys that were not asked for yet.
    pub fn unread(&self) -> impl Iterator<Item = &'n Key> {
        let asked = self.asked.clone();
        let keys = self.entries.iter().map(|(key, _)| key);
        keys.filter(move |key| !asked.contains(&key.text.as_str()))
    }

    /// Stops caring for the other keys: nobody knows what they would mean.
    pub fn give_up(&mut self) {
        self.entries = &[];
    }

    /// Refuses every key that was not asked for.
    pub fn finish(self, reader: &mut Reader<'_>) {
        for (key, _) in self.entries {
            if self.asked.contains(&key.text.as_str()) || reader.is_unquoted(key.span.start) {
                continue;
            }
            let message = format!("{} has no key `{}`", self.what, key.text);
            let mut known = self.asked.clone();
            known.sort_unstable();
            known.dedup();
            let meant = nearest(&key.text, known.iter().copied());
            let help = match meant.or_else(|| alike(&key.text, &known)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("it may have: {}", known.join(", ")),
            };
            reader.error::<()>(Code::UnknownKey, key.span.clone(), message, help);
        }
    }
}

/// What the keys are called elsewhere, and here.
const ELSEWHERE: [(&str, &[&str]); 14] = [
    ("after", &["later"]),
    ("choose", &["switch", "case", "branch", "branches"]),
    ("command", &["action", "request", "send", "task"]),
    ("compensate", &["undo", "rollback", "compensation", "on-rollback", "revert"]),
    ("each", &["for-each", "foreach", "loop", "map"]),
    ("failed", &["on-failure", "on-error", "rejected", "error", "catch"]),
    ("otherwise", &["else", "default"]),
    ("retry", &["retries", "retry-policy", "attempts"]),
    ("saga", &["child", "workflow", "name", "id"]),
    ("sleep", &["delay", "pause", "timer"]),
    ("title", &["description", "summary"]),
    ("when", &["if", "condition", "guard"]),
    ("with", &["payload", "body", "params", "input", "arguments", "data"]),
    ("within", &["timeout", "deadline", "time-out", "expires"]),
];

/// The known key that says what another language's key says, or that begins alike.
fn alike<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.replace('_', "-").to_lowercase();
    let said = |key: &&str| ELSEWHERE.iter().any(|(k, all)| k == key && all.contains(&&*word));
    let begins = |key: &&str| {
        let shared = key.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count();
        shared >= 4
    };
    let mut found = known.iter().filter(|key| said(key)).chain(known.iter().filter(|k| begins(k)));
    found.next().copied()
}

/// The known word that an author most likely meant.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let scored = known.map(|k| (strsim::damerau_levenshtein(word, k), k));
    let close = scored.filter(|(distance, k)| *distance <= (k.len().max(word.len()) / 3).max(1));
    close.min_by_key(|(distance, _)| *distance).map(|(_, k)| k)
}
