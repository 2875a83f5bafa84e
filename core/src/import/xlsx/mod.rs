//! Excel workbooks (ECMA-376, `.xlsx`): each sheet is a table, and becomes one of text that is read as CSV is.
//!
//! A cell is what was typed: a number with its digits, a date as ISO 8601, a formula its last result.
//!
//! | module | what it holds |
//! |---|---|
//! | `cells` | numbers and dates as text |
//! | `xml` | the parts of a workbook, element by element |

mod cells;
#[cfg(test)]
mod tests;
mod xml;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, OnceLock};

use super::archive::Archive;
use cells::Shown;
use xml::{Element, Parts};

/// The part that makes an archive a workbook.
const WORKBOOK: &str = "xl/workbook.xml";
/// Most rows and columns of a sheet, as Excel has them.
const MAX_ROWS: u32 = 1 << 20;
const MAX_COLUMNS: u32 = 1 << 14;

/// A workbook that is open.
#[derive(Debug)]
pub(super) struct Workbook {
    archive: Arc<Archive>,
    pub(super) sheets: Vec<Sheet>,
    /// How the cells of each style are shown.
    styles: Vec<Shown>,
    is_1904: bool,
    /// Texts that cells name by number.
    texts: OnceLock<Vec<Box<str>>>,
}

/// One sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    /// As its tab says.
    pub name: String,
    member: usize,
}

fn broken(message: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidData,
        format!("the workbook is damaged: {message}"),
    )
}

/// Whether an archive is a workbook.
pub(super) fn is_workbook(archive: &Archive) -> bool {
    archive.members.iter().any(|member| member.name == WORKBOOK)
}

fn member_of(archive: &Archive, name: &str) -> Option<usize> {
    archive
        .members
        .iter()
        .position(|member| member.name == name)
}

fn part(archive: &Arc<Archive>, index: usize) -> std::io::Result<Parts<impl Read + use<>>> {
    Ok(Parts::new(BufReader::new(archive.read(index)?)))
}

impl Workbook {
    /// Reads what is said of all sheets.
    ///
    /// # Errors
    /// The workbook is damaged.
    pub(super) fn open(archive: Arc<Archive>) -> std::io::Result<Workbook> {
        let index =
            member_of(&archive, WORKBOOK).ok_or_else(|| broken("it has no list of sheets"))?;
        let mut named: Vec<(String, String)> = Vec::new();
        let mut is_1904 = false;
        let mut parts = part(&archive, index)?;
        while let Some(element) = parts.next()? {
            match element {
                Element::Open { name, attributes } if name == "sheet" => {
                    named.push((attributes.of("name"), attributes.of("id")));
                }
                Element::Open { name, attributes } if name == "workbookPr" => {
                    is_1904 = matches!(&*attributes.of("date1904"), "1" | "true");
                }
                _ => {}
            }
        }
        let targets = targets(&archive)?;
        let sheets = named.into_iter().filter_map(|(name, id)| {
            let member = member_of(&archive, targets.get(&id)?)?;
            Some(Sheet { name, member })
        });
        let sheets = sheets.collect();
        let styles = match member_of(&archive, "xl/styles.xml") {
            Some(index) => styles(&mut part(&archive, index)?)?,
            None => Vec::new(),
        };
        Ok(Workbook {
            archive,
            sheets,
            styles,
            is_1904,
            texts: OnceLock::new(),
        })
    }

    fn texts(&self) -> std::io::Result<&[Box<str>]> {
        if let Some(texts) = self.texts.get() {
            return Ok(texts);
        }
        let texts = match member_of(&self.archive, "xl/sharedStrings.xml") {
            Some(index) => shared_texts(&mut part(&self.archive, index)?)?,
            None => Vec::new(),
        };
        Ok(self.texts.get_or_init(|| texts))
    }

