use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::operators;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use super::computed::Kind;
use super::logic::{Field, Logic, set_where};
use super::places::{LEVELS_MAX, Places};
use super::{Name, ParseError, Reference, function};

/// The most loops (`map`, `filter`, `all`, …) that stand inside one another.
pub(super) const LOOPS_MAX: usize = 3;

/// Collects what an expression reads and refuses what has no meaning.
pub(super) struct Walk<'p> {
    places: &'p Places<'p>,
    bound: Vec<String>,
    loops: usize,
    level: usize,
    /// What is known to be set where the walk stands.
    set: BTreeSet<Field>,
    /// What is read, and whether it is known to be set wherever it is.
    found: BTreeMap<Read, bool>,
}

/// A name, the fields behind it, and whether they are only asked for.
type Read = (Name, Vec<String>, bool);

impl<'p> Walk<'p> {
    /// What a tree reads, without repetition.
    pub fn over(tree: &IdedExpr, places: &'p Places<'p>) -> Result<Vec<Reference>, ParseError> {
        let (set, found) = (BTreeSet::new(), BTreeMap::new());
        let mut walk = Self { places, bound: Vec::new(), loops: 0, level: 0, set, found };
        walk.expression(tree)?;
        let references = walk
            .found
            .into_iter()
            .map(|((name, fields, tested), guarded)| Reference { name, fields, tested, guarded });
        Ok(references.collect())
    }

    fn refuse(&self, node: &IdedExpr, message: impl Into<String>) -> ParseError {
        ParseError { message: message.into(), at: self.places.of(node.id) }
    }

    fn expression(&mut self, node: &IdedExpr) -> Result<(), ParseError> {
        if let Some((name, fields, tested)) = path(node)
            && !self.bound.iter().any(|bound| bound == name)
        {
            return self.read(node, name, fields, tested);
        }
        self.level += 1;
        if self.level > LEVELS_MAX {
            let message = format!("it nests deeper than {LEVELS_MAX} levels");
            return Err(self.refuse(node, message));
        }
        match &node.expr {
            Expr::Unspecified => return Err(self.refuse(node, "something is missing here")),
            Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Select(select) => self.expression(&select.operand)?,
            Expr::Call(call) => self.call(node, call)?,
            Expr::Comprehension(inner) => self.comprehension(node, inner)?,
            Expr::List(list) => list.elements.iter().try_for_each(|e| self.expression(e))?,
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.expression(&entry.key)?;
                        self.expression(&entry.value)?;
                    }
                }
            }
            Expr::Struct(made) => {
                let message =
                    format!("there is no type `{}`; write a map: {{'a': 1}}", made.type_name);
                return Err(self.refuse(node, message));
            }
        }
        self.level -= 1;
        Ok(())
    }

    fn read(
        &mut self,
        node: &IdedExpr,
        name: &str,
        fields: Vec<String>,
        tested: bool,
    ) -> Result<(), ParseError> {
        if let Some(name) = Name::of(name) {
            let field = fields.first().map(|field| (name, field.clone()));
            let is_set = field.is_some_and(|field| self.set.contains(&field));
            *self.found.entry((name, fields, tested)).or_insert(true) &= is_set;
            return Ok(());
        }
        if fields.is_empty() && Kind::named(name).is_some() {
            return Ok(());
        }
        let known = Name::ALL.map(|(text, _)| text);
        let mend = near(name, &known).unwrap_or_else(|| {
            format!("write `event.{name}` or `data.{name}` for a field, `\"{name}\"` for the text")
        });
        let message = format!("`{name}` is not a name; {mend}");
        let at = first_place(node, self.places);
        Err(ParseError { message, at })
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Result<(), ParseError> {
        let name = call.func_name.as_str();
        let operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
        let functions = function::names();
        if !operator && !functions.contains(&name) {
            let message =
                format!("there is no function `{name}`; {}", suggestion(name, &functions));
            return Err(ParseError { message, at: self.places.of_call(node.id, name) });
        }
        match Logic::of(node) {
            Logic::And(left, right) => return self.beside(left, right, true),
            Logic::Or(left, right) => return self.beside(left, right, false),
            Logic::Choice(asked, yes, no) => {
                self.expression(asked)?;
                self.knowing(yes, set_where(asked, true))?;
                return self.knowing(no, set_where(asked, false));
            }
            Logic::Literal(_) | Logic::Same(_) | Logic::Not(_) | Logic::Value => {}
        }
        call.target.iter().try_for_each(|target| self.expression(target))?;
        call.args.iter().try_for_each(|argument| self.expression(argument))
    }

    /// Two sides of which each counts only where the other does not decide alone: for CEL does not
    /// mind an error on one side if the other decides, whichever stands first.
    fn beside(
        &mut self,
        left: &IdedExpr,
        right: &IdedExpr,
        undecided: bool,
    ) -> Result<(), ParseError> {
        self.knowing(left, set_where(right, undecided))?;
        self.knowing(right, set_where(left, undecided))
    }

    fn knowing(&mut self, node: &IdedExpr, more: BTreeSet<Field>) -> Result<(), ParseError> {
        let before = self.set.clone();
        self.set.extend(more);
        self.expression(node)?;
        self.set = before;
        Ok(())
    }

    fn comprehension(
        &mut self,
        node: &IdedExpr,
        inner: &ComprehensionExpr,
    ) -> Result<(), ParseError> {
        self.expression(&inner.iter_range)?;
        if makes_a_map(&inner.iter_range) {
            let message = "a loop over a map that is written here has no order; use a list";
            return Err(self.refuse(node, message));
        }
        self.expression(&inner.accu_init)?;
        self.loops += 1;
        if self.loops > LOOPS_MAX {
            let message = format!("more than {LOOPS_MAX} loops inside one another");
            return Err(self.refuse(node, message));
        }
        let before = self.bound.len();
        self.bound.push(inner.iter_var.clone());
        self.bound.extend(inner.iter_var2.clone());
        self.bound.push(inner.accu_var.clone());
        for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
            self.expression(part)?;
        }
        self.bound.truncate(before);
        self.loops -= 1;
        Ok(())
    }
}

