//! The shop's aggregates and their rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::worlds::{self, Breach, link};
use crate::command::{Aggregate, Amount};
use crate::event::NewLink;
use crate::id::StreamId;
use crate::integrity::Hash;

/// A line of an order or a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What.
    pub product_id: String,
    /// How many.
    pub quantity: u64,
    /// Price of one.
    pub price: Amount,
}

impl Line {
    fn sum(&self) -> Amount {
        self.price * self.quantity
    }
}

/// Where something goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Number and street.
    pub street: String,
    /// Town.
    pub city: String,
    /// Postal code.
    pub zip_code: String,
}

/// As [`worlds::stream`]; a customer's id is shorter than its category.
pub(super) fn stream(category: &str, id: &str) -> StreamId {
    worlds::stream(category, id.strip_prefix("cust-").unwrap_or(id))
}

/// The stream of an e-mail address: it names the address without giving it away.
pub(super) fn email_stream(email: &str) -> StreamId {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(email.trim().to_lowercase().as_bytes());
    stream("email", &Hash(hash.into()).to_string()[..16])
}

// An order.

/// An order, as its rules need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// Who ordered; empty before it was placed.
    pub customer_id: String,
    /// What is ordered.
    pub lines: Vec<Line>,
    /// What was paid and not given back.
    pub paid: Option<Amount>,
    /// Its stock lies ready.
    pub reserved: bool,
    /// It has left the house.
    pub shipped: bool,
    /// It has come.
    pub delivered: bool,
    /// It was cancelled.
    pub cancelled: bool,
}

/// What an order can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum OrderCommand {
    /// Placed by a customer.
    Place {
        /// Who.
        customer_id: String,
        /// What.
        items: Vec<Line>,
        /// Where to.
        shipping_address: Address,
    },
    /// One line more.
    AddItem {
        /// The line.
        line: Line,
        /// Why.
        reason: String,
    },
    /// One line less.
    RemoveItem {
        /// Which.
        product_id: String,
        /// Why.
        reason: String,
    },
    /// Its stock lies ready.
    NoteReserved {
        /// Where.
        warehouse: String,
    },
    /// It leaves.
    Ship {
        /// The carrier's number.
        tracking_number: String,
        /// Who carries it.
        carrier: String,
    },
    /// It has come.
    Deliver {
        /// Where it was left.
        delivered_to: String,
    },
    /// It is not wanted any more.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Nothing: refuses if it cannot be paid.
    MayPay,
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    reason = "the guide's events; the fields say what they are"
)]
pub enum OrderEvent {
    OrderPlaced {
        customer_id: String,
        items: Vec<Line>,
        total_amount: Amount,
        currency: String,
        shipping_address: Address,
    },
    ItemAdded {
        product_id: String,
        quantity: u64,
        price: Amount,
        reason: String,
    },
    ItemRemoved {
        product_id: String,
        quantity: u64,
        price: Amount,
        reason: String,
    },
    InventoryReserved {
        warehouse: String,
        lines: u64,
    },
    OrderShipped {
        tracking_number: String,
        carrier: String,
    },
    OrderDelivered {
        delivered_to: String,
    },
    OrderCancelled {
        reason: String,
    },
    PaymentProcessed {
        amount: Amount,
    },
    PaymentRefunded {
        amount: Amount,
    },
}

impl Order {
    /// What it costs.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.lines.iter().map(Line::sum).sum()
    }

    fn status(&self) -> &'static str {
        match self {
            Order {
                cancelled: true, ..
            } => "cancelled",
            Order {
                delivered: true, ..
            } => "delivered",
            Order { shipped: true, .. } => "shipped",
            Order { paid: Some(_), .. } => "paid",
            _ => "placed",
        }
    }

    fn open(&self) -> Result<(), Breach> {
        if self.customer_id.is_empty() {
            return Err(Breach::new(
                "order-is-placed",
                &[],
                "there is no such order",
            ));
        }
        if self.shipped || self.cancelled {
            let said = format!("the order is {}: it cannot be changed", self.status());
            return Err(Breach::new("no-change-after-shipped", &["status"], said));
        }
        Ok(())
    }

    fn unpaid(&self) -> Result<(), Breach> {
        self.open()?;
        match self.paid {
            None => Ok(()),
            Some(paid) => {
                let said = format!("{paid} were paid for it");
                Err(Breach::new("no-change-after-paid", &["paid"], said))
            }
        }
    }
}

