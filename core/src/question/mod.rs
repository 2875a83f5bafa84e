//! Questions over time: a small typed grammar, and answers that say how the question was understood.
//!
//! `docs/questions.md` has the grammar as EBNF, and what every reading means.
//!
//! | module | what it holds |
//! |---|---|
//! | `grammar` | what a question says, and its text again |
//! | `stamp` | dates and times as written, and the instants that they mean in a zone |
//! | `scan`, `parse` | from text to question, or to the place where it stops being one |
//! | `nearest` | the question nearest to a text that is none |
//! | `form` | a question as the fields of a form |
//! | `reading` | the ways to understand when a question asks |
//! | `track`, `holds`, `amount` | values along a stream's time; whether a condition holds of them; exact numbers |
//! | `spans` | the interval index: values along time, kept in the cache |
//! | `steps` | how many intervals began and ended, by steps of time |
//! | `listed` | lists of streams that had a value, from memory |
//! | `at` | states at an instant from that index, for SQL |
//! | `answer` | from question to answer, what all kinds have in common |
//! | `course` | what a picture of an answer shows |
//! | `single`, `counts`, `stays`, `followed` | the kinds of questions |
//! | [`saved`] | questions kept as files beside the store |
//! | `view` | what hosts show |

mod amount;
mod answer;
mod at;
mod counts;
mod course;
mod followed;
mod form;
mod grammar;
mod holds;
mod listed;
mod nearest;
mod parse;
mod reading;
pub mod saved;
mod scan;
mod single;
mod spans;
mod stamp;
mod stays;
mod steps;
mod track;
mod view;

#[cfg(test)]
mod tests;

pub use answer::{Asking, QuestionError, ROWS, ask};
pub(crate) use at::{FoundAt, StatesAt, states_at};
pub use form::{ConditionForm, QuestionForm};
pub use grammar::{
    Ask, Comparison, Condition, Known, Literal, Manner, Measure, Question, Selection, Span,
    SpanUnit, Statistic, Subject, That, Unit, When,
};
pub use parse::ParseError;
pub use spans::IntervalIndex;
pub use stamp::{Interval, Period, Stamp, TwoInstants};
pub use view::{
    AnswerGroup, AnswerRow, AnswerSource, AnswerView, CoursePoint, CourseShape, CourseView,
    PeriodView, QuestionFault, QuestionTextView, ReadingView, Skipped,
};
