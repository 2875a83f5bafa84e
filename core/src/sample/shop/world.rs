//! What happens in the shop: a calendar of things to come, each of which makes events and further things to
//! come. INVARIANT: stock that is reserved is there; an order does not change after it was shipped, cancelled
//! or paid; who has an order on its way stays a customer.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::fmt::Write as _;

use super::calendar::{DAY, HOUR, MINUTE, SECOND, delivery, time, visitors_milli, working};
use super::random::Random;
use super::words::{CARRIERS, Cents, SUPPLIERS, SUPPORT, WAREHOUSE, address, email, name, price};
use crate::event::{JSON, NewEvent, NewLink, Payload, SourceFields};
use crate::id::{EventId, EventType, StreamId};
use crate::time::{SourceTime, Time};

/// One event, and when the log takes it.
#[derive(Debug)]
pub(super) struct Happening {
    pub(super) recorded: Time,
    pub(super) stream: StreamId,
    pub(super) event: NewEvent,
}

/// Number of an event: its position in the log, and what its id is made of.
type EventNumber = u64;

#[derive(Debug)]
struct Product {
    price: Cents,
    on_hand: u64,
    reserved: u64,
    /// What a delivery brings.
    lot: u64,
    awaited: bool,
}

#[derive(Debug, Default)]
struct Customer {
    emails: u64,
    moves: u64,
    open_orders: u64,
    /// Place in the list of those who are customers; `None` for those who were.
    active_at: Option<usize>,
}

#[derive(Debug, Clone)]
struct Line {
    product: usize,
    quantity: u64,
    price: Cents,
}

#[derive(Debug)]
struct Visit {
    number: u64,
    /// Index of who it is, as soon as they say so.
    customer: Option<usize>,
    views_left: u64,
    /// The product looked at last, and the event that says so.
    looking_at: Option<(usize, EventNumber)>,
    cart: Vec<Line>,
    last: Option<EventNumber>,
}

#[derive(Debug)]
struct Order {
    number: u64,
    customer: usize,
    visit: u64,
    lines: Vec<Line>,
    placed: EventNumber,
    /// The event that led to what comes next.
    last: EventNumber,
    payment_tries: u64,
    stock_tries: u64,
    paid: bool,
    reserved: bool,
}

impl Order {
    fn total(&self) -> Cents {
        Cents(
            self.lines
                .iter()
                .map(|line| line.price.0 * line.quantity as i64)
                .sum(),
        )
    }

    fn stream(&self) -> String {
        format!("order-{}", self.number)
    }

    fn customer_id(&self) -> String {
        format!("cust-{}", self.customer + 1)
    }
}

