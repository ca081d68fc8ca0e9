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

    /// The number that is written at a node, as far as its characters go.
    pub fn number_at(&self, id: u64) -> Option<&'s str> {
        let text = self.source.get(self.of(id)?..)?;
        let mut before = ' ';
        let end = text.find(|c: char| {
            let is_sign = matches!(c, '+' | '-') && matches!(before, ' ' | 'e' | 'E');
            before = c;
            !(is_sign || c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E'))
        });
        text.get(..end.unwrap_or(text.len()))
    }

    /// A node's place in bytes; CEL counts in characters.
    pub fn of(&self, id: u64) -> Option<usize> {
        let (start, _) = self.places?.offset_for(id)?;
        self.source.char_indices().nth(start as usize).map(|(at, _)| at)
    }
}
