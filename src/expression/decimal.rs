use std::cmp::Ordering;
use std::fmt;

/// The most digits of a number that is computed with.
pub(super) const DIGITS_MAX: usize = 28;

/// The greatest power of ten, and with a minus the least, that such a number is made with.
const EXPONENT_MAX: i32 = 1000;

/// The first coefficient that has too many digits.
const LIMIT: u128 = 10_u128.pow(28);

/// The digits that a division works out at a time: a remainder with so many zeros behind it fits.
const PACE: u32 = 9;

/// A decimal number of at most [`DIGITS_MAX`] digits: `coefficient` times ten to the `exponent`.
///
/// Every number has one form alone: its coefficient does not end in a zero. The arithmetic is our
/// own because it must never change: instances are folded to the same bytes by every version.
/// `rust_decimal` rounds products and small quotients without a word, and `dashu` has changed what
/// `%` means in a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    coefficient: i128,
    exponent: i32,
}

impl Decimal {
    const ZERO: Self = Self { coefficient: 0, exponent: 0 };

    /// The number of that value; none if it has too many digits or is too large or too small.
    pub fn new(mut coefficient: i128, mut exponent: i32) -> Option<Self> {
        if coefficient == 0 {
            return Some(Self::ZERO);
        }
        while coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        let fits = coefficient.unsigned_abs() < LIMIT && exponent.abs() <= EXPONENT_MAX;
        fits.then_some(Self { coefficient, exponent })
    }

    /// The whole number that it is, if it is one that fits.
    pub fn whole(self) -> Option<i64> {
        let power = u32::try_from(self.exponent).ok()?;
        let whole = self.coefficient.checked_mul(10_i128.checked_pow(power)?)?;
        i64::try_from(whole).ok()
    }

    /// Whether nothing stands behind the point.
    pub fn is_whole(self) -> bool {
        self.exponent >= 0
    }

    /// The digits behind the point are left out.
    pub fn truncated(self) -> Self {
        if self.is_whole() {
            return self;
        }
        let power = 10_i128.checked_pow(self.exponent.unsigned_abs());
        let whole = power.map_or(0, |power| self.coefficient / power);
        Self::new(whole, 0).expect("it has fewer digits than before")
    }

    pub fn negated(self) -> Self {
        Self { coefficient: -self.coefficient, ..self }
    }

