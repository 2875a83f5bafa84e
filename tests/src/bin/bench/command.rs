//! What deciding costs: commands on a warm aggregate beside the bare append, and the first command on a cold one.

use std::time::Instant;

use annals_core::command::{Aggregate, Commands, Context, Rejection};
use annals_core::event::{NewEvent, Payload};
use annals_core::id::{EventId, StreamId};
use annals_core::position::Version;
use annals_core::store::{ExpectedVersion, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use serde::{Deserialize, Serialize};

use crate::report::{Goal, Row, median};
use crate::{Outcome, Plan};

/// Commands of one round whose time is taken.
const COMMANDS: u64 = 1_000;

/// Events of the cold aggregate.
const COLD: u64 = 1_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Ask {
    AddItem { sku: String, cents: i64 },
}

#[derive(Debug, Serialize, Deserialize)]
enum Happened {
    ItemAdded { sku: String, cents: i64 },
}

#[derive(Debug)]
struct NoPrice(i64);

impl std::fmt::Display for NoPrice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is no price", self.0)
    }
}

impl std::error::Error for NoPrice {}

impl Rejection for NoPrice {
    fn rule(&self) -> &str {
        "price-positive"
    }
}

#[derive(Debug, Clone, Default)]
struct Cart {
    lines: u64,
    total: i64,
}

impl Aggregate for Cart {
    type Command = Ask;
    type Event = Happened;
    type Rejection = NoPrice;

    fn handle(&self, Ask::AddItem { sku, cents }: Ask) -> Result<Vec<Happened>, NoPrice> {
        if cents <= 0 {
            return Err(NoPrice(cents));
        }
        Ok(vec![Happened::ItemAdded { sku, cents }])
    }

    fn apply(&mut self, Happened::ItemAdded { cents, .. }: Happened) {
        self.lines += 1;
        self.total += cents;
    }
}

/// Measures both.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let mut warm = Row::new(
        "command on a warm aggregate, median; beside it the bare append of its event",
        "µs",
        Goal::RatioAtMost(1.3),
    );
    let mut cold = Row::new(
        format!("command on a cold aggregate of {COLD} events"),
        "ms",
        Goal::AtMost(10.0),
    );
    for round in 0..plan.rounds {
        if round % 2 == 0 {
            warm.ours.push(commands(plan)?);
            warm.baseline.push(appends(plan)?);
        } else {
            warm.baseline.push(appends(plan)?);
            warm.ours.push(commands(plan)?);
        }
        cold.ours.push(first_command(plan)?);
    }
    Ok(vec![warm, cold])
}

fn ask(n: u64) -> Ask {
    Ask::AddItem {
        sku: format!("sku-{n:05}"),
        cents: 100 + n as i64,
    }
}

fn commands(plan: &Plan) -> Outcome<f64> {
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let writer = LogWriter::create(&folder.path().join("bench.annals"), Surroundings::system())?;
    let commands = Commands::new(&writer);
    let cart = StreamId::new("cart-1")?;
    let mut figures = Vec::with_capacity(COMMANDS as usize);
    for n in 0..COMMANDS {
        let context = Context::new(format!("cmd-{n:06}"))
            .by("ada")
            .within("bench");
        let start = Instant::now();
        commands.execute::<Cart>(&cart, ask(n), &context)?;
        figures.push(start.elapsed().as_secs_f64() * 1e6);
    }
    drop(commands);
    writer.close()?;
    Ok(median(&figures))
}

/// The same events, appended without a decision.
fn appends(plan: &Plan) -> Outcome<f64> {
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let writer = LogWriter::create(&folder.path().join("bench.annals"), Surroundings::system())?;
    let cart = StreamId::new("cart-1")?;
    let mut figures = Vec::with_capacity(COMMANDS as usize);
    for n in 0..COMMANDS {
        let start = Instant::now();
        append(&writer, &cart, n)?;
        figures.push(start.elapsed().as_secs_f64() * 1e6);
    }
    writer.close()?;
    Ok(median(&figures))
}

fn append(writer: &LogWriter, cart: &StreamId, n: u64) -> Outcome<()> {
    let data = format!(r#"{{"sku":"sku-{n:05}","cents":{}}}"#, 100 + n);
    let metadata =
        format!(r#"{{"userId":"ada","correlationId":"bench","causationId":"cmd-{n:06}"}}"#);
    let mut event = NewEvent::json("ItemAdded", &data)?;
    event.id = Some(EventId::new(format!("cmd-{n:06}:1"))?);
    event.metadata = Some(Payload::json(metadata)?);
    writer.append(vec![StreamAppend {
        stream: cart.clone(),
        category: None,
        expected: ExpectedVersion::Exact(Version(n)),
        events: vec![event],
    }])?;
    Ok(())
}

/// A command on an aggregate that nobody has asked before, its append included.
fn first_command(plan: &Plan) -> Outcome<f64> {
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let writer = LogWriter::create(&folder.path().join("bench.annals"), Surroundings::system())?;
    let cart = StreamId::new("cart-1")?;
    let events = (0..COLD).map(|n| {
        let data = format!(r#"{{"sku":"sku-{n:05}","cents":{}}}"#, 100 + n);
        NewEvent::json("ItemAdded", &data)
    });
    writer.append(vec![StreamAppend {
        stream: cart.clone(),
        category: None,
        expected: ExpectedVersion::NoStream,
        events: events.collect::<Result<_, _>>()?,
    }])?;
    let mut figures = Vec::new();
    for n in 0..20 {
        let commands = Commands::new(&writer);
        let context = Context::new(format!("cmd-{n:06}"));
        let start = Instant::now();
        commands.execute::<Cart>(&cart, ask(n), &context)?;
        figures.push(start.elapsed().as_secs_f64() * 1e3);
    }
    writer.close()?;
    Ok(median(&figures))
}
