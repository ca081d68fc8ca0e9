use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators,
};

use super::compiled::Compiled;
use super::condition::{field, literal};
use super::function::Function;
use super::logic::{Logic, call};
use super::places::Places;
use super::signature::Unfit;
use super::{Kinds, Reference, Scope, print};
use crate::message::Timestamp;

/// Of which kinds what a path leads to may be.
pub type KindsOf<'f> = dyn Fn(&Reference) -> Kinds + 'f;

/// Something in an expression that can never be computed, or never come out in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong, in words.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// Whether it has a value all the same, but always the same one.
    pub is_computed: bool,
}

/// The kinds of a tree's value, and what in it can never be computed.
pub(super) fn of(tree: &IdedExpr, of: &KindsOf<'_>) -> (Kinds, Vec<Misfit>) {
    let mut look = Look { of, bound: Vec::new(), found: Vec::new() };
    let kinds = look.node(tree);
    (kinds, look.found)
}

/// The same of a plain path.
pub(super) fn of_path(path: &Reference, of: &KindsOf<'_>) -> (Kinds, Vec<Misfit>) {
    let mut look = Look { of, bound: Vec::new(), found: Vec::new() };
    let kinds = look.path(path);
    (kinds, look.found)
}

struct Look<'f> {
    of: &'f KindsOf<'f>,
    /// The names that loops around give to their elements, and of what kinds these are.
    bound: Vec<(String, Kinds)>,
    found: Vec<Misfit>,
}

