//! Exact numbers: what expressions calculate with.
//!
//! A number is an integer of 64 bits or a decimal of at most [`MAX_DIGITS`] digits that keeps its scale
//! (`0.00 + 1000.00` is `1000.00`). A result that does not fit is a [`NumberFault`], never rounded. Only
//! division and [`round`] round, half to even, as they say.
//!
//! Left out: numbers that no expression calculates with; they stay the text they were written as.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::Number;

/// Most digits of a number that expressions calculate with, and most digits after its point.
pub const MAX_DIGITS: u32 = 28;

/// Ten to the power of [`MAX_DIGITS`].
const LIMIT: i128 = 10i128.pow(MAX_DIGITS);

/// A number that arithmetic can use.
#[derive(Debug, Clone, Copy)]
pub enum Exact {
    /// A whole number of 64 bits.
    Int(i64),
    /// A decimal with its scale: at most 28 digits, at most 28 of them after the point.
    Decimal(Decimal),
}

/// Why a calculation has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// A number read or a result does not fit 28 digits.
    #[error("{0} does not fit {MAX_DIGITS} digits")]
    TooLarge(String),
    /// Division by zero.
    #[error("{0} is divided by zero")]
    DivisionByZero(String),
    /// The text is no number.
    #[error("{0:?} is no number")]
    NotANumber(String),
    /// An exponent that is not a whole number from 0 on.
    #[error("the exponent {0} is not a whole number from 0 to 1000")]
    Exponent(String),
}

impl Exact {
    /// Reads a number as JSON writes it.
    ///
    /// # Errors
    /// [`NumberFault::TooLarge`] if it does not fit, [`NumberFault::NotANumber`] if the text is no JSON number.
    pub fn read(text: &str) -> Result<Exact, NumberFault> {
        if let Ok(whole) = text.parse::<i64>()
            && !text.starts_with('+')
        {
            return Ok(Exact::Int(whole));
        }
        let parts = Written::read(text).ok_or_else(|| NumberFault::NotANumber(text.to_owned()))?;
        let too_large = || NumberFault::TooLarge(text.to_owned());
        let digits = parts.digits.trim_start_matches('0');
        if digits.is_empty() {
            let scale = parts.fraction.clamp(0, i64::from(MAX_DIGITS));
            return fit(0, scale).ok_or_else(too_large);
        }
        // More digits than 38 fit no mantissa, unless they end in zeros.
        let kept = if digits.len() > 38 {
            digits.trim_end_matches('0')
        } else {
            digits
        };
        let scale = parts.fraction - (digits.len() - kept.len()) as i64;
        let mantissa: i128 = kept.parse().map_err(|_| too_large())?;
        fit(if parts.negative { -mantissa } else { mantissa }, scale).ok_or_else(too_large)
    }

    /// The number as JSON, with its scale.
    #[must_use]
    pub fn to_json(self) -> Number {
        match self {
            Exact::Int(n) => Number::from(n),
            Exact::Decimal(d) => d
                .to_string()
                .parse()
                .expect("a decimal prints as a JSON number"),
        }
    }

    /// Whether JSON text that means this number is also how this number prints.
    #[must_use]
    pub fn prints_as(self, text: &str) -> bool {
        match self {
            Exact::Int(_) => text != "-0" && !text.contains(['e', 'E']),
            Exact::Decimal(_) => self.to_string() == text,
        }
    }

    fn parts(self) -> (i128, u32) {
        match self {
            Exact::Int(n) => (i128::from(n), 0),
            Exact::Decimal(d) => (d.mantissa(), d.scale()),
        }
    }

    fn decimal(self) -> Decimal {
        match self {
            Exact::Int(n) => Decimal::from(n),
            Exact::Decimal(d) => d,
        }
    }

    /// The number with the zeros after its last digit after the point taken off.
    fn shortest(self) -> (i128, u32) {
        let (mut mantissa, mut scale) = self.parts();
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        (mantissa, scale)
    }

    /// The sum, with the larger scale of the two.
    pub fn add(self, other: Exact) -> Result<Exact, NumberFault> {
        if let (Exact::Int(a), Exact::Int(b)) = (self, other)
            && let Some(sum) = a.checked_add(b)
        {
            return Ok(Exact::Int(sum));
        }
        let aligned =
            align(self.parts(), other.parts()).or_else(|| align(self.shortest(), other.shortest()));
        aligned
            .and_then(|(a, b, scale)| fit(a.checked_add(b)?, i64::from(scale)))
            .ok_or_else(|| NumberFault::TooLarge(format!("{self} + {other}")))
    }

