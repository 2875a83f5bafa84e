//! What hosts show of an answer.

use serde::Serialize;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::form::QuestionForm;
use super::grammar::Question;
use crate::position::{Position, Version};
use crate::temporal::AsOfView;
use crate::time::Time;

/// The answer to a question: `annals ask --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct AnswerView {
    /// The question in its plainest form; it reads as the same question.
    pub question: String,
    /// The question as it was understood, in a sentence.
    pub understood: String,
    /// Which of the readings was chosen: its name.
    pub reading: String,
    /// The answer by that reading, every digit; `null` where there is none (the notes say why).
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// What the value counts: `streams`, `events`, `seconds`; `null` where it is a value of the data.
    pub unit: Option<String>,
    /// The readings that the question leaves open, the chosen one first, each with its own value.
    pub readings: Vec<ReadingView>,
    /// Zone of days and of times that name none.
    pub zone: String,
    /// The as-of of the chosen reading.
    pub as_of: AsOfView,
    /// The period of the chosen reading; `null` where it is about an instant.
    pub period: Option<PeriodView>,
    /// The log's last position when it was asked.
    pub head: Position,
    /// Number of streams looked at.
    #[ts(type = "number")]
    pub streams_examined: u64,
    /// Number of events looked at, or that the index was made from; one that is linked into several streams counts in
    /// each.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// What could not be taken into the answer, and why.
    pub skipped: Vec<Skipped>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// Where the answer comes from.
    pub source: AnswerSource,
    /// The field that the values stand at; `null` where there is none.
    pub path: Option<String>,
    /// One number for each group, by group.
    pub groups: Vec<AnswerGroup>,
    /// What a picture of the answer shows, where one helps.
    pub course: Option<CourseView>,
    /// What is behind the value, by stream: the first that fit the limit.
    pub rows: Vec<AnswerRow>,
    /// How many there are.
    #[ts(type = "number")]
    pub rows_count: u64,
}

/// One way to understand a question, and what the answer is then.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ReadingView {
    /// Its name: `at the end of 2024-01-10`.
    pub name: String,
    /// The answer by it.
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// The question that asks for this reading and no other; `null` where the grammar has no words for it.
    pub question: Option<String>,
}

/// From an instant, inclusive, to another, exclusive.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[ts(export)]
pub struct PeriodView {
    /// Its first instant.
    pub from: Time,
    /// The first instant past it.
    pub to: Time,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum AnswerSource {
    /// The interval index.
    Index,
    /// The events, folded for this answer.
    Replay,
}

/// What could not be taken into an answer.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Skipped {
    /// Why.
    pub reason: String,
    /// How many.
    #[ts(type = "number")]
    pub count: u64,
    /// The first stream with it.
    pub stream: Option<String>,
}

/// The answer for one group.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct AnswerGroup {
    /// The value that its members have in common; `null` where they have none.
    #[ts(type = "unknown")]
    pub group: Option<Box<RawValue>>,
    /// The answer for it.
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// Number of members.
    #[ts(type = "number")]
    pub count: u64,
    /// The question that asks for this group alone; `null` where the grammar has no words for it.
    pub question: Option<String>,
}

/// How what was asked about went along time, or is spread.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CourseView {
    /// What its points are.
    pub shape: CourseShape,
    /// What their values are: `streams that were so at the end of each day`.
    pub of: String,
    /// Its points; of more than 2,000 the last.
    pub points: Vec<CoursePoint>,
    /// How many there are.
    #[ts(type = "number")]
    pub points_count: u64,
}

/// What the points of a course are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum CourseShape {
    /// Values that one field had, each until the next.
    Value,
    /// How many were so at the end of each stretch of the calendar.
    Level,
    /// How many there were in each stretch.
    Happened,
    /// How many were how long.
    Lengths,
    /// Stretches of time in which something held.
    Held,
}

/// A point of a course.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CoursePoint {
    /// Its label: an instant, `2024-01-31`, `1 to 6 h`.
    pub label: String,
    /// When it begins.
    pub from: Option<Time>,
    /// When it ends, exclusive; `null`: at once, or not yet.
    pub to: Option<Time>,
    /// Its value.
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// Position of the event that made it so.
    pub position: Option<Position>,
    /// Version of that event in the stream.
    pub version: Option<Version>,
    /// The question that asks for this point alone; `null` where the grammar has no words for it.
    pub question: Option<String>,
}

/// What is behind an answer: a stream, and the event that made it so.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct AnswerRow {
    /// The stream.
    pub stream: String,
    /// Since when it was so; for events, when the first of the two happened.
    pub from: Option<Time>,
    /// Until when, exclusive; for events, when the other happened. `null`: to the end of what is known.
    pub to: Option<Time>,
    /// Position of the event that made it so.
    pub position: Option<Position>,
    /// Version of that event in the stream.
    pub version: Option<Version>,
    /// Its value, or how many seconds it was so.
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// The group that it belongs to.
    #[ts(type = "unknown")]
    pub group: Option<Box<RawValue>>,
}

/// Whether a text is a question.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct QuestionTextView {
    /// The question in its plainest form; `null` if it is none.
    pub question: Option<String>,
    /// The question as the fields of a form.
    pub form: Option<QuestionForm>,
    /// Why it is none.
    pub error: Option<QuestionFault>,
}

/// Where a text stops being a question.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct QuestionFault {
    /// Character from which on it is not understood, first is 1.
    #[ts(type = "number")]
    pub at: u64,
    /// How many characters stand there that are not understood.
    #[ts(type = "number")]
    pub len: u64,
    /// What is wrong.
    pub message: String,
    /// What could stand there.
    pub expected: Vec<String>,
    /// The nearest question.
    pub nearest: String,
}

impl QuestionTextView {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> QuestionTextView {
        match Question::parse(text) {
            Ok(question) => QuestionTextView {
                question: Some(question.to_string()),
                form: Some(QuestionForm::of(&question)),
                error: None,
            },
            Err(error) => QuestionTextView {
                question: None,
                form: None,
                error: Some(QuestionFault {
                    at: error.at as u64,
                    len: error.len as u64,
                    message: error.message,
                    expected: error.expected,
                    nearest: error.nearest,
                }),
            },
        }
    }
}