/// Something to come.
#[derive(Debug)]
enum Due {
    /// An hour begins; its number.
    Hour(i64),
    Browse(Box<Visit>),
    Amend(Box<Order>),
    Pay(Box<Order>),
    Reserve(Box<Order>),
    Cancel(Box<Order>, &'static str, bool),
    Ship(Box<Order>),
    Deliver(Box<Order>),
    Review {
        order: Box<Order>,
        delivered: EventNumber,
    },
    /// A supplier comes.
    Restock(usize),
    /// Stock is counted.
    Stocktake,
}

#[derive(Debug)]
struct Entry {
    at: i64,
    /// Entries of one instant come in the order in which they were made.
    number: u64,
    due: Due,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// Who did something, in which journey, led by which event.
struct Context<'a> {
    actor: &'a str,
    journey: Option<u64>,
    cause: Option<EventNumber>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    random: Random,
    calendar: BinaryHeap<Reverse<Entry>>,
    entries: u64,
    now: i64,
    /// How long before the log took it the present thing happened.
    lag: i64,
    ready: VecDeque<Happening>,
    emitted: EventNumber,
    products: Vec<Product>,
    /// Popularity of the products, summed up.
    popularity: Vec<u64>,
    customers: Vec<Customer>,
    active: Vec<usize>,
    visits: u64,
    visitors_per_day: u64,
    visitors_carried: u64,
    orders: u64,
}

/// How long a shop with so many events is to run, about.
fn days(events: u64) -> u64 {
    match events {
        0..=1_000 => 14,
        1_001..=20_000 => 60,
        20_001..=200_000 => 180,
        200_001..=2_000_000 => 365,
        _ => 730,
    }
}

/// Events that come of one visit, about.
const EVENTS_PER_VISIT: u64 = 8;

impl World {
    /// An empty shop the night before it opens, of a size that makes about `events` in its time.
    pub(super) fn new(events: u64, seed: u64) -> World {
        let visitors_per_day = (events / days(events) / EVENTS_PER_VISIT).max(4);
        let products = (events.isqrt() / 2).clamp(12, 2_000);
        let mut sum = 0;
        let popularity: Vec<u64> = (1..=products)
            .map(|rank| {
                sum += 1_000_000 / rank;
                sum
            })
            .collect();
        let products = (0..products)
            .map(|n| {
                let share = 1_000_000 / (n + 1);
                // About what two weeks need.
                let lot = (visitors_per_day * 14 * share / sum).max(12);
                Product {
                    price: price(seed, n),
                    on_hand: 0,
                    reserved: 0,
                    lot,
                    awaited: true,
                }
            })
            .collect();
        let mut world = World {
            seed,
            random: Random::new(seed),
            calendar: BinaryHeap::new(),
            entries: 0,
            now: 0,
            lag: 0,
            ready: VecDeque::new(),
            emitted: 0,
            products,
            popularity,
            customers: Vec::new(),
            active: Vec::new(),
            visits: 0,
            visitors_per_day,
            visitors_carried: 0,
            orders: 0,
        };
        for product in 0..world.products.len() {
            let at = 6 * HOUR + world.random.between(0, HOUR);
            world.plan(at, Due::Restock(product));
        }
        world.plan(8 * HOUR, Due::Hour(8));
        world.plan(6 * DAY + 20 * HOUR, Due::Stocktake);
        world
    }

    /// The next event of the shop.
    pub(super) fn next(&mut self) -> Happening {
        loop {
            if let Some(happening) = self.ready.pop_front() {
                return happening;
            }
            let Reverse(entry) = self
                .calendar
                .pop()
                .expect("INVARIANT: each hour plans the next");
            self.now = entry.at;
            self.lag = self.random.between(20_000, 900_000) / 1_000 * 1_000;
            self.act(entry.due);
        }
    }

    fn plan(&mut self, at: i64, due: Due) {
        // The shop's clocks count milliseconds.
        let at = at / 1_000 * 1_000;
        self.entries += 1;
        self.calendar.push(Reverse(Entry {
            at,
            number: self.entries,
            due,
        }));
    }

    /// Plans something for a random instant between two from now.
    fn plan_within(&mut self, first: i64, last: i64, due: Due) {
        let at = self.now + self.random.between(first / 1_000, last / 1_000) * 1_000;
        self.plan(at, due);
    }

