//! From a package's range proof to its root, and from its rows to everything that is claimed of them.

use std::collections::HashMap;

use crate::evidence::manifest::{Counts, Manifest, reading};
use crate::evidence::names;
use crate::evidence::opened::{Opened, Verdict};
use crate::evidence::range::{PartShown, Range};
use crate::evidence::rows::Rows;
use crate::evidence::verify::{Cancelled, Files, Findings};
use crate::evidence::view::EvidenceFindingKind as Kind;
use crate::integrity::Hash;
use crate::integrity::checkpoint::SignedCheckpoint;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::Extraction;
use crate::store::extraction::Extractor;
use crate::store::verify::Grade;

/// What the range proof came to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tied {
    /// Events whose leaves were hashed.
    pub(super) events: u64,
    /// Events that are no rows of which nothing shows that they do not match.
    pub(super) unproven: u64,
    /// Rows of which nothing shows that they match.
    pub(super) unproven_rows: u64,
    /// Payloads shown in part.
    pub(super) in_part: u64,
}

/// Events between two looks at the cancel switch.
const STEP: usize = 1_000;

pub(super) fn range(
    files: &mut Files,
    manifest: &Manifest,
    checkpoint: Option<&SignedCheckpoint>,
    findings: &mut Findings,
    progress: &WorkProgress,
) -> Result<Tied, Cancelled> {
    if manifest.reading != reading(&manifest.filter, &manifest.scope, &manifest.log) {
        let detail = "the filter in words says something else than the filter";
        findings.wrong(Kind::ReadingDiffers, detail);
    }
    let Some(bytes) = files.remove(names::RANGE) else {
        return Ok(Tied::default());
    };
    let range = match Range::read(&bytes) {
        Ok(range) => range,
        Err(error) => {
            findings.wrong(
                Kind::ProofMalformed,
                format!("the range proof cannot be read: {error}"),
            );
            findings.not_checked("any event, since the range proof cannot be read");
            return Ok(Tied::default());
        }
    };
    if (range.first, range.last) != (manifest.scope.first, manifest.scope.last)
        || range.size != manifest.checkpoint.size
    {
        let detail = format!(
            "the range proof is of the positions {} to {} of {}, the manifest of {} to {} of {}",
            range.first,
            range.last,
            range.size,
            manifest.scope.first,
            manifest.scope.last,
            manifest.checkpoint.size
        );
        findings.wrong(Kind::ProofMalformed, detail);
    }
    let rules: Vec<Extractor> = manifest
        .extraction
        .iter()
        .map(|rule| Extraction::from(rule.clone()).prepare())
        .collect();
    progress.expect(range.shown.len() as u64);
    let mut leaves: Vec<Hash> = Vec::with_capacity(range.shown.len());
    let mut seen = Seen::new(manifest, &range);
    for (at, shown) in range.shown.iter().enumerate() {
        if at.is_multiple_of(STEP) {
            progress.reach(at as u64);
            if progress.is_cancelled() {
                return Err(Cancelled);
            }
        }
        leaves.push(crate::integrity::leaf::hash_bytes(shown.leaf));
        match Opened::read(shown, &rules) {
            Ok(opened) => seen.take(&opened, findings),
            Err(error) => {
                findings.add(
                    Grade::Manipulation,
                    Kind::EventChanged,
                    Some(shown.position),
                    error.to_string(),
                );
                seen.broken = true;
            }
        }
    }
    check_root(&range, &leaves, checkpoint, manifest, findings);
    seen.finish(files, findings);
    Ok(Tied {
        events: leaves.len() as u64,
        ..seen.tied
    })
}

