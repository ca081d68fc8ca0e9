//! What expressions read: whether its name has a meaning there, and whether something fills it.

use std::ops::Range;

use crate::definition::diagnostic::Code;
use crate::definition::places::Read;
use crate::expression::Reference;

use super::place::Place;
use super::reader::{Reader, nearest};

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