    /// The exact sum, if it fits.
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.coefficient == 0 || other.coefficient == 0 {
            return Some(if self.coefficient == 0 { other } else { self });
        }
        let (high, low) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // What does not fit here does not fit at all: the last digit of the lower one stays.
        let raised = high.raised_by(high.exponent - low.exponent)?;
        Self::new(raised + low.coefficient, low.exponent)
    }

    /// The exact product, if it fits.
    pub fn times(self, other: Self) -> Option<Self> {
        let exponent = self.exponent + other.exponent;
        if let Some(product) = self.coefficient.checked_mul(other.coefficient) {
            return Self::new(product, exponent);
        }
        let (mut one, mut two, mut tens) = (self.coefficient, other.coefficient, 0);
        take_tens(&mut one, &mut two, &mut tens);
        take_tens(&mut two, &mut one, &mut tens);
        Self::new(one.checked_mul(two)?, exponent + tens)
    }

    /// The quotient, rounded half to even at the last of its digits; the divisor is not zero.
    pub fn over(self, divisor: Self) -> Option<Self> {
        let by = divisor.coefficient.unsigned_abs();
        let mut quotient = self.coefficient.unsigned_abs() / by;
        let mut rest = self.coefficient.unsigned_abs() % by;
        let mut exponent = self.exponent - divisor.exponent;
        while rest != 0 && quotient < LIMIT / 10 {
            let has_room = quotient < LIMIT / 10_u128.pow(PACE + 1);
            let pace = if has_room { PACE } else { 1 };
            let scaled = rest * 10_u128.pow(pace);
            quotient = quotient * 10_u128.pow(pace) + scaled / by;
            rest = scaled % by;
            exponent -= i32::try_from(pace).expect("it is a small number");
        }
        let is_up = match (rest * 2).cmp(&by) {
            Ordering::Less => false,
            Ordering::Equal => quotient % 2 == 1,
            Ordering::Greater => true,
        };
        let rounded = i128::try_from(quotient + u128::from(is_up)).expect("it has 28 digits");
        let is_negative = (self.coefficient < 0) != (divisor.coefficient < 0);
        Self::new(if is_negative { -rounded } else { rounded }, exponent)
    }

    /// What a division to a whole number leaves, with the sign of the dividend; the divisor is not
    /// zero. It always fits.
    pub fn rest_of(self, divisor: Self) -> Self {
        let shift = self.exponent - divisor.exponent;
        if shift < 0 {
            // A divisor that does not fit when it is written out is the greater of the two.
            return match divisor.raised_by(-shift) {
                Some(by) => Self::new(self.coefficient % by, self.exponent).unwrap_or(Self::ZERO),
                None => self,
            };
        }
        let by = divisor.coefficient.unsigned_abs();
        let mut rest = self.coefficient.unsigned_abs() % by;
        let mut left = shift.unsigned_abs();
        while left > 0 {
            let pace = left.min(PACE);
            rest = rest * 10_u128.pow(pace) % by;
            left -= pace;
        }
        let rest = i128::try_from(rest).expect("it is less than the divisor");
        let rest = if self.coefficient < 0 { -rest } else { rest };
        Self::new(rest, divisor.exponent).unwrap_or(Self::ZERO)
    }

    /// Its coefficient with so many zeros behind it, if that fits.
    fn raised_by(self, zeros: i32) -> Option<i128> {
        self.coefficient.checked_mul(10_i128.checked_pow(zeros.unsigned_abs())?)
    }

    /// Its sign, digits and exponent.
    pub fn parts(self) -> (bool, String, i64) {
        let digits = self.coefficient.unsigned_abs().to_string();
        (self.coefficient < 0, digits, i64::from(self.exponent))
    }
}

/// Takes a ten out of two factors as long as the one is even and the other a multiple of five.
fn take_tens(even: &mut i128, five: &mut i128, tens: &mut i32) {
    while *even % 2 == 0 && *five % 5 == 0 {
        *even /= 2;
        *five /= 5;
        *tens += 1;
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.coefficient.signum().cmp(&other.coefficient.signum());
        if signs.is_ne() || self.coefficient == 0 {
            return signs;
        }
        let is_higher = self.exponent >= other.exponent;
        let (high, low) = if is_higher { (self, other) } else { (other, self) };
        // A coefficient that does not fit when it is written out is the greater one.
        let size = match high.raised_by(high.exponent - low.exponent) {
            Some(raised) => raised.cmp(&low.coefficient),
            None => high.coefficient.cmp(&0),
        };
        if is_higher { size } else { size.reverse() }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (is_negative, digits, exponent) = self.parts();
        write(f, is_negative, &digits, exponent)
    }
}

/// The most zeros that are written in front of or behind a number's digits.
const ZEROS_MAX: usize = 40;

/// Writes a number as JSON can read it: with an exponent only where there would be a great many
/// zeros.
pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    is_negative: bool,
    digits: &str,
    exponent: i64,
) -> fmt::Result {
    f.write_str(if is_negative { "-" } else { "" })?;
    let places = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
    match places.checked_sub(digits.len()) {
        _ if exponent >= 0 && places <= ZEROS_MAX => write!(f, "{digits}{:0<places$}", ""),
        None if exponent < 0 => {
            let (whole, fraction) = digits.split_at(digits.len() - places);
            let whole = if whole.is_empty() { "0" } else { whole };
            write!(f, "{whole}.{fraction}")
        }
        Some(zeros) if exponent < 0 && zeros <= ZEROS_MAX => {
            write!(f, "0.{:0<zeros$}{digits}", "")
        }
        None | Some(_) => {
            let (first, others) = digits.split_at(1);
            let point = if others.is_empty() { "" } else { "." };
            let behind = i64::try_from(others.len()).unwrap_or(i64::MAX);
            write!(f, "{first}{point}{others}e{}", exponent.saturating_add(behind))
        }
    }
}
