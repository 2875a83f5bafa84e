//! `annals process`: the fulfilment of orders in a sample shop, and the messages that come of it.

use std::path::PathBuf;

use annals_core::command::DeliveryError;
use annals_core::position::Position;
use annals_core::sample::{
    self, ConsoleError, Fulfilments, Notification, PAY_WITHIN_SECONDS, PaymentOutcome, ProcessView,
    World, send_notifications,
};
use annals_core::store::{Log, LogWriter, ReadError};
use annals_core::surroundings::Surroundings;
use serde::Serialize;

use crate::failure::{Code, Exit, Failure};
use crate::output::Output;
use crate::text::{counted, visible};

/// Fulfil the orders that came into a sample shop: reserve, take payment, ship; or release and cancel.
#[derive(Debug, clap::Args)]
pub struct Process {
    /// The store: a log that annals sample shop made
    store: PathBuf,
    /// What payments come to
    #[arg(long, value_enum, default_value_t = Payments::Paid)]
    payments: Payments,
    /// Seconds that a payment may take before its order is given up
    #[arg(long, value_name = "SECONDS", default_value_t = PAY_WITHIN_SECONDS)]
    pay_within: i64,
    /// Where it begins when it runs for the first time: position 0 is the whole log [default: the log's end]
    #[arg(long, value_name = "POSITION")]
    from: Option<u64>,
}

/// What whoever takes the payments says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Payments {
    /// All are paid
    Paid,
    /// All are refused
    Refused,
    /// None is known yet
    Pending,
}

/// What a run did, and the messages that it sent: `annals process --json`.
#[derive(Debug, Serialize)]
struct RunView {
    #[serde(flatten)]
    process: ProcessView,
    notifications: Vec<Sent>,
}

/// A message and its key.
#[derive(Debug, Serialize)]
struct Sent {
    key: String,
    #[serde(flatten)]
    message: Notification,
}

/// Runs the command.
pub fn run(args: Process, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    if sample::owned_world(&log)? != World::Shop {
        return Err(Failure::from(ConsoleError::NotOwned)
            .hint("annals sample shop makes one; orders are fulfilled nowhere else"));
    }
    let surroundings = Surroundings::system();
    let now = (surroundings.clock)();
    let writer = LogWriter::open(&args.store, surroundings)?;
    let before = writer.log().head()?.size;
    let from = args.from.map_or(log.head()?.size, Position);
    let pay = |_: &str, _| match args.payments {
        Payments::Paid => PaymentOutcome::Paid,
        Payments::Refused => PaymentOutcome::Refused {
            reason: "card declined".to_owned(),
        },
        Payments::Pending => PaymentOutcome::Pending,
    };
    let io = |error: std::io::Error| Failure::file(&args.store, &error);
    let mut fulfilments = Fulfilments::new(&writer, from, args.pay_within, pay).map_err(io)?;
    let process = fulfilments.run(now).map_err(stopped)?;
    let mut notifications = Vec::new();
    send_notifications(&writer.log(), from, |key, message| {
        notifications.push(Sent {
            key: key.to_owned(),
            message: message.clone(),
        });
        Ok::<(), ReadError>(())
    })
    .map_err(stopped)?;
    drop(fulfilments);
    super::follow(&args.store, &writer.log())?;
    super::snapshot_since(&writer.log(), before);
    writer.close()?;
    let view = RunView {
        process,
        notifications,
    };
    output.show(&view, |output| print(&view, output))
}

/// Why a delivery stopped; the event in question comes again next time.
fn stopped<E: std::fmt::Display>(error: DeliveryError<E>) -> Failure
where
    Code: for<'e> From<&'e E>,
{
    let code = match &error {
        DeliveryError::Handler { source, .. } => source.into(),
        DeliveryError::Read(error) => <Code as From<&ReadError>>::from(error),
        DeliveryError::Checkpoint(error) => <Code as From<&std::io::Error>>::from(error),
    };
    Failure::new(code, error.to_string())
        .hint("what was not handled is delivered again by the next run")
}

fn print(view: &RunView, output: &mut Output) -> Result<(), Failure> {
    let RunView {
        process,
        notifications,
    } = view;
    let ProcessView {
        events,
        carried_out,
        repeated,
        refused,
        waiting,
        reached,
    } = process;
    output.line(&format!(
        "looked at {}, up to position {reached}",
        counted(*events, "event")
    ))?;
    for (name, count) in carried_out {
        output.line(&format!("  {name}: {count}"))?;
    }
    if *repeated > 0 {
        output.line(&format!("  carried out before: {repeated}"))?;
    }
    for (rule, count) in refused {
        output.line(&visible(&format!("  refused by {rule}: {count}")))?;
    }
    if *waiting > 0 {
        output.line(&format!("  waiting for payment: {waiting}"))?;
    }
    for Sent { key: _, message } in notifications {
        let Notification {
            order_id,
            customer_id,
            about,
        } = message;
        output.line(&visible(&format!(
            "message to {customer_id}: {order_id} {about}"
        )))?;
    }
    Ok(())
}
