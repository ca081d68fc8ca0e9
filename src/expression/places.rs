use cel::common::ast::SourceInfo;

/// The most operators and calls that stand inside one another.
pub(super) const LEVELS_MAX: usize = 96;

/// Where the nodes of a tree stand in its source.
pub(super) struct Places<'s> {
    source: &'s str,
    places: Option<&'s SourceInfo>,
}

impl<'s> Places<'s> {
    /// Of a tree that was just parsed.
    pub fn of_tree(source: &'s str, places: &'s SourceInfo) -> Self {
        Self { source, places: Some(places) }
    }

    /// Of a tree that was checked before.
    pub fn unknown() -> Self {
        Self { source: "", places: None }
    }

    /// The place of a called function's name; CEL gives the bracket behind it.
    pub fn of_call(&self, id: u64, name: &str) -> Option<usize> {
        let at = self.of(id)?;
        let named = self.source[..at].trim_end().ends_with(name);
        Some(if named { self.source[..at].trim_end().len() - name.len() } else { at })
    }

    /// A node's place in bytes; CEL counts in characters.
    pub fn of(&self, id: u64) -> Option<usize> {
        let (start, _) = self.places?.offset_for(id)?;
        self.source.char_indices().nth(start as usize).map(|(at, _)| at)
    }
}
