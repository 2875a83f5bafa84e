//! How the shop's things read: names, addresses, amounts, and the texts of payloads. What stands in them needs
//! no escaping in JSON.

use super::super::worlds::random::{Random, mix};
use super::rules::Address;
use crate::command::Amount;

const FIRST: [&str; 24] = [
    "Amina", "Andrej", "Beatriz", "Chidi", "Clara", "Dmitri", "Elif", "Emma", "Farid", "Grace",
    "Hana", "Ivan", "Jonas", "Kenji", "Lucía", "Mateo", "Nadia", "Olu", "Priya", "Rosa", "Sven",
    "Tomás", "Wei", "Zoë",
];
const LAST: [&str; 24] = [
    "Abadi", "Berg", "Costa", "Dubois", "Eze", "Fischer", "García", "Haddad", "Ivanova", "Jensen",
    "Kim", "Larsen", "Müller", "Novák", "Okafor", "Petrov", "Rossi", "Sato", "Silva", "Smith",
    "Tanaka", "Weber", "Yılmaz", "Zhang",
];
const STREETS: [&str; 12] = [
    "Main St",
    "Station Rd",
    "Mill Lane",
    "Church St",
    "Harbour Way",
    "Oak Avenue",
    "Hill Rd",
    "Market Sq",
    "Park Row",
    "River St",
    "School Lane",
    "Bridge St",
];
const CITIES: [(&str, u64); 12] = [
    ("Anytown", 12345),
    ("Riverton", 20110),
    ("Oakfield", 30420),
    ("Lakeside", 41230),
    ("Hilltop", 50700),
    ("Westport", 60310),
    ("Eastham", 70120),
    ("Northgate", 80540),
    ("Southbay", 90210),
    ("Milford", 10115),
    ("Ashby", 28010),
    ("Kingsley", 75001),
];

pub(super) const CARRIERS: [&str; 3] = ["UPS", "DHL", "PostNord"];
pub(super) const WAREHOUSE: [&str; 6] = [
    "wh.berg", "wh.eze", "wh.kim", "wh.novak", "wh.rossi", "wh.silva",
];
pub(super) const SUPPORT: [&str; 4] = [
    "support.amina",
    "support.jonas",
    "support.rosa",
    "support.wei",
];
pub(super) const SUPPLIERS: [&str; 5] = [
    "Acme Trading",
    "Bright Goods",
    "Corner Supply",
    "Delta Wholesale",
    "Evergreen Import",
];

/// An amount of money in cents, written as a decimal with two digits after the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cents(pub(super) i64);

impl Cents {
    /// The amount as a JSON number.
    pub(super) fn value(self) -> serde_json::Value {
        let value = serde_json::to_value(Amount::cents(self.0));
        value.expect("an amount is a number")
    }
}

/// A number that follows from two others, the same whenever it is asked for: what is not worth remembering.
fn mixed(a: u64, b: u64) -> Random {
    Random::new(mix(a, b))
}

/// Name of a customer.
pub(in crate::sample) fn name(seed: u64, customer: u64) -> String {
    let mut random = mixed(seed, customer);
    format!("{} {}", random.pick(&FIRST), random.pick(&LAST))
}

/// Address for mail of a customer after so many changes; nobody else has it.
pub(super) fn email(customer: u64, change: u64) -> String {
    match change {
        0 => format!("customer{customer}@mail.example"),
        n => format!("customer{customer}.{n}@post.example"),
    }
}

/// Home of a customer after so many moves.
pub(super) fn address(seed: u64, customer: u64, moves: u64) -> Address {
    let mut random = mixed(seed ^ 0x5eed, customer * 1_000 + moves);
    let (city, zip) = random.pick(&CITIES);
    Address {
        street: format!("{} {}", 1 + random.below(240), random.pick(&STREETS)),
        city: (*city).to_owned(),
        zip_code: zip.to_string(),
    }
}

/// Price of a product: most are cheap, some are not.
pub(super) fn price(seed: u64, product: u64) -> Cents {
    let mut random = mixed(seed ^ 0x0009_71ce, product);
    let whole = match random.below(10) {
        0..5 => random.between(2, 19),
        5..9 => random.between(20, 99),
        _ => random.between(100, 599),
    };
    Cents(whole * 100 + *random.pick(&[0, 49, 50, 90, 95, 99]))
}
