//! A process that is killed in the middle of its work, and started again, does all of it once: every order that was
//! placed is shipped or cancelled, never both, no stock is lost, and no message is left unsent.
//!
//! The test starts itself again as the process to be killed, as `crash.rs` does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use annals_core::command::{Commands, Context};
use annals_core::position::Position;
use annals_core::sample::{
    Carry, Fulfilments, PaymentOutcome, ShopCommand, World, WorldRequest, make_world,
    send_notifications,
};
use annals_core::store::{EventQuery, Log, LogWriter, ReadError};
use annals_core::surroundings::Surroundings;
use annals_core::time::Time;

const ROLE: &str = "ANNALS_PROCESS_TEST_ROLE";
const STORE: &str = "ANNALS_PROCESS_TEST_STORE";
const ORDERS: u64 = 40;
const KILLS: usize = 25;

fn now() -> Time {
    Time::parse_rfc3339("2024-03-01T10:00:00Z").unwrap()
}

fn writer(store: &Path) -> LogWriter {
    LogWriter::open(store, Surroundings::fixed(now(), 9)).unwrap()
}

fn ask(commands: &Commands<'_>, id: String, command: ShopCommand) {
    let done = commands.transact(&Context::new(id), |work| command.clone().carry_out(work));
    done.unwrap();
}

/// A shop without events, with stock for most of the orders; orders that nobody has looked at yet.
fn shop(store: &Path) {
    let request = WorldRequest {
        events: 0,
        ..WorldRequest::of(World::Shop)
    };
    make_world(store, &request, &Default::default()).unwrap();
    let writer = writer(store);
    let commands = Commands::new(&writer);
    let json = |text: String| serde_json::from_str::<ShopCommand>(&text).unwrap();
    let register = r#"{"RegisterCustomer":{"customerId":"cust-1","name":"Ada","email":"ada@mail.example","address":{"street":"1 Main St","city":"Anytown","zipCode":"1"}}}"#;
    ask(&commands, "setup-1".to_owned(), json(register.to_owned()));
    let stock = r#"{"ReceiveStock":{"productId":"prod-1","quantity":60,"supplier":"Acme"}}"#;
    ask(&commands, "setup-2".to_owned(), json(stock.to_owned()));
    for n in 1..=ORDERS {
        let place = format!(
            r#"{{"PlaceOrder":{{"orderId":"order-{n}","customerId":"cust-1","items":[{{"productId":"prod-1","quantity":2,"price":5.00}}],"shippingAddress":{{"street":"1 Main St","city":"Anytown","zipCode":"1"}}}}}}"#
        );
        ask(&commands, format!("place-{n}"), json(place));
    }
    writer.close().unwrap();
}

/// Every fifth order's payment is refused, however often it is asked for.
fn pay(order: &str) -> PaymentOutcome {
    let number: u64 = order.trim_start_matches("order-").parse().unwrap();
    if number.is_multiple_of(5) {
        PaymentOutcome::Refused {
            reason: "card declined".to_owned(),
        }
    } else {
        PaymentOutcome::Paid
    }
}

/// One more step is about to be done, or was done: the process that is to be killed at this one says so, and waits
/// for that.
fn step(steps: &std::cell::Cell<u64>) {
    steps.set(steps.get() + 1);
    let last = std::env::var(ROLE).ok().and_then(|n| n.parse().ok());
    if last == Some(steps.get()) {
        let mut out = std::io::stdout().lock();
        writeln!(out, "ack").unwrap();
        out.flush().unwrap();
        // Never answered.
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}

/// Runs the process and sends messages.
fn work(store: &Path) {
    let writer = writer(store);
    let steps = std::cell::Cell::new(0);
    let mut process = Fulfilments::new(&writer, Position::ZERO, 3_600, |order, _| {
        step(&steps);
        pay(order)
    })
    .unwrap();
    process.run(now()).unwrap();
    let sent = store.with_file_name("sent.txt");
    send_notifications(&writer.log(), Position::ZERO, |key, message| {
        step(&steps);
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&sent)?;
        writeln!(file, "{key} {} {}", message.order_id, message.about)?;
        step(&steps);
        Ok::<(), ReadError>(())
    })
    .unwrap();
    writer.close().unwrap();
}

