use std::collections::BTreeMap;

/// A text that occurs often, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(u32);

/// Keeps texts that occur often once.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<String, Name>,
    texts: Vec<String>,
}

impl Names {
    pub fn of(&mut self, text: &str) -> Name {
        if let Some(name) = self.numbers.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).expect("names fit into memory"));
        self.numbers.insert(text.to_owned(), name);
        self.texts.push(text.to_owned());
        name
    }

    pub fn text(&self, name: Name) -> &str {
        &self.texts[name.0 as usize]
    }
}

/// The first 16 bytes of a text's hash, for comparing ids without keeping them.
pub(super) fn digest(bytes: &[u8]) -> u128 {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    u128::from_le_bytes(short)
}
