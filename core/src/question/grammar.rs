//! What a question says: the tree that the parser makes, and its text again. `docs/questions.md` has the grammar.

use std::fmt::{self, Display, Formatter};

use super::stamp::{Period, Stamp};
use crate::id::{Category, EventType, StreamId};
use crate::model::FieldPath;
use crate::position::Position;

/// A question over time. Its `Display` is the text in its plainest form, which reads as the same question.
///
/// ```
/// use annals_core::question::Question;
/// let asked = Question::parse("COUNT order where status='Pending' at end of 2024-01")?;
/// assert_eq!(asked.to_string(), r#"count order where status = "Pending" at end of 2024-01"#);
/// # Ok::<(), annals_core::question::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    /// What was known: events up to there. All if `None`.
    pub known: Option<Known>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A value of one stream's state: `balance of account-12345 on 2024-01-10`.
    Value {
        /// Where the value stands in the state.
        path: FieldPath,
        /// The stream.
        stream: StreamId,
        /// When.
        when: When,
    },
    /// How many streams: `count order where status = "Pending" at end of 2024-01`.
    Count {
        /// Which streams.
        what: Selection,
        /// One number for each value of this.
        group: Option<FieldPath>,
        /// When.
        when: When,
    },
    /// Which streams: `list customer active during 2024-11-20..2024-12-01`.
    List {
        /// Which streams.
        what: Selection,
        /// When.
        when: When,
    },
    /// A number over streams: `sum total of order where region = "EU" group by status at 2024-06-30`.
    Measure {
        /// Which number.
        measure: Measure,
        /// Where the values stand in the states.
        path: FieldPath,
        /// Which streams.
        what: Selection,
        /// One number for each value of this.
        group: Option<FieldPath>,
        /// When.
        when: When,
    },
    /// When a condition came to hold: `first time status = "Shipped" of order-789`.
    Moment {
        /// The first such time or the last.
        last: bool,
        /// The condition.
        condition: Condition,
        /// The stream.
        stream: StreamId,
    },
    /// How long streams stayed in a value: `how long was order in status "Pending", average, p95, by month`.
    Stay {
        /// Which streams.
        of: Subject,
        /// Where the value stands.
        path: FieldPath,
        /// The value.
        value: Literal,
        /// What to say of the stays; never empty.
        statistics: Vec<Statistic>,
        /// One row for each of these.
        by: Option<Unit>,
        /// Only stays that began within it.
        during: Option<Period>,
    },
    /// Events that were, or were not, followed by another:
    /// `order where OrderPlaced not followed by PaymentProcessed within 2 days`.
    Followed {
        /// Streams of which category.
        category: Category,
        /// Type of the event.
        first: EventType,
        /// Those that were not followed.
        not: bool,
        /// Type of the event that follows.
        then: EventType,
        /// At most so long after; any time if `None`.
        within: Option<Span>,
        /// Only events that happened within it.
        during: Option<Period>,
    },
}

/// What was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// The log's first events.
    Position(Position),
    /// What was recorded by then.
    Time(Stamp),
}

/// Which streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Their category.
    pub category: Category,
    /// What must hold of them.
    pub that: That,
}

/// What must hold of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum That {
    /// It has begun.
    Exists,
    /// Its state is so.
    Where(Condition),
    /// It has an event in the period.
    Active,
}

/// Streams of a category, or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// All streams of a category.
    Category(Category),
    /// One stream.
    Stream(StreamId),
}

/// A condition on a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A value compares so.
    Compare {
        /// Where the value stands.
        path: FieldPath,
        /// How it compares.
        comparison: Comparison,
        /// With what.
        value: Literal,
    },
    /// A value is one of these.
    In {
        /// Where the value stands.
        path: FieldPath,
        /// The values; never empty.
        values: Vec<Literal>,
    },
    /// There is no value, or it is `null`.
    Missing(FieldPath),
    /// There is a value, and it is not `null`.
    Present(FieldPath),
    /// It does not hold.
    Not(Box<Condition>),
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds.
    Or(Box<Condition>, Box<Condition>),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Differs,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A value as a question writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Text in quotes.
    Text(String),
    /// A number, as written.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
}

/// Which number over streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The sum.
    Sum,
    /// The sum divided by how many there are.
    Average,
    /// The least.
    Least,
    /// The greatest.
    Greatest,
}

