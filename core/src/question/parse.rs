//! From text to question: recursive descent, one function a rule of the grammar in `docs/questions.md`.

use super::grammar::{
    Ask, Comparison, Condition, Known, Literal, Manner, Measure, Question, Selection, Span,
    SpanUnit, Statistic, Subject, That, Unit, When,
};
use super::nearest;
use super::scan::{Expected, Fault, Scan};
use super::stamp::{Period, Stamp};
use crate::id::{Category, EventType, StreamId};
use crate::position::Position;

/// Longest question, in characters.
const MAX_CHARS: usize = 2_000;
/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 32;

const CATEGORY: Expected = Expected::Kind("a category", "order");
const STREAM: Expected = Expected::Kind("a stream", "order-1");
const TYPE: Expected = Expected::Kind("an event type", "OrderPlaced");
const TIME: Expected = Expected::Kind("a date or time", "2024-01-31");
const VALUE: Expected = Expected::Kind("a text in quotes, a number, true or false", "\"\"");

/// A question that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the question cannot be read at character {at}: {message}")]
pub struct ParseError {
    /// Character from which on it is not understood, first is 1; one past the last where it ends too early.
    pub at: usize,
    /// How many characters stand there that are not understood.
    pub len: usize,
    /// What is wrong.
    pub message: String,
    /// What could stand there.
    pub expected: Vec<String>,
    /// The nearest question that parses.
    pub nearest: String,
}

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// [`ParseError`] with the place, what could stand there, and the nearest question that parses.
    ///
    /// ```
    /// use annals_core::question::Question;
    /// let error = Question::parse("count order wher status = Pending").unwrap_err();
    /// assert_eq!((error.at, error.nearest.as_str()), (13, r#"count order where status = "Pending""#));
    /// ```
    pub fn parse(text: &str) -> Result<Question, ParseError> {
        read(text).map_err(|fault| error(text, &fault))
    }
}

/// Reads a question, or says where it stops being one.
pub(super) fn read(text: &str) -> Result<Question, Fault> {
    if text.chars().count() > MAX_CHARS {
        return Err(Fault {
            at: text.char_indices().nth(MAX_CHARS).map_or(0, |(at, _)| at),
            reason: Some(format!("it is longer than {MAX_CHARS} characters")),
            ..Fault::default()
        });
    }
    let mut scan = Scan::new(text);
    question(&mut scan).ok_or(scan.fault)
}

fn error(text: &str, fault: &Fault) -> ParseError {
    let rest = &text[fault.at..];
    let found = super::scan::piece(rest);
    let expected: Vec<String> = fault.expected.iter().map(|e| e.text()).collect();
    let message = match (&fault.reason, found) {
        (Some(reason), _) => reason.clone(),
        (None, "") => format!("it ends where {} is expected", one_of(&expected)),
        (None, found) => {
            let found: String = found.chars().take(40).collect();
            format!("`{found}` stands where {} is expected", one_of(&expected))
        }
    };
    ParseError {
        at: text[..fault.at].chars().count() + 1,
        len: found.chars().count(),
        message,
        expected,
        nearest: nearest::nearest(text),
    }
}

fn one_of(all: &[String]) -> String {
    match all {
        [] => "something else".to_owned(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} or {last}", before.join(", ")),
    }
}

type Read<T> = Option<T>;

fn question(s: &mut Scan<'_>) -> Read<Question> {
    let ask = ask(s)?;
    let known = known(s)?;
    s.end()?;
    Some(Question { ask, known })
}

fn ask(s: &mut Scan<'_>) -> Read<Ask> {
    if s.word("count").is_some() {
        let what = selection(s)?;
        let active = what.that == That::Active;
        let group = if active { None } else { group(s)? };
        // A count by group is one at an instant.
        let when = match group {
            Some(_) => instant(s)?,
            None => when(s, active)?,
        };
        return Some(Ask::Count { what, group, when });
    }
    if s.word("list").is_some() {
        let what = selection(s)?;
        let when = when(s, what.that == That::Active)?;
        return Some(Ask::List { what, when });
    }
    let measures = [
        ("sum", Measure::Sum),
        ("avg", Measure::Average),
        ("min", Measure::Least),
        ("max", Measure::Greatest),
    ];
    for (word, measure) in measures {
        if s.word(word).is_some() {
            let path = s.path()?;
            s.word("of")?;
            let what = selection_without_active(s)?;
            let group = group(s)?;
            let when = instant(s)?;
            return Some(Ask::Measure {
                measure,
                path,
                what,
                group,
                when,
            });
        }
    }
    for (word, last) in [("first", false), ("last", true)] {
        if s.word(word).is_some() {
            s.word("time")?;
            let condition = condition(s, 0)?;
            s.word("of")?;
            let stream = stream(s)?;
            return Some(Ask::Moment {
                last,
                condition,
                stream,
            });
        }
    }
    if s.word("how").is_some() {
        return stay(s);
    }
    // `path of stream` or `category where A followed by B`: the word after the first tells.
    let start = s.at;
    if let Some(path) = s.path()
        && s.word("of").is_some()
    {
        let stream = stream(s)?;
        let when = instant(s)?;
        return Some(Ask::Value { path, stream, when });
    }
    s.at = start;
    let category = category(s)?;
    if s.word("where").is_some() {
        return followed(s, category);
    }
    misspelt(s, start)
}

