//! The records of a file, as its format gives them: each becomes a draft and goes on.

use std::collections::BTreeMap;

use super::{Gathering, Opened, place};
use crate::finding::{Finding, FindingKind, Severity};
use crate::import::chain::{Chain, HashChain};
use crate::import::coverage::Counter;
use crate::import::csv::{Next, Plan, Rows, Table};
use crate::import::detect::FileNames;
use crate::import::lines::RawRecord;
use crate::import::mapping::{self, Draft, Rules};
use crate::import::preview::ShownCells;
use crate::import::record::RecordPlan;
use crate::import::unchanged::Beginning;
use crate::import::{
    Format, ImportError, MAX_RECORD_BYTES, SourceOrder, json, lines, ocel, wrapped, xes,
};
use crate::time::Time;

/// Type of an event whose record names none.
const UNTYPED_RECORD: &str = "record";
/// Type of an event of an XES file that names none.
const UNTYPED_EVENT: &str = "event";

/// Cells of one column that are not of its kind.
struct Differing {
    count: u64,
    /// Line of the first.
    line: u64,
    /// Its text, not more than a finding has room for.
    cell: String,
}

/// The beginning of a cell.
fn cell_text(text: &[u8], ends: &[usize], column: usize) -> String {
    let start = column.checked_sub(1).map_or(0, |before| ends[before]);
    let cell = String::from_utf8_lossy(&text[start..ends[column]]);
    cell.chars().take(40).collect()
}

