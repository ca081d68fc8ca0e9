use std::fmt;

use super::Name;

/// A path that an expression reads, such as `data.order.total`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The name it starts from.
    pub name: Name,
    /// The fields behind it, as far as they are written out.
    pub fields: Vec<String>,
    /// Whether it is only asked for by `has(…)`.
    pub tested: bool,
    /// Whether it is read only where the expression knows by `has(…)` that its first field is set.
    pub guarded: bool,
}

impl Reference {
    /// A path that nothing asks for first.
    pub(super) fn plain(name: Name, fields: Vec<String>) -> Self {
        Self { name, fields, tested: false, guarded: false }
    }

    /// Whether its first field must be set wherever the expression is evaluated: `has(data.a.b)`
    /// asks for `b` and needs `a`.
    #[must_use]
    pub fn needs_first(&self) -> bool {
        let is_only_asked_for = self.tested && self.fields.len() == 1;
        !self.guarded && !is_only_asked_for
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.text())?;
        self.fields.iter().try_for_each(|field| write!(f, ".{field}"))
    }
}
