use std::cmp::Ordering;
use std::fmt;

use serde_json::Number as JsonNumber;

use super::decimal::{DIGITS_MAX, Decimal, write};

/// A number as expressions see it, however it was written: `100`, `100.0` and `1e2` are one.
///
/// Each value has one form alone: what fits is whole, else decimal, and only what has too many
/// digits or too great an exponent to be computed with is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Shape);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// A whole number as most are.
    Whole(i64),
    /// Any other that can be computed with.
    Decimal(Decimal),
    /// One that is compared and passed on, but not computed with.
    Long(Box<Long>),
}

/// The digits of a number without zeros at either end, and where its point is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Long {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Number {
    /// The number that a JSON number is.
    #[must_use]
    pub fn of(number: &JsonNumber) -> Self {
        Self::parse(number.as_str()).expect("the text of a JSON number is one")
    }

    /// The number that a text spells as JSON does; zeros in front do no harm.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse::<i64>() {
            return (!text.starts_with('+')).then_some(Self::from(whole));
        }
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let written = format!("{whole}{fraction}");
        let places = i64::try_from(fraction.len()).ok()?;
        Some(Self::normal(is_negative, &written, exponent.saturating_sub(places)))
    }

    /// The one form of a number of these digits.
    fn normal(is_negative: bool, written: &str, exponent: i64) -> Self {
        let digits = written.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            return Self::from(0);
        }
        let zeros = written.len() - written.trim_end_matches('0').len();
        let exponent = exponent.saturating_add(i64::try_from(zeros).unwrap_or(i64::MAX));
        let short = (digits.len() <= DIGITS_MAX).then(|| digits.parse::<i128>().ok()).flatten();
        let decimal = short.zip(i32::try_from(exponent).ok()).and_then(|(digits, exponent)| {
            Decimal::new(if is_negative { -digits } else { digits }, exponent)
        });
        decimal.map_or_else(
            || {
                let digits = digits.to_owned();
                Self(Shape::Long(Box::new(Long { is_negative, digits, exponent })))
            },
            Self::from,
        )
    }

    /// The number as JSON, in its one form.
    pub(super) fn json(&self) -> JsonNumber {
        match &self.0 {
            Shape::Whole(whole) => JsonNumber::from(*whole),
            // Text that is read back would get a plus into its exponent.
            Shape::Decimal(_) | Shape::Long(_) => {
                JsonNumber::from_string_unchecked(self.to_string())
            }
        }
    }

    /// The JSON number that is greater by a whole one, if it fits.
    #[must_use]
    pub fn greater_by(&self, by: i64) -> Option<JsonNumber> {
        self.computed(Arithmetic::Add, &Self::from(by)).ok().map(|number| number.json())
    }

    /// The whole number that it is, if it is one that fits.
    pub(super) fn whole(&self) -> Option<i64> {
        match &self.0 {
            Shape::Whole(whole) => Some(*whole),
            Shape::Decimal(_) | Shape::Long(_) => None,
        }
    }

    /// Whether nothing stands behind the point.
    pub(super) fn is_whole(&self) -> bool {
        match &self.0 {
            Shape::Whole(_) => true,
            Shape::Decimal(decimal) => decimal.is_whole(),
            Shape::Long(long) => long.exponent >= 0,
        }
    }

    /// What one operation makes of two numbers.
    ///
    /// # Errors
    /// When there is no such number: why, with both operands.
    pub(super) fn computed(&self, how: Arithmetic, other: &Self) -> Result<Self, String> {
        if let (Shape::Whole(left), Shape::Whole(right)) = (&self.0, &other.0)
            && let Some(quick) = how.of_whole(*left, *right)
        {
            return Ok(Self::from(quick));
        }
        let (left, right) = (self.decimal()?, other.decimal()?);
        let computed = match how {
            Arithmetic::Add => left.plus(right),
            Arithmetic::Subtract => left.plus(right.negated()),
            Arithmetic::Multiply => left.times(right),
            Arithmetic::Divide | Arithmetic::Remainder if *other == Self::from(0) => {
                return Err(format!("`{self} {} 0` divides by zero", how.sign()));
            }
            Arithmetic::Divide => left.over(right),
            Arithmetic::Remainder => Some(left.rest_of(right)),
        };
        computed.map(Self::from).ok_or_else(|| {
            format!("`{self} {} {other}` does not fit in {DIGITS_MAX} digits", how.sign())
        })
    }

    /// The number with the other sign.
    ///
    /// # Errors
    /// When it is too long to be computed with.
    pub(super) fn negated(&self) -> Result<Self, String> {
        match &self.0 {
            Shape::Whole(whole) if *whole != i64::MIN => Ok(Self::from(-whole)),
            Shape::Whole(_) | Shape::Decimal(_) | Shape::Long(_) => {
                Ok(Self::from(self.decimal()?.negated()))
            }
        }
    }

    /// The number without what stands behind its point.
    ///
    /// # Errors
    /// When it is too long to be computed with.
    pub(super) fn truncated(&self) -> Result<Self, String> {
        match &self.0 {
            Shape::Whole(_) => Ok(self.clone()),
            Shape::Decimal(_) | Shape::Long(_) => Ok(Self::from(self.decimal()?.truncated())),
        }
    }

    fn decimal(&self) -> Result<Decimal, String> {
        match &self.0 {
            Shape::Whole(whole) => {
                Ok(Decimal::new(i128::from(*whole), 0).expect("it has 19 digits at most"))
            }
            Shape::Decimal(decimal) => Ok(*decimal),
            Shape::Long(_) => Err(format!(
                "`{self}` has more than {DIGITS_MAX} digits or too large an exponent to compute \
                 with; it can be compared and passed on"
            )),
        }
    }

    /// Whether it is below zero, its digits, and the power of ten by which they are multiplied.
    #[must_use]
    pub fn parts(&self) -> (bool, String, i64) {
        match &self.0 {
            Shape::Whole(whole) => (*whole < 0, whole.unsigned_abs().to_string(), 0),
            Shape::Decimal(decimal) => decimal.parts(),
            Shape::Long(long) => (long.is_negative, long.digits.clone(), long.exponent),
        }
    }
}

