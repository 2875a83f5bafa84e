//! A large store in the real window: opened, scrolled, filtered, searched, scrubbed, with the gaps between frames and
//! the memory of the app.

use std::path::Path;
use std::time::Duration;

use annals_core::model::ModelSet;
use annals_core::search::{IndexProgress, TextIndex};
use annals_core::store::Log;
use annals_core::temporal::{AsOf, Moment, state};
use annals_core::time::Time;
use annals_tests::memory;
use annals_tests::window::Window;
use serde_json::Value;

use crate::report::{Goal, Row, p95};
use crate::window::OPEN;
use crate::{Outcome, Plan};

/// Addresses of the list of events: by type, by actor, in a part of the year, all three.
const FILTERS: [&str; 6] = [
    "type=OrderPlaced",
    "actor=user-17",
    "from=2024-03-01&to=2024-03-01",
    "from=2024-02-01&to=2024-10-31",
    "type=OrderShipped&from=2024-06-01&to=2024-06-30",
    "order=oldest&from=2024-05-01",
];

/// What is searched for: two words that are often in one event, one that is in every other, an id, and a word in a type.
const SEARCHES: [&str; 4] = [
    "amber orchard",
    "harbour",
    "cust-4711",
    "type:OrderShipped kelp",
];

/// The stream that is dragged along, a hundredth of the log.
const LONG: &str = "order-long";

/// Measures it all.
pub fn measure(plan: &Plan, store: &Path, app: &Path) -> Outcome<Vec<Row>> {
    let of = |what: &str| format!("window, {} events: {what}", plan.events);
    let row = |what: &str, unit, goal| Row::new(of(what), unit, goal);
    let mut first = row("click to first view drawn", "ms", Goal::AtMost(1_000.0));
    let mut scroll = row(
        "scroll anywhere in all events to rows drawn, p95",
        "ms",
        Goal::AtMost(50.0),
    );
    let mut filter = row(
        "filter to rows, number and histogram drawn, p95",
        "ms",
        Goal::AtMost(500.0),
    );
    let mut page = row("filter to first rows drawn, p95", "ms", Goal::AtMost(200.0));
    let mut gaps = row(
        "time bar dragged, gap between frames, p95",
        "ms",
        Goal::AtMost(20.0),
    );
    let mut handle = row(
        "time bar dragged, input to moved handle, p95",
        "ms",
        Goal::AtMost(34.0),
    );
    let mut drawn = row(
        "time bar dragged, input to drawn state, p95",
        "ms",
        Goal::AtMost(50.0),
    );
    let mut found = row("search to first rows drawn, p95", "ms", Goal::AtMost(200.0));
    let mut counted = row(
        "search to number and end known, p95",
        "ms",
        Goal::AtMost(1_000.0),
    );
    let mut anonymous = row(
        "anonymous memory of the app's process after it",
        "MB",
        Goal::AtMost(400.0),
    );
    let store = std::path::absolute(store)?;
    let text = store.to_str().ok_or("the store's path is UTF-8")?;
    for round in 0..plan.rounds {
        let home = tempfile::tempdir_in(&plan.folder)?;
        let window = Window::open(app, home.path(), &[])?;
        let shot = |name: &str| {
            let file = plan.folder.join(format!("large-{name}.png"));
            window.save_screenshot(&file)
        };
        window.fill("start-open-path", text)?;
        let took = window.session.run_async(OPEN, &[])?;
        first.ours.push(took.as_f64().ok_or("a time")?);
        if round == 0 {
            shot("first")?;
        }
        // How events lie along time is counted in the background, and the text index begun.
        std::thread::sleep(Duration::from_secs(3));

        window.go("#/events")?;
        window.get("event-row[data-position]:not([data-position=''])")?;
        let places: Vec<f64> = (0..40).map(|n| f64::from(n * 37 % 41) / 41.0).collect();
        let figures = window.session.run_async(SCROLL, &[places.into()])?;
        scroll.ours.push(p95(&numbers(&figures)));
        if round == 0 {
            shot("scrolled")?;
        }

        let (mut pages, mut wholes) = (Vec::new(), Vec::new());
        for address in FILTERS {
            window.go("#/events")?;
            window.text_when("events-count", |text| text.ends_with("events"))?;
            let figures = window
                .session
                .run_async(FILTER, &[format!("#/events?{address}").into()])?;
            let [rows, whole] = numbers(&figures)[..] else {
                return Err(format!("{address}: {figures}").into());
            };
            println!("{address}: rows {rows:.0} ms, all {whole:.0} ms");
            pages.push(rows);
            wholes.push(whole);
        }
        page.ours.push(p95(&pages));
        filter.ours.push(p95(&wholes));
        if round == 0 {
            shot("filtered")?;
        }

        window.go(&format!("#/stream/{LONG}"))?;
        window.get("state-asof")?;
        // What differs from the event before is drawn when the stream has been read, as a reader sees it.
        window.text_when("diff-panel", |text| text.contains('→'))?;
        window.get("history-row[data-version]")?;
        let cursor = window.get("timebar-cursor")?;
        let (right, y) = window.session.middle(&cursor)?;
        let (left, _) = window.left_of("timebar", "[role=presentation]")?;
        window.session.run(WATCH, &[])?;
        let half = (right - left) / 2.0 - 8.0;
        let middle = left + half + 4.0;
        let points: Vec<(f64, f64)> = (0..240)
            .map(|step| (middle + half * (f64::from(step) * 0.0524).cos(), y))
            .collect();
        window.session.drag(&points)?;
        let figures = window.session.run_async(WATCHED, &[])?;
        if round == 0 {
            shot("scrubbed")?;
        }
        let took = numbers(&figures["took"]);
        if took.len() < 50 {
            return Err(format!("only {} moves of the cursor were seen", took.len()).into());
        }
        gaps.ours.push(p95(&numbers(&figures["gaps"])));
        handle.ours.push(p95(&numbers(&figures["handle"])));
        drawn.ours.push(p95(&took));
        same_as_folded(&window, &store)?;
        let kb = memory::anonymous_kb_of(app).ok_or("the app's process is not found")?;
        anonymous.ours.push(kb / 1_000.0);
        drop(window);

        // Built once for a store, as people's is: with the window shut, since it would take minutes beside it.
        TextIndex::open(&Log::explore(&store)?, None).catch_up(&IndexProgress::default())?;
        let window = Window::open(app, home.path(), &[text])?;
        window.get("overview-events")?;
        let (mut firsts, mut ends) = (Vec::new(), Vec::new());
        for words in SEARCHES {
            window.go("#/events")?;
            window.text_when("events-count", |text| text.ends_with("events"))?;
            let address = format!("#/events?text={}", words.replace(' ', "%20"));
            let figures = window.session.run_async(SEARCH, &[address.into()])?;
            let [rows, end] = numbers(&figures)[..] else {
                return Err(format!("{words}: {figures}").into());
            };
            println!("{words}: rows {rows:.0} ms, number {end:.0} ms");
            firsts.push(rows);
            ends.push(end);
        }
        if round == 0 {
            let file = plan.folder.join("large-searched.png");
            window.save_screenshot(&file)?;
        }
        found.ours.push(p95(&firsts));
        counted.ours.push(p95(&ends));
    }
    Ok(vec![
        first, scroll, page, filter, gaps, handle, drawn, found, counted, anonymous,
    ])
}

