//! CSV: tables whose rows become events by a declared mapping, guessed where it says nothing.
//! `docs/import.md` and `docs/mapping.md` state the rules for users.
//!
//! | module | what it holds |
//! |---|---|
//! | `rows` | rows as they stand in the file |
//! | `guess` | what the columns are, by their names and their cells |
//! | `plan` | a row becomes a draft of an event, by the mapping |
//! | `native` | Annals' own CSV export, read back |

mod guess;
mod native;
mod plan;
mod rows;

use chrono_tz::Tz;

use super::ImportError;
use super::declared::{EventMapping, Mapping, Template};
use super::detect::{FileNames, Input};
use super::encoding::Encoding;
use super::mapping::{Draft, write_json_string, write_key};
use crate::time::parse_zone;

pub(super) use plan::{Plan, is_number};
pub(super) use rows::{Dialect, Next, Rows, texts};

/// Rows that a guess looks at.
const SAMPLE_ROWS: usize = 500;

/// What can stand between cells, the most usual first.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Longest part of a file that its delimiter is told from.
const SNIFF_BYTES: usize = 64 * 1024;

/// Tells whether text is a table, and how that was told.
pub(super) fn sniff(head: &[u8]) -> Option<String> {
    let head = &head[..head.len().min(SNIFF_BYTES)];
    let (delimiter, score) = best_delimiter(head)?;
    // Prose has commas too, but not the same number in every line.
    let is_table = score.share_percent >= if score.cells > 2 { 50 } else { 80 };
    is_table.then(|| {
        format!(
            "it is a table: its rows have {} cells with {} between them",
            score.cells,
            name_of(delimiter)
        )
    })
}

fn name_of(delimiter: u8) -> &'static str {
    match delimiter {
        b',' => "a comma",
        b';' => "a semicolon",
        b'\t' => "a tab",
        b'|' => "a bar",
        _ => "another character",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// Rows of a hundred that have the usual number of cells.
    share_percent: usize,
    /// The usual number of cells.
    cells: usize,
}

fn best_delimiter(head: &[u8]) -> Option<(u8, Score)> {
    let mut best: Option<(u8, Score)> = None;
    for delimiter in DELIMITERS {
        let dialect = Dialect {
            delimiter,
            terminator: terminator_of(head),
        };
        // Cells can be counted in any encoding that has ASCII in it.
        let mut counts: Vec<usize> = Vec::new();
        each_row(head, false, dialect, &mut |text, ends| {
            if !text.contains(&0) {
                counts.push(ends.len());
            }
            counts.len() < SAMPLE_ROWS
        });
        let rows = counts.len();
        // The first row names the columns, or is one as the others are.
        let Some(cells) = counts.first().copied().filter(|cells| *cells > 1) else {
            continue;
        };
        counts.retain(|count| *count == cells);
        let score = Score {
            share_percent: counts.len() * 100 / rows,
            cells,
        };
        if best.is_none_or(|(_, other)| score > other) {
            best = Some((delimiter, score));
        }
    }
    best
}

fn terminator_of(head: &[u8]) -> u8 {
    if !head.contains(&b'\n') && head.contains(&b'\r') {
        b'\r'
    } else {
        b'\n'
    }
}

/// The first rows that are well-formed and text, as texts. A last row that the head cuts off is none.
fn sample(head: &[u8], is_whole: bool, dialect: Dialect) -> Vec<Vec<String>> {
    let mut sample = Vec::new();
    each_row(head, is_whole, dialect, &mut |text, ends| {
        if let Ok(text) = std::str::from_utf8(text) {
            sample.push(texts(text, ends).into_iter().map(str::to_owned).collect());
        }
        sample.len() < SAMPLE_ROWS
    });
    sample
}

/// Calls `each` with the bytes of each well-formed row and the ends of its cells, until it returns `false`.
fn each_row(
    head: &[u8],
    is_whole: bool,
    dialect: Dialect,
    each: &mut dyn FnMut(&[u8], &[usize]) -> bool,
) {
    let names = FileNames::of_nothing();
    let end = match head.iter().rposition(|b| *b == dialect.terminator) {
        Some(last) if !is_whole => last + 1,
        _ => head.len(),
    };
    let mut reader = &head[..end];
    let mut rows = Rows::new(&mut reader, &names, dialect);
    loop {
        match rows.next() {
            Ok(Next::Row) => {
                let (text, ends) = rows.cells();
                if !each(text, ends) {
                    return;
                }
            }
            Ok(Next::Wrong | Next::TooLong) => {}
            // A quote that the head leaves open is no fault of the file.
            Ok(Next::End | Next::Unfinished) | Err(_) => return,
        }
    }
}

