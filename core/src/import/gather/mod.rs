//! The first pass of an import: every record of every file gets what it lacks and goes into the spool, and, as long
//! as the files are in log order, into the log as well.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::chain::{Chain, HashChain};
use super::coverage::{Counter, Seen};
use super::csv::{Next, Plan, Rows, Table};
use super::detect::{self, Asked, FileNames, Input};
use super::encoding::Encoding;
use super::files::{self, Skip, Source};
use super::lines::RawRecord;
use super::mapping::{self, Draft, Rules};
use super::pack::Compression;
use super::preset::{self, Preset, Told};
use super::preview::{FilePreview, Glance, PreviewRequest, ShownCells};
use super::record::RecordPlan;
use super::report::{FileReport, Notes, Rejects};
use super::sources::{self, FirstRecords};
use super::spool::{Entry, Spool};
use super::store::Ahead;
use super::streams::{StableHasher, Streams};
use super::{
    Format, ImportError, ImportRequest, MAX_RECORD_BYTES, Mapping, Phase, Progress, SourceOrder,
    json, lines, ocel, wrapped, xes,
};
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::id::{Category, EventId, EventType, NameError, StreamId};
use crate::integrity::Hash;
use crate::time::{SourceTime, Time};

/// Type of an event whose record names none.
const UNTYPED_RECORD: &str = "record";
/// Type of an event of an XES file that names none.
const UNTYPED_EVENT: &str = "event";

/// What the log holds already.
#[derive(Clone, Copy)]
pub(super) struct Before<'i> {
    /// Whether it holds a stream.
    pub is_known: &'i dyn Fn(&StreamId) -> bool,
    /// Another source under which it holds the first records of a file.
    pub held_as: &'i dyn Fn(&FirstRecords, &str) -> Option<String>,
}

/// Reads every file into a spool in `folder`, and stores `ahead` while that is possible.
pub(super) fn gather<'i, 'w>(
    request: &'i ImportRequest,
    folder: &'i Path,
    now: Time,
    progress: &'i Progress,
    before: Before<'i>,
    ahead: Option<Ahead<'w>>,
) -> Result<Gathered<'w>, ImportError> {
    let spool = Spool::in_folder(folder).map_err(|e| spool_error(folder, e))?;
    let (sources, skipped) = files::expand(&request.paths, request.format)?;
    let total = sources.iter().map(|source| source.bytes).sum();
    progress.bytes_total.store(total, Ordering::Relaxed);
    progress.enter(Phase::Reading);
    let mut gathering = Gathering::new(request, folder, now, progress, before)?;
    gathering.spool = Some(spool);
    gathering.ahead = ahead;
    for Skip { file, why } in skipped {
        gathering.skip(&file, 0, why);
    }
    for source in &sources {
        gathering.read_file(source)?;
    }
    let mut totals = gathering.gathered;
    totals.streams.forget_names();
    Ok(Gathered {
        spool: gathering.spool,
        totals,
        folder: folder.to_owned(),
        ahead: gathering.ahead,
    })
}

/// Looks at the first records of every file, and stores nothing anywhere.
pub(super) fn glance(request: &PreviewRequest, now: Time) -> Result<Vec<FilePreview>, ImportError> {
    let PreviewRequest {
        paths,
        format,
        encoding,
        category,
        zone,
        mapping,
        presets,
        records,
    } = request;
    let import = ImportRequest {
        paths: paths.clone(),
        format: *format,
        encoding: *encoding,
        mapping: mapping.clone(),
        presets: presets.clone(),
        category: category.clone(),
        zone: *zone,
        dry_run: true,
        rejects: None,
    };
    let (sources, skipped) = files::expand(paths, *format)?;
    let mut previews: Vec<FilePreview> = skipped
        .into_iter()
        .map(|Skip { file, why }| FilePreview {
            error: Some(why),
            ..FilePreview::of(file, 0)
        })
        .collect();
    let progress = Progress::default();
    for source in &sources {
        // Each file by itself: what one holds says nothing about another yet.
        let before = Before {
            is_known: &|_| false,
            held_as: &|_, _| None,
        };
        let mut gathering = Gathering::new(&import, Path::new("."), now, &progress, before)?;
        gathering.glance = Some(Glance::new(*records));
        previews.push(gathering.glance_at(source));
    }
    Ok(previews)
}

