//! Verification of a store, as a whole: the log's bytes, its tree, and what was signed over it.
//!
//! It answers three questions and keeps them apart. Is every event what was recorded, and is everything in the file
//! made of these events? ([`crate::store::check`]) Is it still the log that was signed? And what was not looked at?
//! A log that was rewritten as a whole, tree and all, agrees with itself: only something kept elsewhere, a
//! checkpoint, shows it, which is why a log without one is told so.

mod signed;

use std::path::Path;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::LogId;
use crate::integrity::Hash;
use crate::integrity::note::VerifyingKey;
use crate::integrity::timestamp::Authority;
use crate::model::ModelSet;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::snapshot::{SnapshotError, Snapshots};
use crate::store::verify::{Checked, Grade, VerifyFinding, VerifyFindings, VerifyKind};
use crate::store::{Log, LogCheck, OpenError, ReadError, check};
use crate::surroundings::Surroundings;
use crate::temporal::{CLAIMS, SnapshotCheck, SnapshotOutcome, verify_own_snapshots};

/// How verification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum VerifyOutcome {
    /// Nothing that was checked is wrong.
    Intact,
    /// Something was manipulated, or is missing.
    Problems,
    /// It, or what it was to be compared with, cannot be read as such.
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
    /// Size of the last checkpoint whose signature and root are good; `None` where there is none.
    pub signed_size: Option<Position>,
    /// What was checked, and how many.
    pub checked: Vec<Checked>,
    /// What was found, the gravest first.
    pub findings: Vec<VerifyFinding>,
    /// What was not checked, and why.
    pub not_checked: Vec<String>,
}

/// What to verify besides the log itself, and with what.
#[derive(Debug, Clone)]
pub struct VerifyPlan {
    /// Checkpoints and proofs that were kept elsewhere.
    pub against: Vec<Kept>,
    /// Keys that are known from elsewhere: the log's own, and those of witnesses.
    pub keys: Vec<VerifyingKey>,
    /// Authorities whose time stamps are believed.
    pub authorities: Vec<Authority>,
    /// Also verify what is kept of states, by replaying their streams; what does not hold is dropped from the cache.
    pub replay: bool,
    /// The folder for caches of stores that cannot be written to.
    pub cache_folder: Option<std::path::PathBuf>,
    /// Threads that share the work, at least 1.
    pub threads: usize,
}

impl Default for VerifyPlan {
    fn default() -> VerifyPlan {
        VerifyPlan {
            against: Vec::new(),
            keys: Vec::new(),
            authorities: Vec::new(),
            replay: false,
            cache_folder: None,
            threads: 2,
        }
    }
}

/// A checkpoint (a signed note) or a proof (`.tlog-proof`) that was kept outside of the log.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its name, for findings: the file's.
    pub name: String,
    /// Its text.
    pub text: String,
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
    let signatures = signed::Signatures::load(store, plan);
    let sizes = signatures.sizes();
    let checked = match check(store, &sizes, plan.threads, &surroundings.random, progress) {
        Ok(Ok(checked)) => checked,
        Ok(Err(ReadError::Engine(error))) if is_damage(&error) => {
            let damaged = OpenError::Damaged {
                path: store.to_owned(),
                reason: error.to_string(),
            };
            return unreadable(store, damaged);
        }
        Ok(Err(error)) => return Err(error.into()),
        Err(error) => return unreadable(store, error),
    };
    let LogCheck {
        id,
        size,
        events,
        root,
        roots,
        mut checked,
        mut findings,
        mut not_checked,
    } = checked;
    let compared = signatures.examine(id, size, &roots, &mut findings);
    checked.extend(compared.checked);
    not_checked.extend(compared.not_checked);
    if plan.replay {
        replay(
            store,
            plan,
            surroundings,
            progress,
            &mut checked,
            &mut findings,
            &mut not_checked,
        )?;
    }
    not_checked.push("names and hashes of imported files, and what the file says of itself (when it was made, whose sample it is): nothing in the tree holds them".into());
    not_checked.push("what is beside the log: models and other files of yours, and caches, which can be made again".into());
    let findings = findings.into_vec();
    let wrong = findings.iter().filter(|f| f.grade != Grade::Notice).count();
    let outcome = match wrong {
        0 => VerifyOutcome::Intact,
        // A bad file beside a good log is not evidence against the log.
        wrong if wrong == compared.unusable => VerifyOutcome::Unreadable,
        _ => VerifyOutcome::Problems,
    };
    Ok(VerifyView {
        outcome,
        file: store.display().to_string(),
        id: Some(id),
        events_checked: events,
        tree_size: size,
        root,
        signed_size: compared.signed_size,
        checked,
        findings,
        not_checked,
    })
}

/// Compares the snapshots that are kept with a replay of their streams.
fn replay(
    store: &Path,
    plan: &VerifyPlan,
    surroundings: &Surroundings,
    progress: &WorkProgress,
    checked: &mut Vec<Checked>,
    findings: &mut VerifyFindings,
    not_checked: &mut Vec<String>,
) -> Result<(), VerifyError> {
    not_checked.push("documents of projections, which can be made again from the log".into());
    let log = match Log::explore(store) {
        Ok(log) => log,
        Err(error) => {
            not_checked.push(format!("snapshots: the log cannot be explored ({error})"));
            return Ok(());
        }
    };
    let clock = surroundings.clock.clone();
    let kept = Snapshots::open_for_reading(&log, plan.cache_folder.as_deref(), clock);
    let (Some(kept), Ok((models, _))) = (kept, ModelSet::load(store)) else {
        checked.push(Checked {
            what: "snapshots that are kept, against a replay".into(),
            count: 0,
        });
        return Ok(());
    };
    let mut go_on = |_: u64| !progress.is_cancelled();
    let view = match verify_own_snapshots(&log, &models, &kept, CLAIMS, &mut go_on) {
        Ok(view) => view,
        Err(SnapshotError::Read(error)) => return Err(error.into()),
        Err(error) => {
            not_checked.push(format!("snapshots: {error}"));
            return Ok(());
        }
    };
    checked.push(Checked {
        what: "snapshots that are kept, against a replay".into(),
        count: view.checked,
    });
    for wrong in &view.wrong {
        let SnapshotCheck {
            claimant: _,
            stream,
            version,
            position,
            outcome,
            detail,
            changes: _,
        } = wrong;
        let why = match outcome {
            SnapshotOutcome::Differs => "is not what a replay gives",
            SnapshotOutcome::Damaged => "is damaged",
            SnapshotOutcome::Same
            | SnapshotOutcome::Stale
            | SnapshotOutcome::Untold
            | SnapshotOutcome::Unreadable => continue,
        };
        let detail = detail
            .as_deref()
            .map_or_else(String::new, |text| format!(": {text}"));
        findings.add(
            Grade::Manipulation,
            VerifyKind::SnapshotDiffers,
            *position,
            format!("the snapshot of {stream} at version {version} {why}; it was dropped{detail}"),
        );
    }
    let unknown = view.stale + view.untold;
    if unknown > 0 {
        not_checked.push(format!(
            "{unknown} snapshots that other models made, or of which nothing can be told"
        ));
    }
    Ok(())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    matches!(
        error.sqlite_error_code(),
        Some(Code::DatabaseCorrupt | Code::NotADatabase)
    )
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
        | OpenError::DiskFull { .. }
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
        signed_size: None,
        checked: Vec::new(),
        findings: findings.into_vec(),
        not_checked: vec!["anything: the file cannot be read as a log".into()],
    })
}