    /// The difference, with the larger scale of the two.
    pub fn sub(self, other: Exact) -> Result<Exact, NumberFault> {
        let negative = match other {
            Exact::Int(n) => match n.checked_neg() {
                Some(n) => Exact::Int(n),
                None => Exact::Decimal(-Decimal::from(n)),
            },
            Exact::Decimal(d) => Exact::Decimal(-d),
        };
        self.add(negative).map_err(|fault| match fault {
            NumberFault::TooLarge(_) => NumberFault::TooLarge(format!("{self} - {other}")),
            other => other,
        })
    }

    /// The product, with the scales added up.
    pub fn mul(self, other: Exact) -> Result<Exact, NumberFault> {
        if let (Exact::Int(a), Exact::Int(b)) = (self, other)
            && let Some(product) = a.checked_mul(b)
        {
            return Ok(Exact::Int(product));
        }
        let product = |a: (i128, u32), b: (i128, u32)| {
            fit(a.0.checked_mul(b.0)?, i64::from(a.1) + i64::from(b.1))
        };
        product(self.parts(), other.parts())
            .or_else(|| product(self.shortest(), other.shortest()))
            .ok_or_else(|| NumberFault::TooLarge(format!("{self} * {other}")))
    }

    /// The quotient: exact where it has an end within 28 digits, else rounded there, half to even.
    pub fn div(self, other: Exact) -> Result<Exact, NumberFault> {
        let ((a, a_scale), (b, b_scale)) = (self.parts(), other.parts());
        if b == 0 {
            return Err(NumberFault::DivisionByZero(self.to_string()));
        }
        let too_large = || NumberFault::TooLarge(format!("{self} / {other}"));
        let negative = (a < 0) != (b < 0);
        let (a, b) = (a.abs(), b.abs());
        let (mut quotient, mut rest) = (a / b, a % b);
        let mut scale = i64::from(a_scale) - i64::from(b_scale);
        while scale < 0 || (rest != 0 && scale < i64::from(MAX_DIGITS)) {
            if quotient >= LIMIT / 10 {
                if scale < 0 {
                    return Err(too_large());
                }
                break;
            }
            rest *= 10;
            quotient = quotient * 10 + rest / b;
            rest %= b;
            scale += 1;
        }
        if rest != 0 {
            let up = match (rest * 2).cmp(&b) {
                Ordering::Less => 0,
                Ordering::Equal => quotient % 2,
                Ordering::Greater => 1,
            };
            quotient += up;
        }
        fit(if negative { -quotient } else { quotient }, scale).ok_or_else(too_large)
    }

    /// What is left after whole division; it has the sign of the first.
    pub fn rem(self, other: Exact) -> Result<Exact, NumberFault> {
        if other.parts().0 == 0 {
            return Err(NumberFault::DivisionByZero(self.to_string()));
        }
        align(self.parts(), other.parts())
            .or_else(|| align(self.shortest(), other.shortest()))
            .and_then(|(a, b, scale)| fit(a % b, i64::from(scale)))
            .ok_or_else(|| NumberFault::TooLarge(format!("{self} % {other}")))
    }

    /// The power with a whole exponent from 0 to 1000.
    pub fn pow(self, exponent: Exact) -> Result<Exact, NumberFault> {
        let Exact::Int(times @ 0..=1000) = exponent else {
            return Err(NumberFault::Exponent(exponent.to_string()));
        };
        (0..times).try_fold(Exact::Int(1), |product, _| product.mul(self))
    }

    /// The number with the other sign.
    pub fn neg(self) -> Result<Exact, NumberFault> {
        Exact::Int(0).sub(self)
    }

    /// The number without its sign.
    pub fn abs(self) -> Result<Exact, NumberFault> {
        if self.parts().0 < 0 {
            self.neg()
        } else {
            Ok(self)
        }
    }

    /// Rounds to at most `places` digits after the point, half to even.
    #[must_use]
    pub fn round(self, places: u32) -> Exact {
        match self {
            Exact::Int(_) => self,
            Exact::Decimal(d) => canonical(d.round_dp_with_strategy(
                places,
                rust_decimal::RoundingStrategy::MidpointNearestEven,
            )),
        }
    }

    /// The largest whole number that is not larger.
    #[must_use]
    pub fn floor(self) -> Exact {
        match self {
            Exact::Int(_) => self,
            Exact::Decimal(d) => canonical(d.floor()),
        }
    }

