//! Long work on a terminal: a bar that says how far it is, and Ctrl-C that stops it cleanly.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use annals_core::progress::WorkProgress;

use crate::output::complain;

/// Runs work that can be watched and cancelled; what its numbers count is called `unit`.
pub fn watched<T>(unit: &str, work: impl FnOnce(&WorkProgress) -> T) -> T {
    let progress = Arc::new(WorkProgress::default());
    cancel_on_interrupt(&progress);
    if !std::io::stderr().is_terminal() {
        return work(&progress);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(unit, &progress, &done));
        let result = work(&progress);
        done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}

/// A second Ctrl-C ends the program at once, which is as safe: nothing has its name before it is whole.
fn cancel_on_interrupt(progress: &Arc<WorkProgress>) {
    let progress = Arc::clone(progress);
    let installed = ctrlc::set_handler(move || {
        if progress.cancel() {
            std::process::exit(130);
        }
    });
    if let Err(error) = installed {
        complain(&format!(
            "warning: Ctrl-C will end the program at once: {error}"
        ));
    }
}

fn watch(unit: &str, progress: &WorkProgress, done: &AtomicBool) {
    let style = format!("{{bar:30}} {{human_pos}} of {{human_len}} {unit}, {{elapsed}}");
    let style = indicatif::ProgressStyle::with_template(&style)
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    let bar = indicatif::ProgressBar::new(0).with_style(style);
    while !done.load(Ordering::Relaxed) {
        let (done, total) = progress.now();
        bar.set_length(total);
        bar.set_position(done);
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
