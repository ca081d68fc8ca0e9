use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::events::{Taken, taken};
use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{Sent, Step};
use crate::message::{Address, Part, Topic};

/// The ends of the engine's own topics that no user's topic is likely to have.
const ENGINE_TOPICS: [&str; 3] = [".inbox", ".changelog", ".dead-letters"];

/// Shorter words of topics may differ by one letter and be right.
const WORD_CHARS_MIN: usize = 5;

/// Finds topics that are the engine's own, or where an answer will hardly come.
pub(super) fn check(whole: &mut Whole<'_>) {
    let read: Vec<Taken<'_>> = whole.steps().flat_map(taken).collect();
    engine_topics(whole, &read);
    command_topics(whole, &read);
    spelling(whole, &read);
}

/// Every topic of the definition with a place where it stands.
fn named<'d>(whole: &Whole<'d>, read: &[Taken<'d>]) -> Vec<(Range<usize>, &'d Topic)> {
    let definition = whole.definition;
    let file = &whole.places.file;
    let starts = definition.starts.iter().map(|s| (file.value("start"), &s.on.topic));
    let cancels = definition.cancel.iter().map(|c| (file.value("cancel"), &c.on.topic));
    let read = read.iter().map(|t| (whole.keys(t.step.id).value(&t.path), &t.on.topic));
    let sent = whole.steps().flat_map(|step| {
        let keys = whole.keys(step.id);
        step.sends().map(move |on| (keys.key("step"), &on.topic))
    });
    starts.chain(cancels).chain(read).chain(sent).collect()
}

/// Topics that look like the engine's own.
fn engine_topics(whole: &mut Whole<'_>, read: &[Taken<'_>]) {
    let is_own = |topic: &Topic| ENGINE_TOPICS.iter().any(|end| topic.as_str().ends_with(end));
    let mut told = BTreeSet::new();
    for (span, topic) in named(whole, read) {
        if !is_own(topic) || !told.insert(topic.clone()) {
            continue;
        }
        let message = format!("`{topic}` looks like one of the engine's own topics");
        let help = "read and write the topics of your services; the engine's are its own business";
        whole.warn(Code::EngineTopic, span, message, help);
    }
}

fn commands(step: &Step) -> impl Iterator<Item = &Address> {
    step.messages().filter_map(|(part, sent)| match (part, sent) {
        (Part::Action | Part::Undo(_), Sent::Command(request)) => Some(&request.command),
        (Part::Probe, _) | (_, Sent::Fact(_) | Sent::Reminder(_)) => None,
    })
}

/// An answer that is expected where only commands go, while all others come elsewhere.
fn command_topics(whole: &mut Whole<'_>, read: &[Taken<'_>]) {
    let sent: BTreeSet<&Topic> = whole.steps().flat_map(commands).map(|c| &c.topic).collect();
    let (odd, usual): (Vec<_>, Vec<_>) = read.iter().partition(|t| sent.contains(&t.on.topic));
    let addresses: BTreeSet<&Address> = odd.iter().map(|t| t.on).collect();
    if addresses.len() != 1 || usual.len() < 2 {
        return;
    }
    for taken in odd {
        let message = format!("`{}` is a topic that this saga sends commands to", taken.on.topic);
        let help = "read the topic on which the participant answers, such as `inventory.events`";
        let span = whole.keys(taken.step.id).value(&taken.path);
        whole.warn(Code::UnlikelyTopic, span, message, help);
    }
}

/// A topic that stands once and is spelt almost like another.
fn spelling(whole: &mut Whole<'_>, read: &[Taken<'_>]) {
    let named = named(whole, read);
    let mut count: BTreeMap<&Topic, usize> = BTreeMap::new();
    for (_, topic) in &named {
        *count.entry(topic).or_default() += 1;
    }
    let mut told = BTreeSet::new();
    for (span, topic) in &named {
        let text = topic.as_str();
        let near = count.iter().find(|(other, times)| {
            **times >= count[topic]
                && strsim::damerau_levenshtein(other.as_str(), text) == 1
                && is_misspelt(other, topic)
        });
        let (1, Some((near, _))) = (count[topic], near) else { continue };
        // Of two that stand once each, the first one is told.
        if told.contains(near) || !told.insert(topic) {
            continue;
        }
        let message = format!("`{topic}` is spelt almost like `{near}`");
        let help = format!("did you mean `{near}`?");
        whole.warn(Code::UnlikelyTopic, span.clone(), message, help);
    }
}

/// Whether two topics of almost the same spelling are likely to mean one: they differ in a word
/// that is long enough, and not in a version's digits.
fn is_misspelt(one: &Topic, other: &Topic) -> bool {
    let words = |topic: &Topic| -> Vec<String> {
        topic.as_str().split(['.', '-', '_']).map(str::to_owned).collect()
    };
    let letters = |word: &String| word.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let (one, other) = (words(one), words(other));
    let mut different = one.iter().zip(&other).filter(|(a, b)| a != b);
    one.len() == other.len()
        && different
            .all(|(a, b)| a.len().min(b.len()) >= WORD_CHARS_MIN && letters(a) != letters(b))
}
