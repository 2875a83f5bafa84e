//! What snapshots save: a state in the middle of a long stream, and the guide's example of 5,000 events.

use std::time::Instant;

use annals_core::event::NewEvent;
use annals_core::id::StreamId;
use annals_core::model::{Model, ModelSet};
use annals_core::position::Version;
use annals_core::snapshot::{Policies, SnapshotPolicy, SnapshotStrategy, Snapshots};
use annals_core::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::{Moment, TakeScope, state, state_with, take_snapshots};

use crate::report::{Goal, Row, median};
use crate::{Outcome, Plan};

/// Events of the long stream.
const LONG: u64 = 100_000;

/// Events between its snapshots.
const EVERY: u64 = 100;

/// States asked for in one round.
const ASKED: u64 = 200;

/// The guide's example: 5,000 events, a snapshot at 4,000.
const GUIDE: (u64, u64) = (5_000, 4_000);

const MODEL: &str = "category = \"order\"\n[on.ItemAdded]\n\"total.add\" = \"data.price * data.quantity\"\n\
     \"count.add\" = \"1\"\nlast = \"data.sku\"\n";

/// Measures both.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let mut middle = Row::new(
        format!(
            "state at a version of a stream of {LONG} events, a snapshot every {EVERY}, median of {ASKED}"
        ),
        "ms",
        Goal::AtMost(1.0),
    );
    let (events, at) = GUIDE;
    let mut guide = Row::new(
        format!(
            "state of {events} events from a snapshot at {at}; beside it the whole replay (the guide: 5x faster)"
        ),
        "ms",
        Goal::RatioAtMost(0.25),
    );
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let path = folder.path().join("bench.annals");
    let (long, short) = (StreamId::new("order-long")?, StreamId::new("order-guide")?);
    let writer = LogWriter::create(&path, Surroundings::system())?;
    fill(&writer, &long, LONG)?;
    fill(&writer, &short, events)?;
    writer.close()?;
    let every = SnapshotPolicy {
        strategy: SnapshotStrategy::Periodic,
        every_events: Some(EVERY),
        ..SnapshotPolicy::default()
    };
    let log = Log::explore(&path)?;
    let mut models = ModelSet::default();
    models.add(Model::parse("order", MODEL)?)?;
    let scope = TakeScope::Stream {
        stream: short.clone(),
        version: Some(Version(at)),
    };
    let guide_only = Snapshots::open(&log, None, Surroundings::system().clock)?;
    take_snapshots(&log, &models, &guide_only, &scope, &mut |_| true)?;
    for _ in 0..plan.rounds {
        let last = Moment::Version(Version(events));
        let start = Instant::now();
        state(&log, &models, &short, &last)?;
        guide.baseline.push(start.elapsed().as_secs_f64() * 1_000.0);
        let start = Instant::now();
        state_with(&log, &models, Some(&guide_only), &short, &last)?;
        guide.ours.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    // Taken by a policy that is not there any more when states are asked for, so that nothing is noted of them.
    Policies::set(&path, "order", every)?;
    let all = Snapshots::open(&log, None, Surroundings::system().clock)?;
    take_snapshots(&log, &models, &all, &TakeScope::Policies, &mut |_| true)?;
    std::fs::remove_file(Policies::file(&path))?;
    let snapshots = Snapshots::open(&log, None, Surroundings::system().clock)?;
    for round in 0..plan.rounds as u64 {
        let mut figures = Vec::new();
        for n in 0..ASKED {
            // Anywhere in the stream, another version each time.
            let version = 1 + (n * 7_919 + round * 104_729) % LONG;
            let moment = Moment::Version(Version(version));
            let start = Instant::now();
            state_with(&log, &models, Some(&snapshots), &long, &moment)?;
            figures.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        middle.ours.push(median(&figures));
    }
    Ok(vec![middle, guide])
}

fn fill(writer: &LogWriter, stream: &StreamId, count: u64) -> Outcome<()> {
    let numbers: Vec<u64> = (0..count).collect();
    for chunk in numbers.chunks(5_000) {
        let events = chunk.iter().map(|n| {
            let data = format!(
                r#"{{"sku":"sku-{}","price":{}.{:02},"quantity":{}}}"#,
                n % 97,
                n % 300,
                n % 100,
                n % 5 + 1
            );
            Ok(NewEvent::json("ItemAdded", &data)?)
        });
        writer.append(vec![StreamAppend {
            stream: stream.clone(),
            category: None,
            expected: ExpectedVersion::Any,
            events: events.collect::<Outcome<_>>()?,
        }])?;
    }
    Ok(())
}
