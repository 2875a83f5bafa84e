//! A fault in the data, shown where it is. An `Err` means the question was not answered; wrong data never
//! becomes an `Err`, a panic or silence.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::position::{Position, Version};

/// How much a finding should worry the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong or missing.
    Notice,
    /// The answer may not be what the reader expects.
    Warning,
    /// The data contradicts itself, or a part of the answer is missing.
    Severe,
}

impl Severity {
    /// The word to print: `Warning`.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Severity::Notice => "Notice",
            Severity::Warning => "Warning",
            Severity::Severe => "Severe",
        }
    }
}

/// What a finding is about. The wire name is the variant in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Import: a record has no time; it took the time before it in its stream (else of the import).
    MissingTime,
    /// Import: a time stands before the one before it in the same stream of the file.
    TimeRunsBackwards,
    /// Import: a time names no zone; the stated one was assumed.
    ZoneAssumed,
    /// Import: a time names a day only; it became that day at 00:00.
    DateOnly,
    /// Import: a local time does not exist or exists twice in the zone (change of summer time).
    AmbiguousLocalTime,
    /// Import: the source's version numbers of a stream have a gap, repeat or start late.
    VersionGap,
    /// Import: a trace holds no events.
    EmptyTrace,
    /// Import: a trace comes again under the name of one before it; both are one stream.
    DuplicateTrace,
    /// Import: something in the file belongs to no event (an attribute of the log as a whole) and was not kept.
    NotKept,
    /// Import: an event or object names an object that the log does not hold.
    BrokenLink,
    /// Import: an event id came again with other content; stored under an id of its own.
    IdReused,
    /// Import: a record has no type; it was named by the rule that the detail states.
    MissingType,
    /// Import: the file begins with records that the log holds under the name of another source.
    ImportedBefore,
    /// Import: a record that was seen in this source before is there with other content.
    SourceChanged,
    /// Import: records, or a file of a folder, that were seen in this source before are not there any more.
    SourceVanished,
    /// Import: records stand before or between ones that were seen in this source before.
    SourceInserted,
    /// Import: records that were seen in this source before come in another order.
    SourceReordered,
    /// Import: a file of a folder was not read, because nothing that Annals reads is in it or the system refused.
    FileSkipped,
    /// Import: a JSON object holds the same key twice; the payload keeps both, reading takes the last.
    DuplicateKey,
    /// Import: cells of a table are not of their column's kind (a number, a boolean, JSON); they stay text.
    KindDiffers,
    /// Import: an event does not give the hash that its source recorded of it, or its predecessor has another one than
    /// it names.
    ChainBroken,
    /// Import: the last line of a file that grows is not whole yet; it is left for the next import.
    UnfinishedLine,
    /// State: events with an earlier version happened later than the instant asked for, so they were left out.
    LeftOut,
    /// State: version order and time order disagree inside the stream.
    OrderDisagrees,
    /// State: an expression of the model failed on an event; the state is incomplete from there.
    ExpressionFailed,
    /// State: a number does not fit 28 digits; the handler that needed it did not run.
    NumberTooLarge,
    /// State: an event's payload was erased and could not be folded.
    Erased,
    /// State: an event's payload is not JSON and could not be folded.
    NotJson,
    /// State: a field was not recorded, and an upcaster of the model assumes a value.
    Assumed,
    /// State: the model's own time of an event cannot be read; it counts when it happened.
    BadTime,
    /// Model: events have a schema version that no upcaster of their type takes or leads to.
    SchemaUnknown,
    /// Shapes: a field that every event of its type had is in none of the later ones.
    Removed,
    /// Shapes: a field that every event of its type had went, and another of its kind came in its place.
    Renamed,
    /// Shapes: a field has values of several kinds.
    Retyped,
    /// State: the events have a type that the model has no handler for.
    NoHandler,
    /// State: a snapshot was damaged and dropped; the state was folded from the events instead.
    SnapshotDropped,
    /// State: the file of snapshot policies cannot be read, so none is followed.
    PoliciesUnread,
    /// Event: its bytes do not give the leaf hash recorded with it, or the tree holds another.
    HashMismatch,
    /// State: a model file that is meant for the category, or may be, is wrong and was left out.
    ModelBroken,
    /// Log: nearly every stream makes a category of its own, as streams named by bare ids do.
    ManyCategories,
    /// A history ends before its moment: folding its events in order of time would cost too much.
    NotTold,
    /// SQL: a number may have gone through binary floating point, or decimals are compared as texts.
    NotExact,
    /// Report: events of which a part was erased cannot be told to be about the subject or not.
    Unattributed,
    /// Report: the chain of the access log does not hold.
    AccessLogBroken,
}

/// Where a finding is. All that is known is filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Place {
    /// File that was read, as the user named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub file: Option<String>,
    /// Line in that file, first is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub line: Option<u64>,
    /// Stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stream: Option<String>,
    /// Version in that stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<Version>,
    /// Position in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub position: Option<Position>,
    /// Path inside the payload or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
}

