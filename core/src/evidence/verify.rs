//! Verifies a package: a pure function over its bytes. It needs no log, believes nothing before it is signed, and says
//! what it did not check.

use sha2::{Digest, Sha256};

use crate::evidence::check;
use crate::evidence::custody;
use crate::evidence::manifest::{self, Algorithms, Manifest};
use crate::evidence::names;
use crate::evidence::signed;
use crate::evidence::view::{
    EvidenceFacts, EvidenceFinding, EvidenceFindingKind as Kind, EvidenceOutcome,
    EvidenceVerification,
};
use crate::evidence::zip::{Archive, MAX_ARCHIVE_BYTES, MAX_FILES};
use crate::integrity::Hash;
use crate::integrity::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::integrity::note::{KeyKind, Note, NoteError, VerifyingKey};
use crate::integrity::timestamp::Authority;
use crate::integrity::tree;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::verify::Grade;

/// What whoever verifies has from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Keys: the log's, and those of witnesses.
    pub keys: Vec<VerifyingKey>,
    /// Checkpoints of the log.
    pub against: Vec<SignedCheckpoint>,
    /// Authorities whose time stamps are believed.
    pub authorities: Vec<Authority>,
}

/// Findings of one kind that are listed one by one.
const LISTED: usize = 20;

/// The user cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<EvidenceFinding>,
    more: Vec<(Grade, Kind, u64)>,
    pub(super) checked: Vec<String>,
    pub(super) not_checked: Vec<String>,
}

impl Findings {
    pub(super) fn add(
        &mut self,
        grade: Grade,
        kind: Kind,
        position: Option<Position>,
        detail: impl Into<String>,
    ) {
        let listed = self.list.iter().filter(|f| f.kind == kind).count();
        if listed < LISTED {
            self.list.push(EvidenceFinding {
                grade,
                kind,
                position,
                detail: detail.into(),
            });
            return;
        }
        match self.more.iter_mut().find(|(_, of, _)| *of == kind) {
            Some((_, _, count)) => *count += 1,
            None => self.more.push((grade, kind, 1)),
        }
    }

    pub(super) fn wrong(&mut self, kind: Kind, detail: impl Into<String>) {
        self.add(Grade::Manipulation, kind, None, detail);
    }

    pub(super) fn not_checked(&mut self, what: impl Into<String>) {
        self.not_checked.push(what.into());
    }

    fn into_list(mut self) -> Vec<EvidenceFinding> {
        for (grade, kind, count) in self.more {
            self.list.push(EvidenceFinding {
                grade,
                kind,
                position: None,
                detail: format!("{count} more of this kind"),
            });
        }
        // Stable: within a grade in the order in which they were found.
        self.list.sort_by_key(|finding| finding.grade);
        self.list
    }
}

/// Verifies a package. `progress` counts events.
///
/// # Errors
/// [`Cancelled`] only: whatever the bytes are, there is an answer.
///
/// ```
/// use annals_core::evidence::verify::{Trust, verify};
/// use annals_core::evidence::view::EvidenceOutcome;
/// use annals_core::progress::WorkProgress;
/// let answer = verify(b"no package", &Trust::default(), &WorkProgress::default()).unwrap();
/// assert_eq!(answer.outcome, EvidenceOutcome::Unreadable);
/// ```
pub fn verify(
    bytes: &[u8],
    trust: &Trust,
    progress: &WorkProgress,
) -> Result<EvidenceVerification, Cancelled> {
    let mut findings = Findings::default();
    match of_archive(bytes, trust, &mut findings, progress)? {
        Ok(answer) => Ok(answer.finish(findings)),
        Err(reason) => Ok(unreadable(reason)),
    }
}

/// Why a package could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFileError {
    /// The file could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Verifies the package in a file; one that is longer than a package can be is not read.
///
/// # Errors
/// [`VerifyFileError`].
pub fn verify_file(
    path: &std::path::Path,
    trust: &Trust,
    progress: &WorkProgress,
) -> Result<EvidenceVerification, VerifyFileError> {
    let failed = |source| VerifyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let len = std::fs::metadata(path).map_err(failed)?.len();
    let mut answer = if len > MAX_ARCHIVE_BYTES {
        unreadable("this is no package: it is longer than 2 GiB".to_owned())
    } else {
        verify(&std::fs::read(path).map_err(failed)?, trust, progress)?
    };
    answer.file = path.display().to_string();
    Ok(answer)
}

