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
pub const TIMED: [&str; 6] = ["append", "batch", "stream", "state", "question", "search"];

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

    /// Writes `report.md`, `memory.svg` and `latency.svg`; returns the report.
    pub fn written(
        &self,
        folder: &Path,
        minutes: f64,
        verdicts: &[(String, bool)],
    ) -> Outcome<String> {
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
        text += "\nMedians over the samples of the first and of the last third:\n\n| measure | first third | last third | |\n|---|---|---|---|\n";
        let third = samples.len() / 3;
        let (first, last) = (&samples[..third], &samples[samples.len() - third..]);
        let mut row = |what: &str, unit: &str, figure: &dyn Fn(&Sample) -> Option<f64>| {
            let middle = |samples: &[Sample]| {
                let mut figures: Vec<f64> = samples.iter().filter_map(figure).collect();
                figures.sort_by(f64::total_cmp);
                percentile(&figures, 50)
            };
            let (before, after) = (middle(first), middle(last));
            text += &format!(
                "| {what} | {before:.2} {unit} | {after:.2} {unit} | {:.2}x |\n",
                after / before
            );
        };
        row("anonymous memory", "MB", &|sample| Some(sample.memory_mb));
        for what in TIMED {
            for (name, pick) in [("median", 0), ("p99", 1)] {
                row(&format!("{what}, {name}"), "ms", &|sample| {
                    let (p50, p99) = sample.latencies.get(what)?;
                    Some(if pick == 0 { *p50 } else { *p99 })
                });
            }
        }
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
        Ok(text)
    }
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