fn check(store: &Path) {
    let log = Log::explore(store).unwrap();
    let events = log.events(&EventQuery::default(), 100_000).unwrap().events;
    let mut ends: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut messages = BTreeSet::new();
    for event in &events {
        let event_type = event.event_type.to_string();
        *counts.entry(event_type.clone()).or_default() += 1;
        if matches!(event_type.as_str(), "OrderShipped" | "OrderCancelled") {
            let stream = event.stream.as_ref().unwrap().to_string();
            ends.entry(stream).or_default().push(event_type);
        } else if event_type == "NotificationRequested" {
            messages.insert(event.id.as_ref().unwrap().to_string());
        }
    }
    let all: Vec<&Vec<String>> = ends.values().collect();
    assert_eq!(all.len() as u64, ORDERS, "every order came to an end");
    assert!(all.iter().all(|ends| ends.len() == 1), "{ends:?}");
    // 60 in stock, two an order, first come, first served; a refused payment gives its stock back, too late for
    // those who were refused meanwhile.
    assert_eq!(counts["OrderShipped"] + counts["OrderCancelled"], ORDERS);
    assert_eq!(counts["PaymentProcessed"], counts["OrderShipped"]);
    assert_eq!(
        counts["ItemReserved"],
        counts["ItemReleased"] + counts["StockDispatched"],
        "what was reserved was dispatched or released"
    );
    assert_eq!(messages.len() as u64, ORDERS, "one message an order");
    let sent = std::fs::read_to_string(store.with_file_name("sent.txt")).unwrap();
    let keys: BTreeSet<String> = sent
        .lines()
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect();
    assert_eq!(keys, messages, "every message was sent");
}

#[test]
fn a_killed_process_does_everything_once() {
    if let (Ok(_), Some(store)) = (std::env::var(ROLE), std::env::var_os(STORE)) {
        return work(Path::new(&store));
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("shop.annals");
    shop(&store);
    let mut died = 0;
    for run in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "a_killed_process_does_everything_once",
                "--exact",
                "--nocapture",
            ])
            // Another number of steps each time.
            .env(ROLE, (1 + run % 7).to_string())
            .env(STORE, &store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let waits = output.lines().any(|line| line.unwrap().contains("ack"));
        died += usize::from(waits);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(died, KILLS, "every run died in the middle");
    // After all that, two runs do what is left, and a third finds nothing to do.
    work(&store);
    work(&store);
    let before = Log::explore(&store).unwrap().head().unwrap();
    work(&store);
    assert_eq!(Log::explore(&store).unwrap().head().unwrap(), before);
    check(&store);
    // Without its checkpoints everything is delivered again, and nothing happens.
    std::fs::remove_dir_all(folder.path().join("shop.annals.d/checkpoints")).unwrap();
    work(&store);
    assert_eq!(Log::explore(&store).unwrap().head().unwrap(), before);
    check(&store);
}

#[test]
fn an_order_that_is_not_paid_in_time_is_released_and_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("shop.annals");
    shop(&store);
    let writer = writer(&store);
    let mut process = Fulfilments::new(&writer, Position::ZERO, 3_600, |_, _| {
        PaymentOutcome::Pending
    })
    .unwrap();
    let early = process.run(now()).unwrap();
    assert_eq!(early.waiting, 30, "those for which there is stock");
    assert_eq!(early.carried_out["ReserveInventory"], 30);
    assert_eq!(early.carried_out["CancelOrder"], 10);
    assert_eq!(early.refused["never-reserve-more-than-available"], 10);
    let still = process.run(Time::parse_rfc3339("2024-03-01T10:59:59Z").unwrap());
    assert_eq!(still.unwrap().waiting, 30);
    let late = process.run(Time::parse_rfc3339("2024-03-01T11:00:00Z").unwrap());
    let late = late.unwrap();
    assert_eq!(late.carried_out["CancelOrder"], 30);
    assert_eq!(late.waiting, 0);
    let released = writer.log().info().unwrap();
    let released = released.types.iter().find(|row| row.name == "ItemReleased");
    assert_eq!(released.unwrap().events, 30);
}
