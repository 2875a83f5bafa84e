//! The short way for the expressions that models are full of: paths, literals, arithmetic, comparisons,
//! `&&`, `||`, `!`, `if`, `has` and `get`.
//!
//! INVARIANT: where [`Node::run`] gives a value, the Rhai engine gives the same. Where it gives none (an error, or
//! operands of kinds it does not know) the engine is asked, so every message comes from there.

use std::cmp::Ordering;

use rhai::{ASTFlags, Expr, FlowControl, FnCallExpr, Stmt};
use serde_json::Value;

use super::engine::{MAX_TEXT_BYTES, arithmetic, comparison};
use super::missing::name_of;
use super::number::{Exact, NumberFault, canonical};
use super::{Inputs, Root};
use crate::model::path::{FieldPath, Step};

/// An expression that can be run without the engine.
#[derive(Debug)]
pub(crate) enum Node {
    Constant(Value),
    Number(Exact),
    Path(Root, Vec<Step>),
    Arithmetic(
        fn(Exact, Exact) -> Result<Exact, NumberFault>,
        bool,
        Box<[Node; 2]>,
    ),
    Compare(fn(Ordering) -> bool, Equality, Box<[Node; 2]>),
    Negate(Box<Node>),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    If(Box<[Node; 3]>),
    Has(Box<Node>, FieldPath),
    Get(Box<[Node; 2]>, FieldPath),
}

/// Which values a comparison takes beside numbers and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Equality {
    Equal,
    NotEqual,
    Order,
}

/// A value on its way: borrowed from the event or the state, or computed.
#[derive(Debug, Clone)]
pub(crate) enum Seen<'v> {
    Ref(&'v Value),
    Number(Exact),
    Owned(Value),
}

impl Seen<'_> {
    /// The value for the state to keep.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Seen::Ref(value) => value.clone(),
            Seen::Number(number) => Value::Number(number.to_json()),
            Seen::Owned(value) => value,
        }
    }

    fn value(&self) -> Option<&Value> {
        match self {
            Seen::Ref(value) => Some(value),
            Seen::Owned(value) => Some(value),
            Seen::Number(_) => None,
        }
    }

    fn number(&self) -> Option<Exact> {
        match self {
            Seen::Number(number) => Some(*number),
            _ => Exact::read(self.value()?.as_number()?.as_str()).ok(),
        }
    }

    fn bool(&self) -> Option<bool> {
        self.value()?.as_bool()
    }
}

impl Node {
    /// Takes over an expression that the engine parsed; `None` if it needs the engine.
    pub(crate) fn of(expr: &Expr) -> Option<Node> {
        Some(match expr {
            Expr::BoolConstant(b, _) => Node::Constant(Value::Bool(*b)),
            Expr::IntegerConstant(n, _) => Node::Number(Exact::Int(*n)),
            Expr::StringConstant(text, _) => Node::Constant(Value::String(text.to_string())),
            Expr::CharConstant(c, _) => Node::Constant(Value::String(c.to_string())),
            Expr::Unit(_) => Node::Constant(Value::Null),
            Expr::DynamicConstant(value, _) => Node::Number(canonical(value.as_decimal().ok()?)),
            Expr::Variable(..) | Expr::Dot(..) | Expr::Index(..) => {
                let (root, steps) = path(expr)?;
                Node::Path(root, steps)
            }
            Expr::And(parts, _) => Node::All(all(parts)?),
            Expr::Or(parts, _) => Node::Any(all(parts)?),
            Expr::FnCall(call, _) => Node::call(call)?,
            Expr::Stmt(block) => Node::block(block.statements())?,
            _ => return None,
        })
    }

    /// Takes over a block of one expression or one `if`.
    pub(crate) fn block(statements: &[Stmt]) -> Option<Node> {
        let [statement] = statements else {
            return None;
        };
        match statement {
            Stmt::Expr(expr) => Node::of(expr),
            Stmt::FnCall(call, _) => Node::call(call),
            Stmt::If(flow, _) => {
                let FlowControl { expr, body, branch } = &**flow;
                Some(Node::If(Box::new([
                    Node::of(expr)?,
                    Node::block(body.statements())?,
                    Node::block(branch.statements())?,
                ])))
            }
            _ => None,
        }
    }

