use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{FINDINGS, complain, say};
use crate::definition::{self, Catalog};
use crate::node::files;

/// Checks the shape of definitions; findings go to stderr, a line for each file to stdout.
pub(super) fn run(paths: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut catalog = Catalog::default();
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
        let told = format!(
            "{}: {} version {}, {} steps: the shape is right",
            file.shown(),
            definition.saga,
            definition.version,
            definition.steps.len()
        );
        match catalog.add(definition) {
            Ok(()) => say(&told),
            Err(clash) => {
                wrong += 1;
                complain(&format!("error: {}: {clash}", file.shown()));
            }
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}
