//! What explaining costs: folding anew through a model, why on a long stream, the preview of a model being typed.

use std::sync::Arc;
use std::time::Instant;

use annals_core::event::{Event, NewEvent, Payload, SourceFields};
use annals_core::finding::Findings;
use annals_core::id::{EventType, StreamId};
use annals_core::integrity::Hash;
use annals_core::model::{Fold, Model, ModelSet};
use annals_core::position::{Position, Version};
use annals_core::store::{ExpectedVersion, Log, LogWriter, StreamAppend, StreamEvent};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::{AsOf, CONTRIBUTIONS, Moment, preview, why};
use annals_core::time::{SourceTime, Time};

use crate::child;
use crate::report::{Goal, Row};
use crate::{Outcome, Plan};

/// A handler of three operations.
const MODEL: &str = "category = \"order\"\n[on.ItemAdded]\n\"total.add\" = \"data.price * data.quantity\"\n\
     \"count.add\" = \"1\"\nlast = \"data.sku\"\n";

/// Measures all three.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let mut refold = Row::new(
        format!(
            "fold {} events through a handler of three operations, JSON included",
            plan.events
        ),
        "events/s",
        Goal::AtLeast(200_000.0),
    );
    let mut reason = Row::new("why on a total of 10000 events", "ms", Goal::AtMost(200.0));
    let mut typing = Row::new(
        "preview of a model on a stream of 1000 events",
        "ms",
        Goal::AtMost(100.0),
    );
    let model = Arc::new(Model::parse("order", MODEL)?);
    let events: Vec<StreamEvent> = (0..1_000).map(event).collect::<Outcome<_>>()?;
    let (long, short) = (StreamId::new("order-10000")?, StreamId::new("order-1000")?);
    let log = store(plan, &[(&long, 10_000), (&short, 1_000)])?;
    let mut models = ModelSet::default();
    models.add(Model::parse("order", MODEL)?)?;
    let now = Moment::AsOf(AsOf::default());
    for _ in 0..plan.rounds {
        let mut fold = Fold::new(Arc::clone(&model));
        let mut findings = Findings::default();
        let start = Instant::now();
        for n in 0..plan.events {
            let at = usize::try_from(n)? % events.len();
            fold.apply(&events[at], &mut findings);
        }
        refold
            .ours
            .push(plan.events as f64 / start.elapsed().as_secs_f64());

        let start = Instant::now();
        why(&log, &models, &long, &"total".parse()?, &now, CONTRIBUTIONS)?;
        reason.ours.push(start.elapsed().as_secs_f64() * 1_000.0);

        let start = Instant::now();
        preview(&log, MODEL, &short, &now)?;
        typing.ours.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(vec![refold, reason, typing])
}

fn payload(n: u64) -> String {
    format!(
        "{{\"sku\":\"sku-{}\",\"price\":{}.{:02},\"quantity\":{},\"note\":\"left at the door, ring twice\",\
         \"warehouse\":{{\"id\":\"w-{}\",\"shelf\":{n}}},\"tags\":[\"a\",\"b\"]}}",
        n % 97,
        n % 300,
        n % 100,
        n % 5 + 1,
        n % 7
    )
}

fn event(n: u64) -> Outcome<StreamEvent> {
    let stream = StreamId::new("order-1")?;
    let time = Time::parse_rfc3339("2024-01-15T10:30:00Z")?;
    Ok(StreamEvent {
        version: Version(n + 1),
        qualifier: String::new(),
        event: Event {
            position: Position(n + 1),
            category: Some(stream.default_category()),
            stream: Some(stream),
            version: Version(n + 1),
            event_type: EventType::new("ItemAdded")?,
            time: SourceTime::unwritten(time),
            recorded_at: time,
            id: None,
            actor: None,
            correlation: None,
            causation: None,
            schema_version: None,
            source: SourceFields::default(),
            data: Some(Payload::json(payload(n))?),
            metadata: None,
            erased: Vec::new(),
            leaf: Hash([0; 32]),
        },
    })
}

/// A store with streams of so many events.
fn store(plan: &Plan, streams: &[(&StreamId, u64)]) -> Outcome<Log> {
    let path = plan.folder.join("explain.annals");
    child::remove(&path);
    let writer = LogWriter::create(&path, Surroundings::system())?;
    for (stream, count) in streams {
        let events = (0..*count).map(|n| NewEvent::json("ItemAdded", &payload(n)));
        writer.append(vec![StreamAppend {
            stream: (*stream).clone(),
            category: None,
            expected: ExpectedVersion::NoStream,
            events: events.collect::<Result<_, _>>()?,
        }])?;
    }
    writer.close()?;
    Ok(Log::explore(&path)?)
}