fn unreadable(reason: String) -> EvidenceVerification {
    let mut findings = Findings::default();
    findings.add(Grade::Gap, Kind::Unreadable, None, reason);
    findings.not_checked("anything in it");
    let mut view = Answer::default().finish(findings);
    view.outcome = EvidenceOutcome::Unreadable;
    view
}

/// Numbers of the answer, as far as the package could be read.
#[derive(Debug, Default)]
struct Answer {
    events_checked: u64,
    tree_size: u64,
    root: Option<Hash>,
    facts: Option<EvidenceFacts>,
}

impl Answer {
    fn finish(self, mut findings: Findings) -> EvidenceVerification {
        let checked = std::mem::take(&mut findings.checked);
        let not_checked = std::mem::take(&mut findings.not_checked);
        let list = findings.into_list();
        let wrong = list.iter().any(|finding| finding.grade != Grade::Notice);
        EvidenceVerification {
            outcome: match wrong {
                true => EvidenceOutcome::Problems,
                false => EvidenceOutcome::Intact,
            },
            events_checked: self.events_checked,
            tree_size: self.tree_size,
            root: self.root,
            findings: list,
            checked,
            not_checked,
            facts: self.facts,
            file: String::new(),
        }
    }
}

/// The inner error says why the bytes are no package.
fn of_archive(
    bytes: &[u8],
    trust: &Trust,
    findings: &mut Findings,
    progress: &WorkProgress,
) -> Result<Result<Answer, String>, Cancelled> {
    let archive = match Archive::read(bytes) {
        Ok(archive) => archive,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let manifest_bytes = match archive.file(names::MANIFEST) {
        None => return Ok(Err("this is no package: it has no manifest.json".to_owned())),
        Some(Err(error)) => return Ok(Err(error.to_string())),
        Some(Ok(bytes)) if bytes.len() > manifest::MAX_BYTES => {
            return Ok(Err("its manifest.json is longer than 256 MiB".to_owned()));
        }
        Some(Ok(bytes)) => bytes,
    };
    for oddity in &archive.oddities {
        let detail = match &oddity.name {
            Some(name) => format!("{name:?}: {}", oddity.what),
            None => oddity.what.clone(),
        };
        findings.wrong(Kind::Archive, detail);
    }
    let note = note_text(&archive, findings);
    let manifest = match Manifest::read(&manifest_bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            if serde_json::from_slice::<serde::de::IgnoredAny>(&manifest_bytes).is_err() {
                return Ok(Err(format!(
                    "this is no package: its manifest.json is no JSON ({error})"
                )));
            }
            findings.wrong(
                Kind::ManifestMalformed,
                format!("manifest.json is not of this format: {error}"),
            );
            if note.is_some_and(|note| !note.contains(&sha256(&manifest_bytes).to_string())) {
                let detail = "the signature is not over this manifest.json";
                findings.wrong(Kind::ManifestChanged, detail);
            }
            findings.not_checked("anything else, since the manifest says what there is to check");
            return Ok(Ok(Answer::default()));
        }
    };
    of_manifest(
        &archive,
        &manifest,
        &manifest_bytes,
        note,
        trust,
        findings,
        progress,
    )
    .map(Ok)
}

fn note_text(archive: &Archive<'_>, findings: &mut Findings) -> Option<String> {
    match archive.file(names::MANIFEST_NOTE) {
        None => {
            findings.wrong(
                Kind::BadSignature,
                "manifest.note is missing: nobody signed this",
            );
            None
        }
        Some(Err(error)) => {
            findings.wrong(Kind::BadSignature, error.to_string());
            None
        }
        Some(Ok(bytes)) => String::from_utf8(bytes).ok().or_else(|| {
            findings.wrong(Kind::BadSignature, "manifest.note is no text");
            None
        }),
    }
}

