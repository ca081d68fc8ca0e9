use regex::Regex;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators,
};

use super::computed::{Computed, Kind};
use super::condition::Relation;
use super::function::{self, Function};
use super::number::{Arithmetic, Number};
use super::operate::Operator;
use super::places::Places;
use super::{Name, ParseError, literal, print};

/// A part of an expression, ready to be computed.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A value that is written out.
    Literal(Computed<'static>),
    /// What a name means.
    Name(Name),
    /// The element that a loop around is at, by the number of loops around that one.
    Element(usize, String),
    /// `x.name`
    Field(Box<Node>, String),
    /// `has(x.name)`
    Has(Box<Node>, String),
    /// `x[i]`
    Index(Box<[Node; 2]>),
    /// `!x`
    Not(Box<Node>),
    /// `-x`
    Negated(Box<Node>),
    /// `x && y`
    And(Box<[Node; 2]>),
    /// `x || y`
    Or(Box<[Node; 2]>),
    /// `x ? y : z`
    Choice(Box<[Node; 3]>),
    /// Any other operator between two.
    Binary(Operator, Box<[Node; 2]>),
    /// A function of values, the receiver first.
    Call(Function, Vec<Node>),
    /// `x.matches(…)` with a pattern that is written out.
    Matches(Box<Node>, Regex),
    /// `[x, y]`
    List(Vec<Node>),
    /// `{x: y}`
    Object(Vec<(Node, Node)>),
    /// A loop over the elements of a list, or the names of an object.
    Loop(Box<Loop>),
}

/// A loop.
#[derive(Debug, Clone)]
pub(super) struct Loop {
    pub over: Node,
    pub what: Round,
}

/// What a loop does with each element.
#[derive(Debug, Clone)]
pub(super) enum Round {
    /// Whether it holds for all.
    All(Node),
    /// Whether it holds for one at least.
    Exists(Node),
    /// Whether it holds for one alone.
    ExistsOne(Node),
    /// A value of each, or of each for which something holds.
    Collect { only: Option<Node>, value: Node },
}

/// Makes the parts of one tree.
struct Maker<'p> {
    places: &'p Places<'p>,
    /// The names that the loops around give to their elements.
    bound: Vec<String>,
}

impl Node {
    /// A tree that was checked, ready to be computed.
    ///
    /// # Errors
    /// When a part of it could never be computed.
    pub fn of(tree: &IdedExpr, places: &Places<'_>) -> Result<Self, ParseError> {
        Maker { places, bound: Vec::new() }.node(tree)
    }
}

