//! `segue token`: who may ask the API.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::{complain, say};
use crate::api::{Role, Token};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Draw a token: the first line is the token, the second goes into the file of api.auth.tokens
    New {
        /// What its owner may do: viewer, operator or admin
        #[arg(long)]
        role: Role,
        /// Whose it is; their acts carry this name
        #[arg(long)]
        name: String,
    },
}

/// Draws a token and prints it once, with the line that lets its owner in.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Verb::New { role, name } = &arguments.verb;
    let token = Token::draw()?;
    let line = token.line(name, *role).map_err(|words| anyhow::anyhow!(words))?;
    say(token.reveal());
    say(&line);
    complain(&format!(
        "the first line is the token of {name}, shown this once (SEGUE_TOKEN); the second goes \
         into the file that `api.auth.tokens` names, and counts at once"
    ));
    Ok(ExitCode::SUCCESS)
}
