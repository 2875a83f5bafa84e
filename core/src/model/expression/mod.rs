//! Expressions: what a model computes from an event and the state before it.
//!
//! The syntax is Rhai's, with `'text'` for text beside `"text"`. Expressions only compute: no statements, loops,
//! output or clock. What goes wrong is a [`Fault`], which the fold turns into a finding.

mod direct;
mod engine;
mod functions;
mod missing;
mod mixed;
pub(crate) mod number;
mod reads;
mod view;

use std::sync::Arc;

use rhai::{AST, ASTNode, Dynamic, Expr};
use serde_json::Value;

use self::direct::Node;
use self::engine::{ENGINE, caught, words};
use self::number::NumberFault;
use self::view::lower;
use super::path::FieldPath;

/// Longest expression, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// What an expression can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// The event's payload.
    Data,
    /// The event's context; an empty object where it has none.
    Meta,
    /// The state before the event.
    State,
    /// The event's own fields: id, type, time, stream…
    Event,
    /// One element of the list, in `remove`.
    Item,
}

impl Root {
    const ALL: [Root; 5] = [Root::Data, Root::Meta, Root::State, Root::Event, Root::Item];

    /// Its name in an expression.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Root::Data => "data",
            Root::Meta => "meta",
            Root::State => "state",
            Root::Event => "event",
            Root::Item => "item",
        }
    }

    fn of(name: &str) -> Option<Root> {
        Root::ALL.into_iter().find(|root| root.name() == name)
    }
}

/// Why an expression gave no value on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) detail: String,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The expression failed.
    Failed,
    /// A number does not fit.
    NumberTooLarge,
}

impl Fault {
    pub(crate) fn failed(detail: impl Into<String>) -> Fault {
        Fault {
            kind: FaultKind::Failed,
            detail: detail.into(),
        }
    }
}

impl From<NumberFault> for Fault {
    fn from(fault: NumberFault) -> Fault {
        Fault {
            kind: match fault {
                NumberFault::TooLarge(_) => FaultKind::NumberTooLarge,
                NumberFault::DivisionByZero(_)
                | NumberFault::NotANumber(_)
                | NumberFault::Exponent(_) => FaultKind::Failed,
            },
            detail: fault.to_string(),
        }
    }
}

/// The values that an expression reads; those it does not mention may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Inputs<'v> {
    pub(crate) data: Option<&'v Arc<Value>>,
    pub(crate) meta: Option<&'v Arc<Value>>,
    pub(crate) state: Option<&'v Arc<Value>>,
    pub(crate) event: Option<&'v Arc<Value>>,
    pub(crate) item: Option<&'v Value>,
}

impl<'v> Inputs<'v> {
    /// The value that others hold as well; an item is copied.
    fn shared(&self, root: Root) -> Option<Arc<Value>> {
        match root {
            Root::Data => self.data.cloned(),
            Root::Meta => self.meta.cloned(),
            Root::State => self.state.cloned(),
            Root::Event => self.event.cloned(),
            Root::Item => self.item.map(|item| Arc::new(item.clone())),
        }
    }

    fn get(&self, root: Root) -> Option<&'v Value> {
        let shared = match root {
            Root::Data => self.data,
            Root::Meta => self.meta,
            Root::State => self.state,
            Root::Event => self.event,
            Root::Item => return self.item,
        };
        shared.map(|value| &**value)
    }
}

/// An expression, checked and compiled.
#[derive(Debug)]
pub(crate) struct Expression {
    text: String,
    ast: AST,
    direct: Option<Node>,
    roots: Vec<Root>,
    paths: Vec<(Root, FieldPath)>,
}

/// Why a text is no expression, and where: the place of the character in the text, first is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionError {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Expression {
    /// Parses and checks an expression.
    pub(crate) fn parse(text: &str) -> Result<Expression, ExpressionError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ExpressionError {
                at: 0,
                message: format!("an expression is at most {MAX_TEXT_BYTES} bytes long"),
            });
        }
        if text.trim().is_empty() {
            return Err(ExpressionError {
                at: 0,
                message: "the expression is empty".to_owned(),
            });
        }
        let source = Source::of(text)?;
        let ast = ENGINE
            .compile_expression(&source.text)
            .map_err(|error| ExpressionError {
                at: source.place(error.1),
                message: explain(&error.0),
            })?;
        let roots = check_names(&ast).map_err(|(position, message)| ExpressionError {
            at: source.place(position),
            message,
        })?;
        Ok(Expression {
            direct: Node::block(ast.statements()),
            paths: reads::paths(&ast),
            text: text.to_owned(),
            ast,
            roots,
        })
    }

    /// The text as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What it reads.
    pub(crate) fn reads(&self, root: Root) -> bool {
        self.roots.contains(&root)
    }

    /// Adds the fields of a root that it reads; `false` if it reads the root whole, or that is not known.
    pub(crate) fn fields_of(&self, root: Root, fields: &mut Vec<String>) -> bool {
        match &self.direct {
            _ if !self.reads(root) => true,
            Some(node) => node.fields_of(root, fields),
            None => false,
        }
    }

    /// The fields that it reads, each once. One that it goes through element by element
    /// stands as a whole.
    pub(crate) fn paths(&self) -> &[(Root, FieldPath)] {
        &self.paths
    }

    /// What a plain path leads to; `None` if the expression is more than a path.
    pub(crate) fn plain_path<'v>(&self, inputs: &Inputs<'v>) -> Option<Option<&'v Value>> {
        let Some(Node::Path(root, steps)) = &self.direct else {
            return None;
        };
        let mut steps = steps.iter();
        Some(
            inputs
                .get(*root)
                .and_then(|root| steps.try_fold(root, |value, step| step.get(value))),
        )
    }

    /// Whether it is this root and nothing more.
    pub(crate) fn is_root(&self, root: Root) -> bool {
        matches!(&self.direct, Some(Node::Path(read, steps)) if *read == root && steps.is_empty())
    }

    /// The value for these inputs.
    pub(crate) fn value(&self, inputs: &Inputs<'_>) -> Result<Value, Fault> {
        if let Some(seen) = self.direct.as_ref().and_then(|node| node.run(inputs)) {
            return Ok(seen.into_value());
        }
        lower(&self.engine_value(inputs)?)
    }

    /// The answer of an expression that asks yes or no.
    pub(crate) fn truth(&self, inputs: &Inputs<'_>) -> Result<bool, Fault> {
        match self.value(inputs)? {
            Value::Bool(truth) => Ok(truth),
            other => Err(Fault::failed(format!(
                "it must be true or false, and is {}",
                super::value::kind(&other)
            ))),
        }
    }

    /// The value by way of the engine alone.
    fn engine_value(&self, inputs: &Inputs<'_>) -> Result<Dynamic, Fault> {
        engine::evaluate(&self.ast, inputs).map_err(|error| caught(&error))
    }
}