fn check_root(
    range: &Range<'_>,
    leaves: &[Hash],
    checkpoint: Option<&SignedCheckpoint>,
    manifest: &Manifest,
    findings: &mut Findings,
) {
    let Some(checkpoint) = checkpoint.map(|signed| &signed.checkpoint) else {
        findings.not_checked("the events against a root, since the checkpoint cannot be read");
        return;
    };
    let root = range.root(leaves);
    if range.size == checkpoint.size && root == Some(checkpoint.root) {
        let Counts {
            rows,
            opened,
            closed,
            ..
        } = manifest.counts;
        findings.checked.push(format!(
            "{} events (leaf bytes, salted hashes, place in the tree) up to the root {} of {} events",
            leaves.len(),
            checkpoint.root,
            checkpoint.size
        ));
        findings.checked.push(format!(
            "that every position of the range is accounted for: {rows} rows, {opened} others that are shown, {closed} closed"
        ));
        return;
    }
    let detail = match root {
        Some(root) => format!(
            "the events lead to the root {root} of {} events, the checkpoint has {} of {}: an event was changed, or the proof is another log's",
            range.size, checkpoint.root, checkpoint.size
        ),
        None => "the range proof has too few or too many hashes".to_owned(),
    };
    findings.wrong(Kind::RootDiffers, detail);
}

/// What the events said so far.
struct Seen<'m> {
    manifest: &'m Manifest,
    rows: Rows,
    counts: Counts,
    tied: Tied,
    recorded_us: Option<i64>,
    /// Versions by stream, of the events whose identity is shown.
    places: HashMap<(String, u64), Position>,
    /// Versions of the rows in the stream of the filter.
    versions: Vec<u64>,
    /// An event could not be read, so what follows from the rows would be wrong for that reason alone.
    broken: bool,
}

