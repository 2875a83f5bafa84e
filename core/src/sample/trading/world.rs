//! What happens at the broker: who trades what, at which price.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::shop::name;
use super::super::worlds::calendar::{DAY, HOUR, MINUTE, SECOND, Visitors, days, working};
use super::super::worlds::stage::{Doing, Happening, Stage, undecided};
use super::super::worlds::{Book, Play, link, stream};
use super::rules::{Side, TradingCommand};
use crate::command::{Amount, Decided};

const SYMBOLS: [(&str, i64); 12] = [
    ("ACME", 12_550),
    ("BOLT", 4_210),
    ("CRUX", 880),
    ("DUNE", 31_000),
    ("ECHO", 1_995),
    ("FLUX", 7_345),
    ("GROVE", 2_650),
    ("HELIX", 18_420),
    ("IONA", 540),
    ("JUNO", 9_905),
    ("KITE", 6_120),
    ("LYRA", 15_075),
];

#[derive(Debug, Default)]
struct Client {
    closed: bool,
    /// Cash in cents, counted by what was paid.
    cash: i64,
    shares: BTreeMap<usize, u64>,
    open_orders: u64,
    dividends: i64,
}

#[derive(Debug)]
struct Trade {
    number: u64,
    client: usize,
    symbol: usize,
    side: Side,
    limit: i64,
    remaining: u64,
    last: u64,
}

impl Trade {
    fn id(&self) -> String {
        format!("order-{}", self.number)
    }

    fn doing<'a>(&self, actor: &'a str) -> Doing<'a> {
        Doing {
            actor,
            journey: Some(("trade", self.number)),
            cause: Some(self.last),
        }
    }
}

/// Something to come.
#[derive(Debug)]
enum Due {
    Hour(i64),
    Act(usize),
    Deposit(usize),
    Fill(Box<Trade>),
    Dividend(usize),
    Close(usize),
}

/// See the module.
#[derive(Debug)]
pub(in crate::sample) struct Trading {
    seed: u64,
    stage: Stage<Due>,
    prices: Vec<i64>,
    clients: Vec<Client>,
    orders: u64,
    visitors: Visitors,
    most_clients: usize,
}

fn cents(cents: i64) -> Value {
    serde_json::to_value(Amount::cents(cents)).expect("an amount is a number")
}

fn account_id(client: usize) -> String {
    format!("account-{}", client + 1)
}

impl Trading {
    /// A broker before its first day, of a size that makes about `events` in its time.
    pub(in crate::sample) fn new(events: u64, seed: u64) -> Trading {
        let mut stage = Stage::new(seed ^ 0x7ade);
        stage.plan(8 * HOUR, Due::Hour(8));
        for symbol in 0..SYMBOLS.len() {
            stage.plan((10 + symbol as i64) * DAY + 9 * HOUR, Due::Dividend(symbol));
        }
        Trading {
            seed,
            stage,
            prices: SYMBOLS.iter().map(|(_, price)| *price).collect(),
            clients: Vec::new(),
            orders: 0,
            visitors: Visitors::new((events / days(events) / 2).max(6)),
            most_clients: (events / 80).max(4) as usize,
        }
    }

    fn begin_hour(&mut self, hour: i64) {
        let open = hour / 24 % 7 < 5 && (8..17).contains(&(hour % 24));
        if open {
            for price in &mut self.prices {
                // Prices wander by up to a hundredth an hour.
                let step = (*price / 100).max(1);
                *price = (*price + self.stage.random.between(-step, step)).max(100);
            }
            // A trading day has 9 of 24 hours, and most of the visitors.
            for _ in 0..self.visitors.of_hour(hour, 2) {
                let new = self.clients.len() < 3
                    || self.clients.len() < self.most_clients && self.stage.random.chance(60);
                let client = if new {
                    self.clients.push(Client::default());
                    self.clients.len() - 1
                } else {
                    self.stage.random.below(self.clients.len() as u64) as usize
                };
                self.stage.plan_within(0, HOUR - 1, Due::Act(client));
            }
        }
        self.stage.plan((hour + 1) * HOUR, Due::Hour(hour + 1));
    }

