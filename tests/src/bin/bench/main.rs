//! Annals beside plain SQLite in interleaved rounds of one run: `cargo xtask bench [--quick] [--rounds N]`.
//! `--app PROGRAM` measures in the real window too. Alone are measured: `--append` appending, `--command` deciding,
//! `--beside` other event stores beside it, `--evidence` packages, `--explain` folding and explaining, `--formats` importing CloudEvents, XES and OCEL,
//! `--import` importing JSON Lines, `--projections` read models, `--questions` questions over time, `--reads` reading, `--reports` making reports,
//! `--search` text search, `--snapshots` states from snapshots, `--typeset` a report as PDF, and `--integrity STORE`
//! proofs and verifying on a store that is there. `--scale` is for itself: what work costs as the log grows, up to
//! `--events N`; `--window --app PROGRAM` looks at a store as large through the window, which is made once.
//!
//! Figures are ratios of medians taken in the same run, because the machine is shared and its disk noisy:
//! absolute numbers say little. The baseline is what people would write by hand: one events table with
//! `UNIQUE(stream, version)`, data and metadata as text, WAL, `synchronous=FULL`, no hash, no other index.
#![allow(clippy::print_stdout, reason = "a bench talks to the terminal")]

mod append;
mod beside;
mod child;
mod command;
mod compliance;
mod evidence;
mod explain;
mod formats;
mod generate;
mod import;
mod integrity;
mod large;
mod projection;
mod question;
mod read;
mod report;
mod scale;
mod search;
mod snapshot;
mod sql;
mod typeset;
mod view;
mod window;

use std::path::{Path, PathBuf};

/// As in the binaries of Annals.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the user asked for.
pub struct Plan {
    /// Number of events of the import and of the opened store.
    pub events: u64,
    /// Rounds of each measure.
    pub rounds: usize,
    /// Seconds of appending in each round.
    pub append_seconds: u64,
    /// Folder for the generated file, the stores and the report.
    pub folder: PathBuf,
    /// The store of `--scale` stays.
    pub keep: bool,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

type Measure = fn(&Plan) -> Outcome<Vec<report::Row>>;

/// Options that stand for themselves.
const FLAGS: [&str; 6] = [
    "--quick", "--keep", "--beside", "--window", "--scale", "--import",
];
/// Options that a value follows.
const WITH_VALUE: [&str; 5] = ["--events", "--rounds", "--out", "--integrity", "--app"];

/// What can be measured alone, by the option that asks for it.
const ALONE: [(&str, Measure); 12] = [
    ("--append", append::measure),
    ("--command", command::measure),
    ("--evidence", evidence::measure),
    ("--explain", explain::measure),
    ("--formats", formats::measure),
    ("--questions", question::measure),
    ("--projections", projection::measure),
    ("--reads", |plan| {
        read::measure(plan, &import::at_hand(plan)?)
    }),
    ("--reports", compliance::measure),
    ("--search", |plan| {
        search::measure(plan, &import::at_hand(plan)?.store)
    }),
    ("--snapshots", snapshot::measure),
    ("--typeset", typeset::measure),
];

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, file, store] = &args[..]
        && mode == "--child-import"
    {
        return import::child(file.as_ref(), store.as_ref());
    }
    if let [mode, store, file] = &args[..]
        && mode == "--child-typeset"
    {
        return typeset::child(store.as_ref(), file.as_ref());
    }
    if let [mode, store, events, out] = &args[..]
        && mode == "--child-report"
    {
        return compliance::child(store.as_ref(), events.parse()?, out.as_ref());
    }
    // Not a row: appending alone, to be run under a profiler.
    if let [mode, folder, writers, seconds] = &args[..]
        && mode == "--child-append"
    {
        println!(
            "{}",
            append::alone(folder.as_ref(), writers.parse()?, seconds.parse()?)?
        );
        return Ok(());
    }
    // Nor this: building the text index alone.
    if let [mode, store] = &args[..]
        && mode == "--child-index"
    {
        return search::alone(store.as_ref());
    }
    // Nor this: verifying alone.
    if let [mode, store, rounds] = &args[..]
        && mode == "--child-verify"
    {
        for _ in 0..rounds.parse::<u32>()? {
            println!("{:.2} s", integrity::alone(store.as_ref())?);
        }
        return Ok(());
    }
    // Nor this: scrubbing the dashboard of a shop.
    if let [mode, store] = &args[..]
        && mode == "--child-scrub"
    {
        println!("{:.1} ms", projection::scrub(store.as_ref())?);
        return Ok(());
    }
    // Nor this: reading alone, and parsing what is read ahead.
    if let [mode, store, rounds] = &args[..]
        && mode == "--child-read"
    {
        for _ in 0..rounds.parse::<u32>()? {
            let (read, parsed) = (
                read::everything(store.as_ref())?,
                read::parsed_ahead(store.as_ref())?,
            );
            println!("{read:.0} {parsed:.0}");
        }
        return Ok(());
    }
    check_options(&args)?;
    let after = |name: &str| {
        args.iter()
            .position(|a| a == name)
            .and_then(|at| args.get(at + 1))
    };
    let quick = args.iter().any(|a| a == "--quick");
    let plan = Plan {
        events: after("--events")
            .map_or(Ok(if quick { 100_000 } else { 1_000_000 }), |n| n.parse())?,
        rounds: after("--rounds").map_or(Ok(if quick { 3 } else { 5 }), |n| n.parse())?,
        append_seconds: if quick { 1 } else { 2 },
        folder: after("--out").map_or_else(|| PathBuf::from("target/bench"), PathBuf::from),
        keep: args.iter().any(|a| a == "--keep"),
    };
    std::fs::create_dir_all(&plan.folder)?;

    if let Some(store) = after("--integrity") {
        return told(&plan, &integrity::measure(&plan, store.as_ref(), &[])?, "");
    }
    if args.iter().any(|a| a == "--beside") {
        return told(&plan, &[], &beside::measure(&plan)?);
    }
    if args.iter().any(|a| a == "--window") {
        let app = after("--app").ok_or("--window needs --app PROGRAM")?;
        return told(
            &plan,
            &large::measure(&plan, &scale::store(&plan)?, app.as_ref())?,
            "",
        );
    }
    if args.iter().any(|a| a == "--scale") {
        return told(&plan, &scale::measure(&plan)?, "");
    }
    if args.iter().any(|a| a == "--import") {
        let file = generate::file(&plan)?;
        return told(&plan, &import_and_integrity(&plan, &file)?.0, "");
    }
    for (name, measure) in ALONE {
        if args.iter().any(|a| a == name) {
            return told(&plan, &measure(&plan)?, "");
        }
    }
    let mut rows = Vec::new();
    rows.extend(append::measure(&plan)?);
    let file = generate::file(&plan)?;
    let (figures, imported) = import_and_integrity(&plan, &file)?;
    rows.extend(figures);
    rows.push(import::measure_table(&plan, &file)?);
    rows.extend(view::measure(&plan, &imported.store)?);
    rows.extend(sql::measure(&plan, &imported.store)?);
    // Appending came first, while the folder was empty. Reads and searches take the store that the import left.
    for (_, measure) in ALONE.iter().filter(|(name, _)| *name != "--append") {
        rows.extend(measure(&plan)?);
    }
    if let Some(app) = after("--app") {
        rows.extend(window::measure(&plan, &imported.store, app.as_ref())?);
    }

    told(&plan, &rows, &beside::measure(&plan)?)
}

