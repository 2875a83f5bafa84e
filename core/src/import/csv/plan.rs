//! A row becomes a draft of an event, by the mapping.

use std::borrow::Cow;

use chrono_tz::Tz;

use crate::import::MAX_DEPTH;
use crate::import::declared::clock::Clock;
use crate::import::declared::{ColumnKind, ColumnMapping, ColumnTarget, Mapping, Part, Template};
use crate::import::mapping::{Draft, write_json_string};
use crate::import::shape::shape_of;

/// A mapping made ready for the rows of one table.
#[derive(Debug)]
pub(in crate::import) struct Plan {
    columns: Vec<Column>,
    stream: Filled,
    category: Filled,
    event_type: Filled,
    time: Filled,
    id: Filled,
    version: Filled,
    /// Members of the metadata that are places of the event.
    context: Vec<(&'static str, Filled)>,
    clock: Clock,
    zone: Tz,
    null: Vec<String>,
    decimal_comma: bool,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Its name as the key of a JSON object, colon included.
    key: String,
    into: ColumnTarget,
    kind: ColumnKind,
}

/// Templates whose columns were found; the first that is filled counts.
#[derive(Debug, Default)]
struct Filled(Vec<Vec<Piece>>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Cell(usize),
}

impl Plan {
    /// # Errors
    /// What is wrong with the mapping, in a sentence for the user.
    pub(super) fn new(mapping: &Mapping, columns: &[String]) -> Result<Plan, String> {
        let Mapping {
            encoding: _,
            delimiter: _,
            header: _,
            decimal_comma,
            null,
            zone: _,
            time_format,
            records: _,
            types: _,
            event,
            reshape: _,
            change: _,
            inside: _,
            columns: listed,
        } = mapping;
        let filled = |template: &Option<String>| {
            let choices = Template::choices(template.as_deref().unwrap_or_default())?;
            let pieces = |template: Template| {
                let pieces = template.parts.into_iter().map(|part| match part {
                    Part::Text(text) => Ok(Piece::Text(text)),
                    Part::Column(name) => match columns.iter().position(|c| *c == name) {
                        Some(index) => Ok(Piece::Cell(index)),
                        None => Err(format!("there is no column {name:?}")),
                    },
                });
                pieces.collect::<Result<Vec<_>, String>>()
            };
            let choices = choices.into_iter().map(pieces);
            choices.collect::<Result<Vec<_>, String>>().map(Filled)
        };
        let mut context = Vec::new();
        for (key, template) in [
            ("actor", &event.actor),
            ("correlationId", &event.correlation),
            ("causationId", &event.causation),
            ("reason", &event.reason),
        ] {
            let filled = filled(template)?;
            if !filled.0.is_empty() {
                context.push((key, filled));
            }
        }
        for column in listed {
            if column.into == ColumnTarget::Metadata
                && context.iter().any(|(key, _)| *key == column.name)
            {
                return Err(format!(
                    "the column {0:?} goes into the metadata under the name that a place of the event has there; keep it in the data, or in nothing but that place",
                    column.name
                ));
            }
        }
        Ok(Plan {
            columns: columns
                .iter()
                .map(|name| {
                    let listed = listed.iter().find(|c| c.name == *name);
                    let mut key = String::new();
                    write_json_string(&mut key, name);
                    key.push(':');
                    Column {
                        name: name.clone(),
                        key,
                        into: listed.map_or(ColumnTarget::Data, |c: &ColumnMapping| c.into),
                        kind: listed.map_or(ColumnKind::Text, |c| c.kind),
                    }
                })
                .collect(),
            stream: filled(&event.stream)?,
            category: filled(&event.category)?,
            event_type: filled(&event.event_type)?,
            time: filled(&event.time)?,
            id: filled(&event.id)?,
            version: filled(&event.version)?,
            context,
            clock: Clock::parse(time_format.as_deref().unwrap_or_default())?,
            zone: mapping.zone().unwrap_or(Tz::UTC),
            null: null.clone().unwrap_or_else(|| vec![String::new()]),
            decimal_comma: decimal_comma.unwrap_or(false),
        })
    }

    /// Zone of times that name none.
    pub(in crate::import) fn zone(&self) -> Tz {
        self.zone
    }