impl<'m> Seen<'m> {
    fn new(manifest: &'m Manifest, range: &Range<'_>) -> Seen<'m> {
        Seen {
            manifest,
            rows: Rows::begin().unwrap_or_default(),
            counts: Counts {
                range: manifest.scope.count(),
                closed: range.closed,
                ..Counts::default()
            },
            tied: Tied {
                unproven: range.closed,
                ..Tied::default()
            },
            recorded_us: None,
            places: HashMap::new(),
            versions: Vec::new(),
            broken: false,
        }
    }

    fn take(&mut self, opened: &Opened<'_>, findings: &mut Findings) {
        let at = Some(opened.position);
        let verdict = opened.matches(&self.manifest.filter);
        if opened.row {
            self.counts.rows += 1;
            match verdict {
                Verdict::No => findings.add(
                    Grade::Manipulation,
                    Kind::RowDoesNotMatch,
                    at,
                    "this row does not match the filter",
                ),
                Verdict::Unknown => self.tied.unproven_rows += 1,
                Verdict::Yes => {}
            }
            if self.rows.add(opened).is_err() {
                self.broken = true;
            }
            let stream = self.manifest.filter.stream.as_deref();
            self.versions
                .extend(stream.and_then(|stream| opened.version_in(stream)));
        } else {
            self.counts.opened += 1;
            match verdict {
                Verdict::Yes => findings.add(
                    Grade::Manipulation,
                    Kind::RowLeftOut,
                    at,
                    "this event matches the filter and was left out of the rows",
                ),
                Verdict::Unknown => self.tied.unproven += 1,
                Verdict::No => {}
            }
        }
        let in_part = opened.parts_that(|part| matches!(part, PartShown::InPart(_)));
        self.tied.in_part += in_part.len() as u64;
        let recorded = opened.leaf.recorded_us;
        if self.recorded_us.is_some_and(|before| before > recorded) {
            let detail =
                "it was recorded before the event before it: the log's clock never runs backwards";
            findings.add(Grade::Manipulation, Kind::TimeRunsBackwards, at, detail);
        }
        self.recorded_us = Some(recorded);
        self.take_places(opened, findings);
    }

    fn take_places(&mut self, opened: &Opened<'_>, findings: &mut Findings) {
        let Some(identity) = &opened.identity else {
            return;
        };
        let home = (identity.get().stream, opened.leaf.version);
        let links = identity.links().iter();
        let links = links.map(|(stream, version, _)| (*stream, *version));
        for (stream, version) in std::iter::once(home).chain(links) {
            let place = (stream.to_owned(), version);
            if let Some(other) = self.places.insert(place, opened.position) {
                let detail = format!("version {version} of {stream:?} is also at position {other}");
                findings.add(
                    Grade::Manipulation,
                    Kind::VersionTwice,
                    Some(opened.position),
                    detail,
                );
            }
        }
    }

    fn finish(&mut self, files: &Files, findings: &mut Findings) {
        self.check_versions(findings);
        self.counts.erased = self.rows.erased;
        let claimed = self.manifest;
        if self.counts != claimed.counts && !self.broken {
            let detail = format!(
                "the manifest counts {:?}, the range proof has {:?}",
                claimed.counts, self.counts
            );
            findings.wrong(Kind::CountDiffers, detail);
        }
        if self.broken {
            findings.not_checked(
                "rows, ids, counts and totals, since an event among them cannot be read",
            );
            return;
        }
        for (name, made) in [
            (names::ROWS_JSONL, &self.rows.jsonl),
            (names::ROWS_CSV, &self.rows.csv),
        ] {
            if let Some(found) = files.get(name)
                && found != made
            {
                findings.wrong(Kind::RowsDiffer, where_they_differ(name, found, made));
            }
        }
        if self.rows.ids != claimed.rows {
            findings.wrong(
                Kind::IdsDiffer,
                "the ordered ids in the manifest are not those of the rows",
            );
        }
        let (sums, left_out) = self.rows.sums();
        if self.rows.types() != claimed.types {
            findings.wrong(
                Kind::CountDiffers,
                "the rows of each type are others than the manifest counts",
            );
        }
        if (&sums, left_out) != (&claimed.sums, claimed.sums_left_out) {
            let differs = sums
                .iter()
                .zip(&claimed.sums)
                .find(|(made, claimed)| made != claimed);
            let detail = match differs {
                Some((made, claimed)) => format!(
                    "the control total of {} is {} over {} values, the manifest says {} over {}",
                    made.path, made.sum, made.values, claimed.sum, claimed.values
                ),
                None => "the manifest has other control totals than the rows".to_owned(),
            };
            findings.wrong(Kind::TotalDiffers, detail);
        }
        findings.checked.push(format!(
            "rows.jsonl and rows.csv, the ordered ids ({}), the counts and the control totals ({}), made again from the events",
            self.rows.ids.len(),
            sums.len()
        ));
    }

    /// Where the filter is a stream alone, its rows are its versions from 1 on.
    fn check_versions(&mut self, findings: &mut Findings) {
        let filter = &self.manifest.filter;
        let alone = filter.category.is_none()
            && filter.event_type.is_none()
            && filter.actor.is_none()
            && filter.correlation.is_none()
            && filter.from.is_none()
            && filter.to.is_none();
        if filter.stream.is_none() || !alone || self.manifest.scope.first != 1 {
            return;
        }
        // Rows whose identity is not shown have a version that nobody sees.
        if self.versions.len() as u64 != self.counts.rows {
            return;
        }
        self.versions.sort_unstable();
        let missing = (1..)
            .zip(&self.versions)
            .find(|(want, found)| want != *found);
        match missing {
            Some((want, _)) => {
                let detail = format!("version {want} of the stream is not among the rows");
                findings.add(Grade::Gap, Kind::VersionMissing, None, detail);
            }
            None => findings.checked.push(format!(
                "that the rows are the stream's versions 1 to {} without a gap",
                self.versions.len()
            )),
        }
    }
}

fn where_they_differ(name: &str, found: &[u8], made: &[u8]) -> String {
    let (found, made) = (found.split(|b| *b == b'\n'), made.split(|b| *b == b'\n'));
    let line = found.zip(made).position(|(found, made)| found != made);
    match line {
        Some(line) => format!("{name} differs from the events from line {} on", line + 1),
        None => format!("{name} has more or fewer lines than there are rows"),
    }
}
