use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::batch::Batch;
use super::is_damage;
use super::statements::Statements;
use crate::broker::Places;
use crate::message::{Offset, Span, Timestamp, Topic, TopicId};
use crate::view::Error;

/// The format of the index that this build reads and writes: raised with every change of the
/// schema, or of what a row says.
const FORMAT: &str = "3";
const SCHEMA: &str = include_str!("schema.sql");
/// The line of the log that says that an index was thrown away.
pub(in crate::view) const MADE_ANEW: &str = "view.made_anew: it is built from Kafka";
const BUSY_MS: u64 = 5_000;
/// How far the time of the last write may lie in front of the clock, which somebody may set.
const AHEAD_MAX: Span = Span::hours(1);

/// Where the index lies. While it exists no other view uses the folder.
#[derive(Debug)]
pub(in crate::view) struct File {
    path: PathBuf,
    _lock: fs::File,
}

impl File {
    /// Takes a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or another view has it.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder)?;
        let lock = fs::File::create(folder.join("view.lock"))?;
        lock.try_lock().map_err(|_| Error::Taken(folder.display().to_string()))?;
        Ok(Self { path: folder.join("view.db"), _lock: lock })
    }

    /// A connection that reads.
    pub fn reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        connection.pragma_update(None, "cache_size", -4_000)?;
        Ok(connection)
    }

    /// Whether the file is there.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    fn writer(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What the last seconds before a loss of power brought is read again from Kafka.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -32_000)?;
        connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
        Ok(connection)
    }

    fn remove(&self) -> Result<(), Error> {
        for end in ["", "-wal", "-shm"] {
            let path = PathBuf::from(format!("{}{end}", self.path.display()));
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

/// The index, as whoever writes it has it.
pub(in crate::view) struct Index {
    connection: Connection,
    words: BTreeMap<String, i64>,
}

impl Index {
    /// Opens the index of an application, or makes it. One that is damaged, of another format or
    /// application, or that was not written for `age_max`, is thrown away: a removal that the
    /// changelog does not keep any more would be missed.
    ///
    /// # Errors
    /// When there is no index and none can be made.
    pub fn open(file: &File, app: &str, age_max: Span, now: Timestamp) -> Result<Self, Error> {
        match Self::existing(file, app, age_max, now) {
            Ok(Ok(index)) => Ok(index),
            Ok(Err(None)) => Self::make(file, app),
            Ok(Err(Some(reason))) => {
                tracing::warn!(reason, "{MADE_ANEW}");
                Self::make(file, app)
            }
            Err(error) if is_damage(&error) => {
                tracing::warn!(reason = %error, "{MADE_ANEW}");
                Self::make(file, app)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The index that is there, or why it cannot be used; nothing if there is none.
    fn existing(
        file: &File,
        app: &str,
        age_max: Span,
        now: Timestamp,
    ) -> rusqlite::Result<Result<Self, Option<String>>> {
        if !file.exists() {
            return Ok(Err(None));
        }
        let connection = file.writer()?;
        let known = "SELECT count(*) FROM sqlite_master WHERE name = 'meta'";
        let known: i64 = connection.query_row(known, [], |row| row.get(0))?;
        if known == 0 {
            return Ok(Err(Some("it is no index of a view".to_owned())));
        }
        let index = Self { connection, words: BTreeMap::new() };
        let refused = |what: &str, found: &str| Ok(Err(Some(format!("its {what} is {found}"))));
        let format = index.meta("format")?.unwrap_or_default();
        if format != FORMAT {
            return refused("format", &format);
        }
        let of = index.meta("app")?.unwrap_or_default();
        if of != app {
            return refused("application", &of);
        }
        if index.is_older_than(age_max, now)? {
            return Ok(Err(Some("it was not written for too long".to_owned())));
        }
        let check = |row: &rusqlite::Row<'_>| row.get(0);
        let sound: String = index.connection.query_row("PRAGMA quick_check(1)", [], check)?;
        Ok(if sound == "ok" { Ok(index) } else { Err(Some(sound)) })
    }

    /// Makes an empty index in the place of what is there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(file: &File, app: &str) -> Result<Self, Error> {
        file.remove()?;
        let connection = file.writer()?;
        connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))?;
        let index = Self { connection, words: BTreeMap::new() };
        index.set_meta("format", FORMAT)?;
        index.set_meta("app", app)?;
        Ok(index)
    }

    /// Whether the index is of this cluster; an index of none is from now on.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn is_of(&self, cluster: &str) -> Result<bool, Error> {
        if let Some(known) = self.meta("cluster")? {
            return Ok(known == cluster);
        }
        self.set_meta("cluster", cluster)?;
        Ok(true)
    }

    /// Whether the topics are those that it was read from; of one that is not known yet it is from
    /// now on.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn is_from(&self, topics: &BTreeMap<Topic, TopicId>) -> Result<bool, Error> {
        for (topic, id) in topics {
            let (name, id) = (format!("topic {topic}"), id.to_string());
            match self.meta(&name)? {
                Some(known) if known == id => {}
                Some(_) => return Ok(false),
                None => self.set_meta(&name, &id)?,
            }
        }
        Ok(true)
    }

    /// Whether it was not written for so long, or was written at a time that is yet to come, so
    /// that nobody knows how long ago that was; an index of no cluster holds nothing that can be
    /// old.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_older_than(&self, age_max: Span, now: Timestamp) -> rusqlite::Result<bool> {
        let written = self.meta("written")?.and_then(|written| written.parse().ok());
        let is_used = self.meta("cluster")?.is_some() && written.is_some();
        let written = Timestamp(written.unwrap_or_default());
        Ok(is_used && (now.since(written) > age_max || written.since(now) > AHEAD_MAX))
    }

    /// How far each partition was read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn positions(&self) -> Result<Places, Error> {
        let mut select = self.connection.prepare("SELECT topic, partition, next FROM positions")?;
        let mut rows = select.query([])?;
        let mut places = Places::new();
        while let Some(row) = rows.next()? {
            let topic: String = row.get(0)?;
            if let Ok(topic) = Topic::new(&topic) {
                places.insert((topic, row.get(1)?), Offset(row.get(2)?));
            }
        }
        Ok(places)
    }

    /// Writes a batch: all that `fill` does to it, or nothing.
    ///
    /// # Errors
    /// When it cannot be written, or `fill` fails.
    pub fn write(
        &mut self,
        now: Timestamp,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let written = Self::fill(&mut self.connection, &mut self.words, now, fill);
        if written.is_err() {
            // A word may have got its number in the batch that is not there.
            self.words.clear();
        }
        written
    }

    fn fill(
        connection: &mut Connection,
        words: &mut BTreeMap<String, i64>,
        now: Timestamp,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let transaction = connection.transaction()?;
        {
            let mut batch = Batch::new(Statements::prepare(&transaction)?, words);
            fill(&mut batch)?;
            let counts = batch.counts;
            counts.write(&transaction)?;
        }
        let written = "INSERT OR REPLACE INTO meta (name, value) VALUES ('written', ?1)";
        transaction.execute(written, [now.0.to_string()])?;
        transaction.commit()?;
        Ok(())
    }

    /// Lets the file have no more than so many pages, as a disk that is full would.
    #[cfg(test)]
    pub fn bound(&self, pages: i64) {
        let set = format!("PRAGMA max_page_count = {pages}");
        self.connection.query_row(&set, [], |_| Ok(())).expect("SQLite answers");
    }

    fn meta(&self, name: &str) -> rusqlite::Result<Option<String>> {
        let select = "SELECT value FROM meta WHERE name = ?1";
        self.connection.query_row(select, [name], |row| row.get(0)).optional()
    }

    fn set_meta(&self, name: &str, value: &str) -> rusqlite::Result<()> {
        let insert = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
        self.connection.execute(insert, params![name, value]).map(|_| ())
    }
}
