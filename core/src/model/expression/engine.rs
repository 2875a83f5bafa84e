//! The Rhai engine that parses every expression and runs those that [`super::direct`] does not: no floats,
//! no output, no input, no loops, limits on everything, and numbers that calculate as [`super::number`] says.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicStringPackage, LogicPackage, MoreStringPackage,
    Package,
};
use rhai::{
    AST, Dynamic, Engine, EvalAltResult, ImmutableString, LexError, NativeCallContext,
    OptimizationLevel, Position, Token,
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::number::{Exact, NumberFault, compare_written};
use super::view::{View, WrittenNumber, lift_exact, lower, number_in};
use super::{Fault, Inputs, Root, functions, missing, mixed};
use crate::model::path::Step;
use crate::model::value::{kind, same};

/// Most steps that one expression may take on one event.
const MAX_STEPS: u64 = 1_000_000;
/// Longest text that an expression may make, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 1 << 20;
/// Longest list that an expression may make or walk through.
pub(crate) const MAX_LIST_LEN: usize = 20_000;
/// Most names in an object that an expression may make.
const MAX_OBJECT_LEN: usize = 10_000;
/// Functions that call one another, at most.
const MAX_CALLS: usize = 16;

/// Arithmetic and comparison, by their operator in Rhai.
const ARITHMETIC: [(&str, Arithmetic); 6] = [
    ("+", Exact::add),
    ("-", Exact::sub),
    ("*", Exact::mul),
    ("/", Exact::div),
    ("%", Exact::rem),
    ("**", Exact::pow),
];
const COMPARISON: [(&str, Comparison); 6] = [
    ("==", Ordering::is_eq),
    ("!=", Ordering::is_ne),
    ("<", Ordering::is_lt),
    ("<=", Ordering::is_le),
    (">", Ordering::is_gt),
    (">=", Ordering::is_ge),
];
type Arithmetic = fn(Exact, Exact) -> Result<Exact, NumberFault>;
type Comparison = fn(Ordering) -> bool;
type Raised = Box<EvalAltResult>;

/// The arithmetic of an operator; `None` if it is another operator.
pub(crate) fn arithmetic(operator: &str) -> Option<Arithmetic> {
    ARITHMETIC
        .iter()
        .find(|(name, _)| *name == operator)
        .map(|(_, run)| *run)
}

/// What a comparison operator asks of an ordering; `None` if it is another operator.
pub(crate) fn comparison(operator: &str) -> Option<Comparison> {
    COMPARISON
        .iter()
        .find(|(name, _)| *name == operator)
        .map(|(_, holds)| *holds)
}

/// The one engine: it holds no state.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(build);

fn build() -> Engine {
    let mut engine = Engine::new_raw();
    for module in [
        BasicStringPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicMapPackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
    ] {
        engine.register_global_module(module);
    }
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_fast_operators(false)
        .set_fail_on_invalid_map_property(true)
        .set_allow_looping(false)
        .on_progress(|_| over(1).then_some(Dynamic::UNIT))
        .set_max_expr_depths(48, 48)
        .set_max_call_levels(MAX_CALLS)
        .set_max_variables(64)
        .set_max_string_size(MAX_TEXT_BYTES)
        .set_max_array_size(MAX_LIST_LEN)
        .set_max_map_size(MAX_OBJECT_LEN)
        .on_print(|_| {})
        .on_debug(|_, _, _| {});
    for word in [
        "eval", "print", "debug", "Fn", "curry", "fn", "import", "export",
    ] {
        engine.disable_symbol(word);
    }
    literals_are_exact(&mut engine);
    resolve_roots(&mut engine);
    register_numbers(&mut engine);
    mixed::register(&mut engine);
    register_views(&mut engine);
    functions::register(&mut engine);
    engine
}

thread_local! {
    /// What the expression that this thread evaluates reads. Rhai hands variables of the outside neither to
    /// `|x| …` nor, without a copy, to itself; a resolver does both.
    static READING: RefCell<[Option<Arc<Value>>; 5]> = const { RefCell::new([const { None }; 5]) };
    /// The steps that this evaluation took. Rhai's own count starts anew in each function that a function calls.
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Takes further steps; whether they are more than there may be.
fn over(steps: u64) -> bool {
    let taken = STEPS.get().saturating_add(steps);
    STEPS.set(taken);
    taken > MAX_STEPS
}

/// Takes as many steps as a function of ours handles elements, or as its work is like.
///
/// # Errors
/// If they are more than there may be.
pub(crate) fn charge(steps: usize) -> Result<(), Raised> {
    if over(u64::try_from(steps).unwrap_or(u64::MAX)) {
        return Err(raise(Fault::failed(too_many())));
    }
    Ok(())
}

fn too_many() -> String {
    format!("it takes more than {MAX_STEPS} steps")
}

/// Runs a compiled expression with these inputs.
pub(crate) fn evaluate(ast: &AST, inputs: &Inputs<'_>) -> Result<Dynamic, Raised> {
    /// Lets go of the inputs, also when unwinding: the state must be unshared to be changed in place.
    struct LetGo;
    impl Drop for LetGo {
        fn drop(&mut self) {
            READING.with(|reading| *reading.borrow_mut() = [const { None }; 5]);
        }
    }
    READING.with(|reading| {
        *reading.borrow_mut() = Root::ALL.map(|root| inputs.shared(root));
    });
    STEPS.set(0);
    let _let_go = LetGo;
    ENGINE.eval_ast::<Dynamic>(ast)
}

fn resolve_roots(engine: &mut Engine) {
    #[allow(
        deprecated,
        reason = "marked volatile, not deprecated; the version is pinned"
    )]
    engine.on_var(|name, _, _| {
        let Some(root) = Root::of(name) else {
            return Ok(None);
        };
        let value = READING.with(|reading| reading.borrow()[root as usize].clone());
        Ok(Some(
            value.map_or(Dynamic::UNIT, |value| View::lift(&value)),
        ))
    });
}

