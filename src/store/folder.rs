use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Error;

/// The layout of a tree and of its entries; another number's folder is not read.
const FORMAT: u32 = 2;
/// How many folders that were moved aside are kept; the oldest go first.
pub(super) const ASIDE_MAX: usize = 3;

/// Whose store it is: one of another cluster, engine or shard count says nothing about ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The Kafka cluster's id.
    pub cluster: String,
    /// The engine's name, the prefix of its topics.
    pub app: String,
    /// How many shards it has.
    pub shards: u32,
}

/// What the last process left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It was handing the folder to sled; if it ended there, sled took it down.
    Opening,
    /// It had the store open.
    Running,
    /// It closed the store.
    Clean,
    /// It could not even empty a shard.
    Damaged,
}

impl State {
    fn text(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Running => "running",
            Self::Clean => "clean",
            Self::Damaged => "damaged",
        }
    }
}

/// The data folder, held by this process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    fingerprint: Fingerprint,
    boot: Option<String>,
    /// The lock ends with the file.
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing and keeps every other process out of it.
    pub(super) fn hold(path: &Path, fingerprint: &Fingerprint) -> Result<Self, Error> {
        let wrong = |source| Error::Folder { folder: path.display().to_string(), source };
        fs::create_dir_all(path).map_err(wrong)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(wrong)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked(path.display().to_string())),
            Err(TryLockError::Error(source)) => return Err(wrong(source)),
        }
        Ok(Self {
            path: path.to_owned(),
            fingerprint: fingerprint.clone(),
            boot: boot(),
            _lock: lock,
        })
    }

    pub(super) fn text(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn sled(&self) -> PathBuf {
        self.path.join("sled")
    }

    /// Whether there is a store that can be believed: `None` if there is none, else the answer
    /// or why not.
    pub(super) fn judge(&self) -> Option<Result<(), String>> {
        let stamp = fs::read_to_string(self.path.join("stamp"));
        match stamp {
            Ok(stamp) => Some(believe(&stamp, &self.fingerprint, self.boot.as_deref())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.sled().exists().then(|| Err("its stamp is missing".to_owned()))
            }
            Err(e) => Some(Err(format!("its stamp cannot be read: {e}"))),
        }
    }

    /// Writes down what this process is doing with the store.
    pub(super) fn mark(&self, state: State) -> io::Result<()> {
        let (path, fresh) = (self.path.join("stamp"), self.path.join("stamp.new"));
        let mut file = File::create(&fresh)?;
        file.write_all(stamp(&self.fingerprint, self.boot.as_deref(), state).as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(&self.path)?.sync_all()
    }

    /// Moves the store aside, within the folder: the folder itself may be a mounted volume.
    pub(super) fn move_aside(&self) -> io::Result<PathBuf> {
        let mut aside = self.aside()?;
        let number = aside.last().map_or(1, |last| last.0.saturating_add(1));
        let to = self.path.join(format!("bad-{number}"));
        fs::create_dir(&to)?;
        for name in ["sled", "stamp"] {
            match fs::rename(self.path.join(name), to.join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                Ok(()) | Err(_) => {}
            }
        }
        aside.push((number, to.clone()));
        for (_, old) in aside.iter().rev().skip(ASIDE_MAX) {
            fs::remove_dir_all(old)?;
        }
        Ok(to)
    }

    /// The folders that were moved aside, the oldest first.
    pub(super) fn aside(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if let Some(Ok(number)) = name.strip_prefix("bad-").map(str::parse) {
                found.push((number, path));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn stamp(of: &Fingerprint, boot: Option<&str>, state: State) -> String {
    let mut text = format!("store: {FORMAT}\n");
    for (name, value) in [
        ("cluster", of.cluster.as_str()),
        ("app", of.app.as_str()),
        ("shards", of.shards.to_string().as_str()),
        ("boot", boot.unwrap_or_default()),
        ("state", state.text()),
    ] {
        writeln!(text, "{name}: {}", value.escape_default()).expect("a string takes all text");
    }
    text
}

/// Whether the store behind a stamp can be believed, or why not.
fn believe(found: &str, ours: &Fingerprint, boot: Option<&str>) -> Result<(), String> {
    let expected = stamp(ours, boot, State::Running);
    let field = |name: &str, text: &str| {
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
        text.lines().find_map(value)
    };
    for (name, is) in [
        ("store", "its format is"),
        ("cluster", "it is of the Kafka cluster"),
        ("app", "its app is"),
        ("shards", "its number of shards is"),
    ] {
        let (theirs, ours) = (field(name, found), field(name, &expected).unwrap_or_default());
        match theirs {
            Some(theirs) if theirs == ours => {}
            Some(theirs) => return Err(format!("{is} `{theirs}`, not `{ours}`")),
            None => return Err("its stamp is damaged".to_owned()),
        }
    }
    let state = field("state", found).unwrap_or_default();
    let same_boot = boot.is_some() && field("boot", found).as_deref() == boot;
    match state.as_str() {
        "clean" => Ok(()),
        "running" if same_boot => Ok(()),
        "running" => Err("it was open when the machine went down".to_owned()),
        "opening" => Err("the last process ended while sled opened it".to_owned()),
        "damaged" => Err("a damaged shard could not be emptied".to_owned()),
        _ => Err("its stamp is damaged".to_owned()),
    }
}

/// Names this run of the machine; another name means that it went down in between.
fn boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Fingerprint {
        Fingerprint { cluster: "c\n1".to_owned(), app: "segue".to_owned(), shards: 4 }
    }

    #[test]
    fn a_stamp_is_believed_only_when_everything_fits() {
        let ours = ours();
        let check =
            |of: &Fingerprint, boot, state, now| believe(&stamp(of, boot, state), &ours, now);
        let (a, b) = (Some("boot-a"), Some("boot-b"));
        assert_eq!(check(&ours, a, State::Clean, b), Ok(()));
        assert_eq!(check(&ours, a, State::Running, a), Ok(()));
        let down = Err("it was open when the machine went down".to_owned());
        assert_eq!(check(&ours, a, State::Running, b), down);
        assert_eq!(check(&ours, None, State::Running, None), down);
        let opening = Err("the last process ended while sled opened it".to_owned());
        assert_eq!(check(&ours, a, State::Opening, a), opening);
        assert!(check(&ours, a, State::Damaged, a).is_err());
        let other = Fingerprint { cluster: "c2".to_owned(), ..ours.clone() };
        let cluster = Err("it is of the Kafka cluster `c2`, not `c\\n1`".to_owned());
        assert_eq!(check(&other, a, State::Clean, a), cluster);
        let other = Fingerprint { app: "other".to_owned(), ..ours.clone() };
        assert_eq!(
            check(&other, a, State::Clean, a),
            Err("its app is `other`, not `segue`".to_owned())
        );
        let other = Fingerprint { shards: 5, ..ours.clone() };
        let shards = Err("its number of shards is `5`, not `4`".to_owned());
        assert_eq!(check(&other, a, State::Clean, a), shards);
    }

    #[test]
    fn a_torn_stamp_is_never_believed() {
        let whole = stamp(&ours(), Some("boot"), State::Clean);
        for length in 0..whole.trim_end().len() {
            assert!(believe(&whole[..length], &ours(), Some("boot")).is_err(), "{length} bytes");
        }
    }
}
