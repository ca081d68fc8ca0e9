//! `segue context`: servers under names, so that nobody types addresses and tokens.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::contexts::{Contexts, Server};
use super::output::say;
use crate::api::Client;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Remember a server under a name, with the token of `SEGUE_TOKEN`
    Add {
        /// The name
        name: String,
        /// The server, such as `https://segue.example.org:8900`
        #[arg(long)]
        server: String,
        /// Authorities to trust instead of the machine's, PEM
        #[arg(long)]
        ca_file: Option<PathBuf>,
    },
    /// Ask that server from now on
    Use {
        /// Its name
        name: String,
    },
    /// Forget a server
    Remove {
        /// Its name
        name: String,
    },
    /// List the servers; the current one has a star
    List,
}

/// Keeps the file of contexts.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let file = Contexts::file()?;
    let mut all = Contexts::read(&file)?;
    match &arguments.verb {
        Verb::Add { name, server, ca_file } => {
            // What is no address is said now, not when it is asked.
            Client::trusting(server, None, "", ca_file.as_deref())?;
            let token = std::env::var("SEGUE_TOKEN").ok().filter(|token| !token.is_empty());
            let ca_file = ca_file.as_ref().map(std::path::absolute).transpose()?;
            let told = if token.is_some() { "with" } else { "without" };
            let server = Server { address: server.clone(), token, ca_file };
            all.contexts.insert(name.clone(), server);
            all.current.get_or_insert_with(|| name.clone());
            all.write(&file)?;
            say(&format!("{name} is remembered {told} a token in {}", file.display()));
        }
        Verb::Use { name } => {
            let server = all.find(Some(name))?.context("it was named")?.address.clone();
            all.current = Some(name.clone());
            all.write(&file)?;
            say(&format!("{name} is asked from now on: {server}"));
        }
        Verb::Remove { name } => {
            all.find(Some(name))?;
            all.contexts.remove(name);
            all.current = all.current.filter(|current| current != name);
            all.write(&file)?;
            say(&format!("{name} is forgotten"));
        }
        Verb::List => lines(&all).iter().for_each(|line| say(line)),
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for each; no token is shown.
fn lines(all: &Contexts) -> Vec<String> {
    let width = all.contexts.keys().map(|name| name.chars().count()).max().unwrap_or_default();
    let line = |(name, server): (&String, &Server)| {
        let star = if all.current.as_ref() == Some(name) { '*' } else { ' ' };
        let token = if server.token.is_some() { "  with a token" } else { "" };
        format!("{star} {name:<width$}  {}{token}", server.address)
    };
    all.contexts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_which_is_current_and_no_token() {
        let mut all = Contexts { current: Some("prod".to_owned()), ..Contexts::default() };
        let server = |address: &str, token: Option<&str>| Server {
            address: address.to_owned(),
            token: token.map(str::to_owned),
            ca_file: None,
        };
        all.contexts.insert("prod".to_owned(), server("https://p", Some("segue_1")));
        all.contexts.insert("dev".to_owned(), server("http://d", None));
        assert_eq!(lines(&all), ["  dev   http://d", "* prod  https://p  with a token"]);
    }
}
