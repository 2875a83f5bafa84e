//! Numbers in answers: exact, and the same text for the same number.

use std::cmp::Ordering;

use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::grammar::Measure;
use crate::model::{Exact, compare_written};

/// A value as the wire has it.
pub(super) fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A count as the wire has it.
pub(super) fn raw_count(count: u64) -> Box<RawValue> {
    raw(&Value::from(count))
}

/// Nanoseconds as seconds: all digits, no zeros at the end.
pub(super) fn seconds(ns: i128) -> Value {
    let sign = if ns < 0 { "-" } else { "" };
    let (whole, rest) = (
        ns.unsigned_abs() / 1_000_000_000,
        ns.unsigned_abs() % 1_000_000_000,
    );
    let text = if rest == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:09}")
            .trim_end_matches('0')
            .to_owned()
    };
    number(&text)
}

/// A quotient of whole numbers, at most `places` digits after the point, half to even; and whether it had to be
/// rounded. The divisor is above 0.
pub(super) fn quotient(dividend: i128, divisor: i128, places: u32) -> (Value, bool) {
    let sign = if dividend < 0 { "-" } else { "" };
    let (whole, mut rest) = (dividend.abs() / divisor, dividend.abs() % divisor);
    let mut digits = whole;
    for _ in 0..places {
        // A rest is below the divisor, which no question makes larger than 2^120.
        rest = rest.saturating_mul(10);
        digits = digits.saturating_mul(10).saturating_add(rest / divisor);
        rest %= divisor;
    }
    let up = match rest.saturating_mul(2).cmp(&divisor) {
        Ordering::Less => 0,
        Ordering::Equal => digits % 2,
        Ordering::Greater => 1,
    };
    digits += up;
    let text = format!("{digits:0>width$}", width = places as usize + 1);
    let (whole, fraction) = text.split_at(text.len() - places as usize);
    let fraction = fraction.trim_end_matches('0');
    let sign = if digits == 0 { "" } else { sign };
    let text = if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    };
    (number(&text), rest != 0)
}

fn number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// A text that is the same for values that mean the same.
pub(super) fn same_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(number)) => match Exact::read(number.as_str()) {
            Ok(exact) => {
                let text = exact.to_string();
                match text.contains('.') {
                    true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                    false => text,
                }
            }
            Err(_) => number.to_string(),
        },
        Some(value) => value.to_string(),
        None => "null".to_owned(),
    }
}

/// Groups in order: none, truths, numbers, texts, lists, objects.
pub(super) fn group_order(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let rank = |value: Option<&Value>| match value {
        None | Some(Value::Null) => 0,
        Some(Value::Bool(_)) => 1,
        Some(Value::Number(_)) => 2,
        Some(Value::String(_)) => 3,
        Some(Value::Array(_)) => 4,
        Some(Value::Object(_)) => 5,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            compare_written(a.as_str(), b.as_str()).unwrap_or_else(|| a.as_str().cmp(b.as_str()))
        }
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        _ => Ordering::Equal,
    })
}

/// Numbers taken one by one.
#[derive(Debug, Clone)]
pub(super) struct Gathered {
    pub(super) count: u64,
    sum: Result<Exact, String>,
    least: Option<Number>,
    greatest: Option<Number>,
}

impl Default for Gathered {
    fn default() -> Gathered {
        Gathered {
            count: 0,
            sum: Ok(Exact::Int(0)),
            least: None,
            greatest: None,
        }
    }
}

impl Gathered {
    /// Takes one more.
    pub(super) fn take(&mut self, number: &Number) {
        self.count += 1;
        self.sum = match (&self.sum, Exact::read(number.as_str())) {
            (Ok(sum), Ok(more)) => sum.add(more).map_err(|fault| fault.to_string()),
            (Ok(_), Err(fault)) => Err(fault.to_string()),
            (Err(fault), _) => Err(fault.clone()),
        };
        let beyond = |kept: &Option<Number>, side: Ordering| {
            kept.as_ref()
                .is_none_or(|kept| compare_written(number.as_str(), kept.as_str()) == Some(side))
        };
        if beyond(&self.least, Ordering::Less) {
            self.least = Some(number.clone());
        }
        if beyond(&self.greatest, Ordering::Greater) {
            self.greatest = Some(number.clone());
        }
    }

    /// The measure; `None` where there were no numbers.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub(super) fn measure(&self, measure: Measure) -> Result<Option<Number>, String> {
        match measure {
            Measure::Least => Ok(self.least.clone()),
            Measure::Greatest => Ok(self.greatest.clone()),
            Measure::Sum => self.sum.clone().map(|sum| Some(sum.to_json())),
            Measure::Average if self.count == 0 => Ok(None),
            Measure::Average => {
                let count = i64::try_from(self.count).unwrap_or(i64::MAX);
                let average = self.sum.clone()?.div(Exact::Int(count));
                average
                    .map(|average| Some(average.to_json()))
                    .map_err(|fault| fault.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_keep_every_digit_and_no_more() {
        for (ns, want) in [
            (0, "0"),
            (1, "0.000000001"),
            (-1_500_000_000, "-1.5"),
            (86_400_000_000_000, "86400"),
        ] {
            assert_eq!(seconds(ns).to_string(), want);
        }
    }

    #[test]
    fn quotients_are_rounded_half_to_even_and_say_so() {
        for (a, b, want, rounded) in [
            (31, 31, "1", false),
            (1, 3, "0.333333", true),
            (2, 3, "0.666667", true),
            (-1, 8, "-0.125", false),
            (1, 2_000_000, "0", true),
            (3, 2_000_000, "0.000002", true),
            (0, 7, "0", false),
        ] {
            let (value, is_rounded) = quotient(a, b, 6);
            assert_eq!(
                (value.to_string().as_str(), is_rounded),
                (want, rounded),
                "{a}/{b}"
            );
        }
    }
}
