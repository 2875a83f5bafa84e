//! What a report costs: rows as a workbook, as CSV and as JSON Lines, and the memory for as many as there are.

use std::path::Path;
use std::time::Instant;

use annals_core::compliance::{ReportForm, ReportRequest, TemplateSet, make, write_report};
use annals_core::model::{ModelSet, folder};
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::sample::{ShopRequest, shop};
use annals_core::store::Log;

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

/// Makes the report of a store's first `events` in a process of its own; prints seconds, kilobytes and rows.
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
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"))
        .unwrap_or("0")
        .trim()
        .to_owned();
    let rows = view.report.row_count();
    println!("{seconds} {peak} {rows}");
    Ok(())
}

/// Measures all forms that core writes.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let row = |what: String, unit, goal| Row {
        what,
        unit,
        ours: Vec::new(),
        baseline: Vec::new(),
        goal,
    };
    let many = plan.events;
    let mut workbook = row(
        format!("report of {ROWS} rows as XLSX, made and written"),
        "s",
        Goal::AtMost(2.0),
    );
    let mut csv = row(
        format!("report of {many} rows as CSV"),
        "rows/s",
        Goal::AtLeast(50_000.0),
    );
    let mut lines = row(
        format!("report of {many} rows as JSON Lines"),
        "rows/s",
        Goal::AtLeast(50_000.0),
    );
    let mut memory = row(
        "peak resident memory of those two".to_owned(),
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
            .push(in_child(&store, ROWS, &home.join("r.xlsx"))?.0);
        let (seconds, peak) = in_child(&store, many, &home.join("r.csv"))?;
        csv.ours.push(many as f64 / seconds);
        memory.ours.push(peak / 1024.0);
        let (seconds, peak) = in_child(&store, many, &home.join("r.jsonl"))?;
        lines.ours.push(many as f64 / seconds);
        memory.ours.push(peak / 1024.0);
    }
    std::fs::remove_dir_all(&home)?;
    Ok(vec![workbook, csv, lines, memory])
}

/// Seconds and kilobytes.
fn in_child(store: &Path, events: u64, out: &Path) -> Outcome<(f64, f64)> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .arg("--child-report")
        .arg(store)
        .arg(events.to_string())
        .arg(out)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = text
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect();
    match figures[..] {
        [seconds, peak, rows] if rows == events as f64 => Ok((seconds, peak)),
        _ => Err(format!(
            "the report failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into()),
    }
}
