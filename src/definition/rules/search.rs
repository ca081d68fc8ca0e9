use super::kinds;
use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::secrets::{Secrets, Spot};
use crate::expression::{Kinds, Name, Reference};

/// Finds fields by which nobody may search, or nobody can.
pub(super) fn check(whole: &mut Whole<'_>) {
    let definition = whole.definition;
    if definition.search.is_empty() {
        return;
    }
    let secrets = Secrets::of(definition);
    let kinds = kinds::of_data(definition);
    for (place, fields) in definition.search.iter().enumerate() {
        let span = whole.places.file.value(&format!("search.{place}"));
        let path = format!("data.{}", fields.join("."));
        let read =
            Reference { name: Name::Data, fields: fields.clone(), tested: false, guarded: false };
        if let Some(secret) = secrets.behind(definition, &read, Spot::default()) {
            let message = if path == secret {
                format!("`{path}` is sensitive, and what is searched is shown to everybody")
            } else {
                format!(
                    "`{path}` tells `{secret}`, which is sensitive, and what is searched is \
                     shown to everybody"
                )
            };
            let help = "search by something that is no secret, such as its order's id";
            whole.error(Code::NotSearchable, span, message, help);
            continue;
        }
        let kept = kinds.get(path.trim_start_matches("data.")).map(|kinds| kinds.kept());
        let plain = Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL);
        if let Some(kinds) = kept.filter(|kinds| !kinds.is_none() && !kinds.meets(plain)) {
            let message = format!("`{path}` is {kinds}, by which nobody can search");
            let help = "name a field of it that is text, a number, or true or false";
            whole.error(Code::NotSearchable, span, message, help);
        }
    }
}
