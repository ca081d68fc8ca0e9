use super::Kinds;
use super::function::Function;
use super::moment::Part;

/// Which kinds a function takes, the value that it is called on first, and which it makes.
struct Signature {
    first: Kinds,
    second: Kinds,
    makes: Kinds,
}

/// A value of a kind that the function does not take there.
pub(super) struct Unfit {
    pub given: Kinds,
    pub takes: Kinds,
}

impl Function {
    fn signature(self) -> Signature {
        let (text, number) = (Kinds::TEXT, Kinds::NUMBER);
        let time = Kinds::MOMENT.or(Kinds::DURATION);
        let (first, makes) = match self {
            Self::Bool => (text.or(Kinds::BOOL), Kinds::BOOL),
            Self::Bytes => (text.or(Kinds::BYTES), Kinds::BYTES),
            Self::Double | Self::Uint => (text.or(number), number),
            Self::Int => (text.or(number).or(Kinds::MOMENT), number),
            Self::Duration => (text.or(Kinds::DURATION), Kinds::DURATION),
            Self::Timestamp => (text.or(number).or(Kinds::MOMENT), Kinds::MOMENT),
            Self::String => (text.or(number).or(Kinds::BOOL).or(Kinds::BYTES).or(time), text),
            Self::Dyn => (Kinds::ANY, Kinds::ANY),
            Self::Type => (Kinds::ANY, Kinds::TYPE),
            Self::Size => (text.or(Kinds::LIST).or(Kinds::OBJECT).or(Kinds::BYTES), number),
            Self::Matches | Self::Contains | Self::StartsWith | Self::EndsWith => {
                (text, Kinds::BOOL)
            }
            Self::Part(Part::Hours | Part::Minutes | Part::Seconds | Part::Milliseconds) => {
                (time, number)
            }
            Self::Part(
                Part::Date
                | Part::DayOfMonth
                | Part::DayOfWeek
                | Part::DayOfYear
                | Part::FullYear
                | Part::Month,
            ) => (Kinds::MOMENT, number),
        };
        Signature { first, second: text, makes }
    }

    /// What it makes of values of these kinds, the one that it is called on first.
    ///
    /// # Errors
    /// When it surely can make nothing of them.
    pub fn made_of(self, given: &[Kinds]) -> Result<Kinds, Unfit> {
        let Signature { first, second, makes } = self.signature();
        for (given, takes) in given.iter().copied().zip([first, second]) {
            if !given.is_none() && !given.meets(takes) {
                return Err(Unfit { given, takes });
            }
        }
        // What is written as it is stays of its kind.
        Ok(if self == Self::Dyn { given[0] } else { makes })
    }
}
