use std::collections::BTreeMap;

use super::computed::{Computed, Entry, Kind};
use super::node::{Loop, Node, Round};
use super::{Name, Scope, moment};

/// Why a part of an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absence {
    /// A path leads nowhere.
    Missing(String),
    /// It cannot be computed: why.
    Refused(String),
}

/// What stands around a part that is computed.
pub(super) struct Surroundings<'s, 'v> {
    scope: &'s Scope<'v>,
    /// The elements that the loops around are at, the outermost first.
    elements: Vec<Computed<'v>>,
}

type Outcome<'v> = Result<Computed<'v>, Absence>;

impl Node {
    /// Its value in a scope.
    ///
    /// # Errors
    /// When something that it reads is missing, or it cannot be computed.
    pub fn value<'v>(&'v self, scope: &Scope<'v>) -> Outcome<'v> {
        self.within(&mut Surroundings { scope, elements: Vec::new() })
    }

    fn within<'v>(&'v self, around: &mut Surroundings<'_, 'v>) -> Outcome<'v> {
        match self {
            Self::Literal(value) => Ok(value.borrowed()),
            Self::Name(Name::Now) => {
                moment::now(around.scope.now()).map(Computed::Moment).map_err(Absence::Refused)
            }
            Self::Name(name) => {
                let value = around.scope.value(*name).map(Computed::Given);
                value.ok_or_else(|| self.missing())
            }
            Self::Element(place, _) => Ok(around.elements[*place].clone()),
            Self::Field(of, field) => of.within(around)?.field(field).ok_or_else(|| self.missing()),
            Self::Has(of, field) => Ok(Computed::Bool(of.within(around)?.field(field).is_some())),
            Self::Index(parts) => self.indexed(&parts[0], &parts[1], around),
            Self::Not(inner) => match inner.within(around)? {
                value if value.kind() == Kind::Bool => {
                    Ok(Computed::Bool(value.bool() != Some(true)))
                }
                value => refused(format!("`!` cannot be applied to {}", value.words())),
            },
            Self::Negated(inner) => {
                let value = inner.within(around)?;
                let Some(number) = value.number() else {
                    return refused(format!("`-` cannot be applied to {}", value.words()));
                };
                number.negated().map(Computed::Number).map_err(Absence::Refused)
            }
            Self::And(sides) => absorbing("&&", false, sides, around),
            Self::Or(sides) => absorbing("||", true, sides, around),
            Self::Choice(parts) => {
                let [asked, yes, no] = parts.as_ref();
                let asked = asked.within(around)?;
                match asked.bool() {
                    Some(true) => yes.within(around),
                    Some(false) => no.within(around),
                    None => refused(format!("what stands before `?` is {}", asked.words())),
                }
            }
            Self::Binary(operator, sides) => {
                let (left, right) = (sides[0].within(around)?, sides[1].within(around)?);
                operator.of(&left, &right).map_err(Absence::Refused)
            }
            Self::Call(function, values) => {
                let values = values.iter().map(|value| value.within(around));
                function.of(values.collect::<Result<_, _>>()?).map_err(Absence::Refused)
            }
            Self::Matches(text, pattern) => {
                let text = text.within(around)?;
                let Some(text) = text.str() else {
                    let what = text.words();
                    return refused(format!("`matches` cannot make anything of {what}"));
                };
                Ok(Computed::Bool(pattern.is_match(text)))
            }
            Self::List(items) => {
                let items = items.iter().map(|item| item.within(around));
                items.collect::<Result<_, _>>().map(Computed::List)
            }
            Self::Object(entries) => object(entries, around),
            Self::Loop(inner) => inner.within(around),
        }
    }

    fn indexed<'v>(
        &self,
        of: &'v Self,
        index: &'v Self,
        around: &mut Surroundings<'_, 'v>,
    ) -> Outcome<'v> {
        let (of, index) = (of.within(around)?, index.within(around)?);
        if let (Some(items), Some(number)) = (of.items(), index.number()) {
            let place = number.whole().and_then(|whole| usize::try_from(whole).ok());
            let Some(place) = place else {
                return refused(format!("a list has no element `{number}`"));
            };
            let short = || Absence::Refused("the list is shorter than that".to_owned());
            return items.get(place).ok_or_else(short);
        }
        if let (Some(_), Some(name)) = (of.entries(), index.as_entry()) {
            return of.entry(&name).ok_or_else(|| self.missing());
        }
        let (of, index) = (of.words(), index.words());
        refused(format!("`[ ]` cannot be applied to {of} and {index}"))
    }

    /// That it leads nowhere.
    fn missing(&self) -> Absence {
        Absence::Missing(self.path())
    }

    /// How a path is written, as far as it is one.
    fn path(&self) -> String {
        match self {
            Self::Name(name) => name.text().to_owned(),
            Self::Element(_, name) => name.clone(),
            Self::Field(of, field) => match of.path() {
                path if path.is_empty() => field.clone(),
                path => format!("{path}.{field}"),
            },
            Self::Index(parts) => match &parts[1] {
                Self::Literal(Computed::Text(field)) => format!("{}.{field}", parts[0].path()),
                Self::Literal(Computed::Number(place)) => format!("{}[{place}]", parts[0].path()),
                _ => format!("{}[…]", parts[0].path()),
            },
            Self::Literal(_)
            | Self::Has(..)
            | Self::Not(_)
            | Self::Negated(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::Choice(_)
            | Self::Binary(..)
            | Self::Call(..)
            | Self::Matches(..)
            | Self::List(_)
            | Self::Object(_)
            | Self::Loop(_) => String::new(),
        }
    }
}