/// Where a first word is followed by nothing that may follow a name, and is nearly a word that a question begins with,
/// that is what is wrong.
fn misspelt<T>(s: &mut Scan<'_>, start: usize) -> Read<T> {
    const FIRST: [&str; 9] = [
        "count", "list", "sum", "avg", "min", "max", "first", "last", "how",
    ];
    let text = &s.text[start..];
    let found = super::scan::piece(text.trim_start()).to_lowercase();
    let near = |word: &&str| {
        let distance = nearest::distance(&found, word);
        distance > 0 && distance <= 2 && distance * 2 <= word.len()
    };
    let words: Vec<Expected> = FIRST
        .iter()
        .filter(|w| near(w))
        .map(|w| Expected::Word(w))
        .collect();
    if !words.is_empty() {
        s.fault = Fault {
            at: start + (text.len() - text.trim_start().len()),
            expected: words,
            ..Fault::default()
        };
    }
    None
}

fn known(s: &mut Scan<'_>) -> Read<Option<Known>> {
    if s.word("known").is_none() {
        return Some(None);
    }
    let start = s.at;
    if let Some((_, digits)) = s.number()
        && digits.bytes().all(|b| b.is_ascii_digit())
    {
        return match digits.parse() {
            Ok(position) => Some(Some(Known::Position(Position(position)))),
            Err(_) => s.wrong(
                start,
                format!("{digits} is larger than any position"),
                Some("1".to_owned()),
            ),
        };
    }
    s.at = start;
    Some(Some(Known::Time(stamp(s)?)))
}

fn selection(s: &mut Scan<'_>) -> Read<Selection> {
    let mut what = selection_without_active(s)?;
    if what.that == That::Exists && s.word("active").is_some() {
        what.that = That::Active;
    }
    Some(what)
}

fn selection_without_active(s: &mut Scan<'_>) -> Read<Selection> {
    let category = category(s)?;
    let that = if s.word("where").is_some() {
        That::Where(condition(s, 0)?)
    } else {
        That::Exists
    };
    Some(Selection { category, that })
}

fn group(s: &mut Scan<'_>) -> Read<Option<crate::model::FieldPath>> {
    if s.word("group").is_none() {
        return Some(None);
    }
    s.word("by")?;
    Some(Some(s.path()?))
}

/// When, as counts and lists take it.
fn when(s: &mut Scan<'_>, active: bool) -> Read<When> {
    for (word, manner) in [
        ("during", Manner::Unsaid),
        ("throughout", Manner::Throughout),
    ] {
        if manner == Manner::Throughout && active {
            continue;
        }
        if s.word(word).is_some() {
            return Some(When::During(manner, period(s)?));
        }
    }
    if active {
        s.word("on")?;
        let stamp = day(s)?;
        let period = Period {
            first: stamp,
            last: None,
        };
        return Some(When::During(Manner::Unsaid, period));
    }
    for (word, manner) in [("entered", Manner::Entered), ("left", Manner::Left)] {
        if s.word(word).is_some() {
            s.word("during")?;
            return Some(When::During(manner, period(s)?));
        }
    }
    let start = s.at;
    if s.word("on").is_some() {
        if s.word("average").is_some() {
            s.word("during")?;
            return Some(When::During(Manner::Average, period(s)?));
        }
        return Some(When::On(day(s)?));
    }
    if s.word("at").is_some() {
        if s.word("any").is_some() {
            s.word("time")?;
            s.word("during")?;
            return Some(When::During(Manner::AnyTime, period(s)?));
        }
        s.at = start;
        return instant(s);
    }
    Some(When::Now)
}

/// When, as an instant.
fn instant(s: &mut Scan<'_>) -> Read<When> {
    if s.word("on").is_some() {
        return Some(When::On(day(s)?));
    }
    if s.word("at").is_none() {
        return Some(When::Now);
    }
    let _ = s.quietly("the");
    for (word, end) in [("start", false), ("end", true)] {
        if s.word(word).is_some() {
            s.word("of")?;
            let period = period(s)?;
            return Some(if end {
                When::End(period)
            } else {
                When::Start(period)
            });
        }
    }
    Some(When::At(stamp(s)?))
}