    /// Writes a sheet as a table of text to a temporary file: every row as long as the longest, without the empty
    /// columns before the first.
    ///
    /// # Errors
    /// The workbook is damaged, or the file cannot be written.
    pub(super) fn table(&self, sheet: usize) -> std::io::Result<File> {
        let member = self.sheets.get(sheet).map(|sheet| sheet.member);
        let member = member.ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let mut bounds: Option<(u32, u32)> = None;
        self.cells(member, &mut |_, column, text| {
            if !text.is_empty() {
                let (first, last) = bounds.unwrap_or((column, column));
                bounds = Some((first.min(column), last.max(column)));
            }
            Ok(())
        })?;
        let mut out = BufWriter::new(tempfile::tempfile()?);
        if let Some((first, last)) = bounds {
            self.write_rows(member, first, last, &mut out)?;
        }
        let mut file = out
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    fn write_rows(
        &self,
        member: usize,
        first: u32,
        last: u32,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let mut row_at = 1;
        let mut row: Vec<String> = Vec::new();
        let end = |row: &mut Vec<String>, out: &mut dyn Write| {
            if row.iter().any(|cell| !cell.is_empty()) {
                row.resize((last - first + 1) as usize, String::new());
                write_row(row, out)?;
            } else {
                out.write_all(b"\n")?;
            }
            row.clear();
            Ok::<_, Error>(())
        };
        self.cells(member, &mut |at, column, text| {
            while row_at < at {
                end(&mut row, out)?;
                row_at += 1;
            }
            let Some(place) = column.checked_sub(first).filter(|_| column <= last) else {
                return Ok(());
            };
            let place = place as usize;
            if row.len() <= place {
                row.resize(place + 1, String::new());
            }
            row[place] = text;
            Ok(())
        })?;
        end(&mut row, out)
    }

    /// Calls `each` with row (first is 1), column (first is 0) and text of every cell that is written, in their order.
    fn cells(
        &self,
        member: usize,
        each: &mut dyn FnMut(u32, u32, String) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let texts = self.texts()?;
        let mut parts = part(&self.archive, member)?;
        let (mut row, mut column) = (0, 0);
        let mut cell: Option<Cell> = None;
        let (mut inside, mut text) = (false, String::new());
        while let Some(element) = parts.next()? {
            match element {
                Element::Open { name, attributes } => match &*name {
                    "row" => {
                        let said: Option<u32> = attributes.of("r").parse().ok();
                        let next = said.unwrap_or(row + 1);
                        if next <= row || next > MAX_ROWS {
                            return Err(broken(format!("row {next} follows row {row}")));
                        }
                        (row, column) = (next, 0);
                    }
                    "c" => {
                        column = column_of(&attributes.of("r")).unwrap_or(column);
                        if column >= MAX_COLUMNS {
                            return Err(broken(format!("a cell stands in column {column}")));
                        }
                        let style = attributes.of("s").parse().unwrap_or(0_usize);
                        cell = Some(Cell {
                            kind: attributes.of("t"),
                            shown: self.styles.get(style).copied().unwrap_or_default(),
                        });
                        text.clear();
                    }
                    "v" | "t" => inside = cell.is_some(),
                    "rPh" => parts.skip()?,
                    _ => {}
                },
                Element::Text(part) if inside => text.push_str(&part),
                Element::Text(_) => {}
                Element::Close(name) => match &*name {
                    "v" | "t" => inside = false,
                    "c" => {
                        if let Some(cell) = cell.take() {
                            let shown = cell.text(&text, texts, self.is_1904)?;
                            each(row.max(1), column, shown)?;
                        }
                        column += 1;
                    }
                    _ => {}
                },
            }
        }
        Ok(())
    }
}

/// A cell as its element says it.
struct Cell {
    kind: String,
    shown: Shown,
}

impl Cell {
    fn text(&self, value: &str, texts: &[Box<str>], is_1904: bool) -> std::io::Result<String> {
        Ok(match &*self.kind {
            "s" => {
                let text = value
                    .trim()
                    .parse()
                    .ok()
                    .and_then(|at: usize| texts.get(at));
                let text = text.ok_or_else(|| broken(format!("there is no text {value:?}")))?;
                text.to_string()
            }
            "b" => match value.trim() {
                "0" => "false".to_owned(),
                "1" => "true".to_owned(),
                other => other.to_owned(),
            },
            "str" | "inlineStr" => cells::unescaped(value),
            "e" | "d" => value.to_owned(),
            _ => match self.shown {
                Shown::Date => cells::date(value.trim(), false, is_1904),
                Shown::Clock => cells::date(value.trim(), true, is_1904),
                Shown::AsItIs => None,
            }
            .unwrap_or_else(|| cells::number(value.trim())),
        })
    }
}

/// Where the ids of sheets lead.
fn targets(archive: &Arc<Archive>) -> std::io::Result<HashMap<String, String>> {
    let index = member_of(archive, "xl/_rels/workbook.xml.rels");
    let index = index.ok_or_else(|| broken("nothing says where its sheets are"))?;
    let mut targets = HashMap::new();
    let mut parts = part(archive, index)?;
    while let Some(element) = parts.next()? {
        if let Element::Open { name, attributes } = element
            && name == "Relationship"
        {
            let target = attributes.of("Target");
            let target = match target.strip_prefix('/') {
                Some(whole) => whole.to_owned(),
                None => format!("xl/{target}"),
            };
            targets.insert(attributes.of("Id"), target);
        }
    }
    Ok(targets)
}

/// How cells of each style are shown.
fn styles(parts: &mut Parts<impl Read>) -> std::io::Result<Vec<Shown>> {
    let mut formats: HashMap<String, Shown> = HashMap::new();
    let mut styles = Vec::new();
    let mut in_cells = false;
    while let Some(element) = parts.next()? {
        match element {
            Element::Open { name, attributes } => match &*name {
                "numFmt" => {
                    let shown = cells::shown_by(&attributes.of("formatCode"));
                    formats.insert(attributes.of("numFmtId"), shown);
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells => {
                    let id = attributes.of("numFmtId");
                    let own = formats.get(&id).copied();
                    styles.push(own.unwrap_or_else(|| cells::shown_by_number(&id)));
                }
                _ => {}
            },
            Element::Close(name) if name == "cellXfs" => in_cells = false,
            Element::Close(_) | Element::Text(_) => {}
        }
    }
    Ok(styles)
}

fn shared_texts(parts: &mut Parts<impl Read>) -> std::io::Result<Vec<Box<str>>> {
    let mut texts = Vec::new();
    let (mut inside, mut text) = (false, String::new());
    while let Some(element) = parts.next()? {
        match element {
            Element::Open { name, .. } => match &*name {
                "si" => text.clear(),
                "t" => inside = true,
                // How a text is pronounced is no part of it.
                "rPh" => parts.skip()?,
                _ => {}
            },
            Element::Text(part) if inside => text.push_str(&part),
            Element::Text(_) => {}
            Element::Close(name) => match &*name {
                "t" => inside = false,
                "si" => texts.push(cells::unescaped(&text).into_boxed_str()),
                _ => {}
            },
        }
    }
    Ok(texts)
}

/// The column in a name such as `AB12`, first is 0.
fn column_of(name: &str) -> Option<u32> {
    let letters = name.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(4).fold(0, |number, letter| {
        number * 26 + u32::from(letter - b'A') + 1
    });
    number.checked_sub(1)
}

fn write_row(row: &[String], out: &mut dyn Write) -> std::io::Result<()> {
    for (at, cell) in row.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        let is_plain = cell
            .bytes()
            .all(|b| !matches!(b, b'"' | b',' | b'\n' | b'\r'))
            && cell.trim() == cell;
        if is_plain {
            out.write_all(cell.as_bytes())?;
        } else {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        }
    }
    out.write_all(b"\n")
}