impl Place {
    /// What is known of it, to print; empty where nothing is.
    ///
    /// ```
    /// use annals_core::finding::Place;
    /// use annals_core::position::Version;
    /// let place = Place { stream: Some("order-1".into()), version: Some(Version(3)), ..Place::default() };
    /// assert_eq!(place.text(), "order-1, version 3");
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let Place {
            file,
            line,
            stream,
            version,
            position,
            path,
        } = self;
        let parts = [
            file.clone(),
            line.map(|line| format!("line {line}")),
            stream.clone(),
            version.map(|version| format!("version {version}")),
            position.map(|position| format!("position {position}")),
            path.clone().filter(|path| !path.is_empty()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(", ")
    }
}

/// A fault in the data: one place, or the first place of many alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// How many times it was found; `place` is the first.
    #[ts(type = "number")]
    pub count: u64,
    /// Where it is (the first of `count`).
    pub place: Place,
    /// One sentence for the reader, with the values that matter.
    pub detail: String,
}

/// Findings gathered in the order in which they were first seen, counted by kind, or by kind and cause.
///
/// ```
/// use annals_core::finding::*;
/// let mut all = Findings::default();
/// all.add(FindingKind::MissingTime, Severity::Warning, Place { line: Some(3), ..Place::default() }, "no time".into());
/// all.add(FindingKind::MissingTime, Severity::Warning, Place { line: Some(9), ..Place::default() }, "no time".into());
/// let list = all.into_vec();
/// assert_eq!((list.len(), list[0].count, list[0].place.line), (1, 2, Some(3)));
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Findings {
    list: Vec<Finding>,
    /// Of each kind, those whose cause is not listed by itself.
    rest: Vec<Finding>,
}

/// Most findings of one kind that are listed by their cause.
const MAX_CAUSES: usize = 20;

impl Findings {
    /// Counts one more of this kind; the first one's place and detail are kept.
    pub fn add(&mut self, kind: FindingKind, severity: Severity, place: Place, detail: String) {
        match self.list.iter_mut().find(|f| f.kind == kind) {
            Some(found) => {
                found.count += 1;
                found.severity = found.severity.max(severity);
            }
            None => self.list.push(Finding {
                kind,
                severity,
                count: 1,
                place,
                detail,
            }),
        }
    }

    /// Takes a finding of another gathering, as so many of its kind and cause.
    pub fn take(&mut self, finding: Finding) {
        let Finding {
            kind,
            severity,
            count,
            place,
            detail,
        } = finding;
        self.add_causes(kind, severity, count, place, detail);
    }

    /// Counts one more of this kind and cause, which the detail says; the first one's place is kept. Of a kind, 20
    /// causes are listed; what has another is counted together, in a finding that says so.
    ///
    /// ```
    /// use annals_core::finding::*;
    /// let mut all = Findings::default();
    /// for cause in ["A: no field x", "B: no field y", "A: no field x"] {
    ///     all.add_cause(FindingKind::ExpressionFailed, Severity::Severe, Place::default(), cause.into());
    /// }
    /// let list = all.into_vec();
    /// assert_eq!((list.len(), list[0].count, list[1].count), (2, 2, 1));
    /// ```
    pub fn add_cause(
        &mut self,
        kind: FindingKind,
        severity: Severity,
        place: Place,
        detail: String,
    ) {
        self.add_causes(kind, severity, 1, place, detail);
    }

    fn add_causes(
        &mut self,
        kind: FindingKind,
        severity: Severity,
        count: u64,
        place: Place,
        detail: String,
    ) {
        let mut alike = self.list.iter_mut().filter(|f| f.kind == kind);
        let mut causes = 0;
        let known = alike.find(|f| {
            causes += 1;
            f.detail == detail
        });
        let known = match known {
            Some(found) => Some(found),
            None if causes < MAX_CAUSES => None,
            None => self.rest.iter_mut().find(|f| f.kind == kind),
        };
        if let Some(found) = known {
            found.count += count;
            found.severity = found.severity.max(severity);
            return;
        }
        let list = if causes < MAX_CAUSES {
            &mut self.list
        } else {
            &mut self.rest
        };
        list.push(Finding {
            kind,
            severity,
            count,
            place,
            detail,
        });
    }

    /// Returns how many of this kind were found.
    #[must_use]
    pub fn count(&self, kind: FindingKind) -> u64 {
        let all = self.list.iter().chain(&self.rest);
        all.filter(|f| f.kind == kind).map(|f| f.count).sum()
    }

    /// A rough size in bytes, for caches.
    pub(crate) fn bytes(&self) -> usize {
        let all = self.list.iter().chain(&self.rest);
        all.map(|f| size_of::<Finding>() + f.detail.len()).sum()
    }

    /// Returns the findings: one a kind, or one a cause.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Finding> {
        for finding in &mut self.rest {
            finding.detail = format!(
                "more of this kind, whose causes differ from the {MAX_CAUSES} listed; the first: {}",
                finding.detail
            );
        }
        self.list.append(&mut self.rest);
        self.list
    }
}