impl Look<'_> {
    fn tell(&mut self, message: String, help: impl Into<String>) {
        self.note(Misfit { message, help: help.into(), is_computed: false });
    }

    fn note(&mut self, misfit: Misfit) {
        if !self.found.contains(&misfit) {
            self.found.push(misfit);
        }
    }

    fn node(&mut self, node: &IdedExpr) -> Kinds {
        if let Some(path) = field(node)
            && !self.is_bound(path.name.text())
        {
            return self.path(&path);
        }
        match Logic::of(node) {
            Logic::Literal(_) => Kinds::BOOL,
            Logic::Same(inner) | Logic::Not(inner) => self.condition(inner),
            Logic::And(left, right) | Logic::Or(left, right) => {
                self.condition(left);
                self.condition(right)
            }
            Logic::Choice(asked, yes, no) => {
                self.condition(asked);
                self.node(yes).or(self.node(no))
            }
            Logic::Value => self.value(node),
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.bound.iter().any(|(bound, _)| bound == name)
    }

    /// A part that must be true or false.
    fn condition(&mut self, node: &IdedExpr) -> Kinds {
        let kinds = self.node(node);
        if !kinds.is_none() && !kinds.meets(Kinds::BOOL) {
            let text = print::text(node);
            let message = format!("`{text}` is {kinds}, not true or false");
            self.tell(message, format!("compare it, such as `{text} {}`", compared(kinds)));
        }
        Kinds::BOOL
    }

    fn path(&mut self, path: &Reference) -> Kinds {
        for length in 1..path.fields.len() {
            let outer = Reference { fields: path.fields[..length].to_vec(), ..path.clone() };
            let kinds = (self.of)(&outer);
            if !kinds.is_none() && !kinds.meets(Kinds::OBJECT) {
                let field = &path.fields[length];
                let message = format!("`{outer}` is {kinds}, so it has no `{field}`");
                self.tell(message, format!("read `{outer}` itself, or set it to an object"));
                return Kinds::JSON;
            }
        }
        (self.of)(path)
    }

    fn value(&mut self, node: &IdedExpr) -> Kinds {
        match &node.expr {
            Expr::Literal(LiteralValue::Bytes(_)) => Kinds::BYTES,
            Expr::Literal(_) => literal(node).map_or(Kinds::ANY, |value| Kinds::of(&value)),
            Expr::Ident(name) => {
                let bound = self.bound.iter().rev().find(|(bound, _)| bound == name);
                bound.map_or(Kinds::TYPE, |(_, kinds)| *kinds)
            }
            Expr::Select(select) => {
                let kinds = self.node(&select.operand);
                if select.test {
                    return Kinds::BOOL;
                }
                if !kinds.is_none() && !kinds.meets(Kinds::OBJECT) {
                    let (text, field) = (print::text(&select.operand), &select.field);
                    let message = format!("`{text}` is {kinds}, so it has no `{field}`");
                    self.tell(message, "read a field of an object");
                }
                Kinds::JSON
            }
            Expr::Call(call) => self.call(node, call),
            Expr::List(list) => {
                let all = list.elements.iter().map(|element| self.node(element));
                all.fold(Kinds::NONE, Kinds::or).listed()
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.node(&entry.key);
                        self.node(&entry.value);
                    }
                }
                Kinds::OBJECT
            }
            Expr::Comprehension(inner) => self.comprehension(inner),
            Expr::Unspecified | Expr::Struct(_) => Kinds::ANY,
        }
    }

    fn comprehension(&mut self, inner: &ComprehensionExpr) -> Kinds {
        let range = self.node(&inner.iter_range);
        let walked = Kinds::LIST.or(Kinds::OBJECT);
        if !range.is_none() && !range.meets(walked) {
            let text = print::text(&inner.iter_range);
            let message = format!("`{text}` is {range}, not a list");
            self.tell(message, "go over a list, such as `data.lines.map(line, line.sku)`");
        }
        let begun = self.node(&inner.accu_init);
        let element = if range.meets(Kinds::OBJECT) { Kinds::JSON } else { range.elements() };
        let before = self.bound.len();
        self.bound.push((inner.iter_var.clone(), element));
        self.bound.extend(inner.iter_var2.clone().map(|name| (name, Kinds::JSON)));
        // What a loop that makes a list has gathered is known behind its first round.
        self.bound.push((inner.accu_var.clone(), begun));
        let gathered = begun.or(self.node(&inner.loop_step));
        self.bound.pop();
        self.bound.push((inner.accu_var.clone(), gathered));
        let made = self.node(&inner.result);
        self.bound.truncate(before);
        made
    }

    fn call(&mut self, node: &IdedExpr, applied: &CallExpr) -> Kinds {
        let operands: Vec<Kinds> = applied.args.iter().map(|part| self.node(part)).collect();
        if let Some(target) = &applied.target {
            let on = self.node(target);
            let given = [&[on], &operands[..]].concat();
            return self.function(node, &applied.func_name, true, &given);
        }
        let name = applied.func_name.as_str();
        match (name, &operands[..]) {
            (operators::INDEX, [of, at]) => self.index(&applied.args, *of, *at),
            (operators::NEGATE, [of]) => {
                if !of.is_none() && !of.meets(Kinds::NUMBER) {
                    let message = format!("`-` cannot take {of}");
                    self.tell(message, "only a number has a negative");
                }
                Kinds::NUMBER
            }
            (_, [left, right]) if print::binary(name).is_some() => {
                let operator = print::binary(name).unwrap_or_default();
                self.operator(operator, *left, *right)
            }
            _ => self.function(node, name, false, &operands),
        }
    }

    fn index(&mut self, parts: &[IdedExpr], of: Kinds, at: Kinds) -> Kinds {
        let is_known = !of.is_none() && !at.is_none();
        let in_list = of.meets(Kinds::LIST) && at.meets(Kinds::NUMBER);
        let in_object = of.meets(Kinds::OBJECT) && at.meets(Kinds::TEXT);
        if is_known && !in_list && !in_object {
            let text = print::text(&parts[0]);
            let message = format!("`{text}` is {of}, and `[ ]` asks it for {at}");
            self.tell(message, "ask a list for a number, counted from 0, and an object for text");
        }
        if of.meets(Kinds::OBJECT) { Kinds::JSON } else { of.elements() }
    }

    fn operator(&mut self, operator: &str, left: Kinds, right: Kinds) -> Kinds {
        if left.is_none() || right.is_none() {
            return if is_comparison(operator) { Kinds::BOOL } else { Kinds::NONE };
        }
        match operator {
            "==" | "!=" => {
                if !left.meets(right) {
                    let message = format!("{left} is never the same as {right}");
                    self.note(Misfit { message, help: mend(left, right), is_computed: true });
                }
                Kinds::BOOL
            }
            "in" => {
                if !right.meets(Kinds::LIST.or(Kinds::OBJECT)) {
                    let message = format!("nothing is `in` {right}");
                    self.tell(message, "ask a list, or for a part of a text by `contains(…)`");
                }
                Kinds::BOOL
            }
            _ => {
                let fits = taken(operator)
                    .into_iter()
                    .filter(|(one, other, _)| left.meets(*one) && right.meets(*other));
                let mut made = fits.map(|(.., made)| made).fold(Kinds::NONE, Kinds::or);
                if made.is_none() {
                    let message = format!("`{operator}` cannot take {left} and {right}");
                    self.tell(message, mend(left, right));
                    made = Kinds::ANY;
                }
                if made.meets(Kinds::LIST) && made == Kinds::LIST {
                    made = left.elements().or(right.elements()).listed();
                }
                made
            }
        }
    }

    fn function(&mut self, node: &IdedExpr, name: &str, is_on: bool, given: &[Kinds]) -> Kinds {
        // How it is called was looked at when the expression was parsed.
        let arguments = given.len() - usize::from(is_on);
        let Some(Ok(function)) = Function::called(name, is_on, arguments) else {
            return Kinds::ANY;
        };
        match function.made_of(given) {
            Ok(made) => {
                self.constant(node, name);
                made
            }
            Err(Unfit { given, takes }) => {
                self.tell(format!("`{name}` cannot take {given}"), format!("give it {takes}"));
                Kinds::ANY
            }
        }
    }

    /// A function of literals is computed here and now.
    fn constant(&mut self, node: &IdedExpr, name: &str) {
        let Some((_, arguments)) = call(node) else { return };
        if arguments.iter().any(|argument| literal(argument).is_none()) {
            return;
        }
        let (text, now) = (print::text(node), Scope::at(Timestamp(0)));
        let compiled = Compiled::new(node, &Places::unknown());
        if compiled.is_ok_and(|compiled| compiled.evaluate(&text, &now).is_ok()) {
            return;
        }
        let help = format!("write what `{name}` can read");
        self.tell(format!("`{text}` has no value"), help);
    }
}

