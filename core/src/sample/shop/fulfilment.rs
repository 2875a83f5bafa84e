//! A process across aggregates: an order that was placed has its stock reserved, is paid and shipped; or its stock
//! is released and it is cancelled.
//!
//! The process acts on events. What it does on one are commands whose ids follow from the event's position, so an event
//! that comes again changes nothing. What it waits for stands in a stream of its own, `fulfilment-…`, so that a process
//! that starts again knows what is overdue. Messages to customers are events too (`outbox-…`): they are decided
//! together with what they tell of, and sent by whoever has the checkpoint of notifications.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::super::worlds::{Breach, Carry};
use super::ShopCommand;
use super::rules::{Order, stream};
use crate::command::{
    Aggregate, Amount, CommandError, Commands, ConsumerCheckpoint, Context, DeliveryError, Work,
    deliver,
};
use crate::event::Event;
use crate::id::{Category, StreamId};
use crate::position::Position;
use crate::store::{Log, LogWriter, ReadError, StreamQuery};
use crate::time::Time;

/// How long the process waits for a payment, in seconds, where nothing else is asked for: a day.
pub const PAY_WITHIN_SECONDS: i64 = 24 * 60 * 60;

/// Payments that are tried before an order is given up.
const TRIES: u64 = 3;

/// What a payment came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentOutcome {
    /// It was paid.
    Paid,
    /// It was refused.
    Refused {
        /// Why.
        reason: String,
    },
    /// It is not known yet.
    Pending,
}

/// The fulfilment of one order, as the process needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fulfilment {
    /// The order; empty before it began.
    pub order_id: String,
    /// Until when it is to be paid, microseconds since 1970.
    pub pay_by_us: i64,
    /// Payments that were refused.
    pub refused: u64,
    /// It came to an end.
    pub ended: bool,
}

/// What a fulfilment can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum FulfilmentCommand {
    Start { order_id: String, pay_by: String },
    NoteRefusal { reason: String },
    Complete,
    Abandon { reason: String },
}

/// What can happen to a fulfilment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum FulfilmentEvent {
    FulfilmentStarted { order_id: String, pay_by: String },
    PaymentRefused { reason: String },
    FulfilmentCompleted,
    FulfilmentAbandoned { reason: String },
}

impl Aggregate for Fulfilment {
    type Command = FulfilmentCommand;
    type Event = FulfilmentEvent;
    type Rejection = Breach;

    fn handle(&self, command: FulfilmentCommand) -> Result<Vec<FulfilmentEvent>, Breach> {
        let start = matches!(command, FulfilmentCommand::Start { .. });
        if self.ended || start != self.order_id.is_empty() {
            let said = "the fulfilment has ended, has begun before, or has not begun";
            return Err(Breach::new("fulfilled-once", &["status"], said));
        }
        Ok(vec![match command {
            FulfilmentCommand::Start { order_id, pay_by } => {
                FulfilmentEvent::FulfilmentStarted { order_id, pay_by }
            }
            FulfilmentCommand::NoteRefusal { reason } => FulfilmentEvent::PaymentRefused { reason },
            FulfilmentCommand::Complete => FulfilmentEvent::FulfilmentCompleted,
            FulfilmentCommand::Abandon { reason } => {
                FulfilmentEvent::FulfilmentAbandoned { reason }
            }
        }])
    }

    fn apply(&mut self, event: FulfilmentEvent) {
        match event {
            FulfilmentEvent::FulfilmentStarted { order_id, pay_by } => {
                self.order_id = order_id;
                self.pay_by_us = Time::parse_rfc3339(&pay_by).map_or(0, Time::us);
            }
            FulfilmentEvent::PaymentRefused { .. } => self.refused += 1,
            FulfilmentEvent::FulfilmentCompleted | FulfilmentEvent::FulfilmentAbandoned { .. } => {
                self.ended = true;
            }
        }
    }
}

/// Messages about one order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox;

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The order that it is about.
    pub order_id: String,
    /// Who gets it.
    pub customer_id: String,
    /// What it says: `shipped` or `cancelled`.
    pub about: String,
}

/// What can happen to an outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "a message says what it is")]
pub enum OutboxEvent {
    NotificationRequested(Notification),
}