    fn trade(&mut self, client: usize) {
        if self.clients[client].closed {
            return;
        }
        let owner = format!("client-{}", client + 1);
        if self.clients[client].cash == 0 && self.clients[client].shares.is_empty() {
            let open = TradingCommand::OpenAccount {
                account_id: account_id(client),
                owner: name(self.seed, client as u64 + 70_000),
            };
            // Who comes back with nothing in the account has it already.
            let _ = self.stage.ask(Doing::alone(&owner), open);
            return self
                .stage
                .plan_within(MINUTE, 20 * MINUTE, Due::Deposit(client));
        }
        if self.stage.random.chance(50) {
            return self.stage.plan_within(SECOND, MINUTE, Due::Deposit(client));
        }
        if self.stage.random.chance(6) {
            return self.stage.plan_within(SECOND, MINUTE, Due::Close(client));
        }
        let held: Vec<usize> = self.clients[client].shares.keys().copied().collect();
        let sells = !held.is_empty() && self.stage.random.chance(420);
        let (side, symbol) = if sells {
            (Side::Sell, *self.stage.random.pick(&held))
        } else {
            let symbol = self.stage.random.below(SYMBOLS.len() as u64) as usize;
            (Side::Buy, symbol)
        };
        let price = self.prices[symbol];
        let room = (price / 200).max(1);
        let (limit, most) = match side {
            Side::Buy => (price + room, (self.clients[client].cash / price / 2).max(1)),
            Side::Sell => (price - room, self.clients[client].shares[&symbol] as i64),
        };
        let quantity = self.stage.random.between(1, most.min(400)) as u64;
        self.orders += 1;
        let mut trade = Trade {
            number: self.orders,
            client,
            symbol,
            side,
            limit,
            remaining: quantity,
            last: 0,
        };
        let place = TradingCommand::PlaceOrder {
            order_id: trade.id(),
            account_id: account_id(client),
            symbol: SYMBOLS[symbol].0.to_owned(),
            side,
            quantity,
            limit: Amount::cents(limit),
        };
        let doing = Doing {
            cause: None,
            ..trade.doing(&owner)
        };
        match self.stage.ask(doing, place) {
            Ok(placed) => {
                trade.last = placed;
                self.clients[client].open_orders += 1;
                let id = trade.id();
                let book = &mut self.stage.book;
                book.note(&id, "remaining", placed, json!(quantity));
                book.note(&id, "status", placed, "Placed".into());
                self.stage
                    .plan_within(MINUTE, 50 * MINUTE, Due::Fill(Box::new(trade)));
            }
            // The account does not cover it; its number is not used again.
            Err(_) if side == Side::Buy => {
                self.stage
                    .plan_within(MINUTE, 30 * MINUTE, Due::Deposit(client));
            }
            Err(_) => {}
        }
    }

    fn deposit(&mut self, client: usize) {
        if self.clients[client].closed {
            return;
        }
        let amount = self.stage.random.between(20, 900) * 10_000;
        let reference = format!("wire {:06}", self.stage.random.below(1_000_000));
        let deposit = TradingCommand::DepositFunds {
            account_id: account_id(client),
            amount: Amount::cents(amount),
            reference,
        };
        let deposited = self.stage.have(Doing::alone("payments-desk"), deposit);
        self.clients[client].cash += amount;
        self.note(client, deposited);
    }

    /// Writes down what is known of an account since an event.
    fn note(&mut self, client: usize, event: u64) {
        let name = account_id(client);
        let Client {
            cash, dividends, ..
        } = self.clients[client];
        let book = &mut self.stage.book;
        book.note(&name, "cash", event, cents(cash));
        book.note(&name, "dividends", event, cents(dividends));
    }

