//! The tables of a report while they fill: each takes every event in scope and makes its rows.

use std::collections::{BTreeMap, BinaryHeap};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::ReportError;
use super::lineage::Lineage;
use super::report::{Cell, Row, RowEvent};
use super::rows::Spool;
use super::seen::{Seen, Tellers};
use super::template::columns::{EventCol, ToldCol};
use super::template::{Col, Dropped, TableRule, TableSource, Template};
use crate::model::Exact;
use crate::store::Log;
use crate::temporal::{Change, ChangeKind, Step};
use crate::time::Time;

/// The stream that a step is told for, which need not be the home of its event.
pub(super) struct Placed<'p> {
    /// Its place in the order of streams.
    pub(super) key: u64,
    pub(super) stream: &'p str,
    /// Whether the event is in the scope.
    pub(super) in_scope: bool,
}

impl Placed<'_> {
    /// How the event comes to count here.
    fn origin(&self, seen: &Seen<'_>) -> Cell {
        let scope = match self.in_scope {
            true => "in scope",
            false => "outside the scope",
        };
        let home = seen.event.event.stream.as_ref();
        Cell::Value(match home {
            Some(home) if home.as_str() != self.stream => format!("{scope}, linked from {home}"),
            _ => scope.to_owned(),
        })
    }

    /// What a row says of the event: in which stream it is told.
    fn row_event(&self, seen: &Seen<'_>) -> RowEvent {
        RowEvent {
            stream: Some(self.stream.to_owned()),
            ..seen.place()
        }
    }
}

/// A cell of a step that no change tells: that of the event, by the stream that it is told for.
fn step_cell(seen: &Seen<'_>, col: Col, placed: Option<&Placed<'_>>) -> Cell {
    match (col, placed) {
        (Col::Event(EventCol::Stream), Some(placed)) => Cell::Value(placed.stream.to_owned()),
        (Col::Told(ToldCol::Origin), Some(placed)) => placed.origin(seen),
        (col, _) => seen.cell(col),
    }
}

/// A table at work.
pub(super) struct Filling<'t> {
    pub(super) section: &'t str,
    pub(super) title: &'t str,
    pub(super) rule: &'t TableRule,
    rows: Spool,
    memory: Memory,
}

/// What a table gathers before it can make rows.
enum Memory {
    /// Rows are made at once.
    None,
    Groups(BTreeMap<Vec<GroupKey>, Group>),
    /// The picks so far, the worst of them on top.
    Sample {
        size: usize,
        seed: String,
        picks: BinaryHeap<Pick>,
    },
    /// By type and place in `of`.
    Coverage(BTreeMap<(String, usize), Coverage>),
    /// By type and number of digits; `None`: no time was written.
    Digits(BTreeMap<(String, Option<u32>), Spell>),
    /// By class, type and path.
    Keys(BTreeMap<(usize, String, String), Spell>),
}

/// A cell as a key: what is not there groups by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum GroupKey {
    Value(String),
    NotRecorded,
    Erased,
    None,
}

impl GroupKey {
    fn of(cell: Cell) -> GroupKey {
        match cell {
            Cell::Value(text) => GroupKey::Value(text),
            Cell::NotRecorded => GroupKey::NotRecorded,
            Cell::Erased => GroupKey::Erased,
            Cell::None => GroupKey::None,
        }
    }
}

struct Group {
    /// Cells of the columns, by the event that happened first; told ones are filled in at the end.
    cells: Vec<Cell>,
    spell: Spell,
}

/// Some events: how many, from when to when.
struct Spell {
    events: u64,
    first: Time,
    last: Time,
    last_event: RowEvent,
    end_in_zero: u64,
}

impl Spell {
    fn of(seen: &Seen<'_>) -> Spell {
        let time = seen.event.event.time.time;
        Spell {
            events: 0,
            first: time,
            last: time,
            last_event: seen.place(),
            end_in_zero: 0,
        }
    }