/// An opened file and how it is read.
pub(super) struct Opened<'i> {
    pub input: Input<'i>,
    pub table: Option<Table>,
    /// JSON, or a table whose rows are read as records: the mapping.
    pub records: Option<RecordPlan>,
    pub preset: Option<Preset>,
}

impl<'i> Opened<'i> {
    fn of(mut input: Input<'i>, request: &ImportRequest) -> Result<Opened<'i>, ImportError> {
        let asked = request.mapping.as_ref();
        let chosen = request.presets.chosen.as_ref();
        let is_table = input.format == Format::Csv;
        let mut table = is_table.then(|| Table::look(&input, asked, request.zone));
        // What the user says goes before what is told; a store of Annals and XES need neither.
        let told = match (asked, chosen) {
            _ if matches!(input.format, Format::Xes | Format::Ocel | Format::Git)
                || input.is_store =>
            {
                None
            }
            (_, Some(chosen)) => Some(Told {
                preset: chosen.clone(),
                why: format!("read as {}, as asked for", chosen.title),
            }),
            (None, None) if request.format == Format::Auto => match &table {
                Some(table) => preset::tell_table(&table.columns, &request.presets.own),
                None => preset::tell(&input.head, input.format, &request.presets.own),
            },
            (_, None) => None,
        };
        let mapping = match (&told, asked) {
            (Some(told), Some(asked)) => Some(asked.or(&told.preset.mapping)),
            (Some(told), None) => Some(told.preset.mapping.clone()),
            (None, Some(asked)) if is_table && !asked.is_of_records() => None,
            (None, Some(asked))
                if !matches!(input.format, Format::Xes | Format::Ocel | Format::Git)
                    && !input.is_store =>
            {
                Some(asked.clone())
            }
            (None, _) => None,
        };
        let order = match &told {
            Some(told) => told.preset.order,
            None => SourceOrder::PerStream,
        };
        let records = mapping.map(|mapping| RecordPlan::new(&mapping, order, request.zone));
        let records = records
            .transpose()
            .map_err(|message| input.names.malformed(1, message))?;
        if let (Some(table), Some(_)) = (&mut table, &records) {
            table.problems.clear();
            table.guesses.clear();
        }
        if let Some(told) = &told {
            input.why = format!("{}; {}", told.why, input.why);
        }
        Ok(Opened {
            input,
            table,
            records,
            preset: told.map(|told| told.preset),
        })
    }

    /// The mapping by which it is read, if it is one.
    pub(super) fn mapping(&self) -> Option<&Mapping> {
        match (&self.records, &self.table) {
            (Some(records), _) => Some(records.mapping()),
            (None, table) => table.as_ref().and_then(Table::mapping),
        }
    }

    /// How far the order of its records can be relied on.
    pub(super) fn order(&self) -> SourceOrder {
        match (&self.preset, self.input.format) {
            _ if self.input.is_store => SourceOrder::Total,
            (Some(preset), _) => preset.order,
            (None, Format::Xes | Format::Git) => SourceOrder::PerStream,
            (None, Format::Auto | Format::Jsonl | Format::Json | Format::Csv | Format::Ocel) => {
                SourceOrder::Unknown
            }
        }
    }

    fn plan(&self) -> Result<Option<Plan>, ImportError> {
        match (&self.table, &self.records) {
            (Some(table), None) => table.plan(&self.input.names).map(Some),
            _ => Ok(None),
        }
    }
}

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

/// Everything that the files held, ready for the log.
pub(super) struct Gathered<'w> {
    pub spool: Option<Spool>,
    pub totals: Totals,
    pub folder: std::path::PathBuf,
    /// Holds all of it already, if the files were in log order.
    pub ahead: Option<Ahead<'w>>,
}

