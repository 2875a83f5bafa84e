//! Rows of a table as they stand in the file: RFC 4180, and what is written besides it.
//!
//! A row that is not well-formed never shifts the ones after it: where text follows a closing quote, only the
//! line that opened the quote is given up, and reading goes on with the line after it.

use std::io::{BufRead, Read};

use crate::import::detect::FileNames;
use crate::import::{ImportError, MAX_RECORD_BYTES};

/// Most bytes of a row of several lines that are read again by line where its quotes turn out wrong.
const MAX_REREAD_BYTES: usize = 1 << 20;

/// What stands between cells and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) struct Dialect {
    pub delimiter: u8,
    /// The last byte of a line: a line feed, or a carriage return where the file has no line feeds.
    pub terminator: u8,
}

/// The next row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Next {
    /// Its cells are [`Rows::cell`].
    Row,
    /// Its quotes are wrong, as [`Rows::fault`] says.
    Wrong,
    /// It is longer than [`MAX_RECORD_BYTES`]; [`Rows::raw`] is its beginning.
    TooLong,
    /// The last line, without an end of line, in the middle of a quoted cell: more is still to come.
    Unfinished,
    End,
}

/// Reads rows one after the other.
pub(in crate::import) struct Rows<'r> {
    reader: &'r mut dyn BufRead,
    names: &'r FileNames,
    dialect: Dialect,
    /// The row, and lines behind it that are to be read again.
    raw: Vec<u8>,
    /// Bytes of the row.
    used: usize,
    /// Line where the row begins, and number of its lines.
    line: u64,
    lines: u64,
    /// Cells without their quotes, one after the other.
    text: Vec<u8>,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
    fault: String,
}

/// Where in a row the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    AfterQuote,
}

