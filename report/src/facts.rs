//! The first page of core, group by group, ready for paper.

use annals_core::chart::grouped;
use annals_core::compliance::{PageGroup, PageGroupForm, Report, first_page};
use serde::Serialize;

use crate::sheet::{Line, line};
use crate::text::Ink;

/// Findings printed on the first page; the attached report holds all.
const FINDINGS_MAX: usize = 30;

/// Facts under one heading.
#[derive(Debug, Serialize)]
pub struct Group {
    title: &'static str,
    lines: Vec<Line>,
    /// Sentences without a name.
    points: Vec<String>,
    /// A fault, which the layout marks.
    mark: bool,
}

/// The first page of a report, group by group. The statement is left out: the layout prints it by itself.
pub fn groups(report: &Report, ink: &Ink) -> Vec<Group> {
    let groups = first_page(report).into_iter();
    groups
        .map(|group| set(group, &report.first_page.statement, ink))
        .collect()
}

fn set(group: PageGroup, statement: &str, ink: &Ink) -> Group {
    let PageGroup {
        title,
        form,
        entries,
    } = group;
    let (mut lines, mut points) = (Vec::new(), Vec::new());
    match form {
        PageGroupForm::Facts => {
            let facts = entries.iter().filter(|entry| entry.value != statement);
            lines.extend(facts.map(|entry| line(ink, entry)));
        }
        PageGroupForm::Sentences => {
            points.extend(entries.iter().map(|entry| ink.visible(&entry.value)));
        }
        PageGroupForm::Findings => {
            let told = entries.iter().take(FINDINGS_MAX);
            points.extend(told.map(|entry| {
                let told = format!("{}: {}", entry.name, entry.value);
                ink.visible(&told)
            }));
            let more = entries.len().saturating_sub(FINDINGS_MAX) as u64;
            if more > 0 {
                let more = grouped(more);
                points.push(match more.as_str() {
                    "1" => "1 more finding is in the attached report.".to_owned(),
                    _ => format!("{more} more findings are in the attached report."),
                });
            }
        }
    }
    Group {
        title,
        lines,
        points,
        mark: form == PageGroupForm::Findings,
    }
}