/// An exponent that stands for any that is greater.
const FARTHEST: i64 = i64::MAX / 4;

/// The exponent that a text spells; one that fits nowhere is the farthest that does.
fn power(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(FARTHEST).min(FARTHEST);
    Some(if text.starts_with('-') { -size } else { size })
}

impl From<Decimal> for Number {
    fn from(decimal: Decimal) -> Self {
        Self(decimal.whole().map_or(Shape::Decimal(decimal), Shape::Whole))
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self(Shape::Whole(whole))
    }
}

impl Arithmetic {
    /// How authors write it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// What it makes of two whole numbers, if that is whole and fits.
    fn of_whole(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide if left.checked_rem(right)? == 0 => left.checked_div(right),
            Self::Divide => None,
            Self::Remainder => left.checked_rem(right),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Shape::Whole(left), Shape::Whole(right)) => left.cmp(right),
            (Shape::Long(_), _) | (_, Shape::Long(_)) => by_digits(&self.parts(), &other.parts()),
            (Shape::Whole(_) | Shape::Decimal(_), Shape::Whole(_) | Shape::Decimal(_)) => {
                let short = "only a long number is no decimal";
                self.decimal().expect(short).cmp(&other.decimal().expect(short))
            }
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two numbers by sign, size and digits.
fn by_digits(left: &(bool, String, i64), right: &(bool, String, i64)) -> Ordering {
    let sign = |(is_negative, digits, _): &(bool, String, i64)| match digits.as_str() {
        "0" => 0,
        _ if *is_negative => -1,
        _ => 1,
    };
    let signs = sign(left).cmp(&sign(right));
    if signs.is_ne() || sign(left) == 0 {
        return signs;
    }
    let point = |(_, digits, exponent): &(bool, String, i64)| {
        exponent.saturating_add(i64::try_from(digits.len()).unwrap_or(i64::MAX))
    };
    let digits = |(_, digits, _): &(bool, String, i64)| digits.trim_end_matches('0').to_owned();
    let size = point(left).cmp(&point(right)).then_with(|| digits(left).cmp(&digits(right)));
    if left.0 { size.reverse() } else { size }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Shape::Whole(whole) => whole.fmt(f),
            Shape::Decimal(decimal) => decimal.fmt(f),
            Shape::Long(long) => write(f, long.is_negative, &long.digits, long.exponent),
        }
    }
}
