//! `annals import`: files to a store, with a report that accounts for every record.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use annals_core::finding::FindingKind;
use annals_core::id::Category;
use annals_core::import::{
    ChainReport, Encoding, Format, ImportReport, ImportRequest, Imported, NOT_PROVED, Presence,
    Presets, Progress, SeenAgain, SourceOrder, UnchangedPart, import_into,
};
use annals_core::position::Position;
use annals_core::store::{Coverage, Log};
use annals_core::surroundings::{Surroundings, data_folder};
use annals_core::time::Time;
use chrono_tz::Tz;
use indicatif::ProgressBar;

use crate::commands::print_findings;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::Output;
use crate::table::pairs;
use crate::text::{MAX_DATA_COLUMNS, counted, cut, visible};
use crate::watch::{beside_bar, cancel_on_interrupt};

mod explain;
mod mapping;

/// Rejected records that are printed.
const MAX_REJECTS: usize = 10;

/// Bring events from files into a store.
///
/// All of the files or none: an import that is stopped leaves the store as it was. Importing the same again
/// adds nothing.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Files, folders and git repositories to read, in order; .gz, .zst and .zip are unpacked, sheets of .xlsx are tables
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The store; made where it does not exist
    #[arg(long, value_name = "STORE", required_unless_present = "explain")]
    into: Option<PathBuf>,
    /// Say how the files would be read, show the first records, and store nothing
    #[arg(long, conflicts_with_all = ["into", "dry_run", "rejects"])]
    explain: bool,
    /// How to read the files: auto (by their content), jsonl, json, xes, csv, ocel, git, or a name that annals formats lists
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: String,
    /// How bytes spell text: utf-8, utf-16le, utf-16be, latin-1 or windows-1252; by default by content
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<Encoding>,
    /// How rows of tables become events: a TOML file; what it leaves open is guessed
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Write the mapping that was used, guesses filled in
    #[arg(long, value_name = "FILE")]
    save_map: Option<PathBuf>,
    /// Keep how the file is read as a preset of this name beside a store: with --explain and --beside
    #[arg(long, value_name = "NAME", requires = "beside")]
    save_preset: Option<String>,
    /// With --explain: the store whose presets are tried, too
    #[arg(long, value_name = "STORE", requires = "explain")]
    beside: Option<PathBuf>,
    /// What stands between the cells of a table: one character, or tab
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
    /// How times are written in a table, such as "%d.%m.%Y %H:%M:%S", or "epoch ms"
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,
    /// Category of all streams; by default the text before the first - of each stream's name
    #[arg(long, value_name = "C")]
    category: Option<Category>,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = instant::zone)]
    zone: Tz,
    /// Read and report, but store nothing
    #[arg(long)]
    dry_run: bool,
    /// Where to write rejected records with their reasons
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// The format that is asked for by name: one read by code, or a preset.
fn asked_format(name: &str, store: Option<&Path>) -> Result<(Format, Presets), Failure> {
    let by_code = match name {
        "auto" => Some(Format::Auto),
        "jsonl" => Some(Format::Jsonl),
        "json" => Some(Format::Json),
        "xes" => Some(Format::Xes),
        "csv" => Some(Format::Csv),
        "ocel" => Some(Format::Ocel),
        "git" => Some(Format::Git),
        _ => None,
    };
    let preset = by_code.is_none().then_some(name);
    let presets = Presets::of_store(store, data_folder().as_deref(), preset)?;
    Ok((by_code.unwrap_or_default(), presets))
}