impl Aggregate for Outbox {
    type Command = Notification;
    type Event = OutboxEvent;
    type Rejection = Breach;

    fn handle(&self, message: Notification) -> Result<Vec<OutboxEvent>, Breach> {
        Ok(vec![OutboxEvent::NotificationRequested(message)])
    }

    fn apply(&mut self, _: OutboxEvent) {}
}

/// What a run of the process did: `annals process --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ProcessView {
    /// Number of events that it looked at.
    #[ts(type = "number")]
    pub events: u64,
    /// Number of its commands that were carried out, by name.
    pub carried_out: BTreeMap<String, u64>,
    /// Number of its commands that had been carried out before.
    #[ts(type = "number")]
    pub repeated: u64,
    /// Rules that refused a command, with how often.
    pub refused: BTreeMap<String, u64>,
    /// Orders whose payment is not known yet.
    #[ts(type = "number")]
    pub waiting: u64,
    /// Last position that it has handled.
    pub reached: Position,
}

impl ProcessView {
    fn new() -> ProcessView {
        ProcessView {
            events: 0,
            carried_out: BTreeMap::new(),
            repeated: 0,
            refused: BTreeMap::new(),
            waiting: 0,
            reached: Position::ZERO,
        }
    }
}

/// The process over one log.
pub struct Fulfilments<'w, P> {
    commands: Commands<'w>,
    log: Log,
    checkpoint: ConsumerCheckpoint,
    pay: P,
    pay_within_seconds: i64,
    done: ProcessView,
}

impl<P> std::fmt::Debug for Fulfilments<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fulfilments").finish_non_exhaustive()
    }
}

/// Why the process does something.
struct Cause<'e> {
    /// What the ids of its commands are made of: the same cause, the same commands.
    key: String,
    /// The event that it acts on; none where time has passed.
    event: Option<&'e str>,
}

/// Name of the process: of its checkpoint, and what its commands begin with.
const NAME: &str = "fulfilment";