fn stay(s: &mut Scan<'_>) -> Read<Ask> {
    s.word("long")?;
    s.word("was")?;
    let of = if s.word("stream").is_some() {
        Subject::Stream(stream(s)?)
    } else {
        Subject::Category(category(s)?)
    };
    s.word("in")?;
    let path = s.path()?;
    let value = literal(s)?;
    let (mut statistics, mut by) = (Vec::new(), None);
    while s.sign(",").is_some() {
        if s.word("by").is_some() {
            by = Some(unit(s)?);
            break;
        }
        statistics.push(statistic(s)?);
    }
    if statistics.is_empty() {
        statistics.push(Statistic::Average);
    }
    Some(Ask::Stay {
        of,
        path,
        value,
        statistics,
        by,
        during: within_period(s)?,
    })
}

fn statistic(s: &mut Scan<'_>) -> Read<Statistic> {
    let words = [
        ("count", Statistic::Count),
        ("average", Statistic::Average),
        ("avg", Statistic::Average),
        ("min", Statistic::Least),
        ("max", Statistic::Greatest),
        ("total", Statistic::Total),
        ("median", Statistic::Percentile(50)),
    ];
    for (word, statistic) in words {
        if s.word(word).is_some() {
            return Some(statistic);
        }
    }
    s.skip_space();
    let rest = &s.text[s.at..];
    let word = super::scan::piece(rest);
    let percent = word.strip_prefix(['p', 'P']).and_then(|n| n.parse().ok());
    match percent {
        Some(n @ 1..=99) => {
            s.at += word.len();
            Some(Statistic::Percentile(n))
        }
        Some(_) => s.wrong(
            s.at,
            format!("{word} is no percentile: p1 to p99 are"),
            Some("p95".to_owned()),
        ),
        None => s.miss(Expected::Kind("a percentile such as p95", "p95")),
    }
}

fn unit(s: &mut Scan<'_>) -> Read<Unit> {
    let mut units = [Unit::Day, Unit::Month, Unit::Year].into_iter();
    units.find(|unit| s.word(unit.word()).is_some())
}

fn followed(s: &mut Scan<'_>, category: Category) -> Read<Ask> {
    let first = event_type(s)?;
    let not = s.word("not").is_some();
    s.word("followed")?;
    s.word("by")?;
    let then = event_type(s)?;
    let within = if s.word("within").is_some() {
        Some(span(s)?)
    } else {
        None
    };
    Some(Ask::Followed {
        category,
        first,
        not,
        then,
        within,
        during: within_period(s)?,
    })
}

fn within_period(s: &mut Scan<'_>) -> Read<Option<Period>> {
    if s.word("during").is_none() {
        return Some(None);
    }
    Some(Some(period(s)?))
}

fn span(s: &mut Scan<'_>) -> Read<Span> {
    const COUNT: Expected = Expected::Kind("a whole number", "2");
    let Some((at, digits)) = s.number() else {
        return s.miss(COUNT);
    };
    let Ok(count) = digits.parse() else {
        return s.wrong(
            at,
            format!("{digits} is no whole number from 0 to {}", u32::MAX),
            Some("2".to_owned()),
        );
    };
    let units = [
        ("seconds", "second", SpanUnit::Second),
        ("minutes", "minute", SpanUnit::Minute),
        ("hours", "hour", SpanUnit::Hour),
        ("days", "day", SpanUnit::Day),
        ("weeks", "week", SpanUnit::Week),
    ];
    for (many, one, unit) in units {
        if s.quietly(one).is_some() || s.word(many).is_some() {
            return Some(Span { count, unit });
        }
    }
    None
}

fn condition(s: &mut Scan<'_>, depth: usize) -> Read<Condition> {
    let mut left = both(s, depth)?;
    while s.word("or").is_some() {
        left = Condition::Or(Box::new(left), Box::new(both(s, depth)?));
    }
    Some(left)
}

fn both(s: &mut Scan<'_>, depth: usize) -> Read<Condition> {
    let mut left = single(s, depth)?;
    while s.word("and").is_some() {
        left = Condition::And(Box::new(left), Box::new(single(s, depth)?));
    }
    Some(left)
}

