//! Rewrites what failing scenarios expect to what is seen; everything else of the file stays.

use std::ops::Range;

use serde_json::Value;

use super::model::{Does, Expected, How, Scenario, Stand, Times, ToChild, What};
use super::run::{Wrong, obey, remarked};
use super::world::World;
use super::{RUN_MAX, Report, compare, draft, parse, run, write};
use crate::definition::Definition;
use crate::engine::{Effect, Message};

/// A file with other expectations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// The whole file.
    pub text: String,
    /// What was changed, in the order in which it was found.
    pub changes: Vec<Rewrite>,
}

/// One step that was rewritten, added or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The line where it stands, from 1, in the file as it was changed so far.
    pub line: usize,
    /// The lines that are gone.
    pub before: Vec<String>,
    /// The lines in their place.
    pub after: Vec<String>,
}

/// The file of a failing scenario with expectations that hold; its comments are kept, those
/// inside a rewritten step stand above it.
///
/// # Errors
/// When it fails for another reason than what it expects, or cannot be edited, in words.
pub fn update(definition: &Definition, file: &str, text: &str) -> Result<Updated, String> {
    let mut updated = Updated { text: text.to_owned(), changes: Vec::new() };
    // Each round mends one step at least; a step may be rewritten and then followed by another.
    for _ in 0..=2 * RUN_MAX {
        let scenario = parse(file, &updated.text).map_err(|e| e.to_string())?;
        let Some(remedy) = remedy(definition, &scenario)? else {
            let report: Report = run(definition, &scenario);
            return if report.passed() { Ok(updated) } else { Err(report.to_string()) };
        };
        let (text, change) = edited(&updated.text, &scenario, remedy)?;
        updated.text = text;
        updated.changes.push(change);
    }
    Err(format!("{file}: it cannot be mended by other expectations"))
}

/// What mends the first thing that is wrong.
enum Remedy {
    /// This step, counted from 0, reads so.
    Replace(usize, Does),
    /// So many steps come first, then this one.
    Insert(usize, Does),
    /// This step goes.
    Remove(usize),
}

fn remedy(definition: &Definition, scenario: &Scenario) -> Result<Option<Remedy>, String> {
    let place = |line: u32, wrong: Wrong| format!("{}:{line}: {}", scenario.file, wrong.words());
    let mut world = World::begin(definition, &scenario.given)
        .map_err(|wrong| place(scenario.given.line, wrong))?;
    for (at, step) in scenario.run.iter().enumerate() {
        let declined = world.declined.take();
        if let Does::Rejected(said) = &step.does {
            match declined.as_ref().map(remarked) {
                None => return Ok(Some(Remedy::Remove(at))),
                Some(seen) if seen != *said => {
                    return Ok(Some(Remedy::Replace(at, Does::Rejected(seen))));
                }
                Some(_) => continue,
            }
        }
        if let Some(declined) = declined {
            return Ok(Some(Remedy::Insert(at, Does::Rejected(remarked(&declined)))));
        }
        if !matches!(step.does, Does::Expect(_) | Does::Data(_)) && !world.unseen.is_empty() {
            return unexpected(&world, at).map(Some);
        }
        let seen = world.unseen.clone();
        if let Err(wrong) = obey(&mut world, &step.does) {
            let mended = mended(&world, &step.does, &seen);
            let mended = mended.ok_or_else(|| place(step.line, wrong))?;
            return Ok(Some(Remedy::Replace(at, mended)));
        }
    }
    let at = scenario.run.len();
    if let Some(declined) = &world.declined {
        return Ok(Some(Remedy::Insert(at, Does::Rejected(remarked(declined)))));
    }
    if world.unseen.is_empty() { Ok(None) } else { unexpected(&world, at).map(Some) }
}

fn unexpected(world: &World, at: usize) -> Result<Remedy, String> {
    let drafts = draft::expectations(&world.unseen);
    let drafts = drafts.ok_or("the engine says what no scenario shows")?;
    Ok(Remedy::Insert(at, Does::Expect(drafts)))
}

