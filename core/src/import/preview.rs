//! A look at files before an import: what they are, how their records are mapped, and what becomes of the
//! first of them. Nothing is written.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::csv::Table;
use super::declared::{ColumnKind, Mapping};
use super::encoding::Encoding;
use super::gather::{self, Opened};
use super::pack::Compression;
use super::spool::Entry;
use super::{Format, ImportError, Presets, SourceOrder};
use crate::event::Payload;
use crate::finding::Finding;
use crate::id::Category;
use crate::integrity::Hash;
use crate::store::{Coverage, Extraction};
use crate::surroundings::Surroundings;
use crate::time::Time;

/// Bytes of a record that a preview shows.
const SHOWN_BYTES: usize = 4 * 1024;

/// Bytes of one payload, of one text beside it, and of all cells of a row that a preview shows.
const SHOWN_TEXT: usize = 8 * 1024;

/// Cells of a row that a preview shows.
const SHOWN_CELLS: usize = 1_000;

/// Different cells of a column that a preview shows.
const SAMPLES: usize = 5;

/// What to look at, and how it would be imported.
#[derive(Debug, Clone)]
pub struct PreviewRequest {
    /// Files and folders, in order.
    pub paths: Vec<PathBuf>,
    /// How to read them.
    pub format: Format,
    /// How their bytes spell text; told by the content where `None`.
    pub encoding: Option<Encoding>,
    /// Category of all streams; by rule where `None`.
    pub category: Option<Category>,
    /// Zone of times that name none.
    pub zone: chrono_tz::Tz,
    /// How rows of tables become events; what it leaves open is guessed.
    pub mapping: Option<Mapping>,
    /// The preset to read by, and the user's own presets.
    pub presets: Presets,
    /// Records of each file to look at.
    pub records: usize,
}

/// A look at files: `annals import --explain --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct PreviewView {
    /// The files, those in folders among them.
    pub files: Vec<FilePreview>,
}

/// A look at one file.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct FilePreview {
    /// The file as the user named it.
    pub file: String,
    /// Its size, packed as it is.
    #[ts(type = "number")]
    pub bytes: u64,
    /// How it is read. Meaningless where there is an `error`.
    pub format: Format,
    /// How it is packed.
    pub compression: Compression,
    /// How its bytes spell text.
    pub encoding: Encoding,
    /// Why it is read so.
    pub why: String,
    /// The preset by which its records become events.
    pub preset: Option<String>,
    /// How far the order of its records can be relied on.
    pub order: SourceOrder,
    /// Why it cannot be read, or not further than the records shown. An import would fail with it, or skip the
    /// file where it lies in a folder.
    pub error: Option<String>,
    /// A table: how its rows become events, guesses filled in. It can be changed and asked for again.
    pub mapping: Option<Mapping>,
    /// The mapping as TOML.
    pub mapping_toml: Option<String>,
    /// SHA-256 of that.
    pub mapping_sha256: Option<Hash>,
    /// Why the guesses in the mapping are what they are.
    pub guesses: Vec<String>,
    /// What has to be said before the file can be imported.
    pub problems: Vec<String>,
    /// A table: its columns.
    pub columns: Vec<ColumnView>,
    /// The first records.
    pub records: Vec<RecordPreview>,
    /// The whole file was looked at.
    pub complete: bool,
    /// How much of what happened the records looked at hold.
    pub coverage: Option<Coverage>,
    /// Faults among the records looked at.
    pub findings: Vec<Finding>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ColumnView {
    /// Its name.
    pub name: String,
    /// Its place in a row, first is 1.
    pub index: u32,
    /// What its cells are taken to be.
    pub kind: ColumnKind,
    /// Places of the event that name it, as in a mapping: `stream`, `type`, `time`…
    pub places: Vec<String>,
    /// Different cells among the rows looked at.
    pub samples: Vec<String>,
    /// Rows looked at for this.
    pub rows: u32,
    /// Cells among them that hold no value.
    pub nulls: u32,
}

/// One record and what becomes of it.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RecordPreview {
    /// Line where it begins, first is 1.
    #[ts(type = "number")]
    pub line: u64,
    /// The record as it stands in the file (its first 4 KiB).
    pub text: String,
    /// A table: the cells of the row (the first 1,000, and together their first 8 KiB).
    pub cells: Option<Vec<String>>,
    /// The record, its cells or the reason are longer than what is shown.
    pub cut: bool,
    /// The event, where it becomes one.
    pub event: Option<EventPreview>,
    /// Why it becomes none.
    pub reason: Option<String>,
}

