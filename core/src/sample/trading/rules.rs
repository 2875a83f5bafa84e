//! The broker's aggregates, their rules and commands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::worlds::{Breach, Carry, link, stream};
use crate::command::{Aggregate, Amount, CommandError, Work};
use crate::event::NewLink;

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Shares for cash.
    Buy,
    /// Cash for shares.
    Sell,
}

/// An account, as its rules need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// It was opened.
    pub opened: bool,
    /// It was closed.
    pub closed: bool,
    /// Cash, that promised to open orders included.
    pub cash: Amount,
    /// Cash promised to open orders, by order.
    pub reserved: BTreeMap<String, Amount>,
    /// Shares, those promised to open orders included.
    pub positions: BTreeMap<String, u64>,
    /// Shares promised to open orders, by order.
    pub promised: BTreeMap<String, (String, u64)>,
}

/// What an account can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum AccountCommand {
    Open {
        account_id: String,
        owner: String,
    },
    Deposit {
        amount: Amount,
        reference: String,
    },
    /// Nothing: refuses what the account does not cover.
    MayPlace {
        symbol: String,
        side: Side,
        quantity: u64,
        limit: Amount,
    },
    PayDividend {
        symbol: String,
        per_share: Amount,
    },
    Close {
        reason: String,
    },
}

/// What can happen to an account: its own events, and those of its orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    reason = "the guide's events; the fields say what they are"
)]
pub enum AccountEvent {
    AccountOpened {
        account_id: String,
        owner: String,
        currency: String,
    },
    FundsDeposited {
        amount: Amount,
        reference: String,
    },
    DividendReceived {
        symbol: String,
        shares: u64,
        per_share: Amount,
        amount: Amount,
    },
    AccountClosed {
        paid_out: Amount,
        reason: String,
    },
    OrderPlaced(Placed),
    OrderExecuted(Executed),
    OrderCancelled {
        order_id: String,
    },
}

/// What an order that was placed says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Placed {
    pub order_id: String,
    pub account_id: String,
    pub symbol: String,
    pub side: Side,
    pub quantity: u64,
    pub limit: Amount,
}

/// What an execution says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Executed {
    pub order_id: String,
    pub account_id: String,
    pub symbol: String,
    pub side: Side,
    pub quantity: u64,
    pub price: Amount,
    pub amount: Amount,
    pub limit: Amount,
    pub remaining: u64,
}

impl Account {
    /// Cash that is promised to nobody.
    #[must_use]
    pub fn free_cash(&self) -> Amount {
        self.cash - self.reserved.values().copied().sum()
    }

    /// Shares that are promised to nobody.
    #[must_use]
    pub fn free_shares(&self, symbol: &str) -> u64 {
        let all = self.positions.get(symbol).copied().unwrap_or_default();
        let promised = self.promised.values().filter(|(of, _)| of == symbol);
        all.saturating_sub(promised.map(|(_, quantity)| quantity).sum())
    }

    fn open(&self) -> Result<(), Breach> {
        if !self.opened || self.closed {
            let said = if self.closed {
                "was closed"
            } else {
                "was never opened"
            };
            let said = format!("the account {said}");
            return Err(Breach::new("account-is-open", &["status"], said));
        }
        Ok(())
    }
}

impl Aggregate for Account {
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Rejection = Breach;