/// The first line that is not UTF-8. What the end of the head cuts off is no fault of it.
fn line_not_utf8(head: &[u8], terminator: u8) -> Option<usize> {
    let error = std::str::from_utf8(head).err()?;
    error.error_len()?;
    let before = &head[..error.valid_up_to()];
    Some(1 + before.iter().filter(|b| **b == terminator).count())
}

/// A table as its first rows show it, with everything decided that has to be before its rows are read.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub dialect: Dialect,
    pub has_header: bool,
    /// Names of the columns, each once.
    pub columns: Vec<String>,
    /// The first rows, without the header.
    pub sample: Vec<Vec<String>>,
    /// Its rows are events of a log of Annals, which need no mapping.
    is_native: bool,
    /// Says everything that decides about an event.
    mapping: Mapping,
    /// Why the guesses are what they are.
    pub guesses: Vec<String>,
    /// What has to be said before the file can be imported.
    pub problems: Vec<String>,
}

impl Table {
    /// Looks at an opened file. What `asked` says holds; the rest is guessed.
    pub(super) fn look(input: &Input<'_>, asked: Option<&Mapping>, zone: Tz) -> Table {
        let nothing = Mapping::default();
        let asked = asked.unwrap_or(&nothing);
        let terminator = terminator_of(&input.head);
        let head = &input.head[..input.head.len().min(SNIFF_BYTES)];
        let said = asked.delimiter.as_ref().and_then(|d| d.bytes().next());
        let delimiter = said
            .or_else(|| best_delimiter(head).map(|(delimiter, _)| delimiter))
            .unwrap_or(b',');
        let dialect = Dialect {
            delimiter,
            terminator,
        };
        let mut sample = sample(&input.head, input.is_whole, dialect);
        let has_header = asked.header.unwrap_or_else(|| guess::has_header(&sample));
        let width = sample.first().map_or(0, Vec::len);
        let columns = if has_header && !sample.is_empty() {
            unique(sample.remove(0))
        } else {
            (1..=width).map(|n| format!("column_{n}")).collect()
        };
        sample.retain(|row| row.len() == width);
        let is_native = has_header && native::is_native(&columns) && asked == &Mapping::default();
        let guess = guess::guess(&columns, &sample, asked, zone);
        let mut mapping = asked.or(&guess.mapping);
        mapping.encoding = Some(input.encoding);
        mapping.delimiter = Some(char::from(delimiter).to_string());
        mapping.header = Some(has_header);
        mapping.zone = Some(asked.zone.clone().unwrap_or_else(|| zone.to_string()));
        let mut table = Table {
            dialect,
            has_header,
            columns,
            sample,
            is_native,
            mapping,
            guesses: guess.why,
            problems: guess.problems,
        };
        if is_native {
            table.guesses =
                vec!["it is an export of Annals: its events come back as they were".into()];
            table.problems.clear();
        } else {
            table.find_problems(input);
            table.tell_encoding(input, asked);
        }
        table
    }

    /// How its rows become events; `None` where that needs no mapping.
    pub(super) fn mapping(&self) -> Option<&Mapping> {
        (!self.is_native).then_some(&self.mapping)
    }

