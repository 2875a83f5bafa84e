//! A shop: customers look, fill carts, order, pay and review; the warehouse reserves, ships and counts its stock.
//!
//! `rules` are its aggregates, `commands` what can be asked of it; `world` decides who asks for what, `words` how it
//! reads. `fulfilment` is a process over its orders.

mod commands;
mod fulfilment;
pub(super) mod rules;
mod words;
mod world;

#[cfg(test)]
mod tests;

pub use self::commands::ShopCommand;
pub use self::fulfilment::{
    Fulfilments, Notification, PAY_WITHIN_SECONDS, PaymentOutcome, ProcessView, send_notifications,
};
pub(super) use self::words::name;
pub(super) use self::world::Shop;

/// Models of the shop: file name and text.
pub(super) const MODELS: [(&str, &str); 7] = [
    ("cart.toml", include_str!("cart.toml")),
    ("customer.toml", include_str!("customer.toml")),
    ("email.toml", include_str!("email.toml")),
    ("inventory.toml", include_str!("inventory.toml")),
    ("order.toml", include_str!("order.toml")),
    ("payment.toml", include_str!("payment.toml")),
    ("product.toml", include_str!("product.toml")),
];

/// Its projections and dashboards: folder, file name and text.
pub(super) const BESIDE: &crate::sample::Beside = &[
    (
        "projections",
        "sales.toml",
        include_str!("projections/sales.toml"),
    ),
    (
        "projections",
        "products.toml",
        include_str!("projections/products.toml"),
    ),
    (
        "dashboards",
        "sales.toml",
        include_str!("dashboards/sales.toml"),
    ),
];
