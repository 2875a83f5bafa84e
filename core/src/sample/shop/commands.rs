//! The shop's commands by name: which aggregates each of them asks.

use serde::{Deserialize, Serialize};

use super::super::worlds::{Breach, Carry};
use super::rules::{
    Address, Cart, CartCommand, Customer, CustomerCommand, EmailAddress, EmailCommand, Inventory,
    InventoryCommand, Line, Order, OrderCommand, Payment, PaymentCommand, Product, ProductCommand,
    email_stream, stream,
};
use crate::command::{Amount, CommandError, Work};

/// What can be asked of the shop; the name of the variant is the name of the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum ShopCommand {
    RegisterCustomer {
        customer_id: String,
        name: String,
        email: String,
        address: Address,
    },
    ChangeEmail {
        customer_id: String,
        new_email: String,
    },
    UpdateAddress {
        customer_id: String,
        address: Address,
        #[serde(default)]
        reason: String,
    },
    DeactivateCustomer {
        customer_id: String,
        #[serde(default)]
        reason: String,
    },
    ViewProduct {
        product_id: String,
        price: Amount,
    },
    AddItemToCart {
        cart_id: String,
        product_id: String,
        quantity: u64,
        price: Amount,
    },
    RemoveItemFromCart {
        cart_id: String,
        product_id: String,
    },
    /// The guide calls it `CreateOrder` too.
    #[serde(alias = "CreateOrder")]
    PlaceOrder {
        order_id: String,
        customer_id: String,
        items: Vec<Line>,
        shipping_address: Address,
    },
    AddItem {
        order_id: String,
        product_id: String,
        quantity: u64,
        price: Amount,
        #[serde(default)]
        reason: String,
    },
    RemoveItem {
        order_id: String,
        product_id: String,
        #[serde(default)]
        reason: String,
    },
    /// Pays all of an order.
    PayOrder {
        order_id: String,
        method: String,
    },
    /// A payment was tried and refused.
    FailPayment {
        order_id: String,
        method: String,
        reason: String,
    },
    /// Gives back what was paid.
    RefundPayment {
        order_id: String,
        reason: String,
    },
    /// Reserves all that an order needs, or nothing of it.
    ReserveInventory {
        order_id: String,
    },
    /// Releases what is reserved for an order.
    ReleaseInventory {
        order_id: String,
        reason: String,
    },
    ShipOrder {
        order_id: String,
        tracking_number: String,
        carrier: String,
    },
    DeliverOrder {
        order_id: String,
        delivered_to: String,
    },
    CancelOrder {
        order_id: String,
        reason: String,
    },
    SubmitReview {
        order_id: String,
        product_id: String,
        rating: u8,
    },
    ReceiveStock {
        product_id: String,
        quantity: u64,
        supplier: String,
    },
    AdjustStock {
        product_id: String,
        change: i64,
        reason: String,
    },
}