/// The same step as it would be right; none for what is no expectation.
fn mended(world: &World, does: &Does, seen: &[Effect]) -> Option<Does> {
    match does {
        Does::Expect(expected) => adapted(expected, seen).map(Does::Expect),
        Does::End(said) => {
            let forgotten =
                || Stand { how: How::Forgotten, at: None, because: None, undoing: None };
            let stand = world.stands().map_or_else(forgotten, |end| end.stand(said));
            Some(Does::End(stand))
        }
        Does::Data(said) => {
            let data = &world.newest()?.data;
            Some(Does::Data(as_far(said, data)))
        }
        Does::Event(_)
        | Does::Called(_)
        | Does::Child(_)
        | Does::Parent(_)
        | Does::Held(_)
        | Does::Freed(_)
        | Does::Rejected(_)
        | Does::Pass(_)
        | Does::Down(_)
        | Does::Act(_) => None,
    }
}

/// Expectations of what was seen that say as much as the old ones did.
fn adapted(old: &[Expected], seen: &[Effect]) -> Option<Vec<Expected>> {
    let mut new: Vec<Expected> = Vec::new();
    let mut from = 0;
    for effect in seen {
        let [bare] = &draft::expectations(std::slice::from_ref(effect))?[..] else { return None };
        let rest = &old[from..];
        let alike = |expected: &Expected| is_alike(&expected.what, &bare.what);
        let one = if let Some(fits) = rest.iter().position(|e| compare::is_expected(e, effect)) {
            from += fits;
            old[from].clone()
        } else if let Some(same) = rest.iter().position(alike) {
            from += same + 1;
            refitted(&old[from - 1], bare, effect)
        } else if let Some(same) = old.iter().rfind(|e| alike(e)) {
            refitted(same, bare, effect)
        } else {
            bare.clone()
        };
        let any = one.times == Times::Any;
        let one = Expected { times: if any { Times::Any } else { Times::Exactly(1) }, ..one };
        match new.last_mut() {
            Some(last) if any && *last == one => {}
            Some(last) => match last.times {
                Times::Exactly(times) if Expected { times: one.times, ..last.clone() } == one => {
                    last.times = Times::Exactly(times + 1);
                }
                Times::Exactly(_) | Times::Any => new.push(one),
            },
            None => new.push(one),
        }
    }
    Some(new)
}

fn is_alike(old: &What, new: &What) -> bool {
    match (old, new) {
        (What::Question { who, .. }, What::Question { who: other, .. }) => who == other,
        (What::Complaint(_), What::Complaint(_)) => true,
        (old, new) => old == new,
    }
}

/// An old expectation with the values of what was seen.
fn refitted(old: &Expected, bare: &Expected, effect: &Effect) -> Expected {
    let mut new = Expected { what: bare.what.clone(), ..old.clone() };
    let mut of = |body: &Value, key: Option<&str>, attempt: u32, headers: &[(String, String)]| {
        new.with = old.with.as_ref().map(|with| as_far(with, body));
        new.key = old.key.as_ref().and(key).map(str::to_owned);
        new.attempt = old.attempt.map(|_| attempt);
        new.headers.retain_mut(|(name, value)| {
            let seen = headers.iter().find(|(other, _)| other == name);
            seen.is_some_and(|(_, seen)| {
                *value = Value::from(seen.as_str());
                true
            })
        });
    };
    match effect {
        Effect::Command(Message { body, key, id, headers, .. })
        | Effect::Fact(Message { body, key, id, headers, .. }) => {
            of(body, Some(key), id.attempt, headers);
        }
        Effect::Call(call) => {
            of(call.body.as_ref().unwrap_or(&Value::Null), None, call.id.attempt, &call.headers);
        }
        Effect::Letter { to, letter } => {
            if let Some(body) = letter.say.carried() {
                let starts = ToChild::of(&letter.say) == Some(ToChild::Start);
                of(body, starts.then_some(to.key.as_str()), 1, &[]);
            }
        }
        Effect::Question(question) => {
            if let What::Question { who, text, choices } = &old.what {
                new.what = What::Question {
                    who: who.clone(),
                    text: text.as_ref().map(|_| question.question.clone()),
                    choices: choices.as_ref().map(|_| question.choices.clone()),
                };
            }
        }
        Effect::Complaint(_) => {}
    }
    new
}