/// What was counted while reading.
pub(super) struct Totals {
    pub read: u64,
    pub first_time: Option<Time>,
    pub last_time: Option<Time>,
    pub streams: Streams,
    pub files: Vec<FileReport>,
    /// For each of them, whether it was found in a folder.
    pub in_folder: Vec<bool>,
    pub notes: Notes,
    pub rejects: Rejects,
}

/// The first pass.
struct Gathering<'i, 'w> {
    request: &'i ImportRequest,
    folder: &'i Path,
    now: Time,
    progress: &'i Progress,
    before: Before<'i>,
    zone: chrono_tz::Tz,
    /// `None` where the records are only looked at.
    spool: Option<Spool>,
    /// `None` from the first event on that belongs before another.
    ahead: Option<Ahead<'w>>,
    /// The records are only looked at.
    glance: Option<Glance>,
    gathered: Totals,
    /// How often each record without an id stood in the file so far, by the beginning of its hash.
    occurrences: HashMap<[u8; 16], u64, StableHasher>,
    /// Latest time in a file that is a log itself.
    log_reached: Time,
    file: u32,
    /// The hashes of the file at hand, where its source chains its events.
    chain: Option<Chain>,
    /// What the events of the file at hand still hold.
    coverage: Counter,
    /// The first records of the file at hand, and those of the files before it with their sources.
    first: FirstRecords,
    firsts: Vec<(FirstRecords, String)>,
}