/// Checks that every variable and function is known; returns what the expression reads.
fn check_names(ast: &AST) -> Result<Vec<Root>, (rhai::Position, String)> {
    let parameters: Vec<&str> = ast.iter_functions().flat_map(|f| f.params).collect();
    if let Some(hidden) = parameters.iter().find(|name| Root::of(name).is_some()) {
        return Err((
            rhai::Position::new(1, 1),
            format!("`|{hidden}| …` hides the variable `{hidden}`: choose another name"),
        ));
    }
    let mut roots = Vec::new();
    let mut wrong = None;
    ast.walk(&mut |nodes: &[ASTNode]| {
        match nodes.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, _, at))) => match Root::of(&variable.1) {
                Some(root) => roots.push(root),
                None if parameters.contains(&variable.1.as_str()) => {}
                None => {
                    wrong = Some((
                        *at,
                        format!(
                            "there is no variable `{}`; there is data, meta, state, event (and item in remove)",
                            variable.1
                        ),
                    ));
                }
            },
            Some(ASTNode::Expr(Expr::FnCall(call, at) | Expr::MethodCall(call, at)))
                if !functions::known(call) =>
            {
                wrong = Some((
                    *at,
                    format!(
                        "there is no function `{}`; there is {}",
                        call.name,
                        functions::NAMES.join(", ")
                    ),
                ));
            }
            _ => {}
        }
        wrong.is_none()
    });
    match wrong {
        Some(wrong) => Err(wrong),
        None => {
            roots.sort_unstable();
            roots.dedup();
            Ok(roots)
        }
    }
}

/// Rhai's error in words that fit this language.
fn explain(error: &rhai::ParseErrorType) -> String {
    if let rhai::ParseErrorType::BadInput(rhai::LexError::MalformedNumber(number)) = error {
        return format!("{number} is no number that can be calculated with: at most 28 digits");
    }
    let message = words(&error.to_string());
    let mut chars = message.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => message,
    }
}

/// An expression with its `'text'` rewritten to `"text"`, and where each character came from.
struct Source {
    text: String,
    /// For each character of `text`, the place in the original.
    origin: Vec<usize>,
}

impl Source {
    fn of(original: &str) -> Result<Source, ExpressionError> {
        let mut source = Source {
            text: String::with_capacity(original.len()),
            origin: Vec::with_capacity(original.len()),
        };
        let mut chars = original.chars().enumerate().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' | '`' => {
                    source.push(c, at);
                    while let Some((at, inner)) = chars.next() {
                        source.push(inner, at);
                        if inner == '\\' && c == '"' {
                            if let Some((at, escaped)) = chars.next() {
                                source.push(escaped, at);
                            }
                        } else if inner == c {
                            break;
                        }
                    }
                }
                '\'' => {
                    source.push('"', at);
                    loop {
                        match chars.next() {
                            None => {
                                return Err(ExpressionError {
                                    at,
                                    message: "the text that starts here is not closed".to_owned(),
                                });
                            }
                            Some((at, '\'')) => {
                                source.push('"', at);
                                break;
                            }
                            Some((at, '"')) => {
                                source.push('\\', at);
                                source.push('"', at);
                            }
                            Some((at, '\\')) => match chars.next() {
                                Some((at, '\'')) => source.push('\'', at),
                                Some((next, escaped)) => {
                                    source.push('\\', at);
                                    source.push(escaped, next);
                                }
                                None => source.push('\\', at),
                            },
                            Some((at, other)) => source.push(other, at),
                        }
                    }
                }
                _ => source.push(c, at),
            }
        }
        missing::mark(&mut source.text, &mut source.origin);
        Ok(source)
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.origin.push(at);
    }

    /// The place in the original of a position in the rewritten text.
    fn place(&self, position: rhai::Position) -> usize {
        let (Some(line), column) = (position.line(), position.position().unwrap_or(1)) else {
            return self.origin.last().map_or(0, |last| last + 1);
        };
        let before: usize = self
            .text
            .split('\n')
            .take(line - 1)
            .map(|line| line.chars().count() + 1)
            .sum();
        let index = before + column.saturating_sub(1);
        self.origin
            .get(index)
            .copied()
            .unwrap_or_else(|| self.origin.last().map_or(0, |last| last + 1))
    }
}

#[cfg(test)]
mod tests;
