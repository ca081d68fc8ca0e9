//! Whether two `where`s tell events of one kind apart.

use super::whole::Whole;
use crate::expression::{Demand, Expression, Name, Question, Reference, Test};

/// Whether one event is never both, whenever it is looked at: an answer to the one may come again
/// while the other is waited for, and what the saga remembers may be another by then.
pub(super) fn at_any_time(
    whole: &Whole<'_>,
    first: Option<&Expression>,
    second: Option<&Expression>,
) -> bool {
    let lasts = |read: &Reference| match read.name {
        Name::Event | Name::Key => true,
        Name::Data => read.fields.first().is_some_and(|field| !is_set_again(whole, field)),
        Name::Now
        | Name::Failure
        | Name::Item
        | Name::Index
        | Name::Branch
        | Name::Fence
        | Name::Answer
        | Name::Child => false,
    };
    excludes(first, second, &|question| question.references.iter().all(lasts))
}

/// Whether one event is never both at one moment.
pub(super) fn at_once(first: Option<&Expression>, second: Option<&Expression>) -> bool {
    excludes(first, second, &|_| true)
}

/// Whether two conditions never hold at one moment because something else than these paths is said
/// to be this or that, such as a field that tells of which kind they are.
pub(super) fn by_another(paths: [&Reference; 2], first: &Expression, second: &Expression) -> bool {
    let is_read = |read: &Reference| {
        paths.iter().any(|path| (path.name, &path.fields) == (read.name, &read.fields))
    };
    let tells = |question: &Question| {
        let is_listed = |demand: &Demand| matches!(demand.test, Test::OneOf(_));
        (question.sides.is_some() || question.demand.as_ref().is_some_and(is_listed))
            && !question.references.iter().any(is_read)
    };
    excludes(Some(first), Some(second), &tells)
}

fn excludes(
    first: Option<&Expression>,
    second: Option<&Expression>,
    counts: &dyn Fn(&Question) -> bool,
) -> bool {
    let (Some(first), Some(second)) = (first, second) else { return false };
    first.condition().excludes(second.condition(), counts)
}

/// Whether a step fills a field after the start.
fn is_set_again(whole: &Whole<'_>, field: &str) -> bool {
    whole.steps().any(|step| {
        whole.fills(step.id).contains(field) || whole.undo_fills(step.id).contains(field)
    })
}

/// Whether a `where` holds only of events that name a value of the branch, such as
/// `event.sku == item.sku`.
pub(super) fn tells_branch(condition: &Expression) -> bool {
    condition.condition().holds_only_by(&|question, holds| {
        let is_equal = holds != question.is_contrary;
        let names = |[one, other]: &[Vec<Reference>; 2]| {
            (is_of_event(one) && is_of_branch(other)) || (is_of_event(other) && is_of_branch(one))
        };
        is_equal && question.sides.as_ref().is_some_and(names)
    })
}

fn is_of_branch(reads: &[Reference]) -> bool {
    let own = |read: &Reference| matches!(read.name, Name::Item | Name::Index | Name::Branch);
    reads.iter().any(own) && !reads.iter().any(|read| read.name == Name::Event)
}

fn is_of_event(reads: &[Reference]) -> bool {
    reads.iter().any(|read| read.name == Name::Event) && !is_of_branch(reads)
}
