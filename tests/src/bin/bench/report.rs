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
    /// Nothing is asked of it.
    None,
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

/// A figure as the report prints it.
pub fn number(x: f64) -> String {
    match x {
        x if x.is_nan() => "–".to_owned(),
        x if x >= 100.0 => format!("{x:.0}"),
        x => format!("{x:.2}"),
    }
}

fn met(is: bool) -> &'static str {
    if is { "met" } else { "**missed**" }
}

impl Row {
    /// Ratios of the rounds, Annals to what was measured beside it.
    fn ratios(&self) -> Vec<f64> {
        let pairs = self.ours.iter().zip(&self.baseline);
        pairs.map(|(ours, beside)| ours / beside).collect()
    }

    /// How many times the goal was reached: 1 and more is met.
    fn of_goal(&self) -> f64 {
        let ratio = median(&self.ratios());
        match self.goal {
            Goal::RatioAtLeast(want) | Goal::RatioFrom { goal: want, .. } => ratio / want,
            Goal::RatioAtMost(want) => want / ratio,
            Goal::AtLeast(want) => median(&self.ours) / want,
            Goal::AtMost(want) => want / median(&self.ours),
            Goal::None => f64::NAN,
        }
    }
}

/// The rows as a picture: how many times each goal was reached, from a tenth to ten times, in logarithms.
pub fn chart(rows: &[Row]) -> String {
    const NAMES: usize = 680;
    const FIELD: usize = 360;
    const LINE: usize = 20;
    let place = |times: f64| {
        let part = (times.clamp(0.1, 10.0).log10() + 1.0) / 2.0;
        NAMES as f64 + part * FIELD as f64
    };
    let height = (rows.len() + 2) * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
        NAMES + FIELD + 80
    );
    for (times, text) in [(0.1, "1/10"), (1.0, "goal"), (10.0, "10x")] {
        let x = place(times);
        svg += &format!(
            "<path d=\"M{x} {LINE}V{}\" stroke=\"#999\"/><text x=\"{x}\" y=\"14\" text-anchor=\"middle\">{text}</text>",
            height - LINE / 2
        );
    }
    for (at, row) in rows.iter().enumerate() {
        let times = row.of_goal();
        let y = (at + 1) * LINE;
        let what = row.what.replace('&', "&amp;").replace('<', "&lt;");
        svg += &format!("<text x=\"8\" y=\"{}\">{what}</text>", y + 14);
        if times.is_nan() {
            continue;
        }
        let (from, to) = (place(1.0).min(place(times)), place(1.0).max(place(times)));
        let colour = if times >= 1.0 { "#2f7d4f" } else { "#b3402e" };
        svg += &format!(
            "<rect x=\"{from:.1}\" y=\"{}\" width=\"{:.1}\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{}\">{times:.2}x</text>",
            y + 4,
            (to - from).max(1.0),
            NAMES + FIELD + 12,
            y + 14
        );
    }
    svg + "</svg>\n"
}

/// The report as Markdown: a row a goal.
pub fn markdown(plan: &Plan, rows: &[Row]) -> String {
    let mut text = format!(
        "# Bench\n\n{} events, {} rounds, interleaved; median (lowest–highest). Beside it: plain SQLite, or what the row names. Ratio: median over rounds of Annals to that.\n\n\
         | measure | Annals | beside it | ratio | goal | |\n|---|---|---|---|---|---|\n",
        plan.events, plan.rounds
    );
    for row in rows {
        let ratios = row.ratios();
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
            Goal::None => ("–".to_owned(), ""),
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
