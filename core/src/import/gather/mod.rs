//! The first pass of an import: every record of every file gets what it lacks and goes into the log, or, where the
//! files turn out not to be in its order, into the spool.
//!
//! | module | what it holds |
//! |---|---|
//! | `records` | the records of a file, as its format gives them |
//! | `accept` | a draft gets what it lacks |

mod accept;
mod records;

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::chain::Chain;
use super::coverage::Counter;
use super::csv::{Plan, Table};
use super::detect::{self, Asked, FileNames, Input};
use super::encoding::Encoding;
use super::files::{self, Origin, Skip, Source};
use super::pack::Compression;
use super::preset::{self, Preset, Told};
use super::preview::{FilePreview, Glance, PreviewRequest};
use super::record::RecordPlan;
use super::report::{FileReport, Notes, Rejects};
use super::sources::FirstRecords;
use super::spool::Spool;
use super::store::Ahead;
use super::streams::{StableHasher, Streams};
use super::unchanged::{Beginning, Known, UnchangedPart};
use super::{Format, ImportError, ImportRequest, Mapping, Phase, Progress, SourceOrder};
use crate::finding::{FindingKind, Place, Severity};
use crate::id::StreamId;
use crate::integrity::Hash;
use crate::position::Position;
use crate::time::Time;

/// The time of an event that the next one of its stream takes where it has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastTime {
    pub time: Time,
    /// It was that of the import: its record had none either.
    pub is_clock: bool,
}

/// What the log holds already.
#[derive(Clone, Copy)]
pub(super) struct Before<'i> {
    /// Whether it holds a stream.
    pub is_known: &'i dyn Fn(&StreamId) -> bool,
    /// Another source under which it holds the first records of a file.
    pub held_as: &'i dyn Fn(&FirstRecords, &str) -> Option<String>,
    /// What the last import of a source left of it.
    pub known: &'i dyn Fn(&str) -> Option<Known>,
    /// The time of the last event of a stream among those at these positions.
    pub last_time: &'i dyn Fn(&StreamId, &[Position]) -> Option<LastTime>,
    /// Where the event of this id stands.
    pub position_of: &'i dyn Fn(&str) -> Option<Position>,
}

impl Before<'_> {
    /// Nothing is held yet.
    pub(super) fn nothing() -> Before<'static> {
        Before {
            is_known: &|_| false,
            held_as: &|_, _| None,
            known: &|_| None,
            last_time: &|_, _| None,
            position_of: &|_| None,
        }
    }
}

/// Reads every file and stores `ahead`; without that, into a spool in `folder`. `None` where an event belongs before
/// one that was stored: nothing is kept then.
pub(super) fn gather<'i, 'w>(
    request: &'i ImportRequest,
    folder: &'i Path,
    now: Time,
    progress: &'i Progress,
    before: Before<'i>,
    ahead: Option<Ahead<'w>>,
) -> Result<Option<Gathered<'w>>, ImportError> {
    let spool = match &ahead {
        Some(_) => None,
        None => Some(Spool::in_folder(folder).map_err(|e| spool_error(folder, e))?),
    };
    let (sources, skipped) = files::expand(&request.paths, request.format)?;
    let total = sources.iter().map(|source| source.bytes).sum();
    progress.bytes_total.store(total, Ordering::Relaxed);
    progress.enter(Phase::Reading);
    let mut gathering = Gathering::new(request, folder, now, progress, before)?;
    gathering.spool = spool;
    gathering.ahead = ahead;
    for Skip { file, why } in skipped {
        gathering.skip(&file, 0, why);
    }
    for source in &sources {
        match gathering.read_file(source) {
            Err(_) if gathering.is_behind => return Ok(None),
            read => read?,
        }
    }
    let mut totals = gathering.gathered;
    totals.streams.forget_names();
    Ok(Some(Gathered {
        spool: gathering.spool,
        totals,
        folder: folder.to_owned(),
        ahead: gathering.ahead,
    }))
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
        let before = Before::nothing();
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
            .map_err(|message| input.names.malformed(1, message))?
            .map(|plan| match (&told, asked) {
                (Some(_), None) => plan.of_known_source(),
                _ => plan,
            });
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