/// What to say of stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// How many.
    Count,
    /// Their lengths together, divided by how many.
    Average,
    /// The shortest.
    Least,
    /// The longest.
    Greatest,
    /// Their lengths together.
    Total,
    /// The length that so many of a hundred do not exceed, by nearest rank: 1 to 99.
    Percentile(u8),
}

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// A length of time as written: `2 days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: SpanUnit,
}

/// What lengths of time are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanUnit {
    /// A second.
    Second,
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
}

/// When.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// After all events.
    Now,
    /// At an instant; `at` a day, month or year is its end.
    At(Stamp),
    /// On a day: its end, and its start as the other reading.
    On(Stamp),
    /// At the start of a period.
    Start(Period),
    /// At the end of a period.
    End(Period),
    /// In a period.
    During(Manner, Period),
}

/// How a condition holds in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Not said: at some time.
    Unsaid,
    /// At some time in it.
    AnyTime,
    /// All the time.
    Throughout,
    /// On average over time.
    Average,
    /// Came to hold in it.
    Entered,
    /// Ceased to hold in it.
    Left,
}

impl Span {
    /// Its length in nanoseconds.
    #[must_use]
    pub fn ns(self) -> i128 {
        let seconds = match self.unit {
            SpanUnit::Second => 1,
            SpanUnit::Minute => 60,
            SpanUnit::Hour => 3_600,
            SpanUnit::Day => 86_400,
            SpanUnit::Week => 604_800,
        };
        i128::from(self.count) * seconds * 1_000_000_000
    }
}

impl Condition {
    /// The paths that it looks at, in the order written.
    #[must_use]
    pub fn paths(&self) -> Vec<&FieldPath> {
        match self {
            Condition::Compare { path, .. }
            | Condition::In { path, .. }
            | Condition::Missing(path)
            | Condition::Present(path) => vec![path],
            Condition::Not(inner) => inner.paths(),
            Condition::And(a, b) | Condition::Or(a, b) => {
                let mut paths = a.paths();
                paths.append(&mut b.paths());
                paths
            }
        }
    }
}

impl Comparison {
    /// Its sign: `<=`.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::Differs => "!=",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::More => ">",
            Comparison::AtLeast => ">=",
        }
    }
}

impl Measure {
    /// Its word: `avg`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Measure::Sum => "sum",
            Measure::Average => "avg",
            Measure::Least => "min",
            Measure::Greatest => "max",
        }
    }
}

impl Display for Statistic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Statistic::Count => "count",
            Statistic::Average => "average",
            Statistic::Least => "min",
            Statistic::Greatest => "max",
            Statistic::Total => "total",
            Statistic::Percentile(50) => "median",
            Statistic::Percentile(n) => return write!(f, "p{n}"),
        })
    }
}

impl Unit {
    /// Its word: `month`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Unit::Day => "day",
            Unit::Month => "month",
            Unit::Year => "year",
        }
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            SpanUnit::Second => "second",
            SpanUnit::Minute => "minute",
            SpanUnit::Hour => "hour",
            SpanUnit::Day => "day",
            SpanUnit::Week => "week",
        };
        let ending = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {unit}{ending}", self.count)
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Text(text) => quoted(text, f),
            Literal::Number(text) => f.write_str(text),
            Literal::Bool(value) => value.fmt(f),
        }
    }
}

/// Writes a text in double quotes, as JSON does.
fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// Writes a name: as it is where it reads as one, else in quotes.
fn name(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    if super::scan::is_plain_name(text) {
        f.write_str(text)
    } else {
        quoted(text, f)
    }
}

/// A name that prints as a question writes it.
struct Name<'n>(&'n str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        name(self.0, f)
    }
}

/// A path that prints so that no word of the grammar is taken for it.
pub(super) struct PathText<'p>(pub(super) &'p FieldPath);

