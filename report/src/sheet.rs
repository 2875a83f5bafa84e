//! What a layout reads: the report as texts ready for paper, in one JSON file. The layouts decide how it looks.
//!
//! INVARIANT: the file holds no JSON number. With serde_json's `arbitrary_precision`, which the workspace needs, the
//! typesetter would read a number as an object; lengths and dates are texts, and the layouts read them.

use annals_core::chart::{ChartForm, ChartSpec, PAPER, grouped, svg};
use annals_core::compliance::{
    Block, Cell, CellKind, CheckOutcome, CheckResult, Entry, Report, ReportRows, Table,
};
use annals_core::progress::WorkProgress;
use serde::Serialize;

use crate::columns::{Paper, Plan, Wish, plan};
use crate::facts::{Group, groups};
use crate::text::{Ink, broken, heading, width_pt};
use crate::{Attachment, Error, PdfOptions};

/// Size of the text in tables, in points.
pub const TABLE_PT: f64 = 7.0;
/// Characters of one cell that are printed; the rest is in the attachment, and the cell says so.
pub const CELL_CHARS: usize = 1_200;

/// Cells below a row of at most so many characters share a line.
const SHORT_CHARS: usize = 40;
/// A row whose cells have at most so many characters, with at most so many below it, surely fits a page and is kept on
/// one. Any other may be parted, since what is kept together and does not fit would be cut off.
const BESIDE_CHARS: usize = 400;
const BELOW_CHARS: usize = 1_500;

/// Everything that a layout prints.
#[derive(Debug, Serialize)]
pub struct Sheet {
    title: String,
    regime: String,
    statement: String,
    /// The typesetter's name of the paper's format, and whether it lies on its side throughout.
    paper: &'static str,
    lies: bool,
    /// Families of the bundled fonts, in the order in which they are asked for a character.
    fonts: Vec<String>,
    report_hash: String,
    root: String,
    size: String,
    groups: Vec<Group>,
    sections: Vec<Part>,
    attachments: Vec<Attached>,
    /// The typesetter's name of the layout of what follows the first page.
    layout: String,
    /// What is left out of the pages as a whole, in a sentence each.
    notes: Vec<String>,
    /// The pages whose heads and feet are to be set; empty while the pages themselves are.
    pages: Vec<PageSize>,
}

impl Sheet {
    /// Has what follows the first page set by the layout of this name.
    pub fn set_by(&mut self, layout: &str) {
        layout.clone_into(&mut self.layout);
    }

    /// A report with one piece of every kind, to try a layout on; and the picture that it names.
    pub fn example() -> (Sheet, (String, String)) {
        let text = |text: &str| vec![text.to_owned()];
        let line = || Line {
            name: "Name".to_owned(),
            value: text("value"),
            mono: false,
        };
        let heading = |title: &str, right| Heading {
            title: text(title),
            width_pt: "120".to_owned(),
            right,
            mono: right,
        };
        let table = |exceptions, rows: Vec<Vec<Set>>, rows_below| {
            Piece::Table(Grid {
                title: "Table".to_owned(),
                exceptions,
                note: "1 row".to_owned(),
                empty: "There is no row.".to_owned(),
                size_pt: TABLE_PT.to_string(),
                columns: vec![heading("Number", true), heading("Text", false)],
                rows,
                rows_below,
            })
        };
        let row = || {
            let parted = Set::Pieces(vec!["a long".to_owned(), " word".to_owned()]);
            vec![Set::Whole("1".to_owned()), parted]
        };
        let below = Under {
            together: true,
            lines: vec![vec![Below {
                name: "Name".to_owned(),
                value: Set::Dim {
                    dim: "not recorded".to_owned(),
                },
                mono: false,
            }]],
        };
        let picture = "chart-1.svg".to_owned();
        let blocks = vec![
            Piece::Prose {
                paragraphs: text("A paragraph."),
            },
            Piece::Entries {
                entries: vec![line()],
            },
            table(false, vec![row()], Vec::new()),
            table(true, vec![row()], vec![below]),
            table(true, Vec::new(), Vec::new()),
            Piece::Chart {
                title: "Chart".to_owned(),
                file: picture.clone(),
                alt: "A chart".to_owned(),
                note: String::new(),
                columns: ["Name".to_owned(), "Events".to_owned()],
                points: vec![["a".to_owned(), "1".to_owned()]],
            },
            Piece::Checks {
                results: vec![Check {
                    title: "A check".to_owned(),
                    outcome: "passed",
                    says: "Passed".to_owned(),
                    detail: "1 event looked at".to_owned(),
                }],
            },
        ];
        let part = |sideways, blocks| Part {
            title: "Section".to_owned(),
            sideways,
            blocks,
        };
        let sheet = Sheet {
            title: "Example".to_owned(),
            regime: "None".to_owned(),
            statement: "Evidence, not a legal determination".to_owned(),
            paper: "a4",
            lies: false,
            fonts: crate::fonts::FONTS.families(),
            report_hash: "0".repeat(64),
            root: "0".repeat(64),
            size: "1".to_owned(),
            groups: Vec::new(),
            sections: vec![
                part(false, blocks),
                part(true, vec![table(false, vec![row()], Vec::new())]),
            ],
            attachments: Vec::new(),
            layout: String::new(),
            notes: text("A note."),
            pages: Vec::new(),
        };
        let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="20"/>"#;
        (sheet, (picture, svg.to_owned()))
    }

