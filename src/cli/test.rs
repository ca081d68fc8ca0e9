use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::{FINDINGS, complain, say, scenarios};
use crate::definition::{self, Definition};
use crate::node::files::{self, SagaFiles};
use crate::scenario::{self, Rewrite, Updated};

/// What to test.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Definitions, or folders that hold some
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Run the scenarios of this folder in place of those beside the definition; with several
    /// sagas, those in its folders with the sagas' names
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// Rewrite what failing scenarios expect to what is seen, and show what was changed
    #[arg(long)]
    update: bool,
}

/// What came of the scenarios.
#[derive(Debug, Default)]
struct Tally {
    passed: u32,
    updated: u32,
    failed: u32,
}

/// Runs scenarios; a failing one shows expected and seen.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut tally = Tally::default();
    let found = files::find(&arguments.paths)?;
    for file in &found {
        let definition = match definition::parse(&file.shown(), &file.text()?) {
            Ok(definition) => definition,
            Err(wrong) => {
                complain(wrong.render(false).trim_end());
                tally.failed += 1;
                continue;
            }
        };
        for path in paths(arguments, file, &definition, found.len())? {
            one(arguments, &definition, &path, &mut tally)?;
        }
    }
    let Tally { passed, updated, failed } = tally;
    let changed = if arguments.update { format!(", {updated} updated") } else { String::new() };
    say(&format!("{passed} passed{changed}, {failed} failed"));
    if passed + updated + failed == 0 {
        complain("no scenarios; put some into the folder `scenarios` beside saga.yaml");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

/// The scenarios of one definition.
fn paths(
    arguments: &Arguments,
    file: &SagaFiles,
    definition: &Definition,
    sagas: usize,
) -> anyhow::Result<Vec<PathBuf>> {
    match &arguments.scenarios {
        None => Ok(file.scenarios()?),
        Some(root) => Ok(files::yaml(&scenarios::folder(root, definition, sagas))?),
    }
}

/// Runs one scenario, and rewrites it if it fails and that is wanted.
fn one(
    arguments: &Arguments,
    definition: &Definition,
    path: &Path,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let shown = path.display().to_string();
    let text = files::read(path)?;
    let scenario = match scenario::parse(&shown, &text) {
        Ok(scenario) => scenario,
        Err(wrong) => {
            complain(&wrong.to_string());
            tally.failed += 1;
            return Ok(());
        }
    };
    let report = scenario::run(definition, &scenario);
    if report.passed() {
        tally.passed += 1;
        say(&format!("ok    {}: {}", definition.saga, report.scenario));
        return Ok(());
    }
    if arguments.update {
        match scenario::update(definition, &shown, &text) {
            Ok(Updated { text, changes }) => {
                fs::write(path, text).with_context(|| shown.clone())?;
                tally.updated += 1;
                say(&format!("UPDATED {}: {}", definition.saga, report.scenario));
                for change in &changes {
                    show(&shown, change);
                }
                return Ok(());
            }
            Err(why) => complain(&format!("not updated: {}", why.trim_end())),
        }
    }
    tally.failed += 1;
    say(&format!("FAILED {}: {}", definition.saga, report.scenario));
    complain(&report.to_string());
    Ok(())
}

/// What was changed, as a difference of lines.
fn show(file: &str, change: &Rewrite) {
    say(&format!("  {file}:{}", change.line));
    change.before.iter().for_each(|line| say(&format!("  - {line}")));
    change.after.iter().for_each(|line| say(&format!("  + {line}")));
}
