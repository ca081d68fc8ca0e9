//! `segue completions` and `segue man`: made of the verbs' own words.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

const NAME: &str = "segue";

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell: bash, zsh, fish, elvish or powershell
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Manual {
    /// The verb; without it, the page of segue itself
    verb: Option<String>,
}

/// Prints the completions of a shell.
pub(super) fn completions(arguments: &Completions, mut segue: Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut segue, NAME, &mut script);
    print(&script)
}

/// Prints a page of the manual (roff).
pub(super) fn manual(arguments: &Manual, mut segue: Command) -> anyhow::Result<ExitCode> {
    segue.build();
    let command = match &arguments.verb {
        None => &segue,
        Some(verb) => segue
            .find_subcommand(verb)
            .with_context(|| format!("there is no verb `{verb}`; `segue --help` lists them"))?,
    };
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(print(&page))
}

/// Writes all of it; a reader that has gone is no failure.
fn print(bytes: &[u8]) -> ExitCode {
    let _ = std::io::stdout().write_all(bytes);
    ExitCode::SUCCESS
}
