//! Text search from the command line: the text, the index, and how hits print.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use annals_core::search::{
    IndexProgress, Reach, SearchHit, SearchMatch, SearchPart, TextIndex, TextQuery,
};
use annals_core::store::Log;
use indicatif::ProgressBar;

use crate::failure::{Code, Failure};
use crate::output::complain;
use crate::text::visible;
use crate::watch::{beside_bar, cancel_on_interrupt};

/// A text that events must hold.
#[derive(Debug, clap::Args)]
pub struct Text {
    /// Only events in which these words stand, in payload, metadata or names: a b* "next to each other" a OR b
    /// -not type:word
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    text: Option<String>,
}

impl Text {
    /// Reads what is searched for.
    pub fn read(&self) -> Result<Option<TextQuery>, Failure> {
        Ok(self.text.as_deref().map(TextQuery::parse).transpose()?)
    }
}

/// Opens the store's text index; with `build`, brings it to the head of the log, with progress on standard error
/// and Ctrl-C to stop.
pub fn open_index(log: &Log, build: bool) -> Result<TextIndex, Failure> {
    let index = TextIndex::open(log, cache_folder().as_deref());
    if build {
        let progress = Arc::new(IndexProgress::default());
        let on_interrupt = Arc::clone(&progress);
        cancel_on_interrupt(move || on_interrupt.cancel.swap(true, Ordering::Relaxed));
        let draw = |bar: &ProgressBar| {
            bar.set_length(progress.head.load(Ordering::Relaxed));
            bar.set_position(progress.covered.load(Ordering::Relaxed));
        };
        let style = "text index {bar:30} {human_pos} of {human_len} events, {per_sec}, {eta} left";
        // What is there already is not part of the work.
        let wait = Duration::from_millis(200);
        beside_bar(style, wait, draw, || index.catch_up(&progress))?;
    }
    Ok(index)
}

/// Where caches go whose store cannot be written to: `ANNALS_CACHE_DIR`, else the app's folder among the user's
/// caches.
pub fn cache_folder() -> Option<PathBuf> {
    let named = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value))
    };
    if let Some(folder) = named("ANNALS_CACHE_DIR") {
        return Some(folder);
    }
    let caches = if cfg!(windows) {
        named("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        named("HOME").map(|home| home.join("Library/Caches"))
    } else {
        named("XDG_CACHE_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| Some(named("HOME")?.join(".cache")))
    };
    Some(caches?.join("app.annals.desktop"))
}

/// Says how far a search has looked where that is not everything; notes about the index go to standard error.
pub fn tell_reach(reach: &Reach) -> Option<String> {
    for note in &reach.notes {
        complain(&format!("note: {}", visible(note)));
    }
    (!reach.complete).then(|| {
        format!(
            "looked up to position {} of {}: the text index is not complete",
            reach.searched_to, reach.head
        )
    })
}

/// Where a hit matches, in one line: the first place, and how many more there are.
pub fn places(hit: &SearchHit) -> String {
    let Some(first) = hit.matches.first() else {
        return String::new();
    };
    let more = hit.matches.len() as u64 - 1 + hit.more;
    let more = if more == 0 {
        String::new()
    } else {
        format!(" (+{more})")
    };
    format!("{}{more}", place(first))
}

fn place(found: &SearchMatch) -> String {
    let part = match found.part {
        SearchPart::Stream => "stream",
        SearchPart::Type => "type",
        SearchPart::Actor => "actor",
        SearchPart::Id => "id",
        SearchPart::SourceId => "source id",
        SearchPart::Correlation => "correlation",
        SearchPart::Causation => "causation",
        SearchPart::Data => "data",
        SearchPart::Metadata => "metadata",
    };
    let mut line = part.to_owned();
    if !found.path.is_empty() {
        line += if found.path.starts_with('[') { "" } else { "." };
        line += &found.path;
    }
    line += if found.key { " (name): " } else { ": " };
    line += if found.cut_before { "…" } else { "" };
    for piece in &found.snippet {
        if piece.marked {
            line += &format!("»{}«", piece.text);
        } else {
            line += &piece.text;
        }
    }
    line += if found.cut_after { "…" } else { "" };
    line
}

impl From<annals_core::search::QueryError> for Failure {
    fn from(error: annals_core::search::QueryError) -> Failure {
        Failure::new(Code::BadInput, error.to_string()).hint(error.hint)
    }
}

impl From<annals_core::search::SearchError> for Failure {
    fn from(error: annals_core::search::SearchError) -> Failure {
        use annals_core::search::SearchError;
        match error {
            SearchError::Read(error) => error.into(),
            SearchError::Cancelled => Failure::new(Code::Cancelled, error.to_string()).hint(
                "what was indexed stays, and the next search goes on from there; --no-wait answers from it",
            ),
        }
    }
}
