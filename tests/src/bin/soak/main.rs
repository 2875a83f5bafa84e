//! Half an hour of everything at once on one store: `cargo xtask soak [--minutes N] [--events N] [--out FOLDER]`.
//!
//! The store holds a million events when it begins, so that what is measured is how long it works and not that a small
//! log becomes a large one; what costs more as a log grows, `cargo xtask bench --scale` tells. Appends with expected versions and in batches, a synchronous and an asynchronous projection, a tail, reads and states,
//! questions and searches, for the whole time. Every ten seconds memory and latencies are noted. At the end the store is
//! verified, each projection compared with one made anew, the index of questions with a replay, and the tail with the
//! log: where one of them differs the run has failed. Memory and medians of latencies must be flat (see `record`), or the
//! run has failed too; the 99th percentiles are told, since a pause of the machine is in them.
#![allow(clippy::print_stdout, reason = "a soak talks to the terminal")]

mod begin;
mod record;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use annals_core::model::folder;
use annals_core::progress::WorkProgress;
use annals_core::projection::Projections;
use annals_core::question::IntervalIndex;
use annals_core::search::TextIndex;
use annals_core::store::{Log, LogWriter};
use annals_core::surroundings::Surroundings;
use annals_core::verify::{VerifyOutcome, VerifyPlan, verify};
use annals_tests::Outcome;

use record::Record;
use work::{PROJECTIONS, Site};

/// Seconds between two samples.
const SAMPLE_S: u64 = 10;

/// As in the binaries of Annals.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)
    };
    let minutes: f64 = after("--minutes").map_or(Ok(30.0), |text| text.parse())?;
    let events: u64 = after("--events").map_or(Ok(1_000_000), |text| text.parse())?;
    let out = after("--out").map_or_else(|| PathBuf::from("target/soak"), PathBuf::from);
    std::fs::create_dir_all(&out)?;
    let store = out.join("soak.annals");
    std::fs::remove_dir_all(folder(&store)).ok();
    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(format!("{}{suffix}", store.display())).ok();
    }

    let writer = LogWriter::create(&store, Surroundings::system())?;
    println!("making a log of {events} events");
    let long = begin::fill(&writer, events)?;
    let log = Log::explore(&store)?;
    let clock = Surroundings::system().clock;
    let site = Site {
        projections: Projections::open(&log, work::set()?, None, Arc::clone(&clock)),
        models: work::models()?,
        index: IntervalIndex::open(&log, None),
        text: TextIndex::open(&log, None),
        begun: events,
        long,
        record: Record::default(),
        progress: WorkProgress::default(),
        orders: Default::default(),
        tailed: Default::default(),
        clock,
        log,
        writer,
    };
    begin::bring(&site)?;
    println!("working");
    let start = Instant::now();
    let length = Duration::from_secs_f64(minutes * 60.0);
    let failed = std::thread::scope(|scope| {
        let site = &site;
        let workers: Vec<_> = work::all()
            .into_iter()
            .map(|(name, worker)| (name, scope.spawn(move || work::kept_up(site, worker))))
            .collect();
        let mut sampled = 0;
        while start.elapsed() < length && !site.progress.is_cancelled() {
            std::thread::sleep(Duration::from_millis(200));
            let due = start.elapsed().as_secs() / SAMPLE_S;
            if due > sampled {
                sampled = due;
                let events = site.log.head().map_or(0, |head| head.size.0);
                println!(
                    "{}",
                    site.record.sample(start.elapsed(), (site.clock)(), events)
                );
            }
        }
        site.progress.cancel();
        let mut failed = Vec::new();
        for (name, worker) in workers {
            match worker.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failed.push(format!("{name}: {error}")),
                Err(_) => failed.push(format!("{name}: a panic")),
            }
        }
        failed
    });
    println!("\nchecking what is there now");
    let mut verdicts = verdicts(&site)?;
    for failure in failed {
        verdicts.push((failure, false));
    }
    let (text, flat) = site.record.written(&out, minutes, &verdicts)?;
    println!("{text}\nwritten to {}", out.join("report.md").display());
    match (verdicts.iter().all(|(_, held)| *held), flat) {
        (true, true) => Ok(()),
        (false, _) => Err("something does not hold; it is in the report".into()),
        (true, false) => Err("something is not flat; it is in the report".into()),
    }
}

/// What must hold at the end, and whether it does.
fn verdicts(site: &Site) -> Outcome<Vec<(String, bool)>> {
    let mut all = Vec::new();
    let events = site.log.head()?.size.0;
    let view = verify(
        site.log.path(),
        &VerifyPlan::default(),
        &Surroundings::system(),
        &WorkProgress::default(),
    )?;
    all.push((
        format!(
            "verified: {} of {events} events, {:?}",
            view.events_checked, view.outcome
        ),
        view.outcome == VerifyOutcome::Intact && view.events_checked == events,
    ));
    for name in PROJECTIONS {
        site.projections.catch_up(&[name])?;
        let rebuilt = site.projections.rebuild(name, false)?;
        all.push((
            format!(
                "projection {name}: {} documents, {} of them other than made anew",
                rebuilt.documents, rebuilt.differences_count
            ),
            rebuilt.documents_before == Some(rebuilt.documents)
                && rebuilt.differences_count == 0
                && rebuilt.documents > 0,
        ));
    }
    let tailed = site.tailed.load(Ordering::Relaxed);
    all.push((
        format!("tail: {tailed} of {events} events, in order, each once"),
        tailed == events,
    ));
    let (indexed, replayed) = work::both_answers(site)?;
    all.push((
        format!("question: {indexed} from the index, {replayed} by replay"),
        indexed == replayed,
    ));
    let (indexed, looked_at) = work::both_counts(site)?;
    let reach = site.text.view()?.covered.0;
    all.push((
        format!(
            "text index: looked at {reach} of {events} events; two words stand in {indexed} of them, {looked_at} by looking at each"
        ),
        reach == events && indexed == looked_at && indexed > 0,
    ));
    Ok(all)
}