fn refused<T>(why: String) -> Result<T, Absence> {
    Err(Absence::Refused(why))
}

/// Two conditions, one of which decides alone if it is `deciding`: it does not matter then that the
/// other cannot be computed.
fn absorbing<'v>(
    sign: &str,
    deciding: bool,
    sides: &'v [Node; 2],
    around: &mut Surroundings<'_, 'v>,
) -> Outcome<'v> {
    let left = condition(sign, &sides[0], around);
    if left == Ok(deciding) {
        return Ok(Computed::Bool(deciding));
    }
    let right = condition(sign, &sides[1], around)?;
    match left {
        Err(absence) if right != deciding => Err(absence),
        Ok(_) | Err(_) => Ok(Computed::Bool(right)),
    }
}

fn condition<'v>(
    sign: &str,
    node: &'v Node,
    around: &mut Surroundings<'_, 'v>,
) -> Result<bool, Absence> {
    let value = node.within(around)?;
    value
        .bool()
        .ok_or_else(|| Absence::Refused(format!("`{sign}` cannot be applied to {}", value.words())))
}

fn object<'v>(entries: &'v [(Node, Node)], around: &mut Surroundings<'_, 'v>) -> Outcome<'v> {
    let mut made = BTreeMap::new();
    for (name, value) in entries {
        let name = name.within(around)?;
        let Some(name) = name.as_entry() else {
            return refused(format!("{} cannot name a field", name.words()));
        };
        if made.insert(name, value.within(around)?).is_some() {
            return refused("a map has the same key twice".to_owned());
        }
    }
    Ok(Computed::Object(made))
}

impl Loop {
    fn within<'v>(&'v self, around: &mut Surroundings<'_, 'v>) -> Outcome<'v> {
        let over = self.over.within(around)?;
        let elements: Vec<Computed<'v>> = match (over.items(), over.names()) {
            (Some(items), _) => items.iter().collect(),
            (None, Some(names)) => names.into_iter().map(Entry::value).collect(),
            (None, None) => {
                return refused(format!("it loops over {}, not a list", over.words()));
            }
        };
        match &self.what {
            Round::All(holds) => decided("all", false, holds, elements, around),
            Round::Exists(holds) => decided("exists", true, holds, elements, around),
            Round::ExistsOne(holds) => {
                let mut found = 0;
                for element in elements {
                    let holds = around.at(element, |around| condition("exists_one", holds, around));
                    found += usize::from(holds?);
                }
                Ok(Computed::Bool(found == 1))
            }
            Round::Collect { only, value } => {
                let mut made = Vec::with_capacity(elements.len());
                for element in elements {
                    made.extend(
                        around.at(element, |around| collected(only.as_ref(), value, around))?,
                    );
                }
                Ok(Computed::List(made))
            }
        }
    }
}

/// Whether a condition is `deciding` for one element: then it does not matter that it cannot be
/// computed for another.
fn decided<'v>(
    word: &str,
    deciding: bool,
    holds: &'v Node,
    elements: Vec<Computed<'v>>,
    around: &mut Surroundings<'_, 'v>,
) -> Outcome<'v> {
    let mut absence = None;
    for element in elements {
        match around.at(element, |around| condition(word, holds, around)) {
            Ok(held) if held == deciding => return Ok(Computed::Bool(deciding)),
            Ok(_) => {}
            Err(why) => absence = Some(why),
        }
    }
    absence.map_or(Ok(Computed::Bool(!deciding)), Err)
}

fn collected<'v>(
    only: Option<&'v Node>,
    value: &'v Node,
    around: &mut Surroundings<'_, 'v>,
) -> Result<Option<Computed<'v>>, Absence> {
    if let Some(only) = only
        && !condition("filter", only, around)?
    {
        return Ok(None);
    }
    value.within(around).map(Some)
}

impl<'v> Surroundings<'_, 'v> {
    /// Computes something for one element of a loop.
    fn at<T>(&mut self, element: Computed<'v>, compute: impl FnOnce(&mut Self) -> T) -> T {
        self.elements.push(element);
        let computed = compute(self);
        self.elements.pop();
        computed
    }
}

impl Computed<'static> {
    /// The same value without a copy of its text.
    fn borrowed(&self) -> Computed<'_> {
        match self {
            Self::Text(text) => Computed::text(text.as_ref()),
            Self::Bytes(bytes) => Computed::Bytes(bytes.as_ref().into()),
            Self::Given(_)
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::List(_)
            | Self::Object(_)
            | Self::Moment(_)
            | Self::Duration(_)
            | Self::Type(_) => self.clone(),
        }
    }
}