impl<'r> Rows<'r> {
    pub(in crate::import) fn new(
        reader: &'r mut dyn BufRead,
        names: &'r FileNames,
        dialect: Dialect,
    ) -> Rows<'r> {
        Rows {
            reader,
            names,
            dialect,
            raw: Vec::new(),
            used: 0,
            line: 1,
            lines: 0,
            text: Vec::new(),
            ends: Vec::new(),
            fault: String::new(),
        }
    }

    /// Line where the row begins.
    pub(in crate::import) fn line(&self) -> u64 {
        self.line
    }

    /// The row as it stands in the file, without its end of line.
    pub(in crate::import) fn raw(&self) -> &[u8] {
        &self.raw[..content_len(&self.raw[..self.used], self.dialect.terminator)]
    }

    /// Whether the row has an end of line; only the last one of a file can have none.
    pub(in crate::import) fn is_ended(&self) -> bool {
        self.raw[..self.used].last() == Some(&self.dialect.terminator)
    }

    /// Cells one after the other, and where each ends.
    pub(in crate::import) fn cells(&self) -> (&[u8], &[usize]) {
        (&self.text, &self.ends)
    }

    /// What is wrong with the row.
    pub(in crate::import) fn fault(&self) -> &str {
        &self.fault
    }

    /// Reads on to the next row that is not blank.
    ///
    /// # Errors
    /// [`ImportError::Malformed`] where a quote is never closed, with the line where it was opened.
    pub(in crate::import) fn next(&mut self) -> Result<Next, ImportError> {
        loop {
            if self.raw.capacity() > MAX_REREAD_BYTES && self.used == self.raw.len() {
                // A buffer grown by one giant is not kept for all the others.
                self.raw = Vec::new();
            } else {
                self.raw.drain(..self.used);
            }
            self.used = 0;
            self.line += self.lines;
            self.lines = 0;
            if !self.more()? {
                return Ok(Next::End);
            }
            let next = self.parse()?;
            let blank =
                next == Next::Row && self.ends.len() == 1 && self.raw().trim_ascii().is_empty();
            if !blank {
                return Ok(next);
            }
        }
    }

    /// Takes one more line into the row; `false` at the end of the file.
    fn more(&mut self) -> Result<bool, ImportError> {
        let waiting = &self.raw[self.used..];
        if let Some(at) = waiting.iter().position(|b| *b == self.dialect.terminator) {
            self.used += at + 1;
            self.lines += 1;
            return Ok(true);
        }
        let before = self.raw.len();
        let room = (MAX_RECORD_BYTES + 1).saturating_sub(before);
        let line = self.line + self.lines;
        (&mut *self.reader)
            .take(room as u64)
            .read_until(self.dialect.terminator, &mut self.raw)
            .map_err(|e| self.names.unreadable(line, e))?;
        if self.raw.len() == self.used {
            return Ok(false);
        }
        self.used = self.raw.len();
        self.lines += 1;
        Ok(true)
    }

    fn parse(&mut self) -> Result<Next, ImportError> {
        self.text.clear();
        self.ends.clear();
        let Dialect {
            delimiter,
            terminator,
        } = self.dialect;
        let mut place = Place::CellStart;
        let mut at = 0;
        // Line and number of the cell whose quote is open.
        let mut opened = (self.line, 1);
        loop {
            if place != Place::CellStart
                && self.used > MAX_RECORD_BYTES
                && self.raw[self.used - 1] != terminator
            {
                if place == Place::Quoted {
                    let message = format!(
                        "the quote that opens here, in cell {}, is not closed within {} MiB; close it, or double it where it is part of the text",
                        opened.1,
                        MAX_RECORD_BYTES >> 20
                    );
                    return Err(self.names.malformed(opened.0, message));
                }
                self.skip_line()?;
                return Ok(Next::TooLong);
            }
            let end = content_len(&self.raw[..self.used], terminator);
            match place {
                Place::CellStart if self.raw.get(at) == Some(&b'"') && at < end => {
                    opened = (self.line + self.lines - 1, self.ends.len() + 1);
                    place = Place::Quoted;
                    at += 1;
                }
                Place::CellStart => place = Place::Plain,
                Place::Plain => {
                    let rest = &self.raw[at..end];
                    let len = rest.iter().position(|b| *b == delimiter);
                    self.text
                        .extend_from_slice(&rest[..len.unwrap_or(rest.len())]);
                    self.ends.push(self.text.len());
                    match len {
                        Some(len) => at += len + 1,
                        None => return Ok(Next::Row),
                    }
                    place = Place::CellStart;
                }
                Place::Quoted => {
                    let rest = &self.raw[at..self.used];
                    match rest.iter().position(|b| *b == b'"') {
                        Some(len) => {
                            self.text.extend_from_slice(&rest[..len]);
                            at += len + 1;
                            if self.raw[..self.used].get(at) == Some(&b'"') {
                                self.text.push(b'"');
                                at += 1;
                            } else {
                                place = Place::AfterQuote;
                            }
                        }
                        None => {
                            self.text.extend_from_slice(rest);
                            at = self.used;
                            let is_last_line = self.lines == 1 && !self.is_ended();
                            if !self.more()? && is_last_line {
                                return Ok(Next::Unfinished);
                            }
                            if at == self.used {
                                let message = format!(
                                    "the quote that opens here, in cell {}, is never closed; close it, or double it where it is part of the text",
                                    opened.1
                                );
                                return Err(self.names.malformed(opened.0, message));
                            }
                        }
                    }
                }
                Place::AfterQuote => {
                    while at < end
                        && matches!(self.raw[at], b' ' | b'\t')
                        && self.raw[at] != delimiter
                    {
                        at += 1;
                    }
                    if at < end && self.raw[at] != delimiter {
                        self.give_up(opened);
                        return Ok(Next::Wrong);
                    }
                    self.ends.push(self.text.len());
                    if at >= end {
                        return Ok(Next::Row);
                    }
                    at += 1;
                    place = Place::CellStart;
                }
            }
        }
    }

    /// Gives the row up: of several lines only the first, so that the others are read by themselves.
    fn give_up(&mut self, opened: (u64, usize)) {
        let closed = self.line + self.lines - 1;
        self.fault = if closed == opened.0 {
            format!(
                "text follows the closing quote of cell {}; a quote in quoted text is written twice",
                opened.1
            )
        } else {
            format!(
                "the quote of cell {} is not closed on line {}, and on line {closed} text follows one that would close it; a quote in quoted text is written twice",
                opened.1, opened.0
            )
        };
        let first = self.raw.iter().position(|b| *b == self.dialect.terminator);
        if let Some(first) = first
            && self.lines > 1
            && self.used <= MAX_REREAD_BYTES
        {
            self.used = first + 1;
            self.lines = 1;
        }
    }

    fn skip_line(&mut self) -> Result<(), ImportError> {
        let mut rest = Vec::new();
        loop {
            rest.clear();
            let line = self.line;
            let read = (&mut *self.reader)
                .take(1 << 20)
                .read_until(self.dialect.terminator, &mut rest)
                .map_err(|e| self.names.unreadable(line, e))?;
            if read == 0 || rest.last() == Some(&self.dialect.terminator) {
                return Ok(());
            }
        }
    }
}

/// Length of a line without its end.
fn content_len(line: &[u8], terminator: u8) -> usize {
    match line {
        [.., b'\r', b'\n'] if terminator == b'\n' => line.len() - 2,
        [.., last] if *last == terminator => line.len() - 1,
        _ => line.len(),
    }
}

