//! SQL: states of a whole category as of an instant, and what conditions are looked up for.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use annals_core::model::ModelSet;
use annals_core::sql::{Question, ask};
use annals_core::store::{Log, StreamQuery};
use annals_tables::quoted;

use crate::report::{Goal, Row};
use crate::{Outcome, Plan};

/// Measures on the store that the import left.
pub fn measure(plan: &Plan, store: &Path) -> Outcome<Vec<Row>> {
    let mut folded = Row::new(
        "SQL: count the streams of a category by replay",
        "events/s",
        Goal::AtLeast(166_000.0),
    );
    let mut counted = Row::new(
        "SQL: count the events of the log",
        "ms",
        Goal::AtMost(500.0),
    );
    let mut found = Row::new("SQL: the events of one stream", "ms", Goal::AtMost(10.0));
    let log = Log::explore(store)?;
    let models = Arc::new(ModelSet::load(store)?.0);
    let info = log.info()?;
    let category = info.categories.first().ok_or("the store is empty")?;
    let first = log.streams(&StreamQuery::default(), 1)?.streams;
    let stream = &first.first().ok_or("the store is empty")?.stream;
    let all = format!(
        "SELECT count(*), max(version) FROM {}",
        quoted(&format!("{}_at", category.name))
    );
    let one = format!("SELECT type, data FROM events WHERE stream = '{stream}'");
    for _ in 0..plan.rounds {
        for (row, sql, per) in [
            (&mut folded, all.as_str(), Some(category.events)),
            (&mut counted, "SELECT count(*) FROM events", None),
            (&mut found, one.as_str(), None),
        ] {
            let start = Instant::now();
            let view = ask(&log, &models, &Question::new(sql), &Arc::default())?;
            let seconds = start.elapsed().as_secs_f64();
            if view.rows.is_empty() {
                return Err(format!("{sql} gives no rows").into());
            }
            row.ours.push(match per {
                Some(events) => events as f64 / seconds,
                None => seconds * 1_000.0,
            });
        }
    }
    Ok(vec![folded, counted, found])
}
