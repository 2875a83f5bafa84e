//! What a report of 10,000 rows costs as PDF: made, typeset, written, in a process of its own.

use std::path::Path;
use std::time::Instant;

use annals_core::compliance::{ReportRequest, TemplateSet, make};
use annals_core::event::NewEvent;
use annals_core::id::StreamId;
use annals_core::model::ModelSet;
use annals_core::progress::WorkProgress;
use annals_core::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use annals_report::{PdfOptions, write_pdf};

use crate::child;
use crate::report::{Goal, Row};
use crate::{Outcome, Plan};

const EVENTS: u64 = 10_000;
const STREAMS: u64 = 500;

/// Makes the report, in a process of its own.
pub fn child(store: &Path, file: &Path) -> Outcome<()> {
    let start = Instant::now();
    let log = Log::explore(store)?;
    let progress = WorkProgress::default();
    let request = ReportRequest::of("audit-trail");
    let templates = TemplateSet::shipped();
    let made = make(&log, &ModelSet::default(), &templates, &request, &progress)?;
    let rows = made.report.row_count();
    write_pdf(
        &log,
        &made,
        &request,
        file,
        &PdfOptions::default(),
        &progress,
    )?;
    child::told(start.elapsed().as_secs_f64(), rows);
    Ok(())
}

/// Measures time and peak memory.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let row = |what: &str, unit, goal| Row::new(what, unit, Goal::AtMost(goal));
    let mut time = row("a report of 10000 rows as PDF", "s", 12.0);
    let mut memory = row("peak memory of that", "MB", 1_024.0);
    let (store, file) = (
        plan.folder.join("report.annals"),
        plan.folder.join("report.pdf"),
    );
    fill(&store)?;
    for _ in 0..plan.rounds.min(3) {
        let report = child::run("--child-typeset", [&store, &file])?;
        if report.count < EVENTS as f64 {
            return Err(format!("the report has {} rows only", report.count).into());
        }
        time.ours.push(report.seconds);
        memory.ours.push(report.peak_kb / 1024.0);
    }
    Ok(vec![time, memory])
}

/// A store of orders that somebody changes, with who and why.
fn fill(path: &Path) -> Outcome<()> {
    child::remove(path);
    let writer = LogWriter::create(path, Surroundings::system())?;
    for stream in 0..STREAMS {
        let events = (0..EVENTS / STREAMS).map(|n| {
            let text = format!(
                "{{\"status\":\"step {n}\",\"total\":{}.{:02},\"changedBy\":\"clerk-{}\",\"reason\":\"customer asked by telephone\"}}",
                stream * 7 + n,
                n % 100,
                (stream + n) % 13
            );
            NewEvent::json(if n == 0 { "OrderPlaced" } else { "OrderChanged" }, &text)
        });
        writer.append(vec![StreamAppend {
            stream: StreamId::new(format!("order-{stream}"))?,
            category: None,
            expected: ExpectedVersion::NoStream,
            events: events.collect::<Result<_, _>>()?,
        }])?;
    }
    writer.close()?;
    Ok(())
}