    fn fill(&mut self, mut trade: Box<Trade>) {
        let id = trade.id();
        if self.stage.random.chance(80) {
            let reasons = ["client's wish", "end of day", "limit not reached"];
            let cancel = TradingCommand::CancelOrder {
                order_id: id.clone(),
                reason: (*self.stage.random.pick(&reasons)).to_owned(),
            };
            let cancelled = self.stage.have(trade.doing("exchange"), cancel);
            self.clients[trade.client].open_orders -= 1;
            let book = &mut self.stage.book;
            book.note(&id, "status", cancelled, "Cancelled".into());
            book.note(&id, "remaining", cancelled, json!(0));
            return self.stage.forget(&stream("order", &id));
        }
        let quantity = if trade.remaining > 1 && self.stage.random.chance(350) {
            self.stage.random.between(1, trade.remaining as i64 - 1) as u64
        } else {
            trade.remaining
        };
        // The market's price, or the limit where that is beyond it.
        let market = self.prices[trade.symbol];
        let price = match trade.side {
            Side::Buy => market.min(trade.limit),
            Side::Sell => market.max(trade.limit),
        };
        let execute = TradingCommand::ExecuteOrder {
            order_id: id.clone(),
            quantity,
            price: Amount::cents(price),
        };
        let executed = self.stage.have(trade.doing("exchange"), execute);
        trade.last = executed;
        trade.remaining -= quantity;
        let client = &mut self.clients[trade.client];
        let amount = price * quantity as i64;
        let shares = client.shares.entry(trade.symbol).or_default();
        match trade.side {
            Side::Buy => {
                *shares += quantity;
                client.cash -= amount;
            }
            Side::Sell => {
                *shares -= quantity;
                client.cash += amount;
            }
        }
        client.shares.retain(|_, shares| *shares > 0);
        let done = trade.remaining == 0;
        client.open_orders -= u64::from(done);
        self.note(trade.client, executed);
        let status = if done { "Executed" } else { "Partly executed" };
        let book = &mut self.stage.book;
        book.note(&id, "status", executed, status.into());
        book.note(&id, "remaining", executed, json!(trade.remaining));
        if done {
            return self.stage.forget(&stream("order", &id));
        }
        self.stage
            .plan_within(MINUTE, 40 * MINUTE, Due::Fill(trade));
    }

    /// Every 30 days a company pays those who hold its shares.
    fn dividend(&mut self, symbol: usize) {
        // In thousandths of the currency, so that a cent may be left to round.
        let per_share = Amount(rust_decimal::Decimal::new(self.prices[symbol] / 20, 3));
        for client in 0..self.clients.len() {
            let Some(shares) = self.clients[client].shares.get(&symbol).copied() else {
                continue;
            };
            let pay = TradingCommand::PayDividend {
                account_id: account_id(client),
                symbol: SYMBOLS[symbol].0.to_owned(),
                per_share,
            };
            let paid = self.stage.have(Doing::alone("corporate-actions"), pay);
            // Half to even, by hand.
            let thousandths = self.prices[symbol] / 20 * shares as i64;
            let (whole, rest) = (thousandths / 10, thousandths % 10);
            let up = rest > 5 || rest == 5 && whole % 2 == 1;
            let amount = whole + i64::from(up);
            self.clients[client].cash += amount;
            self.clients[client].dividends += amount;
            self.note(client, paid);
        }
        let next = working(self.stage.now + 30 * DAY, &mut self.stage.random);
        self.stage.plan(next, Due::Dividend(symbol));
    }

    /// A client leaves; who has shares or orders is refused.
    fn close(&mut self, client: usize) {
        let owner = format!("client-{}", client + 1);
        let close = TradingCommand::CloseAccount {
            account_id: account_id(client),
            reason: "moves to another broker".to_owned(),
        };
        if let Ok(closed) = self.stage.ask(Doing::alone(&owner), close) {
            self.clients[client].closed = true;
            self.clients[client].cash = 0;
            self.note(client, closed);
            self.stage.forget(&stream("account", &account_id(client)));
        }
    }
}