impl<'i> Gathering<'i, '_> {
    pub(super) fn read_records(
        &mut self,
        opened: Opened<'i>,
        plan: Option<Plan>,
        beginning: Option<&Beginning>,
    ) -> Result<(), ImportError> {
        let Opened {
            mut input,
            table,
            records,
            preset,
        } = opened;
        let chain = preset.as_ref().and_then(|preset| preset.chain);
        self.chain = chain.map(|HashChain::Eventsourcingdb| Chain::default());
        // Among CloudEvents may be those that Annals wrote, which hold their events whole.
        self.may_be_own = preset
            .as_ref()
            .is_some_and(|preset| preset.name == "cloudevents");
        // A log of requests in no order (an audit log of a service) says what was asked, not what was.
        let is_requests = preset.is_some_and(|preset| preset.order == SourceOrder::Unknown);
        self.coverage = Counter::new(!is_requests);
        // The name is the source: another file of the same name is the same source, and its first record of
        // a kind the same as the first one here.
        self.occurrences.clear();
        self.log_reached = Time::MIN;
        self.zone = self.request.zone;
        let names = input.names.clone();
        let zone = self.zone;
        let reader = &mut *input.reader;
        let records = records.as_ref();
        if let Some(records) = records {
            self.zone = records.zone();
        }
        let is_long = !input.is_whole && begins_long_object(&input.head);
        if let (Format::Jsonl | Format::Json, Some(plan)) = (input.format, records) {
            let keys = plan.list_names();
            if is_long && !keys.is_empty() {
                return wrapped::read(reader, &names, &keys, &mut |line, item| {
                    self.wrapped(&names, line, item, plan)
                });
            }
        }
        match (input.format, table) {
            (_, Some(table)) => match (records, plan) {
                (Some(records), _) => self.record_rows(reader, &names, &table, records),
                (None, Some(plan)) => {
                    self.zone = plan.zone();
                    self.table(reader, &names, &table, &plan)
                }
                // A table has the one or the other.
                (None, None) => Ok(()),
            },
            (Format::Auto | Format::Jsonl | Format::Csv | Format::Git, None) => {
                let mut before = 0;
                if let Some(beginning) = beginning {
                    self.pass(reader, &names, beginning)?;
                    before = beginning.lines;
                }
                lines::read(reader, &names, before, &mut |line, raw| {
                    self.json(&names, line, raw, records)
                })
            }
            (Format::Json, None) => json::read(reader, &names, &mut |line, raw| {
                self.json(&names, line, raw, records)
            }),
            (Format::Ocel, None) => {
                let progress = self.progress;
                ocel::read(reader, &names, zone, progress, &mut |line, item| {
                    self.ocel(&names, line, item)
                })
            }
            (Format::Xes, None) => xes::read(reader, &names, zone, &mut |line, item| {
                self.xes(&names, line, item)
            }),
        }
    }

    fn table(
        &mut self,
        reader: &mut dyn std::io::BufRead,
        names: &FileNames,
        table: &Table,
        plan: &Plan,
    ) -> Result<(), ImportError> {
        let mut differing = BTreeMap::new();
        let read = self.rows(reader, names, table, plan, &mut differing);
        for (column, Differing { count, line, cell }) in differing {
            self.gathered.notes.take(Finding {
                kind: FindingKind::KindDiffers,
                severity: Severity::Warning,
                count,
                place: place(names, line, None),
                detail: plan.told_kind(column, &cell),
            });
        }
        read
    }

    fn rows(
        &mut self,
        reader: &mut dyn std::io::BufRead,
        names: &FileNames,
        table: &Table,
        plan: &Plan,
        differing: &mut BTreeMap<usize, Differing>,
    ) -> Result<(), ImportError> {
        let unfinished = each_row(reader, names, table, &mut |rows, fault| {
            self.count_record()?;
            let line = rows.line();
            let (text, ends) = rows.cells();
            let draft = match fault {
                None => table.map(plan, text, ends, &names.stem),
                Some(fault) => Err(fault),
            };
            let taken = draft.and_then(|draft| {
                let taken = self.accept(names, line, &draft, UNTYPED_RECORD, &[rows.raw()])?;
                for &column in &draft.kind_differs {
                    let found = differing.entry(column).or_insert_with(|| Differing {
                        count: 0,
                        line,
                        cell: cell_text(text, ends, column),
                    });
                    found.count += 1;
                }
                Ok(taken)
            });
            let cells = self.glance.is_some().then(|| ShownCells::of(text, ends));
            self.settle_with(names, line, taken, rows.raw(), cells)
        })?;
        if let Some((line, bytes)) = unfinished {
            self.note_unfinished(names, line, bytes);
        }
        Ok(())
    }

    /// Rows of a table that are read as records.
    fn record_rows(
        &mut self,
        reader: &mut dyn std::io::BufRead,
        names: &FileNames,
        table: &Table,
        plan: &RecordPlan,
    ) -> Result<(), ImportError> {
        let unfinished = each_row(reader, names, table, &mut |rows, fault| {
            let line = rows.line();
            let (text, ends) = rows.cells();
            let record = match fault {
                None => table.record(text, ends),
                Some(fault) => Err(fault),
            };
            match record {
                Ok(record) => self.records(names, line, &record, plan),
                Err(reason) => {
                    self.count_record()?;
                    self.settle(names, line, Err(reason), rows.raw())
                }
            }
        })?;
        if let Some((line, bytes)) = unfinished {
            self.note_unfinished(names, line, bytes);
        }
        Ok(())
    }

    /// Says that the last line is not whole yet.
    fn note_unfinished(&mut self, names: &FileNames, line: u64, bytes: usize) {
        let as_what = (FindingKind::UnfinishedLine, Severity::Warning);
        self.note(names, line, as_what, || {
            format!(
                "the last line ends after {bytes} bytes in the middle of a record; it was left for the next import of the file"
            )
        });
    }

    /// Says something of the file that is of no stream.
    fn note(
        &mut self,
        names: &FileNames,
        line: u64,
        (kind, severity): (FindingKind, Severity),
        detail: impl FnOnce() -> String,
    ) {
        let notes = &mut self.gathered.notes;
        notes.add(kind, severity, || (place(names, line, None), detail()));
    }

    /// The draft of a record that names the places of its event by itself.
    fn by_its_keys<'r>(
        &self,
        names: &FileNames,
        record: &'r [u8],
        line: u64,
    ) -> Result<Draft<'r>, String> {
        let rules = Rules {
            zone: self.zone,
            stem: &names.stem,
        };
        mapping::map(record, &rules, line)
    }

    fn json(
        &mut self,
        names: &FileNames,
        line: u64,
        raw: RawRecord<'_>,
        plan: Option<&RecordPlan>,
    ) -> Result<(), ImportError> {
        let record = match raw {
            RawRecord::Whole(record) => record,
            RawRecord::TooLong(start) => {
                self.count_record()?;
                return self.settle(names, line, Err(too_long()), start);
            }
            RawRecord::Unfinished(start) => {
                self.note_unfinished(names, line, start.len());
                return Ok(());
            }
        };
        if let Some(plan) = plan
            && let Ok(text) = std::str::from_utf8(record)
        {
            if let Some(detail) = self.chain.as_mut().and_then(|chain| chain.take(text)) {
                let as_what = (FindingKind::ChainBroken, Severity::Severe);
                self.note(names, line, as_what, || detail);
            }
            return self.records(names, line, text, plan);
        }
        self.count_record()?;
        let taken = self
            .by_its_keys(names, record, line)
            .and_then(|draft| self.accept(names, line, &draft, UNTYPED_RECORD, &[record]));
        self.settle(names, line, taken, record)
    }

    /// What stands in an object around a long list of records.
    fn wrapped(
        &mut self,
        names: &FileNames,
        line: u64,
        item: wrapped::Item<'_>,
        plan: &RecordPlan,
    ) -> Result<(), ImportError> {
        match item {
            wrapped::Item::Record(raw) => self.json(names, line, raw, Some(plan)),
            wrapped::Item::Element(RawRecord::Whole(element)) => {
                match std::str::from_utf8(element) {
                    Ok(text) => {
                        let held = plan.record_in(text);
                        self.record(names, line + held.lines, &held.text, plan)
                    }
                    Err(_) => self.json(names, line, RawRecord::Whole(element), None),
                }
            }
            wrapped::Item::Element(raw) => self.json(names, line, raw, None),
            wrapped::Item::Around(text) => {
                self.note_lost(names, line, text, plan);
                Ok(())
            }
        }
    }

    /// Says what stands around a list of records and belongs to none.
    fn note_lost(&mut self, names: &FileNames, line: u64, text: &str, plan: &RecordPlan) {
        let Some(lost) = plan.lost_around(text) else {
            return;
        };
        self.note(names, line, NOT_KEPT, || {
            format!("{lost} around the list of records belongs to none and was not kept")
        });
    }

    /// The records that a value holds, or the one that it is, by a declared mapping.
    fn records(
        &mut self,
        names: &FileNames,
        line: u64,
        text: &str,
        plan: &RecordPlan,
    ) -> Result<(), ImportError> {
        let Some(held) = plan.records_in(text) else {
            return self.record(names, line, text, plan);
        };
        self.note_lost(names, line, text, plan);
        for held in held {
            self.record(names, line + held.lines, &held.text, plan)?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        names: &FileNames,
        line: u64,
        text: &str,
        plan: &RecordPlan,
    ) -> Result<(), ImportError> {
        self.count_record()?;
        let record = text.as_bytes();
        let own = self.may_be_own.then(|| mapping::map_own_cloudevent(text));
        if let Some(draft) = own.flatten() {
            let taken = self.accept(names, line, &draft, UNTYPED_RECORD, &[record]);
            return self.settle(names, line, taken, record);
        }
        let taken = plan.map(text, &names.stem, line).and_then(|draft| {
            let draft = match draft {
                Some(draft) => draft,
                // The mapping finds nothing of its own in it: perhaps another kind of record.
                None => self.by_its_keys(names, record, line)?,
            };
            self.accept(names, line, &draft, UNTYPED_RECORD, &[record])
        });
        self.settle(names, line, taken, record)
    }

    fn xes(
        &mut self,
        names: &FileNames,
        line: u64,
        item: xes::Item<'_>,
    ) -> Result<(), ImportError> {
        match item {
            xes::Item::Event(draft) => {
                self.count_record()?;
                let identity = [draft.stream.as_bytes(), b"\0", draft.data.as_bytes()];
                let taken = self.accept(names, line, draft, UNTYPED_EVENT, &identity);
                return self.settle(names, line, taken, draft.data.as_bytes());
            }
            xes::Item::Reject { reason, record } => {
                self.count_record()?;
                return self.settle(names, line, Err(reason), record.as_bytes());
            }
            xes::Item::EmptyTrace(name) => {
                let as_what = (FindingKind::EmptyTrace, Severity::Notice);
                self.note(names, line, as_what, || {
                    format!("trace {name} holds no events, so no stream holds it")
                });
            }
            xes::Item::RepeatedTrace(name) => {
                let as_what = (FindingKind::DuplicateTrace, Severity::Warning);
                self.note(names, line, as_what, || {
                    format!("trace {name} comes again; its events went into the same stream")
                });
            }
            xes::Item::NotKept(what) => {
                self.note(names, line, NOT_KEPT, || of_no_event(&what));
            }
        }
        Ok(())
    }

    fn ocel(
        &mut self,
        names: &FileNames,
        line: u64,
        item: ocel::Item<'_>,
    ) -> Result<(), ImportError> {
        match item {
            ocel::Item::Event(draft) => {
                self.count_record()?;
                let metadata = draft.metadata.as_deref().unwrap_or_default();
                let time = draft.time.as_ref().map(|time| time.time.to_string());
                let identity = [
                    draft.stream.as_bytes(),
                    b"\0",
                    draft.data.as_bytes(),
                    metadata.as_bytes(),
                    time.as_deref().unwrap_or_default().as_bytes(),
                ];
                let taken = self.accept(names, line, draft, UNTYPED_EVENT, &identity);
                self.settle(names, line, taken, draft.data.as_bytes())
            }
            ocel::Item::Reject { reason, record } => {
                self.count_record()?;
                self.settle(names, line, Err(reason), record.as_bytes())
            }
            ocel::Item::Broken { count, detail } => {
                self.gathered.notes.take(Finding {
                    kind: FindingKind::BrokenLink,
                    severity: Severity::Warning,
                    count,
                    place: place(names, line, None),
                    detail,
                });
                Ok(())
            }
            ocel::Item::NotKept(what) => {
                self.note(names, line, NOT_KEPT, || of_no_event(&what));
                Ok(())
            }
        }
    }
}

