use super::Kinds;

/// What a function takes and makes.
pub(super) struct Function {
    called: Called,
    /// What its arguments may be, the one that it is called on included.
    takes: Vec<Kinds>,
    /// Whether the last of them may be left out.
    is_last_optional: bool,
    makes: Kinds,
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Called {
    /// As `int(x)`.
    Alone,
    /// As `x.contains(y)`.
    On,
    /// Either way.
    Either,
}

/// How a call does not fit its function.
pub(super) enum Unfit {
    /// It is called on something, or not on anything.
    Called(String),
    /// It has too few arguments, or too many.
    Count(String),
    /// An argument is of a kind that the function does not take: which, and what it takes.
    Kind(Kinds, Kinds),
}

impl Function {
    /// The function of a name; none if there is none.
    pub fn of(name: &str) -> Option<Self> {
        let (text, number) = (Kinds::TEXT, Kinds::NUMBER);
        let time = Kinds::MOMENT.or(Kinds::DURATION);
        let of_time = |takes: Kinds| Self {
            called: Called::On,
            takes: vec![takes, text],
            is_last_optional: true,
            makes: number,
        };
        let of_text = |called| Self {
            called,
            takes: vec![text, text],
            is_last_optional: false,
            makes: Kinds::BOOL,
        };
        let made = |called, takes: Kinds, makes| Self {
            called,
            takes: vec![takes],
            is_last_optional: false,
            makes,
        };
        let alone = |takes, makes| made(Called::Alone, takes, makes);
        let counted = text.or(Kinds::LIST).or(Kinds::OBJECT).or(Kinds::BYTES);
        let written = text.or(number).or(Kinds::BOOL).or(Kinds::BYTES).or(time);
        Some(match name {
            "bool" => alone(text.or(Kinds::BOOL), Kinds::BOOL),
            "bytes" => alone(text.or(Kinds::BYTES), Kinds::BYTES),
            "double" | "uint" => alone(text.or(number), number),
            "int" => alone(text.or(number).or(Kinds::MOMENT), number),
            "duration" => alone(text.or(Kinds::DURATION), Kinds::DURATION),
            "timestamp" => alone(text.or(number).or(Kinds::MOMENT), Kinds::MOMENT),
            "string" => alone(written, text),
            "dyn" => alone(Kinds::ANY, Kinds::ANY),
            "type" => alone(Kinds::ANY, Kinds::TYPE),
            "size" => made(Called::Either, counted, number),
            "matches" => of_text(Called::Either),
            "contains" | "startsWith" | "endsWith" => of_text(Called::On),
            "getHours" | "getMinutes" | "getSeconds" | "getMilliseconds" => of_time(time),
            "getDate" | "getDayOfMonth" | "getDayOfWeek" | "getDayOfYear" | "getFullYear"
            | "getMonth" => of_time(Kinds::MOMENT),
            _ => return None,
        })
    }

    /// What it makes of these arguments, the one that it is called on first.
    ///
    /// # Errors
    /// When it surely cannot make anything of them.
    pub fn makes(&self, name: &str, is_on: bool, given: &[Kinds]) -> Result<Kinds, Unfit> {
        match (self.called, is_on) {
            (Called::Alone, true) => return Err(Unfit::Called(format!("{name}(…)"))),
            (Called::On, false) => return Err(Unfit::Called(format!("….{name}(…)"))),
            (Called::Either, _) | (Called::Alone, false) | (Called::On, true) => {}
        }
        let least = self.takes.len() - usize::from(self.is_last_optional);
        if !(least..=self.takes.len()).contains(&given.len()) {
            let behind = least - usize::from(is_on);
            return Err(Unfit::Count(match behind {
                0 => "nothing".to_owned(),
                1 => "one argument".to_owned(),
                more => format!("{more} arguments"),
            }));
        }
        for (given, takes) in given.iter().zip(&self.takes) {
            if !given.is_none() && !given.meets(*takes) {
                return Err(Unfit::Kind(*given, *takes));
            }
        }
        Ok(self.makes)
    }
}