/// An event that a record would become.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct EventPreview {
    /// Stream.
    pub stream: String,
    /// Category of the stream.
    pub category: String,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, UTC; `null`: when the log takes it.
    pub time: Option<Time>,
    /// The time as written.
    pub time_text: Option<String>,
    /// Id; made from the record where it names none.
    pub id: String,
    /// Who did it.
    pub actor: Option<String>,
    /// Correlation id.
    pub correlation: Option<String>,
    /// Causation id.
    pub causation: Option<String>,
    /// The source's number of the event in its stream.
    pub source_version: Option<String>,
    /// Data, as JSON; where it is longer than 8 KiB, a text with its beginning.
    #[ts(type = "unknown")]
    pub data: Box<RawValue>,
    /// Metadata, as JSON; likewise.
    #[ts(type = "unknown")]
    pub metadata: Option<Box<RawValue>>,
    /// Something of the event is longer than what is shown.
    pub cut: bool,
}

/// Looks at the first records of files without importing anything.
///
/// # Errors
/// [`ImportError::Io`] where a path is not there. What is wrong with a file stands in [`FilePreview::error`].
///
/// ```
/// use annals_core::import::{Format, PreviewRequest, preview};
/// use annals_core::surroundings::Surroundings;
///
/// let folder = tempfile::tempdir().unwrap();
/// let file = folder.path().join("orders.csv");
/// std::fs::write(&file, "order_id,activity,timestamp\n7,placed,2024-01-15T10:30:00Z\n").unwrap();
/// let request = PreviewRequest {
///     paths: vec![file],
///     format: Format::Auto,
///     encoding: None,
///     category: None,
///     zone: chrono_tz::UTC,
///     mapping: None,
///     presets: Default::default(),
///     records: 50,
/// };
/// let view = preview(&request, &Surroundings::system()).unwrap();
/// let event = view.files[0].records[0].event.as_ref().unwrap();
/// assert_eq!((event.stream.as_str(), event.event_type.as_str()), ("order-7", "placed"));
/// ```
pub fn preview(
    request: &PreviewRequest,
    surroundings: &Surroundings,
) -> Result<PreviewView, ImportError> {
    let files = gather::glance(request, (surroundings.clock)())?;
    Ok(PreviewView { files })
}

impl FilePreview {
    /// A file of which nothing is known yet.
    pub(super) fn of(file: String, bytes: u64) -> FilePreview {
        FilePreview {
            file,
            bytes,
            format: Format::Auto,
            compression: Compression::None,
            encoding: Encoding::Utf8,
            why: String::new(),
            preset: None,
            order: SourceOrder::Unknown,
            error: None,
            mapping: None,
            mapping_toml: None,
            mapping_sha256: None,
            guesses: Vec::new(),
            problems: Vec::new(),
            columns: Vec::new(),
            records: Vec::new(),
            complete: false,
            coverage: None,
            findings: Vec::new(),
        }
    }

    /// Takes what is known of it once it is open.
    pub(super) fn told(&mut self, opened: &Opened<'_>) {
        let Opened {
            input,
            table,
            records,
            preset,
        } = opened;
        self.preset = preset.as_ref().map(|preset| preset.name.clone());
        self.order = opened.order();
        if let Some(records) = records {
            self.mapping_toml = Some(records.mapping().to_toml());
            self.mapping_sha256 = Some(records.mapping().sha256());
            self.mapping = Some(records.mapping().clone());
        }
        self.format = input.format;
        self.compression = input.names.packed;
        self.encoding = input.encoding;
        self.why.clone_from(&input.why);
        let Some(table) = table else { return };
        if let Some(mapping) = table.mapping().filter(|_| records.is_none()) {
            self.mapping_toml = Some(mapping.to_toml());
            self.mapping_sha256 = Some(mapping.sha256());
            self.mapping = Some(mapping.clone());
        }
        self.guesses.clone_from(&table.guesses);
        self.problems.clone_from(&table.problems);
        self.columns = columns_of(table);
    }
}

/// Records as they are looked at.
#[derive(Debug)]
pub(super) struct Glance {
    pub records: Vec<RecordPreview>,
    room: usize,
    event: Option<EventPreview>,
    extraction: Extraction,
}