fn single(s: &mut Scan<'_>, depth: usize) -> Read<Condition> {
    if depth > MAX_DEPTH {
        let reason = format!("it nests deeper than {MAX_DEPTH}");
        return s.wrong(s.at, reason, None);
    }
    if s.word("not").is_some() {
        return Some(Condition::Not(Box::new(single(s, depth + 1)?)));
    }
    if s.sign("(").is_some() {
        let inside = condition(s, depth + 1)?;
        s.sign(")")?;
        return Some(inside);
    }
    let path = s.path()?;
    let signs = [
        ("=", Comparison::Equal),
        ("!=", Comparison::Differs),
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<", Comparison::Less),
        (">", Comparison::More),
    ];
    for (sign, comparison) in signs {
        if s.sign(sign).is_some() {
            // `==` and `<>` are what other languages write.
            if comparison == Comparison::Equal && s.text[s.at..].starts_with('=') {
                return s.wrong(
                    s.at,
                    "equality is a single `=`".to_owned(),
                    Some(" ".to_owned()),
                );
            }
            return Some(Condition::Compare {
                path,
                comparison,
                value: literal(s)?,
            });
        }
    }
    if s.word("in").is_some() {
        s.sign("(")?;
        let mut values = vec![literal(s)?];
        while s.sign(",").is_some() {
            values.push(literal(s)?);
        }
        s.sign(")")?;
        return Some(Condition::In { path, values });
    }
    s.word("is")?;
    if s.word("missing").is_some() {
        return Some(Condition::Missing(path));
    }
    s.word("present")?;
    Some(Condition::Present(path))
}

fn literal(s: &mut Scan<'_>) -> Read<Literal> {
    s.skip_space();
    if s.text[s.at..].starts_with(['"', '\'']) {
        return Some(Literal::Text(s.quoted()?));
    }
    for (word, value) in [("true", true), ("false", false)] {
        if s.quietly(word).is_some() {
            return Some(Literal::Bool(value));
        }
    }
    if let Some((at, text)) = s.number() {
        if crate::model::compare_written(&text, "0").is_none() {
            return s.wrong(
                at,
                format!("{text} is too large a number"),
                Some("0".to_owned()),
            );
        }
        return Some(Literal::Number(text));
    }
    if s.quietly("null").is_some() {
        let at = s.at - "null".len();
        return s.wrong(
            at,
            "null compares with nothing: write `FIELD is missing` or `FIELD is present`".to_owned(),
            None,
        );
    }
    s.miss(VALUE)
}

fn period(s: &mut Scan<'_>) -> Read<Period> {
    let first = stamp(s)?;
    let last = if s.quietly_sign("..").is_some() {
        Some(stamp(s)?)
    } else if first.is_stretch() {
        None
    } else {
        s.sign("..")?;
        None
    };
    let period = Period { first, last };
    let utc = chrono_tz::UTC;
    // Zones differ by a day at most; what is left to them is told when it is answered.
    let (from, to) = (
        period.first.start(utc),
        period.last.as_ref().map(|last| last.end(utc)),
    );
    if to.is_some_and(|to| super::stamp::between_ns(to, from) > 2 * 86_400_000_000_000) {
        let reason = format!("{period} ends before it begins");
        let start = s.at - period.last.as_ref().map_or(0, |l| l.to_string().len());
        let instead = period.first.to_string();
        return s.wrong(start, reason, Some(instead));
    }
    Some(period)
}

fn stamp(s: &mut Scan<'_>) -> Read<Stamp> {
    let (at, text) = s.stamp_text(TIME)?;
    match Stamp::parse(&text) {
        Ok(stamp) => Some(stamp),
        Err((reason, instead)) => {
            let instead = instead.or_else(|| Some("2024-01-31".to_owned()));
            s.wrong(at, reason, instead)
        }
    }
}

fn day(s: &mut Scan<'_>) -> Read<Stamp> {
    s.skip_space();
    let at = s.at;
    let stamp = stamp(s)?;
    if stamp.is_day() {
        return Some(stamp);
    }
    let text = stamp.to_string();
    let instead = match text.len() {
        4 => format!("{text}-12-31"),
        7 => format!("{text}-01"),
        _ => text.chars().take(10).collect(),
    };
    s.wrong(
        at,
        format!("{text} is not a day; `at {text}` takes it"),
        Some(instead),
    )
}

fn category(s: &mut Scan<'_>) -> Read<Category> {
    named(s, CATEGORY, Category::new)
}

fn stream(s: &mut Scan<'_>) -> Read<StreamId> {
    named(s, STREAM, StreamId::new)
}

fn event_type(s: &mut Scan<'_>) -> Read<EventType> {
    named(s, TYPE, EventType::new)
}

fn named<T>(
    s: &mut Scan<'_>,
    expected: Expected,
    make: impl FnOnce(String) -> Result<T, crate::id::NameError>,
) -> Read<T> {
    let (at, text) = s.name(expected)?;
    match make(text) {
        Ok(name) => Some(name),
        Err(error) => {
            let Expected::Kind(_, sample) = expected else {
                return None;
            };
            s.wrong(at, error.to_string(), Some(sample.to_owned()))
        }
    }
}
