use std::ops::Range;

use crate::definition::StepId;
use crate::definition::diagnostic::Code;
use crate::definition::places::Read;
use crate::expression::{Name, Reference};

use super::reader::{Reader, nearest};

/// Where an expression stands: it decides which names have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before there is an instance: `start`, `events`, a cancel's key.
    Before,
    /// The `data` section.
    Data,
    /// A `cancel`'s condition: at any moment of an instance.
    Cancel,
    /// Whether a step is entered, or which branch: `when`.
    Guard,
    /// Beside a running instance alone: `with`, `key`, `fail`, a `set` without an event.
    Alone,
    /// Beside a running instance and an event: `where`, `reason`, a reply's `set`.
    Reply,
    /// As a reply, of a call: `event` is `status`, `headers`, `body`.
    Http,
    /// What a person's answer sets.
    Answer,
    /// What a child's end sets.
    Child,
    /// What the branches of an `each` leave in the data.
    Collect,
    /// On the way back: compensations.
    Back,
    /// On the way back, beside the reply to a compensation.
    Undone,
    /// As an undone, of a call.
    UndoneHttp,
    /// `ends.completed`.
    Completed,
    /// `ends.compensated`, `ends.stuck`.
    Ended,
}

/// A composite step around the one that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// Its `item`, `index` and `branch` are known.
    Each(StepId),
    /// Other steps run beside.
    Parallel,
    /// Its `fence` is known.
    Lock,
}

impl Around {
    fn names(self) -> &'static [Name] {
        match self {
            Self::Each(_) => &[Name::Item, Name::Index, Name::Branch],
            Self::Parallel => &[],
            Self::Lock => &[Name::Fence],
        }
    }
}

impl Place {
    fn names(self) -> &'static [Name] {
        match self {
            Self::Before => &[Name::Event, Name::Now],
            Self::Data => &[Name::Event, Name::Key, Name::Now],
            Self::Reply | Self::Http | Self::Cancel => {
                &[Name::Data, Name::Event, Name::Key, Name::Now]
            }
            Self::Alone | Self::Guard | Self::Collect | Self::Completed => {
                &[Name::Data, Name::Key, Name::Now]
            }
            Self::Answer => &[Name::Data, Name::Answer, Name::Key, Name::Now],
            Self::Child => &[Name::Data, Name::Child, Name::Key, Name::Now],
            Self::Back | Self::Ended => &[Name::Data, Name::Failure, Name::Key, Name::Now],
            Self::Undone | Self::UndoneHttp => {
                &[Name::Data, Name::Event, Name::Failure, Name::Key, Name::Now]
            }
        }
    }

    /// Where the reply to a request of this place is read.
    pub fn reply(self) -> Self {
        if self == Self::Back { Self::Undone } else { Self::Reply }
    }

    /// Where the answer to a call of this place is read.
    pub fn answer(self) -> Self {
        if self == Self::Back { Self::UndoneHttp } else { Self::Http }
    }

    fn why(self, name: Name) -> &'static str {
        match (name, self) {
            (Name::Data, Self::Before) => "no instance is known yet, so there is no data",
            (Name::Data, _) => "`data` is what these lines fill",
            (Name::Key, _) => "the key is not known yet",
            (Name::Event, Self::Answer) => "a person's answer is `answer`, not `event`",
            (Name::Event, Self::Child) => "what a child leaves is `child.data`, not `event`",
            (Name::Event, _) => {
                "no event is at hand here; remember it by `data` or `set` and read `data.…`"
            }
            (Name::Failure, _) => {
                "`failure` is known only in `compensate`, `ends.compensated` and `ends.stuck`"
            }
            (Name::Now, _) => "the time is always known",
            (Name::Item | Name::Index | Name::Branch, _) => {
                "`item`, `index` and `branch` are known only in the steps of an `each`"
            }
            (Name::Fence, _) => "`fence` is known only in the steps of a `lock`",
            (Name::Answer, _) => "`answer` is known only in what an `ask` sets",
            (Name::Child, _) => "`child` is known only in what a `saga` step sets",
        }
    }

    /// The fields that a name has here, if they are known.
    fn fields(self, name: Name) -> Option<&'static [&'static str]> {
        let of_call = matches!(self, Self::Http | Self::UndoneHttp);
        match name {
            Name::Failure => Some(&["step", "kind", "reason"]),
            Name::Answer => Some(&["choice", "by", "note", "data"]),
            Name::Child => Some(&["data", "failure"]),
            Name::Event => of_call.then_some(&["status", "headers", "body"]),
            Name::Data
            | Name::Key
            | Name::Now
            | Name::Item
            | Name::Index
            | Name::Branch
            | Name::Fence => None,
        }
    }
}

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
            let around = self.around.iter().any(|a| a.names().contains(&reference.name));
            if !place.names().contains(&reference.name) && !around {
                let message = format!("`{}` means nothing here", reference.name.text());
                let help = place.why(reference.name);
                self.error::<()>(Code::OutOfScope, at(&path), message, help);
                continue;
            }
            self.check_known(reference, place, || at(&path));
            self.places.reads.push(Read {
                step: self.step,
                each: self.each(),
                place,
                name: reference.name,
                fields: reference.fields.clone(),
                asked: !reference.needs_first(),
                span: at(&path),
            });
        }
    }

    fn check_known(&mut self, reference: &Reference, place: Place, at: impl Fn() -> Range<usize>) {
        let (Some(known), Some(field)) = (place.fields(reference.name), reference.fields.first())
        else {
            return;
        };
        if known.contains(&field.as_str()) {
            return;
        }
        let name = reference.name.text();
        let message = format!("`{name}` has no `{field}`");
        let help = if let Some(known) = nearest(field, known.iter().copied()) {
            format!("did you mean `{name}.{known}`?")
        } else {
            let (last, first) = known.split_last().expect("a name has fields");
            let first: Vec<_> = first.iter().map(|f| format!("`{f}`")).collect();
            format!("it has {} and `{last}`", first.join(", "))
        };
        self.error::<()>(Code::UnknownField, at(), message, help);
    }

    /// Refuses every `data.x` and `branch.x` that nothing fills.
    pub fn check_reads(&mut self) {
        for read in self.places.reads.clone() {
            let Some((filled, field)) = read.field() else { continue };
            let of = read.name.text();
            let fills = self.fills.get(&filled).cloned().unwrap_or_default();
            if fills.contains(field) {
                continue;
            }
            let message = format!("nothing fills `{of}.{field}`");
            let branch = read.each.and_then(|each| self.fills.get(&Some(each)));
            let help = match nearest(field, fills.iter().map(String::as_str)) {
                Some(known) => format!("did you mean `{of}.{known}`?"),
                None if of == "data" && branch.is_some_and(|b| b.contains(field)) => {
                    format!("in `each`, `set` fills the branch's own fields: read `branch.{field}`")
                }
                None if of == "data" => {
                    format!("fill it under `data` or by a step's `set: {{ {field}: … }}`")
                }
                None => format!("fill it by the `set: {{ {field}: … }}` of a step in this `each`"),
            };
            self.error::<()>(Code::UnknownField, read.span, message, help);
        }
    }
}
