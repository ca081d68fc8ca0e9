//! What a person can do about an instance as it stands.

use std::fmt::Write as _;

use super::sentence::Titles;
use crate::api::Role;
use crate::status::{LifeState, Overview, Standing, Wait};

/// An act that is offered, with what it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Offer {
    /// As the API calls it.
    pub verb: &'static str,
    /// What stands on the button.
    pub label: String,
    /// What it does, in a sentence.
    pub effect: String,
    /// The step that it is about; empty for the whole instance.
    pub step: String,
    /// The choice, of an answer.
    pub choice: String,
    /// Whether it cannot be taken back, so that it is asked for twice.
    pub is_grave: bool,
    /// Whether it is the one that most people want.
    pub is_first: bool,
    /// Whether what became known can be said with it.
    pub takes_data: bool,
    /// The same on the command line.
    pub command: String,
}

impl Offer {
    /// Whether a reason is asked for.
    pub fn asks_why(&self) -> bool {
        self.verb != "answer"
    }
}

/// What is offered to whoever has that role, the likeliest first.
pub(super) fn offers(overview: &Overview, role: Role, titles: &Titles) -> Vec<Offer> {
    let Some(life) = overview.lives.first().filter(|life| !life.state.has_ended()) else {
        return Vec::new();
    };
    if role < Role::Operator {
        return Vec::new();
    }
    let mut offers = answers(life, titles);
    for stuck in &life.stuck {
        offers.extend(of_stuck(&stuck.step, stuck.undoing, life.pivoted, titles));
    }
    if life.state == LifeState::Paused {
        let effect = "It goes on where it stood; its time limits run again.";
        offers.push(whole("resume", "Resume", effect, false));
    } else {
        let effect = "Nothing new is sent, what comes is kept, and its time limits stand still.";
        offers.push(whole("pause", "Pause", effect, false));
    }
    if life.state != LifeState::Compensating && !life.pivoted {
        let effect = "It takes the way back now: what may have happened is undone.";
        offers.push(whole("cancel", "Cancel", effect, true));
    }
    if role >= Role::Admin {
        let effect = "Fields of what it remembers get new values; both are kept in its history.";
        let offer = whole("set-data", "Set data", effect, true);
        offers.push(Offer { takes_data: true, ..offer });
    }
    for offer in &mut offers {
        offer.command = command(overview, offer);
    }
    offers
}

fn answers(life: &Standing, titles: &Titles) -> Vec<Offer> {
    let mut offers = Vec::new();
    for step in &life.steps {
        let Wait::Answer { who, choices } = &step.waits else { continue };
        for choice in choices {
            offers.push(Offer {
                verb: "answer",
                label: choice.clone(),
                effect: format!("Answers {} for {who}.", titles.name(&step.step)),
                step: step.step.clone(),
                choice: choice.clone(),
                is_first: true,
                ..Offer::default()
            });
        }
    }
    offers
}

fn of_stuck(step: &str, undoing: bool, pivoted: bool, titles: &Titles) -> Vec<Offer> {
    let name = titles.name(step);
    let what = if undoing { format!("the undoing of {name}") } else { name };
    let offer = |verb, label: &str, effect: String, is_grave| Offer {
        verb,
        label: label.to_owned(),
        effect,
        step: step.to_owned(),
        is_grave,
        ..Offer::default()
    };
    let retry = format!("Sends {what} again, with a new budget of attempts.");
    let done = format!("You know that {what} has happened: it counts as done.");
    let not_done = format!("You know that {what} has not happened.");
    let skip = format!("It goes on as if {what} were not needed.");
    let mut offers = vec![
        Offer { is_first: true, ..offer("retry", "Retry", retry, false) },
        Offer { takes_data: !undoing, ..offer("resolve-done", "It has happened", done, true) },
    ];
    if !undoing {
        offers.push(offer("resolve-not-done", "It has not happened", not_done, true));
    }
    offers.push(offer("skip", "Skip", skip, true));
    if !undoing && !pivoted {
        let back = "It takes the way back: what may have happened is undone.".to_owned();
        offers.push(offer("go-back", "Go back", back, true));
    }
    offers
}

fn whole(verb: &'static str, label: &str, effect: &str, is_grave: bool) -> Offer {
    Offer { verb, label: label.to_owned(), effect: effect.to_owned(), is_grave, ..Offer::default() }
}

/// An act as a line for a shell.
fn command(overview: &Overview, offer: &Offer) -> String {
    let (verb, flag) = match offer.verb {
        "resolve-done" => ("resolve", " --done"),
        "resolve-not-done" => ("resolve", " --not-done"),
        "go-back" => ("back", ""),
        verb => (verb, ""),
    };
    let mut line = format!("segue {verb} {} {}", quoted(&overview.saga), quoted(&overview.key));
    if !offer.choice.is_empty() {
        let _ = write!(line, " {}", quoted(&offer.choice));
    }
    if offer.verb == "set-data" {
        line.push_str(" '{\"field\": \"value\"}'");
    }
    line.push_str(flag);
    if !offer.step.is_empty() {
        let _ = write!(line, " --step {}", quoted(&offer.step));
    }
    if offer.asks_why() {
        line.push_str(" --why 'the reason'");
    }
    line
}

/// A word as a shell reads it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_for_a_shell() {
        for (word, line) in [
            ("o-1", "o-1"),
            ("", "''"),
            ("-x", "'-x'"),
            ("a b", "'a b'"),
            ("it's; rm", r"'it'\''s; rm'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(quoted(word), line);
        }
    }
}
