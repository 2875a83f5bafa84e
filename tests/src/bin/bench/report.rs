//! Medians, spread, ratios, and whether a goal was met.

use crate::Plan;

/// Which side of the goal is good.
pub enum Goal {
    /// The ratio should be at least this.
    RatioAtLeast(f64),
    /// The ratio must be at least `floor` and should be at least `goal`.
    RatioFrom {
        /// Below this, something is wrong.
        floor: f64,
        /// What we want.
        goal: f64,
    },
    /// The ratio should be at most this.
    RatioAtMost(f64),
    /// The figure should be at least this, in its unit.
    AtLeast(f64),
    /// The figure should be at most this, in its unit.
    AtMost(f64),
}

/// One row of the report.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// Unit of the figures, for example `events/s`.
    pub unit: &'static str,
    /// Annals, one figure a round.
    pub ours: Vec<f64>,
    /// The baseline, one figure a round; empty where there is none.
    pub baseline: Vec<f64>,
    /// What we want.
    pub goal: Goal,
}

impl Row {
    /// A row before its first round.
    pub fn new(what: impl Into<String>, unit: &'static str, goal: Goal) -> Row {
        Row {
            what: what.into(),
            unit,
            ours: Vec::new(),
            baseline: Vec::new(),
            goal,
        }
    }
}

/// Median of the figures; the mean of the two in the middle where there is no one middle.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The figure below which 95 of 100 lie.
pub fn p95(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get((sorted.len() * 95).div_ceil(100).saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

fn spread(figures: &[f64]) -> String {
    let low = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let high = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{} ({}–{})",
        number(median(figures)),
        number(low),
        number(high)
    )
}

fn number(x: f64) -> String {
    match x {
        x if x.is_nan() => "–".to_owned(),
        x if x >= 100.0 => format!("{x:.0}"),
        x => format!("{x:.2}"),
    }
}

fn met(is: bool) -> &'static str {
    if is { "met" } else { "**missed**" }
}

/// The report as Markdown: a row a goal.
pub fn markdown(plan: &Plan, rows: &[Row]) -> String {
    let mut text = format!(
        "# Bench\n\n{} events, {} rounds, interleaved; median (lowest–highest). Ratio: median over rounds of Annals to the baseline beside it.\n\n\
         | measure | Annals | plain SQLite | ratio | goal | |\n|---|---|---|---|---|---|\n",
        plan.events, plan.rounds
    );
    for row in rows {
        let ratios: Vec<f64> = row
            .ours
            .iter()
            .zip(&row.baseline)
            .map(|(a, b)| a / b)
            .collect();
        let (goal, met) = match row.goal {
            Goal::RatioAtLeast(want) => (format!("≥ {want}x"), met(median(&ratios) >= want)),
            Goal::RatioFrom { floor, goal } => (
                format!("≥ {goal}x, floor {floor}x"),
                match median(&ratios) {
                    ratio if ratio >= goal => "met",
                    ratio if ratio >= floor => "**missed**, floor met",
                    _ => "**missed**, floor too",
                },
            ),
            Goal::RatioAtMost(want) => (format!("≤ {want}x"), met(median(&ratios) <= want)),
            Goal::AtLeast(want) => {
                let goal = format!("≥ {want} {}", row.unit);
                (goal, met(median(&row.ours) >= want))
            }
            Goal::AtMost(want) => {
                let goal = format!("≤ {want} {}", row.unit);
                (goal, met(median(&row.ours) <= want))
            }
        };
        let baseline = if row.baseline.is_empty() {
            "–".to_owned()
        } else {
            spread(&row.baseline)
        };
        let ratio = if ratios.is_empty() {
            "–".to_owned()
        } else {
            format!("{:.2}x", median(&ratios))
        };
        text += &format!(
            "| {} ({}) | {} | {baseline} | {ratio} | {goal} | {} |\n",
            row.what,
            row.unit,
            spread(&row.ours),
            met
        );
    }
    text
}
