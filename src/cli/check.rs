use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{FINDINGS, OWN_MISTAKE, complain, findings, say, scenarios};
use crate::checker::{self, Report, Written};
use crate::definition::{Definition, Diagnostic, Diagnostics, Severity};
use crate::node::files::{self, SagaFiles, Shapes};

/// What to check and how to tell it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Definitions, or folders that hold some
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How findings are told: `text` for people, `json` and `sarif` for editors and CI
    #[arg(long, default_value = "text")]
    format: Format,
    /// Look at the shape only; do not run through what can happen
    #[arg(long)]
    shape: bool,
    /// Tell each promise and every way to end as well
    #[arg(long)]
    explain: bool,
    /// The most states that are looked at for one saga
    #[arg(long, default_value_t = checker::STATES_MAX)]
    states: usize,
    /// Write scenarios into this folder: one for every way to end, which passes, and one for every
    /// broken promise, which fails. With several sagas each has a folder of its own in it
    #[arg(long, value_name = "DIR", conflicts_with = "shape")]
    write_scenarios: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
}

/// What was found in one run over some definitions.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Mistakes in the shape, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// What the runs of each right definition came to, with its file.
    pub reports: Vec<(String, Report)>,
    /// The scenarios that were asked for, in the same order.
    pub written: Vec<Written>,
}

impl Checked {
    fn is_wrong(&self) -> bool {
        let error = |d: &Diagnostic| d.severity == Severity::Error;
        self.diagnostics.iter().any(error)
            || self.reports.iter().any(|(_, report)| report.is_wrong())
    }

    fn exit_code(&self) -> ExitCode {
        let own = self.reports.iter().any(|(_, report)| report.shows_own_mistake());
        match (self.is_wrong(), own) {
            (true, _) => ExitCode::from(FINDINGS),
            (false, true) => ExitCode::from(OWN_MISTAKE),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}

/// Checks definitions: the shape of each, then together, then everything that can happen.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut checked = Checked::default();
    let Shapes { right, whole, .. } = shapes(arguments, &mut checked)?;
    // What a saga that cannot run would do is no example for its tests.
    let writes_into = arguments.write_scenarios.as_ref().filter(|_| !checked.is_wrong());
    if !arguments.shape {
        let all = distinct(right.iter().chain(&whole).map(|(_, definition)| definition));
        for (file, definition) in &right {
            prove(arguments, writes_into.is_some(), (file, definition), &all, &mut checked)?;
        }
        for (file, definition) in &whole {
            let report = checker::check(definition, &all, arguments.states).of_definition();
            checked.reports.push((file.clone(), report));
        }
    }
    match arguments.format {
        Format::Text => text(arguments, right.iter().chain(&whole), &checked),
        Format::Json => say(&findings::json(&checked).to_string()),
        Format::Sarif => say(&findings::sarif(&checked).to_string()),
    }
    if let Some(root) = writes_into {
        for ((file, definition), written) in right.iter().zip(&checked.written) {
            let report = checked.reports.iter().find(|(f, _)| f == file).map(|(_, r)| r);
            let into = scenarios::folder(root, definition, right.len());
            report.map(|report| scenarios::write(&into, file, report, written)).transpose()?;
        }
    }
    Ok(checked.exit_code())
}

/// Of several texts of one version the first.
fn distinct<'d>(definitions: impl Iterator<Item = &'d Definition>) -> Vec<&'d Definition> {
    let mut versions = BTreeSet::new();
    definitions.filter(|of| versions.insert((&of.saga, of.version))).collect()
}

/// Runs one definition through everything that can happen.
fn prove(
    arguments: &Arguments,
    writes: bool,
    (file, definition): (&str, &Definition),
    all: &[&Definition],
    checked: &mut Checked,
) -> anyhow::Result<()> {
    let report = if writes {
        let examples = scenarios::beside(&SagaFiles { definition: PathBuf::from(file) })?;
        let (report, written) =
            checker::check_and_write(definition, all, arguments.states, &examples);
        checked.written.push(written);
        report
    } else {
        checker::check(definition, all, arguments.states)
    };
    checked.reports.push((file.to_owned(), report));
    Ok(())
}

/// The definitions, each with its file; what is wrong with their shape is told.
fn shapes(arguments: &Arguments, checked: &mut Checked) -> anyhow::Result<Shapes> {
    let colour = is_coloured();
    let mut tell = |found: &Diagnostics| {
        if arguments.format == Format::Text && !found.is_empty() {
            complain(found.render(colour).trim_end());
        }
        checked.diagnostics.extend(found.iter().cloned());
    };
    let shapes = files::shapes(&files::find(&arguments.paths)?)?;
    shapes.found.iter().for_each(&mut tell);
    Ok(shapes)
}

fn text<'d>(
    arguments: &Arguments,
    definitions: impl Iterator<Item = &'d (String, Definition)>,
    checked: &Checked,
) {
    for (file, definition) in definitions {
        let Definition { saga, version, steps, .. } = definition;
        let told = format!("{file}: {saga} version {version}, {} steps", steps.len());
        let report = checked.reports.iter().find(|(f, _)| f == file).map(|(_, report)| report);
        let mut own = checked.diagnostics.iter().filter(|d| d.file == *file);
        let is_mistaken = own.clone().any(|d| d.severity == Severity::Error);
        match report {
            None if own.next().is_some() => {}
            None => say(&format!("{told}: the shape is right")),
            Some(report) => {
                let but = if is_mistaken { "if it ran as it is: " } else { "" };
                say(&format!("{told}: {but}{}", summary(report)));
                broken(file, report);
                if arguments.explain {
                    say(report.to_string().trim_end());
                } else {
                    for assumed in &report.assumed {
                        say(&format!("  assumed: {assumed}"));
                    }
                }
            }
        }
    }
}

fn summary(report: &Report) -> String {
    let Report { states, bound, findings, .. } = report;
    match (findings.len(), bound) {
        (0, None) => format!("every promise is kept, in all {states} states that it can be in"),
        (0, Some(bound)) => format!("no broken promise in {} states; there are more", bound.states),
        (1, _) => "1 broken promise".to_owned(),
        (broken, _) => format!("{broken} broken promises"),
    }
}

fn broken(file: &str, report: &Report) {
    for finding in &report.findings {
        complain(&finding.diagnostic(file).render(is_coloured()));
        complain(&format!("  the promise: {}", finding.broken.promise.text()));
        for line in &finding.story {
            complain(line);
        }
    }
    if let Some(bound) = &report.bound {
        complain(&bound.diagnostic(file).render(is_coloured()));
    }
}

fn is_coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
