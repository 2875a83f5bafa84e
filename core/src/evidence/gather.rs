//! Reads from a log what a package is made of: which events are rows, and how much of the others shows that they are not.

use crate::event::Part;
use crate::evidence::make::{EvidenceError, EvidenceRequest, MAX_IDENTITIES};
use crate::evidence::manifest::{Filter, Others, Scope, Withheld};
use crate::evidence::opened::{Opened, OpenedError, Verdict};
use crate::evidence::range::{PartShown, RangeWriter, Shown, cover};
use crate::evidence::redact::{Redacted, Redaction};
use crate::evidence::zip::MAX_FILE_BYTES;
use crate::finding::{Finding, FindingKind, Findings, Place, Severity};
use crate::integrity::leaf::TimeFlags;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::extraction::Extractor;
use crate::store::{Direction, EventQuery, Extraction, ReadError, SealedEvent, SealedLog};

/// What was read from the log.
pub(super) struct Gathered {
    pub(super) size: u64,
    pub(super) root: crate::integrity::Hash,
    pub(super) scope: Scope,
    pub(super) filter: Filter,
    pub(super) others: Others,
    pub(super) rules: Vec<Extraction>,
    pub(super) range: Vec<u8>,
    pub(super) in_part: u64,
    /// Identities of other events in the range proof.
    pub(super) identities: u64,
    pub(super) findings: Vec<Finding>,
}

