use std::collections::BTreeMap;

use super::whole::Whole;
use crate::definition::StepId;
use crate::definition::diagnostic::Code;
use crate::definition::places::Read;
use crate::expression::Name;

/// Shorter names may differ by one letter and be right.
const NAME_CHARS_MIN: usize = 4;

/// What a field belongs to: a name, the `each` it is of, and the fields before it.
type Owner<'d> = (Name, Option<StepId>, &'d [String]);

/// Finds fields of things whose shape is not known, such as an item, that are read once and spelt
/// almost like another field of the same thing, which is read more often.
pub(super) fn check(whole: &mut Whole<'_>) {
    let reads = &whole.places.reads;
    let mut count: BTreeMap<(Owner<'_>, &str), usize> = BTreeMap::new();
    for read in reads {
        for (owner, field) in fields(whole, read) {
            *count.entry((owner, field)).or_default() += 1;
        }
    }
    for read in reads {
        for (owner, field) in fields(whole, read) {
            if count[&(owner, field)] != 1 || read.asked {
                continue;
            }
            let usual = |((other, name), times): (&(Owner<'_>, &str), &usize)| {
                (*other == owner && *times > 1 && is_misspelt(name, field))
                    .then(|| (*name).to_owned())
            };
            let Some(near) = count.iter().find_map(usual) else { continue };
            let message =
                format!("`{field}` is spelt almost like `{near}`, which is read elsewhere");
            let help = format!("did you mean `{near}`?");
            whole.warn(Code::UnlikelyField, read.span.clone(), message, help);
        }
    }
}

/// The fields of a path that nothing declares, each with what it belongs to.
fn fields<'d>(whole: &Whole<'d>, read: &'d Read) -> Vec<(Owner<'d>, &'d str)> {
    // What an event holds differs from one to the next; what a child leaves is its own affair.
    let (first, each) = match read.name {
        Name::Item => (0, read.step.and_then(|step| whole.each(step))),
        Name::Data => (1, None),
        Name::Event
        | Name::Key
        | Name::Now
        | Name::Failure
        | Name::Index
        | Name::Branch
        | Name::Fence
        | Name::Answer
        | Name::Child => return Vec::new(),
    };
    let owned = |at: usize| ((read.name, each, &read.fields[..at]), read.fields[at].as_str());
    (first..read.fields.len()).map(owned).collect()
}

/// Whether two names are likely to mean one: not a plural, nor another number.
fn is_misspelt(usual: &str, odd: &str) -> bool {
    let letters = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let plural = |one: &str, many: &str| many.strip_suffix('s') == Some(one);
    odd.chars().count().min(usual.chars().count()) >= NAME_CHARS_MIN
        && strsim::damerau_levenshtein(usual, odd) == 1
        && letters(usual) != letters(odd)
        && !plural(usual, odd)
        && !plural(odd, usual)
}