impl Carry for ShopCommand {
    const NAMES: &'static [&'static str] = &[
        "RegisterCustomer",
        "ChangeEmail",
        "UpdateAddress",
        "DeactivateCustomer",
        "ViewProduct",
        "AddItemToCart",
        "RemoveItemFromCart",
        "PlaceOrder",
        "CreateOrder",
        "AddItem",
        "RemoveItem",
        "PayOrder",
        "FailPayment",
        "RefundPayment",
        "ReserveInventory",
        "ReleaseInventory",
        "ShipOrder",
        "DeliverOrder",
        "CancelOrder",
        "SubmitReview",
        "ReceiveStock",
        "AdjustStock",
    ];

    fn carry_out(self, work: &mut Work<'_>) -> Result<(), CommandError> {
        use ShopCommand as C;
        match self {
            C::RegisterCustomer {
                customer_id,
                name,
                email,
                address,
            } => {
                work.send::<EmailAddress>(&email_stream(&email), EmailCommand::MayClaim)?;
                let register = CustomerCommand::Register {
                    customer_id: customer_id.clone(),
                    name,
                    email,
                    address,
                };
                customer(work, &customer_id, register)
            }
            C::ChangeEmail {
                customer_id,
                new_email,
            } => {
                let old = &work
                    .read::<Customer>(&stream("customer", &customer_id))?
                    .email;
                if email_stream(old) != email_stream(&new_email) {
                    work.send::<EmailAddress>(&email_stream(&new_email), EmailCommand::MayClaim)?;
                }
                customer(
                    work,
                    &customer_id,
                    CustomerCommand::ChangeEmail { new_email },
                )
            }
            C::UpdateAddress {
                customer_id,
                address,
                reason,
            } => customer(
                work,
                &customer_id,
                CustomerCommand::UpdateAddress { address, reason },
            ),
            C::DeactivateCustomer {
                customer_id,
                reason,
            } => customer(work, &customer_id, CustomerCommand::Deactivate { reason }),
            C::ViewProduct { product_id, price } => {
                let product = stream("product", number_of(&product_id));
                let view = ProductCommand::View { product_id, price };
                work.send::<Product>(&product, view).map(|_| ())
            }
            C::AddItemToCart {
                cart_id,
                product_id,
                quantity,
                price,
            } => {
                let line = Line {
                    product_id,
                    quantity,
                    price,
                };
                let add = CartCommand::Add { line };
                work.send::<Cart>(&stream("cart", &cart_id), add)
                    .map(|_| ())
            }
            C::RemoveItemFromCart {
                cart_id,
                product_id,
            } => {
                let remove = CartCommand::Remove { product_id };
                work.send::<Cart>(&stream("cart", &cart_id), remove)
                    .map(|_| ())
            }
            C::PlaceOrder {
                order_id,
                customer_id,
                items,
                shipping_address,
            } => {
                customer(work, &customer_id, CustomerCommand::MayOrder)?;
                let place = OrderCommand::Place {
                    customer_id,
                    items,
                    shipping_address,
                };
                order(work, &order_id, place)
            }
            C::AddItem {
                order_id,
                product_id,
                quantity,
                price,
                reason,
            } => {
                let line = Line {
                    product_id,
                    quantity,
                    price,
                };
                order(work, &order_id, OrderCommand::AddItem { line, reason })
            }
            C::RemoveItem {
                order_id,
                product_id,
                reason,
            } => order(
                work,
                &order_id,
                OrderCommand::RemoveItem { product_id, reason },
            ),
            C::PayOrder { order_id, method } => {
                order(work, &order_id, OrderCommand::MayPay)?;
                let paid = work.read::<Order>(&stream("order", &order_id))?;
                let process = PaymentCommand::Process {
                    amount: paid.total(),
                    customer_id: paid.customer_id.clone(),
                    order_id: order_id.clone(),
                    method,
                };
                payment(work, &order_id, process)
            }
            C::FailPayment {
                order_id,
                method,
                reason,
            } => {
                order(work, &order_id, OrderCommand::MayPay)?;
                let amount = work.read::<Order>(&stream("order", &order_id))?.total();
                let fail = PaymentCommand::Fail {
                    order_id: order_id.clone(),
                    amount,
                    method,
                    reason,
                };
                payment(work, &order_id, fail)
            }
            C::RefundPayment { order_id, reason } => {
                let paid = work.read::<Order>(&stream("order", &order_id))?;
                let refund = PaymentCommand::Refund {
                    customer_id: paid.customer_id.clone(),
                    order_id: order_id.clone(),
                    reason,
                };
                payment(work, &order_id, refund)
            }
            C::ReserveInventory { order_id } => {
                for line in lines(work, &order_id)? {
                    let reserve = InventoryCommand::Reserve {
                        order_id: order_id.clone(),
                        quantity: line.quantity,
                    };
                    stock(work, &line.product_id, reserve)?;
                }
                let warehouse = "central".to_owned();
                order(work, &order_id, OrderCommand::NoteReserved { warehouse })
            }
            C::ReleaseInventory { order_id, reason } => {
                for line in lines(work, &order_id)? {
                    let release = InventoryCommand::Release {
                        order_id: order_id.clone(),
                        reason: reason.clone(),
                    };
                    stock(work, &line.product_id, release)?;
                }
                Ok(())
            }
            C::ShipOrder {
                order_id,
                tracking_number,
                carrier,
            } => {
                let ship = OrderCommand::Ship {
                    tracking_number,
                    carrier,
                };
                order(work, &order_id, ship)?;
                for line in lines(work, &order_id)? {
                    let dispatch = InventoryCommand::Dispatch {
                        order_id: order_id.clone(),
                    };
                    stock(work, &line.product_id, dispatch)?;
                }
                Ok(())
            }
            C::DeliverOrder {
                order_id,
                delivered_to,
            } => order(work, &order_id, OrderCommand::Deliver { delivered_to }),
            C::CancelOrder { order_id, reason } => {
                order(work, &order_id, OrderCommand::Cancel { reason })
            }
            C::SubmitReview {
                order_id,
                product_id,
                rating,
            } => {
                let from = stream("order", &order_id);
                let bought = work.read::<Order>(&from)?;
                let holds = bought
                    .lines
                    .iter()
                    .any(|line| line.product_id == product_id);
                if !bought.delivered || !holds {
                    let said = format!("{product_id} did not come with {order_id}");
                    let breach =
                        Breach::new("review-what-was-delivered", &["status", "items"], said);
                    return work.refuse(&from, breach);
                }
                let product = stream("product", number_of(&product_id));
                let review = ProductCommand::Review {
                    product_id,
                    order_id,
                    rating,
                };
                work.send::<Product>(&product, review).map(|_| ())
            }
            C::ReceiveStock {
                product_id,
                quantity,
                supplier,
            } => stock(
                work,
                &product_id,
                InventoryCommand::Receive { quantity, supplier },
            ),
            C::AdjustStock {
                product_id,
                change,
                reason,
            } => stock(
                work,
                &product_id,
                InventoryCommand::Adjust { change, reason },
            ),
        }
    }
}

fn number_of(product_id: &str) -> &str {
    product_id.strip_prefix("prod-").unwrap_or(product_id)
}

fn lines(work: &mut Work<'_>, order_id: &str) -> Result<Vec<Line>, CommandError> {
    Ok(work
        .read::<Order>(&stream("order", order_id))?
        .lines
        .clone())
}

fn order(work: &mut Work<'_>, id: &str, command: OrderCommand) -> Result<(), CommandError> {
    work.send::<Order>(&stream("order", id), command)
        .map(|_| ())
}

fn customer(work: &mut Work<'_>, id: &str, command: CustomerCommand) -> Result<(), CommandError> {
    work.send::<Customer>(&stream("customer", id), command)
        .map(|_| ())
}

fn payment(work: &mut Work<'_>, order: &str, command: PaymentCommand) -> Result<(), CommandError> {
    let id = order.strip_prefix("order-").unwrap_or(order);
    work.send::<Payment>(&stream("payment", id), command)
        .map(|_| ())
}

fn stock(
    work: &mut Work<'_>,
    product: &str,
    command: InventoryCommand,
) -> Result<(), CommandError> {
    work.send::<Inventory>(&stream("inventory", product), command)
        .map(|_| ())
}
