//! Gives each verb of the command line its arguments, its words and its exit code.
//!
//! stdout is data, stderr is talk. Exit codes: 0 done, 1 failed, 2 wrong usage, 4 findings of a
//! check or test, 5 a mistake of Segue's own that a check has found, 6 out of time.

mod act;
mod check;
mod config;
mod dev;
mod findings;
mod graph;
mod output;
mod run;
mod scenarios;
mod stop;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{FAILED, FINDINGS, OWN_MISTAKE, complain, say};

/// Coordinates long-running business transactions over Kafka, and undoes them when they fail.
#[derive(Debug, Parser)]
#[command(name = "segue", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the engine against a Kafka cluster
    Run {
        /// The configuration (YAML); every key may also come from the environment
        #[arg(long, env = "SEGUE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Check definitions: what is wrong, and what can go wrong
    Check(check::Arguments),
    /// Run the scenarios that lie beside definitions
    Test(test::Arguments),
    /// Draw definitions: the way forward, the way back, the pivot, and who does what
    Graph(graph::Arguments),
    /// Act on an instance that waits for a person, or on a topic that is stopped
    Act(act::Arguments),
    /// Try sagas with nothing installed: broker, engine and simulated services in one process
    Dev(dev::Arguments),
    /// Run the development broker alone
    Broker {
        /// The port on loopback; 0 takes any that is free
        #[arg(long, default_value_t = 9092)]
        port: u16,
        /// Keep topics in this folder; without it everything is forgotten at the end
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Show the configuration and where each value comes from
    Config {
        /// The configuration (YAML)
        #[arg(long, env = "SEGUE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Print the version
    Version,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Run { config } => run::run(config.as_deref()),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Graph(arguments) => graph::run(&arguments),
        Verb::Act(arguments) => act::run(&arguments),
        Verb::Dev(arguments) => dev::run(&arguments),
        Verb::Broker { port, data } => dev::broker(port, data),
        Verb::Config { config } => config::show(config.as_deref()),
        Verb::Version => {
            say(&format!("segue {}", env!("CARGO_PKG_VERSION")));
            Ok(ExitCode::SUCCESS)
        }
    };
    outcome.unwrap_or_else(|error| {
        complain(&format!("error: {error:#}"));
        ExitCode::from(FAILED)
    })
}