/// Runs the command.
pub fn run(args: Import, output: &mut Output) -> Result<Exit, Failure> {
    let mapping = mapping::asked(&args)?;
    if let Some(file) = &args.save_map {
        mapping::may_save(file, &args.paths, args.into.as_deref())?;
    }
    let (format, presets) = asked_format(
        &args.format,
        args.into.as_deref().or(args.beside.as_deref()),
    )?;
    let Some(into) = &args.into else {
        return explain::run(args, format, presets, mapping, output);
    };
    let request = ImportRequest {
        paths: args.paths,
        format,
        encoding: args.encoding,
        mapping,
        presets,
        category: args.category,
        zone: args.zone,
        dry_run: args.dry_run,
        rejects: args.rejects,
    };
    let surroundings = Surroundings::system();
    let progress = Arc::new(Progress::default());
    let on_interrupt = Arc::clone(&progress);
    cancel_on_interrupt(move || on_interrupt.cancel.swap(true, Ordering::Relaxed));
    let style = "{bar:30} {bytes} of {total_bytes}, {msg}, {elapsed}";
    let draw = |bar: &ProgressBar| draw(bar, &progress);
    let before = match into.exists() {
        true => Log::explore(into)?.head()?.size,
        false => Position::ZERO,
    };
    let Imported { report, made } = beside_bar(style, Duration::ZERO, draw, || {
        import_into(into, Presence::Either, &request, &surroundings, &progress)
    })?;
    if !args.dry_run {
        let log = Log::explore(into)?;
        super::follow(into, &log)?;
        super::snapshot_since(&log, before);
    }
    if let Some(file) = &args.save_map {
        let mappings = report.files.iter().filter_map(|f| f.mapping.as_ref());
        mapping::save(mappings, file)?;
    }
    output.show(&report, |output| print(&report, into, made, output))?;
    let differs = |seen: &SeenAgain| !seen.only_grew();
    let tampered = report
        .files
        .iter()
        .filter_map(|file| file.seen.as_ref())
        .any(differs)
        || report.findings.iter().any(|found| {
            matches!(
                found.kind,
                FindingKind::SourceVanished | FindingKind::ChainBroken
            )
        });
    Ok(if report.rejected > 0 || tampered {
        Exit::Problems
    } else {
        Exit::Done
    })
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.bytes_total.load(Ordering::Relaxed));
    bar.set_position(progress.bytes_read.load(Ordering::Relaxed));
    bar.set_message(format!(
        "{} records read, {} stored",
        progress.records_read.load(Ordering::Relaxed),
        progress.events_stored.load(Ordering::Relaxed)
    ));
}

/// What became of what was seen before, in one line.
fn seen_text(seen: &SeenAgain) -> String {
    let SeenAgain {
        looks,
        last_seen,
        before,
        changed,
        vanished,
        reordered,
        inserted,
        appended,
    } = seen;
    let differs = if seen.only_grew() {
        "all of them are there as they were".to_owned()
    } else {
        format!(
            "{changed} changed, {vanished} vanished, {reordered} reordered, {inserted} inserted"
        )
    };
    format!(
        "  look {looks}; {} seen at {last_seen}, {differs}; {appended} new at the end",
        counted(*before, "record")
    )
}

/// How far the order of a source can be relied on, and how much of what happened it holds, in one line.
fn coverage_text(order: SourceOrder, coverage: &Coverage) -> String {
    let order = match order {
        SourceOrder::Total => "total",
        SourceOrder::PerStream => "per stream",
        SourceOrder::PerPartition => "per partition",
        SourceOrder::Unknown => "unknown",
    };
    match holds_text(coverage) {
        None => format!("  order {order}"),
        Some(holds) => format!("  order {order}; {holds}"),
    }
}

/// How much of what happened a source holds; `None` where no event of it was looked at.
pub fn holds_text(coverage: &Coverage) -> Option<String> {
    let [previous, when, who, why] = coverage.percent()?;
    Some(format!(
        "holds what was before {previous} %, when {when} %, who {who} %, why {why} % (of {})",
        counted(coverage.looked_at, "event")
    ))
}

/// What was found of the hashes that a source's events hold, in one line.
fn chain_text(chain: &ChainReport) -> String {
    let ChainReport {
        checked,
        changed,
        unlinked,
        begins,
        signed,
        first,
        last,
        head,
    } = chain;
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let fits = if changed + unlinked == 0 {
        "all fit".to_owned()
    } else {
        format!("{changed} changed, {unlinked} do not name the one before")
    };
    let parts = match begins {
        0 => String::new(),
        n => format!(", {n} with a predecessor that is not in the file"),
    };
    let signed = match signed {
        0 => String::new(),
        n => format!("; {n} signed (not checked: that takes the key of the database)"),
    };
    format!(
        "  hashes of {} computed again, ids {} to {}: {fits}{parts}; the last is {}{signed}",
        counted(*checked, "event"),
        said(first),
        said(last),
        said(head)
    )
}

