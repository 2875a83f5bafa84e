//! Sections that hold answers to what is kept beside the store.

use super::*;
use crate::compliance::{Block, Entry, Section};
use crate::question::saved;

const TEMPLATE: &str = r#"
version = "1"
title = "Month end"
regime = "House rule 7"
about = "What was so at the end of the month"
retention = "7 years"

[[sections]]
id = "pending"
title = "Pending orders"
question = "pending"

[[sections]]
id = "statuses"
title = "Orders by status"
question = "by-status"

[[sections]]
id = "totals"
title = "Totals"
query = "totals"
"#;

fn store() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.annals");
    crate::sample::questions(&path).unwrap();
    let keep = |name: &str, text: &str, zone: Option<&str>| {
        saved::save(&path, name, text, zone, false).unwrap();
    };
    keep(
        "pending",
        r#"count order where status = "Pending" during 2024-01"#,
        Some("Europe/Berlin"),
    );
    keep("by-status", "count order group by status", None);
    let sql = "SELECT status, count(*) AS n FROM order_at(:at) GROUP BY status ORDER BY 1";
    crate::sql::save(&path, "totals", sql, false).unwrap();
    let reports = crate::model::folder(&path).join("reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join("month-end.toml"), TEMPLATE).unwrap();
    let log = Log::explore(&path).unwrap();
    Store { folder, path, log }
}

fn made(store: &Store, at: Option<&str>) -> Result<MadeReport, ReportError> {
    let mut request = ReportRequest::of("month-end");
    request.at = at.map(|at| Time::parse_rfc3339(at).unwrap());
    let set = TemplateSet::load(&store.path).unwrap();
    assert!(set.broken().is_empty(), "{:?}", set.broken());
    make(
        &store.log,
        &store.models(),
        &set,
        &request,
        &WorkProgress::default(),
    )
}

fn entry<'s>(section: &'s Section, name: &str) -> &'s str {
    let entries = section.blocks.iter().find_map(|block| match block {
        Block::Entries { entries } => Some(entries),
        _ => None,
    });
    let found = entries.unwrap().iter().find(|entry| entry.name == name);
    found.map_or("", |Entry { value, .. }| value)
}

#[test]
fn a_section_holds_the_answer_with_its_reading_instant_and_zone() {
    let store = store();
    let made = made(&store, Some("2024-01-12T00:00:00Z")).unwrap();
    let [pending, statuses, totals] = made.report.sections.as_slice() else {
        panic!("three sections");
    };
    assert_eq!(entry(pending, "Kept question"), "pending");
    assert_eq!(entry(pending, "Reading"), "at some time in it");
    assert_eq!(entry(pending, "Zone"), "Europe/Berlin");
    assert_eq!(entry(statuses, "Zone"), "UTC");
    assert!(
        entry(pending, "As of").starts_with("2024-01-12T00:00:00Z; known at position"),
        "{pending:?}"
    );
    let answer = entry(pending, "Answer").trim_end_matches(" streams");
    let rows = printed(&made, "pending");
    assert_eq!(answer, rows.len().to_string());
    // The statement and the question agree, row by row.
    let by_question: Vec<Vec<String>> = printed(&made, "statuses_groups")
        .into_iter()
        .map(|row| row[..2].to_vec())
        .collect();
    assert_eq!(by_question, printed(&made, "totals"));
    let as_of = entry(totals, "As of, order_at");
    assert_eq!(as_of, "2024-01-12T00:00:00Z; known at position 70");
}

#[test]
fn another_answer_is_another_report() {
    let store = store();
    let hash = |at: &str| made(&store, Some(at)).unwrap().report.hash();
    assert_eq!(hash("2024-01-12T00:00:00Z"), hash("2024-01-12T00:00:00Z"));
    assert_ne!(hash("2024-01-12T00:00:00Z"), hash("2024-01-20T00:00:00Z"));
    let before = made(&store, None).unwrap().report.hash();
    saved::save(&store.path, "pending", "count order", None, true).unwrap();
    assert_ne!(before, made(&store, None).unwrap().report.hash());
    saved::remove(&store.path, "pending").unwrap();
    let error = made(&store, None).unwrap_err().to_string();
    assert!(
        error.starts_with("section pending: there is no question pending; there are by-status"),
        "{error}"
    );
}

#[test]
fn a_section_asks_one_thing() {
    let fault = |line: &str| {
        let text = TEMPLATE.replace("question = \"pending\"", line);
        crate::compliance::check("t", &text).error.unwrap().message
    };
    assert_eq!(
        fault("question = \"a\"\nquery = \"b\""),
        "question and query stand beside each other"
    );
    assert_eq!(fault("query = \"\""), "query is empty");
}