    /// The smallest whole number that is not smaller.
    #[must_use]
    pub fn ceil(self) -> Exact {
        match self {
            Exact::Int(_) => self,
            Exact::Decimal(d) => canonical(d.ceil()),
        }
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Exact) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> Ordering {
        match (self, other) {
            (Exact::Int(a), Exact::Int(b)) => a.cmp(b),
            _ => self.decimal().cmp(&other.decimal()),
        }
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exact::Int(n) => n.fmt(f),
            Exact::Decimal(d) => d.fmt(f),
        }
    }
}

/// A whole decimal that 64 bits hold becomes an integer, so that one value has one form.
pub(crate) fn canonical(decimal: Decimal) -> Exact {
    fit(decimal.mantissa(), i64::from(decimal.scale())).unwrap_or(Exact::Decimal(decimal))
}

/// Both mantissas at the larger of the two scales; `None` if that does not fit 128 bits.
fn align(a: (i128, u32), b: (i128, u32)) -> Option<(i128, i128, u32)> {
    let scale = a.1.max(b.1);
    let widen =
        |(mantissa, own): (i128, u32)| mantissa.checked_mul(10i128.checked_pow(scale - own)?);
    Some((widen(a)?, widen(b)?, scale))
}

/// `mantissa / 10^scale` within the limits, its closing zeros given up only where they do not fit.
fn fit(mut mantissa: i128, mut scale: i64) -> Option<Exact> {
    while scale < 0 {
        if mantissa.abs() >= LIMIT {
            return None;
        }
        if mantissa == 0 {
            scale = 0;
            break;
        }
        mantissa *= 10;
        scale += 1;
    }
    while mantissa.checked_abs()? >= LIMIT || scale > i64::from(MAX_DIGITS) {
        if scale == 0 || mantissa % 10 != 0 {
            return None;
        }
        if mantissa == 0 {
            scale = i64::from(MAX_DIGITS);
            break;
        }
        mantissa /= 10;
        scale -= 1;
    }
    if scale == 0
        && let Ok(whole) = i64::try_from(mantissa)
    {
        return Some(Exact::Int(whole));
    }
    let scale = u32::try_from(scale).ok()?;
    Decimal::try_from_i128_with_scale(mantissa, scale)
        .ok()
        .map(Exact::Decimal)
}

/// A number's text taken apart: `-12.50e3` is the digits `1250`, `fraction` 2 − 3 = −1, negative.
struct Written {
    negative: bool,
    digits: String,
    /// Digits after the point, the exponent taken off; negative means zeros to add.
    fraction: i64,
}

impl Written {
    fn read(text: &str) -> Option<Written> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || mantissa.ends_with('.') {
            return None;
        }
        Some(Written {
            negative,
            digits: format!("{whole}{fraction}"),
            fraction: (fraction.len() as i64).checked_sub(exponent)?,
        })
    }
}

