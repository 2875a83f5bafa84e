//! What happens in the shop: a calendar of things to come, each of which asks for something and plans further
//! things. Whether it may be, the aggregates say; the world knows enough to ask mostly for what may be.

use serde_json::json;

use super::super::worlds::calendar::{DAY, HOUR, MINUTE, SECOND, Visitors, delivery, working};
use super::super::worlds::stage::{Doing, EventNumber, Happening, Stage, undecided};
use super::super::worlds::{Book, Play};
use super::commands::ShopCommand;
use super::rules::{Customer as CustomerRules, CustomerEvent, Line as TypedLine, stream};
use super::words::{CARRIERS, Cents, SUPPLIERS, SUPPORT, WAREHOUSE, address, email, name, price};
use crate::command::{Aggregate, Amount};

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
    spent: Cents,
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

    fn id(&self) -> String {
        format!("order-{}", self.number)
    }

    /// Somebody does something to it because of what happened to it last.
    fn doing<'a>(&self, actor: &'a str) -> Doing<'a> {
        Doing {
            actor,
            journey: Some(("visit", self.visit)),
            cause: Some(self.last),
        }
    }
}

impl Line {
    fn id(&self) -> String {
        product_id(self.product)
    }

    fn amount(&self) -> Amount {
        Amount::cents(self.price.0)
    }

    fn typed(&self) -> TypedLine {
        TypedLine {
            product_id: self.id(),
            quantity: self.quantity,
            price: self.amount(),
        }
    }
}

fn product_id(index: usize) -> String {
    format!("prod-{}", index + 1)
}

