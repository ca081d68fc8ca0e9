use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::Role;
use super::token::Line;

/// The largest file of tokens, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    /// The name that acts carry.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// The owners of tokens, as their file says; it is read again whenever it has changed.
///
/// A file that cannot be read lets nobody in: who was taken out of it must not come back through
/// a damage.
#[derive(Debug)]
pub(super) struct Owners {
    file: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    stamp: Option<Stamp>,
    lines: Vec<Line>,
    wrong: Option<String>,
}

/// What changes with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    changed: Option<SystemTime>,
    bytes: u64,
}

impl Owners {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or a line of it is wrong.
    pub fn open(file: &Path) -> Result<Self, String> {
        let owners = Self { file: file.to_owned(), known: Mutex::default() };
        owners.find("").map(|_| owners)
    }

    /// Whose token it is; nobody's if it is unknown.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, token: &str) -> Result<Option<Who>, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.file);
        if stamp.is_none() || known.stamp != stamp {
            let read = read(&self.file);
            let (lines, wrong) = match read {
                Ok(lines) => (lines, None),
                Err(words) => (Vec::new(), Some(words)),
            };
            *known = Known { stamp, lines, wrong };
        }
        if let Some(words) = &known.wrong {
            return Err(words.clone());
        }
        // All lines are looked at, so that the time tells nothing of the place.
        let mut found = None;
        for line in &known.lines {
            if line.is_of(token) {
                found = Some(Who { name: line.name.clone(), role: line.role });
            }
        }
        Ok(found)
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let about = fs::metadata(file).ok()?;
    Some(Stamp { changed: about.modified().ok(), bytes: about.len() })
}

fn read(file: &Path) -> Result<Vec<Line>, String> {
    let name = file.display();
    let unreadable = |e: std::io::Error| format!("{name} cannot be read: {e}");
    if fs::metadata(file).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(format!("{name} is larger than {FILE_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    let mut lines: Vec<Line> = Vec::new();
    for (text, number) in text.lines().zip(1..) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        let line: Line = text.parse().map_err(|e| format!("{name}:{number}: {e}"))?;
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Token;

    #[test]
    fn a_changed_file_counts_at_once_and_a_damaged_one_lets_nobody_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tokens");
        let (ana, ben) = (Token::draw().expect("a token"), Token::draw().expect("a token"));
        let ana_line = ana.line("ana", Role::Viewer).expect("a line");
        let ben_line = ben.line("benjamin", Role::Admin).expect("a line");
        fs::write(&file, format!("# who may ask\n\n{ana_line}  # until June\n")).expect("written");
        let owners = Owners::open(&file).expect("the file");
        let name = |token: &Token| owners.find(token.reveal()).map(|who| who.map(|who| who.name));
        assert_eq!(name(&ana), Ok(Some("ana".to_owned())));
        assert_eq!(name(&ben), Ok(None));
        fs::write(&file, format!("{ben_line}\n")).expect("written");
        assert_eq!(name(&ana), Ok(None), "whoever is taken out is out");
        assert_eq!(name(&ben), Ok(Some("benjamin".to_owned())));
        fs::write(&file, format!("{ben_line}\nana viewer 12\n")).expect("written");
        let wrong = name(&ben).expect_err("a damaged file");
        assert!(
            wrong.ends_with("tokens:2: the hash of ana is not 64 hexadecimal digits"),
            "{wrong}"
        );
        fs::remove_file(&file).expect("removed");
        assert!(name(&ben).expect_err("no file").contains("cannot be read"));
        assert!(Owners::open(&file).is_err());
    }
}