    fn call(call: &FnCallExpr) -> Option<Node> {
        let path_in = |at: usize| match &call.args[at] {
            Expr::StringConstant(text, _) => text.parse::<FieldPath>().ok(),
            _ => None,
        };
        match (call.name.as_str(), &call.args[..]) {
            ("!", [a]) => Some(Node::Not(Box::new(Node::of(a)?))),
            ("-", [a]) => Some(Node::Negate(Box::new(Node::of(a)?))),
            ("has", [object, _]) => Some(Node::Has(Box::new(Node::of(object)?), path_in(1)?)),
            ("get", [object, _, default]) => Some(Node::Get(
                Box::new([Node::of(object)?, Node::of(default)?]),
                path_in(1)?,
            )),
            (name, [a, b]) => {
                let sides = Box::new([Node::of(a)?, Node::of(b)?]);
                if let Some(run) = arithmetic(name) {
                    return Some(Node::Arithmetic(run, name == "+", sides));
                }
                let equality = match name {
                    "==" => Equality::Equal,
                    "!=" => Equality::NotEqual,
                    _ => Equality::Order,
                };
                Some(Node::Compare(comparison(name)?, equality, sides))
            }
            _ => None,
        }
    }

    /// Adds the fields of a root that it reads; `false` if it reads the root whole.
    pub(crate) fn fields_of(&self, root: Root, fields: &mut Vec<String>) -> bool {
        let mut add = |steps: &[Step]| match steps.first() {
            Some(Step::Key(key)) => {
                if !fields.contains(key) {
                    fields.push(key.clone());
                }
                true
            }
            _ => false,
        };
        match self {
            Node::Constant(_) | Node::Number(_) => true,
            Node::Path(read, steps) => *read != root || add(steps),
            Node::Has(object, path) => match &**object {
                Node::Path(read, steps) if *read == root && steps.is_empty() => add(&path.0),
                other => other.fields_of(root, fields),
            },
            Node::Get(parts, path) => {
                let [object, default] = &**parts;
                let object_is_known = match object {
                    Node::Path(read, steps) if *read == root && steps.is_empty() => add(&path.0),
                    other => other.fields_of(root, fields),
                };
                object_is_known && default.fields_of(root, fields)
            }
            Node::Arithmetic(_, _, parts) | Node::Compare(_, _, parts) => {
                parts.iter().all(|part| part.fields_of(root, fields))
            }
            Node::If(parts) => parts.iter().all(|part| part.fields_of(root, fields)),
            Node::All(parts) | Node::Any(parts) => {
                parts.iter().all(|part| part.fields_of(root, fields))
            }
            Node::Negate(part) | Node::Not(part) => part.fields_of(root, fields),
        }
    }

    /// The value; `None` if the engine has to say.
    pub(crate) fn run<'v>(&'v self, inputs: &Inputs<'v>) -> Option<Seen<'v>> {
        Some(match self {
            Node::Constant(value) => Seen::Ref(value),
            Node::Number(number) => Seen::Number(*number),
            Node::Path(root, steps) => {
                let root: &'v Value = inputs.get(*root)?;
                Seen::Ref(steps.iter().try_fold(root, |value, step| step.get(value))?)
            }
            Node::Arithmetic(run, joins, sides) => {
                let (a, b) = (sides[0].run(inputs)?, sides[1].run(inputs)?);
                match (a.number(), b.number()) {
                    (Some(a), Some(b)) => Seen::Number(run(a, b).ok()?),
                    _ if *joins => {
                        let (a, b) = (a.value()?.as_str()?, b.value()?.as_str()?);
                        if a.len() + b.len() > MAX_TEXT_BYTES {
                            return None;
                        }
                        Seen::Owned(Value::String(format!("{a}{b}")))
                    }
                    _ => return None,
                }
            }
            Node::Compare(holds, equality, sides) => {
                let (a, b) = (sides[0].run(inputs)?, sides[1].run(inputs)?);
                Seen::Owned(Value::Bool(compare(&a, &b, *holds, *equality)?))
            }
            Node::Negate(a) => Seen::Number(a.run(inputs)?.number()?.neg().ok()?),
            Node::Not(a) => Seen::Owned(Value::Bool(!a.run(inputs)?.bool()?)),
            Node::All(parts) => {
                for part in parts {
                    if !part.run(inputs)?.bool()? {
                        return Some(Seen::Owned(Value::Bool(false)));
                    }
                }
                Seen::Owned(Value::Bool(true))
            }
            Node::Any(parts) => {
                for part in parts {
                    if part.run(inputs)?.bool()? {
                        return Some(Seen::Owned(Value::Bool(true)));
                    }
                }
                Seen::Owned(Value::Bool(false))
            }
            Node::If(parts) => {
                let [condition, yes, no] = &**parts;
                let branch = if condition.run(inputs)?.bool()? {
                    yes
                } else {
                    no
                };
                return branch.run(inputs);
            }
            Node::Has(object, path) => {
                let Seen::Ref(object) = object.run(inputs)? else {
                    return None;
                };
                let found = path.get(object).is_some_and(|value| !value.is_null());
                Seen::Owned(Value::Bool(found))
            }
            Node::Get(parts, path) => {
                let [object, default] = &**parts;
                let Seen::Ref(object) = object.run(inputs)? else {
                    return None;
                };
                // Both are evaluated, as the engine does.
                let default = default.run(inputs)?;
                match path.get(object) {
                    Some(value) if !value.is_null() => Seen::Ref(value),
                    _ => default,
                }
            }
        })
    }
}

