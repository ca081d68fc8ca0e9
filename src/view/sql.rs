//! What people ask the index in SQL: documented tables and nothing else, read and never written,
//! within limits of time, rows and bytes.
//!
//! Each question has a connection of its own. The documented tables are views over views whose
//! names are drawn for it: only through those may the index's own tables be read, and nobody can
//! name one of them so that it looks like that.

use std::time::{Duration, Instant};

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, ErrorCode};
use serde_json::{Number, Value};

use super::{Error, Fresh, SqlRows, View};
use crate::status::LifeState;

/// The most rows of an answer.
const ROWS_MAX: usize = 10_000;
/// The most bytes of its values.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a question may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// The longest question, in bytes.
const QUESTION_BYTES_MAX: usize = 64 * 1024;
/// The largest single value: no function works on more at once, so time is looked at often enough.
const VALUE_BYTES_MAX: i32 = 100_000;
/// So many steps of SQLite's machine are done between two looks at the time.
const STEPS: i32 = 1_000;
/// What the names of inner views begin with, before what is drawn.
const INNER: &str = "inner_";

/// A documented table: its name, its columns, and where they come from.
struct Table {
    name: &'static str,
    /// Each with its SQL and what it is.
    columns: &'static [(&'static str, &'static str, &'static str)],
    from: &'static str,
}

const SAGA: (&str, &str, &str) = ("saga", "s.word", "the saga");
const KEY: (&str, &str, &str) = ("key", "i.key", "the instance's key");

/// The documented tables. Names and columns stay; more may come. Times are text (RFC 3339, UTC),
/// and beside them, where lists are ordered by them, milliseconds since 1970.
const TABLES: [Table; 5] = [
    Table {
        name: "instances",
        columns: &[
            SAGA,
            KEY,
            ("state", "STATE(i.state)", "what it is at, such as running or stuck"),
            ("version", "i.version", "the version that it runs on"),
            ("step", "p.word", "the step that is stuck, under way, or has failed"),
            (
                "error",
                "iif(i.error IS NULL, NULL, printf('%016x', i.error))",
                "the group of its error",
            ),
            ("reason", "e.reason", "the reason, in the words of the first of the group"),
            ("started", "TIME(i.started)", "when it started"),
            ("started_ms", "i.started", "the same as a number"),
            ("changed", "TIME(i.changed)", "when it last changed"),
            ("ended", "TIME(i.ended)", "when it ended"),
            ("due", "TIME(i.due)", "when its next timer strikes"),
            ("due_ms", "i.due", "the same as a number"),
            ("forgotten", "TIME(i.forgotten)", "when it was forgotten, if it is still listed"),
        ],
        from: "main.instances i JOIN main.words s ON s.id = i.saga \
               LEFT JOIN main.words p ON p.id = i.step \
               LEFT JOIN main.errors e ON e.error = i.error",
    },
    Table {
        name: "counts",
        columns: &[
            SAGA,
            ("state", "STATE(i.state)", "what instances are at"),
            ("instances", "i.instances", "how many"),
        ],
        from: "main.counts i JOIN main.words s ON s.id = i.saga",
    },
    Table {
        name: "owed",
        columns: &[
            SAGA,
            KEY,
            ("step", "o.step", "the step that is to be undone"),
            ("receiver", "o.receiver", "who is to undo it"),
            ("since", "TIME(o.since)", "since when"),
            ("since_ms", "o.since", "the same as a number"),
            ("attempts", "o.attempts", "how often it was asked for"),
            ("due", "TIME(o.due)", "when it is asked for again"),
            ("parked", "o.parked", "1 if a person must act"),
        ],
        from: "main.owed o JOIN main.instances i ON i.id = o.instance \
               JOIN main.words s ON s.id = i.saga",
    },
    Table {
        name: "questions",
        columns: &[
            SAGA,
            KEY,
            ("step", "q.step", "the step that asks"),
            ("who", "q.who", "whom"),
            ("choices", "q.choices", "the answers that it takes, a JSON list"),
            ("since", "TIME(q.since)", "since when"),
            ("until", "TIME(q.until)", "when its time is up"),
        ],
        from: "main.questions q JOIN main.instances i ON i.id = q.instance \
               JOIN main.words s ON s.id = i.saga",
    },
    Table {
        name: "dead_letters",
        columns: &[
            ("partition", "d.partition", "where it stands"),
            ("offset", "d.place", "where in it"),
            ("at", "TIME(d.at)", "when it was put aside"),
            ("at_ms", "d.at", "the same as a number"),
            ("reason", "d.reason", "why"),
            ("origin", "d.origin", "where it was read"),
            ("instance", "d.instance", "for which instance it was"),
            ("event_type", "d.event_type", "the event's type"),
        ],
        from: "main.dead_letters d",
    },
];