impl<'i> Gathering<'i, '_> {
    fn new(
        request: &'i ImportRequest,
        folder: &'i Path,
        now: Time,
        progress: &'i Progress,
        before: Before<'i>,
    ) -> Result<Self, ImportError> {
        Ok(Gathering {
            request,
            folder,
            now,
            progress,
            before,
            zone: request.zone,
            spool: None,
            ahead: None,
            glance: None,
            gathered: Totals {
                read: 0,
                first_time: None,
                last_time: None,
                streams: Streams::default(),
                files: Vec::new(),
                in_folder: Vec::new(),
                notes: Notes::default(),
                rejects: Rejects::new(request.rejects.as_deref())?,
            },
            occurrences: HashMap::default(),
            log_reached: Time::MIN,
            file: 0,
            chain: None,
            coverage: Counter::new(),
            first: FirstRecords::default(),
            firsts: Vec::new(),
        })
    }

    fn open(&self, source: &Source) -> Result<Opened<'i>, ImportError> {
        let mapping = self.request.mapping.as_ref();
        let asked = Asked {
            format: self.request.format,
            encoding: self.request.encoding.or(mapping.and_then(|m| m.encoding)),
        };
        let input = detect::open(source, asked, self.progress)?;
        Opened::of(input, self.request)
    }

    fn read_file(&mut self, source: &Source) -> Result<(), ImportError> {
        let opened = self.open(source).and_then(|opened| {
            let plan = opened.plan()?;
            Ok((opened, plan))
        });
        let (opened, plan) = match opened {
            Ok(opened) => opened,
            // A folder may hold anything; what a file named by itself is, the user knows.
            Err(ImportError::Io {
                file,
                source: error,
            }) if source.in_folder.is_some() => {
                self.skip(&file, source.bytes, error.to_string());
                return Ok(());
            }
            Err(ImportError::Malformed { file, message, .. }) if source.in_folder.is_some() => {
                self.skip(&file, source.bytes, message);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mapping = opened.mapping();
        let input = &opened.input;
        self.file = self.gathered.files.len() as u32;
        let before = self.gathered.read;
        self.gathered.files.push(FileReport {
            file: input.names.file.clone(),
            source: input.names.source.clone(),
            format: input.format,
            why: input.why.clone(),
            preset: opened.preset.as_ref().map(|preset| preset.name.clone()),
            order: opened.order(),
            compression: input.names.packed,
            encoding: input.encoding,
            bytes: 0,
            sha256: Hash([0; 32]),
            mapping_sha256: mapping.map(Mapping::sha256),
            mapping: mapping.cloned(),
            read: 0,
            chain: None,
            coverage: None,
            skipped: None,
            seen: None,
        });
        self.gathered.in_folder.push(source.in_folder.is_some());
        let taken = input.taken.clone();
        let names = input.names.clone();
        self.read_records(opened, plan)?;
        self.note_other_name(&names);
        let report = &mut self.gathered.files[self.file as usize];
        report.read = self.gathered.read - before;
        report.bytes = taken.bytes();
        report.sha256 = taken.sha256();
        report.coverage = self.coverage.coverage();
        report.chain = self.chain.take().map(|chain| chain.report);
        Ok(())
    }

    /// Reports a file of a folder that is not read.
    fn skip(&mut self, file: &str, bytes: u64, why: String) {
        self.gathered
            .notes
            .add(FindingKind::FileSkipped, Severity::Warning, || {
                let place = Place {
                    file: Some(file.to_owned()),
                    ..Place::default()
                };
                (place, format!("nothing of it was read: {why}"))
            });
        self.gathered.files.push(FileReport {
            file: file.to_owned(),
            source: String::new(),
            format: Format::Auto,
            why: String::new(),
            preset: None,
            order: SourceOrder::Unknown,
            compression: Compression::None,
            encoding: Encoding::Utf8,
            bytes,
            sha256: Hash([0; 32]),
            mapping_sha256: None,
            mapping: None,
            read: 0,
            chain: None,
            coverage: None,
            skipped: Some(why),
            seen: None,
        });
        self.gathered.in_folder.push(true);
    }

    fn glance_at(mut self, source: &Source) -> FilePreview {
        let mut preview = FilePreview::of(source.path.display().to_string(), source.bytes);
        let opened = match self.open(source) {
            Ok(opened) => opened,
            Err(error) => {
                preview.error = Some(error.to_string());
                return preview;
            }
        };
        preview.told(&opened);
        let read = match opened.plan() {
            // Its problems say it already.
            Err(_) => Err(ImportError::Cancelled),
            Ok(plan) => self.read_records(opened, plan),
        };
        preview.complete = read.is_ok();
        match read {
            Ok(()) | Err(ImportError::Cancelled) => {}
            Err(error) => preview.error = Some(error.to_string()),
        }
        preview.records = self.glance.map(|glance| glance.records).unwrap_or_default();
        preview.coverage = self.coverage.coverage();
        preview.findings = self.gathered.notes.into_vec();
        preview
    }

    fn read_records(&mut self, opened: Opened<'i>, plan: Option<Plan>) -> Result<(), ImportError> {
        let Opened {
            mut input,
            table,
            records,
            preset,
        } = opened;
        let chain = preset.as_ref().and_then(|preset| preset.chain);
        self.chain = chain.map(|HashChain::Eventsourcingdb| Chain::default());
        self.coverage = Counter::new();
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
                lines::read(reader, &names, &mut |line, raw| {
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
        let mut rows = Rows::new(reader, names, table.dialect);
        let mut is_header = table.has_header;
        loop {
            let next = rows.next()?;
            if next == Next::End {
                return Ok(());
            }
            if std::mem::take(&mut is_header) {
                continue;
            }
            self.count_record()?;
            let line = rows.line();
            let (text, ends) = rows.cells();
            let taken = match next {
                Next::Row | Next::End => table.map(plan, text, ends, &names.stem),
                Next::Wrong => Err(rows.fault().to_owned()),
                Next::TooLong => Err(format!("longer than {} MiB", MAX_RECORD_BYTES >> 20)),
            };
            let taken = taken.and_then(|draft| {
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
            self.settle_with(names, line, taken, rows.raw(), cells)?;
        }
    }

    /// Says that the file seems to be one that was imported under another name.
    fn note_other_name(&mut self, names: &FileNames) {
        let first = std::mem::take(&mut self.first);
        if first.len() == 0 {
            return;
        }
        let source = &names.source;
        let here = self
            .firsts
            .iter()
            .find(|(other, name)| *other == first && name != source);
        let other = match here {
            Some((_, other)) => Some(other.clone()),
            None => (self.before.held_as)(&first, source),
        };
        if let Some(other) = other {
            let detail = format!(
                "the file begins with the same {} as what was imported as {other:?}; as {source:?} they are stored again. \
                 If it is the same file, give it the name it had",
                match first.len() {
                    1 => "record".to_owned(),
                    n => format!("{n} records"),
                }
            );
            self.gathered.notes.add_each(
                FindingKind::ImportedBefore,
                Severity::Warning,
                place(names, 1, None),
                detail,
            );
        }
        self.firsts.push((first, source.clone()));
    }

    /// Rows of a table that are read as records.
    fn record_rows(
        &mut self,
        reader: &mut dyn std::io::BufRead,
        names: &FileNames,
        table: &Table,
        plan: &RecordPlan,
    ) -> Result<(), ImportError> {
        let mut rows = Rows::new(reader, names, table.dialect);
        let mut is_header = table.has_header;
        loop {
            let next = rows.next()?;
            if next == Next::End {
                return Ok(());
            }
            if std::mem::take(&mut is_header) {
                continue;
            }
            let line = rows.line();
            let (text, ends) = rows.cells();
            let record = match next {
                Next::Row | Next::End => table.record(text, ends),
                Next::Wrong => Err(rows.fault().to_owned()),
                Next::TooLong => Err(format!("longer than {} MiB", MAX_RECORD_BYTES >> 20)),
            };
            match record {
                Ok(record) => self.records(names, line, &record, plan)?,
                Err(reason) => {
                    self.count_record()?;
                    self.settle(names, line, Err(reason), rows.raw())?;
                }
            }
        }
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
                let reason = format!("longer than {} MiB", MAX_RECORD_BYTES >> 20);
                return self.settle(names, line, Err(reason), start);
            }
            RawRecord::Unfinished(start) => {
                let notes = &mut self.gathered.notes;
                notes.add(FindingKind::UnfinishedLine, Severity::Warning, || {
                    let detail = format!(
                        "the last line ends after {} bytes in the middle of a record; it was left for the next import of the file",
                        start.len()
                    );
                    (place(names, line, None), detail)
                });
                return Ok(());
            }
        };
        if let Some(plan) = plan
            && let Ok(text) = std::str::from_utf8(record)
        {
            if let Some(detail) = self.chain.as_mut().and_then(|chain| chain.take(text)) {
                let here = || (place(names, line, None), detail);
                let notes = &mut self.gathered.notes;
                notes.add(FindingKind::ChainBroken, Severity::Severe, here);
            }
            return self.records(names, line, text, plan);
        }
        self.count_record()?;
        let rules = Rules {
            zone: self.zone,
            stem: &names.stem,
        };
        let taken = mapping::map(record, &rules, line)
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
        let notes = &mut self.gathered.notes;
        notes.add(FindingKind::NotKept, Severity::Notice, || {
            let detail =
                format!("{lost} around the list of records belongs to none and was not kept");
            (place(names, line, None), detail)
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
        let taken = plan.map(text, &names.stem, line).and_then(|draft| {
            let draft = match draft {
                Some(draft) => draft,
                // The mapping finds nothing of its own in it: perhaps another kind of record.
                None => {
                    let rules = Rules {
                        zone: self.zone,
                        stem: &names.stem,
                    };
                    mapping::map(record, &rules, line)?
                }
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
        let note = |kind, severity, detail: &dyn Fn() -> String, notes: &mut Notes| {
            notes.add(kind, severity, || (place(names, line, None), detail()));
        };
        let notes = &mut self.gathered.notes;
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
            xes::Item::EmptyTrace(name) => note(
                FindingKind::EmptyTrace,
                Severity::Notice,
                &|| format!("trace {name} holds no events, so no stream holds it"),
                notes,
            ),
            xes::Item::RepeatedTrace(name) => note(
                FindingKind::DuplicateTrace,
                Severity::Warning,
                &|| format!("trace {name} comes again; its events went into the same stream"),
                notes,
            ),
            xes::Item::NotKept(what) => note(
                FindingKind::NotKept,
                Severity::Notice,
                &|| format!("{what} belongs to no event and was not kept"),
                notes,
            ),
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
                self.gathered
                    .notes
                    .add(FindingKind::NotKept, Severity::Notice, || {
                        let detail = format!("{what} belongs to no event and was not kept");
                        (place(names, line, None), detail)
                    });
                Ok(())
            }
        }
    }

    fn count_record(&mut self) -> Result<(), ImportError> {
        let is_enough = self.glance.as_ref().is_some_and(Glance::is_full);
        if is_enough || self.progress.cancel.load(Ordering::Relaxed) {
            return Err(ImportError::Cancelled);
        }
        self.gathered.read += 1;
        self.progress.records_read.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A record that could not be taken is rejected; a spool or log that could not be written ends the import.
    fn settle(
        &mut self,
        names: &FileNames,
        line: u64,
        taken: Result<Result<(), ImportError>, String>,
        record: &[u8],
    ) -> Result<(), ImportError> {
        self.settle_with(names, line, taken, record, None)
    }

    fn settle_with(
        &mut self,
        names: &FileNames,
        line: u64,
        taken: Result<Result<(), ImportError>, String>,
        record: &[u8],
        cells: Option<ShownCells>,
    ) -> Result<(), ImportError> {
        if let Some(glance) = &mut self.glance {
            glance.record(line, record, cells, taken.err());
            return Ok(());
        }
        match taken {
            Ok(kept) => kept,
            Err(reason) => self.gathered.rejects.add(&names.file, line, reason, record),
        }
    }

    /// Gives the draft what it lacks and spools it. The error is the reason for a rejection.
    fn accept(
        &mut self,
        names: &FileNames,
        line: u64,
        draft: &Draft<'_>,
        untyped: &str,
        identity: &[&[u8]],
    ) -> Result<Result<(), ImportError>, String> {
        let category = match &self.request.category {
            Some(category) => Some(category.as_str()),
            None => draft.category.as_deref(),
        };
        check_names(draft, category)?;
        let source = draft.source.as_deref().unwrap_or(&names.source);
        let made_id;
        let mut occurrence = 1;
        let id = match draft.id.as_deref() {
            Some(id) => id,
            None => {
                let digest = sources::digest(source, identity);
                let mut beginning = [0; 16];
                beginning.copy_from_slice(&digest[..16]);
                let seen = self.occurrences.entry(beginning).or_insert(0);
                *seen += 1;
                occurrence = *seen;
                made_id = sources::made_id(digest, occurrence);
                &made_id
            }
        };
        if draft.source.is_none() {
            match &draft.id {
                Some(id) => self.first.note(Some(id), &[draft.data.as_bytes()], 1),
                None => self.first.note(None, identity, occurrence),
            }
        }
        let stream = self
            .gathered
            .streams
            .index_of(&draft.stream)
            .map_err(|e| e.to_string())?;
        self.cover(stream, draft);
        let time = self.time_in_stream(names, line, stream, draft);
        self.note_version(names, line, stream, draft.source_version.as_deref());
        let event_type = match draft.event_type.as_deref() {
            Some(event_type) => event_type,
            None => {
                self.gathered
                    .notes
                    .add(FindingKind::MissingType, Severity::Warning, || {
                        (
                            place(names, line, Some(&draft.stream)),
                            format!("the record names no type; it became {untyped:?}"),
                        )
                    });
                untyped
            }
        };
        if let Some(key) = &draft.repeated_key {
            self.gathered
                .notes
                .add(FindingKind::DuplicateKey, Severity::Warning, || {
                    let mut place = place(names, line, Some(&draft.stream));
                    place.path = Some(key.clone());
                    (
                        place,
                        format!(
                            "an object holds the key {key:?} more than once; reading takes the last"
                        ),
                    )
                });
        }
        let totals = &mut self.gathered;
        let state = &mut totals.streams.list[stream];
        if draft.in_log_order {
            self.log_reached = self.log_reached.max(state.reached);
            // What comes later in this stream, from whatever file, stays behind this event.
            state.reached = self.log_reached;
        }
        let reached = state.reached;
        // What only the clock says is left to the log's own reading of it: two imports of the same record
        // would differ in it and not be known for the same.
        let time = (!state.last_is_clock).then_some(&time);
        if let Some(SourceTime { time, .. }) = time {
            totals.first_time = Some(totals.first_time.map_or(*time, |t| t.min(*time)));
            totals.last_time = Some(totals.last_time.map_or(*time, |t| t.max(*time)));
        }
        let entry = Entry {
            stream: stream as u32,
            category,
            file: self.file,
            line,
            id,
            event_type,
            time,
            schema_version: draft.schema_version.as_deref(),
            source,
            source_id: draft.source_id.as_deref(),
            source_version: draft.source_version.as_deref(),
            source_position: draft.source_position.as_deref(),
            source_recorded_at: draft.source_recorded_at,
            data: &draft.data,
            metadata: draft.metadata.as_deref(),
            beyond: draft.beyond.as_deref(),
        };
        if let Some(glance) = &mut self.glance {
            glance.event(&state.name, &entry);
            return Ok(Ok(()));
        }
        Ok(self.keep(reached, &entry))
    }

    /// Counts what the event holds of what happened.
    fn cover(&mut self, stream: usize, draft: &Draft<'_>) {
        if !self.coverage.looks() {
            return;
        }
        let state = &self.gathered.streams.list[stream];
        self.coverage.take(&Seen {
            data: &draft.data,
            metadata: draft.metadata.as_deref(),
            has_time: draft.time.is_some(),
            is_followed: !state.is_new || (self.before.is_known)(&state.name),
        });
    }

    /// Spools an event and, as long as that is possible, stores it.
    fn keep(&mut self, reached: Time, entry: &Entry<'_>) -> Result<(), ImportError> {
        if let Some(spool) = &mut self.spool {
            spool
                .push(reached, entry)
                .map_err(|e| spool_error(self.folder, e))?;
        }
        let Some(ahead) = self.ahead.as_mut() else {
            return Ok(());
        };
        match entry.whole().filter(|_| ahead.can_follow(reached)) {
            Some(event) => {
                let name = &self.gathered.streams.list[entry.stream as usize].name;
                ahead.follow(reached, name, event, self.progress)
            }
            None => {
                self.ahead = None;
                self.progress.events_done.store(0, Ordering::Relaxed);
                self.progress.events_stored.store(0, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// The event's time, or the one before it in its stream; moves the stream's times on.
    fn time_in_stream(
        &mut self,
        names: &FileNames,
        line: u64,
        stream: usize,
        draft: &Draft<'_>,
    ) -> SourceTime {
        let state = &mut self.gathered.streams.list[stream];
        let notes = &mut self.gathered.notes;
        let here = || place(names, line, Some(&draft.stream));
        let is_first = std::mem::take(&mut state.is_new);
        let last_is_clock = state.last_is_clock;
        state.last_is_clock = false;
        let time = match &draft.time {
            Some(time) => time.clone(),
            None => {
                state.last_is_clock = is_first || last_is_clock;
                let time = if is_first { self.now } else { state.last };
                let from_clock = state.last_is_clock;
                notes.add(FindingKind::MissingTime, Severity::Warning, || {
                    let taken = if from_clock {
                        // The log's clock is read when it takes the event, so no instant is named here.
                        "that of the import".to_owned()
                    } else {
                        format!("that of the event before it in its stream, {time}")
                    };
                    (here(), format!("the record has no time; it took {taken}"))
                });
                SourceTime::unwritten(time)
            }
        };
        let zone = self.zone;
        let written = || time.text.clone().unwrap_or_default();
        if time.date_only {
            notes.add(FindingKind::DateOnly, Severity::Notice, || {
                let written = written();
                let detail = match written.len() {
                    0..=7 => {
                        format!("{written:?} names no day; it became 00:00 {zone} of its first day")
                    }
                    _ => {
                        format!("{written:?} names a day only; it became 00:00 {zone} of that day")
                    }
                };
                (here(), detail)
            });
        } else if time.zone_assumed {
            notes.add(FindingKind::ZoneAssumed, Severity::Warning, || {
                (
                    here(),
                    format!("{:?} names no zone; {zone} was assumed", written()),
                )
            });
        }
        if time.ambiguous {
            notes.add(FindingKind::AmbiguousLocalTime, Severity::Warning, || {
                (
                    here(),
                    format!(
                        "{:?} does not exist or exists twice in {zone}; {} was taken",
                        written(),
                        time.time
                    ),
                )
            });
        }
        if !is_first && !last_is_clock && time.time < state.last && !draft.unordered {
            let last = state.last;
            notes.add(FindingKind::TimeRunsBackwards, Severity::Warning, || {
                (
                    here(),
                    format!("{} comes after {last} in the file", time.time),
                )
            });
        }
        state.reached = if is_first || draft.unordered {
            time.time
        } else {
            state.reached.max(time.time)
        };
        state.last = time.time;
        time
    }

    fn note_version(&mut self, names: &FileNames, line: u64, stream: usize, version: Option<&str>) {
        let Some(version) = version.and_then(|v| v.parse::<i64>().ok()) else {
            return;
        };
        let state = &mut self.gathered.streams.list[stream];
        let detail = match state.last_version.replace(version) {
            Some(last) if last.checked_add(1) == Some(version) => return,
            Some(last) => format!("version {version} follows version {last} in the source"),
            None if version <= 1 || (self.before.is_known)(&state.name) => return,
            None => format!("the stream begins with version {version} in the source"),
        };
        let stream = state.name.as_str();
        self.gathered
            .notes
            .add(FindingKind::VersionGap, Severity::Warning, || {
                (place(names, line, Some(stream)), detail)
            });
    }
}

/// Whether a file begins with an object that is longer than what was read of it.
fn begins_long_object(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let mut values =
        serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
    text.starts_with(b"{") && values.next().is_some_and(|value| value.is_err())
}

fn check_names(draft: &Draft<'_>, category: Option<&str>) -> Result<(), String> {
    let reason = |e: NameError| e.to_string();
    // Stream names are checked where they are first seen.
    if let Some(id) = draft.id.as_deref().filter(|id| id.len() > LONG) {
        EventId::new(id).map_err(reason)?;
    }
    if let Some(name) = draft.event_type.as_deref().filter(|t| t.len() > LONG) {
        EventType::new(name).map_err(reason)?;
    }
    if let Some(category) = category {
        Category::new(category).map_err(reason)?;
    }
    Ok(())
}

/// Names up to this length are surely short enough, and none of them is empty here.
const LONG: usize = 256;

fn place(names: &FileNames, line: u64, stream: Option<&str>) -> Place {
    Place {
        file: Some(names.file.clone()),
        line: Some(line),
        stream: stream.map(str::to_owned),
        ..Place::default()
    }
}

pub(super) fn spool_error(folder: &Path, source: std::io::Error) -> ImportError {
    ImportError::Io {
        file: format!("{} (temporary file of the import)", folder.display()),
        source,
    }
}