    /// Leaves what is needed for the heads and feet of these pages, and the files inside.
    pub fn marginals(self, pages: Vec<PageSize>) -> Sheet {
        Sheet {
            groups: Vec::new(),
            sections: Vec::new(),
            pages,
            ..self
        }
    }
}

/// Size of a page.
#[derive(Debug, Serialize)]
pub struct PageSize {
    /// Its width in points.
    pub width_pt: String,
    /// Its height in points.
    pub height_pt: String,
}

#[derive(Debug, Serialize)]
struct Part {
    title: String,
    sideways: bool,
    blocks: Vec<Piece>,
}

/// A file inside the PDF, as the first page lists it.
#[derive(Debug, Clone, Serialize)]
pub struct Attached {
    name: String,
    mime: &'static str,
    description: String,
    bytes: String,
}

impl Attached {
    /// Names a file; what it says of itself may quote the template.
    pub fn of(file: &Attachment, ink: &Ink) -> Attached {
        Attached {
            name: file.name.clone(),
            mime: file.mime,
            description: ink.visible(&file.description),
            bytes: grouped(file.bytes.len() as u64),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Piece {
    Prose {
        paragraphs: Vec<String>,
    },
    Entries {
        entries: Vec<Line>,
    },
    Table(Grid),
    Chart {
        title: String,
        /// Name of the picture's file.
        file: String,
        alt: String,
        note: String,
        columns: [String; 2],
        points: Vec<[String; 2]>,
    },
    Checks {
        results: Vec<Check>,
    },
}

/// A name with its value, ready for paper.
#[derive(Debug, Serialize)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// The value in pieces between which a line may end.
    pub value: Vec<String>,
    /// Whether it is set like a hash.
    pub mono: bool,
}

#[derive(Debug, Serialize)]
struct Check {
    title: String,
    /// `passed`, `exceptions`, `nothing`: what the layout draws a sign for.
    outcome: &'static str,
    says: String,
    detail: String,
}

#[derive(Debug, Serialize)]
struct Grid {
    title: String,
    exceptions: bool,
    /// `1,024 rows`, and what of them is not on paper.
    note: String,
    empty: String,
    size_pt: String,
    columns: Vec<Heading>,
    rows: Vec<Vec<Set>>,
    /// What stands below each row; empty if every column has room beside the others.
    rows_below: Vec<Under>,
}

/// The lines below a row.
#[derive(Debug, Serialize)]
struct Under {
    /// Whether no page ends between the row and them.
    together: bool,
    lines: Vec<Vec<Below>>,
}

/// A cell that has no room beside the others: it stands below its row, under its own name.
#[derive(Debug, Serialize)]
struct Below {
    name: String,
    value: Set,
    mono: bool,
}

#[derive(Debug, Serialize)]
struct Heading {
    title: Vec<String>,
    width_pt: String,
    /// Numbers end at the right edge.
    right: bool,
    mono: bool,
}

/// A cell, ready for paper.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Set {
    /// One piece.
    Whole(String),
    /// Pieces between which a line may end.
    Pieces(Vec<String>),
    /// What the report says where there is no value.
    Dim { dim: String },
}

/// Makes the sheet of a report, and the pictures that it names.
pub fn sheet(
    report: &Report,
    rows: &ReportRows,
    attachments: &[Attached],
    options: &PdfOptions,
    ink: &Ink,
    progress: &WorkProgress,
) -> Result<(Sheet, Vec<(String, String)>), Error> {
    let paper = Paper::of(report.layout);
    let mut printed = options.rows_printed(report).into_iter();
    let mut pictures = Vec::new();
    let mut sections = Vec::new();
    for section in &report.sections {
        let mut part = Part {
            title: heading(ink.visible(&section.title)),
            sideways: false,
            blocks: Vec::new(),
        };
        for block in &section.blocks {
            let piece = match block {
                Block::Prose { paragraphs } => Piece::Prose {
                    paragraphs: paragraphs.iter().map(|p| ink.visible(p)).collect(),
                },
                Block::Entries { entries } => Piece::Entries {
                    entries: entries.iter().map(|entry| line(ink, entry)).collect(),
                },
                Block::Table(table) | Block::Exceptions(table) => {
                    let exceptions = matches!(block, Block::Exceptions(_));
                    let most = printed.next().unwrap_or_default();
                    let read = read_rows(table, rows, most, progress)?;
                    let (grid, sideways) = grid(table, read, exceptions, ink, options, &paper);
                    part.sideways |= sideways && !paper.lies();
                    Piece::Table(grid)
                }
                Block::Chart(spec) => {
                    let file = format!("chart-{}.svg", pictures.len() + 1);
                    let mut drawn = spec.clone();
                    drawn.title = heading(ink.visible(&spec.title));
                    for point in &mut drawn.points {
                        point.label = ink.visible(&point.label);
                    }
                    pictures.push((file.clone(), svg(&drawn, &PAPER)));
                    chart(&drawn, file, ink)
                }
                Block::Checks { results } => Piece::Checks {
                    results: results.iter().map(|result| check(result, ink)).collect(),
                },
            };
            part.blocks.push(piece);
        }
        sections.push(part);
    }
    let all = report.row_count();
    let printed = options.printed(report);
    let mut notes = Vec::new();
    if all > printed {
        let (printed, all) = (grouped(printed), grouped(all));
        notes.push(match options.preview {
            true => format!("A preview: {printed} of {all} rows are on these pages."),
            false => format!(
                "{printed} of {all} rows are on these pages; all of them are in the attached files."
            ),
        });
    }
    let head = &report.first_page.source.head;
    let sheet = Sheet {
        title: heading(ink.visible(&report.title)),
        regime: ink.visible(&report.regime),
        statement: ink.visible(&report.first_page.statement),
        paper: paper.format,
        lies: paper.lies(),
        fonts: crate::fonts::FONTS.families(),
        report_hash: report.hash().to_string(),
        root: head.root.to_string(),
        size: grouped(head.size.0),
        groups: groups(report, ink),
        sections,
        attachments: attachments.to_vec(),
        layout: String::new(),
        notes,
        pages: Vec::new(),
    };
    Ok((sheet, pictures))
}

/// A name with its value; what does not fit a line is broken.
pub fn line(ink: &Ink, entry: &Entry) -> Line {
    const VALUE_PT: f64 = 295.0;
    let value = ink.visible(&entry.value);
    let is_hash = |word: &str| word.len() >= 40 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mono = is_hash(&value);
    // A hash among words is set small, so that it stays on one line.
    let small = value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(is_hash);
    Line {
        name: ink.visible(&entry.name),
        value: owned(&broken(
            &value,
            VALUE_PT,
            if small { 6.8 } else { 8.5 },
            small,
        )),
        mono,
    }
}

fn check(result: &CheckResult, ink: &Ink) -> Check {
    let outcome = match result.outcome {
        CheckOutcome::Passed => "passed",
        CheckOutcome::Exceptions => "exceptions",
        CheckOutcome::NothingToCheck => "nothing",
    };
    Check {
        title: ink.visible(&result.title),
        outcome,
        says: capital(result.outcome.text()),
        detail: ink.visible(&result.detail),
    }
}

fn chart(spec: &ChartSpec, file: String, ink: &Ink) -> Piece {
    let mut points: Vec<[String; 2]> = spec
        .points
        .iter()
        .map(|point| {
            let label = broken(&point.label, 170.0, TABLE_PT, false).concat();
            [label, grouped(point.count)]
        })
        .collect();
    if spec.rest > 0 {
        let names = grouped(spec.rest_names);
        let others = match spec.rest_names {
            1 => "1 other".to_owned(),
            _ => format!("{names} others"),
        };
        points.push([others, grouped(spec.rest)]);
    }
    Piece::Chart {
        title: spec.title.clone(),
        file,
        alt: heading(ink.visible(&spec.alt)),
        note: match spec.form {
            ChartForm::OverTime => format!("Counted in {}.", ink.visible(&spec.zone)),
            ChartForm::ByName => String::new(),
        },
        columns: [
            ink.visible(&spec.heading()),
            capital(&ink.visible(&spec.unit)),
        ],
        points,
    }
}

/// Reads the first rows of a table, at most so many.
fn read_rows(
    table: &Table,
    rows: &ReportRows,
    most: u64,
    progress: &WorkProgress,
) -> Result<Vec<Vec<Cell>>, Error> {
    let mut read: Vec<Vec<Cell>> = Vec::new();
    rows.for_each(&table.id, &mut |row| {
        if progress.is_cancelled() {
            return Err(annals_core::compliance::ReportError::Cancelled);
        }
        if read.len() as u64 == most {
            return Ok(false);
        }
        progress.advance(1);
        read.push(row.cells);
        Ok(true)
    })?;
    Ok(read)
}

fn grid(
    table: &Table,
    rows: Vec<Vec<Cell>>,
    exceptions: bool,
    ink: &Ink,
    options: &PdfOptions,
    paper: &Paper,
) -> (Grid, bool) {
    let printed = rows.len() as u64;
    let shown: Vec<Vec<Shown>> = rows
        .into_iter()
        .map(|row| {
            let cells = row.iter().zip(&table.columns);
            cells
                .map(|(cell, column)| shown(cell, column.kind, ink))
                .collect()
        })
        .collect();
    let titles: Vec<String> = table
        .columns
        .iter()
        .map(|c| ink.visible(&c.title))
        .collect();
    let wishes: Vec<Wish> = table
        .columns
        .iter()
        .zip(&titles)
        .enumerate()
        .map(|(index, (column, title))| {
            let mono = is_mono(column.kind);
            let cells = shown.iter().filter_map(|row| row.get(index));
            let widest = cells.map(|cell| width_pt(cell.text(), TABLE_PT, mono));
            let mut cells = shown.iter().filter_map(|row| row.get(index));
            Wish {
                is_void: cells.all(|cell| matches!(cell, Shown::Dim(_))),
                kind: column.kind,
                widest_pt: widest.fold(width_pt(title, TABLE_PT, false) * 1.08, f64::max) + 1.0,
            }
        })
        .collect();
    let Plan {
        sideways,
        widths_pt,
    } = plan(&wishes, paper);
    let mut grid = Grid {
        title: heading(ink.visible(&table.title)),
        exceptions,
        note: row_note(table.rows, printed, options.preview),
        empty: match table.rows {
            0 => ink.visible(&table.empty),
            _ => String::new(),
        },
        size_pt: TABLE_PT.to_string(),
        columns: Vec::new(),
        rows: Vec::with_capacity(shown.len()),
        rows_below: Vec::new(),
    };
    for ((column, title), width) in table.columns.iter().zip(&titles).zip(&widths_pt) {
        if let Some(width_pt) = width {
            grid.columns.push(Heading {
                title: owned(&broken(title, *width_pt, TABLE_PT * 1.08, false)),
                width_pt: width_pt.to_string(),
                right: is_right(column.kind),
                mono: is_mono(column.kind),
            });
        }
    }
    let line_pt: f64 = widths_pt.iter().flatten().sum();
    let some_below = widths_pt.contains(&None);
    for row in shown {
        let (mut beside, mut below) = (Vec::new(), Lines::default());
        let mut longest = 0;
        for (index, cell) in row.into_iter().enumerate() {
            let mono = table.columns.get(index).is_some_and(|c| is_mono(c.kind));
            match widths_pt.get(index).copied().flatten() {
                Some(width) => {
                    longest = longest.max(cell.text().chars().count());
                    beside.push(cell.set(width, mono));
                }
                None => below.take(
                    titles.get(index).map_or("", String::as_str),
                    cell,
                    mono,
                    line_pt,
                ),
            }
        }
        if some_below {
            grid.rows_below.push(Under {
                together: beside.len() > 1 && longest <= BESIDE_CHARS && below.chars <= BELOW_CHARS,
                lines: below.lines,
            });
        }
        grid.rows.push(beside);
    }
    (grid, sideways)
}

/// The lines below a row: short cells share one.
#[derive(Default)]
struct Lines {
    lines: Vec<Vec<Below>>,
    chars: usize,
    /// Whether the last line has room for further short cells.
    open: bool,
}

impl Lines {
    fn take(&mut self, name: &str, cell: Shown, mono: bool, line_pt: f64) {
        let chars = cell.text().chars().count();
        self.chars += chars + name.len();
        let short = chars <= SHORT_CHARS;
        let below = Below {
            name: name.to_owned(),
            mono: mono && matches!(cell, Shown::Text(_)),
            value: cell.set(line_pt * 0.8, mono),
        };
        match self.lines.last_mut() {
            Some(line) if short && self.open => line.push(below),
            _ => self.lines.push(vec![below]),
        }
        self.open = short;
    }
}

/// A cell's text, before it is given a width.
enum Shown {
    Text(String),
    Dim(String),
}

impl Shown {
    fn text(&self) -> &str {
        match self {
            Shown::Text(text) | Shown::Dim(text) => text,
        }
    }