fn positive(total: Amount) -> Result<(), Breach> {
    if total.is_positive() {
        return Ok(());
    }
    let said = format!("the order would come to {total}");
    Err(Breach::new("total-positive", &["total"], said))
}

impl Aggregate for Order {
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Rejection = Breach;

    fn handle(&self, command: OrderCommand) -> Result<Vec<OrderEvent>, Breach> {
        Ok(vec![match command {
            OrderCommand::Place {
                customer_id,
                items,
                shipping_address,
            } => {
                if !self.customer_id.is_empty() {
                    let said = "an order with this number is there already";
                    return Err(Breach::new("placed-once", &["customerId"], said));
                }
                let total_amount = items.iter().map(Line::sum).sum();
                positive(total_amount)?;
                OrderEvent::OrderPlaced {
                    customer_id,
                    items,
                    total_amount,
                    currency: "EUR".to_owned(),
                    shipping_address,
                }
            }
            OrderCommand::AddItem { line, reason } => {
                self.unpaid()?;
                positive(self.total() + line.sum())?;
                let Line {
                    product_id,
                    quantity,
                    price,
                } = line;
                OrderEvent::ItemAdded {
                    product_id,
                    quantity,
                    price,
                    reason,
                }
            }
            OrderCommand::RemoveItem { product_id, reason } => {
                self.unpaid()?;
                let held = self.lines.iter().find(|line| line.product_id == product_id);
                let Some(line) = held else {
                    let said = format!("{product_id} is not in the order");
                    return Err(Breach::new("order-holds-it", &["items"], said));
                };
                positive(self.total() - line.sum())?;
                OrderEvent::ItemRemoved {
                    product_id,
                    quantity: line.quantity,
                    price: line.price,
                    reason,
                }
            }
            OrderCommand::NoteReserved { warehouse } => {
                self.open()?;
                OrderEvent::InventoryReserved {
                    warehouse,
                    lines: self.lines.len() as u64,
                }
            }
            OrderCommand::Ship {
                tracking_number,
                carrier,
            } => {
                self.open()?;
                if !self.reserved || self.paid.is_none() {
                    let what = if self.reserved { "paid" } else { "reserved" };
                    let said = format!("the order is not {what}");
                    return Err(Breach::new(
                        "ship-what-is-paid-and-reserved",
                        &["status", "paid"],
                        said,
                    ));
                }
                OrderEvent::OrderShipped {
                    tracking_number,
                    carrier,
                }
            }
            OrderCommand::Deliver { delivered_to } => {
                if !self.shipped || self.delivered {
                    let said = format!("the order is {}", self.status());
                    return Err(Breach::new("deliver-what-is-shipped", &["status"], said));
                }
                OrderEvent::OrderDelivered { delivered_to }
            }
            OrderCommand::Cancel { reason } => {
                self.open()?;
                OrderEvent::OrderCancelled { reason }
            }
            OrderCommand::MayPay => {
                self.unpaid()?;
                return Ok(Vec::new());
            }
        }])
    }

    fn apply(&mut self, event: OrderEvent) {
        match event {
            OrderEvent::OrderPlaced {
                customer_id, items, ..
            } => {
                self.customer_id = customer_id;
                self.lines = items;
            }
            OrderEvent::ItemAdded {
                product_id,
                quantity,
                price,
                ..
            } => self.lines.push(Line {
                product_id,
                quantity,
                price,
            }),
            OrderEvent::ItemRemoved {
                product_id,
                quantity,
                price,
                ..
            } => {
                // The one line that it names: an order may hold a product in several, at several prices.
                let named = |line: &Line| {
                    line.product_id == product_id
                        && line.quantity == quantity
                        && line.price == price
                };
                if let Some(at) = self.lines.iter().position(named) {
                    self.lines.remove(at);
                }
            }
            OrderEvent::InventoryReserved { .. } => self.reserved = true,
            OrderEvent::OrderShipped { .. } => self.shipped = true,
            OrderEvent::OrderDelivered { .. } => self.delivered = true,
            OrderEvent::OrderCancelled { .. } => self.cancelled = true,
            OrderEvent::PaymentProcessed { amount } => self.paid = Some(amount),
            OrderEvent::PaymentRefunded { .. } => self.paid = None,
        }
    }

