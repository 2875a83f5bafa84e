//! From a question to its answer: what all kinds of questions have in common.

use chrono_tz::Tz;

use super::grammar::{Ask, Known, Question, Subject};
use super::holds::{kind, kind_of_literal};
use super::parse::ParseError;
use super::reading::{self, EmptyPeriod};
use super::spans::{IntervalIndex, Need, Totals};
use super::stamp::{Interval, Period};
use super::track::{Track, track};
use super::view::{AnswerSource, AnswerView, Skipped};
use super::{counts, followed, nearest, single, stays};
use crate::id::Category;
use crate::model::{FieldPath, ModelSet};
use crate::position::Position;
use crate::store::{Log, ReadError, StreamQuery, StreamRow};
use crate::temporal::{AsOf, AsOfView, Moment, TemporalError, state};
use crate::time::Time;

/// Rows that an answer lists where nothing else is asked for.
pub const ROWS: usize = 1_000;
/// Streams listed at once.
const PAGE: usize = 1_000;
/// Streams whose fields are looked at for one that is near to a field that no stream has.
const LOOKED_AT: usize = 20;

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// The text is no question.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The log holds no stream of the category.
    #[error(
        "the log has no stream of category {category:?}{}",
        if near.is_empty() { String::new() } else { format!("; it has {}", near.join(", ")) }
    )]
    NoCategory {
        /// The category.
        category: String,
        /// Categories that it has, those with like names first; at most 10.
        near: Vec<String>,
    },
    /// The period holds no instant.
    #[error("the period {period} ends before it begins in {zone}")]
    EmptyPeriod {
        /// The period.
        period: String,
        /// The zone.
        zone: String,
    },
    /// A state was not given, or the log could not be read.
    #[error(transparent)]
    Temporal(#[from] TemporalError),
}

impl From<ReadError> for QuestionError {
    fn from(error: ReadError) -> QuestionError {
        QuestionError::Temporal(error.into())
    }
}

/// What a question is put to, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The log.
    pub log: &'a Log,
    /// The store's models.
    pub models: &'a ModelSet,
    /// Zone of days and of times that name none.
    pub zone: Tz,
    /// Most rows that the answer lists.
    pub limit: usize,
    /// The interval index, where there is one; without it every answer is by replay.
    pub index: Option<&'a IntervalIndex>,
    /// What had happened and was known when it is asked; what the question itself says comes on top of it.
    pub as_of: AsOf,
}