/// A literal past 28 digits is an error where it stands; Rhai alone would round it.
fn literals_are_exact(engine: &mut Engine) {
    #[allow(
        deprecated,
        reason = "marked volatile, not deprecated; the version is pinned"
    )]
    engine.on_parse_token(|token, _, _| match &token {
        Token::DecimalConstant(literal) => match Exact::read(&literal.1) {
            Ok(Exact::Decimal(exact)) => {
                Token::DecimalConstant(Box::new((exact, literal.1.clone())))
            }
            Ok(Exact::Int(whole)) => {
                Token::DecimalConstant(Box::new((Decimal::from(whole), literal.1.clone())))
            }
            Err(fault) => Token::LexError(Box::new(LexError::Runtime(fault.to_string()))),
        },
        _ => token,
    });
}

fn register_numbers(engine: &mut Engine) {
    let types = [
        TypeId::of::<i64>(),
        TypeId::of::<Decimal>(),
        TypeId::of::<WrittenNumber>(),
    ];
    for a in types {
        for b in types {
            for (name, run) in ARITHMETIC {
                engine.register_raw_fn(name, [a, b], move |_, args| {
                    let result = run(exact(args[0])?, exact(args[1])?);
                    result.map(lift_exact).map_err(raise)
                });
            }
            for (name, holds) in COMPARISON {
                engine.register_raw_fn(name, [a, b], move |_, args| {
                    Ok(Dynamic::from_bool(holds(compare(args[0], args[1])?)))
                });
            }
        }
        engine.register_raw_fn("-", [a], |_, args| {
            let result = exact(args[0])?.neg();
            result.map(lift_exact).map_err(raise)
        });
        engine.register_raw_fn("+", [a], |_, args| exact(args[0]).map(lift_exact));
    }
    for name in ["to_string", "to_debug", "print", "debug"] {
        engine.register_fn(name, |n: &mut WrittenNumber| n.text.to_string());
    }
    engine.register_type_with_name::<WrittenNumber>("number");
    engine.register_type_with_name::<Decimal>("number");
}

/// Orders two numbers, those too long to calculate with included.
fn compare(a: &Dynamic, b: &Dynamic) -> Result<Ordering, Raised> {
    if let (Some(Ok(a)), Some(Ok(b))) = (number_in(a), number_in(b)) {
        return Ok(a.cmp(&b));
    }
    let text = |value: &Dynamic| match value.read_lock::<WrittenNumber>() {
        Some(number) => number.text.to_string(),
        None => value.to_string(),
    };
    let (a, b) = (text(a), text(b));
    compare_written(&a, &b)
        .ok_or_else(|| raise(NumberFault::TooLarge(format!("{a} compared with {b}"))))
}

