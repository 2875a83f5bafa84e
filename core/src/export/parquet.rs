//! Apache Parquet: one event a row, the columns of the CSV, and the time once more as microseconds since 1970.
//!
//! Uncompressed, in row groups of some 16 MiB, so that memory stays bounded.

use std::fs::File;
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::csv::{CSV_COLUMNS, row};
use super::{Events, ExportError, Form, Taken, notes};
use crate::event::Event;
use crate::store::{LinkView, Log};

/// Bytes of texts in a row group.
const GROUP_BYTES: usize = 16 << 20;

impl From<ParquetError> for ExportError {
    fn from(error: ParquetError) -> ExportError {
        ExportError::Io(std::io::Error::other(format!("Parquet: {error}")))
    }
}

/// Writes Parquet.
pub(super) struct Parquet {
    writer: Option<SerializedFileWriter<File>>,
    file: File,
    rows: Vec<[String; 22]>,
    times_us: Vec<i64>,
    bytes: usize,
}

impl Parquet {
    pub(super) fn begin() -> Result<Parquet, ExportError> {
        let mut schema = String::from("message events {\n");
        for name in CSV_COLUMNS {
            schema.push_str(&match name {
                "position" | "version" => format!("required int64 {name};\n"),
                "date_only" => format!("required boolean {name};\n"),
                "data" | "metadata" => format!("optional binary {name} (JSON);\n"),
                name => format!("optional binary {name} (UTF8);\n"),
            });
        }
        schema.push_str("required int64 time_us (TIMESTAMP(MICROS,true));\n}");
        let schema = Arc::new(parse_message_type(&schema)?);
        let properties = WriterProperties::builder()
            .set_created_by("Annals".to_owned())
            .build();
        let file = tempfile::tempfile()?;
        let writer = SerializedFileWriter::new(file.try_clone()?, schema, Arc::new(properties))?;
        Ok(Parquet {
            writer: Some(writer),
            file,
            rows: Vec::new(),
            times_us: Vec::new(),
            bytes: 0,
        })
    }

    fn write_group(&mut self) -> Result<(), ExportError> {
        let rows = std::mem::take(&mut self.rows);
        let times_us = std::mem::take(&mut self.times_us);
        self.bytes = 0;
        let (Some(writer), false) = (&mut self.writer, rows.is_empty()) else {
            return Ok(());
        };
        let mut group = writer.next_row_group()?;
        let mut place = 0;
        while let Some(mut column) = group.next_column()? {
            let cells = || rows.iter().filter_map(|row| row.get(place));
            match CSV_COLUMNS.get(place) {
                None => {
                    column
                        .typed::<Int64Type>()
                        .write_batch(&times_us, None, None)?;
                }
                Some(&("position" | "version")) => {
                    let numbers: Vec<i64> = cells().map(|cell| cell.parse().unwrap_or(0)).collect();
                    column
                        .typed::<Int64Type>()
                        .write_batch(&numbers, None, None)?;
                }
                Some(&"date_only") => {
                    let marks: Vec<bool> = cells().map(|cell| cell == "true").collect();
                    column.typed::<BoolType>().write_batch(&marks, None, None)?;
                }
                Some(_) => {
                    let there: Vec<i16> = cells().map(|cell| i16::from(!cell.is_empty())).collect();
                    let texts: Vec<ByteArray> = cells()
                        .filter(|cell| !cell.is_empty())
                        .map(|cell| ByteArray::from(cell.as_str()))
                        .collect();
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&texts, Some(&there), None)?;
                }
            }
            column.close()?;
            place += 1;
        }
        group.close()?;
        Ok(())
    }
}

impl Form for Parquet {
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events {
        notes::of_a_row(&mut to.notes, &event, links);
        self.times_us.push(event.time.time.us());
        let row = row(event);
        self.bytes += row.iter().map(String::len).sum::<usize>();
        self.rows.push(row);
        match self.bytes >= GROUP_BYTES {
            true => self.write_group(),
            false => Ok(()),
        }
    }

    fn finish(&mut self, _log: &Log, to: &mut Taken<'_>) -> Events {
        self.write_group()?;
        if let Some(writer) = self.writer.take() {
            writer.close()?;
        }
        to.copy(&mut self.file)
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use crate::event::NewEvent;
    use crate::export::tests::TestLog;
    use crate::export::{ExportFormat, ExportProgress, export};
    use crate::store::EventQuery;

    #[test]
    fn rows_are_read_back() {
        let log = TestLog::new();
        for data in [r#"{"n":12345678901234567890.10}"#, "null"] {
            log.append("order-1", NewEvent::json("Placed", data).unwrap());
        }
        let mut out = tempfile::tempfile().unwrap();
        let (query, progress) = (EventQuery::default(), ExportProgress::default());
        export(
            &log.log(),
            &query,
            ExportFormat::Parquet,
            &mut out,
            &progress,
        )
        .unwrap();
        let reader = SerializedFileReader::new(out).unwrap();
        let rows: Vec<String> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].contains("12345678901234567890.10"), "{}", rows[0]);
        assert!(rows[1].contains("position: 2"), "{}", rows[1]);
    }
}
