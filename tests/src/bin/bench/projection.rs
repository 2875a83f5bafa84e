//! What projections cost: rebuilding one and four from a shop's log, following an appending process, and appending with
//! a synchronous one.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use annals_core::answers::Asker;
use annals_core::chart::{Look, PAPER};
use annals_core::dashboard::{self, DashboardSet};
use annals_core::event::NewEvent;
use annals_core::model::{ModelSet, folder};
use annals_core::progress::WorkProgress;
use annals_core::projection::{
    DocumentQuery, Projection, ProjectionSet, Projections, ReadCache, Runner,
};
use annals_core::sample::{World, WorldRequest, make_world};
use annals_core::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::AsOf;
use annals_core::time::Time;

use crate::child;
use crate::report::{Goal, Row, p95};
use crate::{Outcome, Plan};

/// Four that have nothing to do with each other.
const FOUR: [&str; 4] = [
    "sales-dashboard",
    "customer-dashboard",
    "sales-monthly",
    "inventory-dashboard",
];
/// Appends of which the lag is taken, and how many of them there are a second.
const APPENDS: u32 = 2_000;
const APPENDS_A_SECOND: u32 = 5_000;

/// Measures all of them.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let store = plan.folder.join("projection.annals");
    child::remove(&store);
    let request = WorldRequest {
        world: World::Shop,
        events: plan.events,
        seed: 1,
        faults: false,
    };
    make_world(&store, &request, &WorkProgress::default())?;
    let log = Log::explore(&store)?;
    let (set, _) = ProjectionSet::load(&store)?;
    let open = || Projections::open(&log, set.clone(), None, Surroundings::system().clock);
    let mut one = Row::new(
        format!("rebuild Sales Dashboard over {} events", plan.events),
        "events/s",
        Goal::AtLeast(150_000.0),
    );
    let mut four = Row::new(
        "four projections rebuilt together, against one after the other",
        "s",
        Goal::RatioAtMost(0.6),
    );
    let mut drawn = Row::new(
        format!(
            "the shop's dashboard over {} events at an earlier instant, drawn, p95 of {SCRUBBED}",
            plan.events
        ),
        "ms",
        Goal::AtMost(150.0),
    );
    let mut scrub = Row::new(
        "Sales Dashboard of one day at an earlier instant",
        "ms",
        Goal::AtMost(150.0),
    );
    for _ in 0..plan.rounds {
        let mut apart = 0.0;
        for name in FOUR {
            let all = open();
            all.reset(name)?;
            let start = Instant::now();
            all.catch_up(&[name])?;
            let seconds = start.elapsed().as_secs_f64();
            apart += seconds;
            if name == FOUR[0] {
                one.ours.push(plan.events as f64 / seconds);
            }
        }
        let all = open();
        for name in FOUR {
            all.reset(name)?;
        }
        let start = Instant::now();
        all.catch_up(&FOUR)?;
        four.ours.push(start.elapsed().as_secs_f64());
        four.baseline.push(apart);

        let pulse = log.pulse()?;
        if let (Some(first), Some(last)) = (pulse.first_time, pulse.last_time) {
            for part in 1..20 {
                let us = first.us() + (last.us() - first.us()) / 20 * part;
                let as_of = AsOf {
                    at: Time::from_parts(us, 0),
                    known: None,
                };
                let start = Instant::now();
                all.documents(FOUR[0], &as_of, &DocumentQuery::default())?;
                scrub.ours.push(start.elapsed().as_secs_f64() * 1_000.0);
            }
            let (first, last) = (first.us(), last.us());
            drawn.ours.push(drawn_ms(&store, first, last)?);
        }
    }
    std::fs::remove_dir_all(folder(&store)).ok();
    Ok(vec![one, four, scrub, drawn, lag(plan)?, cost(plan)?])
}

/// Instants that a dashboard is scrubbed over.
const SCRUBBED: i64 = 40;

/// Scrubs the dashboard of a shop that is there, to be run under a profiler: the 95th percentile, in milliseconds.
pub fn scrub(store: &Path) -> Outcome<f64> {
    let pulse = Log::explore(store)?.pulse()?;
    let (Some(first), Some(last)) = (pulse.first_time, pulse.last_time) else {
        return Err("the log is empty".into());
    };
    drawn_ms(store, first.us(), last.us())
}

