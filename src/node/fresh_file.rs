use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a file says, which is read again whenever it has changed.
///
/// A file that cannot be read or understood says nothing: what was taken out of it must not come
/// back through a damage.
#[derive(Debug)]
pub struct FreshFile<T> {
    path: PathBuf,
    parse: fn(&str) -> Result<T, String>,
    known: Mutex<Known<T>>,
}

#[derive(Debug)]
struct Known<T> {
    stamp: Option<FileStamp>,
    said: Result<T, String>,
}

/// What changes with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    changed: Option<SystemTime>,
    bytes: u64,
    /// Another file may have been moved into its place.
    inode: u64,
}

impl<T> FreshFile<T> {
    /// Reads a file; `parse` says what is wrong with a text, perhaps with the number of its line:
    /// `12: …`.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn open(path: &Path, parse: fn(&str) -> Result<T, String>) -> Result<Self, String> {
        let stamp = FileStamp::of(path);
        let known = Mutex::new(Known { stamp, said: Ok(read(path, parse)?) });
        Ok(Self { path: path.to_owned(), parse, known })
    }

    /// What it says now.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn look<A>(&self, ask: impl FnOnce(&T) -> A) -> Result<A, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = FileStamp::of(&self.path);
        if stamp.is_none() || known.stamp != stamp {
            *known = Known { stamp, said: read(&self.path, self.parse) };
        }
        known.said.as_ref().map(ask).map_err(String::clone)
    }
}

impl FileStamp {
    /// That of a file; none if there is no such file.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let about = fs::metadata(path).ok()?;
        Some(Self { changed: about.modified().ok(), bytes: about.len(), inode: about.ino() })
    }
}

fn read<T>(path: &Path, parse: fn(&str) -> Result<T, String>) -> Result<T, String> {
    let name = path.display();
    let unreadable = |e: std::io::Error| format!("{name} cannot be read: {e}");
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(format!("{name} is larger than {FILE_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    parse(&text).map_err(|words| format!("{name}:{words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u32, String> {
        text.trim().parse().map_err(|_| format!("1: `{}` is no number", text.trim()))
    }

    #[test]
    fn a_changed_file_counts_at_once_and_a_damaged_one_says_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let said = |file: &FreshFile<u32>| file.look(|number| *number);
        assert!(FreshFile::open(&path, number).expect_err("no file").contains("cannot be read"));
        fs::write(&path, "12").expect("written");
        let file = FreshFile::open(&path, number).expect("a number");
        assert_eq!(said(&file), Ok(12));
        let beside = folder.path().join("beside");
        fs::write(&beside, "34").expect("written");
        fs::rename(&beside, &path).expect("moved");
        assert_eq!(said(&file), Ok(34), "as large, and perhaps written in the same moment");
        fs::write(&path, "few").expect("written");
        assert!(said(&file).expect_err("no number").ends_with("file:1: `few` is no number"));
        fs::remove_file(&path).expect("removed");
        assert!(said(&file).expect_err("no file").contains("cannot be read"));
        fs::write(&path, "5").expect("written");
        assert_eq!(said(&file), Ok(5));
    }
}
