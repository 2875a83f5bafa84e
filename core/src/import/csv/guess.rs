//! What the columns of a table are, by their names and by their cells.
//!
//! A guess that could be wrong without anybody noticing (day and month of `03/04/2024`) is not made: it is a
//! problem that the user settles.

use std::collections::HashSet;

use chrono_tz::Tz;

use super::plan::{comma_number, is_json, is_number};
use crate::import::declared::clock::Clock;
use crate::import::declared::template::{escaped, of_column};
use crate::import::declared::{ColumnKind, ColumnMapping, ColumnTarget, EventMapping, Mapping};
use crate::import::mapping::keys;

/// What was guessed, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct Guess {
    pub mapping: Mapping,
    pub why: Vec<String>,
    pub problems: Vec<String>,
}

/// Cells of a hundred that must be times where the name of the column says that they are.
const MOST: usize = 50;
/// And where only the cells say so: an impossible date in a clean column is a row to be rejected, not a sign that
/// the column is none of times.
const NEARLY_ALL: usize = 90;

/// Whether so many of so many are at least `percent` of a hundred. All but one of five or more always are nearly all.
fn enough(count: usize, of: usize, percent: usize) -> bool {
    count * 100 >= percent * of || (of >= 5 && count + 1 == of)
}

/// Words for no value that are known where a column's other cells are numbers or times.
const NULL_WORDS: [&str; 12] = [
    "NULL", "null", "Null", "NaN", "nan", "N/A", "n/a", "NA", "None", "none", "-", "?",
];

const CASE: [&str; 9] = [
    "caseconceptname",
    "caseid",
    "case",
    "casename",
    "casenumber",
    "traceconceptname",
    "traceid",
    "processinstanceid",
    "processinstance",
];
const STREAM: [&str; 9] = [
    "streamid",
    "streamname",
    "stream",
    "aggregateid",
    "aggregaterootid",
    "aggregateuuid",
    "entityid",
    "sourceid",
    "subjectid",
];
const TYPE: [&str; 16] = [
    "conceptname",
    "eventtype",
    "eventname",
    "activity",
    "activityname",
    "activityid",
    "eventaction",
    "type",
    "event",
    "action",
    "operation",
    "task",
    "taskname",
    "step",
    "message",
    "status",
];
const TIME: [&str; 26] = [
    "timetimestamp",
    "timestamp",
    "eventtime",
    "eventtimestamp",
    "eventdatetime",
    "eventdate",
    "occurredat",
    "occurredon",
    "happenedat",
    "time",
    "datetime",
    "completetimestamp",
    "completetime",
    "completiontime",
    "endtimestamp",
    "endtime",
    "committedat",
    "createdat",
    "createdon",
    "created",
    "createdutc",
    "createdate",
    "date",
    "ts",
    "starttimestamp",
    "starttime",
];
const ACTOR: [&str; 20] = [
    "orgresource",
    "resource",
    "actor",
    "actorid",
    "performedby",
    "changedby",
    "user",
    "username",
    "userid",
    "useremail",
    "employee",
    "employeeid",
    "agent",
    "operator",
    "author",
    "createdby",
    "initiatedby",
    "modifiedby",
    "by",
    "clerk",
];
/// Names of columns whose few values look like what happened and are none.
const NO_TYPE: [&str; 6] = [
    "lifecycle",
    "transition",
    "type",
    "state",
    "status",
    "group",
];

/// Lower case, letters and digits only.
fn normal(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether the first row names the columns: it names each of them, by no number and no time, and is not
/// repeated below.
pub(super) fn has_header(sample: &[Vec<String>]) -> bool {
    let Some((first, rest)) = sample.split_first() else {
        return true;
    };
    let is_value = |cell: &String| {
        let cell = cell.trim();
        is_number(cell)
            || comma_number(cell).is_some()
            || Clock::Auto.time_of(cell, Tz::UTC).is_ok()
    };
    !first.iter().any(is_value)
        && !first.iter().all(|c| c.trim().is_empty())
        && !rest.contains(first)
}

/// A column as the sample shows it.
struct Seen<'s> {
    name: &'s str,
    normal: String,
    /// Its cells that are not empty.
    cells: Vec<&'s str>,
    /// Those that are not words for no value either.
    values: Vec<&'s str>,
}