impl<'w, P: FnMut(&str, Amount) -> PaymentOutcome> Fulfilments<'w, P> {
    /// The process from its checkpoint on; from `from` on where it has none. `pay` asks whoever takes payments, with
    /// the order as key: the same order may be asked about again.
    ///
    /// # Errors
    /// The system's error if the checkpoint cannot be read.
    pub fn new(
        writer: &'w LogWriter,
        from: Position,
        pay_within_seconds: i64,
        pay: P,
    ) -> std::io::Result<Fulfilments<'w, P>> {
        let log = writer.log();
        Ok(Fulfilments {
            commands: Commands::new(writer),
            checkpoint: ConsumerCheckpoint::open(&log, NAME, from)?,
            log,
            pay,
            pay_within_seconds,
            done: ProcessView::new(),
        })
    }

    /// Acts on every event after the checkpoint, those that come of it included, then on what is overdue at `now`.
    ///
    /// # Errors
    /// [`DeliveryError`]; what was not handled comes again.
    pub fn run(&mut self, now: Time) -> Result<ProcessView, DeliveryError<CommandError>> {
        self.done = ProcessView::new();
        self.deliver(now)?;
        self.look_at_waiting(now)
            .map_err(|source| DeliveryError::Handler {
                position: self.checkpoint.position(),
                source,
            })?;
        self.deliver(now)?;
        self.done.reached = self.checkpoint.position();
        Ok(self.done.clone())
    }

    fn deliver(&mut self, now: Time) -> Result<(), DeliveryError<CommandError>> {
        let log = self.log.clone();
        // Out of the way of `self`, and back.
        let mut checkpoint = self.checkpoint.clone();
        let outcome = deliver(&log, &mut checkpoint, 64, |event| self.react(event, now));
        self.checkpoint = checkpoint;
        self.done.events += outcome?;
        Ok(())
    }

    /// What the process does about one event.
    fn react(&mut self, event: &Event, now: Time) -> Result<(), CommandError> {
        let (Some(stream), Some(id)) = (&event.stream, &event.id) else {
            return Ok(());
        };
        let order = stream.as_str();
        let cause = &Cause {
            key: event.position.to_string(),
            event: Some(id.as_str()),
        };
        match event.event_type.as_str() {
            "OrderPlaced" => self.reserve(order, cause, now),
            "InventoryReserved" => self.take_payment(order, cause),
            "PaymentProcessed" => match order.strip_prefix("payment-") {
                Some(number) => self.ship(&format!("order-{number}"), cause),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn reserve(&mut self, order: &str, cause: &Cause<'_>, now: Time) -> Result<(), CommandError> {
        let pay_by = Time::from_parts(now.us() + self.pay_within_seconds * 1_000_000, 0);
        let pay_by = pay_by.unwrap_or(now).to_string();
        let refused = self.send("ReserveInventory", order, cause, |work| {
            let start = FulfilmentCommand::Start {
                order_id: order.to_owned(),
                pay_by: pay_by.clone(),
            };
            work.send::<Fulfilment>(&fulfilment(order), start)?;
            let order_id = order.to_owned();
            ShopCommand::ReserveInventory { order_id }.carry_out(work)
        })?;
        match refused.as_deref() {
            None => Ok(()),
            // Somebody else takes care of the order, or it came to an end meanwhile.
            Some("no-change-after-shipped" | "fulfilled-once" | "reserved-once") => Ok(()),
            Some(rule) => self.give_up(order, cause, rule),
        }
    }

    fn take_payment(&mut self, order: &str, cause: &Cause<'_>) -> Result<(), CommandError> {
        let (state, _) = self.commands.load::<Order>(&stream("order", order))?;
        let (waits, _) = self.commands.load::<Fulfilment>(&fulfilment(order))?;
        if waits.order_id.is_empty() || waits.ended || state.paid.is_some() || state.cancelled {
            return Ok(());
        }
        match (self.pay)(order, state.total()) {
            PaymentOutcome::Paid => {
                self.send("PayOrder", order, cause, |work| {
                    let (order_id, method) = (order.to_owned(), "card".to_owned());
                    ShopCommand::PayOrder { order_id, method }.carry_out(work)
                })?;
                Ok(())
            }
            PaymentOutcome::Refused { reason } => {
                let attempt = waits.refused + 1;
                let step = format!("FailPayment{attempt}");
                self.send(&step, order, cause, |work| {
                    let note = FulfilmentCommand::NoteRefusal {
                        reason: reason.clone(),
                    };
                    work.send::<Fulfilment>(&fulfilment(order), note)?;
                    ShopCommand::FailPayment {
                        order_id: order.to_owned(),
                        method: "card".to_owned(),
                        reason: reason.clone(),
                    }
                    .carry_out(work)
                })?;
                if attempt >= TRIES {
                    return self.give_up(order, cause, &reason);
                }
                Ok(())
            }
            PaymentOutcome::Pending => {
                self.done.waiting += 1;
                Ok(())
            }
        }
    }

    fn ship(&mut self, order: &str, cause: &Cause<'_>) -> Result<(), CommandError> {
        self.send("ShipOrder", order, cause, |work| {
            let customer_id = work
                .read::<Order>(&stream("order", order))?
                .customer_id
                .clone();
            work.send::<Fulfilment>(&fulfilment(order), FulfilmentCommand::Complete)?;
            ShopCommand::ShipOrder {
                order_id: order.to_owned(),
                tracking_number: format!("1Z-{order}"),
                carrier: "UPS".to_owned(),
            }
            .carry_out(work)?;
            notify(work, order, customer_id, "shipped")
        })?;
        Ok(())
    }

    /// Takes back what was done: what is reserved is released, and the order is cancelled.
    fn give_up(
        &mut self,
        order: &str,
        cause: &Cause<'_>,
        reason: &str,
    ) -> Result<(), CommandError> {
        self.send("CancelOrder", order, cause, |work| {
            let state = work.read::<Order>(&stream("order", order))?;
            let (reserved, paid) = (state.reserved, state.paid.is_some());
            let customer_id = state.customer_id.clone();
            let order_id = || order.to_owned();
            let reason = || reason.to_owned();
            if reserved {
                let (order_id, reason) = (order_id(), reason());
                ShopCommand::ReleaseInventory { order_id, reason }.carry_out(work)?;
            }
            if paid {
                let (order_id, reason) = (order_id(), reason());
                ShopCommand::RefundPayment { order_id, reason }.carry_out(work)?;
            }
            let cancel = ShopCommand::CancelOrder {
                order_id: order_id(),
                reason: reason(),
            };
            cancel.carry_out(work)?;
            let waits = work.read::<Fulfilment>(&fulfilment(order))?;
            if !waits.order_id.is_empty() {
                let abandon = FulfilmentCommand::Abandon { reason: reason() };
                work.send::<Fulfilment>(&fulfilment(order), abandon)?;
            }
            notify(work, order, customer_id, "cancelled")
        })?;
        Ok(())
    }

    /// Asks again about payments that were not known or refused, and gives up what is overdue.
    fn look_at_waiting(&mut self, now: Time) -> Result<(), CommandError> {
        self.done.waiting = 0;
        let mut query = StreamQuery {
            category: Category::new(NAME).ok(),
            ..StreamQuery::default()
        };
        loop {
            let page = self.log.streams(&query, 500)?;
            for row in &page.streams {
                let Ok(name) = StreamId::new(row.stream.as_str()) else {
                    continue;
                };
                let (waits, version) = self.commands.load::<Fulfilment>(&name)?;
                if waits.ended {
                    continue;
                }
                // What was tried once at this version is not tried again under the same name.
                let cause = Cause {
                    key: format!("{name}@{version}"),
                    event: None,
                };
                if waits.pay_by_us <= now.us() {
                    self.give_up(&waits.order_id, &cause, "not paid in time")?;
                } else {
                    self.take_payment(&waits.order_id, &cause)?;
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }

    /// Does one step of the process; gives the rule that refused it.
    fn send(
        &mut self,
        step: &str,
        order: &str,
        cause: &Cause<'_>,
        decide: impl Fn(&mut Work<'_>) -> Result<(), CommandError>,
    ) -> Result<Option<String>, CommandError> {
        let Cause { key, event } = cause;
        let context = Context {
            cause: event.map(str::to_owned),
            ..Context::new(format!("{NAME}:{key}:{step}"))
                .by("fulfilment-process")
                .within(order)
        };
        match self.commands.transact(&context, decide) {
            Ok(done) if done.repeated => {
                self.done.repeated += 1;
                Ok(None)
            }
            Ok(_) => {
                let name = step.trim_end_matches(|c: char| c.is_ascii_digit());
                *self.done.carried_out.entry(name.to_owned()).or_default() += 1;
                Ok(None)
            }
            Err(CommandError::Rejected(rejected)) => {
                *self.done.refused.entry(rejected.rule.clone()).or_default() += 1;
                Ok(Some(rejected.rule))
            }
            Err(error) => Err(error),
        }
    }
}

fn fulfilment(order: &str) -> StreamId {
    let number = order.strip_prefix("order-").unwrap_or(order);
    stream(NAME, number)
}

fn notify(
    work: &mut Work<'_>,
    order: &str,
    customer_id: String,
    about: &str,
) -> Result<(), CommandError> {
    let number = order.strip_prefix("order-").unwrap_or(order);
    let message = Notification {
        order_id: order.to_owned(),
        customer_id,
        about: about.to_owned(),
    };
    work.send::<Outbox>(&stream("outbox", number), message)
        .map(|_| ())
}

/// Hands every message after the checkpoint of notifications to `send`, with the id of its event as key; returns
/// their number. A message is sent at least once: again with the same key if the machine stopped before that was
/// written down.
///
/// # Errors
/// [`DeliveryError`]: the message in question comes again.
pub fn send_notifications<E: From<ReadError>>(
    log: &Log,
    from: Position,
    mut send: impl FnMut(&str, &Notification) -> Result<(), E>,
) -> Result<u64, DeliveryError<E>> {
    let mut checkpoint = ConsumerCheckpoint::open(log, "notifications", from)?;
    let mut sent = 0;
    deliver(log, &mut checkpoint, 1, |event| {
        if event.event_type.as_str() != "NotificationRequested" {
            return Ok(());
        }
        let (Some(data), Some(id)) = (&event.data, &event.id) else {
            return Ok(());
        };
        let message: Notification =
            serde_json::from_slice(&data.bytes).map_err(|error| ReadError::Damaged {
                position: event.position,
                reason: format!("its message cannot be read: {error}"),
            })?;
        sent += 1;
        send(id.as_str(), &message)
    })?;
    Ok(sent)
}
