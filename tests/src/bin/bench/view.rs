//! What a person waits for: the first view of a large store, and the state under a dragged cursor.

use std::path::Path;
use std::time::Instant;

use annals_core::id::StreamId;
use annals_core::model::ModelSet;
use annals_core::position::Version;
use annals_core::store::{EventQuery, Log, StreamQuery};
use annals_core::temporal::{Moment, StateCache, state};

use crate::generate::Seeded;
use crate::report::{Goal, Row, p95};
use crate::{Outcome, Plan};

/// Measures both on the store that the import left.
pub fn measure(plan: &Plan, store: &Path) -> Outcome<Vec<Row>> {
    let mut first = Row::new(
        format!(
            "open a store of {} events and answer the first view",
            plan.events
        ),
        "ms",
        Goal::AtMost(1_000.0),
    );
    let mut cold = Row::new(
        "state at the end of the longest stream, nothing remembered",
        "ms",
        Goal::AtMost(500.0),
    );
    let mut drag = Row::new(
        "state under a dragged slider on that stream, p95",
        "ms",
        Goal::AtMost(50.0),
    );
    let long = StreamId::new("order-long")?;
    for _ in 0..plan.rounds {
        let start = Instant::now();
        let log = Log::explore(store)?;
        log.info()?;
        log.streams(&StreamQuery::default(), 200)?;
        log.density(&EventQuery::default(), 400)?;
        first.ours.push(start.elapsed().as_secs_f64() * 1_000.0);

        let models = ModelSet::default();
        let last = log.stream(&long)?.ok_or("the long stream is there")?.events;
        let start = Instant::now();
        state(&log, &models, &long, &Moment::Version(Version(last)))?;
        cold.ours.push(start.elapsed().as_secs_f64() * 1_000.0);

        let cache = StateCache::default();
        let mut seed = Seeded(1);
        let mut at = last;
        let mut figures = Vec::new();
        // A hand that drags: mostly short ways, now and then a jump.
        for step in 0..400 {
            at = if step % 20 == 0 {
                seed.below(last) + 1
            } else {
                (at + seed.below(101)).saturating_sub(50).clamp(1, last)
            };
            let start = Instant::now();
            cache.state(&log, &models, &long, &Moment::Version(Version(at)))?;
            figures.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        drag.ours.push(p95(&figures));
    }
    Ok(vec![first, cold, drag])
}
