//! `segue pause-starts` and `segue resume-starts`: a saga's starts are kept, or begin again.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::output::{OUT_OF_TIME, complain};
use super::remote::{Remote, fresh};
use super::table::text;
use crate::api::{Endpoint, NoAnswer};

/// The starts of which saga.
#[derive(Debug, Args)]
pub(super) struct Saying {
    /// The saga
    saga: String,
    /// Why; everybody who looks at the saga reads it
    #[arg(long)]
    why: String,
    /// How long to wait until the view says so
    #[arg(long, default_value = "10s")]
    wait: String,
    /// The word's own id: the same id is said once
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Saying {
    /// Says it: `pause` or `resume`.
    pub fn send(&self, verb: &str) -> Result<ExitCode, NoAnswer> {
        let endpoint = Endpoint::at(&["sagas", &self.saga, verb]).with("wait", Some(&self.wait));
        let (client, body) = (self.remote.client()?, json!({ "why": self.why }));
        let said = fresh(client.post(&endpoint, &body, self.id.as_deref())?);
        self.remote.print(&said, words);
        if said["word"]["is_paused"] != (verb == "pause") {
            complain(&format!("the view does not say so within {}; it is written", self.wait));
            return Ok(ExitCode::from(OUT_OF_TIME));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn words(told: &Value) -> Vec<String> {
    let mut lines = vec![format!("{}  starts are {}", text(told, "/saga"), text(told, "/starts"))];
    if !told["word"].is_null() {
        let verb = if told["word"]["is_paused"] == true { "paused" } else { "resumed" };
        let (by, why) = (text(told, "/word/by"), text(told, "/word/why"));
        lines.push(format!("    {verb} by {by} at {}: {why}", text(told, "/word/at")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_told_with_who_and_why() {
        let word = json!({"is_paused": true, "by": "ana", "why": "the bank is down",
                          "at": "2026-11-01T00:00:00Z", "id": "w-1"});
        let told = json!({"saga": "order", "starts": "paused", "word": word});
        let lines = [
            "order  starts are paused",
            "    paused by ana at 2026-11-01T00:00:00Z: the bank is down",
        ];
        assert_eq!(words(&told), lines);
        let told = json!({"saga": "order", "starts": "active", "word": null});
        assert_eq!(words(&told), ["order  starts are active"]);
    }
}