impl Play for Trading {
    fn step(&mut self) {
        match self.stage.turn() {
            Due::Hour(hour) => self.begin_hour(hour),
            Due::Act(client) => self.trade(client),
            Due::Deposit(client) => self.deposit(client),
            Due::Fill(trade) => self.fill(trade),
            Due::Dividend(symbol) => self.dividend(symbol),
            Due::Close(client) => self.close(client),
        }
    }

    fn ready(&mut self) -> Option<Happening> {
        self.stage.ready()
    }

    fn book(&mut self) -> &mut Book {
        &mut self.stage.book
    }

    fn harmless(&self) -> &'static [&'static str] {
        // More cash is missed by no rule; less of it would be, and is made up for.
        &["DividendReceived"]
    }

    fn make_up(&self, lost: &Happening) -> Option<Happening> {
        // The account has what the dividend brought, so that no later order asks for more than is there.
        let data: Value = serde_json::from_slice(&lost.event.data.bytes).ok()?;
        let id = lost.event.id.as_ref()?;
        let reference = format!("instead of {id}");
        let deposited = json!({"amount": data["amount"], "reference": reference});
        let event = undecided(lost.stream.to_string(), "FundsDeposited", &deposited);
        let id = format!("{id}-instead");
        Some(self.stage.instead(event, "payments-desk", &id))
    }

    fn forge(&mut self, number: u64) -> Option<(&'static str, Vec<Happening>)> {
        let live = |client: &Client| !client.closed && client.cash > 0;
        let clients = self.clients.iter().enumerate().filter(|(_, c)| live(c));
        let clients: Vec<usize> = clients.map(|(client, _)| client).collect();
        if clients.is_empty() {
            return None;
        }
        let client = *self.stage.random.pick(&clients);
        let account = account_id(client);
        let order = format!("order-forged-{number}");
        let unheld = (0..SYMBOLS.len()).find(|s| !self.clients[client].shares.contains_key(s))?;
        let symbol = SYMBOLS[unheld].0;
        let of_order = |event_type: &str, data: &Value| Decided {
            links: vec![link(stream("account", &account), "account")],
            ..undecided(order.clone(), event_type, data)
        };
        let (rule, actor, events) = match number % 3 {
            1 => {
                // A sale of what the account has not; it is cancelled at once.
                let placed = json!({"orderId": order, "accountId": account, "symbol": symbol, "side": "sell", "quantity": 100, "limit": cents(1_000)});
                let cancelled = json!({"orderId": order, "accountId": account, "symbol": symbol, "side": "sell", "limit": cents(1_000), "remaining": 100, "reason": "typing error"});
                let events = vec![
                    of_order("OrderPlaced", &placed),
                    of_order("OrderCancelled", &cancelled),
                ];
                ("position-covers-sells", "client-1", events)
            }
            2 => {
                let placed = json!({"orderId": order, "accountId": account, "symbol": symbol, "side": "buy", "quantity": 1_000_000, "limit": cents(90_000)});
                let cancelled = json!({"orderId": order, "accountId": account, "symbol": symbol, "side": "buy", "limit": cents(90_000), "remaining": 1_000_000, "reason": "typing error"});
                let events = vec![
                    of_order("OrderPlaced", &placed),
                    of_order("OrderCancelled", &cancelled),
                ];
                ("cash-covers-buys", "client-2", events)
            }
            _ => {
                let paid = json!({"symbol": symbol, "shares": 10, "perShare": cents(25), "amount": cents(250)});
                let events = vec![undecided(account, "DividendReceived", &paid)];
                ("dividend-for-shares-held", "corporate-actions", events)
            }
        };
        Some((rule, self.stage.forge(events, actor, number)))
    }
}