    /// Takes one more; says whether it is the first to have happened.
    fn take(&mut self, seen: &Seen<'_>) -> bool {
        let time = seen.event.event.time.time;
        let earliest = self.events == 0 || time < self.first;
        self.events += 1;
        self.first = self.first.min(time);
        if time >= self.last {
            self.last = time;
            self.last_event = seen.place();
        }
        earliest
    }

    fn cell(&self, col: ToldCol) -> Cell {
        match col {
            ToldCol::Events => Cell::Value(self.events.to_string()),
            ToldCol::First => Cell::Value(self.first.to_string()),
            ToldCol::Last => Cell::Value(self.last.to_string()),
            ToldCol::EndInZero => Cell::Value(self.end_in_zero.to_string()),
            ToldCol::Frequency => Cell::Value(self.frequency()),
            _ => Cell::None,
        }
    }

    /// A row that sums the events up.
    fn row(&self, cells: Vec<Cell>) -> Row {
        Row {
            cells,
            event: Some(self.last_event.clone()),
        }
    }

    /// `once`; `12 times in 340 days`.
    fn frequency(&self) -> String {
        if self.events == 1 {
            return "once".to_owned();
        }
        let days = (self.last.us() - self.first.us()) / 86_400_000_000;
        match days {
            0 => format!("{} times within a day", self.events),
            days => format!(
                "{} times in {}",
                self.events,
                super::plural(days.unsigned_abs(), "day")
            ),
        }
    }
}

struct Coverage {
    events: u64,
    holding: u64,
    first_missing: Option<RowEvent>,
    last: RowEvent,
}

/// A candidate of a sample: the smallest hashes are picked.
struct Pick {
    hash: [u8; 32],
    row: Row,
}

impl PartialEq for Pick {
    fn eq(&self, other: &Pick) -> bool {
        self.hash == other.hash
    }
}
impl Eq for Pick {}
impl PartialOrd for Pick {
    fn partial_cmp(&self, other: &Pick) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Pick {
    fn cmp(&self, other: &Pick) -> std::cmp::Ordering {
        self.hash.cmp(&other.hash)
    }
}

impl<'t> Filling<'t> {
    pub(super) fn new(
        section: &'t str,
        title: &'t str,
        rule: &'t TableRule,
        settings: &BTreeMap<String, String>,
    ) -> Filling<'t> {
        let memory = match &rule.source {
            TableSource::Events
            | TableSource::Changes
            | TableSource::Versions
            | TableSource::Lineage
            | TableSource::State => Memory::None,
            TableSource::Groups { .. } => Memory::Groups(BTreeMap::new()),
            TableSource::Sample { size, seed } => Memory::Sample {
                size: settings.get(size).and_then(|n| n.parse().ok()).unwrap_or(0),
                seed: settings.get(seed).cloned().unwrap_or_default(),
                picks: BinaryHeap::new(),
            },
            TableSource::Coverage { .. } => Memory::Coverage(BTreeMap::new()),
            TableSource::Digits => Memory::Digits(BTreeMap::new()),
            TableSource::Keys => Memory::Keys(BTreeMap::new()),
        };
        Filling {
            section,
            title,
            rule,
            rows: Spool::default(),
            memory,
        }
    }

    /// Whether its rows need states.
    pub(super) fn folds(&self) -> bool {
        matches!(
            self.rule.source,
            TableSource::Changes
                | TableSource::Versions
                | TableSource::State
                | TableSource::Lineage
        )
    }