    fn handle(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, Breach> {
        if !matches!(command, AccountCommand::Open { .. }) {
            self.open()?;
        }
        Ok(vec![match command {
            AccountCommand::Open { account_id, owner } => {
                if self.opened {
                    let said = format!("{account_id} was opened before");
                    return Err(Breach::new("opened-once", &["status"], said));
                }
                AccountEvent::AccountOpened {
                    account_id,
                    owner,
                    currency: "USD".to_owned(),
                }
            }
            AccountCommand::Deposit { amount, reference } => {
                if !amount.is_positive() {
                    let said = format!("{amount} is no deposit");
                    return Err(Breach::new("deposit-positive", &[], said));
                }
                AccountEvent::FundsDeposited { amount, reference }
            }
            AccountCommand::MayPlace {
                symbol,
                side,
                quantity,
                limit,
            } => match side {
                Side::Buy if limit * quantity > self.free_cash() => {
                    let (cost, free) = (limit * quantity, self.free_cash());
                    let said = format!("{cost} would be needed and {free} is free");
                    return Err(Breach::new("cash-covers-buys", &["cash", "reserved"], said));
                }
                Side::Sell if quantity > self.free_shares(&symbol) => {
                    let free = self.free_shares(&symbol);
                    let said = format!("{free} of {symbol} are free, {quantity} were to be sold");
                    let looked_at = &["positions", "promised"];
                    return Err(Breach::new("position-covers-sells", looked_at, said));
                }
                Side::Buy | Side::Sell => return Ok(Vec::new()),
            },
            AccountCommand::PayDividend { symbol, per_share } => {
                let shares = self.positions.get(&symbol).copied().unwrap_or_default();
                if shares == 0 {
                    let said = format!("the account holds no {symbol}");
                    return Err(Breach::new(
                        "dividend-for-shares-held",
                        &["positions"],
                        said,
                    ));
                }
                AccountEvent::DividendReceived {
                    amount: Amount((per_share * shares).0.round_dp(2)),
                    symbol,
                    shares,
                    per_share,
                }
            }
            AccountCommand::Close { reason } => {
                let open = self.reserved.len() + self.promised.len();
                let held: u64 = self.positions.values().sum();
                if open > 0 || held > 0 {
                    let said = format!("{open} orders are open and {held} shares held");
                    let looked_at = &["openOrders", "positions"];
                    return Err(Breach::new("close-only-when-settled", looked_at, said));
                }
                AccountEvent::AccountClosed {
                    paid_out: self.cash,
                    reason,
                }
            }
        }])
    }

    fn apply(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::AccountOpened { .. } => {
                self.opened = true;
                self.cash = Amount::cents(0);
            }
            AccountEvent::FundsDeposited { amount, .. }
            | AccountEvent::DividendReceived { amount, .. } => self.cash += amount,
            AccountEvent::AccountClosed { paid_out, .. } => {
                self.closed = true;
                self.cash -= paid_out;
            }
            AccountEvent::OrderPlaced(placed) => match placed.side {
                Side::Buy => {
                    let cost = placed.limit * placed.quantity;
                    self.reserved.insert(placed.order_id, cost);
                }
                Side::Sell => {
                    let shares = (placed.symbol, placed.quantity);
                    self.promised.insert(placed.order_id, shares);
                }
            },
            AccountEvent::OrderExecuted(executed) => {
                let Executed {
                    order_id,
                    symbol,
                    side,
                    quantity,
                    amount,
                    limit,
                    remaining,
                    ..
                } = executed;
                let held = self.positions.entry(symbol.clone()).or_default();
                match side {
                    Side::Buy => {
                        *held += quantity;
                        self.cash -= amount;
                        self.reserved.insert(order_id.clone(), limit * remaining);
                    }
                    Side::Sell => {
                        *held = held.saturating_sub(quantity);
                        self.cash += amount;
                        self.promised.insert(order_id.clone(), (symbol, remaining));
                    }
                }
                if remaining == 0 {
                    self.reserved.remove(&order_id);
                    self.promised.remove(&order_id);
                }
                self.positions.retain(|_, shares| *shares > 0);
            }
            AccountEvent::OrderCancelled { order_id } => {
                self.reserved.remove(&order_id);
                self.promised.remove(&order_id);
            }
        }
    }
}

/// An order at the exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TradeOrder {
    /// What was placed.
    pub placed: Option<Placed>,
    /// Shares that are still to be executed.
    pub remaining: u64,
}

/// What an order can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum TradeOrderCommand {
    Place(Placed),
    Execute { quantity: u64, price: Amount },
    Cancel { reason: String },
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    clippy::enum_variant_names,
    reason = "the guide's events; the fields say what they are"
)]
pub enum TradeOrderEvent {
    OrderPlaced(Placed),
    OrderExecuted(Executed),
    OrderCancelled {
        order_id: String,
        account_id: String,
        symbol: String,
        side: Side,
        limit: Amount,
        remaining: u64,
        reason: String,
    },
}

impl TradeOrder {
    fn open(&self) -> Result<&Placed, Breach> {
        let open = self.placed.as_ref().filter(|_| self.remaining > 0);
        open.ok_or_else(|| {
            let said = "the order is not open: it was executed, cancelled, or never placed";
            Breach::new("order-is-open", &["status", "remaining"], said)
        })
    }
}

impl Aggregate for TradeOrder {
    type Command = TradeOrderCommand;
    type Event = TradeOrderEvent;
    type Rejection = Breach;

    fn handle(&self, command: TradeOrderCommand) -> Result<Vec<TradeOrderEvent>, Breach> {
        Ok(vec![match command {
            TradeOrderCommand::Place(placed) => {
                if self.placed.is_some() {
                    let said = "an order with this number is there already";
                    return Err(Breach::new("placed-once", &["status"], said));
                }
                if placed.quantity == 0 || !placed.limit.is_positive() {
                    let said = format!("{} at {}", placed.quantity, placed.limit);
                    return Err(Breach::new("order-positive", &[], said));
                }
                TradeOrderEvent::OrderPlaced(placed)
            }
            TradeOrderCommand::Execute { quantity, price } => {
                let placed = self.open()?;
                if quantity == 0 || quantity > self.remaining {
                    let said = format!("{} are left, {quantity} were executed", self.remaining);
                    return Err(Breach::new(
                        "never-execute-more-than-ordered",
                        &["remaining"],
                        said,
                    ));
                }
                let within = match placed.side {
                    Side::Buy => price <= placed.limit,
                    Side::Sell => price >= placed.limit,
                };
                if !within {
                    let said = format!("{price} is beyond the limit of {}", placed.limit);
                    return Err(Breach::new("price-within-limit", &["limit"], said));
                }
                TradeOrderEvent::OrderExecuted(Executed {
                    order_id: placed.order_id.clone(),
                    account_id: placed.account_id.clone(),
                    symbol: placed.symbol.clone(),
                    side: placed.side,
                    quantity,
                    price,
                    amount: price * quantity,
                    limit: placed.limit,
                    remaining: self.remaining - quantity,
                })
            }
            TradeOrderCommand::Cancel { reason } => {
                let placed = self.open()?;
                TradeOrderEvent::OrderCancelled {
                    order_id: placed.order_id.clone(),
                    account_id: placed.account_id.clone(),
                    symbol: placed.symbol.clone(),
                    side: placed.side,
                    limit: placed.limit,
                    remaining: self.remaining,
                    reason,
                }
            }
        }])
    }

