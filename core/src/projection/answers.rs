//! Answers remembered, by all that they depend on: the projection, its definition, the instant, and which documents were
//! asked for. The instant's `known` is a position always, so an answer can never be out of date; only an erasure takes some away.

use std::sync::{Arc, Mutex};

use serde::Serialize;
use ts_rs::TS;

use super::engine::lock;
use super::{DocumentQuery, DocumentsView};
use crate::integrity::Hash;
use crate::position::Position;
use crate::time::Time;

/// Most answers that are remembered.
const MAX_ANSWERS: usize = 256;
/// Most bytes of documents that are remembered, roughly.
const MAX_BYTES: usize = 32 << 20;
/// How long an answer is remembered that nobody asks for, in microseconds.
const MAX_AGE_US: i64 = 10 * 60 * 1_000_000;

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) projection: String,
    pub(super) hash: Hash,
    pub(super) at: Option<Time>,
    pub(super) known: Position,
    pub(super) query: DocumentQuery,
}

/// How often questions were answered from memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ReadCacheView {
    /// Questions answered from memory.
    #[ts(type = "number")]
    pub hits: u64,
    /// Questions that had to be worked out.
    #[ts(type = "number")]
    pub misses: u64,
    /// Hits in a hundred questions, rounded down.
    #[ts(type = "number")]
    pub hit_percent: u64,
    /// Answers in memory.
    #[ts(type = "number")]
    pub answers: u64,
    /// Bytes of their documents, roughly.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// Answers in memory: those of one opening of the projections of a log, or of several, one after another or at the same
/// time, that share it ([`super::Projections::with_read_cache`]).
#[derive(Debug, Default)]
pub struct ReadCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Most recently asked last.
    answers: Vec<Answer>,
    hits: u64,
    misses: u64,
    /// Erasures up to this position are taken account of.
    erased_to: u64,
}

#[derive(Debug)]
struct Answer {
    question: Question,
    view: Arc<DocumentsView>,
    bytes: usize,
    asked_us: i64,
}

impl ReadCache {
    /// The answer to a question, from memory or worked out. `erased_since` tells whether anything was erased after a
    /// position.
    pub(super) fn of<E>(
        &self,
        question: Question,
        now_us: i64,
        head: Position,
        erased_since: impl FnOnce(Position) -> Result<bool, E>,
        work: impl FnOnce() -> Result<DocumentsView, E>,
    ) -> Result<Arc<DocumentsView>, E> {
        let erased_to = lock(&self.0).erased_to;
        let is_erased = erased_to < head.0 && erased_since(Position(erased_to))?;
        {
            let mut kept = lock(&self.0);
            if is_erased {
                kept.answers.clear();
            }
            kept.erased_to = kept.erased_to.max(head.0);
            kept.answers
                .retain(|answer| now_us.saturating_sub(answer.asked_us) <= MAX_AGE_US);
            let found = kept
                .answers
                .iter()
                .position(|answer| answer.question == question);
            if let Some(at) = found {
                let mut answer = kept.answers.remove(at);
                answer.asked_us = now_us;
                let view = Arc::clone(&answer.view);
                kept.answers.push(answer);
                kept.hits += 1;
                return Ok(view);
            }
            kept.misses += 1;
        }
        let view = Arc::new(work()?);
        let bytes = view
            .documents
            .iter()
            .map(|row| row.state.get().len() + 128)
            .sum();
        let mut kept = lock(&self.0);
        // Whoever found it erased in the meantime keeps nothing older.
        if bytes <= MAX_BYTES / 4 && kept.erased_to == head.0.max(erased_to) {
            kept.answers.push(Answer {
                question,
                view: Arc::clone(&view),
                bytes,
                asked_us: now_us,
            });
            kept.shrink();
        }
        Ok(view)
    }

    /// Forgets every answer: what is kept may be other documents now.
    pub(super) fn forget(&self) {
        lock(&self.0).answers.clear();
    }

    pub(super) fn view(&self) -> ReadCacheView {
        let kept = lock(&self.0);
        let asked = kept.hits + kept.misses;
        ReadCacheView {
            hits: kept.hits,
            misses: kept.misses,
            hit_percent: (kept.hits * 100).checked_div(asked).unwrap_or(0),
            answers: kept.answers.len() as u64,
            bytes: kept.answers.iter().map(|answer| answer.bytes as u64).sum(),
        }
    }
}

impl Kept {
    fn shrink(&mut self) {
        let mut bytes: usize = self.answers.iter().map(|answer| answer.bytes).sum();
        let mut gone = 0;
        while self.answers.len() - gone > MAX_ANSWERS || bytes > MAX_BYTES {
            bytes -= self.answers[gone].bytes;
            gone += 1;
        }
        self.answers.drain(..gone);
    }
}