    fn links(&self, event: &OrderEvent) -> Vec<NewLink> {
        let customer = match event {
            OrderEvent::OrderPlaced { customer_id, .. } => customer_id,
            OrderEvent::OrderDelivered { .. } | OrderEvent::OrderCancelled { .. } => {
                &self.customer_id
            }
            _ => return Vec::new(),
        };
        vec![link(stream("customer", customer), "buyer")]
    }
}

// A customer, and the address that nobody else has.

/// A customer, as the rules need them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer {
    /// Present address; empty before they registered.
    pub email: String,
    /// They have left.
    pub gone: bool,
    /// Orders on their way.
    pub open_orders: u64,
}

/// What a customer can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum CustomerCommand {
    Register {
        customer_id: String,
        name: String,
        email: String,
        address: Address,
    },
    ChangeEmail {
        new_email: String,
    },
    UpdateAddress {
        address: Address,
        reason: String,
    },
    Deactivate {
        reason: String,
    },
    /// Nothing: refuses who is no customer.
    MayOrder,
}

/// What can happen to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    reason = "the guide's events; the fields say what they are"
)]
pub enum CustomerEvent {
    CustomerRegistered {
        customer_id: String,
        name: String,
        email: String,
        address: Address,
    },
    EmailChanged {
        old_email: String,
        new_email: String,
    },
    AddressUpdated {
        address: Address,
        reason: String,
    },
    CustomerDeactivated {
        reason: String,
    },
    OrderPlaced {},
    OrderDelivered {},
    OrderCancelled {},
}

impl Customer {
    fn active(&self) -> Result<(), Breach> {
        if self.email.is_empty() || self.gone {
            let said = if self.gone {
                "has left"
            } else {
                "never registered"
            };
            let said = format!("the customer {said}");
            return Err(Breach::new("customer-is-active", &["status"], said));
        }
        Ok(())
    }
}

impl Aggregate for Customer {
    type Command = CustomerCommand;
    type Event = CustomerEvent;
    type Rejection = Breach;

    fn handle(&self, command: CustomerCommand) -> Result<Vec<CustomerEvent>, Breach> {
        if !matches!(command, CustomerCommand::Register { .. }) {
            self.active()?;
        }
        Ok(vec![match command {
            CustomerCommand::Register {
                customer_id,
                name,
                email,
                address,
            } => {
                if !self.email.is_empty() {
                    let said = format!("{customer_id} registered before");
                    return Err(Breach::new("registered-once", &["email"], said));
                }
                CustomerEvent::CustomerRegistered {
                    customer_id,
                    name,
                    email,
                    address,
                }
            }
            CustomerCommand::ChangeEmail { new_email } => CustomerEvent::EmailChanged {
                old_email: self.email.clone(),
                new_email,
            },
            CustomerCommand::UpdateAddress { address, reason } => {
                CustomerEvent::AddressUpdated { address, reason }
            }
            CustomerCommand::Deactivate { reason } => {
                if self.open_orders > 0 {
                    let said = format!("the customer has {} orders on their way", self.open_orders);
                    return Err(Breach::new(
                        "no-deletion-with-active-orders",
                        &["openOrders"],
                        said,
                    ));
                }
                CustomerEvent::CustomerDeactivated { reason }
            }
            CustomerCommand::MayOrder => return Ok(Vec::new()),
        }])
    }