fn of_manifest(
    archive: &Archive<'_>,
    manifest: &Manifest,
    manifest_bytes: &[u8],
    note: Option<String>,
    trust: &Trust,
    findings: &mut Findings,
    progress: &WorkProgress,
) -> Result<Answer, Cancelled> {
    if manifest.format != manifest::FORMAT {
        let detail = format!("the manifest is of the format {:?}", manifest.format);
        findings.wrong(Kind::ManifestMalformed, detail);
    }
    if manifest.algorithms != Algorithms::fixed() {
        let Algorithms {
            hash,
            signature,
            tree,
        } = &manifest.algorithms;
        let detail = format!(
            "it names the algorithms {hash:?}, {signature:?} and {tree:?}; a package has SHA-256, Ed25519 and RFC 6962"
        );
        findings.wrong(Kind::OtherAlgorithm, detail);
    }
    let is_signed = check_signature(manifest, manifest_bytes, note.as_deref(), findings);
    let mut files = check_files(archive, manifest, findings);
    // The checkpoint is by the same key: a package is one statement of one signer.
    let keys: Vec<VerifyingKey> = manifest.key.parse().into_iter().collect();
    let chain = signed::keys(&files, &manifest.log, &manifest.key, findings);
    let key_known = check_trust(manifest, &chain, trust, findings) && is_signed;
    let checkpoint = check_checkpoint(&files, manifest, &keys, findings);
    let mut answer = Answer {
        tree_size: checkpoint.as_ref().map_or(0, |c| c.checkpoint.size),
        root: checkpoint.as_ref().map(|c| c.checkpoint.root),
        ..Answer::default()
    };
    let mut stamps = Vec::new();
    if let Some(checkpoint) = &checkpoint {
        stamps = signed::stamps(&files, names::CHECKPOINT, checkpoint, trust, findings);
        if let Some(earlier) = check_earlier(&files, checkpoint, &chain, findings) {
            stamps.extend(signed::stamps(
                &files,
                names::EARLIER,
                &earlier,
                trust,
                findings,
            ));
        }
        let known: Vec<VerifyingKey> = chain.iter().chain(&trust.keys).cloned().collect();
        check_against(checkpoint, manifest, &known, trust, findings);
    }
    let tied = check::range(
        &mut files,
        manifest,
        checkpoint.as_ref(),
        findings,
        progress,
    )?;
    answer.events_checked = tied.events;
    custody::check(files.get(names::CUSTODY), findings);
    say_not_checked(manifest, &tied, !stamps.is_empty(), findings);
    answer.facts = Some(EvidenceFacts {
        log: manifest.log.clone(),
        key: manifest.key.clone(),
        key_known,
        made: manifest.made.clone(),
        scope: manifest.scope,
        filter: manifest.filter.clone(),
        reading: manifest.reading.clone(),
        others: manifest.others,
        withheld: manifest.withheld.clone(),
        counts: manifest.counts,
        unproven: tied.unproven,
        unproven_rows: tied.unproven_rows,
        types: manifest.types.clone(),
        sums: manifest.sums.clone(),
        files: manifest.files.clone(),
        stamps,
    });
    Ok(answer)
}

/// The text over which a manifest is signed.
#[must_use]
pub fn signed_text(log: &str, manifest: &[u8]) -> String {
    format!("{}\n{log}\nsha256 {}\n", manifest::FORMAT, sha256(manifest))
}

/// SHA-256 of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Says whether the key that the manifest names signed it.
fn check_signature(
    manifest: &Manifest,
    bytes: &[u8],
    note: Option<&str>,
    findings: &mut Findings,
) -> bool {
    let Some(note) = note else {
        return false;
    };
    let key: VerifyingKey = match manifest.key.parse() {
        Ok(key) => key,
        Err(error) => {
            findings.wrong(Kind::BadSignature, format!("the manifest's key: {error}"));
            return false;
        }
    };
    if key.kind() != KeyKind::Log || key.name() != manifest.log {
        let detail = format!(
            "the key {} is not the key of {}",
            manifest.key, manifest.log
        );
        findings.wrong(Kind::OtherKey, detail);
        return false;
    }
    let parsed = match Note::parse(note) {
        Ok(parsed) => parsed,
        Err(error) => {
            findings.wrong(Kind::BadSignature, format!("manifest.note: {error}"));
            return false;
        }
    };
    if let Err(error) = parsed.verify(std::slice::from_ref(&key)) {
        let detail = match error {
            NoteError::Unsigned => format!("manifest.note is not signed by {}", manifest.key),
            error => format!("manifest.note: {error}"),
        };
        findings.wrong(Kind::BadSignature, detail);
        return false;
    }
    if parsed.text() != signed_text(&manifest.log, bytes) {
        let detail = "manifest.json is not what was signed: its bytes were changed, written anew or replaced";
        findings.wrong(Kind::ManifestChanged, detail);
        return false;
    }
    findings.checked.push(format!(
        "the signature over manifest.json, by {}",
        manifest.key
    ));
    true
}

fn check_trust(
    manifest: &Manifest,
    chain: &[VerifyingKey],
    trust: &Trust,
    findings: &mut Findings,
) -> bool {
    let logs: Vec<&VerifyingKey> = trust
        .keys
        .iter()
        .filter(|key| key.kind() == KeyKind::Log)
        .collect();
    if logs.is_empty() {
        findings.not_checked(format!(
            "whose key this is: compare {} with one that you have from elsewhere",
            manifest.key
        ));
        return false;
    }
    // A key that is known vouches for those that it brought into force, down to the one that signed.
    if !chain.iter().any(|key| logs.contains(&key)) {
        let detail = format!(
            "it is signed by {}, which is not the key that you gave",
            manifest.key
        );
        findings.wrong(Kind::OtherKey, detail);
        return false;
    }
    true
}