    /// Takes an event in scope.
    pub(super) fn take(&mut self, seen: &Seen<'_>, template: &Template) -> Result<(), ReportError> {
        if self.folds() || !self.rule.types.has(seen.event_type()) {
            return Ok(());
        }
        let cells = |columns: &[Col]| {
            columns
                .iter()
                .map(|col| seen.cell(*col))
                .collect::<Vec<_>>()
        };
        match (&mut self.memory, &self.rule.source) {
            (Memory::None, _) => {
                self.rows
                    .push(seen.key(), &seen.row(cells(&self.rule.columns)))?;
            }
            (Memory::Groups(groups), TableSource::Groups { by }) => {
                let key = cells(by).into_iter().map(GroupKey::of).collect();
                let group = groups.entry(key).or_insert_with(|| Group {
                    cells: Vec::new(),
                    spell: Spell::of(seen),
                });
                if group.spell.take(seen) {
                    group.cells = cells(&self.rule.columns);
                }
            }
            (Memory::Sample { size, seed, picks }, _) => {
                let position = seen.event.event.position;
                let hash = Sha256::digest(format!("{seed}/{position}")).into();
                if picks.len() == *size && picks.peek().is_none_or(|worst| worst.hash <= hash) {
                    return Ok(());
                }
                picks.push(Pick {
                    hash,
                    row: seen.row(cells(&self.rule.columns)),
                });
                if picks.len() > *size {
                    picks.pop();
                }
            }
            (Memory::Coverage(coverage), TableSource::Coverage { of }) => {
                for (at, col) in of.iter().enumerate() {
                    let key = (seen.event_type().to_owned(), at);
                    let row = coverage.entry(key).or_insert_with(|| Coverage {
                        events: 0,
                        holding: 0,
                        first_missing: None,
                        last: seen.place(),
                    });
                    row.events += 1;
                    row.last = seen.place();
                    match seen.cell(*col) {
                        Cell::Value(_) => row.holding += 1,
                        Cell::NotRecorded | Cell::Erased | Cell::None => {
                            row.first_missing.get_or_insert_with(|| seen.place());
                        }
                    }
                }
            }
            (Memory::Digits(digits), _) => {
                let event = &seen.event.event;
                let written = event.time.text.as_deref().map(super::checks::second_digits);
                let key = (
                    seen.event_type().to_owned(),
                    written.map(|(digits, _)| digits),
                );
                let spell = digits.entry(key).or_insert_with(|| Spell::of(seen));
                spell.take(seen);
                spell.end_in_zero += u64::from(written.is_some_and(|(_, zero)| zero));
            }
            (Memory::Keys(keys), _) => {
                if let Some(data) = seen.data() {
                    let mut found = Vec::new();
                    personal(data, "data", template, &mut found);
                    for (class, path) in found {
                        let key = (class, seen.event_type().to_owned(), path);
                        keys.entry(key)
                            .or_insert_with(|| Spell::of(seen))
                            .take(seen);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes an event on the walk along a stream: along its own, or along the one that `placed` names.
    pub(super) fn take_step(
        &mut self,
        seen: &Seen<'_>,
        step: &Step<'_>,
        dropped: &Dropped,
        placed: Option<&Placed<'_>>,
    ) -> Result<(), ReportError> {
        if !self.rule.types.has(seen.event_type()) {
            return Ok(());
        }
        match self.rule.source {
            TableSource::Versions => {
                let state = Cell::Value(dropped.kept(step.state.to_string()));
                self.push_step(seen, placed, &|col| match col {
                    ToldCol::State => state.clone(),
                    _ => Cell::None,
                })
            }
            TableSource::Changes | TableSource::Lineage if step.changes.is_empty() => {
                // An event that changed nothing that the model holds is an event all the same.
                let erased = !seen.event.event.erased.is_empty();
                let word = match (&step.failed, erased) {
                    (_, true) => Cell::Erased,
                    (Some(_), false) => Cell::Value("could not be folded".to_owned()),
                    (None, false) => Cell::Value("no change".to_owned()),
                };
                self.push_unchanged(seen, placed, word)
            }
            TableSource::Changes | TableSource::Lineage => {
                for change in &step.changes {
                    if !dropped.has_path(&change.path) {
                        self.push_step(seen, placed, &|col| change_cell(change, col, dropped))?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes an event in scope that no state as of the moment is made of.
    pub(super) fn take_unfolded(
        &mut self,
        seen: &Seen<'_>,
        placed: Option<&Placed<'_>>,
    ) -> Result<(), ReportError> {
        if !self.rule.types.has(seen.event_type()) {
            return Ok(());
        }
        let word = Cell::Value("counts later, by the model's time".to_owned());
        self.push_unchanged(seen, placed, word)
    }

    /// A row of an event without a change: a word says why.
    fn push_unchanged(
        &mut self,
        seen: &Seen<'_>,
        placed: Option<&Placed<'_>>,
        word: Cell,
    ) -> Result<(), ReportError> {
        self.push_step(seen, placed, &|col| match col {
            ToldCol::Change => word.clone(),
            _ => Cell::None,
        })
    }

    /// A row of an event on a walk; `told` says what stands in the columns that only this table knows.
    fn push_step(
        &mut self,
        seen: &Seen<'_>,
        placed: Option<&Placed<'_>>,
        told: &dyn Fn(ToldCol) -> Cell,
    ) -> Result<(), ReportError> {
        let cells = self.rule.columns.iter().map(|col| match col {
            Col::Told(col) if *col != ToldCol::Origin => told(*col),
            col => step_cell(seen, *col, placed),
        });
        let mut row = seen.row(cells.collect());
        let mut key = seen.key();
        if let Some(placed) = placed {
            row.event = Some(placed.row_event(seen));
            key = placed.key;
        }
        self.rows.push(key, &row)
    }

    /// Takes the values of a stream's state, each with the event that set it last.
    pub(super) fn take_state(
        &mut self,
        key: u64,
        values: &[Lineage],
        log: &Log,
        template: &Template,
        tellers: &mut Tellers<'_>,
    ) -> Result<(), ReportError> {
        for value in values {
            if template.dropped.has_path(&value.path) {
                continue;
            }
            let Some(event) = log.event(value.set_by.position)? else {
                continue;
            };
            let event = crate::store::StreamEvent {
                version: value.set_by.version,
                qualifier: String::new(),
                event,
            };
            let seen = Seen::new(&event, template, tellers);
            if !self.rule.types.has(seen.event_type()) {
                continue;
            }
            let cells = self.rule.columns.iter().map(|col| match col {
                Col::Told(ToldCol::Path) => Cell::Value(value.path.clone()),
                Col::Told(ToldCol::Value) => {
                    Cell::Value(template.dropped.kept(value.value.clone()))
                }
                Col::Told(ToldCol::Times) => Cell::Value(value.times.to_string()),
                Col::Event(EventCol::Stream) => match &value.set_by.stream {
                    Some(stream) => Cell::Value(stream.clone()),
                    None => seen.cell(*col),
                },
                col => seen.cell(*col),
            });
            let row = Row {
                cells: cells.collect(),
                event: Some(value.set_by.clone()),
            };
            self.rows.push(key, &row)?;
        }
        Ok(())
    }

    /// Makes the rows that had to wait; gives them all.
    pub(super) fn finish(mut self, template: &Template) -> Result<Spool, ReportError> {
        let columns = &self.rule.columns;
        match self.memory {
            Memory::None => {}
            Memory::Groups(groups) => {
                for group in groups.into_values() {
                    let cells = columns
                        .iter()
                        .zip(group.cells)
                        .map(|(col, cell)| match col {
                            Col::Told(col) => group.spell.cell(*col),
                            _ => cell,
                        });
                    self.rows.push(0, &group.spell.row(cells.collect()))?;
                }
            }
            Memory::Sample { picks, .. } => {
                for Pick { row, .. } in picks.into_vec() {
                    let key = row.event.as_ref().map_or(0, |event| event.position.0);
                    self.rows.push(key, &row)?;
                }
            }
            Memory::Coverage(coverage) => {
                let of = match &self.rule.source {
                    TableSource::Coverage { of } => of.as_slice(),
                    _ => &[],
                };
                for ((event_type, at), row) in coverage {
                    let title = of.get(at).map(|col| super::column(template, *col).title);
                    let cells = columns.iter().map(|col| match col {
                        Col::Event(EventCol::Type) => Cell::Value(event_type.clone()),
                        Col::Told(ToldCol::Field) => title.clone().map_or(Cell::None, Cell::Value),
                        Col::Told(ToldCol::Events) => Cell::Value(row.events.to_string()),
                        Col::Told(ToldCol::Holding) => Cell::Value(row.holding.to_string()),
                        Col::Told(ToldCol::Missing) => {
                            Cell::Value((row.events - row.holding).to_string())
                        }
                        Col::Told(ToldCol::FirstMissing) => match &row.first_missing {
                            Some(event) => Cell::Value(event.position.to_string()),
                            None => Cell::None,
                        },
                        _ => Cell::None,
                    });
                    let row = Row {
                        cells: cells.collect(),
                        event: Some(row.first_missing.clone().unwrap_or(row.last.clone())),
                    };
                    self.rows.push(0, &row)?;
                }
            }
            Memory::Digits(digits) => {
                for ((event_type, digits), spell) in digits {
                    let cells = columns.iter().map(|col| match col {
                        Col::Event(EventCol::Type) => Cell::Value(event_type.clone()),
                        Col::Told(ToldCol::Digits) => match digits {
                            Some(digits) => Cell::Value(digits.to_string()),
                            None => Cell::NotRecorded,
                        },
                        // Where no time was written, no digit of one is 0.
                        Col::Told(ToldCol::EndInZero) if digits.is_none() => Cell::None,
                        Col::Told(col) => spell.cell(*col),
                        _ => Cell::None,
                    });
                    self.rows.push(0, &spell.row(cells.collect()))?;
                }
            }
            Memory::Keys(keys) => {
                for ((class, event_type, path), spell) in keys {
                    let class = template.keys.get(class).map_or("", |class| &class.class);
                    let cells = columns.iter().map(|col| match col {
                        Col::Event(EventCol::Type) => Cell::Value(event_type.clone()),
                        Col::Told(ToldCol::Class) => Cell::Value(class.to_owned()),
                        Col::Told(ToldCol::Key) => Cell::Value(path.clone()),
                        Col::Told(col) => spell.cell(*col),
                        _ => Cell::None,
                    });
                    self.rows.push(0, &spell.row(cells.collect()))?;
                }
            }
        }
        Ok(self.rows)
    }
}

fn change_cell(change: &Change, col: ToldCol, dropped: &Dropped) -> Cell {
    let value = |raw: &Option<Box<serde_json::value::RawValue>>| match raw {
        Some(raw) => Cell::Value(dropped.kept(raw.get().to_owned())),
        None => Cell::None,
    };
    match col {
        ToldCol::Path => Cell::Value(match change.path.is_empty() {
            true => "(whole)".to_owned(),
            false => change.path.clone(),
        }),
        ToldCol::Change => Cell::Value(
            match change.kind {
                ChangeKind::Added => "added",
                ChangeKind::Removed => "removed",
                ChangeKind::Changed => "changed",
            }
            .to_owned(),
        ),
        ToldCol::Before => value(&change.before),
        ToldCol::After => value(&change.after),
        ToldCol::Delta => {
            let number = |raw: &Option<Box<serde_json::value::RawValue>>| {
                Exact::read(raw.as_ref()?.get()).ok()
            };
            let delta = number(&change.before)
                .zip(number(&change.after))
                .and_then(|(before, after)| after.sub(before).ok());
            match delta {
                Some(delta) => Cell::Value(delta.to_json().to_string()),
                None => Cell::None,
            }
        }
        _ => Cell::None,
    }
}

/// Fields of a payload whose keys tell of personal data: class and path, elements of lists taken as one.
fn personal(value: &Value, path: &str, template: &Template, found: &mut Vec<(usize, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let at = format!("{path}.{key}");
                let plain = super::template::plain(key);
                let class = template
                    .keys
                    .iter()
                    .position(|class| class.keys.contains(&plain));
                match class {
                    Some(class) => {
                        if !found.contains(&(class, at.clone())) {
                            found.push((class, at));
                        }
                    }
                    None => personal(value, &at, template, found),
                }
            }
        }
        Value::Array(items) => {
            let at = format!("{path}[]");
            items
                .iter()
                .for_each(|value| personal(value, &at, template, found));
        }
        _ => {}
    }
}