fn is_comparison(operator: &str) -> bool {
    matches!(operator, "==" | "!=" | "<" | "<=" | ">" | ">=" | "in")
}

/// What an operator takes on its left and on its right, and makes.
fn taken(operator: &str) -> Vec<(Kinds, Kinds, Kinds)> {
    let same = |kinds: &[Kinds]| kinds.iter().map(|kind| (*kind, *kind, *kind)).collect::<Vec<_>>();
    let (number, moment, duration) = (Kinds::NUMBER, Kinds::MOMENT, Kinds::DURATION);
    match operator {
        "+" => {
            let mut taken = same(&[number, Kinds::TEXT, Kinds::LIST, Kinds::BYTES, duration]);
            taken.extend([(moment, duration, moment), (duration, moment, moment)]);
            taken
        }
        "-" => {
            let mut taken = same(&[number, duration]);
            taken.extend([(moment, moment, duration), (moment, duration, moment)]);
            taken
        }
        "*" | "/" | "%" => same(&[number]),
        _ => {
            let all = [number, Kinds::TEXT, Kinds::BOOL, Kinds::BYTES, moment, duration];
            all.into_iter().map(|kind| (kind, kind, Kinds::BOOL)).collect()
        }
    }
}

/// How to make two values meet that do not.
fn mend(left: Kinds, right: Kinds) -> String {
    let either = |kind: Kinds| left.meets(kind) || right.meets(kind);
    let has_moment = left == Kinds::MOMENT || right == Kinds::MOMENT;
    if has_moment && (left == Kinds::NUMBER || right == Kinds::NUMBER) {
        return "write the number as a duration, such as `duration(\"1h\")`".to_owned();
    }
    if has_moment {
        return "JSON has no moments: make one of its text by `timestamp(…)`".to_owned();
    }
    if left == Kinds::DURATION || right == Kinds::DURATION {
        return "a duration is added to a moment: make one of text by `timestamp(…)`".to_owned();
    }
    if either(Kinds::TEXT) && either(Kinds::NUMBER) {
        return "make the number text by `string(…)`, or the text a number by `double(…)`"
            .to_owned();
    }
    let is_list = |kinds: Kinds| kinds.meets(Kinds::LIST) && !kinds.meets(Kinds::NUMBER);
    if (is_list(left) && right == Kinds::NUMBER) || (left == Kinds::NUMBER && is_list(right)) {
        return "ask how many elements it has by `size(…)`, or for one of them by `[0]`".to_owned();
    }
    "make both the same kind".to_owned()
}

/// What a value of these kinds could be compared with.
fn compared(kinds: Kinds) -> &'static str {
    if kinds.meets(Kinds::NUMBER) { "> 0" } else { "== …" }
}
