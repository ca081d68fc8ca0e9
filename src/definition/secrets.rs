//! Follows what is sensitive from field to field.

use std::collections::{BTreeMap, BTreeSet};

use super::places::owned;
use super::{Definition, StepId};
use crate::expression::{Name, Reference, Usage};

/// Fields that are set from sensitive ones, with whose they are: the data's (none), or that of the
/// branches of an `each`; and from which sensitive field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Secrets(BTreeMap<(Option<StepId>, String), String>);

impl Secrets {
    /// What is computed from a secret is one, unless it only says whether, or how many.
    pub fn of(definition: &Definition) -> Self {
        let mut secrets = Self::default();
        let all = definition.expressions();
        loop {
            let known = secrets.0.len();
            for placed in &all {
                let Some(field) = placed.fills else { continue };
                let told = placed.expression.uses().iter().filter(|used| tells(&used.usage));
                let each = placed.each.map(|each| each.id);
                let find = |used: &_| secrets.behind(definition, used, each);
                let Some(secret) = told.into_iter().find_map(|used| find(&used.path)) else {
                    continue;
                };
                let owner = placed.step.and_then(|step| definition.fan_out_around(step.id));
                let owner = owner.map(|each| each.id);
                if owner.is_some() || !is_said(definition, field) {
                    secrets.0.entry((owner, field.to_owned())).or_insert(secret);
                }
            }
            if secrets.0.len() == known {
                return secrets;
            }
        }
    }

    /// The sensitive field that a path reads, or whose value it has; the whole data included.
    pub fn behind(
        &self,
        definition: &Definition,
        read: &Reference,
        each: Option<StepId>,
    ) -> Option<String> {
        if read.tested {
            return None;
        }
        if read.name == Name::Data {
            for path in &definition.sensitive {
                if path.starts_with(&read.fields) || read.fields.starts_with(path) {
                    return Some(format!("data.{}", path.join(".")));
                }
            }
        }
        let (owner, field) = owned(read.name, each, read.fields.first()?)?;
        self.0.get(&(owner, field.to_owned())).cloned()
    }

    /// Whether a field is set from this sensitive one.
    pub fn has(&self, secret: &str) -> bool {
        self.0.values().any(|known| known == secret)
    }
}

impl Definition {
    /// Fields of the data that are set from what is sensitive: they are as secret.
    #[must_use]
    pub fn secret_fields(&self) -> BTreeSet<String> {
        if self.sensitive.is_empty() {
            return BTreeSet::new();
        }
        let of_data = |((owner, field), _): ((Option<StepId>, String), String)| {
            owner.is_none().then_some(field)
        };
        Secrets::of(self).0.into_iter().filter_map(of_data).collect()
    }
}

/// Whether what is done with a value lets it be known.
fn tells(usage: &Usage) -> bool {
    match usage {
        Usage::Alone | Usage::Looped | Usage::Added(_) | Usage::Computed(_) | Usage::Other => true,
        Usage::Argument(function) => !matches!(function.as_str(), "size" | "type"),
        Usage::Asked | Usage::Held | Usage::Compared(_) | Usage::Receiver(_) => false,
    }
}

/// Whether the author says that a field is sensitive as a whole.
fn is_said(definition: &Definition, field: &str) -> bool {
    definition.sensitive.iter().any(|path| path[..] == [field.to_owned()])
}