impl Seen<'_> {
    fn all(&self, fits: impl Fn(&str) -> bool) -> bool {
        !self.values.is_empty() && self.values.iter().all(|value| fits(value))
    }

    fn nearly_all(&self, fits: impl Fn(&str) -> bool) -> bool {
        let fitting = self.values.iter().filter(|value| fits(value)).count();
        fitting > 0 && enough(fitting, self.values.len(), NEARLY_ALL)
    }

    fn distinct(&self) -> usize {
        self.cells.iter().collect::<HashSet<_>>().len()
    }
}

/// Guesses what `asked` leaves open.
pub(super) fn guess(
    columns: &[String],
    sample: &[Vec<String>],
    asked: &Mapping,
    zone: Tz,
) -> Guess {
    let asked_null = asked.null.clone();
    let is_null = |cell: &str| match &asked_null {
        Some(words) => words.iter().any(|word| word == cell),
        None => NULL_WORDS.contains(&cell),
    };
    let seen: Vec<Seen<'_>> = columns
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let cells: Vec<&str> = sample
                .iter()
                .filter_map(|row| row.get(i))
                .map(String::as_str)
                .filter(|cell| !cell.is_empty())
                .collect();
            let values = cells
                .iter()
                .copied()
                .filter(|cell| !is_null(cell))
                .collect();
            Seen {
                name,
                normal: normal(name),
                cells,
                values,
            }
        })
        .collect();
    let mut guess = Guess::default();
    let decimal_comma = asked
        .decimal_comma
        .unwrap_or_else(|| has_decimal_comma(&seen));
    if decimal_comma && asked.decimal_comma.is_none() {
        guess
            .why
            .push("numbers are written with a decimal comma".into());
    }
    guess.mapping.decimal_comma = Some(decimal_comma);
    Guesser {
        seen: &seen,
        asked,
        zone,
        guess: &mut guess,
    }
    .places();
    guess.columns(&seen, asked, decimal_comma);
    guess
}

/// Some column has numbers with a decimal comma, and none has them with a point.
fn has_decimal_comma(seen: &[Seen<'_>]) -> bool {
    let commas = seen.iter().any(|column| {
        let some = column.values.iter().any(|v| {
            let fraction = v.split_once(',').map_or(0, |(_, fraction)| fraction.len());
            // Three digits may as well be thousands.
            fraction > 0 && (fraction != 3 || v.starts_with("0,"))
        });
        some && column.all(|value| comma_number(value).is_some())
    });
    let points = seen
        .iter()
        .any(|column| column.values.iter().any(|v| v.contains('.')) && column.all(is_number));
    commas && !points
}

struct Guesser<'g, 's> {
    seen: &'s [Seen<'s>],
    asked: &'g Mapping,
    zone: Tz,
    guess: &'g mut Guess,
}