    fn apply(&mut self, event: TradeOrderEvent) {
        match event {
            TradeOrderEvent::OrderPlaced(placed) => {
                self.remaining = placed.quantity;
                self.placed = Some(placed);
            }
            TradeOrderEvent::OrderExecuted(executed) => self.remaining = executed.remaining,
            TradeOrderEvent::OrderCancelled { .. } => self.remaining = 0,
        }
    }

    fn links(&self, event: &TradeOrderEvent) -> Vec<NewLink> {
        let account = match event {
            TradeOrderEvent::OrderPlaced(Placed { account_id, .. })
            | TradeOrderEvent::OrderExecuted(Executed { account_id, .. })
            | TradeOrderEvent::OrderCancelled { account_id, .. } => account_id,
        };
        vec![link(stream("account", account), "account")]
    }
}

/// What can be asked of the broker; the name of the variant is the name of the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum TradingCommand {
    OpenAccount {
        account_id: String,
        owner: String,
    },
    DepositFunds {
        account_id: String,
        amount: Amount,
        reference: String,
    },
    PlaceOrder {
        order_id: String,
        account_id: String,
        symbol: String,
        side: Side,
        quantity: u64,
        limit: Amount,
    },
    ExecuteOrder {
        order_id: String,
        quantity: u64,
        price: Amount,
    },
    CancelOrder {
        order_id: String,
        reason: String,
    },
    PayDividend {
        account_id: String,
        symbol: String,
        per_share: Amount,
    },
    CloseAccount {
        account_id: String,
        reason: String,
    },
}

impl Carry for TradingCommand {
    const NAMES: &'static [&'static str] = &[
        "OpenAccount",
        "DepositFunds",
        "PlaceOrder",
        "ExecuteOrder",
        "CancelOrder",
        "PayDividend",
        "CloseAccount",
    ];

    fn carry_out(self, work: &mut Work<'_>) -> Result<(), CommandError> {
        use TradingCommand as C;
        match self {
            C::OpenAccount { account_id, owner } => {
                let open = AccountCommand::Open {
                    account_id: account_id.clone(),
                    owner,
                };
                account(work, &account_id, open)
            }
            C::DepositFunds {
                account_id,
                amount,
                reference,
            } => account(
                work,
                &account_id,
                AccountCommand::Deposit { amount, reference },
            ),
            C::PlaceOrder {
                order_id,
                account_id,
                symbol,
                side,
                quantity,
                limit,
            } => {
                let may = AccountCommand::MayPlace {
                    symbol: symbol.clone(),
                    side,
                    quantity,
                    limit,
                };
                account(work, &account_id, may)?;
                let placed = Placed {
                    order_id: order_id.clone(),
                    account_id,
                    symbol,
                    side,
                    quantity,
                    limit,
                };
                order(work, &order_id, TradeOrderCommand::Place(placed))
            }
            C::ExecuteOrder {
                order_id,
                quantity,
                price,
            } => order(
                work,
                &order_id,
                TradeOrderCommand::Execute { quantity, price },
            ),
            C::CancelOrder { order_id, reason } => {
                order(work, &order_id, TradeOrderCommand::Cancel { reason })
            }
            C::PayDividend {
                account_id,
                symbol,
                per_share,
            } => account(
                work,
                &account_id,
                AccountCommand::PayDividend { symbol, per_share },
            ),
            C::CloseAccount { account_id, reason } => {
                account(work, &account_id, AccountCommand::Close { reason })
            }
        }
    }
}

fn account(work: &mut Work<'_>, id: &str, command: AccountCommand) -> Result<(), CommandError> {
    work.send::<Account>(&stream("account", id), command)
        .map(|_| ())
}

fn order(work: &mut Work<'_>, id: &str, command: TradeOrderCommand) -> Result<(), CommandError> {
    work.send::<TradeOrder>(&stream("order", id), command)
        .map(|_| ())
}
