//! The files that `segue check --write-scenarios` writes, and where they lie.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::complain;
use crate::checker::{Report, Written};
use crate::definition::Definition;
use crate::node::files::{self, SagaFiles};
use crate::scenario::{self, Scenario};

/// The first line of every file that is written: what begins so may be written anew.
const HEADER: &str =
    "# Written by `segue check`, which writes it anew unless you take this line away.";

/// The folder of a saga's scenarios in a folder that was named: that one, or, if there are
/// several sagas, the one in it with the saga's name.
pub(super) fn folder(root: &Path, definition: &Definition, sagas: usize) -> PathBuf {
    if sagas == 1 { root.to_owned() } else { root.join(definition.saga.as_str()) }
}

/// The scenarios beside a definition, those that can be read.
pub(super) fn beside(file: &SagaFiles) -> anyhow::Result<Vec<Scenario>> {
    let mut found = Vec::new();
    for path in file.scenarios()? {
        found.extend(scenario::parse(&path.display().to_string(), &files::read(&path)?).ok());
    }
    Ok(found)
}

/// Writes the scenarios of one saga, takes those away that were written before and are none any
/// more, and tells both, and what could not be written.
pub(super) fn write(
    into: &Path,
    file: &str,
    report: &Report,
    written: &Written,
) -> anyhow::Result<()> {
    fs::create_dir_all(into).with_context(|| into.display().to_string())?;
    let mut current = BTreeSet::new();
    for (_, scenario) in &written.endings {
        put(into, scenario, "", &mut current)?;
    }
    for (finding, broken) in report.findings.iter().zip(&written.broken) {
        let promise = finding.broken.promise.text();
        match broken {
            Ok(scenario) => {
                let about = format!("# {file}:{}: the promise: {promise}\n", finding.line);
                put(into, scenario, &about, &mut current)?;
            }
            Err(why) => complain(&format!("  no scenario shows it: {why}")),
        }
    }
    for old in old_ones(into, &current)? {
        fs::remove_file(&old).with_context(|| old.display().to_string())?;
        complain(&format!("removed {}: nothing comes to that any more", old.display()));
    }
    for (end, why) in &written.unreached {
        complain(&format!("warning: {file}: no scenario comes to `{end}`: {why}"));
    }
    let (ends, all) = (written.endings.len(), report.endings.len());
    let broken = written.broken.iter().filter(|broken| broken.is_ok()).count();
    let broken = match broken {
        0 => String::new(),
        1 => ", and for 1 broken promise, which fails".to_owned(),
        broken => format!(", and for {broken} broken promises, which fail"),
    };
    complain(&format!("wrote scenarios for {ends} of {all} ends into {}{broken}", into.display()));
    Ok(())
}

fn put(
    into: &Path,
    scenario: &Scenario,
    about: &str,
    current: &mut BTreeSet<PathBuf>,
) -> anyhow::Result<()> {
    let path = into.join(&scenario.file);
    let is_ours = || fs::read_to_string(&path).is_ok_and(|text| text.starts_with(HEADER));
    if path.exists() && !is_ours() {
        complain(&format!("kept {}: it was not written by `segue check`", path.display()));
        return Ok(());
    }
    let text = format!("{HEADER}\n{about}{}", scenario::write(scenario));
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    current.insert(path);
    Ok(())
}

/// What was written before and was not now.
fn old_ones(into: &Path, current: &BTreeSet<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(into).with_context(|| into.display().to_string())? {
        let path = entry.with_context(|| into.display().to_string())?.path();
        let is_one = path.extension().is_some_and(|extension| extension == "yaml")
            && fs::read_to_string(&path).is_ok_and(|text| text.starts_with(HEADER));
        if is_one && !current.contains(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