/// The number in an argument whose type says that it is one.
pub(crate) fn exact(value: &Dynamic) -> Result<Exact, Raised> {
    match number_in(value) {
        Some(number) => number.map_err(raise),
        None => Err(raise(Fault::failed(format!(
            "{} is no number",
            value.type_name()
        )))),
    }
}

/// A fault of ours as an error of Rhai's; [`caught`] takes it out again.
pub(crate) fn raise(fault: impl Into<Fault>) -> Raised {
    Box::new(EvalAltResult::ErrorRuntime(
        Dynamic::from(fault.into()),
        Position::NONE,
    ))
}

/// The fault in an error of Rhai's.
pub(crate) fn caught(error: &EvalAltResult) -> Fault {
    let inner = error.unwrap_inner();
    if let EvalAltResult::ErrorRuntime(value, _) = inner
        && let Some(fault) = value.read_lock::<Fault>()
    {
        return fault.clone();
    }
    let message = inner.to_string();
    let bare = message.rsplit_once(" (line ").map_or(&*message, |(m, _)| m);
    Fault::failed(match inner {
        EvalAltResult::ErrorPropertyNotFound(name, _) => format!("there is no field `{name}`"),
        EvalAltResult::ErrorDotExpr(message, _) => match message.split('\'').nth(1) {
            Some(name) => format!("there is no field `{name}`"),
            None => words(message),
        },
        EvalAltResult::ErrorVariableNotFound(name, _) => format!(
            "`{name}` belongs to a function around this one, which reads only its own arguments, data, meta, state and event"
        ),
        EvalAltResult::ErrorTerminated(..) => too_many(),
        EvalAltResult::ErrorDataTooLarge(..) => format!(
            "a value would grow too large: text holds at most {MAX_TEXT_BYTES} bytes, a list {MAX_LIST_LEN} elements, an object {MAX_OBJECT_LEN} members, those of the values in it included"
        ),
        EvalAltResult::ErrorStackOverflow(_) => {
            format!("functions call one another more than {MAX_CALLS} deep")
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            format!("there is no function or operator {}", words(signature))
        }
        _ => words(bare),
    })
}

/// Rhai's names of types in the words of this language.
pub(crate) fn words(message: &str) -> String {
    let view = std::any::type_name::<View>();
    [
        (view, "object or list"),
        (std::any::type_name::<WrittenNumber>(), "number"),
        (std::any::type_name::<Decimal>(), "number"),
        ("i64", "number"),
        ("decimal", "number"),
        ("&str | ImmutableString | String", "text"),
        ("ImmutableString", "text"),
        ("string", "text"),
        ("bool", "true or false"),
        ("()", "null"),
    ]
    .iter()
    .fold(message.to_owned(), |text, (from, to)| {
        text.replace(from, to)
    })
}

