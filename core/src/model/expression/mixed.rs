//! Operators between values of different kinds. Rhai alone would say false, or join them as text; both hide a
//! mistake in the model or the data, so both are faults that say what to write.

use std::any::TypeId;

use rhai::{Dynamic, Engine, FnPtr, ImmutableString};
use rust_decimal::Decimal;

use super::Fault;
use super::engine::raise;
use super::view::{View, WrittenNumber, lower};
use crate::model::value::kind;

/// What a value is to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Null,
    Bool,
    /// An object or a list of the event, or one that the expression made.
    Holder,
    Function,
}

const ORDER: [&str; 4] = ["<", "<=", ">", ">="];
const EQUALITY: [&str; 2] = ["==", "!="];
const CALCULATION: [&str; 5] = ["-", "*", "/", "%", "**"];

/// Gives every operator its fault for the kinds that it does not take.
pub(crate) fn register(engine: &mut Engine) {
    use Kind::{Bool, Function, Holder, Null, Number, Text};
    let types = [
        (TypeId::of::<i64>(), Number),
        (TypeId::of::<Decimal>(), Number),
        (TypeId::of::<WrittenNumber>(), Number),
        (TypeId::of::<ImmutableString>(), Text),
        (TypeId::of::<char>(), Text),
        (TypeId::of::<()>(), Null),
        (TypeId::of::<bool>(), Bool),
        (TypeId::of::<View>(), Holder),
        (TypeId::of::<rhai::Array>(), Holder),
        (TypeId::of::<rhai::Map>(), Holder),
        (TypeId::of::<FnPtr>(), Function),
    ];
    for (a, kind_a) in types {
        for (b, kind_b) in types {
            let refuse = |engine: &mut Engine, operator: &'static str| {
                engine.register_raw_fn(operator, [a, b], move |_, args| {
                    Err::<Dynamic, _>(raise(fault(operator, args[0], args[1])))
                });
            };
            let pair = (kind_a, kind_b);
            if !matches!(pair, (Number, Number) | (Text, Text)) {
                for operator in ORDER {
                    refuse(engine, operator);
                }
            }
            // Whether something is null may be asked of everything.
            if kind_a != kind_b && kind_a != Null && kind_b != Null {
                for operator in EQUALITY {
                    refuse(engine, operator);
                }
            }
            if kind_a != kind_b && (kind_a == Text || kind_b == Text) {
                refuse(engine, "+");
            }
            if matches!(pair, (Number, Null) | (Null, Number)) {
                refuse(engine, "+");
            }
            if matches!(
                pair,
                (Number, Text | Null) | (Text | Null, Number) | (Text, Text)
            ) {
                for operator in CALCULATION {
                    refuse(engine, operator);
                }
            }
        }
    }
}

/// What is wrong with these two, and what to write.
fn fault(operator: &str, a: &Dynamic, b: &Dynamic) -> Fault {
    let told = |value: &Dynamic| match lower(value) {
        Ok(value) => kind(&value),
        Err(_) => "a function",
    };
    let (a, b) = (told(a), told(b));
    let is = |kind: &str| a == kind || b == kind;
    let advice = if operator == "+" && is("text") {
        "write text(…) around what is to be joined to text, or number(…) around the text to add it"
    } else if is("text") && is("a number") {
        "write number(…) around the text"
    } else if is("null") {
        "ask first with `!= ()` or has(…), or write get(object, 'field', value) or `?? value` for a value in its place"
    } else if ORDER.contains(&operator) {
        "only two numbers or two texts have an order"
    } else if EQUALITY.contains(&operator) {
        "compare values of one kind, or ask for the kind with type_of(…)"
    } else {
        "write number(…) around each text"
    };
    Fault::failed(format!("{a} {operator} {b} has no meaning: {advice}"))
}