/// How long a dashboard of the shop takes to be drawn and put on the wire as of instants all over the log. As in the
/// app, each look reads the definitions anew, since they may be edited, and shares what is remembered of answers.
fn drawn_ms(store: &Path, first_us: i64, last_us: i64) -> Outcome<f64> {
    let log = Log::explore(store)?;
    let (models, _) = ModelSet::load(store)?;
    let models = Arc::new(models);
    let remembered = Arc::new(ReadCache::default());
    let look_at = |as_of: &AsOf| -> Outcome<f64> {
        let start = Instant::now();
        let (set, _) = ProjectionSet::load(store)?;
        let clock = Surroundings::system().clock;
        let all = Projections::open(&log, set, None, clock).with_read_cache(&remembered);
        let dashboard = DashboardSet::load(store)?.get("sales")?;
        let look = Look {
            palette: &PAPER,
            width_px: 560,
        };
        let asker = Asker {
            store,
            log: &log,
            models: &models,
            index: None,
        };
        let view = dashboard::look_at_kept(&dashboard, &all, as_of, Some(&look), &asker)?;
        let wire = serde_json::to_vec(&view)?;
        assert!(view.panels.iter().all(|panel| panel.empty.is_none()) && !wire.is_empty());
        Ok(start.elapsed().as_secs_f64() * 1_000.0)
    };
    // The first answer catches the projections up; the hand on the Time bar comes after.
    look_at(&AsOf::default())?;
    let mut took = Vec::new();
    for part in 1..=SCRUBBED {
        let us = first_us + (last_us - first_us) / (SCRUBBED + 1) * part;
        took.push(look_at(&AsOf {
            at: Time::from_parts(us, 0),
            known: None,
        })?);
    }
    Ok(p95(&took))
}

const COUNT: &str = "key = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\n";

fn count(strategy: &str) -> Outcome<ProjectionSet> {
    let mut set = ProjectionSet::default();
    let text = format!("strategy = '{strategy}'\n{COUNT}");
    set.add(Projection::parse("count", &text)?)?;
    Ok(set)
}

fn append(n: u32) -> Outcome<Vec<StreamAppend>> {
    let data = format!("{{\"n\": {n}, \"to\": \"d{}\"}}", n % 100);
    Ok(vec![StreamAppend {
        stream: format!("a-{}", n % 1_000).parse()?,
        category: None,
        expected: ExpectedVersion::Any,
        events: vec![NewEvent::json("Counted", &data)?],
    }])
}

fn fresh(plan: &Plan, name: &str) -> Outcome<(LogWriter, Log)> {
    let store = plan.folder.join(name);
    child::remove(&store);
    std::fs::remove_dir_all(folder(&store)).ok();
    let writer = LogWriter::create(&store, Surroundings::system())?;
    Ok((writer, Log::explore(&store)?))
}

/// How long after its acknowledgement an append is in an asynchronous projection, at a steady rate.
fn lag(plan: &Plan) -> Outcome<Row> {
    let mut row = Row::new(
        format!(
            "lag of an asynchronous projection at {APPENDS_A_SECOND} appends/s, p99 of {APPENDS}"
        ),
        "ms",
        Goal::AtMost(100.0),
    );
    for _ in 0..plan.rounds {
        let (writer, log) = fresh(plan, "projection-lag.annals")?;
        let all = Projections::open(&log, count("async")?, None, Surroundings::system().clock);
        let acknowledged: Mutex<Vec<Instant>> = Mutex::default();
        let progress = WorkProgress::default();
        let mut lags = Vec::new();
        let runner = Runner {
            id: "bench".to_owned(),
            pid: std::process::id(),
            names: Vec::new(),
        };
        std::thread::scope(|scope| -> Outcome<()> {
            scope.spawn(|| {
                let start = Instant::now();
                for n in 0..APPENDS {
                    std::thread::sleep(
                        (Duration::from_secs(1) / APPENDS_A_SECOND * n)
                            .saturating_sub(start.elapsed()),
                    );
                    let Ok(append) = append(n) else { return };
                    if writer.append(append).is_err() {
                        return;
                    }
                    if let Ok(mut all) = acknowledged.lock() {
                        all.push(Instant::now());
                    }
                }
            });
            all.run(&runner, &progress, &mut |done| {
                let now = Instant::now();
                let Ok(times) = acknowledged.lock() else {
                    return;
                };
                for n in done.from.0..done.to.0 {
                    let at = usize::try_from(n).ok().and_then(|n| times.get(n));
                    lags.push(at.map_or(0.0, |at| (now - *at).as_secs_f64() * 1_000.0));
                }
                if done.to.0 >= u64::from(APPENDS) {
                    progress.cancel();
                }
            })?;
            Ok(())
        })?;
        lags.sort_by(f64::total_cmp);
        row.ours.extend(lags.get(lags.len() * 99 / 100));
    }
    Ok(row)
}

/// What a synchronous projection adds to an append.
fn cost(plan: &Plan) -> Outcome<Row> {
    let mut row = Row::new(
        "append with a synchronous projection, against one without",
        "us",
        Goal::RatioAtMost(1.3),
    );
    for _ in 0..plan.rounds {
        let (writer, log) = fresh(plan, "projection-cost.annals")?;
        let all = Projections::open(&log, count("sync")?, None, Surroundings::system().clock);
        let timed = |follows: bool, from: u32| -> Outcome<f64> {
            let start = Instant::now();
            for n in from..from + APPENDS {
                if follows {
                    all.append(&writer, append(n)?)?;
                } else {
                    writer.append(append(n)?)?;
                }
            }
            Ok(start.elapsed().as_secs_f64() * 1_000_000.0 / f64::from(APPENDS))
        };
        timed(true, 0)?;
        row.baseline.push(timed(false, APPENDS)?);
        all.catch_up_synchronous()?;
        row.ours.push(timed(true, 2 * APPENDS)?);
    }
    Ok(row)
}
