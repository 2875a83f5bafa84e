//! Makes a package out of a log. It reads one moment of the log, writes nothing to it, and verifies what it made before
//! it hands it out.

use std::path::Path;

use serde::Serialize;

use crate::access_log::AccessState;
use crate::evidence::custody::{self, CustodyEntry, CustodyStep};
use crate::evidence::gather::{Gathered, gather};
use crate::evidence::manifest::{
    self, Algorithms, CheckpointClaim, Counts, FileClaim, Filter, Made, Manifest, Others, Rule,
    Scope, Withheld, reading,
};
use crate::evidence::names;
use crate::evidence::opened::Opened;
use crate::evidence::range::Range;
use crate::evidence::rows::Rows;
use crate::evidence::signed::{Carried, stamp_name};
use crate::evidence::verify::{Cancelled, Trust, sha256, signed_text, verify};
use crate::evidence::view::{EvidenceFindingKind, EvidenceReport};
use crate::evidence::zip::{Writer, is_name};
use crate::export::whole;
use crate::finding::Finding;
use crate::integrity::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::integrity::note::{Note, NoteError, SigningKey};
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::extraction::Extractor;
use crate::store::{EventQuery, Extraction, Log, ReadError};
use crate::time::Time;

/// Identities of other events that a package gives away without being told to, at most.
pub const MAX_IDENTITIES: u64 = 100_000;

/// The second verifier, as it lies in every package.
pub const VERIFIER_HTML: &[u8] = include_bytes!("verifier.html");

/// What a package is to be made of.
#[derive(Debug, Clone)]
pub struct EvidenceRequest {
    /// Which events are rows; `known` ends the range. `direction` and `after` are left aside.
    pub query: EventQuery,
    /// First position of the range.
    pub first: Position,
    /// What is shown of events that are no rows. `None`: what the filter reads of leaf and identity, as long as that
    /// gives away no more than [`MAX_IDENTITIES`] identities.
    pub others: Option<Others>,
    /// What is withheld of rows.
    pub withheld: Withheld,
    /// When it is made.
    pub at: Time,
    /// Who makes it.
    pub operator: Option<String>,
    /// What for.
    pub purpose: Option<String>,
    /// Who looked at the rows.
    pub reviewed_by: Option<String>,
    /// Who gets it.
    pub handed_to: Option<String>,
    /// Name of the report's template, where there is a report.
    pub template: Option<String>,
    /// The report's files, by name.
    pub report: Vec<(String, Vec<u8>)>,
    /// The maker's own files, by name.
    pub attachments: Vec<(String, Vec<u8>)>,
    /// An earlier checkpoint, to show that the log only grew since.
    pub earlier: Option<SignedCheckpoint>,
    /// Where it was written down that this package is made; `None` where nobody knows.
    pub access: Option<AccessState>,
}

impl EvidenceRequest {
    /// All events that the query matches, nothing withheld.
    #[must_use]
    pub fn of(query: EventQuery, at: Time) -> EvidenceRequest {
        EvidenceRequest {
            query,
            first: Position(1),
            others: None,
            withheld: Withheld::default(),
            at,
            operator: None,
            purpose: None,
            reviewed_by: None,
            handed_to: None,
            template: None,
            report: Vec::new(),
            attachments: Vec::new(),
            earlier: None,
            access: None,
        }
    }
}

/// Why a package was not made.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The log could not be read, or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file could not be written.
    #[error("the package could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// A note could not be written.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The key is another log's.
    #[error("the key is that of {key}, and the log is {log}")]
    OtherKey {
        /// Name of the key.
        key: String,
        /// Origin of the log.
        log: String,
    },
    /// The earlier checkpoint is another log's, or contradicts this one.
    #[error(
        "the earlier checkpoint of {size} events of {origin} is not of the beginning of this log"
    )]
    Earlier {
        /// Its origin.
        origin: String,
        /// Its size.
        size: u64,
    },
    /// The range is none in the log.
    #[error("there are no positions {first} to {last} in this log of {size} events")]
    NoRange {
        /// First position asked for.
        first: u64,
        /// Last position asked for.
        last: u64,
        /// Events of the log.
        size: u64,
    },
    /// Showing that other events do not match would give away many of them.
    #[error(
        "to show that the other events of the range do not match, the package would name more than {MAX_IDENTITIES} of them"
    )]
    TooManyOthers,
    /// A path to withhold is none.
    #[error("{0:?} is not a path into data or metadata, such as data.customer.email")]
    Path(String),
    /// A file cannot have this name.
    #[error(
        "a file of a package cannot be named {0:?} (letters, digits, dots, lines; not beginning with a dot)"
    )]
    Name(String),
    /// The log's tables and its events disagree about what matches.
    #[error(
        "the log's tables find {found} events that match, the events themselves say {read}: the log is damaged"
    )]
    TablesDiffer {
        /// By the tables.
        found: u64,
        /// By the events.
        read: u64,
    },
    /// What was made does not verify.
    #[error("the log is damaged: the package does not lead to its root ({0})")]
    NotTied(String),
    /// Something in the package would be too large.
    #[error("the package would be too large: {0}")]
    TooLarge(String),
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for EvidenceError {
    fn from(_: Cancelled) -> EvidenceError {
        EvidenceError::Cancelled
    }
}