    fn set(self, width_pt: f64, mono: bool) -> Set {
        match self {
            Shown::Dim(dim) => Set::Dim { dim },
            Shown::Text(text) => {
                let mut pieces = owned(&broken(&text, width_pt, TABLE_PT, mono));
                match pieces.len() {
                    0 | 1 => Set::Whole(pieces.pop().unwrap_or_default()),
                    _ => Set::Pieces(pieces),
                }
            }
        }
    }
}

fn shown(cell: &Cell, kind: CellKind, ink: &Ink) -> Shown {
    let text = cell.printed(kind);
    if cell.value().is_none() {
        return Shown::Dim(text.into_owned());
    }
    match text.char_indices().nth(CELL_CHARS) {
        None => Shown::Text(ink.visible(&text)),
        Some((at, _)) => {
            let more = grouped(text[at..].chars().count() as u64);
            let start = ink.visible(&text[..at]);
            Shown::Text(format!(
                "{start} … [{more} more characters: see the attached rows]"
            ))
        }
    }
}

fn row_note(rows: u64, printed: u64, preview: bool) -> String {
    let all = match rows {
        1 => "1 row".to_owned(),
        n => format!("{} rows", grouped(n)),
    };
    if printed == rows {
        return all;
    }
    let printed = match printed {
        0 => "none is".to_owned(),
        1 => "the first is".to_owned(),
        n => format!("the first {} are", grouped(n)),
    };
    match preview {
        true => format!("{all}; {printed} in this preview"),
        false => format!("{all}; {printed} printed, all are attached"),
    }
}

fn is_right(kind: CellKind) -> bool {
    match kind {
        CellKind::Number | CellKind::Position | CellKind::Version => true,
        CellKind::Text | CellKind::Name | CellKind::Time | CellKind::Value | CellKind::Hash => {
            false
        }
    }
}

fn is_mono(kind: CellKind) -> bool {
    match kind {
        CellKind::Value | CellKind::Hash => true,
        CellKind::Number
        | CellKind::Position
        | CellKind::Version
        | CellKind::Text
        | CellKind::Name
        | CellKind::Time => false,
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn owned(pieces: &[&str]) -> Vec<String> {
    pieces.iter().map(|piece| (*piece).to_owned()).collect()
}