/// Everything that the files held, in the spool or in the log already.
pub(super) struct Gathered<'w> {
    pub spool: Option<Spool>,
    pub totals: Totals,
    pub folder: std::path::PathBuf,
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
    /// For each of them, where the events of its beginning stand that was not read again.
    pub unchanged: Vec<Vec<Position>>,
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
    /// Where events go: here, or `ahead`, or nowhere if the records are only looked at.
    spool: Option<Spool>,
    ahead: Option<Ahead<'w>>,
    /// An event could not follow on those that were stored ahead.
    is_behind: bool,
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
    /// The file at hand is one of CloudEvents.
    may_be_own: bool,
    /// Positions of the beginning of the file at hand that is not read again, in order of the log.
    begun: Vec<Position>,
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
            is_behind: false,
            glance: None,
            gathered: Totals {
                read: 0,
                first_time: None,
                last_time: None,
                streams: Streams::default(),
                files: Vec::new(),
                in_folder: Vec::new(),
                unchanged: Vec::new(),
                notes: Notes::default(),
                rejects: Rejects::new(request.rejects.as_deref())?,
            },
            occurrences: HashMap::default(),
            log_reached: Time::MIN,
            file: 0,
            chain: None,
            may_be_own: false,
            begun: Vec::new(),
            coverage: Counter::new(true),
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
            unchanged: None,
            skipped: None,
            seen: None,
        });
        self.gathered.in_folder.push(source.in_folder.is_some());
        let beginning = self.unchanged(source, &opened)?;
        let input = &opened.input;
        let positions = beginning.iter().flat_map(|part| &part.positions).copied();
        self.gathered.unchanged.push(positions.clone().collect());
        self.begun = positions.collect();
        self.begun.sort_unstable();
        let taken = input.taken.clone();
        let names = input.names.clone();
        match self.read_records(opened, plan, beginning.as_ref()) {
            // Of a format in which this one holds nothing: a description beside the data, perhaps.
            Err(ImportError::Malformed { file, message, .. })
                if source.in_folder.is_some() && self.gathered.read == before =>
            {
                self.gathered.files.pop();
                self.gathered.in_folder.pop();
                self.gathered.unchanged.pop();
                self.skip(&file, source.bytes, message);
                return Ok(());
            }
            read => read?,
        }
        self.note_other_name(&names);
        let report = &mut self.gathered.files[self.file as usize];
        report.read = self.gathered.read - before;
        report.bytes = taken.bytes();
        report.sha256 = taken.sha256();
        report.unchanged = beginning.map(|part| UnchangedPart {
            bytes: part.bytes,
            records: part.positions.len() as u64,
            since: part.since,
        });
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
            unchanged: None,
            skipped: Some(why),
            seen: None,
        });
        self.gathered.in_folder.push(true);
        self.gathered.unchanged.push(Vec::new());
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
            Ok(plan) => self.read_records(opened, plan, None),
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

    /// The beginning of a file that an earlier import has read by the same rules, if it is there as it was.
    fn unchanged(
        &self,
        source: &Source,
        opened: &Opened<'_>,
    ) -> Result<Option<Beginning>, ImportError> {
        let input = &opened.input;
        let is_plain = matches!(source.origin, Origin::File)
            && !input.is_store
            && input.format == Format::Jsonl
            && input.encoding == Encoding::Utf8
            && input.names.packed == Compression::None;
        // Whole lists in a line, hashes of the source, and what the user says otherwise need every record.
        let is_by_line = opened.records.as_ref().is_none_or(RecordPlan::is_by_line);
        let is_chained = opened.preset.as_ref().is_some_and(|p| p.chain.is_some());
        let is_asked = self.request.category.is_some() || self.request.zone != chrono_tz::UTC;
        if !is_plain || !is_by_line || is_chained || is_asked {
            return Ok(None);
        }
        let known = (self.before.known)(&input.names.source).filter(|known| {
            known.format == "jsonl" && known.mapping_sha256 == opened.mapping().map(Mapping::sha256)
        });
        let Some(known) = known else {
            return Ok(None);
        };
        Beginning::of(&source.path, &known, self.progress).map_err(|e| input.names.unreadable(1, e))
    }

    /// Passes over a beginning; its records count as read.
    fn pass(
        &mut self,
        reader: &mut dyn std::io::BufRead,
        names: &FileNames,
        beginning: &Beginning,
    ) -> Result<(), ImportError> {
        let passed = std::io::copy(&mut reader.take(beginning.bytes), &mut std::io::sink());
        passed.map_err(|e| names.unreadable(1, e))?;
        let records = beginning.positions.len() as u64;
        self.gathered.read += records;
        self.progress
            .records_read
            .fetch_add(records, Ordering::Relaxed);
        Ok(())
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
}

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
