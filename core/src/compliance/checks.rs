//! The checks of a report: each looks at every event in scope and notes its exceptions.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ReportError;
use super::exceptions::{Brief, Exceptions};
use super::report::{Cell, CheckOutcome, CheckResult};
use super::rows::Spool;
use super::seen::Seen;
use super::template::{Check, Col, Rule, Template};
use crate::chart::grouped;
use crate::model::Exact;
use crate::time::Time;

/// All checks of a template at work.
pub(super) struct Checks<'t> {
    running: Vec<Running<'t>>,
    exceptions: Exceptions,
}

/// One check, and what it has seen.
struct Running<'t> {
    check: &'t Check,
    checked: u64,
    /// Events that it is about and could not judge, since the log holds no text of their time.
    unseen: u64,
    exceptions: u64,
    memory: Memory,
}

/// What a check must remember of a stream until its next event.
enum Memory {
    None,
    /// Who prepared what was not approved yet, and the last such event of each.
    Prepared(HashMap<String, BTreeMap<String, u64>>),
    /// Changes without an approval, and the correlations that were approved before.
    Pending {
        changes: HashMap<String, Vec<Brief>>,
        approved: HashSet<(String, String)>,
    },
    /// Latest time, and the version that has it.
    Latest(HashMap<String, (Time, u64)>),
    /// Last number.
    Number(HashMap<String, u64>),
    /// Digits that the tier asks for.
    Digits(u32),
    /// How far each stream is in its life, and how many fills do not say whether they complete it.
    Lives {
        streams: HashMap<String, Life>,
        undecided: u64,
    },
}

/// How far a stream is in its life.
#[derive(Default)]
struct Life {
    /// Version of the event that closed it.
    end: Option<u64>,
    /// Quantity that was ordered, and the sum of what was filled; `None` once one of them is not recorded.
    ordered: Option<Exact>,
    filled: Option<Exact>,
}

impl Life {
    /// Whether it is filled up by a fill; `None` if neither what remains nor the quantities are recorded.
    fn fill(&mut self, remaining: Option<Exact>, filled: Option<Exact>) -> Option<bool> {
        let so_far = self.filled.unwrap_or(Exact::Int(0));
        self.filled = filled.and_then(|filled| so_far.add(filled).ok());
        if self.filled.is_none() {
            self.ordered = None;
        }
        match remaining {
            Some(remaining) => Some(!is_positive(remaining)),
            None => {
                let left = self.ordered?.sub(self.filled?).ok()?;
                Some(!is_positive(left))
            }
        }
    }
}

/// What every check came to, and its exceptions: each, and summed up.
pub(super) struct Checked {
    pub(super) results: Vec<CheckResult>,
    pub(super) sums: Spool,
    pub(super) exceptions: Spool,
}