/// Answers a question. `go_on` is told the number of events looked at and stops the work by saying no.
///
/// # Errors
/// [`QuestionError`]; [`ReadError::Cancelled`] in it if the work was stopped.
///
/// ```
/// # use annals_core::{model::ModelSet, question::*, store::Log, temporal::AsOf};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let asking = Asking { log: &log, models: &models, zone: chrono_tz::UTC, limit: ROWS, index: None, as_of: AsOf::default() };
/// let question = Question::parse("balance of account-12345 on 2024-01-10")?;
/// let answer = ask(&asking, &question, &mut |_| true)?;
/// let values: Vec<&str> = answer.readings.iter().map(|r| r.value.as_ref().unwrap().get()).collect();
/// assert_eq!(values, ["1450.00", "950.00"]);
/// assert_eq!(answer.readings[1].name, "at the start of 2024-01-10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ask(
    asking: &Asking<'_>,
    question: &Question,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<AnswerView, QuestionError> {
    let head = asking.log.head()?.size;
    let (known, known_text) = match &question.known {
        None => (head, None),
        Some(Known::Position(position)) if *position > head => {
            return Err(TemporalError::NoPosition {
                asked: *position,
                last: head,
            }
            .into());
        }
        Some(Known::Position(position)) => {
            (*position, Some(format!("known at position {position}")))
        }
        Some(Known::Time(stamp)) => {
            let at = stamp.last_instant(asking.zone);
            let known = asking.log.known_at(at)?;
            (
                known,
                Some(format!("recorded by {at}, which is position {known}")),
            )
        }
    };
    let known = match asking.as_of.known {
        Some(asked) if asked > head => {
            return Err(TemporalError::NoPosition { asked, last: head }.into());
        }
        Some(asked) => known.min(asked),
        None => known,
    };
    let is_known_stated = question.known.is_some() || asking.as_of.known.is_some();
    let mut work = Work {
        asking,
        question,
        known,
        head,
        is_known_stated,
        known_text,
        skipped: Vec::new(),
        notes: Vec::new(),
        streams: 0,
        events: 0,
        failed: 0,
        latest: None,
        source: AnswerSource::Replay,
        go_on,
    };
    let view = AnswerView {
        question: question.to_string(),
        understood: String::new(),
        reading: String::new(),
        value: None,
        unit: None,
        readings: Vec::new(),
        zone: asking.zone.to_string(),
        as_of: AsOfView {
            at: None,
            known: is_known_stated.then_some(known),
        },
        period: None,
        head,
        streams_examined: 0,
        events_examined: 0,
        skipped: Vec::new(),
        notes: Vec::new(),
        source: AnswerSource::Replay,
        path: None,
        groups: Vec::new(),
        course: None,
        rows: Vec::new(),
        rows_count: 0,
    };
    let mut view = match &question.ask {
        Ask::Value { path, stream, when } => single::value(&mut work, view, path, stream, when)?,
        Ask::Moment {
            last,
            condition,
            stream,
        } => single::moment(&mut work, view, *last, condition, stream)?,
        Ask::Count { .. } | Ask::List { .. } | Ask::Measure { .. } => {
            counts::answer(&mut work, view)?
        }
        Ask::Stay { .. } => stays::answer(&mut work, view)?,
        Ask::Followed { .. } => followed::answer(&mut work, view)?,
    };
    if let Some(first) = view.readings.first() {
        view.reading.clone_from(&first.name);
        view.value.clone_from(&first.value);
    }
    if let Some(at) = work.cut() {
        view.as_of.at = Some(view.as_of.at.map_or(at, |own| own.min(at)));
        view.understood = format!("{}, of what had happened by {at}", view.understood);
    }
    if let Some(text) = &work.known_text {
        view.understood = format!("{}, by what was {text}", view.understood);
    }
    if work.failed > 0 {
        let reason = "events could not be folded and changed nothing (see the findings of the streams' states)";
        work.skipped.push(Skipped {
            reason: reason.to_owned(),
            count: work.failed,
            stream: None,
        });
    }
    view.streams_examined = work.streams;
    view.events_examined = work.events;
    view.skipped = work.skipped;
    view.notes = work.notes;
    view.source = work.source;
    Ok(view)
}

/// A question on its way to an answer.
pub(super) struct Work<'w> {
    pub(super) asking: &'w Asking<'w>,
    pub(super) question: &'w Question,
    /// Events up to there count.
    pub(super) known: Position,
    head: Position,
    /// What was known is said, by the question or by whoever asks.
    is_known_stated: bool,
    known_text: Option<String>,
    skipped: Vec<Skipped>,
    pub(super) notes: Vec<String>,
    pub(super) streams: u64,
    pub(super) events: u64,
    pub(super) failed: u64,
    /// When the last event of the streams looked at happened; [`Work::now`] is what to reckon with.
    pub(super) latest: Option<Time>,
    pub(super) source: AnswerSource,
    go_on: &'w mut dyn FnMut(u64) -> bool,
}

