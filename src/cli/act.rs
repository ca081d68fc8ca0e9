use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Error};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::say;
use crate::api::draw;
use crate::broker::Writer;
use crate::config::Config;
use crate::message::{
    Coordinate, EngineTopics, Headers, InstanceId, Key, Outgoing, SagaName, StartFrom, Topic,
    header,
};
use crate::node::{self, ActKeys, MachineClock};
use crate::runtime::Clock as _;

/// How long the broker may take to acknowledge.
const FLUSH_MAX: Duration = Duration::from_secs(30);

/// What a person does about an instance, or about a topic.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to do
    verb: Verb,
    /// The saga; for `accept-topic` the topic
    #[arg(value_name = "SAGA")]
    about: String,
    /// The instance's key
    #[arg(required_if_eq_any([
        ("verb", "retry"), ("verb", "skip"), ("verb", "resolve-done"),
        ("verb", "resolve-not-done"), ("verb", "go-back"), ("verb", "cancel"), ("verb", "pause"),
        ("verb", "resume"), ("verb", "set-data"), ("verb", "answer"),
    ]))]
    key: Option<String>,
    /// The step that it is about; may be left out where one step waits for a person
    #[arg(long, default_value = "")]
    step: String,
    /// Why; everybody who looks at the instance reads it
    #[arg(long, required_unless_present = "choice")]
    why: Option<String>,
    /// Who acts
    #[arg(long, env = "USER")]
    by: String,
    /// The choice, for `answer`
    #[arg(long, required_if_eq("verb", "answer"))]
    choice: Option<String>,
    /// A note beside the choice, for `answer`
    #[arg(long)]
    note: Option<String>,
    /// JSON object: what became known, for `resolve-done`, `set-data` and `answer`
    #[arg(long)]
    data: Option<String>,
    /// Where to begin, for `accept-topic`: earliest, latest or a moment (RFC 3339)
    #[arg(long)]
    from: Option<StartFrom>,
    /// The act's own id: the same id is obeyed once
    #[arg(long)]
    id: Option<String>,
    /// The configuration (YAML)
    #[arg(long, env = "SEGUE_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verb {
    /// Send it again, with a new budget
    Retry,
    /// Go on as if the step were not there
    Skip,
    /// It has happened
    ResolveDone,
    /// It has not happened
    ResolveNotDone,
    /// Take the way back, because of what is stuck
    GoBack,
    /// Take the way back, stuck or not
    Cancel,
    /// Send nothing more, keep what it is told, and let its time limits stand still
    Pause,
    /// Go on where it was paused
    Resume,
    /// Set fields of what the saga remembers
    SetData,
    /// Answer the question of an `ask` step
    Answer,
    /// Read a topic that is not the one that was read before: it was made anew or cut off
    AcceptTopic,
}

/// Writes the act to `<app>.operator`; the engine obeys it and says so in the history.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::load(arguments.config.as_deref(), std::env::vars())?;
    let keys = ActKeys::of(&config)?;
    let (about, mut body) = match arguments.verb {
        Verb::AcceptTopic => {
            check_topic(arguments)?;
            (arguments.about.clone(), body(arguments)?)
        }
        Verb::Retry
        | Verb::Skip
        | Verb::ResolveDone
        | Verb::ResolveNotDone
        | Verb::GoBack
        | Verb::Cancel
        | Verb::Pause
        | Verb::Resume
        | Verb::SetData
        | Verb::Answer => (instance(arguments)?.to_string(), body(arguments)?),
    };
    if keys.is_some() && body.get("id").is_none() {
        // What is signed is obeyed once by its id, wherever it is written.
        body["id"] = draw().context("the system gives no randomness; say an --id")?.into();
    }
    let topic = EngineTopics::new(config.app.as_str())?.operator;
    let mut headers = Headers::default();
    headers.push(header::CONTENT_TYPE, "application/json");
    let writer = Writer::open(&node::connection(&config), &format!("{}.act", config.app))?;
    let message = Outgoing {
        topic: topic.clone(),
        key: about.clone(),
        headers,
        body: body.to_string().into(),
    };
    let message = match &keys {
        Some(keys) => keys.sign(message, MachineClock::default().now()).map_err(Error::msg)?,
        None => message,
    };
    writer.send(&message, None)?;
    writer.flush(FLUSH_MAX).with_context(|| {
        format!("{topic} does not take the act; an engine of this app makes that topic")
    })?;
    let told = match arguments.verb {
        Verb::AcceptTopic => "the log and the dead letters say what came of it",
        Verb::Retry
        | Verb::Skip
        | Verb::ResolveDone
        | Verb::ResolveNotDone
        | Verb::GoBack
        | Verb::Cancel
        | Verb::Pause
        | Verb::Resume
        | Verb::SetData
        | Verb::Answer => "the history says what came of it",
    };
    say(&format!("{about}: written to {topic}; {told}"));
    Ok(ExitCode::SUCCESS)
}

fn instance(arguments: &Arguments) -> anyhow::Result<InstanceId> {
    anyhow::ensure!(arguments.from.is_none(), "--from has a meaning only for accept-topic");
    let key = arguments.key.as_deref().context("the instance's key is missing")?;
    Ok(InstanceId { saga: SagaName::new(&arguments.about)?, key: Key::new(key)? })
}

fn check_topic(arguments: &Arguments) -> anyhow::Result<()> {
    Topic::new(&arguments.about)?;
    let instances = [
        ("a key", arguments.key.is_some()),
        ("--step", !arguments.step.is_empty()),
        ("--choice", arguments.choice.is_some()),
        ("--note", arguments.note.is_some()),
        ("--data", arguments.data.is_some()),
    ];
    match instances.iter().find(|(_, is_set)| *is_set) {
        Some((what, _)) => anyhow::bail!("{what} has no meaning for accept-topic"),
        None => Ok(()),
    }
}

fn body(arguments: &Arguments) -> anyhow::Result<Value> {
    let verb = arguments.verb.to_possible_value().map(|v| v.get_name().to_owned());
    let mut body = json!({
        "verb": verb.expect("every verb has a name"),
        "by": arguments.by,
    });
    let fields = body.as_object_mut().expect("it was made as an object");
    let about = if arguments.verb == Verb::AcceptTopic { "topic" } else { "saga" };
    fields.insert(about.to_owned(), arguments.about.clone().into());
    if let Some(from) = arguments.from {
        fields.insert("from".to_owned(), from.to_string().into());
    }
    if let Some(step) = Coordinate::read(&arguments.step)? {
        fields.insert("step".to_owned(), step.to_string().into());
    }
    let texts = [
        ("key", &arguments.key),
        ("why", &arguments.why),
        ("choice", &arguments.choice),
        ("note", &arguments.note),
        ("id", &arguments.id),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.insert(name.to_owned(), text.clone().into());
        }
    }
    if let Some(data) = &arguments.data {
        let data: Map<String, Value> =
            serde_json::from_str(data).context("--data is no JSON object")?;
        fields.insert("data".to_owned(), Value::Object(data));
    }
    Ok(body)
}