fn compare(
    a: &Seen<'_>,
    b: &Seen<'_>,
    holds: fn(Ordering) -> bool,
    equality: Equality,
) -> Option<bool> {
    if let (Some(a), Some(b)) = (a.number(), b.number()) {
        return Some(holds(a.cmp(&b)));
    }
    let (a, b) = (a.value()?, b.value()?);
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(holds(a.cmp(b))),
        (Value::Bool(a), Value::Bool(b)) if equality != Equality::Order => Some(holds(a.cmp(b))),
        (Value::Null, Value::Null) if equality != Equality::Order => Some(holds(Ordering::Equal)),
        _ => None,
    }
}

fn all(parts: &[Expr]) -> Option<Vec<Node>> {
    parts.iter().map(Node::of).collect()
}

/// The path that an expression is; `None` if it is anything more.
pub(crate) fn path(expr: &Expr) -> Option<(Root, Vec<Step>)> {
    let mut steps = Vec::new();
    let root = match expr {
        Expr::Variable(variable, ..) => Root::of(&variable.1)?,
        Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _) if flags_plain(*flags) => {
            let Expr::Variable(variable, ..) = &pair.lhs else {
                return None;
            };
            follow(expr, &mut steps)?;
            Root::of(&variable.1)?
        }
        _ => return None,
    };
    Some((root, steps))
}

/// Chains nest to the right: `a.b[0]` is `a` dot (`b` index `0`). Takes the steps right of the first.
fn follow(chain: &Expr, steps: &mut Vec<Step>) -> Option<()> {
    let (pair, flags, dotted) = match chain {
        Expr::Dot(pair, flags, _) => (pair, *flags, true),
        Expr::Index(pair, flags, _) => (pair, *flags, false),
        _ => return None,
    };
    if !flags_plain(flags) {
        return None;
    }
    let ends = flags.intersects(ASTFlags::BREAK);
    match &pair.rhs {
        rest @ (Expr::Dot(inner, ..) | Expr::Index(inner, ..)) if !ends => {
            steps.push(step(&inner.lhs, dotted)?);
            follow(rest, steps)
        }
        last => {
            steps.push(step(last, dotted)?);
            Some(())
        }
    }
}

fn flags_plain(flags: ASTFlags) -> bool {
    !flags.intersects(ASTFlags::NEGATED)
}

/// One plain step of a chain.
pub(super) fn step(expr: &Expr, dotted: bool) -> Option<Step> {
    match expr {
        Expr::Property(name, _) if dotted => Some(Step::Key(name.2.to_string())),
        Expr::StringConstant(name, _) if !dotted => Some(Step::Key(name_of(name).0.to_owned())),
        Expr::IntegerConstant(index, _) if !dotted => {
            Some(Step::Index(usize::try_from(*index).ok()?))
        }
        _ => None,
    }
}
