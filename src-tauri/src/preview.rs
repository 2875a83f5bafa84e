//! The pages of a report that is looked at before it is made: the newest preview, and no other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use annals_core::progress::WorkProgress;
use annals_report::Pages;

/// The newest preview.
#[derive(Default)]
pub struct Preview(Mutex<Newest>);

#[derive(Default)]
struct Newest {
    turn: u64,
    progress: Option<Arc<WorkProgress>>,
    pages: Option<Pages>,
}

impl Preview {
    /// Begins a preview; the one before is cancelled and its pages are gone. Gives its number and what tells how far it is.
    pub fn begin(&self) -> (u64, Arc<WorkProgress>) {
        let mut newest = self.lock();
        if let Some(before) = newest.progress.take() {
            before.cancel();
        }
        newest.turn += 1;
        newest.pages = None;
        let progress = Arc::new(WorkProgress::default());
        newest.progress = Some(progress.clone());
        (newest.turn, progress)
    }

    /// Keeps the pages of a preview, if it is still the newest.
    pub fn keep(&self, turn: u64, pages: Pages) {
        let mut newest = self.lock();
        if newest.turn == turn {
            newest.pages = Some(pages);
        }
    }

    /// Draws a page; `None` if there is another preview by now, or no such page.
    #[must_use]
    pub fn svg(&self, turn: u64, page: usize) -> Option<String> {
        let newest = self.lock();
        let pages = newest.pages.as_ref().filter(|_| newest.turn == turn)?;
        pages.svg(page)
    }

    /// Ends the preview that is under way, and lets its pages go.
    pub fn end(&self) {
        drop(self.begin());
    }

    /// What is guarded is whole after each statement, so a panic elsewhere spoils nothing.
    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_preview_cancels_the_one_before() {
        let preview = Preview::default();
        let (first, progress) = preview.begin();
        let (second, newer) = preview.begin();
        assert!(progress.is_cancelled() && !newer.is_cancelled() && first != second);
        assert_eq!(preview.svg(first, 0), None);
        preview.end();
        assert!(newer.is_cancelled());
    }
}