/// Makes a package, signed with the log's key. `progress` counts events, first as they are read, then as they are
/// verified.
///
/// # Errors
/// [`EvidenceError`].
///
/// ```
/// use annals_core::evidence::make::{EvidenceRequest, make};
/// use annals_core::integrity::note::SigningKey;
/// use annals_core::{progress::WorkProgress, store::{EventQuery, Log}, time::Time};
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store).unwrap();
/// let log = Log::explore(&store).unwrap();
/// let key = SigningKey::from_seed(&log.id().origin(), [7; 32]).unwrap();
/// let at = Time::parse_rfc3339("2024-02-01T00:00:00Z").unwrap();
/// let request = EvidenceRequest::of(EventQuery::default(), at);
/// let (package, report) = make(&log, &request, &key, &WorkProgress::default()).unwrap();
/// assert_eq!(report.verification.findings, []);
/// let again = make(&log, &request, &key, &WorkProgress::default()).unwrap();
/// assert_eq!(package, again.0);
/// ```
pub fn make(
    log: &Log,
    request: &EvidenceRequest,
    key: &SigningKey,
    progress: &WorkProgress,
) -> Result<(Vec<u8>, EvidenceReport), EvidenceError> {
    let named = log.id().origin();
    let public = key.verifying_key();
    if public.name() != named {
        return Err(EvidenceError::OtherKey {
            key: public.name().to_owned(),
            log: named,
        });
    }
    let gathered = log.sealed(|sealed| gather(sealed, request, progress))?;
    let checkpoint = Checkpoint {
        origin: named,
        size: gathered.size,
        root: gathered.root,
    };
    let checkpoint = checkpoint.sign(key)?;
    let asked = request.earlier.as_ref();
    let carried = Carried::choose(&log.ledger()?, &checkpoint, key, asked)
        .map_err(|error| EvidenceError::Io(error.into()))?;
    let consistency = consistency(log, carried.earlier.as_ref(), &checkpoint)?;
    let (in_part, identities_of_others) = (gathered.in_part, gathered.identities);
    let files = files(request, gathered, key, &checkpoint, &carried, consistency)?;
    let mut writer = Writer::new(Vec::new());
    for (name, bytes) in &files {
        writer
            .add(name, bytes)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::InvalidInput => EvidenceError::TooLarge(error.to_string()),
                _ => error.into(),
            })?;
    }
    let package = writer.finish()?;
    drop(files);
    let trust = Trust {
        keys: vec![public],
        ..Trust::default()
    };
    let verification = verify(&package, &trust, progress)?;
    // A gap in the log's own numbers is the log's to explain; whatever else is found says that it is damaged.
    let other = verification
        .findings
        .iter()
        .find(|finding| finding.kind != EvidenceFindingKind::VersionMissing);
    if let Some(finding) = other {
        return Err(EvidenceError::NotTied(finding.detail.clone()));
    }
    let report = EvidenceReport {
        file: String::new(),
        bytes: package.len() as u64,
        sha256: sha256(&package),
        identities_of_others,
        in_part,
        verification,
    };
    Ok((package, report))
}

