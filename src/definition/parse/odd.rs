use std::ops::Range;

/// The most characters that are looked at around a mistake.
const LOOKED_MAX: usize = 200;

/// A character at a place, or in the word around it, that a reader takes for another one: what it
/// is, in words.
pub(super) fn odd(text: &str, span: &Range<usize>) -> Option<String> {
    let from = text.get(..span.start)?.rfind(is_apart).map_or(0, |at| at + 1);
    let from = (from..=span.start).find(|at| text.is_char_boundary(*at))?;
    let rest = text.get(from..)?;
    let until = rest.char_indices().find(|(at, c)| from + at >= span.end && is_apart(*c));
    let word = &rest[..until.map_or(rest.len(), |(at, _)| at)];
    let found = word.chars().take(LOOKED_MAX).find_map(|c| Some((c, kind(c, word)?)));
    found.map(|(c, kind)| {
        let shown = if c.is_whitespace() || c.is_control() || is_invisible(c) {
            String::new()
        } else {
            format!("`{c}`, ")
        };
        format!("{shown}U+{:04X}, is {kind}", u32::from(c))
    })
}

fn is_apart(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, ',' | '{' | '}' | '(' | ')' | '[' | ']')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// What a character is that looks like another; letters of other alphabets only among ours.
fn kind(c: char, word: &str) -> Option<&'static str> {
    let mixed = word.chars().any(|c| c.is_ascii_alphabetic());
    match c {
        '\u{201c}'..='\u{201f}' | '«' | '»' => Some("a typographic quote; write `\"`"),
        '\u{2018}'..='\u{201b}' => Some("a typographic quote; write `'`"),
        '\u{a0}' | '\u{2007}' | '\u{202f}' => Some("a no-break space; write a plain one"),
        '\u{2002}'..='\u{200a}' | '\u{3000}' => Some("a wide or thin space; write a plain one"),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some("a dash; write `-`"),
        c if is_invisible(c) => Some("a character that cannot be seen; remove it"),
        '\u{ff01}'..='\u{ff5e}' => Some("a full-width character; write the plain one"),
        '\u{400}'..='\u{52f}' if mixed => Some("a Cyrillic letter; write the Latin one"),
        '\u{370}'..='\u{3ff}' if mixed => Some("a Greek letter; write the Latin one"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_another_character_is_named() {
        let at = |text: &str, part: &str| {
            let start = text.find(part).expect("it is there");
            odd(text, &(start..start + part.len()))
        };
        let said = at("when: data.sсore > 1", "сore").expect("a Cyrillic es");
        assert_eq!(said, "`с`, U+0441, is a Cyrillic letter; write the Latin one");
        let said = at("when: data.a == “x”", "“").expect("a curly quote");
        assert_eq!(said, "`“`, U+201C, is a typographic quote; write `\"`");
        let said = at("when: data.a\u{a0}== 1", "\u{a0}").expect("a no-break space");
        assert_eq!(said, "U+00A0, is a no-break space; write a plain one");
        assert_eq!(at("reason: привет", "привет"), None, "words of another language");
        assert_eq!(at("within: 10x", "10x"), None);
    }
}
