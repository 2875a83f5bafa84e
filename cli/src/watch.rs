//! Long work on a terminal: a bar that says how far it is, and Ctrl-C that stops it cleanly.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use annals_core::progress::WorkProgress;
use annals_core::store::Log;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::complain;

/// Time between two looks at how far the work is.
const PACE: Duration = Duration::from_millis(100);

/// Runs work that can be watched and cancelled; what its numbers count is called `unit`.
pub fn watched<T>(unit: &str, work: impl FnOnce(&WorkProgress) -> T) -> T {
    let progress = Arc::new(WorkProgress::default());
    let on_interrupt = Arc::clone(&progress);
    cancel_on_interrupt(move || on_interrupt.cancel());
    let style = format!("{{bar:30}} {{human_pos}} of {{human_len}} {unit}, {{elapsed}}");
    let draw = |bar: &ProgressBar| {
        let (done, total) = progress.now();
        bar.set_length(total);
        bar.set_position(done);
    };
    beside_bar(&style, Duration::ZERO, draw, || work(&progress))
}

/// Runs work that reads a log, which can be watched and cancelled: the bar counts the events that it reads.
pub fn reading<T>(log: &Log, work: impl FnOnce(&Log) -> T) -> T {
    let progress = Arc::new(WorkProgress::default());
    let on_interrupt = Arc::clone(&progress);
    cancel_on_interrupt(move || on_interrupt.cancel());
    let total = log.head().map_or(0, |head| head.size.0);
    let draw = |bar: &ProgressBar| {
        bar.set_length(total);
        bar.set_position(progress.now().0);
    };
    let style = "{bar:30} {human_pos} of {human_len} events, {elapsed}";
    let log = log.watched(Arc::clone(&progress));
    beside_bar(style, PACE, draw, || work(&log))
}

/// Runs work that counts events and does not know how many there will be; it can be cancelled.
pub fn watched_events<T>(work: impl FnOnce(&Arc<WorkProgress>) -> T) -> T {
    let progress = Arc::new(WorkProgress::default());
    let on_interrupt = Arc::clone(&progress);
    cancel_on_interrupt(move || on_interrupt.cancel());
    let draw = |bar: &ProgressBar| bar.set_position(progress.now().0);
    let style = "{spinner} {human_pos} events, {elapsed}";
    beside_bar(style, Duration::from_millis(500), draw, || work(&progress))
}

/// Runs work with a bar on standard error, if that is a terminal. `draw` puts on it how far the work is, the first
/// time after `wait`.
pub fn beside_bar<T>(
    style: &str,
    wait: Duration,
    draw: impl Fn(&ProgressBar) + Sync,
    work: impl FnOnce() -> T,
) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    let watch = || {
        let style =
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0).with_style(style);
        std::thread::park_timeout(wait);
        while !done.load(Ordering::Relaxed) {
            draw(&bar);
            std::thread::park_timeout(PACE);
        }
        bar.finish_and_clear();
    };
    std::thread::scope(|scope| {
        let watcher = scope.spawn(watch);
        let result = work();
        done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}

/// Lets Ctrl-C stop work cleanly: `cancel` asks it to stop and says whether it had been asked before. Then the
/// program ends at once, which is as safe.
pub fn cancel_on_interrupt(cancel: impl Fn() -> bool + Send + 'static) {
    let installed = ctrlc::set_handler(move || {
        if cancel() {
            std::process::exit(130);
        }
    });
    if let Err(error) = installed {
        complain(&format!(
            "warning: Ctrl-C will end the program at once: {error}"
        ));
    }
}
