//! Two texts side by side, line by line.

/// The most pairs of lines that are compared; larger texts are shown as two whole ones.
const PAIRS_MAX: usize = 4_000_000;

/// A row of two texts side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiffRow {
    /// The line of the older text, with its number; none if the newer one alone has it.
    pub old: Option<DiffLine>,
    /// The line of the newer text; none if the older one alone has it.
    pub new: Option<DiffLine>,
}

/// A line with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiffLine {
    pub number: usize,
    pub text: String,
}

impl DiffRow {
    /// How it looks: `is-same`, `is-gone`, `is-added`, `is-changed`.
    pub fn class(&self) -> &'static str {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) if old.text == new.text => "is-same",
            (Some(_), Some(_)) => "is-changed",
            (Some(_), None) => "is-gone",
            (None, Some(_) | None) => "is-added",
        }
    }
}

/// Two texts side by side: the longest lines in common stand beside each other.
pub(super) fn side_by_side(old: &str, new: &str) -> Vec<DiffRow> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut rows = Vec::new();
    let (mut at, mut other) = (0, 0);
    for (left, right) in common(&old, &new).into_iter().chain([(old.len(), new.len())]) {
        apart(&mut rows, (&old, at..left), (&new, other..right));
        if left < old.len() && right < new.len() {
            rows.push(DiffRow { old: Some(line(&old, left)), new: Some(line(&new, right)) });
        }
        (at, other) = (left + 1, right + 1);
    }
    rows
}

/// Lines that differ: as many as both have beside each other, the rest alone.
fn apart(
    rows: &mut Vec<DiffRow>,
    (old, gone): (&[&str], std::ops::Range<usize>),
    (new, added): (&[&str], std::ops::Range<usize>),
) {
    let many = gone.len().max(added.len());
    let nth = |lines: &[&str], range: &std::ops::Range<usize>, index: usize| {
        range.clone().nth(index).map(|at| line(lines, at))
    };
    let row = |index| DiffRow { old: nth(old, &gone, index), new: nth(new, &added, index) };
    rows.extend((0..many).map(row));
}

fn line(lines: &[&str], at: usize) -> DiffLine {
    DiffLine { number: at + 1, text: lines[at].to_owned() }
}

/// The places of the longest sequence of lines that both texts have.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > PAIRS_MAX {
        return Vec::new();
    }
    // How long the sequence is of what stands from each pair of lines on.
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let (right, below) = (longest[i * width + j + 1], longest[(i + 1) * width + j]);
            let both = longest[(i + 1) * width + j + 1] + 1;
            longest[i * width + j] = if old[i] == new[j] { both } else { right.max(below) };
        }
    }
    let (mut pairs, mut i, mut j) = (Vec::new(), 0, 0);
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let side = |line: &Option<DiffLine>| {
            line.as_ref().map_or("-".to_owned(), |line| format!("{}{}", line.number, line.text))
        };
        let rows = side_by_side(old, new);
        rows.iter().map(|r| format!("{} {} {}", side(&r.old), side(&r.new), r.class())).collect()
    }

    #[test]
    fn what_both_texts_have_stands_side_by_side() {
        assert_eq!(told("a\nb\nc", "a\nb\nc"), ["1a 1a is-same", "2b 2b is-same", "3c 3c is-same"]);
        assert_eq!(told("a\nb\nc", "a\nc"), ["1a 1a is-same", "2b - is-gone", "3c 2c is-same"]);
        assert_eq!(told("a\nc", "a\nb\nc"), ["1a 1a is-same", "- 2b is-added", "2c 3c is-same"]);
        assert_eq!(
            told("a\nx\nc", "a\ny\nc\nd"),
            ["1a 1a is-same", "2x 2y is-changed", "3c 3c is-same", "- 4d is-added"]
        );
        assert_eq!(told("", "a"), ["- 1a is-added"]);
        assert!(told("", "").is_empty());
    }

    #[test]
    fn texts_that_are_too_long_to_compare_are_shown_whole() {
        let long = "same\n".repeat(2_001);
        let rows = side_by_side(&long, &format!("{long}more"));
        assert_eq!(rows.len(), 2_002);
        assert_eq!(rows.last().and_then(|row| row.old.clone()), None);
    }
}
