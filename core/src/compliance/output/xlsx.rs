//! A report as a workbook: numbers and instants as such wherever none of their digits is lost, texts elsewhere.

use std::collections::HashMap;
use std::io::{Seek, SeekFrom, Write};

use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use super::step;
use crate::compliance::page::first_page;
use crate::compliance::report::{Block, Cell, CellKind, CheckResult, Row, Table};
use crate::compliance::{MadeReport, ReportError, visible};
use crate::export::cells::{MAX_CELL, MAX_ROWS, Typed, fitting, number, serial};
use crate::progress::WorkProgress;
use crate::time::Time;

/// Most characters of a sheet's name.
const MAX_NAME: usize = 31;

impl From<XlsxError> for ReportError {
    fn from(error: XlsxError) -> ReportError {
        match error {
            XlsxError::IoError(error) => ReportError::Io(error),
            other => ReportError::Io(std::io::Error::other(format!("workbook: {other}"))),
        }
    }
}

/// Writes the workbook; says what it has no place for.
pub(super) fn write(
    made: &MadeReport,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<Vec<String>, ReportError> {
    let mut book = Workbook::new();
    let report = &made.report;
    let mut properties = DocProperties::new()
        .set_title(visible(&report.title))
        .set_subject(visible(&report.regime))
        .set_comment(format!("report {}", report.hash()));
    // A workbook names its making; where that is not stated, the beginning of its container's calendar stands there.
    let stamp = report
        .first_page
        .made_at
        .and_then(|time| serial(time, false));
    let stamp = match stamp {
        Some(stamp) => stamp,
        None => ExcelDateTime::from_ymd(1980, 1, 1)?,
    };
    properties = properties.set_creation_datetime(&stamp);
    book.set_properties(&properties);
    let mut styles = Styles::new();
    front(&mut book, made, &styles)?;
    let mut names = vec!["report".to_owned()];
    let mut cut = 0;
    for table in report.tables() {
        write_table(
            &mut book,
            made,
            table,
            &mut styles,
            &mut names,
            &mut cut,
            progress,
        )?;
    }
    // A file without a name, so that a workbook of any size needs little memory.
    let mut file = tempfile::tempfile()?;
    book.save_to_writer(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    std::io::copy(&mut file, out)?;
    Ok(match cut {
        0 => Vec::new(),
        n => vec![format!(
            "{} longer than {MAX_CELL} characters and cut there, which the cell says; the JSON Lines form holds them whole",
            match n {
                1 => "1 cell is".to_owned(),
                n => format!("{n} cells are"),
            }
        )],
    })
}

struct Styles {
    heading: Format,
    title: Format,
    text: Format,
    right: Format,
    time: Format,
    /// Numbers by how many digits stand after the point.
    numbers: HashMap<usize, Format>,
}

impl Styles {
    fn new() -> Styles {
        let text = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        Styles {
            heading: Format::new()
                .set_bold()
                .set_background_color("E8E8E8")
                .set_align(FormatAlign::Top)
                .set_text_wrap(),
            title: Format::new().set_bold().set_font_size(14),
            right: Format::new()
                .set_align(FormatAlign::Top)
                .set_align(FormatAlign::Right),
            time: Format::new()
                .set_num_format("yyyy-mm-dd hh:mm:ss.000")
                .set_align(FormatAlign::Top)
                .set_align(FormatAlign::Left),
            numbers: HashMap::new(),
            text,
        }
    }

    fn number(&mut self, scale: usize) -> &Format {
        self.numbers.entry(scale).or_insert_with(|| {
            let format = match scale {
                0 => "0".to_owned(),
                scale => format!("0.{}", "0".repeat(scale)),
            };
            Format::new()
                .set_num_format(format)
                .set_align(FormatAlign::Top)
        })
    }
}

/// The sheet with the first page and the checks.
fn front(book: &mut Workbook, made: &MadeReport, styles: &Styles) -> Result<(), ReportError> {
    let sheet = book.add_worksheet();
    sheet.set_name("Report")?;
    sheet.set_column_width_pixels(0, 190)?;
    sheet.set_column_width_pixels(1, 620)?;
    let mut line = 0;
    let mut put = |sheet: &mut Worksheet, name: &str, value: &str, style: &Format| {
        let (name, _) = fitting(name);
        let (value, _) = fitting(value);
        sheet.write_string_with_format(line, 0, name, style)?;
        if !value.is_empty() {
            sheet.write_string_with_format(line, 1, value, &styles.text)?;
        }
        line += 1;
        Ok::<(), ReportError>(())
    };
    put(sheet, &made.report.title, "", &styles.title)?;
    for group in first_page(&made.report) {
        put(sheet, "", "", &styles.text)?;
        put(sheet, group.title, "", &styles.heading)?;
        for entry in &group.entries {
            put(sheet, &entry.name, &entry.value, &styles.text)?;
        }
    }
    for section in &made.report.sections {
        let worded = section.blocks.iter().any(|block| {
            matches!(
                block,
                Block::Prose { .. } | Block::Checks { .. } | Block::Entries { .. }
            )
        });
        if worded {
            put(sheet, "", "", &styles.text)?;
            put(sheet, &section.title, "", &styles.heading)?;
        }
        for block in &section.blocks {
            match block {
                Block::Prose { paragraphs } => {
                    for paragraph in paragraphs {
                        put(sheet, " ", paragraph, &styles.text)?;
                    }
                }
                Block::Entries { entries } => {
                    for entry in entries {
                        put(sheet, &entry.name, &entry.value, &styles.text)?;
                    }
                }
                Block::Checks { results } => {
                    for result in results {
                        let CheckResult {
                            id: _,
                            title,
                            outcome,
                            checked: _,
                            not_looked_at: _,
                            exceptions: _,
                            detail,
                        } = result;
                        let came = format!("{}: {detail}", outcome.text());
                        put(sheet, title, &came, &styles.text)?;
                    }
                }
                // Tables have sheets of their own; what a chart shows is in them.
                Block::Table(_) | Block::Exceptions(_) | Block::Chart(_) => {}
            }
        }
    }
    Ok(())
}

fn write_table(
    book: &mut Workbook,
    made: &MadeReport,
    table: &Table,
    styles: &mut Styles,
    names: &mut Vec<String>,
    cut: &mut u64,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    let mut sheet = begin(book, table, styles, names)?;
    let mut line = 0;
    if table.rows == 0 {
        let (empty, _) = fitting(&table.empty);
        sheet.write_string_with_format(1, 0, empty, &styles.text)?;
    }
    made.rows.for_each(&table.id, &mut |row| {
        if line == MAX_ROWS {
            let next = begin(book, table, styles, names)?;
            book.push_worksheet(std::mem::replace(&mut sheet, next));
            line = 0;
        }
        line += 1;
        write_row(&mut sheet, line, table, &row, styles, cut)?;
        step(progress)?;
        Ok(true)
    })?;
    book.push_worksheet(sheet);
    Ok(())
}

/// A sheet with its headings, which stay where they are while the rows move.
fn begin(
    book: &mut Workbook,
    table: &Table,
    styles: &Styles,
    names: &mut Vec<String>,
) -> Result<Worksheet, ReportError> {
    let name = sheet_name(&table.title, names);
    let mut sheet = book.new_worksheet_with_constant_memory()?;
    sheet.set_name(&name)?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_landscape();
    let columns = u16::try_from(table.columns.len()).unwrap_or(u16::MAX);
    let rows = u32::try_from(table.rows)
        .unwrap_or(MAX_ROWS)
        .clamp(1, MAX_ROWS);
    sheet.autofilter(0, 0, rows, columns.saturating_sub(1))?;
    for (at, column) in (0..).zip(&table.columns) {
        sheet.set_column_width_pixels(at, width_px(column.kind))?;
    }
    for (at, column) in (0..).zip(&table.columns) {
        let (title, _) = fitting(&column.title);
        sheet.write_string_with_format(0, at, title, &styles.heading)?;
    }
    Ok(sheet)
}

fn width_px(kind: CellKind) -> u32 {
    match kind {
        CellKind::Position | CellKind::Version => 70,
        CellKind::Number => 110,
        CellKind::Time => 175,
        CellKind::Name => 165,
        CellKind::Text | CellKind::Value => 280,
        CellKind::Hash => 200,
    }
}

fn write_row(
    sheet: &mut Worksheet,
    line: u32,
    table: &Table,
    row: &Row,
    styles: &mut Styles,
    cut: &mut u64,
) -> Result<(), ReportError> {
    for ((at, cell), column) in (0..).zip(&row.cells).zip(&table.columns) {
        let typed = match (cell, column.kind) {
            (
                Cell::Value(text),
                CellKind::Number | CellKind::Position | CellKind::Version | CellKind::Value,
            ) => number(text).map(Typed::Number),
            (Cell::Value(text), CellKind::Time) => Time::parse_rfc3339(text)
                .ok()
                .and_then(|time| serial(time, true))
                .map(Typed::Time),
            _ => None,
        };
        match typed {
            Some(Typed::Number(number)) => {
                let format = styles.number(number.scale() as usize);
                match number.to_f64() {
                    Some(number) => sheet.write_number_with_format(line, at, number, format)?,
                    None => sheet.write_string(line, at, number.to_string())?,
                };
            }
            Some(Typed::Time(time)) => {
                sheet.write_datetime_with_format(line, at, &time, &styles.time)?;
            }
            None => {
                let (text, was_cut) = fitting(&cell.printed(column.kind));
                *cut += u64::from(was_cut);
                let style = match column.kind {
                    CellKind::Number | CellKind::Position | CellKind::Version => &styles.right,
                    _ => &styles.text,
                };
                sheet.write_string_with_format(line, at, text, style)?;
            }
        }
    }
    Ok(())
}

/// A name that no sheet has yet.
fn sheet_name(title: &str, names: &mut Vec<String>) -> String {
    let clean: String = visible(title)
        .chars()
        .map(|c| match c {
            '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'' | '\n' | '\t' => ' ',
            c => c,
        })
        .collect();
    for n in 1.. {
        let end = match n {
            1 => String::new(),
            n => format!(" ({n})"),
        };
        let room = MAX_NAME - end.len();
        let mut used = 0;
        let start: String = clean
            .chars()
            .take_while(|c| {
                used += c.len_utf16();
                used <= room
            })
            .collect();
        let name = format!("{}{end}", start.trim()).trim().to_owned();
        // Names differ by more than the case of their letters.
        let key = name.to_lowercase();
        if !name.is_empty() && !names.contains(&key) {
            names.push(key);
            return name;
        }
    }
    unreachable!("there are more numbers than sheets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_names_of_their_own() {
        let mut names = vec!["report".to_owned()];
        assert_eq!(sheet_name("Report", &mut names), "Report (2)");
        assert_eq!(sheet_name("a/b: [c]*?", &mut names), "a b   c");
        let long = "x".repeat(40);
        assert_eq!(sheet_name(&long, &mut names).len(), 31);
        assert_eq!(sheet_name(&long, &mut names).len(), 31);
        assert_eq!(sheet_name("''", &mut names), "(2)");
    }
}
