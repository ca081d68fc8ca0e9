//! What people may ask the index in SQL, and what not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::view::SqlRows;
use crate::view::sql;

fn shelf(folder: &Folder) -> Shelf {
    let mut shelf = Shelf::open(folder);
    shelf.put(&id("order", "o-1"), &failed(1_000, "no stock"));
    shelf.put(&id("order", "o-2"), &running(2_000));
    shelf.put(&id("trip", "t-1"), &completed(3_000, 5));
    shelf
}

fn asked(shelf: &Shelf, question: &str, now: Instant) -> Result<SqlRows, String> {
    sql::ask(shelf.file.reader().expect("a reader"), question, now).expect("the index is sound")
}

fn rows(shelf: &Shelf, question: &str) -> Vec<Vec<Value>> {
    let answer = asked(shelf, question, Instant::now());
    answer.unwrap_or_else(|words| panic!("{question}: {words}")).rows
}

#[test]
fn documented_tables_are_read_as_anybody_reads_tables() {
    let folder = Folder::new();
    let shelf = shelf(&folder);
    let found = rows(
        &shelf,
        "SELECT saga, key, state, step, reason, started FROM instances \
                              WHERE state = 'stuck'",
    );
    let started = "1970-01-01T00:00:01.000Z";
    assert_eq!(
        found,
        [[
            json!("order"),
            json!("o-1"),
            json!("stuck"),
            json!("charge"),
            json!("no stock"),
            json!(started)
        ]]
    );
    let counted = rows(
        &shelf,
        "WITH s AS (SELECT saga, count(*) AS n FROM instances GROUP BY 1) \
                                SELECT saga, n FROM s ORDER BY n DESC, upper(saga)",
    );
    assert_eq!(counted, [[json!("order"), json!(2)], [json!("trip"), json!(1)]]);
    let joined = "SELECT count(*) FROM instances i JOIN counts c USING (saga, state) \
                  WHERE EXISTS (SELECT 1 FROM tables) AND i.key LIKE 'o%' AND i.key NOT IN \
                  (SELECT key FROM owed UNION SELECT key FROM questions)";
    assert_eq!(rows(&shelf, joined), [[json!(2)]]);
    let same = rows(&shelf, "SELECT sum(instances) FROM counts");
    assert_eq!(same, [[json!(3)]]);
    let parts = rows(&shelf, "SELECT value FROM json_each('[1.5, null]')");
    assert_eq!(parts, [[json!(1.5)], [Value::Null]]);
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3) \
                   SELECT i FROM n";
    assert_eq!(rows(&shelf, numbers).len(), 3);
    let answer = asked(&shelf, "SELECT key AS k FROM instances", Instant::now()).expect("rows");
    assert_eq!((answer.columns, answer.is_cut), (vec!["k".to_owned()], false));
}

#[test]
fn every_documented_column_is_there() {
    let folder = Folder::new();
    let shelf = shelf(&folder);
    let told = rows(&shelf, "SELECT name, \"column\", about FROM tables");
    assert!(told.len() > 30, "{told:?}");
    for row in told {
        let [Value::String(table), Value::String(column), Value::String(about)] = &row[..] else {
            panic!("{row:?}")
        };
        rows(&shelf, &format!("SELECT \"{column}\" FROM \"{table}\""));
        assert!(!about.is_empty());
    }
}

#[test]
fn nothing_else_is_read_and_nothing_is_written() {
    let folder = Folder::new();
    let shelf = shelf(&folder);
    let before = rows(&shelf, "SELECT count(*) FROM instances");
    for question in [
        "SELECT * FROM main.instances",
        "SELECT history FROM main.instances",
        "SELECT * FROM meta",
        "SELECT count(*) FROM meta",
        "SELECT count(*) FROM main.positions",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM durations)",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT count(*) FROM pragma_database_list",
        "SELECT * FROM positions",
        "SELECT * FROM words",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM main.sqlite_schema",
        "SELECT sql FROM sqlite_temp_master",
        "SELECT * FROM temp.sqlite_schema",
        "WITH instances AS (SELECT * FROM main.positions) SELECT * FROM instances",
        "WITH inner_instances AS (SELECT * FROM main.meta) SELECT * FROM inner_instances",
        "SELECT * FROM (SELECT * FROM main.words) AS instances",
        "SELECT (SELECT value FROM meta LIMIT 1) FROM instances",
        "SELECT * FROM pragma_table_info('instances')",
        "SELECT * FROM pragma_database_list",
        "ATTACH DATABASE ':memory:' AS other",
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "DETACH DATABASE main",
        "PRAGMA query_only = 0",
        "PRAGMA table_list",
        "PRAGMA writable_schema = 1",
        "SELECT load_extension('/tmp/evil.so')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/x', 'y')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT sqlite_version()",
        "SELECT randomblob(10)",
        "SELECT edit('x')",
        "INSERT INTO main.words (word) VALUES ('x')",
        "UPDATE main.instances SET key = 'x'",
        "DELETE FROM main.instances",
        "DROP TABLE main.instances",
        "DROP VIEW instances",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP TABLE x AS SELECT * FROM instances",
        "CREATE TEMP VIEW x AS SELECT * FROM main.meta",
        "CREATE TEMP TRIGGER x INSTEAD OF INSERT ON instances BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE temp.x USING fts5(y)",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "SAVEPOINT x",
        "VACUUM",
        "VACUUM INTO '/tmp/x.db'",
        "REINDEX",
        "ANALYZE",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM main.instances",
        "",
        "-- nothing",
        "SELECT",
    ] {
        let refused = asked(&shelf, question, Instant::now());
        assert!(refused.is_err(), "{question}: {refused:?}");
    }
    assert_eq!(rows(&shelf, "SELECT count(*) FROM instances"), before);
    let words = asked(&shelf, "SELECT * FROM meta", Instant::now()).expect_err("not documented");
    assert!(words.contains("`SELECT * FROM tables` lists them"), "{words}");
}

#[test]
fn what_never_ends_is_ended() {
    let folder = Folder::new();
    let shelf = shelf(&folder);
    // So long ago that its time is up at the first look.
    let Some(begun) = Instant::now().checked_sub(Duration::from_secs(60)) else { return };
    for endless in [
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n \
         WHERE i < 0",
    ] {
        let words = asked(&shelf, endless, begun).expect_err("it would never end");
        assert!(words.starts_with("it takes longer than 5 s"), "{words}");
    }
}

#[test]
fn an_answer_has_its_size() {
    let folder = Folder::new();
    let shelf = shelf(&folder);
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) ";
    let many = asked(&shelf, &format!("{numbers} SELECT i FROM n"), Instant::now()).expect("rows");
    assert_eq!((many.rows.len(), many.is_cut), (10_000, true));
    let wide = "SELECT printf('%.90000c', 'x') FROM n";
    let wide = asked(&shelf, &format!("{numbers} {wide}"), Instant::now()).expect("rows");
    assert!(wide.is_cut && wide.rows.len() < 100, "{}", wide.rows.len());
    for huge in [
        "SELECT printf('%.200000c', 'x')",
        "SELECT hex(zeroblob(1000000000))",
        "SELECT replace(printf('%.90000c', 'x'), 'x', 'xxxxxxxxxx')",
    ] {
        assert!(asked(&shelf, huge, Instant::now()).is_err(), "{huge}");
    }
    let long = format!("SELECT '{}'", "x".repeat(70_000));
    assert!(asked(&shelf, &long, Instant::now()).expect_err("long").contains("longer than"));
}