    /// Maps one row.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence for the user.
    pub(in crate::import) fn map<'a>(
        &'a self,
        text: &'a [u8],
        ends: &[usize],
        stem: &'a str,
    ) -> Result<Draft<'a>, String> {
        if let Some(at) = text.iter().position(|b| *b == 0) {
            let cell = ends.iter().position(|end| at < *end).unwrap_or_default();
            return Err(format!("a NUL byte in {}", self.called(cell)));
        }
        let text = std::str::from_utf8(text).map_err(|e| {
            let cell = ends.iter().position(|end| e.valid_up_to() < *end);
            format!(
                "not UTF-8 in {}; if the file is in Windows-1252 or Latin-1, say so (--encoding windows-1252)",
                self.called(cell.unwrap_or_default())
            )
        })?;
        if ends.len() != self.columns.len() {
            return Err(ragged(ends.len(), self.columns.len()));
        }
        let cell = |index: usize| {
            let start = if index == 0 { 0 } else { ends[index - 1] };
            &text[start..ends[index]]
        };
        let cells = Cells {
            cell: &cell,
            null: &self.null,
        };
        let stream = match self.stream.0.is_empty() {
            true => Cow::Borrowed(stem),
            false => cells
                .filled(&self.stream)
                .ok_or("the cell that names the stream is empty")?,
        };
        let time = match cells.joined(&self.time) {
            None => None,
            Some(written) => {
                let time = self.clock.time_of(&written, self.zone);
                Some(time.map_err(|e| format!("time: {e}"))?)
            }
        };
        let mut data = String::with_capacity(text.len() * 2);
        let mut metadata = String::new();
        for (key, template) in &self.context {
            if let Some(value) = cells.filled(template) {
                metadata.push(if metadata.is_empty() { '{' } else { ',' });
                write_json_string(&mut metadata, key);
                metadata.push(':');
                write_json_string(&mut metadata, &value);
            }
        }
        let mut repeated_key = None;
        let mut kind_differs = Vec::new();
        data.push('{');
        for (index, column) in self.columns.iter().enumerate() {
            let out = match column.into {
                ColumnTarget::None => continue,
                ColumnTarget::Data => &mut data,
                ColumnTarget::Metadata => &mut metadata,
            };
            let value = cell(index);
            let is_null = cells.is_null(value);
            if is_null && value.is_empty() {
                continue;
            }
            if out.is_empty() {
                out.push('{');
            } else if !out.ends_with('{') || out.len() > 1 {
                out.push(',');
            }
            out.push_str(&column.key);
            if is_null {
                out.push_str("null");
            } else if !self.write_value(out, column.kind, value, &mut repeated_key)? {
                kind_differs.push(index);
            }
        }
        data.push('}');
        if !metadata.is_empty() {
            metadata.push('}');
        }
        Ok(Draft {
            stream,
            category: cells.filled(&self.category),
            event_type: cells.filled(&self.event_type),
            time,
            id: cells.filled(&self.id),
            source_version: cells.filled(&self.version),
            data: Cow::Owned(data),
            metadata: (!metadata.is_empty()).then_some(Cow::Owned(metadata)),
            repeated_key,
            kind_differs,
            ..Draft::default()
        })
    }

    fn called(&self, cell: usize) -> String {
        match self.columns.get(cell) {
            Some(column) => format!("the cell of {:?}", column.name),
            None => format!("cell {}", cell + 1),
        }
    }

    /// What is to be said of cells that are not of their column's kind; `example` is the first of them.
    pub(in crate::import) fn told_kind(&self, column: usize, example: &str) -> String {
        let Column { name, kind, .. } = &self.columns[column];
        let (kind, why) = match kind {
            ColumnKind::Number if self.decimal_comma => {
                ("a number", "no number with a decimal comma")
            }
            ColumnKind::Number => ("a number", "no number as JSON writes them"),
            ColumnKind::Boolean => ("a boolean", "neither true nor false"),
            ColumnKind::Json => ("JSON", "no JSON"),
            ColumnKind::Text => ("text", "no text"),
        };
        format!(
            "the column {name:?} was taken to be {kind}; {example:?} is {why} and stays text. Say what the column is, or name what stands for no value (`null`), in the mapping"
        )
    }

    /// Writes a cell; says whether it is of the kind, else it is written as text.
    fn write_value(
        &self,
        out: &mut String,
        kind: ColumnKind,
        value: &str,
        repeated_key: &mut Option<String>,
    ) -> Result<bool, String> {
        match kind {
            ColumnKind::Number if is_number(value) && !self.decimal_comma => out.push_str(value),
            ColumnKind::Number if self.decimal_comma => match comma_number(value) {
                Some(number) => out.push_str(&number),
                None => {
                    write_json_string(out, value);
                    return Ok(false);
                }
            },
            ColumnKind::Boolean if matches!(value, "true" | "false") => out.push_str(value),
            ColumnKind::Json if is_json(value) => {
                let shape = shape_of(value);
                // The row itself is an object around it.
                if shape.depth >= MAX_DEPTH {
                    return Err(format!(
                        "nested {} deep; at most {MAX_DEPTH} is taken",
                        shape.depth + 1
                    ));
                }
                if repeated_key.is_none() {
                    *repeated_key = shape.repeated_key;
                }
                out.push_str(value.trim());
            }
            ColumnKind::Text | ColumnKind::Number | ColumnKind::Boolean | ColumnKind::Json => {
                write_json_string(out, value);
                return Ok(kind == ColumnKind::Text);
            }
        }
        Ok(true)
    }
}

