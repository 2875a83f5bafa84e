//! Import of a whole file, against the plain table filled 1,000 rows a transaction from the same file. Both
//! parse the JSON of each line; the baseline takes the members it knows and keeps data and metadata as text.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use annals_core::import::{ImportRequest, Presence, Progress, import_into};
use annals_core::surroundings::Surroundings;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::append::baseline;
use crate::child::{self, Figures};
use crate::report::{Goal, Row};
use crate::{Outcome, Plan};

/// One line of the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    pub event_id: &'a str,
    pub aggregate_id: &'a str,
    pub event_type: &'a str,
    pub timestamp: &'a str,
    #[serde(borrow)]
    pub data: &'a RawValue,
    #[serde(borrow)]
    pub metadata: &'a RawValue,
}

/// Imports into a new store as the command line does, in a process of its own.
pub fn child(file: &Path, store: &Path) -> Outcome<()> {
    let start = Instant::now();
    let surroundings = Surroundings::system();
    let request = ImportRequest::of(vec![file.to_owned()]);
    let progress = Progress::default();
    let imported = import_into(store, Presence::New, &request, &surroundings, &progress)?;
    child::told(start.elapsed().as_secs_f64(), imported.report.stored);
    Ok(())
}

/// What the import left, for the rows that read.
pub struct Imported {
    /// Annals' store.
    pub store: PathBuf,
    /// The baseline's file.
    pub baseline: PathBuf,
}

/// What an import before left in the folder; imports once where there is nothing.
pub fn at_hand(plan: &Plan) -> Outcome<Imported> {
    let (store, baseline) = files(plan);
    if store.exists() && baseline.exists() {
        return Ok(Imported { store, baseline });
    }
    let file = crate::generate::file(plan)?;
    in_child(plan, &file, &store)?;
    theirs(&baseline, &file)?;
    Ok(Imported { store, baseline })
}

fn files(plan: &Plan) -> (PathBuf, PathBuf) {
    let file = |name: &str| plan.folder.join(name);
    (file("imported.annals"), file("imported.sqlite"))
}

/// Measures rate, size and peak memory.
pub fn measure(plan: &Plan, file: &Path) -> Outcome<(Vec<Row>, Imported)> {
    let mut rate = Row::new(
        format!("import of {} events, JSON Lines", plan.events),
        "events/s",
        Goal::RatioFrom {
            floor: 1.0,
            goal: 1.5,
        },
    );
    let mut size = Row::new(
        "size of the file after that import",
        "MB",
        Goal::RatioAtMost(1.35),
    );
    let mut memory = Row::new(
        "peak resident memory of that import",
        "MB",
        Goal::AtMost(300.0),
    );
    let (store, baseline) = files(plan);
    let mb = |path: &Path| -> Outcome<f64> { Ok(std::fs::metadata(path)?.len() as f64 / 1e6) };
    for round in 0..plan.rounds {
        if round % 2 == 1 {
            rate.baseline.push(theirs(&baseline, file)?);
        }
        let import = in_child(plan, file, &store)?;
        rate.ours.push(plan.events as f64 / import.seconds);
        memory.ours.push(import.peak_kb / 1024.0);
        if round % 2 == 0 {
            rate.baseline.push(theirs(&baseline, file)?);
        }
        size.ours.push(mb(&store)?);
        size.baseline.push(mb(&baseline)?);
    }
    Ok((vec![rate, size, memory], Imported { store, baseline }))
}

/// Imports a file into a new store in a process of its own.
fn in_child(plan: &Plan, file: &Path, store: &Path) -> Outcome<Figures> {
    child::remove(store);
    let import = child::run("--child-import", [file, store])?;
    if import.count != plan.events as f64 {
        let stored = import.count;
        return Err(format!("{stored} of {} events were stored", plan.events).into());
    }
    Ok(import)
}

/// Imports once into a store that is removed again; returns events a second and the store's bytes.
pub fn once(plan: &Plan, file: &Path) -> Outcome<(f64, f64)> {
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let store = folder.path().join("once.annals");
    let import = in_child(plan, file, &store)?;
    let bytes = std::fs::metadata(&store)?.len();
    Ok((plan.events as f64 / import.seconds, bytes as f64))
}

/// Measures the rate of the same events as a table, against that as JSON Lines.
pub fn measure_table(plan: &Plan, file: &Path) -> Outcome<Row> {
    let table = plan.folder.join("events.csv");
    write_table(file, &table)?;
    let store = plan.folder.join("table.annals");
    let mut rate = Row::new(
        format!("import of {} events, CSV, against JSON Lines", plan.events),
        "events/s",
        Goal::RatioAtLeast(0.8),
    );
    for round in 0..plan.rounds {
        let one = |file: &Path| -> Outcome<f64> {
            Ok(plan.events as f64 / in_child(plan, file, &store)?.seconds)
        };
        if round % 2 == 0 {
            rate.ours.push(one(&table)?);
            rate.baseline.push(one(file)?);
        } else {
            rate.baseline.push(one(file)?);
            rate.ours.push(one(&table)?);
        }
    }
    Ok(rate)
}

/// Writes the events of JSON Lines as a table, payloads as JSON in quotes.
fn write_table(file: &Path, table: &Path) -> Outcome<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(table)?);
    writeln!(
        out,
        "event_id,stream_id,event_type,timestamp,payload,context"
    )?;
    for line in BufReader::new(std::fs::File::open(file)?).lines() {
        let line = line?;
        let Line {
            event_id,
            aggregate_id,
            event_type,
            timestamp,
            data,
            metadata,
        } = serde_json::from_str(&line)?;
        let quoted = |raw: &RawValue| raw.get().replace('"', "\"\"");
        writeln!(
            out,
            "{event_id},{aggregate_id},{event_type},{timestamp},\"{}\",\"{}\"",
            quoted(data),
            quoted(metadata)
        )?;
    }
    out.flush()?;
    Ok(())
}

fn theirs(path: &Path, file: &Path) -> Outcome<f64> {
    child::remove(path);
    let start = Instant::now();
    let mut connection = baseline(path)?;
    let mut versions: HashMap<String, i64> = HashMap::new();
    let mut lines = BufReader::with_capacity(1 << 20, std::fs::File::open(file)?);
    let (mut line, mut count, mut more) = (String::new(), 0u64, true);
    while more {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO events(stream, version, id, type, time, data, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for _ in 0..1_000 {
                line.clear();
                if lines.read_line(&mut line)? == 0 {
                    more = false;
                    break;
                }
                let event: Line = serde_json::from_str(&line)?;
                let version = versions.entry(event.aggregate_id.to_owned()).or_default();
                *version += 1;
                insert.execute((
                    event.aggregate_id,
                    *version,
                    event.event_id,
                    event.event_type,
                    event.timestamp,
                    event.data.get(),
                    event.metadata.get(),
                ))?;
                count += 1;
            }
        }
        transaction.commit()?;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