/// Reads everything that a package is made of, from one moment of the log.
pub(super) fn gather(
    sealed: &SealedLog<'_>,
    request: &EvidenceRequest,
    progress: &WorkProgress,
) -> Result<Gathered, EvidenceError> {
    let head = sealed.head();
    let size = head.size.0;
    let first = request.first.0;
    let last = request.query.known.map_or(size, |known| known.0.min(size));
    if first == 0 || first > size.max(1) || last + 1 < first {
        return Err(EvidenceError::NoRange { first, last, size });
    }
    let scope = Scope { first, last };
    let filter = filter_of(&request.query);
    let others = request.others.unwrap_or_else(|| enough(&filter));
    let others = match request.withheld.identity {
        true => others.min(Others::Leaf),
        false => others,
    };
    let in_range = EventQuery {
        known: Some(Position(last)),
        direction: Direction::Forwards,
        after: first.checked_sub(2).map(|_| Position(first - 1)),
        ..EventQuery::default()
    };
    let matching = EventQuery {
        known: in_range.known,
        direction: in_range.direction,
        after: in_range.after,
        ..request.query.clone()
    };
    // `count` leaves `after` aside, as paging does; so the beginning is taken off.
    let before = EventQuery {
        known: Some(Position(first - 1)),
        ..matching.clone()
    };
    let found = sealed.count(&matching)? - sealed.count(&before)?;
    let query = if others == Others::None {
        matching
    } else {
        in_range
    };
    progress.expect(if others == Others::None {
        found
    } else {
        scope.count()
    });
    let mut gathering = Gathering {
        filter: &filter,
        others,
        consented: request.others.is_some(),
        withheld: &request.withheld,
        redaction: Redaction::read(&request.withheld.paths).map_err(EvidenceError::Path)?,
        writer: RangeWriter::new(size, first, last),
        rules: Vec::new(),
        distinct: Vec::new(),
        shown: Vec::new(),
        rows: 0,
        in_part: 0,
        identities: 0,
        findings: Findings::default(),
    };
    let mut failed = None;
    sealed.for_each(&query, &mut |event| {
        progress.advance(1);
        let taken = if progress.is_cancelled() {
            Err(EvidenceError::Cancelled)
        } else {
            gathering.take(sealed, event)
        };
        failed = taken.err();
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    if found != gathering.rows {
        return Err(EvidenceError::TablesDiffer {
            found,
            read: gathering.rows,
        });
    }
    let under = cover(size, &gathering.shown).unwrap_or_default();
    let hashes = sealed.roots(under)?;
    Ok(Gathered {
        size,
        root: head.root,
        scope,
        others,
        rules: gathering.distinct,
        range: gathering.writer.finish(&hashes),
        in_part: gathering.in_part,
        identities: gathering.identities,
        findings: gathering.findings.into_vec(),
        filter,
    })
}

/// The conditions of a query.
fn filter_of(query: &EventQuery) -> Filter {
    let EventQuery {
        stream,
        category,
        event_type,
        actor,
        correlation,
        from,
        to,
        known: _,
        direction: _,
        after: _,
    } = query;
    Filter {
        stream: stream.as_ref().map(ToString::to_string),
        category: category.as_ref().map(ToString::to_string),
        event_type: event_type.as_ref().map(ToString::to_string),
        actor: actor.as_ref().map(ToString::to_string),
        correlation: correlation.clone(),
        from: *from,
        to: *to,
    }
}

/// How much of other events shows that they do not match, payloads aside.
fn enough(filter: &Filter) -> Others {
    if filter.stream.is_some() || filter.category.is_some() {
        Others::Identity
    } else if filter.event_type.is_some() || filter.from.is_some() || filter.to.is_some() {
        Others::Leaf
    } else {
        Others::None
    }
}

/// The range proof in the making.
struct Gathering<'r> {
    filter: &'r Filter,
    others: Others,
    /// Whether the maker said how much to show of others.
    consented: bool,
    withheld: &'r Withheld,
    redaction: Redaction,
    writer: RangeWriter,
    /// By rule of the log: the extractor, and its index in `distinct`.
    rules: Vec<(Extractor, u16)>,
    distinct: Vec<Extraction>,
    shown: Vec<u64>,
    rows: u64,
    in_part: u64,
    identities: u64,
    findings: Findings,
}

impl Gathering<'_> {
    fn take(&mut self, sealed: &SealedLog<'_>, event: SealedEvent) -> Result<(), EvidenceError> {
        if event.rule >= self.rules.len() {
            self.learn(sealed.rules())?;
        }
        if self.is_row(&event)? {
            return self.take_row(&event);
        }
        for level in [Others::Leaf, Others::Identity, Others::Payload] {
            if level > self.others {
                break;
            }
            let parts = parts_up_to(&event, level);
            if self.read(&event, false, parts)?.matches(self.filter) == Verdict::No {
                self.identities += u64::from(matches!(parts[0], PartShown::Open { .. }));
                if self.identities > MAX_IDENTITIES && !self.consented {
                    return Err(EvidenceError::TooManyOthers);
                }
                return self.show(&event, false, parts);
            }
        }
        // What would stay unknown stays closed.
        Ok(())
    }

    fn learn(&mut self, rules: Vec<Extraction>) -> Result<(), EvidenceError> {
        for rule in rules.into_iter().skip(self.rules.len()) {
            let extractor = rule.prepare();
            let known = self.distinct.iter().position(|known| *known == rule);
            let index = known.unwrap_or_else(|| {
                self.distinct.push(rule);
                self.distinct.len() - 1
            });
            let index = u16::try_from(index).map_err(|_| {
                EvidenceError::TooLarge(
                    "its events have more than 65,536 rules of extraction".into(),
                )
            })?;
            self.rules.push((extractor, index));
        }
        Ok(())
    }

    /// Whether the event matches; where a part that would tell was erased, by what the log kept of it.
    fn is_row(&self, event: &SealedEvent) -> Result<bool, EvidenceError> {
        let whole = parts_up_to(event, Others::Payload);
        Ok(match self.read(event, false, whole)?.matches(self.filter) {
            Verdict::Yes => true,
            Verdict::No => false,
            Verdict::Unknown => {
                let kept = &event.event;
                let same = |want: &Option<String>, have: Option<&str>| {
                    want.as_deref().is_none_or(|want| have == Some(want))
                };
                let in_stream = self.filter.stream.as_deref().is_none_or(|want| {
                    kept.stream.as_ref().is_some_and(|s| s.as_str() == want)
                        || event.links.iter().any(|link| link.stream == want)
                });
                in_stream
                    && same(
                        &self.filter.category,
                        kept.category.as_ref().map(|c| c.as_str()),
                    )
                    && same(&self.filter.actor, kept.actor.as_ref().map(|a| a.as_str()))
                    && same(&self.filter.correlation, kept.correlation.as_deref())
            }
        })
    }

    fn take_row(&mut self, event: &SealedEvent) -> Result<(), EvidenceError> {
        let Withheld {
            identity,
            data,
            metadata,
            paths: _,
        } = *self.withheld;
        let mut parts = parts_up_to(event, Others::Payload);
        let mut left: [Option<Vec<u8>>; 3] = [None, None, None];
        let payloads = [
            None,
            event.event.data.as_ref(),
            event.event.metadata.as_ref(),
        ];
        for (at, part) in Part::ALL.into_iter().enumerate() {
            let PartShown::Open { .. } = parts[at] else {
                continue;
            };
            if [identity, data, metadata][at] {
                parts[at] = PartShown::Closed;
            } else if let Some(payload) = payloads[at] {
                match self.redaction.apply(part, payload) {
                    Redacted::Whole => {}
                    Redacted::Closed => parts[at] = PartShown::Closed,
                    Redacted::InPart(bytes) => left[at] = Some(bytes),
                }
            }
        }
        for (part, left) in parts.iter_mut().zip(&left) {
            if let Some(bytes) = left {
                *part = PartShown::InPart(bytes);
                self.in_part += 1;
            }
        }
        self.rows += 1;
        self.note(event);
        self.show(event, true, parts)
    }

    fn show(
        &mut self,
        event: &SealedEvent,
        row: bool,
        parts: [PartShown<'_>; 3],
    ) -> Result<(), EvidenceError> {
        let position = event.event.position;
        self.writer.show(&Shown {
            position,
            row,
            rule: self.rules[event.rule].1,
            leaf: &event.leaf,
            parts,
        });
        self.shown.push(position.0 - 1);
        if self.writer.len() as u64 > MAX_FILE_BYTES {
            let what = "its proof would be longer than 1 GiB".to_owned();
            return Err(EvidenceError::TooLarge(what));
        }
        Ok(())
    }

    fn read<'e>(
        &self,
        event: &'e SealedEvent,
        row: bool,
        parts: [PartShown<'e>; 3],
    ) -> Result<Opened<'e>, EvidenceError> {
        let (rule, _) = &self.rules[event.rule];
        let shown = Shown {
            position: event.event.position,
            row,
            rule: 0,
            leaf: &event.leaf,
            parts,
        };
        let damaged = |error: OpenedError| ReadError::Damaged {
            position: event.event.position,
            reason: error.to_string(),
        };
        Ok(Opened::read(&shown, std::slice::from_ref(rule)).map_err(damaged)?)
    }

    /// What a reader should know of a row.
    fn note(&mut self, event: &SealedEvent) {
        let flags = TimeFlags::of(&event.event.time);
        let erased = !event.event.erased.is_empty();
        for (so, kind, severity, detail) in [
            (
                flags.has(TimeFlags::ZONE_ASSUMED),
                FindingKind::ZoneAssumed,
                Severity::Notice,
                "the source named no zone for the time",
            ),
            (
                flags.has(TimeFlags::DATE_ONLY),
                FindingKind::DateOnly,
                Severity::Notice,
                "the source named a day only",
            ),
            (
                flags.has(TimeFlags::AMBIGUOUS),
                FindingKind::AmbiguousLocalTime,
                Severity::Warning,
                "the local time does not exist or exists twice",
            ),
            (
                erased,
                FindingKind::Erased,
                Severity::Notice,
                "a part of the event was erased",
            ),
        ] {
            if so {
                let place = Place {
                    position: Some(event.event.position),
                    ..Place::default()
                };
                self.findings.add(kind, severity, place, detail.to_owned());
            }
        }
    }
}

/// The parts of an event, open up to a level.
fn parts_up_to<'e>(event: &'e SealedEvent, level: Others) -> [PartShown<'e>; 3] {
    let open = |at: usize, bytes: Option<&'e Vec<u8>>, part: Part, from: Others| {
        if event.event.erased.contains(&part) {
            return PartShown::Erased;
        }
        match (event.salts[at], bytes) {
            (Some(salt), Some(bytes)) if level >= from => PartShown::Open { salt, bytes },
            _ => PartShown::Closed,
        }
    };
    let data = event.event.data.as_ref().map(|payload| &payload.bytes);
    let metadata = event.event.metadata.as_ref().map(|payload| &payload.bytes);
    let has_metadata =
        event.event.metadata.is_some() || event.event.erased.contains(&Part::Metadata);
    [
        open(0, Some(&event.identity), Part::Identity, Others::Identity),
        open(1, data, Part::Data, Others::Payload),
        match has_metadata {
            true => open(2, metadata, Part::Metadata, Others::Payload),
            false => PartShown::None,
        },
    ]
}