impl Work<'_> {
    /// What happened later is not there.
    pub(super) fn cut(&self) -> Option<Time> {
        self.asking.as_of.at
    }

    /// Until when something is known to have lasted: the instant that it is asked as of, else the last event. There is
    /// no clock.
    pub(super) fn now(&self) -> Option<Time> {
        self.cut().or(self.latest)
    }

    /// Notes that something of a stream was not taken in.
    pub(super) fn skip(&mut self, reason: &str, stream: &str) {
        match self.skipped.iter_mut().find(|s| s.reason == reason) {
            Some(skipped) => skipped.count += 1,
            None => self.skipped.push(Skipped {
                reason: reason.to_owned(),
                count: 1,
                stream: Some(stream.to_owned()),
            }),
        }
    }

    /// Adds a note once.
    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Refuses an empty period.
    pub(super) fn empty(&self, EmptyPeriod(period): EmptyPeriod) -> QuestionError {
        QuestionError::EmptyPeriod {
            period: period.to_string(),
            zone: self.asking.zone.to_string(),
        }
    }

    /// The interval of a period, where the question has one.
    pub(super) fn interval(
        &self,
        period: Option<&Period>,
    ) -> Result<Option<Interval>, QuestionError> {
        period
            .map(|period| reading::interval(period, self.asking.zone))
            .transpose()
            .map_err(|empty| self.empty(empty))
    }

    /// Calls `each` with every stream of the subject, by name.
    pub(super) fn each_stream(
        &mut self,
        of: &Subject,
        each: &mut dyn FnMut(&mut Self, &StreamRow) -> Result<(), QuestionError>,
    ) -> Result<(), QuestionError> {
        let log = self.asking.log;
        let mut seen = false;
        match of {
            Subject::Stream(stream) => {
                let row = log.stream(stream)?;
                let row = row.ok_or_else(|| ReadError::NoStream(stream.clone()))?;
                return each(self, &row);
            }
            Subject::Category(category) => {
                let mut query = StreamQuery {
                    category: Some(category.clone()),
                    ..StreamQuery::default()
                };
                loop {
                    let page = log.streams(&query, PAGE)?;
                    for row in &page.streams {
                        seen = true;
                        each(self, row)?;
                    }
                    query.after = page.next;
                    if query.after.is_none() {
                        break;
                    }
                }
                if !seen {
                    return Err(self.no_category(category)?);
                }
            }
        }
        Ok(())
    }

    /// Brings the index to where it can answer for these fields of a category; `None` where it cannot: what was known
    /// is not all, or there is no index.
    pub(super) fn indexed<'f>(
        &mut self,
        category: &'f Category,
        fields: &'f [FieldPath],
    ) -> Result<Option<(&'f IntervalIndex, Need<'f>)>, QuestionError>
    where
        Self: 'f,
    {
        let asking = self.asking;
        let is_all = !self.is_known_stated || self.known == self.head;
        let Some(index) = asking.index.filter(|_| is_all) else {
            return Ok(None);
        };
        let need = Need {
            log: asking.log,
            models: asking.models,
            category,
            fields,
        };
        match index.bring(&need, self.known, self.go_on)? {
            // Another process went on: more is in the index than was to be known.
            Some(reach) if self.is_known_stated && reach != self.known => Ok(None),
            Some(reach) => {
                self.known = reach;
                Ok(Some((index, need)))
            }
            None => Ok(None),
        }
    }

    /// Takes over what the index says of a category as a whole.
    pub(super) fn take_totals(&mut self, totals: Totals) {
        self.source = AnswerSource::Index;
        self.streams = totals.streams;
        self.events = totals.events;
        self.failed = totals.failed;
        self.latest = totals.latest;
    }

    /// Calls `each` with every stream of the subject and its values along time.
    pub(super) fn each_track(
        &mut self,
        of: &Subject,
        fields: &[FieldPath],
        with_events: bool,
        each: &mut dyn FnMut(&mut Self, &Track) -> Result<(), QuestionError>,
    ) -> Result<(), QuestionError> {
        if let Subject::Category(category) = of
            && !with_events
            && let Some((index, need)) = self.indexed(category, fields)?
        {
            match index.tracks(&need) {
                Ok(tracks) if tracks.is_empty() => return Err(self.no_category(category)?),
                Ok(tracks) => {
                    self.source = AnswerSource::Index;
                    for track in tracks {
                        let track = track.cut(self.cut());
                        self.streams += 1;
                        self.events += track.events;
                        self.failed += track.failed;
                        self.latest = self.latest.max(track.latest);
                        each(self, &track)?;
                    }
                    return Ok(());
                }
                // The events themselves are there.
                Err(_) => {}
            }
        }
        self.each_stream(of, &mut |work, row| {
            let track = work.track(row, fields, with_events)?;
            if !track.points.is_empty() {
                work.streams += 1;
                work.failed += track.failed;
                work.latest = work.latest.max(track.latest);
            }
            each(work, &track.cut(work.cut()))
        })
    }

    /// One stream's values along time.
    pub(super) fn track(
        &mut self,
        row: &StreamRow,
        fields: &[FieldPath],
        with_events: bool,
    ) -> Result<Track, QuestionError> {
        let before = self.events;
        let Work { asking, go_on, .. } = self;
        let track = track(
            asking.log,
            asking.models,
            row,
            self.known,
            fields,
            with_events,
            &mut |more| go_on(before + more),
        )?;
        self.events += track.events;
        // Streams are short, most of them: so that cancelling does not wait for a long one.
        if before / 1_000 != self.events / 1_000 && !(self.go_on)(self.events) {
            return Err(ReadError::Cancelled.into());
        }
        Ok(track)
    }

    /// Tells who waits how many events were looked at.
    pub(super) fn go_on(&mut self) -> Result<(), QuestionError> {
        if (self.go_on)(self.events) {
            return Ok(());
        }
        Err(ReadError::Cancelled.into())
    }

    fn no_category(&self, category: &Category) -> Result<QuestionError, ReadError> {
        let mut near: Vec<String> = self
            .asking
            .log
            .info()?
            .categories
            .into_iter()
            .map(|row| row.name)
            .collect();
        let wanted = category.as_str().to_lowercase();
        near.sort_by_key(|name| nearest::distance(&name.to_lowercase(), &wanted));
        near.truncate(10);
        Ok(QuestionError::NoCategory {
            category: category.to_string(),
            near,
        })
    }

    /// Says which of the fields no stream ever had, and which they have that come near.
    pub(super) fn note_missing_fields(
        &mut self,
        of: &Category,
        fields: &[FieldPath],
        ever: &[bool],
    ) -> Result<(), QuestionError> {
        if self.streams == 0 {
            return Ok(());
        }
        for (path, _) in fields.iter().zip(ever).filter(|(_, ever)| !**ever) {
            let names = self.field_names(of)?;
            let wanted = path.to_string().to_lowercase();
            let mut near: Vec<&String> = names.iter().collect();
            near.sort_by_key(|name| nearest::distance(&name.to_lowercase(), &wanted));
            near.truncate(5);
            let near: Vec<&str> = near.into_iter().map(String::as_str).collect();
            let has = if near.is_empty() {
                String::new()
            } else {
                format!("; fields that they have: {}", near.join(", "))
            };
            self.note(format!("no stream of {of} ever had {path}{has}"));
        }
        Ok(())
    }

    /// Names of the fields of some streams' states.
    fn field_names(&self, of: &Category) -> Result<Vec<String>, QuestionError> {
        let asking = self.asking;
        let query = StreamQuery {
            category: Some(of.clone()),
            ..StreamQuery::default()
        };
        let mut names = std::collections::BTreeSet::new();
        for row in asking.log.streams(&query, LOOKED_AT)?.streams {
            let Ok(stream) = row.stream.parse() else {
                continue;
            };
            let as_of = AsOf {
                at: self.cut(),
                known: Some(self.known),
            };
            let found = state(asking.log, asking.models, &stream, &Moment::AsOf(as_of))?;
            if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(found.state.get()) {
                names.extend(
                    fields.into_iter().map(|(name, _)| {
                        FieldPath(vec![crate::model::Step::Key(name)]).to_string()
                    }),
                );
            }
        }
        Ok(names.into_iter().collect())
    }
}

/// Fields without repetition, in the order in which they come.
pub(super) fn distinct<'p>(paths: impl IntoIterator<Item = &'p FieldPath>) -> Vec<FieldPath> {
    let mut fields: Vec<FieldPath> = Vec::new();
    for path in paths {
        if !fields.contains(path) {
            fields.push(path.clone());
        }
    }
    fields
}

/// That a value is of another kind than what it is compared with.
pub(super) fn mixed_text(
    path: &FieldPath,
    value: &serde_json::Value,
    literal: &super::grammar::Literal,
) -> String {
    format!(
        "{path} is {} and is compared with {}: they are not equal, and neither is before the other",
        kind(value),
        kind_of_literal(literal)
    )
}