impl Glance {
    pub(super) fn new(room: usize) -> Glance {
        Glance {
            records: Vec::new(),
            room,
            event: None,
            extraction: Extraction::standard(),
        }
    }

    /// Nothing more is to be looked at.
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= self.room
    }

    /// Takes the event that the record at hand becomes.
    pub(super) fn event(&mut self, stream: &crate::id::StreamId, entry: &Entry<'_>) {
        let mut cut = false;
        let payload = |text: &str| Payload {
            content_type: crate::event::JSON.into(),
            bytes: text.as_bytes().to_vec(),
        };
        let metadata = entry.metadata.map(payload);
        let found = self
            .extraction
            .apply(&payload(entry.data), metadata.as_ref());
        // Payloads are whole JSON values; what the record says was parsed.
        let Some(data) = shown_payload(entry.data, &mut cut) else {
            return;
        };
        let metadata = entry.metadata;
        let metadata = metadata.and_then(|text| shown_payload(text, &mut cut));
        let mut shown = |text: &str| beginning(text, SHOWN_TEXT, &mut cut).to_owned();
        let event = EventPreview {
            stream: stream.to_string(),
            category: entry
                .category
                .map_or_else(|| stream.default_category().to_string(), str::to_owned),
            event_type: shown(entry.event_type),
            time: entry.time.map(|t| t.time),
            time_text: entry.time.and_then(|t| t.text.as_deref()).map(&mut shown),
            id: shown(entry.id),
            actor: found.actor.as_deref().map(&mut shown),
            correlation: found.correlation.as_deref().map(&mut shown),
            causation: found.causation.as_deref().map(&mut shown),
            source_version: entry.source_version.map(&mut shown),
            data,
            metadata,
            cut: false,
        };
        self.event = Some(EventPreview { cut, ..event });
    }

    /// Takes the record at hand, with its event or the reason why it has none.
    pub(super) fn record(
        &mut self,
        line: u64,
        record: &[u8],
        cells: Option<ShownCells>,
        reason: Option<String>,
    ) {
        let shown = &record[..record.len().min(SHOWN_BYTES)];
        let mut cut = shown.len() < record.len();
        let cells = cells.map(|ShownCells { cells, cut: some }| {
            cut |= some;
            cells
        });
        let reason = reason.map(|reason| beginning(&reason, SHOWN_BYTES, &mut cut).to_owned());
        let event = self.event.take().filter(|_| reason.is_none());
        self.records.push(RecordPreview {
            line,
            text: String::from_utf8_lossy(shown).into_owned(),
            cells,
            cut,
            event,
            reason,
        });
    }
}

/// The first cells of a row.
#[derive(Debug, Default)]
pub(super) struct ShownCells {
    cells: Vec<String>,
    cut: bool,
}

impl ShownCells {
    /// Takes cells as far as there is room. The last one may be a part.
    pub(super) fn of(text: &[u8], ends: &[usize]) -> ShownCells {
        let mut shown = ShownCells::default();
        let (mut start, mut room) = (0, SHOWN_TEXT);
        for &end in ends {
            if shown.cut || shown.cells.len() == SHOWN_CELLS {
                shown.cut = true;
                break;
            }
            let cell = text.get(start..end).unwrap_or_default();
            start = end;
            // A character more, so that one which is cut in two does not stand as a sign for bad bytes.
            let near = String::from_utf8_lossy(&cell[..cell.len().min(room + 4)]);
            let cell = beginning(&near, room, &mut shown.cut);
            room -= cell.len();
            shown.cells.push(cell.to_owned());
        }
        shown
    }
}

/// The beginning of a text, whole characters of it; notes it in `cut` where that is not all.
fn beginning<'t>(text: &'t str, bytes: usize, cut: &mut bool) -> &'t str {
    *cut |= text.len() > bytes;
    &text[..text.floor_char_boundary(bytes)]
}

/// A payload, or a text with the beginning of one that is too long; `None` if it is no JSON.
fn shown_payload(json: &str, cut: &mut bool) -> Option<Box<RawValue>> {
    let shown = beginning(json, SHOWN_TEXT, cut);
    if shown.len() == json.len() {
        return RawValue::from_string(json.to_owned()).ok();
    }
    serde_json::value::to_raw_value(shown).ok()
}