    fn emit(
        &mut self,
        stream: &str,
        event_type: &str,
        context: &Context<'_>,
        data: String,
        links: &[(&str, &str)],
    ) -> EventNumber {
        self.emitted += 1;
        let mut metadata = format!(r#"{{"userId":"{}""#, context.actor);
        let mut member = |key: &str, value: std::fmt::Arguments<'_>| {
            write!(metadata, r#","{key}":"{value}""#).expect("text takes all that is written");
        };
        if let Some(journey) = context.journey {
            member("correlationId", format_args!("visit-{journey}"));
        }
        if let Some(cause) = context.cause {
            member("causationId", format_args!("evt-{cause:09}"));
        }
        metadata.push('}');
        let payload = |text: String| Payload {
            content_type: JSON.to_owned(),
            bytes: text.into_bytes(),
        };
        let proof = "the shop's names are short and not empty";
        let event = NewEvent {
            id: Some(EventId::new(format!("evt-{:09}", self.emitted)).expect(proof)),
            event_type: EventType::new(event_type).expect(proof),
            time: Some(SourceTime::unwritten(time(self.now - self.lag))),
            schema_version: None,
            data: payload(data),
            metadata: Some(payload(metadata)),
            source: SourceFields::default(),
            links: links
                .iter()
                .map(|(stream, qualifier)| NewLink {
                    stream: StreamId::new(*stream).expect(proof),
                    qualifier: (*qualifier).to_owned(),
                })
                .collect(),
        };
        self.ready.push_back(Happening {
            recorded: time(self.now),
            stream: StreamId::new(stream).expect(proof),
            event,
        });
        self.emitted
    }

    fn act(&mut self, due: Due) {
        match due {
            Due::Hour(hour) => self.begin_hour(hour),
            Due::Browse(visit) => self.browse(visit),
            Due::Amend(order) => self.amend(order),
            Due::Pay(order) => self.pay(order),
            Due::Reserve(order) => self.reserve(order),
            Due::Cancel(order, reason, by_customer) => self.cancel(*order, reason, by_customer),
            Due::Ship(order) => self.ship(order),
            Due::Deliver(order) => self.deliver(order),
            Due::Review { order, delivered } => self.review(&order, delivered),
            Due::Restock(product) => self.restock(product),
            Due::Stocktake => self.take_stock(),
        }
    }

    fn begin_hour(&mut self, hour: i64) {
        let milli = visitors_milli(hour, self.visitors_per_day) + self.visitors_carried;
        self.visitors_carried = milli % 1_000;
        for _ in 0..milli / 1_000 {
            self.visits += 1;
            let known = !self.active.is_empty() && self.random.chance(700);
            let customer = known.then(|| *self.random.pick(&self.active));
            // Half leave after one or two products; a few look at everything.
            let views_left = match self.random.below(20) {
                0..10 => self.random.between(1, 2),
                10..19 => self.random.between(3, 8),
                _ => self.random.between(9, 25),
            } as u64;
            let visit = Visit {
                number: self.visits,
                customer,
                views_left,
                looking_at: None,
                cart: Vec::new(),
                last: None,
            };
            self.plan_within(0, HOUR - 1, Due::Browse(Box::new(visit)));
        }
        self.plan((hour + 1) * HOUR, Due::Hour(hour + 1));
    }

    fn some_product(&mut self) -> usize {
        let all = *self.popularity.last().expect("a shop has products");
        let at = self.random.below(all);
        self.popularity.partition_point(|sum| *sum <= at)
    }

    /// One step of a visit.
    fn browse(&mut self, mut visit: Box<Visit>) {
        if visit.last.is_none()
            && let Some(customer) = visit.customer
            && self.tend_account(customer, &visit)
        {
            return;
        }
        let actor = match visit.customer {
            Some(customer) => format!("cust-{}", customer + 1),
            None => "visitor".to_owned(),
        };
        let mut context = Context {
            actor: &actor,
            journey: Some(visit.number),
            cause: visit.last,
        };
        let cart = format!("cart-{}", visit.number);
        if let Some((product, viewed)) = visit.looking_at.take()
            && self.random.chance(420)
            && !visit.cart.iter().any(|line| line.product == product)
        {
            let quantity = if self.random.chance(780) {
                1
            } else {
                self.random.between(2, 4) as u64
            };
            let price = self.products[product].price;
            context.cause = Some(viewed);
            let data = format!(
                r#"{{"productId":"prod-{}","quantity":{quantity},"price":{price}}}"#,
                product + 1
            );
            visit.last = Some(self.emit(&cart, "ItemAddedToCart", &context, data, &[]));
            visit.cart.push(Line {
                product,
                quantity,
                price,
            });
            return self.plan_within(5 * SECOND, 60 * SECOND, Due::Browse(visit));
        }
        if visit.cart.len() > 1 && self.random.chance(40) {
            let at = self.random.below(visit.cart.len() as u64) as usize;
            let line = visit.cart.remove(at);
            let data = format!(
                r#"{{"productId":"prod-{}","quantity":{},"price":{}}}"#,
                line.product + 1,
                line.quantity,
                line.price
            );
            visit.last = Some(self.emit(&cart, "ItemRemovedFromCart", &context, data, &[]));
            return self.plan_within(3 * SECOND, 40 * SECOND, Due::Browse(visit));
        }
        if visit.views_left > 0 {
            visit.views_left -= 1;
            let product = self.some_product();
            let data = format!(
                r#"{{"productId":"prod-{}","price":{}}}"#,
                product + 1,
                self.products[product].price
            );
            let stream = format!("product-{}", product + 1);
            let viewed = self.emit(&stream, "ProductViewed", &context, data, &[]);
            visit.last = Some(viewed);
            visit.looking_at = Some((product, viewed));
            return self.plan_within(4 * SECOND, 150 * SECOND, Due::Browse(visit));
        }
        if !visit.cart.is_empty() && self.random.chance(650) {
            self.check_out(*visit);
        }
    }

    /// What a customer does to the account now and then; `true` if the account is closed and the visit over.
    fn tend_account(&mut self, index: usize, visit: &Visit) -> bool {
        let id = format!("cust-{}", index + 1);
        let stream = format!("customer-{}", index + 1);
        let context = Context {
            actor: &id,
            journey: Some(visit.number),
            cause: None,
        };
        let Some(place) = self.customers[index].active_at else {
            return true;
        };
        match self.random.below(1_000) {
            0..20 => {
                let old = email(index as u64 + 1, self.customers[index].emails);
                self.customers[index].emails += 1;
                let new = email(index as u64 + 1, self.customers[index].emails);
                let data = format!(r#"{{"oldEmail":"{old}","newEmail":"{new}"}}"#);
                self.emit(&stream, "EmailChanged", &context, data, &[]);
                false
            }
            20..45 => {
                self.customers[index].moves += 1;
                let home = address(self.seed, index as u64 + 1, self.customers[index].moves);
                let data = format!(r#"{{"address":{home},"reason":"moved"}}"#);
                self.emit(&stream, "AddressUpdated", &context, data, &[]);
                false
            }
            45..52 if self.customers[index].open_orders == 0 => {
                self.customers[index].active_at = None;
                self.active.swap_remove(place);
                if let Some(moved) = self.active.get(place) {
                    self.customers[*moved].active_at = Some(place);
                }
                let reasons = ["no longer needed", "privacy", "moved to another shop"];
                let reason = *self.random.pick(&reasons);
                let data = format!(r#"{{"reason":"{reason}"}}"#);
                self.emit(&stream, "CustomerDeactivated", &context, data, &[]);
                true
            }
            _ => false,
        }
    }

    fn register(&mut self, visit: &mut Visit) -> usize {
        let index = self.customers.len();
        self.customers.push(Customer {
            active_at: Some(self.active.len()),
            ..Customer::default()
        });
        self.active.push(index);
        let number = index as u64 + 1;
        let id = format!("cust-{number}");
        let context = Context {
            actor: &id,
            journey: Some(visit.number),
            cause: visit.last,
        };
        let data = format!(
            r#"{{"customerId":"{id}","name":"{}","email":"{}","address":{}}}"#,
            name(self.seed, number),
            email(number, 0),
            address(self.seed, number, 0)
        );
        let stream = format!("customer-{number}");
        visit.last = Some(self.emit(&stream, "CustomerRegistered", &context, data, &[]));
        visit.customer = Some(index);
        index
    }

    fn check_out(&mut self, mut visit: Visit) {
        let customer = match visit.customer {
            Some(customer) => customer,
            None => self.register(&mut visit),
        };
        // Who closed the account in another window leaves a cart behind.
        if self.customers[customer].active_at.is_none() {
            return;
        }
        self.orders += 1;
        self.customers[customer].open_orders += 1;
        let mut order = Box::new(Order {
            number: self.orders,
            customer,
            visit: visit.number,
            lines: visit.cart,
            placed: 0,
            last: 0,
            payment_tries: 0,
            stock_tries: 0,
            paid: false,
            reserved: false,
        });
        let id = order.customer_id();
        let mut items = String::new();
        for line in &order.lines {
            let comma = if items.is_empty() { "" } else { "," };
            write!(
                items,
                r#"{comma}{{"productId":"prod-{}","quantity":{},"price":{}}}"#,
                line.product + 1,
                line.quantity,
                line.price
            )
            .expect("text takes all that is written");
        }
        let home = address(
            self.seed,
            customer as u64 + 1,
            self.customers[customer].moves,
        );
        let data = format!(
            r#"{{"customerId":"{id}","items":[{items}],"totalAmount":{},"currency":"EUR","shippingAddress":{home}}}"#,
            order.total()
        );
        let context = Context {
            actor: &id,
            journey: Some(order.visit),
            cause: visit.last,
        };
        let buyer = format!("customer-{}", customer + 1);
        let stream = order.stream();
        order.placed = self.emit(&stream, "OrderPlaced", &context, data, &[(&buyer, "buyer")]);
        order.last = order.placed;
        if self.random.chance(80) {
            self.plan_within(MINUTE, 9 * MINUTE, Due::Amend(order));
        } else {
            self.plan_within(10 * MINUTE, 15 * MINUTE, Due::Pay(order));
        }
    }

    /// The customer, or support for them, changes an order that is not paid yet.
    fn amend(&mut self, mut order: Box<Order>) {
        let by_support = self.random.chance(250);
        let id = order.customer_id();
        let actor = if by_support {
            *self.random.pick(&SUPPORT)
        } else {
            id.as_str()
        };
        let context = Context {
            actor,
            journey: Some(order.visit),
            cause: Some(order.last),
        };
        let reason = if by_support {
            "customer called"
        } else {
            "changed by customer"
        };
        let stream = order.stream();
        let (event_type, line) = if order.lines.len() > 1 && self.random.chance(500) {
            let at = self.random.below(order.lines.len() as u64) as usize;
            ("ItemRemoved", order.lines.remove(at))
        } else {
            let product = self.some_product();
            if order.lines.iter().any(|line| line.product == product) {
                return self.plan_within(5 * MINUTE, 10 * MINUTE, Due::Pay(order));
            }
            let price = self.products[product].price;
            let line = Line {
                product,
                quantity: 1,
                price,
            };
            order.lines.push(line.clone());
            ("ItemAdded", line)
        };
        let data = format!(
            r#"{{"productId":"prod-{}","quantity":{},"price":{},"reason":"{reason}"}}"#,
            line.product + 1,
            line.quantity,
            line.price
        );
        order.last = self.emit(&stream, event_type, &context, data, &[]);
        self.plan_within(5 * MINUTE, 10 * MINUTE, Due::Pay(order));
    }

    fn pay(&mut self, mut order: Box<Order>) {
        let context = Context {
            actor: "payment-service",
            journey: Some(order.visit),
            cause: Some(order.last),
        };
        let (payment, stream) = (format!("payment-{}", order.number), order.stream());
        let method = *self
            .random
            .pick(&["card", "card", "card", "invoice", "wallet"]);
        let total = order.total();
        if self.random.chance(40) {
            let reason = *self
                .random
                .pick(&["card declined", "insufficient funds", "timeout"]);
            let data = format!(
                r#"{{"orderId":"{stream}","amount":{total},"currency":"EUR","method":"{method}","reason":"{reason}"}}"#
            );
            order.last = self.emit(
                &payment,
                "PaymentFailed",
                &context,
                data,
                &[(&stream, "order")],
            );
            order.payment_tries += 1;
            if order.payment_tries == 3 {
                return self.plan_within(
                    HOUR,
                    2 * HOUR,
                    Due::Cancel(order, "payment failed", false),
                );
            }
            return self.plan_within(4 * HOUR, 30 * HOUR, Due::Pay(order));
        }
        let data = format!(
            r#"{{"orderId":"{stream}","amount":{total},"currency":"EUR","method":"{method}"}}"#
        );
        let payer = format!("customer-{}", order.customer + 1);
        let links = [(stream.as_str(), "order"), (payer.as_str(), "payer")];
        order.last = self.emit(&payment, "PaymentProcessed", &context, data, &links);
        order.paid = true;
        self.plan_within(3 * SECOND, 60 * SECOND, Due::Reserve(order));
    }

    /// Reserves all that an order needs, or nothing of it.
    fn reserve(&mut self, mut order: Box<Order>) {
        let available = |line: &Line| {
            let product = &self.products[line.product];
            product.on_hand - product.reserved >= line.quantity
        };
        if !order.lines.iter().all(available) {
            order.stock_tries += 1;
            for line in &order.lines {
                self.order_stock(line.product);
            }
            if order.stock_tries > 6 {
                return self.plan_within(HOUR, 8 * HOUR, Due::Cancel(order, "out of stock", false));
            }
            return self.plan_within(20 * HOUR, 28 * HOUR, Due::Reserve(order));
        }
        let stream = order.stream();
        let mut context = Context {
            actor: "stock-service",
            journey: Some(order.visit),
            cause: Some(order.last),
        };
        let mut last = order.last;
        for line in &order.lines {
            self.products[line.product].reserved += line.quantity;
            let data = format!(r#"{{"orderId":"{stream}","quantity":{}}}"#, line.quantity);
            let inventory = format!("inventory-prod-{}", line.product + 1);
            last = self.emit(&inventory, "ItemReserved", &context, data, &[]);
            self.order_stock(line.product);
        }
        context.cause = Some(last);
        let data = format!(r#"{{"warehouse":"central","lines":{}}}"#, order.lines.len());
        order.last = self.emit(&stream, "InventoryReserved", &context, data, &[]);
        order.reserved = true;
        if self.random.chance(60) {
            let reason =
                *self
                    .random
                    .pick(&["changed my mind", "ordered twice", "found it cheaper"]);
            return self.plan_within(20 * MINUTE, HOUR, Due::Cancel(order, reason, true));
        }
        let ready = self.now + self.random.between(HOUR / SECOND, 20 * HOUR / SECOND) * SECOND;
        let at = working(ready, &mut self.random);
        self.plan(at, Due::Ship(order));
    }

    /// Has a supplier bring more where stock runs low.
    fn order_stock(&mut self, index: usize) {
        let product = &mut self.products[index];
        if product.awaited || (product.on_hand - product.reserved) * 3 > product.lot {
            return;
        }
        product.awaited = true;
        let days = self.random.between(1, 4);
        let at = delivery(self.now, days, &mut self.random);
        self.plan(at, Due::Restock(index));
    }

    fn cancel(&mut self, mut order: Order, reason: &'static str, by_customer: bool) {
        let id = order.customer_id();
        let actor = if by_customer {
            id.as_str()
        } else {
            "order-service"
        };
        let mut context = Context {
            actor,
            journey: Some(order.visit),
            cause: Some(order.last),
        };
        let stream = order.stream();
        let buyer = format!("customer-{}", order.customer + 1);
        let data = format!(r#"{{"reason":"{reason}"}}"#);
        order.last = self.emit(
            &stream,
            "OrderCancelled",
            &context,
            data,
            &[(&buyer, "buyer")],
        );
        context.cause = Some(order.last);
        if order.reserved {
            context.actor = "stock-service";
            for line in &order.lines {
                self.products[line.product].reserved -= line.quantity;
                let data = format!(
                    r#"{{"orderId":"{stream}","quantity":{},"reason":"order cancelled"}}"#,
                    line.quantity
                );
                let inventory = format!("inventory-prod-{}", line.product + 1);
                self.emit(&inventory, "ItemReleased", &context, data, &[]);
            }
        }
        if order.paid {
            context.actor = "payment-service";
            let data = format!(
                r#"{{"orderId":"{stream}","amount":{},"currency":"EUR","reason":"{reason}"}}"#,
                order.total()
            );
            let payment = format!("payment-{}", order.number);
            let links = [(stream.as_str(), "order"), (buyer.as_str(), "payer")];
            self.emit(&payment, "PaymentRefunded", &context, data, &links);
        }
        self.customers[order.customer].open_orders -= 1;
    }

    fn ship(&mut self, mut order: Box<Order>) {
        let packer = *self.random.pick(&WAREHOUSE);
        let mut context = Context {
            actor: packer,
            journey: Some(order.visit),
            cause: Some(order.last),
        };
        let stream = order.stream();
        let carrier = *self.random.pick(&CARRIERS);
        let tracking = self.random.below(10_000_000_000);
        let data = format!(r#"{{"trackingNumber":"1Z{tracking:010}","carrier":"{carrier}"}}"#);
        order.last = self.emit(&stream, "OrderShipped", &context, data, &[]);
        context.cause = Some(order.last);
        for line in &order.lines {
            let product = &mut self.products[line.product];
            product.on_hand -= line.quantity;
            product.reserved -= line.quantity;
            let data = format!(r#"{{"orderId":"{stream}","quantity":{}}}"#, line.quantity);
            let inventory = format!("inventory-prod-{}", line.product + 1);
            self.emit(&inventory, "StockDispatched", &context, data, &[]);
        }
        let ready = self.now + self.random.between(1, 3) * DAY;
        let at = working(ready, &mut self.random) + self.random.between(6, 9) * HOUR;
        self.plan(at, Due::Deliver(order));
    }

    /// The carrier reports deliveries hours after they were made, so the log learns of them late.
    fn deliver(&mut self, mut order: Box<Order>) {
        self.lag = self.random.between(10 * 60, 6 * 60 * 60) * SECOND;
        let context = Context {
            actor: "carrier-feed",
            journey: Some(order.visit),
            cause: Some(order.last),
        };
        let to = *self
            .random
            .pick(&["front door", "neighbour", "parcel shop", "in person"]);
        let data = format!(r#"{{"deliveredTo":"{to}"}}"#);
        let stream = order.stream();
        let delivered = self.emit(&stream, "OrderDelivered", &context, data, &[]);
        order.last = delivered;
        self.customers[order.customer].open_orders -= 1;
        if self.random.chance(250) {
            self.plan_within(DAY, 12 * DAY, Due::Review { order, delivered });
        }
    }

    fn review(&mut self, order: &Order, delivered: EventNumber) {
        if self.customers[order.customer].active_at.is_none() {
            return;
        }
        let product = self.random.pick(&order.lines).product;
        let rating = *self.random.pick(&[1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5]);
        let data = format!(
            r#"{{"productId":"prod-{}","orderId":"{}","rating":{rating}}}"#,
            product + 1,
            order.stream()
        );
        let id = order.customer_id();
        let context = Context {
            actor: &id,
            journey: Some(order.visit),
            cause: Some(delivered),
        };
        let stream = format!("product-{}", product + 1);
        self.emit(&stream, "ReviewSubmitted", &context, data, &[]);
    }

    fn restock(&mut self, index: usize) {
        let lot = self.products[index].lot;
        let quantity = lot + self.random.below(lot / 4 + 1);
        let supplier = *self.random.pick(&SUPPLIERS);
        let clerk = *self.random.pick(&WAREHOUSE);
        let data = format!(r#"{{"quantity":{quantity},"supplier":"{supplier}"}}"#);
        let context = Context {
            actor: clerk,
            journey: None,
            cause: None,
        };
        let product = &mut self.products[index];
        product.on_hand += quantity;
        product.awaited = false;
        let inventory = format!("inventory-prod-{}", index + 1);
        self.emit(&inventory, "StockReceived", &context, data, &[]);
    }

    /// Once a week stock is counted; some is missing, a little turns up.
    fn take_stock(&mut self) {
        for index in 0..self.products.len() {
            if !self.random.chance(60) {
                continue;
            }
            let change = *self.random.pick(&[-3, -2, -1, -1, -1, 1]);
            let (reason, product) = (
                *self.random.pick(&["damaged", "missing"]),
                &self.products[index],
            );
            let free = (product.on_hand - product.reserved) as i64;
            if free + change < 0 {
                continue;
            }
            let reason = if change > 0 { "found" } else { reason };
            self.products[index].on_hand = (self.products[index].on_hand as i64 + change) as u64;
            let clerk = *self.random.pick(&WAREHOUSE);
            let context = Context {
                actor: clerk,
                journey: None,
                cause: None,
            };
            let data = format!(r#"{{"change":{change},"reason":"stocktake: {reason}"}}"#);
            let inventory = format!("inventory-prod-{}", index + 1);
            self.emit(&inventory, "StockAdjusted", &context, data, &[]);
            self.order_stock(index);
        }
        self.plan(self.now + 7 * DAY, Due::Stocktake);
    }
}
