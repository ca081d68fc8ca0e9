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
/// When the system does not let us, or it is not UTF-8.
pub fn read(path: &Path) -> Result<String, Error> {
    let bytes =
        fs::read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    definition::text_of(&path.display().to_string(), bytes).map_err(Error::Wrong)
}

/// Definitions as their files have them, and all that is wrong with their shape.
#[derive(Debug, Default)]
pub struct Shapes {
    /// Those that can run, each with its file's name.
    pub right: Vec<(String, Definition)>,
    /// Those that cannot, although each of their parts is right.
    pub whole: Vec<(String, Definition)>,
    /// What is wrong, file by file, then between them.
    pub found: Vec<Diagnostics>,
}

/// Reads and parses definitions, and looks whether they fit together: what `check` says of the
/// shape, and what `run` refuses.
///
/// # Errors
/// When the system does not let us read a file.
pub fn shapes(files: &[SagaFiles]) -> Result<Shapes, Error> {
    let mut shapes = Shapes::default();
    let mut wrong = Vec::new();
    for file in files {
        let text = match file.text() {
            Ok(text) => text,
            Err(Error::Wrong(found)) => {
                shapes.found.push(found);
                continue;
            }
            Err(error @ (Error::Unreadable { .. } | Error::Nothing(_))) => return Err(error),
        };
        let (definition, found) = definition::check_whole(&file.shown(), &text);
        match definition {
            Some(definition) if found.errors() == 0 => {
                shapes.right.push((file.shown(), definition));
            }
            Some(definition) => {
                wrong.push(definition.saga.clone());
                shapes.whole.push((file.shown(), definition));
            }
            None => wrong.extend(definition::saga_of(&text)),
        }
        shapes.found.push(found);
    }
    let right = shapes.right.iter().map(|(file, definition)| (file.as_str(), definition));
    shapes.found.push(definition::check_beside(right, &wrong));
    Ok(shapes)
}

/// The definitions of files, if nothing is wrong with their shape.
///
/// # Errors
/// Everything that is wrong in them, at once.
pub fn load(files: &[SagaFiles]) -> Result<Vec<Definition>, Error> {
    let Shapes { right, found, .. } = shapes(files)?;
    let mut errors = found.into_iter().filter(|found| found.errors() > 0);
    if let Some(mut all) = errors.next() {
        errors.for_each(|found| all.append(found));
        return Err(Error::Wrong(all));
    }
    Ok(right.into_iter().map(|(_, definition)| definition).collect())
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

    fn folder(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Vec<SagaFiles>) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            fs::create_dir(folder.path().join(name)).expect("a folder in it");
            fs::write(folder.path().join(name).join(DEFINITION), bytes).expect("a file");
        }
        let found = find(&[folder.path().to_owned()]).expect("definitions");
        (folder, found)
    }

    const CHILD: &str = "saga: child\nversion: 1\nstart: { by: parent }\nsteps:\n  \
                         - { step: tell, emit: t/Told, compensate: none }\n";
    const PARENT: &str = "saga: parent\nversion: 1\nstart: { on: t/Placed }\nsteps:\n  \
                          - { step: settle, saga: child, within: 1h, compensate: child }\n";

    /// What is refused, by its codes.
    fn codes(files: &[(&str, &[u8])]) -> Vec<String> {
        let (_folder, files) = folder(files);
        match load(&files) {
            Ok(_) => Vec::new(),
            Err(Error::Wrong(found)) => found.iter().map(|d| d.code.to_string()).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_wrong_with_the_shape_is_refused_file_by_file_and_together() {
        assert_eq!(codes(&[("a", PARENT.as_bytes()), ("b", CHILD.as_bytes())]), [""; 0]);
        assert_eq!(codes(&[("a", PARENT.as_bytes())]), ["SG0213"]);
        let wrong = CHILD.replace("version: 1", "version: one");
        let found = codes(&[("a", PARENT.as_bytes()), ("b", wrong.as_bytes())]);
        assert_eq!(found, ["SG0104"], "the child is there, with a mistake of its own");
    }

    #[test]
    fn bytes_that_are_no_text_have_their_place() {
        let (_folder, files) = folder(&[("a", b"saga: caf\xe9\nversion: 1\n")]);
        let Err(Error::Wrong(found)) = load(&files) else { panic!("it is not UTF-8") };
        let told: Vec<_> = found.iter().map(|d| (d.line, d.column, d.message.as_str())).collect();
        assert_eq!(told, [(1, 10, "the byte 0xE9 here is not UTF-8")]);
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(b"s\0a\0".to_owned()).collect();
        let (_folder, files) = folder(&[("a", &wide)]);
        let Err(Error::Wrong(found)) = load(&files) else { panic!("it is not UTF-8") };
        assert_eq!(
            found.iter().next().map(|d| d.message.as_str()),
            Some("the file is UTF-16, not UTF-8")
        );
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
        let windows = format!("\u{feff}{}", CHILD.replace('\n', "\r\n"));
        let (_folder, files) = folder(&[("a", windows.as_bytes())]);
        let found = load(&files).unwrap_or_else(|e| panic!("{e}"));
        let plain = definition::parse("a", CHILD).unwrap_or_else(|e| panic!("\n{e}"));
        assert_eq!(definition::Difference::between(&found[0], &plain), None);
        let wrong = windows.replace("emit: t/Told", "emit: told");
        let (_folder, files) = folder(&[("a", wrong.as_bytes())]);
        let Err(Error::Wrong(found)) = load(&files) else { panic!("it is no address") };
        let place = found.iter().map(|d| (d.line, d.column, d.line_text.clone())).next();
        let line = "  - { step: tell, emit: told, compensate: none }".to_owned();
        assert_eq!(place, Some((5, 25, line)));
    }
}
