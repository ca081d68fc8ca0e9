use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::say;
use crate::broker::Writer;
use crate::config::Config;
use crate::message::{Headers, InstanceId, Key, Outgoing, SagaName, Topic, header};
use crate::node;

/// How long the broker may take to acknowledge.
const FLUSH_MAX: Duration = Duration::from_secs(30);

/// What a person does about an instance.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to do
    verb: Verb,
    /// The saga
    saga: String,
    /// The instance's key
    key: String,
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
    /// JSON object: what became known, for `resolve-done` and `answer`
    #[arg(long)]
    data: Option<String>,
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
    /// Take the way back
    GoBack,
    /// Answer the question of an `ask` step
    Answer,
}

/// Writes the act to `<app>.operator`; the engine obeys it and says so in the history.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::load(arguments.config.as_deref(), std::env::vars())?;
    let instance =
        InstanceId { saga: SagaName::new(&arguments.saga)?, key: Key::new(&arguments.key)? };
    let body = body(arguments)?;
    let topic = Topic::new(&format!("{}.operator", config.app))?;
    let mut headers = Headers::default();
    headers.push(header::CONTENT_TYPE, "application/json");
    let writer = Writer::open(&node::connection(&config), &format!("{}.act", config.app))?;
    let message = Outgoing {
        topic: topic.clone(),
        key: instance.to_string(),
        headers,
        body: body.to_string().into(),
    };
    writer.send(&message, None)?;
    writer.flush(FLUSH_MAX).with_context(|| {
        format!("{topic} does not take the act; an engine of this app makes that topic")
    })?;
    say(&format!("{instance}: written to {topic}; the history says what came of it"));
    Ok(ExitCode::SUCCESS)
}

fn body(arguments: &Arguments) -> anyhow::Result<Value> {
    let verb = arguments.verb.to_possible_value().map(|v| v.get_name().to_owned());
    let mut body = json!({
        "saga": arguments.saga,
        "key": arguments.key,
        "verb": verb.expect("every verb has a name"),
        "by": arguments.by,
    });
    let fields = body.as_object_mut().expect("it was made as an object");
    if !arguments.step.is_empty() {
        fields.insert("step".to_owned(), arguments.step.clone().into());
    }
    let texts = [
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
