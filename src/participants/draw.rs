use serde_json::{Number, Value};

use super::{Delay, Field, Share};
use crate::message::Span;

const DRAWS_MAX: usize = 8;

/// A few numbers that depend on nothing but a seed, a purpose and a text.
pub(super) struct Draws {
    bytes: [u8; DRAWS_MAX * 8],
    used: usize,
}

impl Draws {
    pub fn new(seed: u64, purpose: &str, text: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        hasher.update(&[0]);
        hasher.update(text.as_bytes());
        let mut bytes = [0; DRAWS_MAX * 8];
        hasher.finalize_xof().fill(&mut bytes);
        Self { bytes, used: 0 }
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        let start = self.used * 8;
        assert!(self.used < DRAWS_MAX, "a place draws a fixed number of times");
        self.used += 1;
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[start..start + 8]);
        u64::from_le_bytes(word)
    }

    /// A number below a bound that is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn happens(&mut self, share: Share) -> bool {
        self.below(u64::from(Share::ALL.0)) < u64::from(share.0)
    }

    pub fn delay(&mut self, delay: Delay) -> Span {
        let width = (delay.most.0 - delay.least.0).saturating_add(1);
        Span(delay.least.0 + self.below(width))
    }

    /// One of some weights, of which at least one is not 0.
    pub fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total: u64 = weights.clone().map(u64::from).sum();
        let mut left = self.below(total.max(1));
        for (place, weight) in weights.enumerate() {
            match left.checked_sub(u64::from(weight)) {
                Some(rest) => left = rest,
                None => return place,
            }
        }
        0
    }
}

/// The first 16 bytes of a hash, for maps that need not keep the text.
pub(super) fn digest(text: &str) -> u128 {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    u128::from_le_bytes(short)
}

/// A field's value: it depends on the seed, its name and the place alone.
pub(super) fn drawn(seed: u64, place: &str, name: &str, field: &Field) -> Value {
    let mut draws = Draws::new(seed, name, place);
    match field {
        Field::Choice(choices) => {
            let place = draws.weighted(choices.iter().map(|_| 1));
            choices[place].clone()
        }
        Field::Number { from, to, decimals } => {
            let unit = 10_u64.pow(*decimals);
            let width = from.abs_diff(*to).saturating_mul(unit).saturating_add(1);
            let above = draws.below(width);
            number(i128::from(*from) * i128::from(unit) + i128::from(above), *decimals)
        }
    }
}

/// A number of so many units behind the point, with every digit written.
fn number(units: i128, decimals: u32) -> Value {
    let sign = if units < 0 { "-" } else { "" };
    let unit = 10_u128.pow(decimals);
    let (whole, part) = (units.unsigned_abs() / unit, units.unsigned_abs() % unit);
    let text = match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part:0>width$}", width = decimals as usize),
    };
    let number: Number = text.parse().expect("these are a number's digits");
    Value::Number(number)
}