impl<'t> Checks<'t> {
    pub(super) fn new(template: &'t Template, settings: &BTreeMap<String, String>) -> Checks<'t> {
        let running = template.checks.iter().map(|check| Running {
            check,
            checked: 0,
            unseen: 0,
            exceptions: 0,
            memory: match &check.rule {
                Rule::Recorded { .. } | Rule::Offset | Rule::Erased => Memory::None,
                Rule::Segregation { .. } => Memory::Prepared(HashMap::new()),
                Rule::Approved { .. } => Memory::Pending {
                    changes: HashMap::new(),
                    approved: HashSet::new(),
                },
                Rule::Order => Memory::Latest(HashMap::new()),
                Rule::Sequence { .. } => Memory::Number(HashMap::new()),
                Rule::Granularity { setting } => {
                    let chosen = settings.get(setting);
                    let tier = template.tiers.iter().find(|t| Some(&t.name) == chosen);
                    Memory::Digits(tier.map_or(0, |tier| tier.digits))
                }
                Rule::Lifecycle { .. } => Memory::Lives {
                    streams: HashMap::new(),
                    undecided: 0,
                },
            },
        });
        Checks {
            running: running.collect(),
            exceptions: Exceptions::default(),
        }
    }

    /// What the checks could not judge, in one sentence each.
    pub(super) fn not_looked_at(&self) -> impl Iterator<Item = String> {
        self.running.iter().filter_map(|running| {
            let title = &running.check.title;
            Some(format!(
                "{}: {title:?} could not judge them",
                running.unseen()?
            ))
        })
    }

    /// Looks at one event.
    pub(super) fn take(&mut self, seen: &Seen<'_>, template: &Template) -> Result<(), ReportError> {
        let mut found = Vec::new();
        for (at, running) in self.running.iter_mut().enumerate() {
            running.take(seen, template, &mut found);
            for what in found.drain(..) {
                running.exceptions += 1;
                let place = (at, running.check.id.as_str());
                self.exceptions.take(place, &Brief::of(seen), what)?;
            }
        }
        Ok(())
    }

    /// What came out. Changes that nobody approved are known only now.
    pub(super) fn finish(mut self) -> Result<Checked, ReportError> {
        for (at, running) in self.running.iter_mut().enumerate() {
            let Memory::Pending { changes, .. } = &mut running.memory else {
                continue;
            };
            let mut pending: Vec<Brief> = std::mem::take(changes).into_values().flatten().collect();
            pending.sort_by_key(|brief| brief.event.position);
            running.exceptions += pending.len() as u64;
            for brief in &pending {
                let what = "no approval is recorded for it".to_owned();
                self.exceptions.take((at, &running.check.id), brief, what)?;
            }
        }
        let results = self.running.iter().map(Running::result).collect();
        let (sums, exceptions) = self.exceptions.finish()?;
        Ok(Checked {
            results,
            sums,
            exceptions,
        })
    }
}

impl Running<'_> {
    fn take(&mut self, seen: &Seen<'_>, template: &Template, found: &mut Vec<String>) {
        let concerned = self.check.types.has(seen.event_type());
        let stream = seen.place().stream.unwrap_or_default();
        let event = &seen.event.event;
        let text = |col: &Col| match seen.cell(*col) {
            Cell::Value(text) => Some(text),
            _ => None,
        };
        match (&self.check.rule, &mut self.memory) {
            (Rule::Recorded { columns }, _) if concerned => {
                self.checked += 1;
                let missing = |col: &&Col| seen.cell(**col) == Cell::NotRecorded;
                let names: Vec<String> = columns
                    .iter()
                    .filter(missing)
                    .map(|col| super::column(template, *col).title)
                    .collect();
                if !names.is_empty() {
                    found.push(format!("not recorded: {}", names.join(", ")));
                }
            }
            (
                Rule::Segregation {
                    prepare,
                    approve,
                    approver,
                },
                Memory::Prepared(by_stream),
            ) if concerned => {
                let named = approver.as_ref().and_then(text);
                let approves = !approve.0.is_empty() && approve.has(seen.event_type());
                if approves || named.is_some() {
                    self.checked += 1;
                }
                if let (Some(named), Some(who)) = (&named, seen.who())
                    && named == who
                    && !approves
                {
                    found.push(format!(
                        "{who} made the change and is named as its approver"
                    ));
                }
                if approves {
                    let prepared = by_stream.remove(&stream).unwrap_or_default();
                    match named.as_deref().or(seen.who()) {
                        None => found.push("it is not recorded who approved".to_owned()),
                        Some(who) => {
                            if let Some(position) = prepared.get(who) {
                                found.push(format!(
                                    "{who} approved what {who} prepared (position {position})"
                                ));
                            }
                        }
                    }
                } else if prepare.has(seen.event_type())
                    && let Some(who) = seen.who()
                {
                    let prepared = by_stream.entry(stream).or_default();
                    prepared.insert(who.to_owned(), event.position.0);
                }
            }
            (Rule::Approved { approve, approver }, Memory::Pending { changes, approved }) => {
                let approves = !approve.0.is_empty() && approve.has(seen.event_type());
                if approves {
                    changes.remove(&stream);
                    if let Some(correlation) = &event.correlation {
                        approved.insert((stream, correlation.clone()));
                    }
                } else if concerned {
                    self.checked += 1;
                    let named = approver.as_ref().and_then(text).is_some();
                    let before = event
                        .correlation
                        .as_ref()
                        .is_some_and(|c| approved.contains(&(stream.clone(), c.clone())));
                    if !named && !before {
                        changes.entry(stream).or_default().push(Brief::of(seen));
                    }
                }
            }
            (Rule::Order, Memory::Latest(latest)) if concerned => {
                self.checked += 1;
                let (time, version) = (event.time.time, seen.event.version.0);
                match latest.get(&stream) {
                    Some((before, at)) if time < *before => {
                        found.push(format!("it happened before version {at} ({before})"));
                    }
                    _ => {
                        latest.insert(stream, (time, version));
                    }
                }
            }
            (Rule::Sequence { column }, Memory::Number(last)) if concerned => {
                self.checked += 1;
                let written = text(column);
                let number = written.as_deref().and_then(|text| text.parse::<u64>().ok());
                match (number, &written) {
                    (Some(number), _) => {
                        if let Some(before) = last.insert(stream, number)
                            && before.checked_add(1) != Some(number)
                        {
                            found.push(format!("number {number} comes after {before}"));
                        }
                    }
                    (None, Some(text)) => found.push(format!("{text:?} is no sequence number")),
                    (None, None) => found.push("its sequence number is not recorded".to_owned()),
                }
            }
            (Rule::Granularity { .. } | Rule::Offset, _)
                if concerned && event.time.text.is_none() =>
            {
                self.unseen += 1;
            }
            (Rule::Granularity { .. }, Memory::Digits(need)) if concerned => {
                self.checked += 1;
                let text = event.time.text.as_deref().unwrap_or_default();
                match second_digits(text).0 {
                    digits if digits >= *need => {}
                    digits => {
                        let asked = super::plural(u64::from(*need), "digit");
                        found.push(format!(
                            "its time has {} of the second, the tier asks for {asked}",
                            super::plural(u64::from(digits), "digit")
                        ));
                    }
                }
            }
            (Rule::Offset, _) if concerned => {
                self.checked += 1;
                if event.time.date_only {
                    found.push("its time is a day without a time of day".to_owned());
                } else if event.time.zone_assumed {
                    found.push("its time names no offset from UTC; one was assumed".to_owned());
                }
            }
            (
                Rule::Lifecycle {
                    starts,
                    ends,
                    fills,
                },
                Memory::Lives { streams, undecided },
            ) if concerned => {
                self.checked += 1;
                let version = seen.event.version.0;
                if version == 1 && !streams.contains_key(&stream) && !starts.has(seen.event_type())
                {
                    found.push("the stream does not begin with the event that opens it".to_owned());
                }
                let life = streams.entry(stream).or_default();
                if let Some(end) = life.end {
                    found.push(format!(
                        "it comes after the stream was closed by version {end}"
                    ));
                    return;
                }
                let number = |col: &Option<Col>| Exact::read(&text(col.as_ref()?)?).ok();
                let by_name = !ends.0.is_empty() && ends.has(seen.event_type());
                let ended = match fills {
                    Some(fills) if fills.types.has(seen.event_type()) => {
                        let full = life.fill(number(&fills.remaining), number(&fills.filled));
                        *undecided += u64::from(full.is_none() && !by_name);
                        full.unwrap_or(by_name)
                    }
                    Some(fills) => {
                        life.ordered = number(&fills.ordered).or(life.ordered);
                        by_name
                    }
                    None => by_name,
                };
                life.end = ended.then_some(version);
            }
            (Rule::Erased, _) if concerned => {
                self.checked += 1;
                if !event.erased.is_empty() {
                    let parts = event.erased.iter().map(|part| part.name());
                    found.push(format!("erased: {}", parts.collect::<Vec<_>>().join(", ")));
                }
            }
            _ => {}
        }
    }

