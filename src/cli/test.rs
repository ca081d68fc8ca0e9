use std::path::PathBuf;
use std::process::ExitCode;

use super::{FINDINGS, complain, say};
use crate::definition::{self, Definition};
use crate::node::files::{self, SagaFiles};
use crate::scenario;

/// Runs the scenarios beside each definition; a failing one shows expected and seen.
pub(super) fn run(paths: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let (mut passed, mut failed) = (0, 0);
    for file in files::find(paths)? {
        let definition = match definition::parse(&file.shown(), &file.text()?) {
            Ok(definition) => definition,
            Err(wrong) => {
                complain(wrong.render(false).trim_end());
                failed += 1;
                continue;
            }
        };
        let (right, wrong) = run_beside(&file, &definition)?;
        passed += right;
        failed += wrong;
    }
    say(&format!("{passed} passed, {failed} failed"));
    if passed + failed == 0 {
        complain("no scenarios; put some into the folder `scenarios` beside saga.yaml");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

/// How many scenarios of one definition pass, and how many do not.
fn run_beside(file: &SagaFiles, definition: &Definition) -> anyhow::Result<(u32, u32)> {
    let (mut passed, mut failed) = (0, 0);
    for path in file.scenarios()? {
        let shown = path.display().to_string();
        let scenario = match scenario::parse(&shown, &files::read(&path)?) {
            Ok(scenario) => scenario,
            Err(wrong) => {
                complain(&wrong.to_string());
                failed += 1;
                continue;
            }
        };
        let report = scenario::run(definition, &scenario);
        if report.passed() {
            passed += 1;
            say(&format!("ok    {}: {}", definition.saga, report.scenario));
        } else {
            failed += 1;
            say(&format!("FAILED {}: {}", definition.saga, report.scenario));
            complain(&report.to_string());
        }
    }
    Ok((passed, failed))
}
