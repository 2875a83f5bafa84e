//! What a run was like: latencies and memory over time, as a table and as pictures.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use annals_core::chart::{
    Look, PAPER, Plot, PlotAxis, PlotCell, PlotKind, PlotRow, PlotSeries, draw,
};
use annals_core::time::Time;
use annals_tests::{Outcome, memory};

/// What is timed, in the order of the report.
pub const TIMED: [&str; 9] = [
    DISK, "append", "batch", "stream", "state", "page", "question", "index", "search",
];

/// What a sync takes beside the store.
pub const DISK: &str = "disk";

/// Of those, what waits for the disk in each piece of work.
const SYNCED: [&str; 2] = ["append", "batch"];

/// Flat is what in the last third is at most so many times what it was in the first; what waits for the disk may take
/// longer by as much as the disk does by itself.
const FLAT: f64 = 1.25;

/// One sample.
struct Sample {
    after: Duration,
    at: Time,
    events: u64,
    /// Anonymous memory of this process, in MB.
    memory_mb: f64,
    /// Median and 99th percentile in milliseconds, by what was timed.
    latencies: BTreeMap<&'static str, (f64, f64)>,
}

/// Notes what workers do.
#[derive(Default)]
pub struct Record {
    open: Mutex<BTreeMap<&'static str, Vec<f64>>>,
    samples: Mutex<Vec<Sample>>,
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

impl Record {
    /// Times a piece of work.
    pub fn timed<T>(&self, what: &'static str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let start = Instant::now();
        let done = work()?;
        let ms = start.elapsed().as_secs_f64() * 1_000.0;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.entry(what).or_default().push(ms);
        Ok(done)
    }

    /// Closes a sample and tells it.
    pub fn sample(&self, after: Duration, at: Time, events: u64) -> String {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        let latencies = open.into_iter().map(|(what, mut figures)| {
            figures.sort_by(f64::total_cmp);
            (what, (percentile(&figures, 50), percentile(&figures, 99)))
        });
        let sample = Sample {
            after,
            at,
            events,
            memory_mb: memory::anonymous_kb().unwrap_or(f64::NAN) / 1_000.0,
            latencies: latencies.collect(),
        };
        let mut line = format!(
            "{:>5} s  {events:>9} events  {:>6.1} MB",
            after.as_secs(),
            sample.memory_mb
        );
        for what in TIMED {
            if let Some((p50, p99)) = sample.latencies.get(what) {
                line += &format!("  {what} {p50:.2}/{p99:.2}");
            }
        }
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push(sample);
        line
    }

    /// Writes `report.md`, `memory.svg` and `latency.svg`; returns the report, and whether all is flat that must be.
    pub fn written(
        &self,
        folder: &Path,
        minutes: f64,
        verdicts: &[(String, bool)],
    ) -> Outcome<(String, bool)> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let events = samples.last().map_or(0, |sample| sample.events);
        let mut text = format!(
            "# Soak\n\n{minutes} minutes, {} samples, {events} events at the last of them.\n\n| what must hold | |\n|---|---|\n",
            samples.len()
        );
        for (what, held) in verdicts {
            let held = if *held { "holds" } else { "**does not hold**" };
            text += &format!("| {what} | {held} |\n");
        }
        let (table, all_flat) = thirds(&samples);
        text += &table;
        std::fs::write(folder.join("report.md"), &text)?;
        let memory = |sample: &Sample| vec![Some(sample.memory_mb)];
        let picture = plot("Memory", &[("anonymous memory", "MB")], &samples, &memory);
        std::fs::write(folder.join("memory.svg"), picture)?;
        let latency = |sample: &Sample| {
            let p99 = |what| sample.latencies.get(what).map(|(_, p99)| *p99);
            vec![p99("append"), p99("stream"), p99("state"), p99("question")]
        };
        let series = [
            ("append p99", "ms"),
            ("stream p99", "ms"),
            ("state p99", "ms"),
            ("question p99", "ms"),
        ];
        let picture = plot("Latency", &series, &samples, &latency);
        std::fs::write(folder.join("latency.svg"), picture)?;
        Ok((text, all_flat))
    }
}

/// The medians of the first and of the last third as a table, and whether all is flat that must be.
fn thirds(samples: &[Sample]) -> (String, bool) {
    let mut text = format!(
        "\nMedians over the samples of the first and of the last third; flat is at most {FLAT}x.\n\n| measure | first third | last third | | flat |\n|---|---|---|---|---|\n"
    );
    let third = samples.len() / 3;
    let both = |figure: &dyn Fn(&Sample) -> Option<f64>| {
        let middle = |samples: &[Sample]| {
            let mut figures: Vec<f64> = samples.iter().filter_map(figure).collect();
            figures.sort_by(f64::total_cmp);
            percentile(&figures, 50)
        };
        (
            middle(&samples[..third]),
            middle(&samples[samples.len() - third..]),
        )
    };
    let mut all_flat = true;
    // `most`: how many times as much is flat; `None` where that is not judged.
    let mut row = |what: &str, unit: &str, most: Option<f64>, (first, last): (f64, f64)| {
        let times = last / first;
        // What is no number is not flat.
        let is_flat = most.is_none_or(|most| times <= most);
        all_flat &= is_flat;
        let flat = match (most, is_flat) {
            (None, _) => "",
            (Some(_), true) => "yes",
            (Some(_), false) => "**no**",
        };
        text +=
            &format!("| {what} | {first:.2} {unit} | {last:.2} {unit} | {times:.2}x | {flat} |\n");
    };
    row(
        "anonymous memory",
        "MB",
        Some(FLAT),
        both(&|sample| Some(sample.memory_mb)),
    );
    let median_of = |what| both(&|sample| sample.latencies.get(what).map(|(p50, _)| *p50));
    let disk = median_of(DISK);
    for what in TIMED {
        let most = match what {
            DISK => None,
            what if SYNCED.contains(&what) => Some(FLAT * (disk.1 / disk.0).max(1.0)),
            _ => Some(FLAT),
        };
        row(&format!("{what}, median"), "ms", most, median_of(what));
        let p99 = both(&|sample| sample.latencies.get(what).map(|(_, p99)| *p99));
        row(&format!("{what}, p99"), "ms", None, p99);
    }
    (text, all_flat)
}

fn plot(
    title: &str,
    series: &[(&str, &str)],
    samples: &[Sample],
    figures: &dyn Fn(&Sample) -> Vec<Option<f64>>,
) -> String {
    let rows = samples.iter().map(|sample| PlotRow {
        label: format!("{} s", sample.after.as_secs()),
        document: None,
        path: String::new(),
        cells: figures(sample)
            .into_iter()
            .map(|figure| figure.map_or(PlotCell::NONE, |ms| PlotCell::number(format!("{ms:.3}"))))
            .collect(),
        from: Some(sample.at),
        to: None,
    });
    let rows: Vec<PlotRow> = rows.collect();
    let plot = Plot {
        kind: PlotKind::Line,
        title: title.to_owned(),
        axis: PlotAxis::Time,
        steps: false,
        zone: "UTC".to_owned(),
        heading: "time".to_owned(),
        series: series
            .iter()
            .map(|(name, unit)| PlotSeries {
                name: (*name).to_owned(),
                unit: (*unit).to_owned(),
            })
            .collect(),
        rows_count: rows.len() as u64,
        rows,
        rest: None,
        alt: format!("{title} over the run"),
    };
    let look = Look {
        palette: &PAPER,
        width_px: 900,
    };
    draw(&plot, &look).svg
}
