//! Events delivered to whoever acts on them: a process that sends commands, or one that sends messages.
//!
//! Delivery is at least once: what was handled when the machine stopped, and not written down yet, comes again. So
//! who acts on an event uses its id: commands whose ids follow from it change nothing when they come again
//! ([`super::Commands`]), and who sends messages hands it on as their key.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::id::LogId;
use crate::position::Position;
use crate::store::{EventQuery, Log, ReadError};

/// Events read at once.
const PAGE: usize = 256;

/// How far somebody who acts on events has come: a file in the store's folder, written whole or not at all. Without
/// it everything is delivered again.
#[derive(Debug, Clone)]
pub struct ConsumerCheckpoint {
    file: PathBuf,
    log: LogId,
    position: Position,
}

#[derive(Debug, Serialize, Deserialize)]
struct Written {
    log: LogId,
    position: Position,
}

impl ConsumerCheckpoint {
    /// The checkpoint of this name beside a store; `from` where there is none yet, or the one there is of another
    /// log.
    ///
    /// # Errors
    /// The system's error; also where the file is no checkpoint, or lies beyond the log's end.
    pub fn open(log: &Log, name: &str, from: Position) -> std::io::Result<ConsumerCheckpoint> {
        let folder = crate::model::folder(log.path()).join("checkpoints");
        let file = folder.join(format!("{name}.json"));
        let mut position = from;
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let written: Written = serde_json::from_str(&text).map_err(|error| {
                    let path = file.display();
                    std::io::Error::other(format!(
                        "{path} is no checkpoint ({error}); without it everything is delivered again"
                    ))
                })?;
                if written.log == log.id() {
                    position = written.position;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(ConsumerCheckpoint {
            file,
            log: log.id(),
            position,
        })
    }

    /// The last position that was handled.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Writes down that everything up to a position was handled.
    ///
    /// # Errors
    /// The system's error; the file is as it was.
    pub fn reach(&mut self, position: Position) -> std::io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let written = Written {
            log: self.log,
            position,
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.file).map_err(|error| error.error)?;
        self.position = position;
        Ok(())
    }
}

/// Why a delivery stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError<E> {
    /// The event at this position could not be handled; the checkpoint stands before it.
    #[error("position {position}: {source}")]
    Handler {
        /// The event.
        position: Position,
        /// Why.
        source: E,
    },
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint could not be written.
    #[error("the checkpoint could not be written: {0}")]
    Checkpoint(#[from] std::io::Error),
}

/// Delivers every event after the checkpoint, in order of position, and those that come meanwhile; returns their
/// number. The checkpoint is written down after every `every` events and at the end: what comes of less is that
/// less is delivered again after a crash.
///
/// # Errors
/// [`DeliveryError`]: the event in question is delivered again next time.
pub fn deliver<E>(
    log: &Log,
    checkpoint: &mut ConsumerCheckpoint,
    every: u64,
    mut handle: impl FnMut(&Event) -> Result<(), E>,
) -> Result<u64, DeliveryError<E>> {
    let mut handled = checkpoint.position();
    let mut count = 0;
    let outcome = loop {
        let query = EventQuery {
            after: (handled > Position::ZERO).then_some(handled),
            ..EventQuery::default()
        };
        let page = log.events(&query, PAGE)?;
        if page.events.is_empty() {
            break Ok(count);
        }
        let mut failed = None;
        for event in &page.events {
            let position = event.position;
            if let Err(source) = handle(event) {
                failed = Some(DeliveryError::Handler { position, source });
                break;
            }
            handled = position;
            count += 1;
            if count % every.max(1) == 0 {
                checkpoint.reach(handled)?;
            }
        }
        if let Some(failed) = failed {
            break Err(failed);
        }
    };
    if handled > checkpoint.position() {
        checkpoint.reach(handled)?;
    }
    outcome
}