/// What is drawn when the hand lets go is what a fold of the whole stream up to there gives.
fn same_as_folded(window: &Window, store: &Path) -> Outcome<()> {
    let shown = window.session.run_async(SHOWN, &[])?;
    let at = shown["at"].as_str().ok_or("the address holds the as-of")?;
    let at = Time::parse_rfc3339(at).map_err(|error| format!("{at}: {error}"))?;
    let log = Log::explore(store)?;
    let (models, _) = ModelSet::load(store)?;
    let as_of = AsOf {
        at: Some(at),
        known: None,
    };
    let folded = state(&log, &models, &LONG.parse()?, &Moment::AsOf(as_of))?;
    if shown["version"].as_u64() != Some(folded.version.0) {
        return Err(format!("{shown} is not version {} at {at}", folded.version).into());
    }
    let fields: serde_json::Map<String, Value> = serde_json::from_str(folded.state.get())?;
    for (name, value) in &fields {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        if shown["values"][name].as_str() != Some(&value) {
            return Err(format!("{name} is {value} at {at}, shown is {shown}").into());
        }
    }
    Ok(())
}

fn numbers(figures: &Value) -> Vec<f64> {
    let figures = figures.as_array().map(Vec::as_slice).unwrap_or_default();
    figures.iter().filter_map(Value::as_f64).collect()
}

