//! Sums, products, quotients, remainders and comparisons are equal to those of another language's
//! decimal library.
//!
//! `tests/decimals/table.txt` was drawn by `tests/decimals/generate.py` and computed there with
//! Python's `decimal`. Where `python3` is installed, ten thousand more are.

use std::process::Command;

use segue::expression::{Expression, Name, Scope};
use segue::message::{Timestamp, read_json};

/// How many lines the table has, and the seed that they were drawn with.
const TABLE: (&str, &str) = ("500", "1");

/// The same for what is drawn when the test runs.
const MORE: (&str, &str) = ("10000", "2");

#[test]
fn a_table_of_another_library_is_computed_alike() {
    assert_eq!(check(include_str!("decimals/table.txt")), 500);
}

#[test]
fn ten_thousand_drawn_operations_are_computed_alike() {
    let Some(table) = generated(TABLE) else {
        eprintln!("python3 is not installed: only the table is checked");
        return;
    };
    assert_eq!(table, include_str!("decimals/table.txt"), "the table is what the generator draws");
    assert_eq!(check(&generated(MORE).expect("python3 was there")), 10_000);
}

/// What the generator draws; none if there is no Python.
fn generated((lines, seed): (&str, &str)) -> Option<String> {
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decimals/generate.py");
    let output = Command::new("python3").args([generator, lines, seed]).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(String::from_utf8(output.stdout).expect("the generator writes text"))
}

/// Computes each line of a table; how many there were.
fn check(table: &str) -> usize {
    let wrong: Vec<String> = table.lines().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    table.lines().count()
}

/// What is wrong with a line.
fn wrong(line: &str) -> Option<String> {
    let parts: Vec<&str> = line.split('\t').collect();
    let [left, operator, right, expected] = parts[..] else { panic!("{line}: four columns") };
    let data = read_json(format!(r#"{{"a":{left},"b":{right}}}"#).as_bytes()).expect("JSON");
    let expression = Expression::parse(&format!("data.a {operator} data.b")).expect("it parses");
    let computed = expression.evaluate(&Scope::at(Timestamp(0)).with(Name::Data, &data));
    let seen = match &computed {
        Ok(value) => value.to_string(),
        Err(_) => "none".to_owned(),
    };
    (seen != expected).then(|| format!("{line}: {computed:?}"))
}