/// What is wrong with a row of another number of cells.
pub(super) fn ragged(cells: usize, columns: usize) -> String {
    let has = if cells == 1 {
        "1 cell".to_owned()
    } else {
        format!("{cells} cells")
    };
    format!("the row has {has} where there are {columns} columns")
}

/// The cells of one row.
struct Cells<'c, 'a> {
    cell: &'c dyn Fn(usize) -> &'a str,
    null: &'a [String],
}

impl<'a> Cells<'_, 'a> {
    fn is_null(&self, cell: &str) -> bool {
        self.null.iter().any(|null| null == cell)
    }

    /// The text of a template; `None` where it is empty or one of its cells holds no value.
    fn filled(&self, choices: &'a Filled) -> Option<Cow<'a, str>> {
        choices.0.iter().find_map(|pieces| self.filled_one(pieces))
    }

    fn filled_one(&self, pieces: &'a [Piece]) -> Option<Cow<'a, str>> {
        match pieces {
            [] => None,
            [Piece::Text(text)] => Some(Cow::Borrowed(text)),
            [Piece::Cell(index)] => {
                let cell = (self.cell)(*index);
                (!self.is_null(cell) && !cell.is_empty()).then_some(Cow::Borrowed(cell))
            }
            pieces => {
                let mut out = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => out.push_str(text),
                        Piece::Cell(index) => {
                            let cell = (self.cell)(*index);
                            if self.is_null(cell) || cell.is_empty() {
                                return None;
                            }
                            out.push_str(cell);
                        }
                    }
                }
                Some(Cow::Owned(out))
            }
        }
    }

    /// The text of a template of times, where a cell may be empty (a day without a clock).
    fn joined(&self, choices: &'a Filled) -> Option<Cow<'a, str>> {
        choices.0.iter().find_map(|pieces| self.joined_one(pieces))
    }

    fn joined_one(&self, pieces: &'a [Piece]) -> Option<Cow<'a, str>> {
        if pieces.len() < 2 {
            return self.filled_one(pieces);
        }
        let mut out = String::new();
        let mut any = false;
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Cell(index) => {
                    let cell = (self.cell)(*index);
                    if !self.is_null(cell) && !cell.is_empty() {
                        any = true;
                        out.push_str(cell);
                    }
                }
            }
        }
        any.then(|| Cow::Owned(out.trim().to_owned()))
    }
}

/// Whether the text is a number of JSON, digit for digit.
pub(in crate::import) fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && bytes[at] == b'0') {
        return false;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return false;
        }
        at += 1 + fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        let exponent = digits(at.min(bytes.len()));
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == bytes.len()
}

/// A number with a decimal comma, and points between thousands, as a number of JSON with the same digits.
pub(super) fn comma_number(text: &str) -> Option<String> {
    let (whole, fraction) = match text.split_once(',') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let (sign, whole) = match whole.strip_prefix('-') {
        Some(whole) => ("-", whole),
        None => ("", whole),
    };
    let mut groups = whole.split('.');
    let first = groups.next().unwrap_or_default();
    let grouped: Vec<&str> = groups.collect();
    if !grouped.is_empty() && (first.len() > 3 || grouped.iter().any(|group| group.len() != 3)) {
        return None;
    }
    let mut number = format!("{sign}{first}{}", grouped.concat());
    if let Some(fraction) = fraction {
        number.push('.');
        number.push_str(fraction);
    }
    let plain = !number.contains(['e', 'E']);
    (plain && is_number(&number)).then_some(number)
}

pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json_and_keep_their_digits() {
        for yes in [
            "0",
            "-0",
            "7",
            "-12.50",
            "1e5",
            "1E-7",
            "123456789012345678901234567890.5",
        ] {
            assert!(is_number(yes), "{yes}");
            assert!(is_json(yes), "{yes}");
        }
        for no in [
            "", "-", "007", "+1", "1.", ".5", "1e", "1e+", "1,5", " 1", "0x1", "NaN", "1_000", "١",
        ] {
            assert!(!is_number(no), "{no}");
        }
    }

    #[test]
    fn decimal_commas_become_points() {
        for (text, want) in [
            ("1234,56", Some("1234.56")),
            ("-1.234.567,8900", Some("-1234567.8900")),
            ("1.234", Some("1234")),
            ("7", Some("7")),
            ("0,5", Some("0.5")),
            (
                "123.456.789.012.345.678,00000000000001",
                Some("123456789012345678.00000000000001"),
            ),
            ("1.23", None),
            ("12345.678,9", None),
            ("1,2,3", None),
            ("01,5", None),
            ("1,", None),
            (",5", None),
            ("1,5e3", None),
        ] {
            assert_eq!(comma_number(text).as_deref(), want, "{text}");
        }
    }
}
