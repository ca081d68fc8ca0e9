use super::{Condition, Demand, Measured, Question, Test};

/// The most ways in which a condition can hold that are looked at.
const WAYS_MAX: usize = 64;

/// Questions with the answers that they have if a condition holds in one way.
type Way<'c> = Vec<(&'c Question, bool)>;

impl Condition {
    /// Whether it surely does not hold where another one does, asked at one moment, as far as the
    /// questions tell that count.
    #[must_use]
    pub fn excludes(&self, other: &Self, counts: &dyn Fn(&Question) -> bool) -> bool {
        let (Some(own), Some(others)) = (self.ways(true), other.ways(true)) else {
            return false;
        };
        own.iter().all(|own| {
            others.iter().all(|other| {
                let both = own.iter().chain(other).copied();
                contradicts_itself(&both.filter(|(question, _)| counts(question)).collect())
            })
        })
    }

    /// Whether, in whichever way it holds, one of its questions has an answer of this sort.
    #[must_use]
    pub fn holds_only_by(&self, sort: &dyn Fn(&Question, bool) -> bool) -> bool {
        let is_such = |way: &Way<'_>| way.iter().any(|(question, holds)| sort(question, *holds));
        self.ways(true).is_some_and(|ways| ways.iter().all(is_such))
    }

    /// Every way in which it holds, or does not; none if there are too many.
    fn ways(&self, holds: bool) -> Option<Vec<Way<'_>>> {
        match self {
            Self::Literal(value) => {
                Some(if *value == holds { vec![Vec::new()] } else { Vec::new() })
            }
            Self::Question(question) => Some(vec![vec![(question.as_ref(), holds)]]),
            Self::Not(inner) => inner.ways(!holds),
            Self::And(sides) | Self::Or(sides) => {
                let is_both = matches!(self, Self::And(_)) == holds;
                let (left, right) = (sides[0].ways(holds)?, sides[1].ways(holds)?);
                if is_both { both(&left, &right) } else { either(left, right) }
            }
            Self::Choice(parts) => {
                let [asked, yes, no] = parts.as_ref();
                let yes = both(&asked.ways(true)?, &yes.ways(holds)?)?;
                either(yes, both(&asked.ways(false)?, &no.ways(holds)?)?)
            }
        }
    }
}

fn either<'c>(mut one: Vec<Way<'c>>, other: Vec<Way<'c>>) -> Option<Vec<Way<'c>>> {
    one.extend(other);
    (one.len() <= WAYS_MAX).then_some(one)
}

fn both<'c>(one: &[Way<'c>], other: &[Way<'c>]) -> Option<Vec<Way<'c>>> {
    let mut found = Vec::new();
    for one in one {
        for other in other {
            found.push([&one[..], &other[..]].concat());
        }
    }
    (found.len() <= WAYS_MAX).then_some(found)
}

/// Whether these answers cannot be given together.
fn contradicts_itself(way: &Way<'_>) -> bool {
    way.iter().enumerate().any(|(place, (question, holds))| {
        let others = way[place + 1..].iter();
        let is_denied = |(other, answer): &(&Question, bool)| {
            other.subject == question.subject
                && (answer != holds) == (other.is_contrary == question.is_contrary)
        };
        others.clone().any(is_denied)
            || question.demand.as_ref().is_some_and(|demand| has_no_value(demand, way))
            || (!holds && way.iter().any(|(other, _)| needs(other, question)))
    })
}

/// Whether no value answers all that a way demands of it.
fn has_no_value(demand: &Demand, way: &Way<'_>) -> bool {
    let Demand { of, .. } = demand;
    let all: Vec<(&Test, bool)> = way.iter().filter_map(|answer| tested(of, answer)).collect();
    !Demand::can_be(of, &all)
}

/// What an answer says of a value, if it is about that one.
fn tested<'c>(of: &Measured, (question, holds): &(&'c Question, bool)) -> Option<(&'c Test, bool)> {
    let demand = question.demand.as_ref().filter(|demand| demand.of == *of)?;
    Some((&demand.test, *holds))
}

/// Whether a question has an answer only where the path is there that another asks for.
fn needs(question: &Question, asking: &Question) -> bool {
    let [asked] = &asking.references[..] else { return false };
    let reads = |reference: &super::Reference| {
        !reference.guarded
            && reference.name == asked.name
            && reference.fields.starts_with(&asked.fields)
            && (!reference.tested || reference.fields.len() > asked.fields.len())
    };
    asked.tested && asking.is_only_asked && question.references.iter().any(reads)
}
