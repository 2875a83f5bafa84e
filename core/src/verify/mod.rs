//! Verification of a store, as a whole: the log's bytes, its tree, and what was signed over it.
//!
//! It answers three questions and keeps them apart. Is every event what was recorded, and is everything in the file
//! made of these events? ([`crate::store::check`]) Is it still the log that was signed? And what was not looked at?
//! A log that was rewritten as a whole, tree and all, agrees with itself: only something kept elsewhere, a
//! checkpoint, shows it, which is why a log without one is told so.

use std::path::Path;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::LogId;
use crate::integrity::Hash;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::verify::{Checked, Grade, VerifyFinding, VerifyFindings, VerifyKind};
use crate::store::{LogCheck, OpenError, ReadError, check};
use crate::surroundings::Surroundings;

/// How verification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum VerifyOutcome {
    /// Nothing that was checked is wrong.
    Intact,
    /// Something was manipulated, or is missing.
    Problems,
    /// It cannot be read as what was to be verified.
    Unreadable,
}

/// What verification of a store says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VerifyView {
    /// How it ended: `intact` where nothing is graded manipulation or gap.
    pub outcome: VerifyOutcome,
    /// The file, as it was named.
    pub file: String,
    /// The log's id; `None` where it cannot be read.
    pub id: Option<LogId>,
    /// Events hashed again from their bytes.
    #[ts(type = "number")]
    pub events_checked: u64,
    /// Number of events that the log says it holds.
    pub tree_size: Position,
    /// Root over them, made again from the leaves; `None` where leaves are missing.
    pub root: Option<Hash>,
    /// What was checked, and how many.
    pub checked: Vec<Checked>,
    /// What was found, the gravest first.
    pub findings: Vec<VerifyFinding>,
    /// What was not checked, and why.
    pub not_checked: Vec<String>,
}

/// What to verify besides the log itself.
#[derive(Debug, Clone)]
pub struct VerifyPlan {
    /// Threads that share the work, at least 1.
    pub threads: usize,
}

impl Default for VerifyPlan {
    fn default() -> VerifyPlan {
        VerifyPlan { threads: 2 }
    }
}

/// Why nothing was verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file is not there, or the system refuses it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The engine failed, or the caller cancelled.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Verifies a store. Writes nothing.
///
/// # Errors
/// [`VerifyError`] where the file is not there or may not be read, and where the caller cancels. A file that is there
/// and is no log that can be read is an answer: [`VerifyOutcome::Unreadable`].
///
/// ```
/// use annals_core::{progress::WorkProgress, surroundings::Surroundings, verify::*};
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store).unwrap();
/// let view = verify(&store, &VerifyPlan::default(), &Surroundings::system(), &WorkProgress::default()).unwrap();
/// assert_eq!((view.outcome, view.events_checked), (VerifyOutcome::Intact, 52));
/// ```
pub fn verify(
    store: &Path,
    plan: &VerifyPlan,
    surroundings: &Surroundings,
    progress: &WorkProgress,
) -> Result<VerifyView, VerifyError> {
    let checked = match check(store, &[], plan.threads, &surroundings.random, progress) {
        Ok(checked) => checked?,
        Err(error) => return unreadable(store, error),
    };
    let LogCheck {
        id,
        size,
        events,
        root,
        roots: _,
        checked,
        findings,
        not_checked,
    } = checked;
    let findings = findings.into_vec();
    let problems = findings.iter().any(|f| f.grade != Grade::Notice);
    Ok(VerifyView {
        outcome: match problems {
            true => VerifyOutcome::Problems,
            false => VerifyOutcome::Intact,
        },
        file: store.display().to_string(),
        id: Some(id),
        events_checked: events,
        tree_size: size,
        root,
        checked,
        findings,
        not_checked,
    })
}

/// A file that is no log is told as such; one that is not there was not verified.
fn unreadable(store: &Path, error: OpenError) -> Result<VerifyView, VerifyError> {
    match &error {
        OpenError::NotAStore { .. } | OpenError::NewerFormat { .. } | OpenError::Damaged { .. } => {
        }
        OpenError::NotFound { .. }
        | OpenError::Exists { .. }
        | OpenError::Locked { .. }
        | OpenError::ReadOnly { .. }
        | OpenError::Engine { .. }
        | OpenError::Io { .. } => return Err(error.into()),
    }
    let mut findings = VerifyFindings::default();
    findings.add(Grade::Gap, VerifyKind::Unreadable, None, error.to_string());
    Ok(VerifyView {
        outcome: VerifyOutcome::Unreadable,
        file: store.display().to_string(),
        id: None,
        events_checked: 0,
        tree_size: Position::ZERO,
        root: None,
        checked: Vec::new(),
        findings: findings.into_vec(),
        not_checked: vec!["anything: the file cannot be read as a log".into()],
    })
}
