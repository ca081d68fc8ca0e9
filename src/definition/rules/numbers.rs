use std::collections::BTreeMap;
use std::ops::Range;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::expression::{Name, Operand, Reference};

/// Finds whole numbers that meet numbers with a decimal point.
pub(super) fn check(whole: &mut Whole<'_>) {
    let mut kinds: BTreeMap<Reference, (Kind, Range<usize>)> = BTreeMap::new();
    for (sum, span) in &whole.places.sums {
        match (&sum.left, &sum.right) {
            (Operand::Int, Operand::Double) | (Operand::Double, Operand::Int) => {
                let message = format!(
                    "`{}` cannot take a whole number and one with a decimal point",
                    sum.operator
                );
                refuse(whole, span, message);
            }
            (Operand::Path(path), other) | (other, Operand::Path(path)) => {
                let Some(kind) = Kind::of(other) else { continue };
                if !is_filled_once(whole, path) {
                    continue;
                }
                let (first, _) = kinds.entry(path.clone()).or_insert((kind, span.clone()));
                if *first != kind {
                    let path = format!("{}.{}", path.name.text(), path.fields.join("."));
                    let message = format!(
                        "`{path}` is computed with {} here and with {} elsewhere",
                        kind.words(),
                        first.words()
                    );
                    refuse(whole, span, message);
                }
            }
            (Operand::Int, Operand::Int)
            | (Operand::Double, Operand::Double)
            | (Operand::Unknown, _)
            | (_, Operand::Unknown) => {}
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Double,
}

impl Kind {
    fn of(operand: &Operand) -> Option<Self> {
        match operand {
            Operand::Int => Some(Self::Int),
            Operand::Double => Some(Self::Double),
            Operand::Path(_) | Operand::Unknown => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Int => "whole numbers",
            Self::Double => "numbers with a decimal point",
        }
    }
}

fn refuse(whole: &mut Whole<'_>, span: &Range<usize>, message: String) {
    let help = "make both double by `double(…)`, or write both the same way, such as `2.0`";
    whole.error(Code::NumberKinds, span.clone(), message, help);
}

/// A field that one place alone fills has one kind wherever it is read.
fn is_filled_once(whole: &Whole<'_>, path: &Reference) -> bool {
    let Some(field) = path.fields.first().filter(|_| path.name == Name::Data) else {
        return false;
    };
    let start = whole.definition.data.iter().filter(|a| a.field == *field).count();
    let fills = |step: &crate::definition::Step| {
        whole.fills(step.id).contains(field) || whole.undo_fills(step.id).contains(field)
    };
    start + whole.steps().filter(|step| fills(step)).count() == 1
}
