//! A person sets what the saga remembers.

use serde_json::{Map, Value};

use super::act::acted;
use crate::engine::state::place::Line;
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{Act, DataChange, Rejection, What};
use crate::expression::Kinds;

/// Sets fields of the data.
///
/// # Errors
/// When there is none of that name, its value is of another kind than all that the definition sets
/// there, or the data would be too large.
pub(in crate::engine) fn take(
    turn: &mut LifeTurn<'_>,
    act: &Act,
    fields: &Map<String, Value>,
) -> Result<(), Rejection> {
    if fields.is_empty() {
        return Err(Rejection::Refused("set-data: no field is named; say which".to_owned()));
    }
    let known = turn.definition.data_kinds();
    for (field, value) in fields {
        let Some(kinds) = known.get(field) else {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(Rejection::Refused(format!(
                "set-data: {} has no field `{field}`; it has {}",
                turn.definition.saga,
                names.join(", ")
            )));
        };
        let kind = Kinds::of(value);
        if !kinds.is_none() && !kind.meets(*kinds) {
            return Err(Rejection::Refused(format!(
                "set-data: `{field}` is {kinds}, and what is given is {kind}"
            )));
        }
    }
    let line = Line::main();
    turn.fits(&line, fields).map_err(Rejection::Refused)?;
    let secret = turn.definition.secret_fields();
    let change = |(field, after): (&String, _)| change(turn, field, after, secret.contains(field));
    let changes = fields.iter().map(change).collect();
    turn.note(None, acted(act));
    turn.note(None, What::DataSet { id: act.id.clone(), changes });
    turn.write(&line, fields.clone());
    Ok(())
}

/// What becomes of a field; of a sensitive one, and of one that tells what is, nothing is shown.
fn change(turn: &Turn<'_>, field: &str, after: &Value, is_secret: bool) -> DataChange {
    let mut said = turn.definition.sensitive.iter();
    let is_hidden = is_secret || said.any(|path| path.first().is_none_or(|first| first == field));
    let shown = |value: &Value| turn.limits.cut(&value.to_string());
    let before = turn.life().data.get(field).filter(|_| !is_hidden);
    DataChange {
        field: field.to_owned(),
        before: before.map(shown),
        after: (!is_hidden).then(|| shown(after)),
        is_hidden,
    }
}