    fn result(&self) -> CheckResult {
        let Running {
            check,
            checked,
            unseen,
            exceptions,
            memory,
        } = self;
        let looked_at = super::plural(*checked, "event");
        let mut detail = match (checked, unseen, exceptions) {
            (0, 0, 0) => {
                let types = match &check.rule {
                    Rule::Segregation { approve, .. } => approve,
                    _ => &check.types,
                };
                let named = match types.0.is_empty() {
                    true => String::new(),
                    false => format!(": {}", types.0.join(", ")),
                };
                format!("no event that it looks at is in scope{named}")
            }
            (0, _, 0) => "none looked at".to_owned(),
            (_, _, 0) => format!("{looked_at} looked at, no exception"),
            (_, _, n) => format!("{looked_at} looked at, {}", super::plural(*n, "exception")),
        };
        if let Some(unseen) = self.unseen() {
            detail.push_str(match checked {
                0 => ": ",
                _ => "; not looked at: ",
            });
            detail.push_str(&unseen);
        }
        if let Memory::Lives { streams, undecided } = memory {
            let open = streams.values().filter(|life| life.end.is_none()).count() as u64;
            if !streams.is_empty() {
                let of = super::plural(streams.len() as u64, "stream");
                let open = grouped(open);
                detail.push_str(&format!("; {open} of {of} not closed at the as-of"));
            }
            if *undecided > 0 {
                let fills = super::plural(*undecided, "fill");
                detail.push_str(&format!(
                    "; {fills} taken for no end: neither what remains nor the quantities are recorded"
                ));
            }
        }
        CheckResult {
            id: check.id.clone(),
            title: check.title.clone(),
            outcome: match (checked, exceptions) {
                (0, 0) => CheckOutcome::NothingToCheck,
                (_, 0) => CheckOutcome::Passed,
                (_, _) => CheckOutcome::Exceptions,
            },
            checked: *checked,
            not_looked_at: *unseen,
            exceptions: *exceptions,
            detail,
        }
    }

