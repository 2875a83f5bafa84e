//! What a person waits for in the real window: from the click to the first view of a large store, and from
//! the hand on the slider to the state on screen.

use std::path::Path;

use annals_tests::window::Window;
use serde_json::Value;

use crate::report::{Goal, Row, p95};
use crate::{Outcome, Plan};

/// Measures both, on the store that the import left, with the app as built for speed.
pub fn measure(plan: &Plan, store: &Path, app: &Path) -> Outcome<Vec<Row>> {
    let mut first = Row::new(
        format!(
            "window: open a store of {} events, click to first view drawn",
            plan.events
        ),
        "ms",
        Goal::AtMost(1_000.0),
    );
    let mut drag = Row::new(
        "window: slider on its longest stream, input to drawn state, p95",
        "ms",
        Goal::AtMost(50.0),
    );
    let store = std::path::absolute(store)?;
    let store = store.to_str().ok_or("the store's path is UTF-8")?;
    for _ in 0..plan.rounds {
        let home = tempfile::tempdir_in(&plan.folder)?;
        let window = Window::open(app, home.path(), &[])?;
        window.fill("start-open-path", store)?;
        let took = window.session.run_async(OPEN, &[])?;
        first.ours.push(took.as_f64().ok_or("a time")?);

        window.go("#/stream/order-long")?;
        window.get("state-asof")?;
        let slider = window.get("stream-slider")?;
        let (middle, y) = window.session.middle(&slider)?;
        let (left, _) = window.left_of("stream-slider", ".rail")?;
        window.session.run(WATCH, &[])?;
        // To and fro, twice, a step a frame.
        let half = middle - left - 4.0;
        let points: Vec<(f64, f64)> = (0..240)
            .map(|step| (middle + half * (f64::from(step) * 0.0524).sin(), y))
            .collect();
        window.session.drag(&points)?;
        let figures = window.session.run_async(WATCHED, &[])?;
        let figures = figures.as_array().map(Vec::as_slice).unwrap_or_default();
        let figures: Vec<f64> = figures.iter().filter_map(Value::as_f64).collect();
        if figures.len() < 50 {
            return Err(format!("only {} moves of the slider were seen", figures.len()).into());
        }
        drag.ours.push(p95(&figures));
    }
    Ok(vec![first, drag])
}

/// Clicks "open" and answers with the milliseconds until the overview and the time bar's bars are drawn.
pub const OPEN: &str = "const done = arguments[0]; const began = performance.now(); \
    document.querySelector('[data-testid=start-open]').click(); \
    const look = () => { \
        const figure = document.querySelector('[data-testid=overview-events]')?.textContent; \
        const bars = document.querySelector('[data-testid=timebar] path')?.getAttribute('d'); \
        if (figure && bars) requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began))); \
        else requestAnimationFrame(look); \
    }; look()";

/// Notes each move of the slider, and when a state for it (or for a later one) has been drawn.
const WATCH: &str = "const watch = window.__watch = { waiting: [], took: [] }; \
    const slider = document.querySelector('[data-testid=stream-slider]'); \
    const panel = document.querySelector('[data-testid=state-panel]'); \
    const shown = () => Number((panel.querySelector('[data-testid=state-asof] strong')?.textContent ?? '').replace(/[^0-9]/g, '')); \
    let last = Number(slider.getAttribute('aria-valuenow')); \
    new MutationObserver(() => { \
        const now = Number(slider.getAttribute('aria-valuenow')); \
        if (now !== last) { last = now; watch.waiting.push({ version: now, at: watch.input }); } \
    }).observe(slider, { attributes: true, attributeFilter: ['aria-valuenow'] }); \
    addEventListener('pointermove', () => { watch.input = performance.now(); }, true); \
    new MutationObserver(() => { \
        const version = shown(); \
        requestAnimationFrame(() => { \
            const index = watch.waiting.findLastIndex((move) => move.version === version); \
            const drawn = performance.now(); \
            for (const move of watch.waiting.splice(0, index + 1)) watch.took.push(drawn - move.at); \
        }); \
    }).observe(panel, { subtree: true, childList: true, characterData: true });";

/// What was noted, once nothing moves any more.
const WATCHED: &str = "const done = arguments[0]; setTimeout(() => done(window.__watch.took), 500)";
