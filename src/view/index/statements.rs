use rusqlite::{Statement, Transaction};

/// The statements of a batch, prepared once.
pub(super) struct Statements<'t> {
    pub word: Statement<'t>,
    pub new_word: Statement<'t>,
    pub find: Statement<'t>,
    pub insert: Statement<'t>,
    pub update: Statement<'t>,
    pub touch: Statement<'t>,
    pub delete: Statement<'t>,
    pub forget: Statement<'t>,
    pub error: Statement<'t>,
    pub pay: Statement<'t>,
    pub owe: Statement<'t>,
    pub answer: Statement<'t>,
    pub ask: Statement<'t>,
    pub clear: Statement<'t>,
    pub value: Statement<'t>,
    pub entries: Statement<'t>,
    pub enter: Statement<'t>,
    pub letter: Statement<'t>,
    pub position: Statement<'t>,
    pub outdated: Statement<'t>,
    pub cut: Statement<'t>,
    pub dispose: Statement<'t>,
    pub cut_disposals: Statement<'t>,
    pub bulk: Statement<'t>,
    pub bulk_member: Statement<'t>,
    pub bulk_end: Statement<'t>,
    pub cut_bulks: Statement<'t>,
}

impl<'t> Statements<'t> {
    pub fn prepare(of: &'t Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            word: of.prepare("SELECT id FROM words WHERE word = ?1")?,
            new_word: of.prepare("INSERT INTO words (word) VALUES (?1) RETURNING id")?,
            find: of.prepare(FIND)?,
            insert: of.prepare(INSERT)?,
            update: of.prepare(UPDATE)?,
            touch: of.prepare(
                "UPDATE instances SET changed = ?2, due = ?3, partition = ?4, place = ?5
                 WHERE id = ?1",
            )?,
            delete: of.prepare("DELETE FROM instances WHERE id = ?1")?,
            forget: of.prepare("UPDATE instances SET forgotten = ?2, due = NULL WHERE id = ?1")?,
            error: of.prepare("INSERT OR IGNORE INTO errors (error, reason) VALUES (?1, ?2)")?,
            pay: of.prepare("DELETE FROM owed WHERE instance = ?1")?,
            owe: of.prepare("INSERT INTO owed VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            answer: of.prepare("DELETE FROM questions WHERE instance = ?1")?,
            ask: of.prepare("INSERT INTO questions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            clear: of.prepare("DELETE FROM searched WHERE instance = ?1")?,
            value: of.prepare("INSERT INTO searched VALUES (?1, ?2, ?3, ?4)")?,
            entries: of
                .prepare("SELECT id, history FROM instances WHERE saga = ?1 AND key = ?2")?,
            enter: of.prepare("UPDATE instances SET history = ?2 WHERE id = ?1")?,
            letter: of
                .prepare("INSERT OR REPLACE INTO dead_letters VALUES (?1,?2,?3,?4,?5,?6,?7)")?,
            position: of.prepare("INSERT OR REPLACE INTO positions VALUES (?1, ?2, ?3)")?,
            outdated: of.prepare(
                "SELECT id, saga, state, version, step, error, started, ended, searched
                 FROM instances WHERE forgotten < ?1 LIMIT 1000",
            )?,
            cut: of.prepare("DELETE FROM dead_letters WHERE partition = ?1 AND place < ?2")?,
            dispose: of
                .prepare("INSERT OR REPLACE INTO disposals VALUES (?1,?2,?3,?4,?5,?6,?7)")?,
            cut_disposals: of
                .prepare("DELETE FROM disposals WHERE partition = ?1 AND place < ?2")?,
            bulk: of.prepare(
                "INSERT OR IGNORE INTO bulks
                 (id, partition, place, at, by, why, verb, filter, members, written)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)",
            )?,
            bulk_member: of.prepare("UPDATE bulks SET written = max(written, ?2) WHERE id = ?1")?,
            bulk_end: of.prepare(
                "UPDATE bulks SET ended = ?2, ended_at = ?3, ended_why = ?4,
                 written = max(written, ?5) WHERE id = ?1",
            )?,
            cut_bulks: of.prepare("DELETE FROM bulks WHERE partition = ?1 AND place < ?2")?,
        })
    }
}

const FIND: &str = "SELECT id, saga, state, version, step, error, started, ended, searched,
     forgotten FROM instances WHERE saga = ?1 AND key = ?2";

const INSERT: &str = "INSERT INTO instances
     (saga, key, state, version, step, error, started, ended, changed, due, partition, place,
      searched)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id";

const UPDATE: &str = "UPDATE instances SET
     state = ?2, version = ?3, step = ?4, error = ?5, started = ?6, ended = ?7, changed = ?8,
     due = ?9, partition = ?10, place = ?11, searched = ?12, forgotten = NULL WHERE id = ?1";