/// Makes a package and writes it: under another name first, so that it has its own only when it is whole.
///
/// # Errors
/// As [`make`]; [`EvidenceError::Io`] also where the file is the log's own, another database, or no regular file.
pub fn make_to_file(
    log: &Log,
    request: &EvidenceRequest,
    key: &SigningKey,
    file: &Path,
    progress: &WorkProgress,
) -> Result<EvidenceReport, EvidenceError> {
    whole::may_write(log, file)?;
    let (package, mut report) = make(log, request, key, progress)?;
    let mut temporary = whole::new_file(file)?;
    std::io::Write::write_all(&mut temporary, &package)?;
    temporary.as_file().sync_all()?;
    whole::put(temporary, file)?;
    report.file = file.display().to_string();
    report.verification.file = report.file.clone();
    Ok(report)
}

/// The earlier checkpoint and the proof that the log only grew since.
fn consistency(
    log: &Log,
    earlier: Option<&(SignedCheckpoint, Vec<Vec<u8>>)>,
    checkpoint: &SignedCheckpoint,
) -> Result<Option<(String, String)>, EvidenceError> {
    let Some((earlier, _)) = earlier else {
        return Ok(None);
    };
    let (old, new) = (&earlier.checkpoint, &checkpoint.checkpoint);
    let refuse = || EvidenceError::Earlier {
        origin: old.origin.clone(),
        size: old.size,
    };
    if old.origin != new.origin || old.size == 0 || old.size > new.size {
        return Err(refuse());
    }
    let proof = log.consistency_proof(Position(old.size), Position(new.size))?;
    if !crate::integrity::tree::verify_consistency(old.size, new.size, &proof, &old.root, &new.root)
    {
        return Err(refuse());
    }
    let lines: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    Ok(Some((earlier.note.to_text(), lines)))
}

/// `query.json`.
#[derive(Serialize)]
struct Query<'q> {
    reading: &'q str,
    filter: &'q Filter,
    scope: Scope,
    others: Others,
    withheld: &'q Withheld,
    template: Option<&'q str>,
    log: &'q str,
    made: &'q Made,
    zone: &'static str,
    access_log: Option<&'q AccessState>,
}

/// `exceptions.json`.
#[derive(Serialize)]
struct Exceptions<'q> {
    found: &'q [Finding],
    not_checked: [&'static str; 3],
}