impl Maker<'_> {
    fn refuse<T>(&self, node: &IdedExpr, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError { message: message.into(), at: self.places.of(node.id) })
    }

    fn node(&mut self, node: &IdedExpr) -> Result<Node, ParseError> {
        match &node.expr {
            Expr::Unspecified | Expr::Struct(_) => self.refuse(node, "this cannot be computed"),
            Expr::Literal(literal) => self.literal(node, literal).map(Node::Literal),
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) => {
                let of = Box::new(self.node(&select.operand)?);
                let field = select.field.clone();
                Ok(if select.test { Node::Has(of, field) } else { Node::Field(of, field) })
            }
            Expr::Call(call) => self.call(node, call),
            Expr::List(list) => self.all(&list.elements).map(Node::List),
            Expr::Map(map) => {
                let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => Some((&entry.key, &entry.value)),
                    EntryExpr::StructField(_) => None,
                });
                let entries = entries.map(|(key, value)| Ok((self.node(key)?, self.node(value)?)));
                entries.collect::<Result<_, ParseError>>().map(Node::Object)
            }
            Expr::Comprehension(inner) => self.around(node, inner),
        }
    }

    fn all(&mut self, nodes: &[IdedExpr]) -> Result<Vec<Node>, ParseError> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn pair(&mut self, pair: &[IdedExpr; 2]) -> Result<Box<[Node; 2]>, ParseError> {
        Ok(Box::new([self.node(&pair[0])?, self.node(&pair[1])?]))
    }

    fn name(&self, node: &IdedExpr, name: &str) -> Result<Node, ParseError> {
        if let Some(place) = self.bound.iter().rposition(|bound| bound == name) {
            return Ok(Node::Element(place, name.to_owned()));
        }
        if let Some(name) = Name::of(name) {
            return Ok(Node::Name(name));
        }
        match Kind::named(name) {
            Some(kind) => Ok(Node::Literal(Computed::Type(kind))),
            None => self.refuse(node, format!("`{name}` is not a name")),
        }
    }

    fn literal(
        &self,
        node: &IdedExpr,
        literal: &LiteralValue,
    ) -> Result<Computed<'static>, ParseError> {
        Ok(match literal {
            LiteralValue::Null => Computed::Null,
            LiteralValue::Boolean(value) => Computed::Bool(*value.inner()),
            LiteralValue::String(text) => Computed::text(text.inner().to_owned()),
            LiteralValue::Bytes(bytes) => Computed::Bytes(bytes.inner().to_vec().into()),
            LiteralValue::Int(value) => Computed::Number(Number::from(*value.inner())),
            LiteralValue::UInt(_) | LiteralValue::Double(_) => {
                let number = literal::number(literal).filter(|n| self.is_exact(node, n));
                let Some(number) = number else {
                    let message = "a number with a point is written with 15 digits at most; \
                                   give more as text: `double('…')`";
                    return self.refuse(node, message);
                };
                Computed::Number(number)
            }
        })
    }

    /// Whether the parser has kept all digits that are written; a sign may stand in front of them,
    /// and nothing in front of the point.
    fn is_exact(&self, node: &IdedExpr, number: &Number) -> bool {
        let Some(written) = self.places.number_at(node.id) else { return true };
        let is_hexadecimal = written == "0";
        let written = Number::parse(&format!("0{written}"));
        is_hexadecimal || written.as_ref() == Some(number) || written == number.negated().ok()
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Result<Node, ParseError> {
        let name = call.func_name.as_str();
        match (name, &call.args[..]) {
            (operators::CONDITIONAL, [asked, yes, no]) => {
                let parts = [self.node(asked)?, self.node(yes)?, self.node(no)?];
                return Ok(Node::Choice(Box::new(parts)));
            }
            (operators::LOGICAL_NOT, [inner]) => return Ok(Node::Not(Box::new(self.node(inner)?))),
            (operators::NEGATE, [inner]) => {
                return Ok(Node::Negated(Box::new(self.node(inner)?)));
            }
            _ => {}
        }
        if let Ok(pair) = <&[IdedExpr; 2]>::try_from(&call.args[..])
            && call.target.is_none()
        {
            match name {
                operators::LOGICAL_AND => return self.pair(pair).map(Node::And),
                operators::LOGICAL_OR => return self.pair(pair).map(Node::Or),
                operators::INDEX => return self.pair(pair).map(Node::Index),
                _ => {}
            }
            if let Some(operator) = operator(name) {
                return Ok(Node::Binary(operator, self.pair(pair)?));
            }
        }
        self.function(node, call)
    }

    fn function(&mut self, node: &IdedExpr, call: &CallExpr) -> Result<Node, ParseError> {
        let name = call.func_name.as_str();
        let refused = |message| ParseError { message, at: self.places.of_call(node.id, name) };
        let function = Function::called(name, call.target.is_some(), call.args.len())
            .unwrap_or_else(|| Err(format!("there is no function `{name}`")))
            .map_err(refused)?;
        let mut values = Vec::with_capacity(call.args.len() + 1);
        for value in call.target.as_deref().into_iter().chain(&call.args) {
            values.push(self.node(value)?);
        }
        match (function, &values[..]) {
            (Function::Matches, [text, Node::Literal(pattern)]) => {
                let Some(pattern) = pattern.str() else { return Ok(Node::Call(function, values)) };
                let pattern = function::pattern(pattern).or_else(|why| self.refuse(node, why))?;
                Ok(Node::Matches(Box::new(text.clone()), pattern))
            }
            (Function::Duration | Function::Timestamp, [Node::Literal(value)]) => {
                let made = function.of(vec![value.clone()]);
                made.map(Node::Literal).or_else(|why| self.refuse(&call.args[0], why))
            }
            _ => Ok(Node::Call(function, values)),
        }
    }

    fn around(&mut self, node: &IdedExpr, inner: &ComprehensionExpr) -> Result<Node, ParseError> {
        let over = self.node(&inner.iter_range)?;
        self.bound.push(inner.iter_var.clone());
        let (name, parts) = print::loop_parts(inner);
        let what = match (name, &parts[..]) {
            ("all", [holds]) => Round::All(self.node(holds)?),
            ("exists", [holds]) => Round::Exists(self.node(holds)?),
            ("exists_one", [holds]) => Round::ExistsOne(self.node(holds)?),
            ("map", [value]) => Round::Collect { only: None, value: self.node(value)? },
            ("map", [holds, value]) => {
                Round::Collect { only: Some(self.node(holds)?), value: self.node(value)? }
            }
            ("filter", [holds]) => {
                let value = Node::Element(self.bound.len() - 1, inner.iter_var.clone());
                Round::Collect { only: Some(self.node(holds)?), value }
            }
            _ => return self.refuse(node, "there is no such loop"),
        };
        self.bound.pop();
        Ok(Node::Loop(Box::new(Loop { over, what })))
    }
}

/// The operator that a function of the tree is.
fn operator(function: &str) -> Option<Operator> {
    let arithmetic = match function {
        operators::ADD => Some(Arithmetic::Add),
        operators::SUBSTRACT => Some(Arithmetic::Subtract),
        operators::MULTIPLY => Some(Arithmetic::Multiply),
        operators::DIVIDE => Some(Arithmetic::Divide),
        operators::MODULO => Some(Arithmetic::Remainder),
        operators::IN => return Some(Operator::In),
        _ => None,
    };
    let compare = || Relation::of(function).map(Operator::Compare);
    arithmetic.map(Operator::Arithmetic).or_else(compare)
}