/// The fields of a value that were said before.
fn as_far(said: &Value, seen: &Value) -> Value {
    match (said, seen) {
        (Value::Object(said), Value::Object(seen)) => {
            let field = |(name, said): (&String, &Value)| {
                seen.get(name).map(|seen| (name.clone(), as_far(said, seen)))
            };
            Value::Object(said.iter().filter_map(field).collect())
        }
        (_, seen) => seen.clone(),
    }
}

fn edited(text: &str, scenario: &Scenario, remedy: Remedy) -> Result<(String, Rewrite), String> {
    let span = |at: usize| scenario.run[at].span.clone();
    let (old, new) = match remedy {
        Remedy::Replace(at, does) => {
            let column = column(scenario, text, &span(at))?;
            let new = comments(text, &span(at), column) + &lined(&does, column);
            (whole_lines(text, &span(at)), new + behind(text, &span(at)))
        }
        Remedy::Remove(at) => {
            let column = column(scenario, text, &span(at))?;
            (whole_lines(text, &span(at)), comments(text, &span(at), column))
        }
        Remedy::Insert(0, does) => {
            let first = scenario.run.first().ok_or_else(|| too_short(scenario))?;
            let column = column(scenario, text, &first.span)?;
            let start = whole_lines(text, &first.span).start;
            (start..start, lined(&does, column) + "\n")
        }
        Remedy::Insert(at, does) => {
            let column = column(scenario, text, &span(at - 1))?;
            let end = whole_lines(text, &span(at - 1)).end;
            let gap = if text[..end].ends_with('\n') { "" } else { "\n" };
            (end..end, gap.to_owned() + &lined(&does, column) + "\n")
        }
    };
    let lines = |text: &str| text.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect();
    let change = Rewrite {
        line: text[..old.start].matches('\n').count() + 1,
        before: lines(&text[old.clone()]),
        after: lines(&new),
    };
    Ok((format!("{}{new}{}", &text[..old.start], &text[old.end..]), change))
}

/// A step as lines of the file.
fn lined(does: &Does, column: usize) -> String {
    format!("{}- {}", " ".repeat(column - 2), write::does(does, column))
}

fn too_short(scenario: &Scenario) -> String {
    format!("{}: `run` has no steps; write the first one by hand", scenario.file)
}

/// How deep a step is indented behind its dash.
fn column(scenario: &Scenario, text: &str, span: &Range<usize>) -> Result<usize, String> {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[start..span.start];
    if before.trim_start().trim_end() == "-" && before.is_ascii() && before.len() >= 2 {
        return Ok(before.len());
    }
    let line = text[..span.start].matches('\n').count() + 1;
    Err(format!(
        "{}:{line}: this step does not begin its line; write each as `- …` on a line of its own",
        scenario.file
    ))
}

/// From the beginning of the first line to the end of the last one.
fn whole_lines(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    start..text[span.end..].find('\n').map_or(text.len(), |at| span.end + at + 1)
}

/// What stands behind a step on its last line: a comment, and the line's end.
fn behind<'t>(text: &'t str, span: &Range<usize>) -> &'t str {
    &text[span.end..whole_lines(text, span).end]
}

/// The comments inside a step, as lines above it.
fn comments(text: &str, span: &Range<usize>, column: usize) -> String {
    let mut found = String::new();
    for line in text[span.clone()].lines() {
        let mut quote = None;
        let mut before = ' ';
        for (at, c) in line.char_indices() {
            match (quote, c) {
                (None, '#') if before.is_whitespace() => {
                    let margin = " ".repeat(column - 2);
                    for part in [&margin, line[at..].trim_end(), "\n"] {
                        found.push_str(part);
                    }
                    break;
                }
                (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                _ => {}
            }
            before = c;
        }
    }
    found
}
