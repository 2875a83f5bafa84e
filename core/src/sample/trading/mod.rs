//! A broker: clients open accounts, deposit, place orders that are executed in parts, and have dividends paid.
//!
//! `rules` are its aggregates and commands, `world` decides who asks for what.

pub(super) mod rules;
#[cfg(test)]
mod tests;
mod world;

pub use self::rules::TradingCommand;
pub(super) use self::world::Trading;

/// Models of the broker: file name and text.
pub(super) const MODELS: [(&str, &str); 2] = [
    ("account.toml", include_str!("account.toml")),
    ("order.toml", include_str!("order.toml")),
];

/// Its projections and dashboards: folder, file name and text.
pub(super) const BESIDE: &crate::sample::Beside = &[
    (
        "projections",
        "market.toml",
        include_str!("projections/market.toml"),
    ),
    (
        "projections",
        "desk.toml",
        include_str!("projections/desk.toml"),
    ),
    (
        "dashboards",
        "desk.toml",
        include_str!("dashboards/desk.toml"),
    ),
];
