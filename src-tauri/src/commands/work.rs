//! Long work of which one piece runs at a time: beginning it, telling the window how far it is, cancelling it.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use annals_core::progress::WorkProgress;
use tauri::State;
use tauri::ipc::Channel;

use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, Running, Slot, json};
use crate::wire::WorkProgressView;

/// Cancels the backup, restore or verification that is running: nothing of it stays.
#[tauri::command]
pub async fn work_cancel(host: State<'_, Host>) -> Answer {
    if let Some(progress) = host.work().running() {
        progress.cancel();
    }
    json(&())
}

/// Runs a backup, restore or verification and tells the window how far it is.
pub(super) fn watched<T>(
    host: &Host,
    channel: &Channel<WorkProgressView>,
    work: impl FnOnce(&WorkProgress) -> Result<T, HostError>,
) -> Result<T, HostError> {
    let taken = "a backup, restore or verification is running already";
    let running = begin(host.work(), taken)?;
    with_ticks(told(channel, &running.progress), || work(&running.progress))
}

/// Takes the place of one piece of work; `taken` says what holds it.
pub(super) fn begin<P: Default>(slot: &Slot<P>, taken: &str) -> Result<Running<P>, HostError> {
    slot.begin().ok_or_else(|| {
        HostError::new(ErrorCode::Conflict, taken).hint("Wait until it is done, or cancel it.")
    })
}

/// Tells the window how far the work is. A window that has gone away needs to know nothing.
pub(super) fn told<'c>(
    channel: &'c Channel<WorkProgressView>,
    progress: &'c WorkProgress,
) -> impl Fn() + Send + 'c {
    move || {
        let (done, total) = progress.now();
        drop(channel.send(WorkProgressView { done, total }));
    }
}

/// Does the work on this thread and calls `tick` every 100 ms from another, and once more at the end.
pub(super) fn with_ticks<T>(tick: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    let (done, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) =
                ended.recv_timeout(Duration::from_millis(100))
            {
                tick();
            }
            tick();
        });
        // Dropped when the work ends, by a panic too: that is what ends the ticking.
        let _done = done;
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn the_last_tick_comes_after_the_work() {
        let (at, seen) = (AtomicU64::new(0), AtomicU64::new(0));
        with_ticks(
            || seen.store(at.load(Ordering::SeqCst), Ordering::SeqCst),
            || at.store(7, Ordering::SeqCst),
        );
        assert_eq!(seen.into_inner(), 7);
    }
}
