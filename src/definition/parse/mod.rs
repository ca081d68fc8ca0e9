//! Turns the tree of a YAML file into a definition, and says everything that is wrong with it.

mod ask;
mod begun;
mod call;
mod child;
mod choose;
mod command;
mod compensation;
mod document;
mod drafts;
mod each;
mod hint;
mod lock;
mod odd;
mod parallel;
mod paths;
mod pivot;
mod place;
mod position;
mod quote;
mod reader;
mod references;
mod request;
mod scalar;
mod start;
mod steps;
mod value;
mod verdict;
mod wait;

use super::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use super::model::Definition;
use super::node::{self, Content, Node, Refusal};
use super::places::Places;
use crate::message::SagaName;

pub(crate) use place::Place;
pub(crate) use position::Position;
pub(crate) use reader::{Fields, Reader, nearest};

/// The largest definition, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// The most steps in one definition.
pub const STEPS_MAX: usize = 256;

/// Parses a definition; `file` is its name in messages.
///
/// # Errors
/// When anything in it is wrong: all of it that can be found at once.
pub fn parse(file: &str, text: &str) -> Result<Definition, Diagnostics> {
    match check(file, text) {
        (Some(definition), _) => Ok(definition),
        (None, diagnostics) => Err(diagnostics),
    }
}

/// Parses a definition that has run: what later rules say against it stops nothing any more.
///
/// # Errors
/// When it cannot be read as a definition at all.
pub fn parse_stored(file: &str, text: &str) -> Result<Definition, Diagnostics> {
    let mut reader = Reader::new(file, text);
    let read = read(&mut reader, "", document::document);
    read.ok_or_else(|| Diagnostics::new(reader.finish()))
}

/// Parses a definition and keeps the warnings even if it can run.
#[must_use]
pub fn check(file: &str, text: &str) -> (Option<Definition>, Diagnostics) {
    let (whole, found) = check_whole(file, text);
    (whole.filter(|_| found.errors() == 0), found)
}

/// The same, but a definition whose every part is right is there as well if something is wrong with
/// it as a whole, or if a step does not say how it is undone: it cannot run, and what would happen
/// can be looked at all the same.
#[must_use]
pub fn check_whole(file: &str, text: &str) -> (Option<Definition>, Diagnostics) {
    let mut reader = Reader::new(file, text);
    let begin = "begin with `saga: a-name`, `version: 1` and `start:`";
    let definition = read(&mut reader, begin, document::document);
    let is_whole = reader.is_whole;
    let found = Diagnostics::new(reader.finish());
    debug_assert!(definition.is_some() || found.errors() > 0, "a refusal without a reason");
    (definition.filter(|_| is_whole), found)
}

/// The name of the saga that a text is about, whatever else is wrong with it.
#[must_use]
pub fn saga_of(text: &str) -> Option<SagaName> {
    let Ok(Some(Node { content: Content::Map(entries), .. })) = node::read(text) else {
        return None;
    };
    let (_, saga) = entries.iter().find(|(key, _)| key.text == "saga")?;
    SagaName::new(saga.text()?).ok()
}

/// The text of a file, without a byte order mark.
///
/// # Errors
/// When it is not UTF-8: where it first is not.
pub fn text_of(file: &str, bytes: Vec<u8>) -> Result<String, Diagnostics> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => {
            let plain = text.strip_prefix('\u{feff}').map(str::to_owned);
            return Ok(plain.unwrap_or(text));
        }
        Err(wrong) => wrong.into_bytes(),
    };
    let at = std::str::from_utf8(&bytes).map_or_else(|e| e.valid_up_to(), str::len);
    let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let message = if wide {
        "the file is UTF-16, not UTF-8".to_owned()
    } else {
        format!("the byte 0x{:02X} here is not UTF-8", bytes[at])
    };
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    let mut reader = Reader::new(file, &shown);
    reader.error::<()>(Code::Syntax, at..at + 1, message, "save the file as UTF-8");
    Err(Diagnostics::new(reader.finish()))
}

/// Reads any YAML file whose mistakes are told as a definition's; `begin` says how one begins.
pub(crate) fn read_file<T>(
    file: &str,
    text: &str,
    begin: &str,
    of: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> (Option<T>, Diagnostics) {
    let mut reader = Reader::new(file, text);
    let value = read(&mut reader, begin, of);
    let found = reader.finish();
    let wrong = found.iter().any(|d: &Diagnostic| d.severity == Severity::Error);
    debug_assert!(wrong || value.is_some(), "a refusal without a reason");
    (value.filter(|_| !wrong), Diagnostics::new(found))
}

/// Where the parts of a definition stand that was parsed before.
pub(crate) fn places_of(file: &str, text: &str) -> Places {
    let mut reader = Reader::new(file, text);
    read(&mut reader, "", document::document);
    std::mem::take(&mut reader.places)
}

fn read<T>(
    reader: &mut Reader<'_>,
    begin: &str,
    of: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> Option<T> {
    let text = reader.text();
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is larger than {} KiB", FILE_BYTES_MAX / 1024);
        return reader.error(Code::Limit, 0..0, message, "split it into smaller ones");
    }
    match node::read(text) {
        Ok(Some(root)) => of(reader, &root),
        Ok(None) => reader.error(Code::Syntax, 0..0, "the file is empty", begin),
        Err(refusal) => refuse(reader, refusal),
    }
}

fn refuse<T>(reader: &mut Reader<'_>, refusal: Refusal) -> Option<T> {
    match refusal {
        Refusal::Syntax { at, message } => {
            if let Some((span, mended)) = quote::culprit(reader.text(), at) {
                let message = format!("YAML cannot read this value: {message}");
                let help = format!("quote the expression: `{mended}`");
                return reader.error(Code::Quote, span, message, help);
            }
            let message = format!("this is not YAML: {message}");
            let before = reader.text().get(..at).unwrap_or_default();
            let help = if before.ends_with('\t') {
                "indent by spaces: in YAML a tab is no indentation"
            } else {
                "look at the indentation, colons and quotes here and on the line before"
            };
            reader.error(Code::Syntax, at..at + 1, message, help)
        }
        Refusal::Limit { at, message } => {
            let help = "write it flatter or smaller";
            reader.error(Code::Limit, at..at + 1, message, help)
        }
        Refusal::Unused { span, message, help } => reader.error(Code::Yaml, span, message, help),
    }
}
