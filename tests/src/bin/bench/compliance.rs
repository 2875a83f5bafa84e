//! What a report costs: rows as a workbook, as CSV and as JSON Lines, and the memory for as many as there are.

use std::path::Path;
use std::time::Instant;

use annals_core::compliance::{ReportForm, ReportRequest, TemplateSet, make, write_report};
use annals_core::model::{ModelSet, folder};
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::sample::{ShopRequest, shop};
use annals_core::store::Log;

use crate::child::{self, Figures};
use crate::report::{Goal, Row};
use crate::{Outcome, Plan};

/// One row an event, of what every audit asks for.
const TEMPLATE: &str = r#"
version = "1"
title = "Events"
regime = "-"
about = "-"
retention = "-"
[[sections]]
id = "events"
title = "Events"
table = { source = "events", columns = ["position", "time", "who", "type", "stream", "version", "why", "data"], empty = "-" }
"#;

/// Rows of the workbook.
const ROWS: u64 = 10_000;

/// Makes the report of a store's first `events`, in a process of its own.
pub fn child(store: &Path, events: u64, out: &Path) -> Outcome<()> {
    let start = Instant::now();
    let (log, (models, _)) = (Log::explore(store)?, ModelSet::load(store)?);
    let mut request = ReportRequest::of("plain");
    request.query.known = Some(Position(events));
    let form = ReportForm::of(out).ok_or("the file names a form")?;
    let progress = WorkProgress::default();
    let made = make(
        &log,
        &models,
        &TemplateSet::load(store)?,
        &request,
        &progress,
    )?;
    let view = write_report(&log, &made, form, out, &progress)?;
    child::told(start.elapsed().as_secs_f64(), view.report.row_count());
    Ok(())
}

/// Measures all forms that core writes.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let many = plan.events;
    let mut workbook = Row::new(
        format!("report of {ROWS} rows as XLSX, made and written"),
        "s",
        Goal::AtMost(2.0),
    );
    let mut csv = Row::new(
        format!("report of {many} rows as CSV"),
        "rows/s",
        Goal::AtLeast(50_000.0),
    );
    let mut lines = Row::new(
        format!("report of {many} rows as JSON Lines"),
        "rows/s",
        Goal::AtLeast(50_000.0),
    );
    let mut memory = Row::new(
        "peak resident memory of those two",
        "MB",
        Goal::AtMost(300.0),
    );
    let home = plan.folder.join("compliance");
    let _ = std::fs::remove_dir_all(&home);
    let store = home.join("shop.annals");
    let reports = folder(&store).join("reports");
    std::fs::create_dir_all(&reports)?;
    std::fs::write(reports.join("plain.toml"), TEMPLATE)?;
    let request = ShopRequest {
        events: many.max(ROWS),
        seed: 1,
    };
    shop(&store, &request, &WorkProgress::default())?;
    for _ in 0..plan.rounds {
        workbook
            .ours
            .push(in_child(&store, ROWS, &home.join("r.xlsx"))?.seconds);
        for (row, file) in [(&mut csv, "r.csv"), (&mut lines, "r.jsonl")] {
            let report = in_child(&store, many, &home.join(file))?;
            row.ours.push(many as f64 / report.seconds);
            memory.ours.push(report.peak_kb / 1024.0);
        }
    }
    std::fs::remove_dir_all(&home)?;
    Ok(vec![workbook, csv, lines, memory])
}

fn in_child(store: &Path, events: u64, out: &Path) -> Outcome<Figures> {
    let count = events.to_string();
    let args = [store.as_os_str(), count.as_ref(), out.as_os_str()];
    let report = child::run("--child-report", args)?;
    if report.count != events as f64 {
        let rows = report.count;
        return Err(format!("the report has {rows} rows for {events} events").into());
    }
    Ok(report)
}
