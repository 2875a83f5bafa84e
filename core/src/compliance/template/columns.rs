//! What a cell of a report's table can hold.

use crate::compliance::report::CellKind;

/// A column as a template names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::compliance) enum Col {
    /// What every event has a place for.
    Event(EventCol),
    /// What only some tables know.
    Told(ToldCol),
    /// A field that the template names itself, by its place in the template.
    Field(usize),
}

/// What every event has a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::compliance) enum EventCol {
    Position,
    Time,
    TimeWritten,
    RecordedAt,
    SourceRecordedAt,
    Stream,
    Category,
    Version,
    Type,
    Who,
    WhoFrom,
    Why,
    WhyFrom,
    Correlation,
    Causation,
    Id,
    Source,
    SourceId,
    SourceVersion,
    SourcePosition,
    SchemaVersion,
    Data,
    Metadata,
    Leaf,
}

/// What only some tables know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::compliance) enum ToldCol {
    Path,
    Change,
    Before,
    After,
    Delta,
    State,
    Origin,
    Value,
    Times,
    First,
    Last,
    Frequency,
    Field,
    Events,
    Holding,
    Missing,
    FirstMissing,
    Digits,
    EndInZero,
    Class,
    Key,
}

/// Id, heading and kind of every column, by the table that knows it.
type Named<C> = (C, &'static str, &'static str, CellKind);

const EVENT: &[Named<EventCol>] = &[
    (
        EventCol::Position,
        "position",
        "Position",
        CellKind::Position,
    ),
    (EventCol::Time, "time", "When (UTC)", CellKind::Time),
    (
        EventCol::TimeWritten,
        "time_written",
        "Time as written",
        CellKind::Name,
    ),
    (
        EventCol::RecordedAt,
        "recorded_at",
        "Recorded (UTC)",
        CellKind::Time,
    ),
    (
        EventCol::SourceRecordedAt,
        "source_recorded_at",
        "Recorded by the source (UTC)",
        CellKind::Time,
    ),
    (EventCol::Stream, "stream", "Stream", CellKind::Name),
    (EventCol::Category, "category", "Category", CellKind::Name),
    (EventCol::Version, "version", "Version", CellKind::Version),
    (EventCol::Type, "type", "What", CellKind::Name),
    (EventCol::Who, "who", "Who", CellKind::Name),
    (
        EventCol::WhoFrom,
        "who_from",
        "Who, by field",
        CellKind::Name,
    ),
    (EventCol::Why, "why", "Why", CellKind::Text),
    (
        EventCol::WhyFrom,
        "why_from",
        "Why, by field",
        CellKind::Name,
    ),
    (
        EventCol::Correlation,
        "correlation",
        "Correlation",
        CellKind::Name,
    ),
    (
        EventCol::Causation,
        "causation",
        "Causation",
        CellKind::Name,
    ),
    (EventCol::Id, "id", "Event id", CellKind::Name),
    (EventCol::Source, "source", "Source", CellKind::Name),
    (
        EventCol::SourceId,
        "source_id",
        "Source's id",
        CellKind::Name,
    ),
    (
        EventCol::SourceVersion,
        "source_version",
        "Source's number",
        CellKind::Name,
    ),
    (
        EventCol::SourcePosition,
        "source_position",
        "Source's place",
        CellKind::Name,
    ),
    (
        EventCol::SchemaVersion,
        "schema_version",
        "Schema",
        CellKind::Name,
    ),
    (EventCol::Data, "data", "Data as recorded", CellKind::Value),
    (
        EventCol::Metadata,
        "metadata",
        "Metadata as recorded",
        CellKind::Value,
    ),
    (EventCol::Leaf, "leaf", "Leaf hash", CellKind::Hash),
];

const TOLD: &[Named<ToldCol>] = &[
    (ToldCol::Path, "path", "Field", CellKind::Name),
    (ToldCol::Change, "change", "Change", CellKind::Name),
    (ToldCol::Before, "before", "Before", CellKind::Value),
    (ToldCol::After, "after", "After", CellKind::Value),
    (ToldCol::Delta, "delta", "Difference", CellKind::Number),
    (ToldCol::State, "state", "State after it", CellKind::Value),
    (ToldCol::Origin, "origin", "Comes from", CellKind::Name),
    (ToldCol::Value, "value", "Value", CellKind::Value),
    (ToldCol::Times, "times", "Changes", CellKind::Number),
    (ToldCol::First, "first", "First (UTC)", CellKind::Time),
    (ToldCol::Last, "last", "Last (UTC)", CellKind::Time),
    (ToldCol::Frequency, "frequency", "Frequency", CellKind::Text),
    (ToldCol::Field, "field", "Field", CellKind::Name),
    (ToldCol::Events, "events", "Events", CellKind::Number),
    (ToldCol::Holding, "holding", "Holding it", CellKind::Number),
    (
        ToldCol::Missing,
        "missing",
        "Not recorded",
        CellKind::Number,
    ),
    (
        ToldCol::FirstMissing,
        "first_missing",
        "First without it",
        CellKind::Position,
    ),
    (
        ToldCol::Digits,
        "digits",
        "Digits of the second",
        CellKind::Name,
    ),
    (
        ToldCol::EndInZero,
        "end_in_zero",
        "Last digit is 0",
        CellKind::Number,
    ),
    (ToldCol::Class, "class", "Class of data", CellKind::Name),
    (ToldCol::Key, "key", "Field", CellKind::Name),
];

impl Col {
    /// The column that every event, or some table, knows by this id.
    pub(super) fn known(id: &str) -> Option<Col> {
        let event = EVENT.iter().find(|(_, name, _, _)| *name == id);
        let told = TOLD.iter().find(|(_, name, _, _)| *name == id);
        event
            .map(|(col, ..)| Col::Event(*col))
            .or(told.map(|(col, ..)| Col::Told(*col)))
    }
}

impl EventCol {
    fn named(self) -> &'static Named<EventCol> {
        let found = EVENT.iter().find(|(col, ..)| *col == self);
        found.unwrap_or(&EVENT[0])
    }
}

impl ToldCol {
    fn named(self) -> &'static Named<ToldCol> {
        let found = TOLD.iter().find(|(col, ..)| *col == self);
        found.unwrap_or(&TOLD[0])
    }
}

/// Id, heading and kind of a column that is no field of a template.
pub(in crate::compliance) fn named(col: Col) -> Option<(&'static str, &'static str, CellKind)> {
    match col {
        Col::Event(col) => Some(col.named()).map(|(_, id, title, kind)| (*id, *title, *kind)),
        Col::Told(col) => Some(col.named()).map(|(_, id, title, kind)| (*id, *title, *kind)),
        Col::Field(_) => None,
    }
}

/// Ids of the columns that every event has a place for.
pub(super) fn event_ids() -> impl Iterator<Item = &'static str> {
    EVENT.iter().map(|(_, id, ..)| *id)
}

/// Ids of the columns that a table of this kind knows besides.
pub(super) fn told_ids(cols: &[ToldCol]) -> Vec<&'static str> {
    cols.iter().map(|col| col.named().1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_one_name() {
        let mut ids: Vec<&str> = event_ids()
            .chain(TOLD.iter().map(|(_, id, ..)| *id))
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for (col, id, ..) in EVENT {
            assert_eq!(Col::known(id), Some(Col::Event(*col)));
        }
        for (col, id, ..) in TOLD {
            assert_eq!(Col::known(id), Some(Col::Told(*col)));
        }
    }
}