    fn apply(&mut self, event: CustomerEvent) {
        match event {
            CustomerEvent::CustomerRegistered { email, .. } => self.email = email,
            CustomerEvent::EmailChanged { new_email, .. } => self.email = new_email,
            CustomerEvent::AddressUpdated { .. } => {}
            CustomerEvent::CustomerDeactivated { .. } => self.gone = true,
            CustomerEvent::OrderPlaced {} => self.open_orders += 1,
            CustomerEvent::OrderDelivered {} | CustomerEvent::OrderCancelled {} => {
                self.open_orders = self.open_orders.saturating_sub(1);
            }
        }
    }

    fn links(&self, event: &CustomerEvent) -> Vec<NewLink> {
        match event {
            CustomerEvent::CustomerRegistered { email, .. } => {
                vec![link(email_stream(email), "claims")]
            }
            CustomerEvent::EmailChanged {
                old_email,
                new_email,
            } if email_stream(old_email) != email_stream(new_email) => vec![
                link(email_stream(old_email), "frees"),
                link(email_stream(new_email), "claims"),
            ],
            _ => Vec::new(),
        }
    }
}

/// An e-mail address: a stream of the events that claim and free it, and of nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmailAddress {
    /// Somebody has it.
    pub taken: bool,
}

/// What an address can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmailCommand {
    /// Nothing: refuses if somebody has it.
    MayClaim,
}

/// What can happen to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the customer's events")]
pub enum EmailEvent {
    CustomerRegistered {},
    EmailChanged {},
}

impl Aggregate for EmailAddress {
    type Command = EmailCommand;
    type Event = EmailEvent;
    type Rejection = Breach;

    fn handle(&self, _: EmailCommand) -> Result<Vec<EmailEvent>, Breach> {
        if self.taken {
            let said = "another customer has this e-mail address";
            return Err(Breach::new("unique-email", &["customerId"], said));
        }
        Ok(Vec::new())
    }

    fn apply(&mut self, _: EmailEvent) {}

    fn apply_linked(&mut self, _: EmailEvent, qualifier: &str) {
        self.taken = qualifier == "claims";
    }
}

// Stock.

/// The stock of one product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What lies in the warehouse.
    pub on_hand: u64,
    /// What of it is promised, by order.
    pub reserved: BTreeMap<String, u64>,
}

/// What a stock can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum InventoryCommand {
    Receive { quantity: u64, supplier: String },
    Reserve { order_id: String, quantity: u64 },
    Release { order_id: String, reason: String },
    Dispatch { order_id: String },
    Adjust { change: i64, reason: String },
}

/// What can happen to a stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    reason = "the guide's events; the fields say what they are"
)]
pub enum InventoryEvent {
    StockReceived {
        quantity: u64,
        supplier: String,
    },
    ItemReserved {
        order_id: String,
        quantity: u64,
    },
    ItemReleased {
        order_id: String,
        quantity: u64,
        reason: String,
    },
    StockDispatched {
        order_id: String,
        quantity: u64,
    },
    StockAdjusted {
        change: i64,
        reason: String,
    },
}

impl Inventory {
    /// What is free to sell.
    #[must_use]
    pub fn available(&self) -> u64 {
        let reserved: u64 = self.reserved.values().sum();
        self.on_hand.saturating_sub(reserved)
    }

    fn held(&self, order_id: &str) -> Result<u64, Breach> {
        let said = || format!("nothing is reserved for {order_id}");
        let held = self.reserved.get(order_id).copied();
        held.ok_or_else(|| Breach::new("release-what-is-reserved", &["reserved"], said()))
    }
}

impl Aggregate for Inventory {
    type Command = InventoryCommand;
    type Event = InventoryEvent;
    type Rejection = Breach;

