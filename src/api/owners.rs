use std::path::Path;

use super::Role;
use super::token::Line;
use crate::node::FreshFile;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    /// The name that acts carry.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether a token has proved it, so that there is something to log out of.
    pub has_token: bool,
}

/// The owners of tokens, as their file says; it is read again whenever it has changed.
///
/// A file that cannot be read lets nobody in: who was taken out of it must not come back through
/// a damage.
#[derive(Debug)]
pub(super) struct Owners(FreshFile<Vec<Line>>);

impl Owners {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or a line of it is wrong.
    pub fn open(file: &Path) -> Result<Self, String> {
        FreshFile::open(file, parse).map(Self)
    }

    /// Whose token it is; nobody's if it is unknown.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, token: &str) -> Result<Option<Who>, String> {
        self.0.look(|lines| {
            // All lines are looked at, so that the time tells nothing of the place.
            let mut found = None;
            for line in lines {
                if line.is_of(token) {
                    let (name, role) = (line.name.clone(), line.role);
                    found = Some(Who { name, role, has_token: true });
                }
            }
            found
        })
    }
}

fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines: Vec<Line> = Vec::new();
    for (text, number) in text.lines().zip(1..) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        let line: Line = text.parse().map_err(|e| format!("{number}: {e}"))?;
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::fs;

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
