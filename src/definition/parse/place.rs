use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::expression::{Name, Reference};

use super::reader::{Reader, nearest};

/// Where an expression stands: it decides which names have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before there is an instance: `start`, `events`, a cancel's key.
    Before,
    /// The `data` section.
    Data,
    /// Beside a running instance and an event: `where`, `reason`, a reply's `set`.
    Reply,
    /// Beside a running instance alone: `when`, `with`, `key`, `fail`.
    Alone,
    /// On the way back: compensations, `ends.compensated`, `ends.stuck`.
    Back,
}

impl Place {
    fn names(self) -> &'static [Name] {
        match self {
            Self::Before => &[Name::Event, Name::Now],
            Self::Data => &[Name::Event, Name::Key, Name::Now],
            Self::Reply => &[Name::Data, Name::Event, Name::Key, Name::Now],
            Self::Alone => &[Name::Data, Name::Key, Name::Now],
            Self::Back => &[Name::Data, Name::Failure, Name::Key, Name::Now],
        }
    }

    fn why(self, name: Name) -> &'static str {
        match (name, self) {
            (Name::Data, Self::Before) => "no instance is known yet, so there is no data",
            (Name::Data, _) => "`data` is what these lines fill",
            (Name::Key, _) => "the key is not known yet",
            (Name::Event, Self::Data | Self::Before | Self::Reply) => "the event is at hand",
            (Name::Event, _) => {
                "no event is at hand here; remember it by `data` or `set` and read `data.…`"
            }
            (Name::Failure, _) => {
                "`failure` is known only in `compensate`, `ends.compensated` and `ends.stuck`"
            }
            (Name::Now, _) => "the time is always known",
            (
                Name::Item | Name::Index | Name::Branch | Name::Fence | Name::Answer | Name::Child,
                _,
            ) => "it belongs to a kind of step that is not built yet",
        }
    }
}

const FAILURE: [&str; 3] = ["step", "kind", "reason"];

impl Reader<'_> {
    /// Checks what an expression reads; `at` finds a reference's place in the file.
    pub fn check_references(
        &mut self,
        references: &[Reference],
        place: Place,
        at: impl Fn(&str) -> Range<usize>,
    ) {
        for reference in references {
            let path = [&[reference.name.text().to_owned()], &reference.fields[..]].concat();
            let path = path.join(".");
            if !place.names().contains(&reference.name) {
                let message = format!("`{}` means nothing here", reference.name.text());
                let help = place.why(reference.name);
                self.error::<()>(Code::OutOfScope, at(&path), message, help);
            } else if reference.name == Name::Data && !reference.fields.is_empty() {
                self.reads.push((reference.fields.clone(), at(&path)));
            } else if reference.name == Name::Failure
                && let Some(field) = reference.fields.first()
                && !FAILURE.contains(&field.as_str())
            {
                let message = format!("`failure` has no `{field}`");
                let help = match nearest(field, FAILURE.into_iter()) {
                    Some(known) => format!("did you mean `failure.{known}`?"),
                    None => String::from("it has `step`, `kind` and `reason`"),
                };
                self.error::<()>(Code::UnknownField, at(&path), message, help);
            }
        }
    }

    /// Refuses every `data.x` that nothing fills.
    pub fn check_reads(&mut self) {
        let reads = std::mem::take(&mut self.reads);
        for (fields, span) in reads {
            let Some(field) = fields.first().filter(|f| !self.fills.contains(*f)) else {
                continue;
            };
            let message = format!("nothing fills `data.{field}`");
            let fills = self.fills.clone();
            let help = match nearest(field, fills.iter().map(String::as_str)) {
                Some(known) => format!("did you mean `data.{known}`?"),
                None => format!("fill it under `data` or by a step's `set: {{ {field}: … }}`"),
            };
            self.error::<()>(Code::UnknownField, span, message, help);
        }
    }
}