/// Something of a file was not kept.
const NOT_KEPT: (FindingKind, Severity) = (FindingKind::NotKept, Severity::Notice);

fn of_no_event(what: &str) -> String {
    format!("{what} belongs to no event and was not kept")
}

fn too_long() -> String {
    format!("longer than {} MiB", MAX_RECORD_BYTES >> 20)
}

/// Takes a row of a table, and why its cells cannot be taken, if they cannot.
type TakeRow<'t> = dyn FnMut(&Rows<'_>, Option<String>) -> Result<(), ImportError> + 't;

/// Calls `each` with every row of a table below its heading. Gives the line of a last row that is still being written,
/// and its bytes so far: it has no end of line, and cells are missing.
fn each_row(
    reader: &mut dyn std::io::BufRead,
    names: &FileNames,
    table: &Table,
    each: &mut TakeRow<'_>,
) -> Result<Option<(u64, usize)>, ImportError> {
    let mut rows = Rows::new(reader, names, table.dialect);
    let mut is_header = table.has_header;
    loop {
        let next = rows.next()?;
        let is_short = !rows.is_ended() && rows.cells().1.len() < table.columns.len();
        let fault = match next {
            Next::End => return Ok(None),
            Next::Unfinished => return Ok(Some((rows.line(), rows.raw().len()))),
            Next::Row if is_short && !is_header => {
                return Ok(Some((rows.line(), rows.raw().len())));
            }
            Next::Row => None,
            Next::Wrong => Some(rows.fault().to_owned()),
            Next::TooLong => Some(too_long()),
        };
        if !std::mem::take(&mut is_header) {
            each(&rows, fault)?;
        }
    }
}

/// Whether a file begins with an object that is longer than what was read of it.
fn begins_long_object(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let mut values =
        serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
    text.starts_with(b"{") && values.next().is_some_and(|value| value.is_err())
}