impl Guesser<'_, '_> {
    fn by_name(&self, names: &[&str]) -> Option<&Seen<'_>> {
        names
            .iter()
            .find_map(|name| self.seen.iter().find(|column| column.normal == *name))
    }

    fn places(&mut self) {
        let asked = &self.asked.event;
        let mut event = EventMapping {
            time: Some(String::new()),
            ..EventMapping::default()
        };
        let mut why = Vec::new();
        let time = match &asked.time {
            Some(template) => {
                self.format_of_asked(template);
                Some(template.clone())
            }
            None => self.time(&mut why),
        };
        event.time = Some(time.clone().unwrap_or_default());
        let mut taken: Vec<&str> = Vec::new();
        let times: Vec<&str> = self
            .seen
            .iter()
            .map(|column| column.name)
            .filter(|name| {
                time.as_deref()
                    .is_some_and(|t| t.contains(&of_column(name)))
            })
            .collect();
        taken.extend(&times);
        let actor = self
            .by_name(&ACTOR)
            .filter(|column| !taken.contains(&column.name));
        event.actor = Some(actor.map_or(String::new(), |column| of_column(column.name)));
        taken.extend(actor.map(|column| column.name));
        let (stream, category, column) = self.stream(&taken);
        if let Some(column) = column {
            why.push(format!("{column:?} names the stream"));
            taken.push(column);
        }
        event.stream = Some(stream);
        event.category = Some(category);
        let event_type = self.event_type(&taken, time.is_some() && column.is_some());
        event.event_type =
            Some(event_type.map_or(String::new(), |(column, _)| of_column(column.name)));
        if let Some((column, by)) = event_type {
            why.push(format!("{:?} tells what happened, by {by}", column.name));
            taken.push(column.name);
        }
        let is_event = event_type.is_some() || asked.event_type.is_some();
        let single = |names: &[&str], fits: &dyn Fn(&Seen<'_>) -> bool| {
            let found = self.by_name(names);
            let found = found.filter(|c| !taken.contains(&c.name) && fits(c));
            Some(found.map_or(String::new(), |column| of_column(column.name)))
        };
        let is_unique =
            |column: &Seen<'_>| column.distinct() == column.cells.len() && !column.cells.is_empty();
        event.id = single(
            &["eventid", "eventuuid", "identityid", "messageid"],
            &|_| true,
        );
        if event.id.as_deref() == Some("") && is_event {
            event.id = single(&["uuid", "id"], &is_unique);
        }
        event.correlation = single(&["correlationid", "correlation"], &|_| true);
        event.causation = single(&["causationid", "causation"], &|_| true);
        event.reason = single(&["reason", "changereason"], &|_| true);
        let whole = |column: &Seen<'_>| column.all(|v| v.bytes().all(|b| b.is_ascii_digit()));
        let versions = [
            "version",
            "eventversion",
            "streamversion",
            "aggregateversion",
            "sequencenumber",
        ];
        event.version = single(&versions, &whole);
        if let Some(column) = actor {
            why.push(format!("{:?} tells who did it", column.name));
        }
        self.guess.why.append(&mut why);
        self.guess.mapping.event = event;
    }

    /// The template of times, and how they are written.
    fn time(&mut self, why: &mut Vec<String>) -> Option<String> {
        let is_day = |column: &Seen<'_>| {
            column.nearly_all(|v| {
                Clock::Auto
                    .time_of(v, Tz::UTC)
                    .map_or_else(|_| day_of(v), |t| t.date_only)
            })
        };
        let is_clock = |column: &Seen<'_>| column.nearly_all(clock_of);
        let named: Vec<&Seen<'_>> = TIME
            .iter()
            .filter_map(|name| self.seen.iter().find(|column| column.normal == *name))
            .collect();
        // A day and a clock side by side are one time.
        let day = named
            .iter()
            .copied()
            .chain(self.seen)
            .find(|column| column.normal.contains("da") && is_day(column));
        let clock = self.seen.iter().find(|column| {
            (column.normal.contains("time") || column.normal.contains("clock")) && is_clock(column)
        });
        let whole = named.iter().copied().find(|column| {
            !is_clock(column)
                && (column.values.is_empty() || self.format(&column.values, MOST).is_some())
        });
        if let (Some(day), Some(clock)) = (day, clock)
            && whole.is_none_or(is_day)
        {
            let joined: Vec<String> = day
                .cells
                .iter()
                .zip(&clock.cells)
                .map(|(day, clock)| format!("{day} {clock}"))
                .collect();
            let joined: Vec<&str> = joined.iter().map(String::as_str).collect();
            if let Some(format) = self.format(&joined, MOST) {
                why.push(format!(
                    "{:?} and {:?} tell when it happened",
                    day.name, clock.name
                ));
                let template = format!("{} {}", of_column(day.name), of_column(clock.name));
                self.use_format(format, &joined);
                return Some(template);
            }
        }
        let by_cells = || {
            self.seen.iter().find(|column| {
                column.all(|v| !v.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
                    && self.format(&column.values, NEARLY_ALL).is_some()
            })
        };
        let (column, by) = match whole {
            Some(column) => (column, "its name"),
            None => (by_cells()?, "its cells"),
        };
        let format = self.format(&column.values, MOST).unwrap_or("auto");
        why.push(format!("{:?} tells when it happened, by {by}", column.name));
        let template = of_column(column.name);
        let values = column.values.clone();
        self.use_format(format, &values);
        Some(template)
    }

    /// How the times of a template that the user gave are written.
    fn format_of_asked(&mut self, template: &str) {
        let columns: Vec<&Seen<'_>> = self
            .seen
            .iter()
            .filter(|column| template.contains(&of_column(column.name)))
            .collect();
        let len = columns.iter().map(|c| c.values.len()).min().unwrap_or(0);
        let texts: Vec<String> = (0..len)
            .map(|i| {
                columns.iter().fold(template.to_owned(), |text, column| {
                    text.replace(&of_column(column.name), column.values[i])
                })
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        if let Some(format) = self.format(&texts, MOST) {
            self.use_format(format, &texts);
        }
    }

    /// The form that most values have, if at least `percent` of a hundred do.
    fn format(&self, values: &[&str], percent: usize) -> Option<&'static str> {
        let mut best = None;
        for format in FORMATS {
            let count = fitting(format, values, self.zone);
            if count > best.map_or(0, |(_, most)| most) {
                best = Some((format, count));
            }
            if count == values.len() {
                break;
            }
        }
        best.filter(|(_, count)| enough(*count, values.len(), percent))
            .map(|(format, _)| format)
    }

    fn use_format(&mut self, format: &'static str, values: &[&str]) {
        self.guess.mapping.time_format = Some(format.to_owned());
        if self.asked.time_format.is_some() || format == "auto" {
            return;
        }
        self.guess
            .why
            .push(format!("times are written as {format}"));
        let swapped = format
            .replace("%d/%m/", "%m/%d/")
            .replace("%d-%m-", "%m-%d-");
        let swapped_fits = swapped != format
            && FORMATS.contains(&swapped.as_str())
            && fitting(&swapped, values, self.zone) >= fitting(format, values, self.zone);
        if swapped_fits {
            let example = values.first().copied().unwrap_or_default();
            self.guess.problems.push(format!(
                "times such as {example:?} can be read with the day or with the month first; say which with time_format = {format:?} or {swapped:?} in a mapping, or --time-format"
            ));
        }
    }

    /// Template of the stream, category, and the column that it is from.
    fn stream(&self, taken: &[&str]) -> (String, String, Option<&str>) {
        let free = |column: &&Seen<'_>| !taken.contains(&column.name);
        if let Some(column) = self.by_name(&STREAM).filter(free) {
            return (of_column(column.name), String::new(), Some(column.name));
        }
        if let Some(column) = self.by_name(&CASE).filter(free) {
            return (of_column(column.name), "case".into(), Some(column.name));
        }
        // `order_id` is named as in JSON; `Order No` by the object alone.
        let numbered = ["id", "no", "nr", "number"].iter().find_map(|end| {
            keys::BUSINESS.iter().find_map(|name| {
                let whole = format!("{name}{end}");
                let found = self.seen.iter().find(|column| column.normal == whole);
                let found = found.filter(free)?;
                let entity = match *end {
                    "id" => keys::entity(found.name),
                    _ => (*name).to_owned(),
                };
                Some((found, entity))
            })
        });
        let bare = || {
            let names = keys::BUSINESS.iter().filter(|name| !TYPE.contains(name));
            names
                .copied()
                .find_map(|name| self.seen.iter().find(|column| column.normal == *name))
                .filter(free)
        };
        let other = || {
            self.seen.iter().filter(free).find(|column| {
                keys::names_an_object(column.name, &column.normal)
                    && column.distinct() < column.cells.len()
            })
        };
        fn named<'c, 'a>(column: &'c Seen<'a>) -> (&'c Seen<'a>, String) {
            (column, keys::entity(column.name))
        }
        match numbered.or_else(|| bare().or_else(other).map(named)) {
            None => (String::new(), String::new(), None),
            Some((column, _)) if column.all(keys::has_prefix) => {
                (of_column(column.name), String::new(), Some(column.name))
            }
            Some((column, entity)) => {
                let template = format!("{}-{}", escaped(&entity), of_column(column.name));
                (template, escaped(&entity), Some(column.name))
            }
        }
    }

    fn event_type(&self, taken: &[&str], is_log: bool) -> Option<(&Seen<'_>, &'static str)> {
        let free = |column: &&Seen<'_>| !taken.contains(&column.name);
        let named: Vec<&Seen<'_>> = TYPE
            .iter()
            .filter_map(|name| self.seen.iter().filter(free).find(|c| c.normal == *name))
            .collect();
        // A type that is the same everywhere tells less than a name that is not.
        let telling = named.iter().find(|column| column.distinct() > 1);
        if let Some(column) = telling.or(named.first()) {
            return Some((column, "its name"));
        }
        // Few different texts beside a stream and a time are what happened.
        let by_cells = self.seen.iter().filter(free).find(|column| {
            let few = column.distinct() <= 20.max(column.cells.len() / 10);
            let repeated = column.distinct() * 2 <= column.cells.len() || column.cells.len() < 4;
            let words = column.all(|v| v.chars().any(char::is_alphabetic) && v.len() <= 100);
            let other = NO_TYPE.iter().any(|name| column.normal.contains(name));
            few && repeated && words && !other && !column.normal.ends_with("id")
        });
        by_cells
            .filter(|_| is_log)
            .map(|column| (column, "its few values"))
    }
}