    fn handle(&self, command: InventoryCommand) -> Result<Vec<InventoryEvent>, Breach> {
        let available = self.available();
        Ok(vec![match command {
            InventoryCommand::Receive { quantity, supplier } => {
                InventoryEvent::StockReceived { quantity, supplier }
            }
            InventoryCommand::Reserve { order_id, quantity } => {
                if self.reserved.contains_key(&order_id) {
                    let said = format!("stock is reserved for {order_id} already");
                    return Err(Breach::new("reserved-once", &["reserved"], said));
                }
                if quantity > available {
                    let said = format!("{quantity} are asked for and {available} available");
                    return Err(Breach::new(
                        "never-reserve-more-than-available",
                        &["available"],
                        said,
                    ));
                }
                InventoryEvent::ItemReserved { order_id, quantity }
            }
            InventoryCommand::Release { order_id, reason } => InventoryEvent::ItemReleased {
                quantity: self.held(&order_id)?,
                order_id,
                reason,
            },
            InventoryCommand::Dispatch { order_id } => InventoryEvent::StockDispatched {
                quantity: self.held(&order_id)?,
                order_id,
            },
            InventoryCommand::Adjust { change, reason } => {
                if change.is_negative() && change.unsigned_abs() > available {
                    let said =
                        format!("{available} are available, {change} would be less than none");
                    return Err(Breach::new("stock-never-negative", &["available"], said));
                }
                InventoryEvent::StockAdjusted { change, reason }
            }
        }])
    }

    fn apply(&mut self, event: InventoryEvent) {
        match event {
            InventoryEvent::StockReceived { quantity, .. } => {
                self.on_hand = self.on_hand.saturating_add(quantity);
            }
            InventoryEvent::ItemReserved { order_id, quantity } => {
                self.reserved.insert(order_id, quantity);
            }
            InventoryEvent::ItemReleased { order_id, .. } => {
                self.reserved.remove(&order_id);
            }
            InventoryEvent::StockDispatched { order_id, quantity } => {
                self.reserved.remove(&order_id);
                self.on_hand = self.on_hand.saturating_sub(quantity);
            }
            InventoryEvent::StockAdjusted { change, .. } => {
                self.on_hand = self.on_hand.saturating_add_signed(change);
            }
        }
    }
}

// A payment.

/// The payment of one order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payment {
    /// What was paid and not given back.
    pub paid: Option<Amount>,
    /// Who pays.
    pub customer_id: String,
}

/// What a payment can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum PaymentCommand {
    Process {
        order_id: String,
        customer_id: String,
        amount: Amount,
        method: String,
    },
    Fail {
        order_id: String,
        amount: Amount,
        method: String,
        reason: String,
    },
    Refund {
        order_id: String,
        customer_id: String,
        reason: String,
    },
}

/// What can happen to a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    clippy::enum_variant_names,
    reason = "the guide's events; the fields say what they are"
)]
pub enum PaymentEvent {
    PaymentFailed {
        order_id: String,
        amount: Amount,
        currency: String,
        method: String,
        reason: String,
    },
    PaymentProcessed {
        order_id: String,
        customer_id: String,
        amount: Amount,
        currency: String,
        method: String,
    },
    PaymentRefunded {
        order_id: String,
        customer_id: String,
        amount: Amount,
        currency: String,
        reason: String,
    },
}

impl Aggregate for Payment {
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Rejection = Breach;

    fn handle(&self, command: PaymentCommand) -> Result<Vec<PaymentEvent>, Breach> {
        let currency = "EUR".to_owned();
        if let (Some(paid), false) = (self.paid, matches!(command, PaymentCommand::Refund { .. })) {
            let said = format!("{paid} were paid before");
            return Err(Breach::new("paid-once", &["status"], said));
        }
        Ok(vec![match command {
            PaymentCommand::Process {
                order_id,
                customer_id,
                amount,
                method,
            } => PaymentEvent::PaymentProcessed {
                order_id,
                customer_id,
                amount,
                currency,
                method,
            },
            PaymentCommand::Fail {
                order_id,
                amount,
                method,
                reason,
            } => PaymentEvent::PaymentFailed {
                order_id,
                amount,
                currency,
                method,
                reason,
            },
            PaymentCommand::Refund {
                order_id,
                customer_id,
                reason,
            } => PaymentEvent::PaymentRefunded {
                amount: self.paid.ok_or_else(|| {
                    Breach::new("refund-what-was-paid", &["status"], "nothing was paid")
                })?,
                order_id,
                customer_id,
                currency,
                reason,
            },
        }])
    }

