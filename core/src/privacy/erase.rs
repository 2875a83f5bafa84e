//! Planning an erasure and carrying it out.

use std::path::Path;

use serde::Serialize;
use serde_json::json;
use ts_rs::TS;

use super::hold::event;
use super::remains::{Remains, StayingValue, remains};
use super::subject::{Mention, SubjectView, subject};
use super::{CachesCleared, ERASURES, NOT_REACHED, PARTS_ERASED, PrivacyError, clear_caches};
use crate::event::Part;
use crate::id::StreamId;
use crate::model::ModelSet;
use crate::position::{Position, Version};
use crate::search::IndexProgress;
use crate::store::{ErasedPart, Head, Log, LogWriter};
use crate::surroundings::OsUser;

/// Most parts that one event names: its payload stays far below the limit of the log.
const MAX_PARTS: usize = 100_000;

/// What is to be erased, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EraseRequest {
    /// Whose data.
    pub subject: String,
    /// Also payloads that only name the subject, and are nobody's or another's by a model.
    pub mentions: bool,
    /// Why, as it will stand in the log for good: it should not name the subject.
    pub reason: Option<String>,
}

/// An event of which something is to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlannedEvent {
    /// Place in the log.
    pub position: Position,
    /// Home stream.
    pub stream: Option<String>,
    /// Place in it.
    pub version: Version,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Parts that go, each as a whole.
    pub parts: Vec<Part>,
    /// The places that are why.
    pub because: Vec<Mention>,
}

/// An event that would be erased and is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct HeldEvent {
    /// Place in the log.
    pub position: Position,
    /// Home stream.
    pub stream: Option<String>,
    /// Matters that hold it.
    pub matters: Vec<String>,
}

/// What an erasure would do: `annals privacy erase --json` before it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ErasurePlan {
    /// Whose data.
    pub subject: String,
    /// Whether payloads that only name the subject go, too.
    pub mentions: bool,
    /// Why, as the log will say.
    pub reason: Option<String>,
    /// Head of the log that was looked at.
    pub head: Head,
    /// Events of which something goes.
    pub events: Vec<PlannedEvent>,
    /// Events that are held and stay.
    pub held: Vec<HeldEvent>,
    /// Events that name the subject and stay, because only payloads that are theirs go.
    #[ts(type = "number")]
    pub named_and_stay: u64,
    /// Places of the identity that name the subject and cannot be erased, each once: `stream customer-7`.
    pub identity_stays: Vec<String>,
    /// Values that go, and that also stand where the erasure does not reach: in events of others, say.
    pub values_stay: Vec<StayingValue>,
    /// Values that were looked for: those of marked fields, and those that look personal by their form.
    #[ts(type = "number")]
    pub values_looked_for: u64,
    /// Further values, which were not looked for.
    #[ts(type = "number")]
    pub values_not_looked_for: u64,
    /// What an erasure in the log does not reach, in sentences.
    pub not_reached: Vec<String>,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ErasureReport {
    /// Events that say so.
    pub erasures: Vec<Position>,
    /// Number of parts that went.
    #[ts(type = "number")]
    pub parts: u64,
    /// Number of events that they were of.
    #[ts(type = "number")]
    pub events: u64,
    /// Head of the log after it.
    pub head: Head,
    /// The log's file holds no byte of it any more. If not, `left` says why, and the next erasure finishes it.
    pub finished: bool,
    /// What became of the caches.
    pub caches: CachesCleared,
    /// Values that went, and that still stand elsewhere in the log.
    pub values_stay: Vec<StayingValue>,
    /// What is still to be done, in sentences.
    pub left: Vec<String>,
}