/// Files that the checks after this one read.
pub(super) type Files = std::collections::BTreeMap<String, Vec<u8>>;

fn check_files(archive: &Archive<'_>, manifest: &Manifest, findings: &mut Findings) -> Files {
    let mut files = Files::new();
    let listed = manifest.files.iter().map(|file| file.name.as_str());
    let mut in_order: Vec<&str> = listed.collect();
    for name in names::REQUIRED {
        if !in_order.contains(name) {
            findings.wrong(
                Kind::FileMissing,
                format!("the manifest does not list {name}"),
            );
        }
    }
    if in_order.len() > MAX_FILES {
        let detail = format!(
            "the manifest lists {} files, more than {MAX_FILES}",
            in_order.len()
        );
        findings.wrong(Kind::ManifestMalformed, detail);
        in_order.truncate(MAX_FILES);
    }
    for (at, name) in in_order.iter().enumerate() {
        if in_order[..at].contains(name)
            || name == &names::MANIFEST
            || name == &names::MANIFEST_NOTE
        {
            let detail = format!("the manifest lists {name:?} where it must not");
            findings.wrong(Kind::ManifestMalformed, detail);
        }
    }
    let mut good = 0u64;
    for (at, claim) in manifest.files.iter().take(MAX_FILES).enumerate() {
        let name = &claim.name;
        // One that is listed twice was told above, and is inflated once.
        if in_order[..at].contains(&name.as_str()) {
            continue;
        }
        match archive.file(name) {
            None => findings.wrong(Kind::FileMissing, format!("{name:?} is missing")),
            Some(Err(error)) => findings.wrong(Kind::FileChanged, error.to_string()),
            Some(Ok(bytes)) => {
                if bytes.len() as u64 == claim.size && sha256(&bytes) == claim.sha256 {
                    good += 1;
                } else {
                    let detail = format!(
                        "{name:?} is not the file that the manifest lists: its SHA-256 is another"
                    );
                    findings.wrong(Kind::FileChanged, detail);
                }
                if names::READ.contains(&name.as_str()) || names::is_stamp(name) {
                    files.insert(name.clone(), bytes);
                }
            }
        }
    }
    for name in archive.names() {
        if name != names::MANIFEST && name != names::MANIFEST_NOTE && !in_order.contains(&name) {
            findings.wrong(
                Kind::FileNotListed,
                format!("{name:?} is not in the manifest"),
            );
        }
    }
    in_order.splice(
        1.min(in_order.len())..1.min(in_order.len()),
        [names::MANIFEST, names::MANIFEST_NOTE],
    );
    if good == manifest.files.len() as u64 && !archive.names().eq(in_order.iter().copied()) {
        findings.wrong(
            Kind::Archive,
            "its files are not in the order of the manifest",
        );
    }
    let all = manifest.files.len();
    findings.checked.push(format!(
        "{good} of {all} files against their size and SHA-256"
    ));
    files
}

fn note_of(files: &Files, name: &str) -> Option<Result<SignedCheckpoint, String>> {
    let bytes = files.get(name)?;
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned());
    Some(text.and_then(|text| SignedCheckpoint::parse(text).map_err(|error| error.to_string())))
}

/// The package's checkpoint, if it is this log's and signed; a finding if not.
fn check_checkpoint(
    files: &Files,
    manifest: &Manifest,
    keys: &[VerifyingKey],
    findings: &mut Findings,
) -> Option<SignedCheckpoint> {
    let checkpoint = match note_of(files, names::CHECKPOINT)? {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            let detail = format!("the checkpoint cannot be read: {error}");
            findings.wrong(Kind::ProofMalformed, detail);
            return None;
        }
    };
    match checkpoint.verify(&manifest.log, keys) {
        Ok(signed) => {
            let names: Vec<&str> = signed.iter().map(|signed| signed.name.as_str()).collect();
            findings.checked.push(format!(
                "the signed checkpoint of {} events, by {}",
                checkpoint.checkpoint.size,
                names.join(", ")
            ));
        }
        Err(CheckpointError::OtherLog { found, expected }) => {
            let detail = format!("the checkpoint is of {found}, the package of {expected}");
            findings.wrong(Kind::OtherLog, detail);
        }
        Err(CheckpointError::Note(error)) => {
            findings.wrong(Kind::BadSignature, format!("the checkpoint: {error}"));
        }
    }
    let claim = &manifest.checkpoint;
    if (claim.size, claim.root) != (checkpoint.checkpoint.size, checkpoint.checkpoint.root) {
        let detail = "the manifest names another size or root than the checkpoint";
        findings.wrong(Kind::RootDiffers, detail);
    }
    Some(checkpoint)
}

