//! An exact amount: what typed events and commands hold in place of a float.

use std::fmt::{self, Display};
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An exact decimal of at most 28 digits, a JSON number on the wire; digits after the point are kept as written.
///
/// ```
/// use annals_core::command::Amount;
/// let amount: Amount = serde_json::from_str("109.90").unwrap();
/// assert_eq!((amount + Amount::cents(10)).to_string(), "110.00");
/// assert_eq!(serde_json::to_string(&amount).unwrap(), "109.90");
/// assert!(serde_json::from_str::<Amount>("\"109.90\"").is_err());
/// ```
///
/// # Panics
/// Calculating panics where a result does not fit 28 digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub Decimal);

impl Amount {
    /// Nothing, written `0`.
    pub const ZERO: Amount = Amount(Decimal::ZERO);

    /// So many hundredths, written with two digits after the point.
    #[must_use]
    pub fn cents(cents: i64) -> Amount {
        Amount(Decimal::new(cents, 2))
    }

    /// Whether it is more than nothing.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self > Amount::ZERO
    }
}

impl From<u64> for Amount {
    fn from(whole: u64) -> Amount {
        Amount(whole.into())
    }
}

impl Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Amount, String> {
        let exact = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
        let fits = exact.map_err(|_| format!("{text} does not fit an amount of 28 digits"))?;
        Ok(Amount(fits))
    }
}

impl Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0 - other.0)
    }
}

impl Mul<u64> for Amount {
    type Output = Amount;
    fn mul(self, times: u64) -> Amount {
        Amount(self.0 * Decimal::from(times))
    }
}

impl Neg for Amount {
    type Output = Amount;
    fn neg(self) -> Amount {
        Amount(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.0 += other.0;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Amount) {
        self.0 -= other.0;
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(all: I) -> Amount {
        all.fold(Amount::ZERO, |sum, one| sum + one)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = serde_json::Number::from_str(&self.0.to_string());
        number
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        number.to_string().parse().map_err(serde::de::Error::custom)
    }
}