/// The columns of a table as a preview shows them.
fn columns_of(table: &Table) -> Vec<ColumnView> {
    let nothing = Mapping::default();
    let mapping = table.mapping().unwrap_or(&nothing);
    let null = mapping.null.clone().unwrap_or_default();
    let view = |(i, name): (usize, &String)| {
        let cells = table.sample.iter().filter_map(|row| row.get(i));
        let is_null = |cell: &str| cell.is_empty() || null.iter().any(|word| word == cell);
        let mut samples: Vec<String> = Vec::new();
        let (mut rows, mut nulls) = (0, 0);
        for cell in cells {
            rows += 1;
            if is_null(cell) {
                nulls += 1;
            } else if samples.len() < SAMPLES && !samples.contains(cell) {
                samples.push(cell.chars().take(200).collect());
            }
        }
        let listed = mapping.columns.iter().find(|c| c.name == *name);
        let column = super::declared::template::of_column(name);
        let names_it =
            |template: &Option<String>| template.as_deref().is_some_and(|t| t.contains(&column));
        ColumnView {
            name: name.clone(),
            index: i as u32 + 1,
            kind: listed.map_or(ColumnKind::Text, |c| c.kind),
            places: mapping
                .event
                .places()
                .into_iter()
                .filter(|(_, template)| names_it(template))
                .map(|(place, _)| place.to_owned())
                .collect(),
            samples,
            rows,
            nulls,
        }
    };
    table.columns.iter().enumerate().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::preview;

    fn look(name: &str, text: &str) -> FilePreview {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let request = PreviewRequest {
            paths: vec![file],
            format: Format::Auto,
            encoding: None,
            category: None,
            zone: chrono_tz::UTC,
            mapping: None,
            presets: Presets::default(),
            records: 10,
        };
        let now = Time::parse_rfc3339("2024-01-15T10:30:00Z").unwrap();
        let view = preview(&request, &Surroundings::fixed(now, 0)).unwrap();
        view.files.into_iter().next().unwrap()
    }

    /// One record may have 64 MiB; a window that was handed a thousand of them ended.
    #[test]
    fn long_record_is_shown_as_its_beginning_and_says_so() {
        let long = "ü".repeat(100_000);
        let row = "7,placed,2024-01-15T10:30:00Z";
        let table = format!("order_id,activity,timestamp,note\n{row},{long}\n{row},short\n");
        let file = look("orders.csv", &table);
        let bytes = serde_json::to_vec(&file.records).unwrap().len();
        assert!(bytes < 40 * 1024, "{bytes} bytes for two records");
        let cut = |r: &RecordPreview| (r.cut, r.event.as_ref().unwrap().cut);
        let all: Vec<_> = file.records.iter().map(cut).collect();
        assert_eq!(all, [(true, true), (false, false)]);
        let cells = file.records[0].cells.as_ref().unwrap();
        assert_eq!(cells[..2], ["7", "placed"]);
        assert!(
            long.starts_with(&cells[3]) && cells[3].len() > 8_000,
            "whole characters"
        );
        assert_eq!(file.records[1].cells.as_ref().unwrap()[3], "short");

        let record =
            format!(r#"{{"stream":"a-1","type":"T","data":{{"note":"{long}"}},"actor":"{long}"}}"#);
        let file = look("events.jsonl", &record);
        let bytes = serde_json::to_vec(&file.records).unwrap().len();
        assert!(bytes < 60 * 1024, "{bytes} bytes for one record");
        assert_eq!(cut(&file.records[0]), (true, true));
        let data = file.records[0].event.as_ref().unwrap().data.get();
        assert!(
            data.starts_with(r#""{\"note\":\"üü"#),
            "a text with its beginning: {}",
            &data[..30]
        );
    }

    #[test]
    fn row_of_many_cells_is_shown_as_its_first_ones() {
        let names: Vec<String> = (0..3_000).map(|n| format!("c{n}")).collect();
        let head = format!("order_id,activity,timestamp,{}", names.join(","));
        let row = format!("7,placed,2024-01-15T10:30:00Z,{}", ["1"; 3_000].join(","));
        let file = look("wide.csv", &format!("{head}\n{row}\n{row}\n"));
        let shown = &file.records[0];
        assert_eq!(
            (shown.cells.as_ref().unwrap().len(), shown.cut),
            (1_000, true)
        );
    }
}
