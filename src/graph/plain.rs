/// A text on one line, without what could command a terminal or turn a line around.
pub(super) fn plain(text: &str) -> String {
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    spaced.chars().map(|c| if is_odd(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Control characters, those that change the direction of writing, and those that XML forbids.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Breaks a text into lines that a measure lets pass; a word that is too long is broken too.
///
/// No more than `lines_max` lines come out; what is left over is shown by an ellipsis.
pub(super) fn wrap(text: &str, lines_max: usize, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if fits(&longer) {
            *line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        break_word(word, &mut lines, &fits);
        if lines.len() > lines_max {
            break;
        }
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        let last = lines.last_mut().expect("at least one line is allowed");
        while !last.is_empty() && !fits(&format!("{last}…")) {
            last.pop();
        }
        last.push('…');
    }
    lines
}

/// Adds a word to the last line, which is empty; breaks it behind a sign if there is one.
fn break_word(word: &str, lines: &mut Vec<String>, fits: &impl Fn(&str) -> bool) {
    let mut rest = word;
    loop {
        let line = lines.last_mut().expect("there is always a line");
        if fits(rest) {
            line.push_str(rest);
            return;
        }
        let most = rest
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| fits(&rest[..*end]))
            .last()
            .unwrap_or_else(|| rest.chars().next().map_or(0, char::len_utf8));
        let sign =
            rest[..most].rfind(['-', '.', '/', '_', ',', ':', '?', '&', '=']).map(|at| at + 1);
        let end = sign.filter(|at| *at * 2 > most).unwrap_or(most);
        line.push_str(&rest[..end]);
        rest = &rest[end..];
        if rest.is_empty() {
            return;
        }
        lines.push(String::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten(text: &str) -> bool {
        text.chars().count() <= 10
    }

    #[test]
    fn text_is_broken_at_spaces_then_at_signs_then_anywhere() {
        assert_eq!(wrap("one two three", 9, ten), ["one two", "three"]);
        assert_eq!(wrap("reserve-stock now", 9, ten), ["reserve-", "stock now"]);
        assert_eq!(wrap("aaaaaaaaaaaaaaa", 9, ten), ["aaaaaaaaaa", "aaaaa"]);
        assert_eq!(wrap("", 9, ten), [""]);
    }

    #[test]
    fn what_is_left_over_is_shown() {
        assert_eq!(wrap("one two three four five", 2, ten), ["one two", "three fou…"]);
    }

    #[test]
    fn nothing_that_commands_a_terminal_passes() {
        assert_eq!(plain("a\u{1b}[31m\n b\u{202e}c\u{0}"), "a\u{fffd}[31m b\u{fffd}c\u{fffd}");
    }
}
