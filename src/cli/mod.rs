//! Gives each verb of the command line its arguments, its words and its exit code.
//!
//! stdout is data, stderr is talk. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found,
//! 4 findings of a check or test, 5 a mistake of Segue's own that a check has found, 6 out of time,
//! 7 refused by the state of an instance.

mod act;
mod acts;
mod bulk;
mod check;
mod config;
mod context;
mod contexts;
mod dead_letters;
mod dev;
mod explain;
mod findings;
mod flow;
mod generate;
mod graph;
mod list;
mod output;
mod pauses;
mod remote;
mod run;
mod scenarios;
mod show;
mod sql;
mod start;
mod stop;
mod table;
mod tail;
mod test;
mod token;
mod view;
mod which;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::api::NoAnswer;

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
    /// Serve the API without an engine, for what runs elsewhere
    View {
        /// The configuration (YAML), with the same `app` and `kafka` as the engine's
        #[arg(long, env = "SEGUE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Check definitions: what is wrong, and what can go wrong
    Check(check::Arguments),
    /// Run the scenarios that lie beside definitions
    Test(test::Arguments),
    /// Draw definitions: the way forward, the way back, the pivot, and who does what
    Graph(graph::Arguments),
    /// List instances: by state, saga, step, error, key
    List(list::Listing),
    /// Show an instance: where it stands, what it waits for, what is owed
    Show(show::Showing),
    /// Tell what has happened to an instance
    History(show::Reading),
    /// Tell what an instance was told: events, acts, answers, with bodies and places
    Messages(show::Leafing),
    /// List what needs attention: stuck, overdue, retrying, unanswered
    Attention(list::Plain),
    /// List the compensations that are not answered yet
    Owed(list::Owing),
    /// List the questions that nobody has answered
    Questions(list::Questioning),
    /// List the sagas that run or have run
    Sagas(list::Plain),
    /// List the records that were put aside, or show one
    DeadLetters(dead_letters::Arguments),
    /// Write a dead letter to the topic that it had been read from, as it came or edited
    Replay(dead_letters::Replaying),
    /// Give a dead letter up
    Discard(dead_letters::Handling),
    /// Tell who works on which shards, and how much is left to read
    Flow(flow::Arguments),
    /// Start an instance
    Start(start::Arguments),
    /// Send the request of a stuck step again, with a new budget
    Retry(acts::OnStep),
    /// Go on as if a stuck step were not there
    Skip(acts::OnStep),
    /// Say whether a stuck step has happened
    Resolve(acts::Resolving),
    /// Let a stuck instance take the way back
    Back(acts::OnStep),
    /// Let an instance take the way back, stuck or not
    Cancel(acts::OnWhole),
    /// Let an instance stand still: nothing is sent, what comes is kept, its times stand still
    Pause(acts::OnWhole),
    /// Let a paused instance go on
    Resume(acts::OnWhole),
    /// Keep what starts a saga, in its order, until `resume-starts`; what runs goes on
    PauseStarts(pauses::Saying),
    /// Start what a person's pause of a saga's starts has kept
    ResumeStarts(pauses::Saying),
    /// Set fields of an instance's data
    SetData(acts::SettingData),
    /// Answer the question of an `ask` step
    Answer(acts::Answering),
    /// Act on many instances at once: count them, do it, look at it, stop it
    Bulk(bulk::Arguments),
    /// Draw tokens of those who may ask the API
    Token(token::Arguments),
    /// Act on an instance or a stopped topic without the API: writes to Kafka itself
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
    /// Say what a code of `segue check` means and how to mend it
    Explain(explain::Arguments),
    /// Print transitions as they come
    Tail(tail::Arguments),
    /// Ask the view a question in SQL
    Sql(sql::Arguments),
    /// Remember servers under names
    Context(context::Arguments),
    /// Print what a shell needs to complete verbs and options
    Completions(generate::Completions),
    /// Print a page of the manual
    Man(generate::Manual),
    /// Print the version
    Version,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Run { config } => run::run(config.as_deref()),
        Verb::View { config } => view::run(config.as_deref()),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Graph(arguments) => graph::run(&arguments),
        Verb::List(arguments) => told(list::instances(&arguments)),
        Verb::Show(arguments) => told(show::show(&arguments)),
        Verb::History(arguments) => told(show::history(&arguments)),
        Verb::Messages(arguments) => told(show::messages(&arguments)),
        Verb::Attention(arguments) => told(list::attention(&arguments)),
        Verb::Owed(arguments) => told(list::owed(&arguments)),
        Verb::Questions(arguments) => told(list::questions(&arguments)),
        Verb::Sagas(arguments) => told(list::sagas(&arguments)),
        Verb::DeadLetters(arguments) => told(dead_letters::run(&arguments)),
        Verb::Replay(arguments) => told(arguments.send()),
        Verb::Discard(arguments) => told(arguments.discard()),
        Verb::Flow(arguments) => told(flow::run(&arguments)),
        Verb::Start(arguments) => start::run(&arguments),
        Verb::Retry(arguments) => told(arguments.send("retry")),
        Verb::Skip(arguments) => told(arguments.send("skip")),
        Verb::Resolve(arguments) => told(arguments.send()),
        Verb::Back(arguments) => told(arguments.send("go-back")),
        Verb::Cancel(arguments) => told(arguments.send("cancel")),
        Verb::Pause(arguments) => told(arguments.send("pause")),
        Verb::Resume(arguments) => told(arguments.send("resume")),
        Verb::PauseStarts(arguments) => told(arguments.send("pause")),
        Verb::ResumeStarts(arguments) => told(arguments.send("resume")),
        Verb::SetData(arguments) => told(arguments.send()),
        Verb::Answer(arguments) => told(arguments.send()),
        Verb::Bulk(arguments) => told(bulk::run(&arguments)),
        Verb::Token(arguments) => token::run(&arguments),
        Verb::Act(arguments) => act::run(&arguments),
        Verb::Dev(arguments) => dev::run(&arguments),
        Verb::Broker { port, data } => dev::broker(port, data),
        Verb::Config { config } => config::show(config.as_deref()),
        Verb::Explain(arguments) => Ok(explain::run(&arguments)),
        Verb::Tail(arguments) => told(tail::run(&arguments)),
        Verb::Sql(arguments) => told(sql::run(&arguments)),
        Verb::Context(arguments) => context::run(&arguments),
        Verb::Completions(arguments) => Ok(generate::completions(&arguments, Arguments::command())),
        Verb::Man(arguments) => generate::manual(&arguments, Arguments::command()),
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

/// What the API was asked for, or why there is no answer, with the exit code that says the same.
#[allow(clippy::unnecessary_wraps, reason = "it is what the other verbs answer")]
fn told(asked: Result<ExitCode, NoAnswer>) -> anyhow::Result<ExitCode> {
    Ok(asked.unwrap_or_else(|failure| remote::failed(&failure)))
}