    /// What it is about and could not judge, in words.
    fn unseen(&self) -> Option<String> {
        (self.unseen > 0).then(|| {
            let events = super::plural(self.unseen, "event");
            format!("{events} without a text of their time in the log")
        })
    }
}

fn is_positive(number: Exact) -> bool {
    let text = number.to_json().to_string();
    !text.starts_with('-') && text.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

/// Digits of the second in a written time, and whether the last of them is 0.
pub(super) fn second_digits(text: &str) -> (u32, bool) {
    let Some((_, rest)) = text.rsplit_once(':').filter(|_| text.contains(['.', ','])) else {
        // Times without colons: 20240115T103000.123Z, or seconds since the epoch with a point.
        return digits_after_point(text);
    };
    // The last colon may be the one in the offset.
    match rest.contains(['.', ',']) {
        true => digits_after_point(rest),
        false => digits_after_point(text),
    }
}

fn digits_after_point(text: &str) -> (u32, bool) {
    let Some((_, after)) = text.split_once(['.', ',']) else {
        return (0, false);
    };
    let digits: &str = &after[..after.chars().take_while(char::is_ascii_digit).count()];
    (digits.len() as u32, digits.ends_with('0'))
}

#[cfg(test)]
mod tests {
    use super::second_digits;

    #[test]
    fn digits_of_the_second_are_counted_as_written() {
        for (text, want) in [
            ("2024-01-15T10:30:00Z", (0, false)),
            ("2024-01-15T10:30:00.1Z", (1, false)),
            ("2024-01-15T10:30:00.120Z", (3, true)),
            ("2024-01-15T10:30:00.123456+01:00", (6, false)),
            ("2024-01-15 10:30:00,123", (3, false)),
            ("20240115T103000.1234Z", (4, false)),
            ("1705314600.25", (2, false)),
            ("2024-01-15", (0, false)),
            ("2024-01-15T10:30:00.Z", (0, false)),
            ("", (0, false)),
        ] {
            assert_eq!(second_digits(text), want, "{text}");
        }
    }
}