/// Refuses what is no option: a slip would run the whole bench.
fn check_options(args: &[String]) -> Outcome<()> {
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if WITH_VALUE.contains(&arg.as_str()) {
            rest.next();
        } else if !FLAGS.contains(&arg.as_str()) && ALONE.iter().all(|(name, _)| name != arg) {
            let alone = ALONE.map(|(name, _)| name).join(" ");
            return Err(format!(
                "{arg} is no option; there are {} {} {alone}",
                FLAGS.join(" "),
                WITH_VALUE.join(" ")
            )
            .into());
        }
    }
    Ok(())
}

/// Measures importing a file, and what hashing has of it.
fn import_and_integrity(plan: &Plan, file: &Path) -> Outcome<(Vec<report::Row>, import::Imported)> {
    let (mut rows, imported) = import::measure(plan, file)?;
    let rates = rows.first().map(|row| row.ours.as_slice());
    let import_s: Vec<f64> = rates
        .unwrap_or_default()
        .iter()
        .map(|rate| plan.events as f64 / rate)
        .collect();
    rows.extend(integrity::measure(plan, &imported.store, &import_s)?);
    Ok((rows, imported))
}

/// Prints the report and writes it, with its picture; `more` comes after its table.
fn told(plan: &Plan, rows: &[report::Row], more: &str) -> Outcome<()> {
    let text = report::markdown(plan, rows) + more;
    let path = plan.folder.join("report.md");
    std::fs::write(&path, &text)?;
    std::fs::write(plan.folder.join("report.svg"), report::chart(rows))?;
    println!("{text}\nwritten to {}", path.display());
    Ok(())
}
