//! Telling the window how far long work is.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

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