/// Compares two numbers of any length as JSON writes them; `None` if an exponent does not fit 64 bits.
#[must_use]
pub fn compare_written(a: &str, b: &str) -> Option<Ordering> {
    if a == b {
        return Some(Ordering::Equal);
    }
    let (a, b) = (Written::read(a)?, Written::read(b)?);
    // Sign, then the power of ten of the first digit, then the digits.
    let key = |n: &Written| -> Option<(i8, i64, String)> {
        let lead = n.digits.trim_start_matches('0');
        let digits = lead.trim_end_matches('0');
        if digits.is_empty() {
            return Some((0, 0, String::new()));
        }
        let magnitude = (lead.len() as i64).checked_sub(n.fraction)?;
        Some((
            if n.negative { -1 } else { 1 },
            magnitude,
            digits.to_owned(),
        ))
    };
    let (a, b) = (key(&a)?, key(&b)?);
    Some(a.0.cmp(&b.0).then_with(|| {
        let size = a.1.cmp(&b.1).then_with(|| a.2.cmp(&b.2));
        if a.0 < 0 { size.reverse() } else { size }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn n(text: &str) -> Exact {
        Exact::read(text).unwrap()
    }

    #[test]
    fn numbers_are_read_with_their_scale() {
        for (text, want) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.00", "0.00"),
            ("109.970", "109.970"),
            ("1e2", "100"),
            ("1.50E1", "15.0"),
            ("25e-1", "2.5"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9223372036854775808"),
            (
                "9999999999999999999999999999",
                "9999999999999999999999999999",
            ),
            ("1e27", "1000000000000000000000000000"),
            ("0e99999", "0"),
            ("-1e-28", "-0.0000000000000000000000000001"),
            (
                "1.00000000000000000000000000000000",
                "1.000000000000000000000000000",
            ),
        ] {
            assert_eq!(n(text).to_string(), want, "{text}");
        }
    }

    #[test]
    fn numbers_past_28_digits_are_refused() {
        for text in [
            "10000000000000000000000000001",
            "79228162514264337593543950335",
            "1e28",
            "1e-29",
            "0.12345678901234567890123456789",
            "1e999999999",
        ] {
            assert_eq!(
                Exact::read(text),
                Err(NumberFault::TooLarge(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn arithmetic_is_exact_or_refused() {
        assert_eq!(n("0.00").add(n("1000.00")).unwrap().to_string(), "1000.00");
        assert_eq!(
            n("1450.00").sub(n("202.17")).unwrap().to_string(),
            "1247.83"
        );
        assert_eq!(n("29.99").mul(n("2")).unwrap().to_string(), "59.98");
        assert_eq!(
            n("9223372036854775807").add(n("1")).unwrap().to_string(),
            "9223372036854775808"
        );
        assert_eq!(
            n("0").sub(n("-9223372036854775808")).unwrap().to_string(),
            "9223372036854775808"
        );
        for fault in [
            n("9999999999999999999999999999").add(n("1")),
            n("0.00000000000001").mul(n("0.000000000000001")),
            n("1000000000000001").mul(n("1000000000000001")),
            n("9999999999999999999999999999").add(n("0.1")),
            n("10").pow(n("28")),
        ] {
            assert!(matches!(fault, Err(NumberFault::TooLarge(_))), "{fault:?}");
        }
        // A sum whose closing zero does not fit loses the zero, not a digit that counts.
        assert_eq!(
            n("1000000000000000000000000000")
                .add(n("0.0"))
                .unwrap()
                .to_string(),
            "1000000000000000000000000000"
        );
    }

    #[test]
    fn division_is_half_even_at_28_digits() {
        for (a, b, want) in [
            ("10", "4", "2.5"),
            ("6", "3", "2"),
            ("10.00", "4", "2.50"),
            ("1", "3", "0.3333333333333333333333333333"),
            ("2", "3", "0.6666666666666666666666666667"),
            ("-2", "3", "-0.6666666666666666666666666667"),
            ("1", "0.0000000000000000000000000001", "1e28"),
            ("100", "0.25", "400"),
        ] {
            let got = n(a).div(n(b)).map(|q| q.to_string());
            match want {
                "1e28" => assert!(got.is_err()),
                want => assert_eq!(got.as_deref(), Ok(want), "{a} / {b}"),
            }
        }
        assert!(matches!(
            n("1").div(n("0.0")),
            Err(NumberFault::DivisionByZero(_))
        ));
    }

    #[test]
    fn numbers_of_any_length_compare() {
        for (a, b, want) in [
            ("1.0", "1.00", Ordering::Equal),
            ("1e2", "100", Ordering::Equal),
            ("-0", "0.0", Ordering::Equal),
            ("1e-40", "0", Ordering::Greater),
            ("-1e40", "1", Ordering::Less),
            ("-1e41", "-1e40", Ordering::Less),
            (
                "12345678901234567890123456789012345678901",
                "12345678901234567890123456789012345678902",
                Ordering::Less,
            ),
        ] {
            assert_eq!(compare_written(a, b), Some(want), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn sums_and_products_match_whole_number_arithmetic(a in -10i128.pow(18)..10i128.pow(18), b in -10i128.pow(9)..10i128.pow(9), sa in 0u32..9, sb in 0u32..9) {
            let x = fit(a, i64::from(sa)).unwrap();
            let y = fit(b, i64::from(sb)).unwrap();
            let sum = x.add(y).unwrap();
            let scale = sa.max(sb);
            let want = fit(a * 10i128.pow(scale - sa) + b * 10i128.pow(scale - sb), i64::from(scale)).unwrap();
            prop_assert_eq!(sum.to_string(), want.to_string());
            prop_assert_eq!(sum.sub(y).unwrap(), x);
            prop_assert_eq!(x.mul(y).unwrap(), fit(a * b, i64::from(sa + sb)).unwrap());
        }

        #[test]
        fn a_number_prints_as_it_was_read(whole in "0|-?[1-9][0-9]{0,12}", fraction in "(\\.[0-9]{1,10})?") {
            let text = format!("{whole}{fraction}");
            prop_assert_eq!(n(&text).to_string(), text.as_str());
            prop_assert!(n(&text).prints_as(&text));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,40}") {
            let _ = Exact::read(&text);
            let _ = compare_written(&text, "1");
        }
    }
}