/// Goes to places of the list, one after another, and answers with the milliseconds until every row on screen is there.
const SCROLL: &str = "const [places, done] = arguments; const took = []; \
    const list = document.querySelector('[data-testid=events-list]'); \
    const next = () => { \
        if (places.length === 0) return done(took); \
        const began = performance.now(); \
        list.scrollTop = places.shift() * (list.scrollHeight - list.clientHeight); \
        const look = () => { \
            const rows = [...list.querySelectorAll('[data-testid=event-row]')]; \
            if (rows.length > 5 && rows.every((row) => row.dataset.position !== '')) { \
                took.push(performance.now() - began); setTimeout(next, 200); \
            } else requestAnimationFrame(look); \
        }; requestAnimationFrame(look); \
    }; next();";

/// Goes to an address and answers with the milliseconds until its first rows are drawn, and until all of it is.
const FILTER: &str = "const [address, done] = arguments; \
    const began = performance.now(); let rows = null; \
    const text = (id) => document.querySelector(`[data-testid=${id}]`)?.textContent ?? ''; \
    const list = () => [...document.querySelectorAll('[data-testid=event-row]')].slice(0, 3).map((row) => row.textContent).join(); \
    const bars = () => document.querySelector('[data-testid=events-histogram]')?.getAttribute('aria-label') ?? ''; \
    const before = [list(), text('events-count'), bars()]; \
    location.hash = address; \
    const look = () => { \
        const now = performance.now() - began; \
        if (rows === null && list() !== before[0]) rows = now; \
        const whole = rows !== null && /match/.test(text('events-count')) && bars() !== before[2]; \
        if (whole || now > 20000) return done([rows ?? now, now]); \
        requestAnimationFrame(look); \
    }; requestAnimationFrame(look);";

/// Searches and answers with the milliseconds until the first rows are drawn, and until their number is known and all was
/// looked at.
const SEARCH: &str = "const [address, done] = arguments; \
    const began = performance.now(); let rows = null; \
    location.hash = address; \
    const look = () => { \
        const now = performance.now() - began; \
        if (rows === null && document.querySelector('[data-testid=search-hit]')) rows = now; \
        const whole = rows !== null && /found/.test(document.querySelector('[data-testid=events-count]').textContent) \
            && document.querySelector('[data-testid=search-reach]')?.dataset.complete === 'true'; \
        if (whole || now > 20000) return done([rows ?? now, now]); \
        requestAnimationFrame(look); \
    }; requestAnimationFrame(look);";

/// The state on screen, and the as-of in the address, once that is written.
const SHOWN: &str = "const done = arguments[0]; setTimeout(() => { \
    const values = {}; \
    for (const row of document.querySelectorAll('[data-testid=state-value]')) values[row.dataset.path] = row.querySelector('.value')?.textContent; \
    const version = document.querySelector('[data-testid=state-asof] strong').textContent.replace(/[^0-9]/g, ''); \
    done({ at: new URLSearchParams(location.hash.split('?')[1]).get('at'), version: Number(version), values }); \
    }, 400)";

/// Notes gaps between frames, and for each move of the time bar's cursor when it has moved and when a state for it (or
/// for a later one) has been drawn.
const WATCH: &str = "const watch = window.__large = { waiting: [], took: [], gaps: [], handle: [], on: true }; \
    const cursor = document.querySelector('[data-testid=timebar-cursor]'); \
    const panel = document.querySelector('[data-testid=state-panel]'); \
    let frame = performance.now(); \
    const tick = (now) => { if (watch.down) watch.gaps.push(now - frame); frame = now; if (watch.on) requestAnimationFrame(tick); }; \
    requestAnimationFrame(tick); \
    addEventListener('pointerdown', () => { watch.down = true; }, true); \
    addEventListener('pointerup', () => { watch.down = false; }, true); \
    addEventListener('pointermove', () => { \
        if (!watch.down) return; \
        const at = performance.now(); const moved = cursor.getAttribute('style'); \
        watch.waiting.push(at); \
        requestAnimationFrame(() => { if (cursor.getAttribute('style') !== moved) watch.handle.push(performance.now() - at); }); \
    }, true); \
    new MutationObserver(() => { \
        const waiting = watch.waiting.splice(0); \
        requestAnimationFrame(() => { const drawn = performance.now(); for (const at of waiting) watch.took.push(drawn - at); }); \
    }).observe(panel, { subtree: true, childList: true, characterData: true });";

/// What was noted, once nothing moves any more.
const WATCHED: &str = "const done = arguments[0]; \
    setTimeout(() => { window.__large.on = false; done(window.__large); }, 500)";