/// What a file was read as: the preset, if it was one, and what its bytes are.
fn read_as(format: Format, preset: Option<&str>) -> String {
    match preset {
        Some(preset) => format!("{preset} in {}", format_name(format)),
        None => format_name(format).to_owned(),
    }
}

/// Name of a format for a reader.
fn format_name(format: Format) -> &'static str {
    match format {
        Format::Auto => "auto",
        Format::Jsonl => "JSON Lines",
        Format::Json => "JSON",
        Format::Xes => "XES",
        Format::Csv => "CSV",
        Format::Ocel => "OCEL",
        Format::Git => "git",
    }
}

fn print(
    report: &ImportReport,
    store: &Path,
    made: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let ImportReport {
        read,
        stored,
        duplicates,
        rejected,
        streams,
        types,
        first_time,
        last_time,
        dry_run,
        files,
        findings,
        rejects,
        rejects_file,
    } = report;
    if made {
        output.line(&visible(&format!("made the store {}", store.display())))?;
    }
    if *dry_run {
        output.line("dry run: nothing was stored; this is what would have been")?;
    }
    for file in files {
        if let Some(why) = &file.skipped {
            output.line(&visible(&format!("{}: not read: {why}", file.file)))?;
            continue;
        }
        output.line(&visible(&format!(
            "{}: {}, read as {} ({})",
            file.file,
            counted(file.read, "record"),
            read_as(file.format, file.preset.as_deref()),
            file.why
        )))?;
        if let Some(mapping) = &file.mapping_sha256 {
            output.line(&format!("  by the mapping {mapping}"))?;
        }
        if let Some(coverage) = &file.coverage {
            output.line(&coverage_text(file.order, coverage))?;
        }
        if let Some(UnchangedPart {
            bytes,
            records,
            since,
        }) = &file.unchanged
        {
            output.line(&format!(
                "  its first {bytes} bytes, {}, are as they were read at {since} and were not read again",
                counted(*records, "record")
            ))?;
        }
        if let Some(chain) = &file.chain {
            output.line(&visible(&chain_text(chain)))?;
        }
        if let Some(seen) = &file.seen {
            output.line(&seen_text(seen))?;
        }
    }
    output.line("")?;
    let time = |t: &Option<Time>| t.map_or("-".to_owned(), |t| t.to_string());
    for line in pairs(&[
        ("read", read.to_string()),
        ("stored", stored.to_string()),
        ("duplicates", duplicates.to_string()),
        ("rejected", rejected.to_string()),
        ("streams", streams.to_string()),
        ("types", types.to_string()),
        ("first event", time(first_time)),
        ("last event", time(last_time)),
    ]) {
        output.line(&line)?;
    }
    print_findings(findings, output)?;
    if files.iter().any(|file| file.seen.is_some()) {
        output.line("")?;
        output.line("compared with what was seen before; what that does not prove:")?;
        for sentence in NOT_PROVED {
            output.line(&format!("  {sentence}"))?;
        }
    }
    if *rejected == 0 {
        return Ok(());
    }
    output.line("")?;
    output.line("rejected")?;
    for reject in rejects.iter().take(MAX_REJECTS) {
        output.line(&visible(&format!(
            "  {}:{}: {}",
            reject.file, reject.line, reject.reason
        )))?;
        let record = cut(&visible(reject.record.trim()), MAX_DATA_COLUMNS + 20);
        output.line(&format!("    {record}"))?;
    }
    let shown = rejects.len().min(MAX_REJECTS) as u64;
    match rejects_file {
        Some(file) => output.line(&visible(&format!("all {rejected} are in {file}"))),
        None if *rejected > shown => output.line(&format!(
            "{shown} of {rejected}; --rejects FILE keeps them all, and an import again adds only what is missing"
        )),
        None => Ok(()),
    }
}
