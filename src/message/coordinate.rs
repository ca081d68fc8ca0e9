use std::fmt;
use std::str::FromStr;

use super::{Error, StepName};

/// Which step of an instance: its name, and which branch of every fan-out around it.
///
/// As text `reserve`, or `reserve[2]` inside the branch for the third element of an `each`; with
/// one pair of brackets for each fan-out. The text stays the same however an instance moves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinate {
    /// The step of the definition.
    pub step: StepName,
    /// Which branch of every fan-out around it, from the outside in.
    pub branch: Vec<u32>,
}

impl Coordinate {
    /// Reads the text of a field that is empty where it is about no step.
    ///
    /// # Errors
    /// When there is a text, and it names no step.
    pub fn read(text: &str) -> Result<Option<Self>, Error> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
    }

    /// The text of a field that is empty where it is about no step.
    #[must_use]
    pub fn text(coordinate: Option<&Self>) -> String {
        coordinate.map(ToString::to_string).unwrap_or_default()
    }
}

impl From<StepName> for Coordinate {
    /// A step with no fan-out around it.
    fn from(step: StepName) -> Self {
        Self { step, branch: Vec::new() }
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.step.as_str())?;
        self.branch.iter().try_for_each(|index| write!(f, "[{index}]"))
    }
}

impl FromStr for Coordinate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |at: usize| Error::Coordinate { text: text.to_owned(), sign: at + 1 };
        let end = text.find('[').unwrap_or(text.len());
        let step = text[..end].parse().map_err(|_| wrong(0))?;
        let (mut branch, mut at) = (Vec::new(), end);
        while at < text.len() {
            let (index, length) = first_index(&text[at..]).ok_or_else(|| wrong(at))?;
            branch.push(index);
            at += length;
        }
        Ok(Self { step, branch })
    }
}

/// The number in the brackets that a text begins with, and how long it is with its brackets.
fn first_index(text: &str) -> Option<(u32, usize)> {
    let (digits, _) = text.strip_prefix('[')?.split_once(']')?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_padded = digits.len() > 1 && digits.starts_with('0');
    // Each number has one text, for ids are made of it.
    let index = digits.parse().ok().filter(|_| is_plain && !is_padded)?;
    Some((index, digits.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinate_reads_back_as_it_was_written() {
        for (text, branch) in [
            ("reserve", &[][..]),
            ("reserve-2[0]", &[0]),
            ("set.3[12][4294967295]", &[12, u32::MAX]),
        ] {
            let coordinate: Coordinate = text.parse().expect("a coordinate");
            assert_eq!(coordinate.branch, branch);
            assert_eq!(coordinate.to_string(), text);
        }
    }

    #[test]
    fn an_error_names_the_sign_from_which_on_it_is_none() {
        for (text, sign) in [
            ("", 1),
            ("Reserve", 1),
            ("[1]", 1),
            ("set.", 1),
            ("set.03", 1),
            ("reserve[", 8),
            ("reserve[]", 8),
            ("reserve[x]", 8),
            ("reserve[01]", 8),
            ("reserve[+1]", 8),
            ("reserve[4294967296]", 8),
            ("reserve[1]2", 11),
            ("reserve[1][ü]", 11),
        ] {
            let wrong = Error::Coordinate { text: text.to_owned(), sign };
            assert_eq!(text.parse::<Coordinate>(), Err(wrong));
        }
    }

    #[test]
    fn an_empty_field_is_about_no_step() {
        assert_eq!(Coordinate::read(""), Ok(None));
        let read = Coordinate::read("pay[1]").expect("a coordinate");
        assert_eq!(Coordinate::text(read.as_ref()), "pay[1]");
        assert_eq!(Coordinate::text(None), "");
    }
}