/// The table that tells of the others.
const OVERVIEW: &str = "tables";
/// Lists in a column, as tables.
const JSON_TABLES: [&str; 2] = ["json_each", "json_tree"];
/// The functions that a question may use: those that read nothing but their arguments and the
/// clock.
const FUNCTIONS: &str = " \
    abs avg cast ceil ceiling changes char coalesce concat concat_ws count cume_dist date \
    datetime dense_rank exp first_value floor format glob group_concat hex if ifnull iif \
    instr json json_array json_array_length json_extract json_group_array json_group_object \
    json_object json_type json_valid julianday lag last_value lead length like ln log log10 \
    log2 lower ltrim max median min mod nth_value ntile nullif percent_rank percentile pow \
    power printf quote random rank replace round row_number rtrim sign sqrt string_agg \
    strftime substr substring sum time timediff total trim trunc typeof unicode unixepoch \
    upper -> ->> ";

impl View {
    /// Answers a question in SQL over documented tables, or says what is wrong with it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn sql(&self, question: &str) -> Result<Fresh<Result<SqlRows, String>>, Error> {
        let freshness = self.freshness();
        let reader = self.0.file.reader()?;
        Ok(Fresh { found: ask(reader, question, Instant::now())?, freshness })
    }
}

/// Asks the index a question in SQL. What is wrong with the question is said in words.
///
/// # Errors
/// When the index cannot be read.
pub(super) fn ask(
    mut connection: Connection,
    question: &str,
    now: Instant,
) -> Result<Result<SqlRows, String>, Error> {
    if question.len() > QUESTION_BYTES_MAX {
        return Ok(Err(format!("the question is longer than {QUESTION_BYTES_MAX} bytes")));
    }
    let guard = prepare(&connection)?;
    watch(&mut connection, guard, now)?;
    match answer(&connection, question) {
        Ok(rows) => Ok(Ok(rows)),
        Err(Wrong::Question(words)) => Ok(Err(words)),
        Err(Wrong::Sqlite(error)) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Err(error.into()),
            Some(ErrorCode::OperationInterrupted) => {
                let seconds = TIME_MAX.as_secs();
                Ok(Err(format!("it takes longer than {seconds} s; ask for less")))
            }
            Some(ErrorCode::AuthorizationForStatementDenied) => Ok(Err(format!(
                "it may only read the documented tables ({error}); `SELECT * FROM {OVERVIEW}` \
                 lists them"
            ))),
            Some(_) | None => Ok(Err(error.to_string())),
        },
    }
}

enum Wrong {
    Question(String),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Wrong {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// What a question may read.
struct Guard {
    /// What the names of the inner views begin with.
    inner: String,
    /// The index's own tables.
    tables: Vec<String>,
}

/// Makes the documented tables; answers what may be read from then on.
fn prepare(connection: &Connection) -> Result<Guard, Error> {
    let drawn: String =
        connection.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))?;
    let inner = format!("{INNER}{drawn}_");
    for table in &TABLES {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|(name, sql, _)| format!("{} AS \"{name}\"", written(sql)))
            .collect();
        let (name, columns) = (table.name, columns.join(", "));
        connection.execute_batch(&format!(
            "CREATE TEMP VIEW \"{inner}{name}\" AS SELECT {columns} FROM {};
             CREATE TEMP VIEW \"{name}\" AS SELECT * FROM temp.\"{inner}{name}\";",
            table.from
        ))?;
    }
    let row = |table: &Table, (name, _, about): &(&str, &str, &str)| {
        format!("('{}', '{name}', '{}')", table.name, about.replace('\'', "''"))
    };
    let rows =
        TABLES.iter().flat_map(|table| table.columns.iter().map(|column| row(table, column)));
    let rows = rows.collect::<Vec<_>>().join(", ");
    let overview =
        format!("CREATE TEMP VIEW {OVERVIEW} (name, \"column\", about) AS VALUES {rows}");
    connection.execute_batch(&overview)?;
    // They are made when they are first read, which looks like a write to the guard.
    let read =
        format!("SELECT 1 FROM {}", JSON_TABLES.map(|name| format!("{name}('[]')")).join(", "));
    connection.execute_batch(&read)?;
    let mut names = connection.prepare("SELECT name FROM main.sqlite_schema")?;
    let tables = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Guard { inner, tables })
}

