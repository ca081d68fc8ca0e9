//! `segue explain`: what a code of `segue check` means, and how to mend it.

use std::process::ExitCode;

use clap::Args;

use super::output::{NOT_FOUND, complain, say};

/// The page that lists every code; it is a part of the binary.
const PAGE: &str = include_str!("../definition/DIAGNOSTICS.md");

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The code, such as SG0402; without it, all are listed
    code: Option<String>,
}

/// A code as the page explains it.
#[derive(Debug, PartialEq)]
struct Explained<'p> {
    code: &'p str,
    meaning: &'p str,
    mend: &'p str,
    /// What the page says of it beside the table, line by line.
    more: Vec<&'p str>,
}

/// Prints what a code means.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let all = explained(PAGE);
    let Some(asked) = &arguments.code else {
        for row in &all {
            say(&format!("{}  {}", row.code, row.meaning));
        }
        return ExitCode::SUCCESS;
    };
    // `sg402` and `402` are what people write.
    let digits = asked.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let code = format!("SG{digits:0>4}");
    if let Some(row) = all.iter().find(|row| row.code == code) {
        for line in words(row) {
            say(&line);
        }
        return ExitCode::SUCCESS;
    }
    complain(&format!("error: there is no code {code}; `segue explain` lists all of them"));
    ExitCode::from(NOT_FOUND)
}

fn words(row: &Explained<'_>) -> Vec<String> {
    let mut lines = vec![
        row.code.to_owned(),
        format!("  meaning  {}", row.meaning),
        format!("  mend     {}", row.mend),
    ];
    if !row.more.is_empty() {
        lines.push(String::new());
        lines.extend(row.more.iter().map(|line| (*line).to_owned()));
    }
    lines
}

/// Every code of the page, in its order.
fn explained(page: &str) -> Vec<Explained<'_>> {
    let rows = page.lines().filter_map(|line| {
        let cells = line.strip_prefix("| `SG")?.strip_suffix('|')?;
        let (digits, rest) = cells.split_once("` | ")?;
        let (meaning, mend) = rest.rsplit_once(" | ")?;
        let start = line.find("SG")?;
        Some((line.get(start..start + 2 + digits.len())?, meaning.trim(), mend.trim()))
    });
    rows.map(|(code, meaning, mend)| Explained { code, meaning, mend, more: more(page, code) })
        .collect()
}

/// What stands under the heading of a code.
fn more<'p>(page: &'p str, code: &str) -> Vec<&'p str> {
    let heading = format!("### {code}");
    let mut lines = page.lines().skip_while(|line| *line != heading);
    lines.next();
    let mut found: Vec<_> = lines.take_while(|line| !line.starts_with('#')).collect();
    while found.last().is_some_and(|line| line.is_empty()) {
        found.pop();
    }
    let empty = found.iter().take_while(|line| line.is_empty()).count();
    found.split_off(empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_page_is_explained() {
        let all = explained(PAGE);
        let rows = PAGE.lines().filter(|line| line.starts_with("| `SG")).count();
        assert_eq!(all.len(), rows);
        for row in &all {
            assert!(row.code.len() == 6 && !row.meaning.is_empty() && !row.mend.is_empty());
            assert!(!row.meaning.contains(" | "), "{}: a cell more than there are", row.code);
        }
        let headings = PAGE.lines().filter(|line| line.starts_with("### SG")).count();
        assert_eq!(all.iter().filter(|row| !row.more.is_empty()).count(), headings);
    }

    #[test]
    fn a_code_has_its_meaning_its_mend_and_what_is_said_beside() {
        let page = "| code | meaning | how to mend |\n| `SG0001` | It is odd. | Mend it. |\n\n\
                    ### SG0001\n\nLong ago.\n\n### SG0002\n\nElse.\n";
        let all = explained(page);
        let [row] = &all[..] else { panic!("{all:?}") };
        let lines = ["SG0001", "  meaning  It is odd.", "  mend     Mend it.", "", "Long ago."];
        assert_eq!(words(row), lines);
    }
}