/// What a part of a checked tree reads; names that an outer loop binds cannot stand in it.
pub(super) fn references(tree: &IdedExpr) -> Vec<Reference> {
    let places = Places::unknown();
    Walk::over(tree, &places).unwrap_or_default()
}

/// The name and fields that a chain of selections spells, and whether it is inside `has(…)`.
pub(super) fn path(node: &IdedExpr) -> Option<(&str, Vec<String>, bool)> {
    match &node.expr {
        Expr::Ident(name) => Some((name, Vec::new(), false)),
        Expr::Select(select) => {
            let (name, mut fields, tested) = path(&select.operand)?;
            fields.push(select.field.clone());
            Some((name, fields, tested || select.test))
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [of, index] = &call.args[..] else { return None };
            let Expr::Literal(LiteralValue::String(field)) = &index.expr else { return None };
            let (name, mut fields, tested) = path(of)?;
            fields.push(field.inner().to_owned());
            Some((name, fields, tested))
        }
        _ => None,
    }
}

fn first_place(node: &IdedExpr, places: &Places<'_>) -> Option<usize> {
    match &node.expr {
        Expr::Select(select) => first_place(&select.operand, places),
        Expr::Call(call) => call.args.first().and_then(|of| first_place(of, places)),
        _ => places.of(node.id),
    }
}

fn makes_a_map(node: &IdedExpr) -> bool {
    match &node.expr {
        Expr::Map(_) | Expr::Struct(_) => true,
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => false,
        Expr::Select(select) => makes_a_map(&select.operand),
        Expr::Call(call) => {
            call.target.as_deref().is_some_and(makes_a_map) || call.args.iter().any(makes_a_map)
        }
        Expr::List(list) => list.elements.iter().any(makes_a_map),
        Expr::Comprehension(inner) => {
            makes_a_map(&inner.iter_range) || makes_a_map(&inner.loop_step)
        }
    }
}

fn suggestion(word: &str, known: &[&str]) -> String {
    near(word, known).unwrap_or_else(|| format!("there are: {}", known.join(", ")))
}

fn near(word: &str, known: &[&str]) -> Option<String> {
    let scored = known.iter().map(|k| (strsim::damerau_levenshtein(word, k), k));
    let (distance, near) = scored.min()?;
    let is_near = distance <= (near.len().max(word.len()) / 3).max(1);
    is_near.then(|| format!("did you mean `{near}`?"))
}