fn check_earlier(
    files: &Files,
    checkpoint: &SignedCheckpoint,
    keys: &[VerifyingKey],
    findings: &mut Findings,
) -> Option<SignedCheckpoint> {
    let earlier = note_of(files, names::EARLIER)?;
    let new = &checkpoint.checkpoint;
    let earlier = match earlier {
        Ok(earlier) => earlier,
        Err(error) => {
            let detail = format!("the earlier checkpoint cannot be read: {error}");
            findings.wrong(Kind::ProofMalformed, detail);
            return None;
        }
    };
    if let Err(error) = earlier.verify(&new.origin, keys) {
        findings.wrong(
            Kind::BadSignature,
            format!("the earlier checkpoint: {error}"),
        );
    }
    let old = &earlier.checkpoint;
    let text = files
        .get(names::CONSISTENCY)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let hashes: Option<Vec<Hash>> = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.lines().map(|line| line.parse().ok()).collect());
    let consistent = hashes.is_some_and(|proof| {
        tree::verify_consistency(old.size, new.size, &proof, &old.root, &new.root)
    });
    if consistent {
        findings.checked.push(format!(
            "that the log only grew since its {} first events, which an earlier checkpoint names",
            old.size
        ));
    } else {
        let detail = format!(
            "nothing shows that the log of {} events is the beginning of the one of {}",
            old.size, new.size
        );
        findings.wrong(Kind::Inconsistent, detail);
    }
    Some(earlier)
}

fn check_against(
    checkpoint: &SignedCheckpoint,
    manifest: &Manifest,
    keys: &[VerifyingKey],
    trust: &Trust,
    findings: &mut Findings,
) {
    let ours = &checkpoint.checkpoint;
    for other in &trust.against {
        let theirs = &other.checkpoint;
        if theirs.origin != manifest.log {
            let detail = format!(
                "the checkpoint that you gave is of {}, not of {}",
                theirs.origin, manifest.log
            );
            // Whoever verifies took another log's; nothing of the package shows by it.
            findings.add(Grade::Gap, Kind::OtherLog, None, detail);
        } else if let Err(error) = other.verify(&manifest.log, keys) {
            findings.wrong(
                Kind::BadSignature,
                format!("the checkpoint that you gave: {error}"),
            );
        } else if theirs.size != ours.size {
            findings.not_checked(format!(
                "the checkpoint of {} events that you gave: the package is of {}, and has no proof between them",
                theirs.size, ours.size
            ));
        } else if theirs.root != ours.root {
            let detail = format!(
                "the checkpoint that you gave has another root for the same {} events: the log was shown to you differently",
                ours.size
            );
            findings.wrong(Kind::SplitView, detail);
        } else {
            findings.checked.push(format!(
                "the root against the checkpoint of {} events that you gave",
                ours.size
            ));
        }
    }
}

fn say_not_checked(
    manifest: &Manifest,
    tied: &check::Tied,
    stamped: bool,
    findings: &mut Findings,
) {
    if tied.unproven > 0 {
        findings.not_checked(format!(
            "whether {} of the {} events in the range match: what would tell is withheld or closed",
            tied.unproven, manifest.counts.range
        ));
    }
    if tied.unproven_rows > 0 {
        findings.not_checked(format!(
            "whether {} of the {} rows match: what would tell is withheld or erased",
            tied.unproven_rows, manifest.counts.rows
        ));
    }
    if tied.in_part > 0 {
        findings.not_checked(format!(
            "{} payloads from which members were withheld: what is left of them is the maker's word",
            tied.in_part
        ));
    }
    let extracts = manifest.filter.actor.is_some() || manifest.filter.correlation.is_some();
    if extracts {
        findings.not_checked(
            "the rule by which actor and correlation are read from payloads: the log keeps it outside its leaves",
        );
    }
    findings.not_checked(match stamped {
        false => {
            "when it was signed: the time is the maker's, and there is no time stamp by somebody else"
        }
        true => "when the package was signed: that time is the maker's; time stamps are of checkpoints",
    });
    findings.not_checked(
        "the report and the attachments beyond that they are the files that were signed",
    );
    findings.not_checked("the log itself, outside what the proof shows of it");
}
