//! Finds and reads the files of sagas.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::definition::{self, Definition, Diagnostics};

/// The file in a saga's folder that defines it.
pub const DEFINITION: &str = "saga.yaml";
/// The file beside it that says how simulated services answer.
pub const PARTICIPANTS: &str = "participants.yaml";
/// The folder beside it with its scenarios.
pub const SCENARIOS: &str = "scenarios";
/// How deep a folder is searched for definitions.
const DEPTH_MAX: usize = 4;

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system does not let us read it.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no definition.
    #[error("{}: no {DEFINITION} here; name a definition or a folder of some", .0.display())]
    Nothing(PathBuf),
    /// Something in the definitions is wrong.
    #[error("{}", .0.render(false))]
    Wrong(Diagnostics),
}

/// The files of one saga.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SagaFiles {
    /// The definition's file.
    pub definition: PathBuf,
}

impl SagaFiles {
    /// The simulated services' file, if there is one.
    #[must_use]
    pub fn participants(&self) -> Option<PathBuf> {
        let path = self.definition.with_file_name(PARTICIPANTS);
        path.is_file().then_some(path)
    }

    /// The scenarios, in the order of their names.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn scenarios(&self) -> Result<Vec<PathBuf>, Error> {
        let folder = self.definition.with_file_name(SCENARIOS);
        if folder.is_dir() { yaml(&folder) } else { Ok(Vec::new()) }
    }

    /// Its name in messages.
    #[must_use]
    pub fn shown(&self) -> String {
        self.definition.display().to_string()
    }

    /// The definition's text.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self) -> Result<String, Error> {
        read(&self.definition)
    }
}

/// Finds the definitions that paths name: files, or folders with `saga.yaml` somewhere in them.
///
/// # Errors
/// When a path cannot be read or holds none.
pub fn find(paths: &[PathBuf]) -> Result<Vec<SagaFiles>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        search(path, DEPTH_MAX, &mut found)?;
        if found.len() == before {
            return Err(Error::Nothing(path.clone()));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn search(path: &Path, depth: usize, found: &mut Vec<SagaFiles>) -> Result<(), Error> {
    let about =
        fs::metadata(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    if about.is_file() {
        found.push(SagaFiles { definition: path.to_owned() });
        return Ok(());
    }
    let own = path.join(DEFINITION);
    if own.is_file() {
        found.push(SagaFiles { definition: own });
    }
    // A saga's folder may hold those of its children.
    if depth > 0 {
        for entry in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
            search(&entry, depth - 1, found)?;
        }
    }
    Ok(())
}

/// The YAML files of a folder, in the order of their names.
///
/// # Errors
/// When the folder cannot be read.
pub fn yaml(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = entries(folder)?;
    found.retain(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"));
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let wrong = |source| Error::Unreadable { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        found.push(entry.map_err(wrong)?.path());
    }
    found.sort();
    Ok(found)
}

/// Reads a text file.
///
/// # Errors
/// When the system does not let us.
pub fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })
}

/// Reads and parses definitions, and looks whether they fit together.
///
/// # Errors
/// Everything that is wrong in them, at once.
pub fn load(files: &[SagaFiles]) -> Result<Vec<Definition>, Error> {
    let mut definitions = Vec::new();
    let mut wrong: Option<Diagnostics> = None;
    for file in files {
        match definition::parse(&file.shown(), &file.text()?) {
            Ok(definition) => definitions.push(definition),
            Err(found) => match &mut wrong {
                Some(all) => all.append(found),
                None => wrong = Some(found),
            },
        }
    }
    if let Some(wrong) = wrong {
        return Err(Error::Wrong(wrong));
    }
    let names: Vec<String> = files.iter().map(SagaFiles::shown).collect();
    let pairs = names.iter().map(String::as_str).zip(&definitions);
    let together = definition::check_together(pairs);
    if together.errors() > 0 { Err(Error::Wrong(together)) } else { Ok(definitions) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_saga_holds_those_of_its_children() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas/agent-team");
        let found = find(std::slice::from_ref(&folder)).expect("two definitions");
        let found: Vec<PathBuf> = found.into_iter().map(|files| files.definition).collect();
        assert_eq!(found, [folder.join("agent-task/saga.yaml"), folder.join("saga.yaml")]);
    }
}