/// Splits cells into texts.
pub(in crate::import) fn texts<'t>(text: &'t str, ends: &[usize]) -> Vec<&'t str> {
    let mut start = 0;
    ends.iter()
        .map(|end| {
            let cell = text.get(start..*end).unwrap_or_default();
            start = *end;
            cell
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tests::names;

    const COMMA: Dialect = Dialect {
        delimiter: b',',
        terminator: b'\n',
    };

    /// Every row as `line: cell|cell`, or what is wrong with it; `!` before an error of the file.
    fn read(text: &str) -> Vec<String> {
        let names = names();
        let mut reader = text.as_bytes();
        let mut rows = Rows::new(&mut reader, &names, COMMA);
        let mut got = Vec::new();
        loop {
            match rows.next() {
                Ok(Next::Row) => {
                    let (text, ends) = rows.cells();
                    let cells = texts(std::str::from_utf8(text).unwrap(), ends);
                    got.push(format!("{}: {}", rows.line(), cells.join("|")));
                }
                Ok(Next::Wrong) => got.push(format!("{}! {}", rows.line(), rows.fault())),
                Ok(Next::TooLong) => got.push(format!("{}: too long", rows.line())),
                Ok(Next::Unfinished) => got.push(format!("{}: unfinished", rows.line())),
                Ok(Next::End) => return got,
                Err(error) => {
                    got.push(format!("! {error}"));
                    return got;
                }
            }
        }
    }

    #[test]
    fn cells_are_taken_as_they_stand() {
        assert_eq!(
            read(
                "a,b,c\r\n1,\"x, \"\"y\"\"\",\n\n \"\"\n,,\n\"two\nlines\",5\" pipe, z \nlast,\"q\" ,"
            ),
            [
                "1: a|b|c",
                "2: 1|x, \"y\"|",
                "4:  \"\"",
                "5: ||",
                "6: two\nlines|5\" pipe| z ",
                "8: last|q|",
            ]
        );
        assert_eq!(read(""), Vec::<String>::new());
        assert_eq!(read("\n\r\n"), Vec::<String>::new());
        assert_eq!(read("\"\""), ["1: "]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_with_its_line() {
        let got = read("a,b\n1,2\n3,\"open\n5,6\n");
        assert_eq!(got[..2], ["1: a|b", "2: 1|2"]);
        assert!(
            got[2].starts_with(
                "! dir/test.jsonl:3: the quote that opens here, in cell 2, is never closed"
            ),
            "{got:?}"
        );
    }

    #[test]
    fn a_quote_that_is_open_where_the_last_line_breaks_off_is_still_being_written() {
        assert_eq!(
            read("a,b\n1,\"2\"\n3,\"op"),
            ["1: a|b", "2: 1|2", "3: unfinished"]
        );
        let got = read("a,b\n3,\"op\n4,5");
        assert!(got[1].contains(":2: the quote that opens here"), "{got:?}");
    }

    #[test]
    fn a_quote_left_open_costs_its_own_line_and_no_other() {
        let got = read("a,\"b\n1,\"2\"\n3,4\nx,\"y\"z\n5,6\n");
        assert!(
            got[0].starts_with("1! the quote of cell 2 is not closed on line 1"),
            "{got:?}"
        );
        assert_eq!(got[1..3], ["2: 1|2", "3: 3|4"]);
        assert!(
            got[3].starts_with("4! text follows the closing quote of cell 2"),
            "{got:?}"
        );
        assert_eq!(got[4], "5: 5|6");
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_one_read() {
        let long = format!("{}\nnext,1\n", "x,".repeat(MAX_RECORD_BYTES / 2 + 10));
        assert_eq!(read(&long), ["1: too long", "2: next|1"]);
        let open = format!("a\n\"{}\n", "x".repeat(MAX_RECORD_BYTES + 10));
        assert!(
            read(&open)[1]
                .contains(":2: the quote that opens here, in cell 1, is not closed within 64 MiB")
        );
    }

    proptest::proptest! {
        #[test]
        fn cells_come_back_from_what_a_csv_writer_writes(
            rows in proptest::collection::vec(proptest::collection::vec("[a-c,\"\n\r; é]*", 2..5), 0..6)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let names = names();
            let mut reader = text.as_bytes();
            let mut read = Rows::new(&mut reader, &names, COMMA);
            for row in &rows {
                proptest::prop_assert_eq!(read.next().unwrap(), Next::Row);
                let (text, ends) = read.cells();
                proptest::prop_assert_eq!(texts(std::str::from_utf8(text).unwrap(), ends), row.clone());
            }
            proptest::prop_assert_eq!(read.next().unwrap(), Next::End);
        }

        #[test]
        fn any_text_is_survived(text in "[a,\"\n\r]{0,60}") {
            read(&text);
        }
    }
}