    /// Maps one row.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence for the user.
    pub(super) fn map<'a>(
        &self,
        plan: &'a Plan,
        text: &'a [u8],
        ends: &[usize],
        stem: &'a str,
    ) -> Result<Draft<'a>, String> {
        if !self.is_native {
            return plan.map(text, ends, stem);
        }
        if ends.len() != self.columns.len() {
            return Err(plan::ragged(ends.len(), self.columns.len()));
        }
        native::map(std::str::from_utf8(text).map_err(|e| e.to_string())?, ends)
    }

    /// A row as a JSON object: its cells as texts, JSON in them as what it is. An empty cell is left out.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence for the user.
    pub(super) fn record(&self, text: &[u8], ends: &[usize]) -> Result<String, String> {
        if ends.len() != self.columns.len() {
            return Err(plan::ragged(ends.len(), self.columns.len()));
        }
        let text = std::str::from_utf8(text).map_err(|_| {
            "not UTF-8; if the file is in Windows-1252 or Latin-1, say so (--encoding windows-1252)"
        })?;
        let mut out = String::with_capacity(text.len() * 2);
        let cells = texts(text, ends);
        for (column, cell) in self
            .columns
            .iter()
            .zip(cells)
            .filter(|(_, c)| !c.is_empty())
        {
            write_key(&mut out, column);
            write_json_string(&mut out, cell);
        }
        Ok(format!("{{{out}}}"))
    }

    /// Where bytes that are no text keep the table from being understood, that is what has to be settled first.
    fn tell_encoding(&mut self, input: &Input<'_>, asked: &Mapping) {
        if asked.encoding.is_some() || input.encoding != Encoding::Utf8 {
            return;
        }
        let Some(line) = line_not_utf8(&input.head, self.dialect.terminator) else {
            return;
        };
        let names_are_lost = line == 1 && asked.header != Some(false);
        if names_are_lost || self.columns.is_empty() {
            // Whatever else is said is said of a row that is not the header.
            self.problems.clear();
        } else if self.problems.is_empty() {
            return;
        }
        self.problems.insert(
            0,
            format!(
                "line {line} is not UTF-8; if the file is in Windows-1252 or Latin-1, say so (--encoding windows-1252)"
            ),
        );
    }

    fn find_problems(&mut self, input: &Input<'_>) {
        if self.columns.is_empty() && !input.head.trim_ascii().is_empty() {
            self.problems.push(
                "the first row is longer than 256 KiB or its quotes are wrong, so its columns are unknown; say how it is written in a mapping (--map)"
                    .into(),
            );
            return;
        }
        let listed = self
            .mapping
            .columns
            .iter()
            .map(|c| ("columns", c.name.clone()));
        let mut named: Vec<(&str, String)> = listed.collect();
        for (place, template) in self.mapping.event.places() {
            let template = template.as_deref().unwrap_or_default();
            match Template::choices(template) {
                Ok(choices) => named.extend(
                    choices
                        .iter()
                        .flat_map(Template::columns)
                        .map(|c| (place, c.to_owned())),
                ),
                Err(message) => self.problems.push(format!("{place}: {message}")),
            }
        }
        for (place, name) in named {
            if !self.columns.contains(&name) {
                self.problems.push(format!(
                    "{place}: the mapping names the column {name:?}, which {} does not have; its columns are {}",
                    input.names.source,
                    quoted(&self.columns)
                ));
            }
        }
        let EventMapping {
            event_type, time, ..
        } = &self.mapping.event;
        let is_empty =
            |template: &Option<String>| template.as_deref().unwrap_or_default().is_empty();
        if is_empty(event_type) && is_empty(time) && !self.columns.is_empty() {
            self.problems.push(format!(
                "this table is no log of events: no column tells what happened or when (its columns are {}). To import its rows all the same, say in a mapping what each of them is, for example type = \"RowImported\" under [event]; annals import --explain {} --save-map map.toml writes one to begin with",
                quoted(&self.columns),
                input.names.source
            ));
        }
    }

    /// The plan by which rows become events.
    ///
    /// # Errors
    /// [`ImportError::Malformed`] with the first problem.
    pub(super) fn plan(&self, names: &FileNames) -> Result<Plan, ImportError> {
        if let Some(problem) = self.problems.first() {
            return Err(names.malformed(1, problem));
        }
        Plan::new(&self.mapping, &self.columns).map_err(|message| names.malformed(1, message))
    }
}

impl Mapping {
    /// The zone that it names.
    pub(super) fn zone(&self) -> Option<Tz> {
        parse_zone(self.zone.as_deref()?).ok()
    }
}

/// Names of columns for a sentence, the first of them.
fn quoted(columns: &[String]) -> String {
    const SHOWN: usize = 20;
    let names: Vec<String> = columns
        .iter()
        .take(SHOWN)
        .map(|c| format!("{c:?}"))
        .collect();
    let more = match columns.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", names.join(", "))
}

/// Gives columns that have no name, or the name of one before, a name of their own.
fn unique(header: Vec<String>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::with_capacity(header.len());
    let taken: std::collections::HashSet<String> =
        header.iter().map(|h| h.trim().to_owned()).collect();
    let mut used = std::collections::HashSet::new();
    for (i, name) in header.iter().enumerate() {
        let name = name.trim();
        let base = if name.is_empty() {
            format!("column_{}", i + 1)
        } else {
            name.to_owned()
        };
        let mut own = base.clone();
        let mut n = 2;
        while used.contains(&own) || (own != name && taken.contains(&own)) {
            own = format!("{base}_{n}");
            n += 1;
        }
        used.insert(own.clone());
        columns.push(own);
    }
    columns
}

#[cfg(test)]
mod tests;