    fn apply(&mut self, event: PaymentEvent) {
        match event {
            PaymentEvent::PaymentFailed { .. } => {}
            PaymentEvent::PaymentProcessed { amount, .. } => self.paid = Some(amount),
            PaymentEvent::PaymentRefunded { .. } => self.paid = None,
        }
    }

    fn links(&self, event: &PaymentEvent) -> Vec<NewLink> {
        match event {
            PaymentEvent::PaymentFailed { order_id, .. } => {
                vec![link(stream("order", order_id), "order")]
            }
            PaymentEvent::PaymentProcessed {
                order_id,
                customer_id,
                ..
            }
            | PaymentEvent::PaymentRefunded {
                order_id,
                customer_id,
                ..
            } => vec![
                link(stream("order", order_id), "order"),
                link(stream("customer", customer_id), "payer"),
            ],
        }
    }
}

// A cart, and a product as its visitors see it.

/// A cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cart {
    /// What is in it.
    pub lines: Vec<Line>,
}

/// What a cart can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum CartCommand {
    Add { line: Line },
    Remove { product_id: String },
}

/// What can happen to a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the guide's events")]
pub enum CartEvent {
    ItemAddedToCart(Line),
    ItemRemovedFromCart(Line),
}

impl Aggregate for Cart {
    type Command = CartCommand;
    type Event = CartEvent;
    type Rejection = Breach;

    fn handle(&self, command: CartCommand) -> Result<Vec<CartEvent>, Breach> {
        let held = |id: &str| self.lines.iter().find(|line| line.product_id == id);
        Ok(vec![match command {
            CartCommand::Add { line } => match held(&line.product_id) {
                None => CartEvent::ItemAddedToCart(line),
                Some(_) => {
                    let said = format!("{} is in the cart already", line.product_id);
                    return Err(Breach::new("in-the-cart-once", &["items"], said));
                }
            },
            CartCommand::Remove { product_id } => match held(&product_id) {
                Some(line) => CartEvent::ItemRemovedFromCart(line.clone()),
                None => {
                    let said = format!("{product_id} is not in the cart");
                    return Err(Breach::new("cart-holds-it", &["items"], said));
                }
            },
        }])
    }

    fn apply(&mut self, event: CartEvent) {
        match event {
            CartEvent::ItemAddedToCart(line) => self.lines.push(line),
            CartEvent::ItemRemovedFromCart(line) => {
                self.lines.retain(|held| held.product_id != line.product_id);
            }
        }
    }
}

/// A product as its visitors see it; it refuses only ratings that are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product;

/// What a product can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum ProductCommand {
    View {
        product_id: String,
        price: Amount,
    },
    Review {
        product_id: String,
        order_id: String,
        rating: u8,
    },
}

/// What can happen to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    reason = "the guide's events; the fields say what they are"
)]
pub enum ProductEvent {
    ProductViewed {
        product_id: String,
        price: Amount,
    },
    ReviewSubmitted {
        product_id: String,
        order_id: String,
        rating: u8,
    },
}

impl Aggregate for Product {
    type Command = ProductCommand;
    type Event = ProductEvent;
    type Rejection = Breach;

    fn handle(&self, command: ProductCommand) -> Result<Vec<ProductEvent>, Breach> {
        Ok(vec![match command {
            ProductCommand::View { product_id, price } => {
                ProductEvent::ProductViewed { product_id, price }
            }
            ProductCommand::Review {
                product_id,
                order_id,
                rating,
            } => {
                if !(1..=5).contains(&rating) {
                    let said = format!("a rating is from 1 to 5, not {rating}");
                    return Err(Breach::new("rating-from-1-to-5", &[], said));
                }
                ProductEvent::ReviewSubmitted {
                    product_id,
                    order_id,
                    rating,
                }
            }
        }])
    }

    fn apply(&mut self, _: ProductEvent) {}
}