fn customer_id(index: usize) -> String {
    format!("cust-{}", index + 1)
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

/// See the module.
#[derive(Debug)]
pub(in crate::sample) struct Shop {
    seed: u64,
    stage: Stage<Due>,
    products: Vec<Product>,
    /// Popularity of the products, summed up.
    popularity: Vec<u64>,
    customers: Vec<Customer>,
    active: Vec<usize>,
    visits: u64,
    visitors: Visitors,
    orders: u64,
    /// Orders that came last.
    closed: Vec<u64>,
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

impl Shop {
    /// An empty shop the night before it opens, of a size that makes about `events` in its time.
    pub(in crate::sample) fn new(events: u64, seed: u64) -> Shop {
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
        let mut world = Shop {
            seed,
            stage: Stage::new(seed),
            products,
            popularity,
            customers: Vec::new(),
            active: Vec::new(),
            visits: 0,
            visitors: Visitors::new(visitors_per_day),
            orders: 0,
            closed: Vec::new(),
        };
        for product in 0..world.products.len() {
            let at = 6 * HOUR + world.stage.random.between(0, HOUR);
            world.stage.plan(at, Due::Restock(product));
        }
        world.stage.plan(8 * HOUR, Due::Hour(8));
        world.stage.plan(6 * DAY + 20 * HOUR, Due::Stocktake);
        world
    }

    fn begin_hour(&mut self, hour: i64) {
        for _ in 0..self.visitors.of_hour(hour, 1) {
            self.visits += 1;
            let known = !self.active.is_empty() && self.stage.random.chance(700);
            let customer = known.then(|| *self.stage.random.pick(&self.active));
            // Half leave after one or two products; a few look at everything.
            let views_left = match self.stage.random.below(20) {
                0..10 => self.stage.random.between(1, 2),
                10..19 => self.stage.random.between(3, 8),
                _ => self.stage.random.between(9, 25),
            } as u64;
            let visit = Visit {
                number: self.visits,
                customer,
                views_left,
                looking_at: None,
                cart: Vec::new(),
                last: None,
            };
            self.stage
                .plan_within(0, HOUR - 1, Due::Browse(Box::new(visit)));
        }
        self.stage.plan((hour + 1) * HOUR, Due::Hour(hour + 1));
    }

    fn some_product(&mut self) -> usize {
        let all = *self.popularity.last().expect("a shop has products");
        let at = self.stage.random.below(all);
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
            Some(customer) => customer_id(customer),
            None => "visitor".to_owned(),
        };
        let doing = |cause| Doing {
            actor: &actor,
            journey: Some(("visit", visit.number)),
            cause,
        };
        let cart_id = format!("cart-{}", visit.number);
        if let Some((product, viewed)) = visit.looking_at.take()
            && self.stage.random.chance(420)
            && !visit.cart.iter().any(|line| line.product == product)
        {
            let quantity = if self.stage.random.chance(780) {
                1
            } else {
                self.stage.random.between(2, 4) as u64
            };
            let line = Line {
                product,
                quantity,
                price: self.products[product].price,
            };
            let add = ShopCommand::AddItemToCart {
                cart_id,
                product_id: line.id(),
                quantity,
                price: line.amount(),
            };
            visit.last = Some(self.stage.have(doing(Some(viewed)), add));
            visit.cart.push(line);
            return self
                .stage
                .plan_within(5 * SECOND, 60 * SECOND, Due::Browse(visit));
        }
        if visit.cart.len() > 1 && self.stage.random.chance(40) {
            let at = self.stage.random.below(visit.cart.len() as u64) as usize;
            let line = visit.cart.remove(at);
            let remove = ShopCommand::RemoveItemFromCart {
                cart_id,
                product_id: line.id(),
            };
            visit.last = Some(self.stage.have(doing(visit.last), remove));
            return self
                .stage
                .plan_within(3 * SECOND, 40 * SECOND, Due::Browse(visit));
        }
        if visit.views_left > 0 {
            visit.views_left -= 1;
            let product = self.some_product();
            let view = ShopCommand::ViewProduct {
                product_id: product_id(product),
                price: Amount::cents(self.products[product].price.0),
            };
            let viewed = self.stage.have(doing(visit.last), view);
            visit.last = Some(viewed);
            visit.looking_at = Some((product, viewed));
            return self
                .stage
                .plan_within(4 * SECOND, 150 * SECOND, Due::Browse(visit));
        }
        self.stage.forget(&stream("cart", &cart_id));
        if !visit.cart.is_empty() && self.stage.random.chance(650) {
            self.check_out(*visit);
        }
    }

    /// What a customer does to the account now and then; `true` if the account is closed and the visit over.
    fn tend_account(&mut self, index: usize, visit: &Visit) -> bool {
        let id = customer_id(index);
        let doing = Doing {
            actor: &id,
            journey: Some(("visit", visit.number)),
            cause: None,
        };
        let number = index as u64 + 1;
        let Some(place) = self.customers[index].active_at else {
            return true;
        };
        match self.stage.random.below(1_000) {
            0..20 => {
                self.customers[index].emails += 1;
                let new_email = email(number, self.customers[index].emails);
                let change = ShopCommand::ChangeEmail {
                    customer_id: id.clone(),
                    new_email: new_email.clone(),
                };
                let changed = self.stage.have(doing, change);
                let name = format!("customer-{number}");
                self.stage
                    .book
                    .note(&name, "email", changed, new_email.into());
                false
            }
            20..45 => {
                self.customers[index].moves += 1;
                let update = ShopCommand::UpdateAddress {
                    customer_id: id.clone(),
                    address: address(self.seed, number, self.customers[index].moves),
                    reason: "moved".to_owned(),
                };
                self.stage.have(doing, update);
                false
            }
            45..52 => {
                let reasons = ["no longer needed", "privacy", "moved to another shop"];
                let deactivate = ShopCommand::DeactivateCustomer {
                    customer_id: id.clone(),
                    reason: (*self.stage.random.pick(&reasons)).to_owned(),
                };
                // Who has an order on its way is refused, and stays.
                if self.stage.ask(doing, deactivate).is_err() {
                    return false;
                }
                self.customers[index].active_at = None;
                self.active.swap_remove(place);
                if let Some(moved) = self.active.get(place) {
                    self.customers[*moved].active_at = Some(place);
                }
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
        let id = customer_id(index);
        let doing = Doing {
            actor: &id,
            journey: Some(("visit", visit.number)),
            cause: visit.last,
        };
        let register = ShopCommand::RegisterCustomer {
            customer_id: id.clone(),
            name: name(self.seed, number),
            email: email(number, 0),
            address: address(self.seed, number, 0),
        };
        let registered = self.stage.have(doing, register);
        visit.last = Some(registered);
        visit.customer = Some(index);
        let name = format!("customer-{number}");
        let book = &mut self.stage.book;
        book.note(&name, "email", registered, email(number, 0).into());
        book.note(&name, "totalSpent", registered, json!(0));
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
        let mut order = Box::new(Order {
            number: self.orders,
            customer,
            visit: visit.number,
            lines: visit.cart,
            last: 0,
            payment_tries: 0,
            stock_tries: 0,
            paid: false,
            reserved: false,
        });
        let id = customer_id(customer);
        let moves = self.customers[customer].moves;
        let place = ShopCommand::PlaceOrder {
            order_id: order.id(),
            customer_id: id.clone(),
            items: order.lines.iter().map(Line::typed).collect(),
            shipping_address: address(self.seed, customer as u64 + 1, moves),
        };
        let doing = Doing {
            actor: &id,
            journey: Some(("visit", order.visit)),
            cause: visit.last,
        };
        order.last = self.stage.have(doing, place);
        self.note_order(&order, "Placed");
        if self.stage.random.chance(80) {
            self.stage
                .plan_within(MINUTE, 9 * MINUTE, Due::Amend(order));
        } else {
            self.stage
                .plan_within(10 * MINUTE, 15 * MINUTE, Due::Pay(order));
        }
    }

    /// Writes down what is known of an order since its last event.
    fn note_order(&mut self, order: &Order, status: &str) {
        let id = order.id();
        let book = &mut self.stage.book;
        book.note(&id, "total", order.last, order.total().value());
        book.note(&id, "status", order.last, status.into());
    }

    /// Writes down what is known of a product's stock since an event.
    fn note_stock(&mut self, product: usize, event: EventNumber) {
        let name = format!("inventory-{}", product_id(product));
        let Product {
            on_hand, reserved, ..
        } = self.products[product];
        let book = &mut self.stage.book;
        book.note(&name, "onHand", event, json!(on_hand));
        book.note(&name, "available", event, json!(on_hand - reserved));
    }

    /// Adds to what a customer has spent.
    fn note_spent(&mut self, order: &Order, more: i64) {
        let customer = &mut self.customers[order.customer];
        customer.spent.0 += more;
        let (spent, name) = (customer.spent, format!("customer-{}", order.customer + 1));
        self.stage
            .book
            .note(&name, "totalSpent", order.last, spent.value());
    }

    /// The customer, or support for them, changes an order that is not paid yet.
    fn amend(&mut self, mut order: Box<Order>) {
        let by_support = self.stage.random.chance(250);
        let id = customer_id(order.customer);
        let actor = if by_support {
            *self.stage.random.pick(&SUPPORT)
        } else {
            id.as_str()
        };
        let doing = order.doing(actor);
        let reason = if by_support {
            "customer called"
        } else {
            "changed by customer"
        };
        let reason = reason.to_owned();
        let command = if order.lines.len() > 1 && self.stage.random.chance(500) {
            let at = self.stage.random.below(order.lines.len() as u64) as usize;
            let line = order.lines.remove(at);
            ShopCommand::RemoveItem {
                order_id: order.id(),
                product_id: line.id(),
                reason,
            }
        } else {
            let product = self.some_product();
            if order.lines.iter().any(|line| line.product == product) {
                return self
                    .stage
                    .plan_within(5 * MINUTE, 10 * MINUTE, Due::Pay(order));
            }
            let line = Line {
                product,
                quantity: 1,
                price: self.products[product].price,
            };
            order.lines.push(line.clone());
            ShopCommand::AddItem {
                order_id: order.id(),
                product_id: line.id(),
                quantity: line.quantity,
                price: line.amount(),
                reason,
            }
        };
        order.last = self.stage.have(doing, command);
        self.note_order(&order, "Placed");
        self.stage
            .plan_within(5 * MINUTE, 10 * MINUTE, Due::Pay(order));
    }

    fn pay(&mut self, mut order: Box<Order>) {
        let doing = order.doing("payment-service");
        let methods = ["card", "card", "card", "invoice", "wallet"];
        let method = (*self.stage.random.pick(&methods)).to_owned();
        let order_id = order.id();
        if self.stage.random.chance(40) {
            let reasons = ["card declined", "insufficient funds", "timeout"];
            let fail = ShopCommand::FailPayment {
                order_id,
                method,
                reason: (*self.stage.random.pick(&reasons)).to_owned(),
            };
            order.last = self.stage.have(doing, fail);
            order.payment_tries += 1;
            if order.payment_tries == 3 {
                let cancel = Due::Cancel(order, "payment failed", false);
                return self.stage.plan_within(HOUR, 2 * HOUR, cancel);
            }
            return self.stage.plan_within(4 * HOUR, 30 * HOUR, Due::Pay(order));
        }
        let pay = ShopCommand::PayOrder { order_id, method };
        order.last = self.stage.have(doing, pay);
        order.paid = true;
        self.note_order(&order, "Paid");
        self.note_spent(&order, order.total().0);
        self.stage
            .plan_within(3 * SECOND, 60 * SECOND, Due::Reserve(order));
    }

    /// Reserves all that an order needs; what is not there is refused, ordered, and asked for again.
    fn reserve(&mut self, mut order: Box<Order>) {
        let reserve = ShopCommand::ReserveInventory {
            order_id: order.id(),
        };
        let before = self.stage.last();
        let Ok(reserved) = self.stage.ask(order.doing("stock-service"), reserve) else {
            order.stock_tries += 1;
            for line in &order.lines {
                self.order_stock(line.product);
            }
            if order.stock_tries > 6 {
                let cancel = Due::Cancel(order, "out of stock", false);
                return self.stage.plan_within(HOUR, 8 * HOUR, cancel);
            }
            return self
                .stage
                .plan_within(20 * HOUR, 28 * HOUR, Due::Reserve(order));
        };
        for (nth, line) in order.lines.iter().enumerate() {
            self.products[line.product].reserved += line.quantity;
            self.note_stock(line.product, before + 1 + nth as u64);
            self.order_stock(line.product);
        }
        order.last = reserved;
        order.reserved = true;
        self.note_order(&order, "Reserved");
        if self.stage.random.chance(60) {
            let reasons = ["changed my mind", "ordered twice", "found it cheaper"];
            let reason = *self.stage.random.pick::<&'static str>(&reasons);
            let cancel = Due::Cancel(order, reason, true);
            return self.stage.plan_within(20 * MINUTE, HOUR, cancel);
        }
        let ready =
            self.stage.now + self.stage.random.between(HOUR / SECOND, 20 * HOUR / SECOND) * SECOND;
        let at = working(ready, &mut self.stage.random);
        self.stage.plan(at, Due::Ship(order));
    }

    /// Has a supplier bring more where stock runs low.
    fn order_stock(&mut self, index: usize) {
        let product = &mut self.products[index];
        if product.awaited || (product.on_hand - product.reserved) * 3 > product.lot {
            return;
        }
        product.awaited = true;
        let days = self.stage.random.between(1, 4);
        let at = delivery(self.stage.now, days, &mut self.stage.random);
        self.stage.plan(at, Due::Restock(index));
    }

    fn cancel(&mut self, mut order: Order, reason: &'static str, by_customer: bool) {
        let id = customer_id(order.customer);
        let actor = if by_customer { &id } else { "order-service" };
        let reason = reason.to_owned();
        let cancel = ShopCommand::CancelOrder {
            order_id: order.id(),
            reason: reason.clone(),
        };
        order.last = self.stage.have(order.doing(actor), cancel);
        self.note_order(&order, "Cancelled");
        let cancelled = order.last;
        if order.reserved {
            let release = ShopCommand::ReleaseInventory {
                order_id: order.id(),
                reason: "order cancelled".to_owned(),
            };
            self.stage.have(order.doing("stock-service"), release);
            for (nth, line) in order.lines.iter().enumerate() {
                self.products[line.product].reserved -= line.quantity;
                self.note_stock(line.product, cancelled + 1 + nth as u64);
            }
        }
        if order.paid {
            let refund = ShopCommand::RefundPayment {
                order_id: order.id(),
                reason,
            };
            order.last = self.stage.have(order.doing("payment-service"), refund);
            self.note_spent(&order, -order.total().0);
            self.stage
                .forget(&stream("payment", &order.number.to_string()));
        }
        self.stage.forget(&stream("order", &order.id()));
    }

    fn ship(&mut self, mut order: Box<Order>) {
        let packer = *self.stage.random.pick(&WAREHOUSE);
        let carrier = *self.stage.random.pick(&CARRIERS);
        let tracking = self.stage.random.below(10_000_000_000);
        let ship = ShopCommand::ShipOrder {
            order_id: order.id(),
            tracking_number: format!("1Z{tracking:010}"),
            carrier: carrier.to_owned(),
        };
        let shipped = self.stage.last() + 1;
        self.stage.have(order.doing(packer), ship);
        order.last = shipped;
        self.note_order(&order, "Shipped");
        for (nth, line) in order.lines.iter().enumerate() {
            let product = &mut self.products[line.product];
            product.on_hand -= line.quantity;
            product.reserved -= line.quantity;
            self.note_stock(line.product, shipped + 1 + nth as u64);
        }
        let ready = self.stage.now + self.stage.random.between(1, 3) * DAY;
        let at = working(ready, &mut self.stage.random) + self.stage.random.between(6, 9) * HOUR;
        self.stage.plan(at, Due::Deliver(order));
    }

    /// The carrier reports deliveries hours after they were made, so the log learns of them late.
    fn deliver(&mut self, mut order: Box<Order>) {
        self.stage.lag = self.stage.random.between(10 * 60, 6 * 60 * 60) * SECOND;
        let places = ["front door", "neighbour", "parcel shop", "in person"];
        let deliver = ShopCommand::DeliverOrder {
            order_id: order.id(),
            delivered_to: (*self.stage.random.pick(&places)).to_owned(),
        };
        let delivered = self.stage.have(order.doing("carrier-feed"), deliver);
        order.last = delivered;
        self.note_order(&order, "Delivered");
        self.stage
            .forget(&stream("payment", &order.number.to_string()));
        self.closed.push(order.number);
        if self.closed.len() > 64 {
            self.closed.remove(0);
        }
        if self.stage.random.chance(250) {
            self.stage
                .plan_within(DAY, 12 * DAY, Due::Review { order, delivered });
        } else {
            self.stage.forget(&stream("order", &order.id()));
        }
    }

    fn review(&mut self, order: &Order, delivered: EventNumber) {
        if self.customers[order.customer].active_at.is_some() {
            let line = self.stage.random.pick(&order.lines);
            let ratings = [1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5];
            let review = ShopCommand::SubmitReview {
                order_id: order.id(),
                product_id: line.id(),
                rating: *self.stage.random.pick(&ratings),
            };
            let id = customer_id(order.customer);
            let doing = Doing {
                cause: Some(delivered),
                ..order.doing(&id)
            };
            self.stage.have(doing, review);
        }
        self.stage.forget(&stream("order", &order.id()));
    }

    fn restock(&mut self, index: usize) {
        let lot = self.products[index].lot;
        let quantity = lot + self.stage.random.below(lot / 4 + 1);
        let supplier = *self.stage.random.pick(&SUPPLIERS);
        let receive = ShopCommand::ReceiveStock {
            product_id: product_id(index),
            quantity,
            supplier: supplier.to_owned(),
        };
        let clerk = Doing::alone(self.stage.random.pick::<&str>(&WAREHOUSE));
        let received = self.stage.have(clerk, receive);
        let product = &mut self.products[index];
        product.on_hand += quantity;
        product.awaited = false;
        self.note_stock(index, received);
    }

    /// Once a week stock is counted; some is missing, a little turns up.
    fn take_stock(&mut self) {
        for index in 0..self.products.len() {
            if !self.stage.random.chance(60) {
                continue;
            }
            let change = *self.stage.random.pick(&[-3, -2, -1, -1, -1, 1]);
            let missing = *self.stage.random.pick(&["damaged", "missing"]);
            let reason = if change > 0 { "found" } else { missing };
            let adjust = ShopCommand::AdjustStock {
                product_id: product_id(index),
                change,
                reason: format!("stocktake: {reason}"),
            };
            let clerk = Doing::alone(self.stage.random.pick::<&str>(&WAREHOUSE));
            // What is promised to others cannot be missing.
            if let Ok(adjusted) = self.stage.ask(clerk, adjust) {
                let on_hand = &mut self.products[index].on_hand;
                *on_hand = on_hand.saturating_add_signed(change);
                self.note_stock(index, adjusted);
                self.order_stock(index);
            }
        }
        let next = self.stage.now + 7 * DAY;
        self.stage.plan(next, Due::Stocktake);
    }
}

impl Play for Shop {
    fn step(&mut self) {
        match self.stage.turn() {
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

    fn ready(&mut self) -> Option<Happening> {
        self.stage.ready()
    }

    fn book(&mut self) -> &mut Book {
        &mut self.stage.book
    }

    fn harmless(&self) -> &'static [&'static str] {
        &["ProductViewed", "ReviewSubmitted", "AddressUpdated"]
    }

    fn forge(&mut self, number: u64) -> Option<(&'static str, Vec<Happening>)> {
        let product = self.stage.random.below(self.products.len() as u64) as usize;
        let item = product_id(product);
        let (rule, actor, events) = match number % 4 {
            1 => {
                let order = *self.closed.last()?;
                let data = json!({"productId": item, "quantity": 1, "price": self.products[product].price.value(), "reason": "customer called"});
                let added = undecided(format!("order-{order}"), "ItemAdded", &data);
                ("no-change-after-shipped", SUPPORT[0], vec![added])
            }
            2 => {
                let name = format!("inventory-{item}");
                let order = format!("order-forged-{number}");
                let (data, back) = (
                    json!({"orderId": order, "quantity": 1_000_000}),
                    json!({"orderId": order, "quantity": 1_000_000, "reason": "typing error"}),
                );
                let events = vec![
                    undecided(name.clone(), "ItemReserved", &data),
                    undecided(name, "ItemReleased", &back),
                ];
                ("never-reserve-more-than-available", WAREHOUSE[0], events)
            }
            3 => {
                let data = json!({"customerId": "cust-1", "items": [], "totalAmount": Cents(0).value(), "currency": "EUR", "shippingAddress": address(self.seed, 1, 0)});
                let placed = undecided(format!("order-forged-{number}"), "OrderPlaced", &data);
                ("total-positive", SUPPORT[1], vec![placed])
            }
            _ => {
                // Somebody takes an address that another has had from the beginning.
                let kept = |customer: &Customer| customer.emails == 0;
                let mut owners = self.customers.iter().enumerate().filter(|(_, c)| kept(c));
                let (owner, _) = owners.next()?;
                let (thief, _) = owners.nth(number as usize / 4)?;
                let (old, new) = (email(thief as u64 + 1, 0), email(owner as u64 + 1, 0));
                let data = json!({"oldEmail": old, "newEmail": new});
                let change = CustomerEvent::EmailChanged {
                    old_email: old,
                    new_email: new,
                };
                let name = format!("customer-{}", thief + 1);
                let mut changed = undecided(name, "EmailChanged", &data);
                changed.links = CustomerRules::default().links(&change);
                ("unique-email", SUPPORT[2], vec![changed])
            }
        };
        Some((rule, self.stage.forge(events, actor, number)))
    }
}
