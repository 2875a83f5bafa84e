//! A report as one page that opens from the disk: no script, nothing loaded, everything that comes from data escaped.

use std::io::Write;

use super::step;
use crate::chart::{ChartSpec, PAPER, svg};
use crate::compliance::page::first_page;
use crate::compliance::report::{Block, Cell, CellKind, CheckOutcome, CheckResult, Entry, Table};
use crate::compliance::{MadeReport, ReportError, visible};
use crate::progress::WorkProgress;

const STYLE: &str = include_str!("report.css");

pub(super) fn write(
    made: &MadeReport,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    let report = &made.report;
    let title = text(&report.title);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <p class=\"regime\">{}</p>\n<h1>{title}</h1>\n<p class=\"statement\">{}</p>\n</header>\n<main>\n",
        text(&report.regime),
        text(&report.first_page.statement),
    )?;
    writeln!(out, "<section class=\"first\" aria-label=\"First page\">")?;
    for group in first_page(report) {
        writeln!(out, "<h2>{}</h2>", text(group.title))?;
        entries(out, &group.entries)?;
    }
    writeln!(out, "</section>")?;
    for section in &report.sections {
        writeln!(out, "<section id=\"{}\">", attribute(&section.id))?;
        writeln!(out, "<h2>{}</h2>", text(&section.title))?;
        for block in &section.blocks {
            match block {
                Block::Prose { paragraphs } => {
                    for paragraph in paragraphs {
                        writeln!(out, "<p>{}</p>", text(paragraph))?;
                    }
                }
                Block::Entries { entries: list } => entries(out, list)?,
                Block::Checks { results } => checks(out, results)?,
                Block::Chart(chart) => draw(out, chart)?,
                Block::Table(table) | Block::Exceptions(table) => {
                    write_table(made, table, &section.title, out, progress)?;
                }
            }
        }
        writeln!(out, "</section>")?;
    }
    writeln!(
        out,
        "</main>\n<footer><p>Report <code>{}</code></p><p>Log root <code>{}</code> at size {}</p><p>{}</p></footer>\n</body>\n</html>",
        report.hash(),
        report.first_page.source.head.root,
        report.first_page.source.head.size,
        text(&report.first_page.statement),
    )?;
    Ok(())
}

fn entries(out: &mut dyn Write, entries: &[Entry]) -> Result<(), ReportError> {
    writeln!(out, "<dl>")?;
    for Entry { name, value } in entries {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", text(name), text(value))?;
    }
    writeln!(out, "</dl>")?;
    Ok(())
}

fn checks(out: &mut dyn Write, results: &[CheckResult]) -> Result<(), ReportError> {
    if results.is_empty() {
        writeln!(out, "<p>The template has no checks.</p>")?;
        return Ok(());
    }
    writeln!(
        out,
        "<table class=\"checks\"><thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Outcome</th><th scope=\"col\">Numbers</th></tr></thead><tbody>"
    )?;
    for result in results {
        let CheckResult {
            id,
            title,
            outcome,
            checked: _,
            not_looked_at: _,
            exceptions: _,
            detail,
        } = result;
        let class = match outcome {
            CheckOutcome::Passed => "passed",
            CheckOutcome::Exceptions => "failed",
            CheckOutcome::NothingToCheck => "nothing",
        };
        writeln!(
            out,
            "<tr><td>{} <code>{}</code></td><td class=\"{class}\">{}</td><td>{}</td></tr>",
            text(title),
            text(id),
            outcome.text(),
            text(detail)
        )?;
    }
    writeln!(out, "</tbody></table>")?;
    Ok(())
}

/// The picture, and its table twin below.
fn draw(out: &mut dyn Write, chart: &ChartSpec) -> Result<(), ReportError> {
    let mut shown = chart.clone();
    shown.title = visible(&chart.title).into_owned();
    shown.alt = visible(&chart.alt).into_owned();
    for point in &mut shown.points {
        point.label = visible(&point.label).into_owned();
    }
    let ChartSpec {
        id: _,
        title,
        form: _,
        unit,
        zone: _,
        points,
        rest,
        rest_names,
        alt,
    } = &shown;
    writeln!(
        out,
        "<figure><figcaption>{}. {}</figcaption>\n{}\n<details><summary>As a table</summary><table class=\"chart\"><thead><tr><th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr></thead><tbody>",
        text(title),
        text(alt),
        svg(&shown, &PAPER).trim(),
        text(&shown.heading()),
        text(unit)
    )?;
    for point in points {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>",
            text(&point.label),
            point.count
        )?;
    }
    if *rest_names > 0 {
        writeln!(
            out,
            "<tr><th scope=\"row\">{rest_names} others</th><td class=\"number\">{rest}</td></tr>"
        )?;
    }
    writeln!(out, "</tbody></table></details></figure>")?;
    Ok(())
}

fn write_table(
    made: &MadeReport,
    table: &Table,
    section: &str,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    if table.rows == 0 {
        writeln!(out, "<p class=\"empty\">{}</p>", text(&table.empty))?;
        return Ok(());
    }
    let rows = crate::compliance::plural(table.rows, "row");
    let caption = match table.title == section {
        true => rows,
        false => format!("{}: {rows}", table.title),
    };
    write!(
        out,
        "<div class=\"wide\"><table><caption>{}</caption><thead><tr>",
        text(&caption)
    )?;
    for column in &table.columns {
        write!(out, "<th scope=\"col\">{}</th>", text(&column.title))?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    made.rows.for_each(&table.id, &mut |row| {
        write!(out, "<tr>")?;
        for (cell, column) in row.cells.iter().zip(&table.columns) {
            let class = match (cell, column.kind) {
                (Cell::NotRecorded | Cell::Erased | Cell::None, _) => " class=\"no\"",
                (_, CellKind::Number | CellKind::Position | CellKind::Version) => {
                    " class=\"number\""
                }
                (_, CellKind::Time) => " class=\"time\"",
                (_, CellKind::Hash) => " class=\"hash\"",
                (_, CellKind::Value) => " class=\"value\"",
                (_, CellKind::Text | CellKind::Name) => "",
            };
            // Each cell turns by itself, so that a text from right to left moves no other.
            write!(
                out,
                "<td{class} dir=\"auto\">{}</td>",
                text(&cell.printed(column.kind))
            )?;
        }
        writeln!(out, "</tr>")?;
        step(progress)?;
        Ok(true)
    })?;
    writeln!(out, "</tbody></table></div>")?;
    Ok(())
}

/// A text from data: nothing of it is markup, nothing of it hides.
fn text(text: &str) -> String {
    let shown = visible(text);
    let mut escaped = String::with_capacity(shown.len() + 16);
    for c in shown.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A name of a template, as the value of an attribute.
fn attribute(name: &str) -> String {
    text(name)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_from_data_is_markup() {
        assert_eq!(
            text("<script>alert('x')</script>&\"\u{202e}\0"),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;‹U+202E›‹U+0000›"
        );
    }
}
