//! What evidence costs: a package of 10,000 rows made and verified, and one of a stream in a large log.

use std::time::Instant;

use annals_core::evidence::make::{EvidenceRequest, make};
use annals_core::evidence::manifest::Others;
use annals_core::evidence::verify::{Trust, verify};
use annals_core::evidence::view::EvidenceOutcome;
use annals_core::id::StreamId;
use annals_core::integrity::note::SigningKey;
use annals_core::progress::WorkProgress;
use annals_core::sample::{ShopRequest, shop};
use annals_core::store::{EventQuery, Log, StreamQuery};
use annals_core::time::Time;

use crate::child;
use crate::report::{Goal, Row};
use crate::{Outcome, Plan};

/// Rows of the package.
const ROWS: u64 = 10_000;

/// Measures making and verifying.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let row = |what: &str, goal| Row::new(what, "s", Goal::AtMost(goal));
    let mut making = row(
        "make an evidence package of 10,000 rows, verified before it is handed out",
        5.0,
    );
    let mut verifying = row("verify an evidence package of 10,000 rows", 1.0);
    let mut closed = row(
        "make a package of one stream in a log of 100,000 events, others closed",
        1.0,
    );
    let store = plan.folder.join("evidence.annals");
    child::remove(&store);
    let progress = WorkProgress::default();
    let request = ShopRequest {
        events: 10 * ROWS,
        seed: 1,
    };
    shop(&store, &request, &progress)?;
    let log = Log::explore(&store)?;
    let key = SigningKey::from_seed(&log.id().origin(), [7; 32])?;
    let trust = Trust {
        keys: vec![key.verifying_key()],
        ..Trust::default()
    };
    let whole = EventQuery {
        known: Some(annals_core::position::Position(ROWS)),
        ..EventQuery::default()
    };
    let whole = EvidenceRequest::of(whole, Time::MIN);
    let streams = log.streams(&StreamQuery::default(), 1)?.streams;
    let name = streams
        .first()
        .ok_or("the shop has streams")?
        .stream
        .clone();
    let stream = EventQuery {
        stream: Some(StreamId::new(name)?),
        ..EventQuery::default()
    };
    let stream = EvidenceRequest {
        others: Some(Others::None),
        ..EvidenceRequest::of(stream, Time::MIN)
    };
    for _ in 0..plan.rounds {
        let start = Instant::now();
        let (package, _) = make(&log, &whole, &key, &progress)?;
        making.ours.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let answer = verify(&package, &trust, &progress)?;
        verifying.ours.push(start.elapsed().as_secs_f64());
        if answer.outcome != EvidenceOutcome::Intact {
            return Err(format!("the package is not intact: {:?}", answer.findings).into());
        }

        let start = Instant::now();
        make(&log, &stream, &key, &progress)?;
        closed.ours.push(start.elapsed().as_secs_f64());
    }
    Ok(vec![making, verifying, closed])
}