fn register_views(engine: &mut Engine) {
    engine.register_type_with_name::<View>("object or list");
    engine.register_indexer_get(|view: &mut View, name: ImmutableString| {
        let (name, may_be_missing) = missing::name_of(&name);
        match view.step(Step::Key(name.to_owned())) {
            Some(found) => Ok(found),
            None if may_be_missing && view.value().is_object() => Ok(Dynamic::UNIT),
            None => Err(raise(no_field(view.value(), name))),
        }
    });
    // Objects that an expression made are the engine's own.
    #[allow(
        deprecated,
        reason = "marked volatile, not deprecated; the version is pinned"
    )]
    engine.on_map_missing_property(|map, written, _| match missing::name_of(written) {
        (name, true) => Ok(map.get(name).cloned().unwrap_or(Dynamic::UNIT).into()),
        (name, false) => {
            let name = name.to_owned();
            Err(EvalAltResult::ErrorPropertyNotFound(name, Position::NONE).into())
        }
    });
    engine.register_indexer_get(|view: &mut View, index: i64| {
        let len = view.value().as_array().map_or(0, Vec::len);
        let place = if index < 0 {
            len.checked_sub(index.unsigned_abs() as usize)
        } else {
            Some(index as usize)
        };
        place
            .and_then(|place| view.step(Step::Index(place)))
            .ok_or_else(|| raise(no_element(view.value(), index)))
    });
    for name in ["to_string", "to_debug", "print", "debug"] {
        engine.register_fn(name, |view: &mut View| view.value().to_string());
    }
    let (view, map, array, any) = (
        TypeId::of::<View>(),
        TypeId::of::<rhai::Map>(),
        TypeId::of::<rhai::Array>(),
        TypeId::of::<Dynamic>(),
    );
    for (a, b) in [
        (view, view),
        (view, map),
        (map, view),
        (view, array),
        (array, view),
        (map, map),
        (array, array),
    ] {
        for (name, holds) in [("==", true), ("!=", false)] {
            engine.register_raw_fn(name, [a, b], move |_, args| {
                let (a, b) = (
                    lower(args[0]).map_err(raise)?,
                    lower(args[1]).map_err(raise)?,
                );
                Ok(Dynamic::from_bool(same(&a, &b) == holds))
            });
        }
    }
    // What Rhai does with lists of its own, it does with a copy of one of ours.
    let function = TypeId::of::<rhai::FnPtr>();
    for name in [
        "map", "filter", "find", "find_map", "some", "all", "reduce", "order", "order_by",
        "index_of", "for_each",
    ] {
        engine.register_raw_fn(name, [view, function], move |ctx, args| {
            as_list(&ctx, name, args)
        });
    }
    for (name, types) in [
        ("reduce", &[view, function, any][..]),
        ("order", &[view][..]),
        ("order_desc", &[view][..]),
        ("extract", &[view, TypeId::of::<i64>()][..]),
        (
            "extract",
            &[view, TypeId::of::<i64>(), TypeId::of::<i64>()][..],
        ),
        ("+", &[view, array][..]),
        ("+", &[view, view][..]),
        ("+", &[array, view][..]),
    ] {
        engine.register_raw_fn(name, types, move |ctx, args| as_list(&ctx, name, args));
    }
}

/// Calls a function for lists with copies of the lists among the arguments that are views.
fn as_list(
    ctx: &NativeCallContext,
    name: &str,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Raised> {
    for arg in args.iter_mut() {
        let list = match arg.read_lock::<View>() {
            Some(view) => match view.value() {
                Value::Array(items) if items.len() > MAX_LIST_LEN => {
                    return Err(raise(Fault::failed(format!(
                        "a list of {} elements is too long to walk through (at most {MAX_LIST_LEN})",
                        items.len()
                    ))));
                }
                Value::Array(items) => {
                    charge(items.len())?;
                    view.to_list()
                }
                other => {
                    return Err(raise(Fault::failed(format!(
                        "`{name}` needs a list, this is {}",
                        kind(other)
                    ))));
                }
            },
            None => None,
        };
        if let Some(list) = list {
            **arg = Dynamic::from_array(list);
        }
    }
    ctx.call_native_fn_raw(name, true, args)
}

/// That an object has no such field, and which it has.
pub(crate) fn no_field(value: &Value, name: &str) -> Fault {
    let Value::Object(fields) = value else {
        return Fault::failed(format!("{} has no field `{name}`", kind(value)));
    };
    let mut known: Vec<String> = fields
        .keys()
        .take(8)
        .map(|key| format!("`{key}`"))
        .collect();
    if fields.len() > known.len() {
        known.push(format!("{} more", fields.len() - known.len()));
    }
    Fault::failed(if known.is_empty() {
        format!("there is no field `{name}` (the object is empty)")
    } else {
        format!("there is no field `{name}` (there is {})", known.join(", "))
    })
}

/// That a list has no such element.
pub(crate) fn no_element(value: &Value, index: i64) -> Fault {
    Fault::failed(match value {
        Value::Array(items) => {
            format!("there is no element {index} (the list has {})", items.len())
        }
        other => format!("{} has no elements", kind(other)),
    })
}

/// Text as an argument of one of our functions.
pub(crate) fn text(value: &Dynamic) -> Result<ImmutableString, Raised> {
    value
        .clone()
        .into_immutable_string()
        .map_err(|found| raise(Fault::failed(format!("{} is no text", words(found)))))
}

/// A shared JSON value for a copy of what an expression computed.
pub(crate) fn shared(value: &Dynamic) -> Result<Arc<Value>, Raised> {
    lower(value).map(Arc::new).map_err(raise)
}
