use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{FINDINGS, complain, say};
use crate::definition::{self, Catalog, Definition};
use crate::node::files;

/// Checks the shape of definitions, each alone and then together; findings go to stderr, a line
/// for each file to stdout.
pub(super) fn run(paths: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut catalog = Catalog::default();
    let mut right: Vec<(String, Definition)> = Vec::new();
    let mut wrong = 0;
    for file in files::find(paths)? {
        let (definition, findings) = definition::check(&file.shown(), &file.text()?);
        if !findings.is_empty() {
            complain(findings.render(colour).trim_end());
        }
        let Some(definition) = definition else {
            wrong += 1;
            continue;
        };
        match catalog.add(definition.clone()) {
            Ok(()) => right.push((file.shown(), definition)),
            Err(clash) => {
                wrong += 1;
                complain(&format!("error: {}: {clash}", file.shown()));
            }
        }
    }
    let together = definition::check_together(right.iter().map(|(f, d)| (f.as_str(), d)));
    if !together.is_empty() {
        complain(together.render(colour).trim_end());
        wrong += together.errors();
    }
    for (file, definition) in &right {
        let is_wrong = |d: &definition::Diagnostic| d.file == *file;
        if together.iter().any(is_wrong) {
            continue;
        }
        let Definition { saga, version, steps, .. } = definition;
        let count = steps.len();
        say(&format!("{file}: {saga} version {version}, {count} steps: the shape is right"));
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}