/// Plans the erasure of a subject's data. Writes nothing.
///
/// What goes: of events that are the subject's by a model, the parts with marked fields and the parts that name them;
/// with `mentions` also parts of other events that name them. Held events stay, and so do the events of erasures.
///
/// # Errors
/// As [`subject`].
pub fn plan(
    log: &Log,
    models: &ModelSet,
    request: &EraseRequest,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<ErasurePlan, PrivacyError> {
    let head = log.head()?;
    let SubjectView {
        subject, events, ..
    } = subject(log, models, &request.subject, go_on)?;
    let mut plan = ErasurePlan {
        subject,
        mentions: request.mentions,
        reason: request.reason.clone(),
        head,
        events: Vec::new(),
        held: Vec::new(),
        named_and_stay: 0,
        identity_stays: Vec::new(),
        values_stay: Vec::new(),
        values_looked_for: 0,
        values_not_looked_for: 0,
        not_reached: NOT_REACHED.map(str::to_owned).to_vec(),
    };
    for event in events {
        let (identity, because): (Vec<Mention>, Vec<Mention>) = event
            .mentions
            .into_iter()
            .partition(|mention| mention.part == Part::Identity);
        for place in identity {
            if !plan.identity_stays.contains(&place.path) {
                plan.identity_stays.push(place.path);
            }
        }
        let mut parts: Vec<Part> = because.iter().map(|mention| mention.part).collect();
        parts.sort_unstable();
        parts.dedup();
        if parts.is_empty() {
            continue;
        }
        // What an earlier erasure took is told by its event alone, so that stays, whomever it names.
        if event.stream.as_deref() == Some(ERASURES) || !event.theirs && !request.mentions {
            plan.named_and_stay += 1;
        } else if event.held_by.is_empty() {
            plan.events.push(PlannedEvent {
                position: event.position,
                stream: event.stream,
                version: event.version,
                event_type: event.event_type,
                parts,
                because,
            });
        } else {
            plan.held.push(HeldEvent {
                position: event.position,
                stream: event.stream,
                matters: event.held_by,
            });
        }
    }
    // The place of an identity may be an id, which differs from event to event.
    plan.identity_stays.sort();
    let Remains {
        staying,
        looked_for,
        not_looked_for,
    } = remains(log, models, &plan.events, go_on)?;
    plan.values_stay = staying;
    plan.values_looked_for = looked_for;
    plan.values_not_looked_for = not_looked_for;
    Ok(plan)
}

/// Carries a plan out: erases, clears the log's file, and takes what was erased out of the caches. Also finishes what an
/// earlier erasure left; an empty plan does only that. Holds placed since the plan was made are not looked at: make the
/// plan right before.
///
/// # Errors
/// [`PrivacyError::Append`] where the log cannot be written: nothing was erased then, or whole erasures of 100,000
/// parts each. What comes after is no error: [`ErasureReport::left`] says what is still to be done.
pub fn erase(
    writer: &LogWriter,
    plan: &ErasurePlan,
    user: &OsUser,
    cache_folder: Option<&Path>,
    progress: &IndexProgress,
) -> Result<ErasureReport, PrivacyError> {
    let log = writer.log();
    let stream = StreamId::new(ERASURES).expect("a constant of this module");
    let parts: Vec<(Position, Part)> = plan
        .events
        .iter()
        .flat_map(|event| event.parts.iter().map(|part| (event.position, *part)))
        .collect();
    let mut report = ErasureReport {
        erasures: Vec::new(),
        parts: 0,
        events: 0,
        head: log.head()?,
        finished: false,
        caches: CachesCleared::default(),
        values_stay: plan.values_stay.clone(),
        left: Vec::new(),
    };
    let describe = |parts: &[ErasedPart]| {
        let data = json!({ "reason": plan.reason, "parts": parts });
        event(PARTS_ERASED, &data, user)
    };
    let mut events = std::collections::BTreeSet::new();
    for some in parts.chunks(MAX_PARTS) {
        if let Some(erasure) = writer.erase(some, &stream, &describe)? {
            report.erasures.push(erasure.event);
            report.parts += erasure.parts.len() as u64;
            events.extend(erasure.parts.iter().map(|part| part.position));
            report.head = erasure.head;
        }
    }
    report.events = events.len() as u64;
    match writer.finish_erasures() {
        Ok(_) => report.finished = true,
        Err(error) => report.left.push(format!(
            "the log's file may still hold bytes of what was erased: {error}; annals privacy erase STORE --finish clears it"
        )),
    }
    match clear_caches(&log, cache_folder, progress) {
        Ok(caches) => {
            report.left.extend(caches.left.clone());
            report.caches = caches;
        }
        Err(error) => report.left.push(format!(
            "the caches may still hold what was erased: {error}; annals privacy erase STORE --finish clears them"
        )),
    }
    Ok(report)
}

impl ErasurePlan {
    /// A plan that erases nothing: carried out, it finishes what an earlier erasure left.
    ///
    /// # Errors
    /// [`crate::store::ReadError`] of the log.
    pub fn nothing(log: &Log) -> Result<ErasurePlan, crate::store::ReadError> {
        Ok(ErasurePlan {
            subject: String::new(),
            mentions: false,
            reason: None,
            head: log.head()?,
            events: Vec::new(),
            held: Vec::new(),
            named_and_stay: 0,
            identity_stays: Vec::new(),
            values_stay: Vec::new(),
            values_looked_for: 0,
            values_not_looked_for: 0,
            not_reached: Vec::new(),
        })
    }

    /// Number of parts that go.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.events
            .iter()
            .map(|event| event.parts.len() as u64)
            .sum()
    }
}