/// The SQL of a column: what a state and a moment look like is said here once.
fn written(sql: &str) -> String {
    let inside =
        |beginning: &str| sql.strip_prefix(beginning)?.strip_suffix(')').map(str::to_owned);
    if let Some(column) = inside("TIME(") {
        return format!("strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1000.0, 'unixepoch')");
    }
    if let Some(column) = inside("STATE(") {
        let words = LifeState::WORDS
            .iter()
            .map(|(word, state)| format!("WHEN {} THEN '{word}'", super::index::number(*state)));
        return format!("CASE {column} {} END", words.collect::<Vec<_>>().join(" "));
    }
    sql.to_owned()
}

/// From here on only what is asked may happen.
fn watch(connection: &mut Connection, guard: Guard, now: Instant) -> Result<(), Error> {
    connection.pragma_update(None, "query_only", true)?;
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, most)?;
    }
    connection.authorizer(Some(move |asked: AuthContext<'_>| {
        if guard.allows(&asked) { Authorization::Allow } else { Authorization::Deny }
    }))?;
    connection.progress_handler(STEPS, Some(move || now.elapsed() > TIME_MAX))?;
    Ok(())
}

impl Guard {
    /// Whether a part of a question may be.
    fn allows(&self, asked: &AuthContext<'_>) -> bool {
        match asked.action {
            AuthAction::Select | AuthAction::Recursive => true,
            AuthAction::Function { function_name } => {
                let name = function_name.to_ascii_lowercase();
                !name.contains(' ') && FUNCTIONS.contains(&format!(" {name} "))
            }
            AuthAction::Read { table_name, column_name: "" } => {
                self.may_be_named(table_name, asked.database_name)
            }
            AuthAction::Read { table_name, .. } if asked.database_name == Some("temp") => {
                self.is_told(table_name)
            }
            AuthAction::Read { table_name, .. } => {
                let is_inner = asked.accessor.is_some_and(|name| name.starts_with(&self.inner));
                is_inner || JSON_TABLES.contains(&table_name)
            }
            _ => false,
        }
    }

    /// Whether a table may stand in a question of whose columns none is read there: at most its
    /// rows are counted. So stand parts of the question itself, which have no database, and what
    /// is left of a documented table when its columns are not needed.
    fn may_be_named(&self, table: &str, database: Option<&str>) -> bool {
        let is_beneath = TABLES.iter().any(|told| told.from.contains(&format!("main.{table} ")));
        match database {
            _ if table.starts_with("sqlite_") || table.starts_with("pragma_") => false,
            Some("temp") => self.is_told(table),
            Some("main") => is_beneath,
            Some(_) => false,
            None => {
                let is_own = !self.tables.iter().any(|other| other == table);
                is_own || is_beneath || self.is_told(table)
            }
        }
    }

    /// Whether it is a documented table, or a view that one is made of.
    fn is_told(&self, table: &str) -> bool {
        let is_documented = TABLES.iter().any(|told| told.name == table) || table == OVERVIEW;
        is_documented || table.starts_with(&self.inner)
    }
}

fn answer(connection: &Connection, question: &str) -> Result<SqlRows, Wrong> {
    let mut statements = Batch::new(connection, question);
    let Some(mut statement) = statements.next()? else {
        return Err(Wrong::Question("there is no question".to_owned()));
    };
    if statements.next()?.is_some() {
        return Err(Wrong::Question("there is more than one question; ask one".to_owned()));
    }
    if !statement.readonly() {
        return Err(Wrong::Question("it would write; ask what is read".to_owned()));
    }
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut answer = SqlRows { columns, rows: Vec::new(), is_cut: false };
    let (mut bytes, width) = (0, answer.columns.len());
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(width);
        for place in 0..width {
            let value = value(row.get_ref(place)?);
            bytes += value.as_str().map_or(16, str::len);
            values.push(value);
        }
        if answer.rows.len() >= ROWS_MAX || bytes > BYTES_MAX {
            answer.is_cut = true;
            break;
        }
        answer.rows.push(values);
    }
    Ok(answer)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        // JSON knows no infinity.
        ValueRef::Real(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => {
            let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
            let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            halves.map(digit).collect::<String>().into()
        }
    }
}