impl Guess {
    /// What becomes of each column beside the places that name it.
    fn columns(&mut self, seen: &[Seen<'_>], asked: &Mapping, decimal_comma: bool) {
        let mut null = vec![String::new()];
        let whole = asked.event.or_places(&self.mapping.event);
        for column in seen {
            let number = |value: &str| {
                if decimal_comma {
                    comma_number(value).is_some()
                } else {
                    is_number(value) && !value.contains(['e', 'E'])
                }
            };
            let kind = if column.all(number) {
                ColumnKind::Number
            } else if column.all(|v| matches!(v, "true" | "false")) {
                ColumnKind::Boolean
            } else if column.all(|v| v.trim_start().starts_with(['{', '[']) && is_json(v)) {
                ColumnKind::Json
            } else {
                ColumnKind::Text
            };
            let is_time = whole
                .time
                .as_deref()
                .is_some_and(|t| t.contains(&of_column(column.name)));
            if kind == ColumnKind::Number || is_time {
                for word in &column.cells {
                    if NULL_WORDS.contains(word) && !null.iter().any(|known| known == word) {
                        null.push((*word).to_owned());
                    }
                }
            }
            // A place that is the column and nothing else holds its text; the stream's stays a field as well.
            let held = whole.places().into_iter().any(|(place, template)| {
                place != "stream"
                    && place != "category"
                    && template.as_deref() == Some(&of_column(column.name))
            });
            let joined = is_time && !held;
            let into = if (held || joined) && !is_stream(&whole, column.name) {
                ColumnTarget::None
            } else if column.name.starts_with("case:") && !is_stream(&whole, column.name) {
                ColumnTarget::Metadata
            } else {
                ColumnTarget::Data
            };
            self.mapping.columns.push(ColumnMapping {
                name: column.name.to_owned(),
                into,
                kind,
            });
        }
        if null.len() > 1 && asked.null.is_none() {
            let words: Vec<String> = null[1..].iter().map(|word| format!("{word:?}")).collect();
            self.why
                .push(format!("no value is written as {}", words.join(", ")));
        }
        self.mapping.null = Some(null);
        self.mapping
            .time_format
            .get_or_insert_with(|| "auto".into());
    }
}

impl EventMapping {
    /// These places, and `other`'s where these say nothing.
    fn or_places(&self, other: &EventMapping) -> EventMapping {
        let mapping = |event: &EventMapping| Mapping {
            event: event.clone(),
            ..Mapping::default()
        };
        mapping(self).or(&mapping(other)).event
    }
}

fn is_stream(event: &EventMapping, column: &str) -> bool {
    event
        .stream
        .as_deref()
        .is_some_and(|stream| stream.contains(&of_column(column)))
}

/// Forms of times, the first that fits is taken. Day before month where both would do, which is a problem.
const FORMATS: [&str; 36] = [
    "auto",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d.%m.%y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M %p",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S%.f",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%m-%d-%Y %H:%M:%S",
    "%m-%d-%Y %H:%M",
    "%m-%d-%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y-%m-%d %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M",
    "%d-%b-%Y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y",
    "%b %d, %Y %I:%M:%S %p",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
];

/// Number of values that are times of this form.
fn fitting(format: &str, values: &[&str], zone: Tz) -> usize {
    Clock::parse(format).map_or(0, |clock| {
        let fits = values.iter().filter(|v| clock.time_of(v, zone).is_ok());
        fits.count()
    })
}

fn day_of(text: &str) -> bool {
    let days = FORMATS
        .iter()
        .filter(|f| !f.contains(":%M") && **f != "auto");
    days.copied()
        .any(|format| fitting(format, &[text], Tz::UTC) == 1)
}

/// Whether the text is a time of day alone: `9:05`, `10:30:00.5`.
fn clock_of(text: &str) -> bool {
    let mut parts = text.split(':');
    let hours = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    hours.len() <= 2
        && digits(hours)
        && (1..=2).contains(&rest.len())
        && rest.iter().all(|part| {
            part.len() >= 2 && digits(part.trim_end_matches([' ', 'A', 'P', 'M', 'a', 'p', 'm']))
        })
}