impl Display for PathText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let first = text.split(['.', '[']).next().unwrap_or_default();
        if super::scan::is_reserved(first) {
            write!(f, "[\"{first}\"]{}", &text[first.len()..])
        } else {
            f.write_str(&text)
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Compare {
                path,
                comparison,
                value,
            } => write!(f, "{} {} {value}", PathText(path), comparison.sign()),
            Condition::In { path, values } => {
                write!(f, "{} in (", PathText(path))?;
                for (n, value) in values.iter().enumerate() {
                    let comma = if n == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str(")")
            }
            Condition::Missing(path) => write!(f, "{} is missing", PathText(path)),
            Condition::Present(path) => write!(f, "{} is present", PathText(path)),
            Condition::Not(inner) => write!(f, "not ({inner})"),
            Condition::And(a, b) => {
                let side = |c: &Condition, right: bool| match c {
                    Condition::Or(..) => format!("({c})"),
                    Condition::And(..) if right => format!("({c})"),
                    _ => c.to_string(),
                };
                write!(f, "{} and {}", side(a, false), side(b, true))
            }
            Condition::Or(a, b) => match **b {
                Condition::Or(..) => write!(f, "{a} or ({b})"),
                _ => write!(f, "{a} or {b}"),
            },
        }
    }
}

impl Display for Selection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        name(self.category.as_str(), f)?;
        match &self.that {
            That::Exists => Ok(()),
            That::Where(condition) => write!(f, " where {condition}"),
            That::Active => f.write_str(" active"),
        }
    }
}

impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            When::Now => Ok(()),
            When::At(stamp) => write!(f, " at {stamp}"),
            When::On(stamp) => write!(f, " on {stamp}"),
            When::Start(period) => write!(f, " at start of {period}"),
            When::End(period) => write!(f, " at end of {period}"),
            When::During(manner, period) => {
                let words = match manner {
                    Manner::Unsaid => "during",
                    Manner::AnyTime => "at any time during",
                    Manner::Throughout => "throughout",
                    Manner::Average => "on average during",
                    Manner::Entered => "entered during",
                    Manner::Left => "left during",
                };
                write!(f, " {words} {period}")
            }
        }
    }
}

impl Display for Question {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.ask.fmt(f)?;
        match &self.known {
            None => Ok(()),
            Some(Known::Position(position)) => write!(f, " known {position}"),
            Some(Known::Time(stamp)) => write!(f, " known {stamp}"),
        }
    }
}

impl Display for Ask {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let grouped = |group: &Option<FieldPath>, f: &mut Formatter<'_>| match group {
            Some(group) => write!(f, " group by {}", PathText(group)),
            None => Ok(()),
        };
        let within_period = |during: &Option<Period>, f: &mut Formatter<'_>| match during {
            Some(period) => write!(f, " during {period}"),
            None => Ok(()),
        };
        match self {
            Ask::Value { path, stream, when } => {
                write!(f, "{} of {}{when}", PathText(path), Name(stream.as_str()))
            }
            Ask::Count { what, group, when } => {
                write!(f, "count {what}")?;
                grouped(group, f)?;
                when.fmt(f)
            }
            Ask::List { what, when } => write!(f, "list {what}{when}"),
            Ask::Measure {
                measure,
                path,
                what,
                group,
                when,
            } => {
                write!(f, "{} {} of {what}", measure.word(), PathText(path))?;
                grouped(group, f)?;
                when.fmt(f)
            }
            Ask::Moment {
                last,
                condition,
                stream,
            } => {
                let which = if *last { "last" } else { "first" };
                write!(f, "{which} time {condition} of {}", Name(stream.as_str()))
            }
            Ask::Stay {
                of,
                path,
                value,
                statistics,
                by,
                during,
            } => {
                f.write_str("how long was ")?;
                match of {
                    Subject::Category(category) => name(category.as_str(), f)?,
                    Subject::Stream(stream) => write!(f, "stream {}", Name(stream.as_str()))?,
                }
                write!(f, " in {} {value}", PathText(path))?;
                for statistic in statistics {
                    write!(f, ", {statistic}")?;
                }
                if let Some(unit) = by {
                    write!(f, ", by {}", unit.word())?;
                }
                within_period(during, f)
            }
            Ask::Followed {
                category,
                first,
                not,
                then,
                within,
                during,
            } => {
                name(category.as_str(), f)?;
                let not = if *not { " not" } else { "" };
                write!(
                    f,
                    " where {}{not} followed by {}",
                    Name(first.as_str()),
                    Name(then.as_str())
                )?;
                if let Some(span) = within {
                    write!(f, " within {span}")?;
                }
                within_period(during, f)
            }
        }
    }
}