/// All files of the package, in order.
fn files(
    request: &EvidenceRequest,
    gathered: Gathered,
    key: &SigningKey,
    checkpoint: &SignedCheckpoint,
    carried: &Carried,
    consistency: Option<(String, String)>,
) -> Result<Vec<(String, Vec<u8>)>, EvidenceError> {
    let json = |error: serde_json::Error| EvidenceError::Io(error.into());
    let log = checkpoint.checkpoint.origin.clone();
    let (rows, counts) = rows_of(&gathered)?;
    let made = Made {
        at: request.at,
        annals: env!("CARGO_PKG_VERSION").to_owned(),
        operator: request.operator.clone(),
        purpose: request.purpose.clone(),
    };
    let words = reading(&gathered.filter, &gathered.scope, &log);
    let query = Query {
        reading: &words,
        filter: &gathered.filter,
        scope: gathered.scope,
        others: gathered.others,
        withheld: &request.withheld,
        template: request.template.as_deref(),
        log: &log,
        made: &made,
        zone: "UTC",
        access_log: request.access.as_ref(),
    };
    let exceptions = Exceptions {
        found: &gathered.findings,
        not_checked: [
            "the log outside the range, and its own structure: annals verify STORE does",
            "whether what was recorded is what happened",
            "what the sources of imported events left out",
        ],
    };
    let (types, (sums, sums_left_out)) = (rows.types(), rows.sums());
    let mut manifest = Manifest {
        format: manifest::FORMAT.to_owned(),
        algorithms: Algorithms::fixed(),
        log: log.clone(),
        key: key.verifying_key().to_string(),
        checkpoint: CheckpointClaim {
            size: gathered.size,
            root: gathered.root,
        },
        made: made.clone(),
        scope: gathered.scope,
        filter: gathered.filter.clone(),
        reading: words.clone(),
        others: gathered.others,
        withheld: request.withheld.clone(),
        extraction: gathered.rules.iter().cloned().map(Rule::from).collect(),
        counts,
        rows: rows.ids,
        types,
        sums,
        sums_left_out,
        files: Vec::new(),
    };
    let readme = super::readme::text(&manifest, request);
    let mut files: Vec<(String, Vec<u8>)> = vec![
        (names::README.to_owned(), readme.into_bytes()),
        (names::ROWS_JSONL.to_owned(), rows.jsonl),
        (names::ROWS_CSV.to_owned(), rows.csv),
        (
            names::QUERY.to_owned(),
            serde_json::to_vec_pretty(&query).map_err(json)?,
        ),
        (
            names::EXCEPTIONS.to_owned(),
            serde_json::to_vec_pretty(&exceptions).map_err(json)?,
        ),
        (
            names::CUSTODY.to_owned(),
            custody_of(request).map_err(json)?,
        ),
        (names::RANGE.to_owned(), gathered.range),
        (
            names::CHECKPOINT.to_owned(),
            checkpoint.note.to_text().into_bytes(),
        ),
    ];
    let stamped = |note: &str, stamps: &[Vec<u8>]| -> Vec<(String, Vec<u8>)> {
        let stamps = stamps.iter().enumerate();
        stamps
            .map(|(n, stamp)| (stamp_name(note, n), stamp.clone()))
            .collect()
    };
    files.extend(stamped(names::CHECKPOINT, &carried.stamps));
    if let Some((earlier, proof)) = consistency {
        files.push((names::EARLIER.to_owned(), earlier.into_bytes()));
        files.push((names::CONSISTENCY.to_owned(), proof.into_bytes()));
    }
    if let Some((_, stamps)) = &carried.earlier {
        files.extend(stamped(names::EARLIER, stamps));
    }
    if let Some(keys) = &carried.keys {
        files.push((names::KEYS.to_owned(), keys.clone()));
    }
    for (folder, given) in [
        (names::REPORT, &request.report),
        (names::ATTACHMENTS, &request.attachments),
    ] {
        for (name, bytes) in given {
            let path = format!("{folder}{name}");
            if !is_name(&path) || files.iter().any(|(other, _)| *other == path) {
                return Err(EvidenceError::Name(name.clone()));
            }
            files.push((path, bytes.clone()));
        }
    }
    files.push((names::VERIFIER.to_owned(), VERIFIER_HTML.to_vec()));
    manifest.files = files
        .iter()
        .map(|(name, bytes)| FileClaim {
            name: name.clone(),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
        })
        .collect();
    let manifest = manifest.write().map_err(json)?;
    if manifest.len() > manifest::MAX_BYTES {
        let what = "its manifest would be longer than 256 MiB".to_owned();
        return Err(EvidenceError::TooLarge(what));
    }
    let mut note = Note::new(&signed_text(&log, &manifest))?;
    note.sign(key);
    files.insert(1, (names::MANIFEST.to_owned(), manifest));
    files.insert(
        2,
        (names::MANIFEST_NOTE.to_owned(), note.to_text().into_bytes()),
    );
    Ok(files)
}

/// What follows from the rows, by way of the range proof: so that it is what a verifier will make of it.
fn rows_of(gathered: &Gathered) -> Result<(Rows, Counts), EvidenceError> {
    let broken = |reason: String| EvidenceError::NotTied(reason);
    let range = Range::read(&gathered.range).map_err(|error| broken(error.to_string()))?;
    let rules: Vec<Extractor> = gathered.rules.iter().map(Extraction::prepare).collect();
    let mut rows = Rows::begin()?;
    let mut counts = Counts {
        range: gathered.scope.count(),
        closed: range.closed,
        ..Counts::default()
    };
    for shown in &range.shown {
        if !shown.row {
            counts.opened += 1;
            continue;
        }
        let opened = Opened::read(shown, &rules).map_err(|error| broken(error.to_string()))?;
        rows.add(&opened)?;
        counts.rows += 1;
    }
    counts.erased = rows.erased;
    Ok((rows, counts))
}

fn custody_of(request: &EvidenceRequest) -> serde_json::Result<Vec<u8>> {
    let entry = |what: CustodyStep, who: &Option<String>, note: Option<&str>| CustodyEntry {
        at: request.at,
        what,
        who: who.clone(),
        note: note.map(str::to_owned),
        previous: None,
    };
    let mut entries = vec![entry(
        CustodyStep::Created,
        &request.operator,
        request.purpose.as_deref(),
    )];
    if request.reviewed_by.is_some() {
        entries.push(entry(CustodyStep::Reviewed, &request.reviewed_by, None));
    }
    entries.push(entry(CustodyStep::Exported, &request.operator, None));
    if request.handed_to.is_some() {
        entries.push(entry(CustodyStep::HandedTo, &request.handed_to, None));
    }
    custody::write(entries)
}
