//! An event as a report sees it: what its cells hold.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::Value;

use super::report::{Cell, Row, RowEvent};
use super::template::columns::EventCol;
use super::template::{Col, Field, FieldRoot, Template};
use crate::event::{Event, Part, Payload};
use crate::model::{Circumstances, Fold, ModelSet, Told};
use crate::position::Version;
use crate::store::StreamEvent;

/// Folds that have taken no event, by category: who did an event and why is told by the model and the event alone.
pub(super) struct Tellers<'m> {
    models: &'m ModelSet,
    by_category: HashMap<String, Fold>,
}

impl<'m> Tellers<'m> {
    pub(super) fn new(models: &'m ModelSet) -> Tellers<'m> {
        Tellers {
            models,
            by_category: HashMap::new(),
        }
    }

    /// Whose data an event holds, by the model of its category.
    pub(super) fn subject(&self, event: &StreamEvent) -> Option<String> {
        let category = event.event.category.as_ref().map_or("", |c| c.as_str());
        self.models.for_category(category).subject_of(event)
    }

    fn circumstances(&mut self, event: &StreamEvent) -> Circumstances {
        let category = event.event.category.as_ref().map_or("", |c| c.as_str());
        if let Some(fold) = self.by_category.get(category) {
            return fold.circumstances(event);
        }
        let fold = Fold::new(self.models.for_category(category));
        let told = fold.circumstances(event);
        self.by_category.insert(category.to_owned(), fold);
        told
    }
}

/// An event in the scope.
pub(super) struct Seen<'s> {
    pub(super) event: &'s StreamEvent,
    pub(super) told: Circumstances,
    template: &'s Template,
    data: OnceCell<Option<Value>>,
    metadata: OnceCell<Option<Value>>,
}

impl<'s> Seen<'s> {
    pub(super) fn new(
        event: &'s StreamEvent,
        template: &'s Template,
        tellers: &mut Tellers<'_>,
    ) -> Seen<'s> {
        Seen {
            told: tellers.circumstances(event),
            event,
            template,
            data: OnceCell::new(),
            metadata: OnceCell::new(),
        }
    }

    pub(super) fn event_type(&self) -> &str {
        self.event.event.event_type.as_str()
    }

    /// Key of its rows: rows are read in the order of the log.
    pub(super) fn key(&self) -> u64 {
        self.event.event.position.0
    }

    pub(super) fn place(&self) -> RowEvent {
        place(&self.event.event, self.event.version)
    }

    pub(super) fn row(&self, cells: Vec<Cell>) -> Row {
        Row {
            event: Some(self.place()),
            cells,
        }
    }

    /// Who did it; `None` if the log does not say.
    pub(super) fn who(&self) -> Option<&str> {
        self.told.who.as_ref().map(|told| told.value.as_str())
    }

    /// The data as a value; `None` if it was erased or is not JSON.
    pub(super) fn data(&self) -> Option<&Value> {
        let event = &self.event.event;
        self.data
            .get_or_init(|| parsed(event.data.as_ref()))
            .as_ref()
    }

    fn metadata(&self) -> Option<&Value> {
        let event = &self.event.event;
        self.metadata
            .get_or_init(|| parsed(event.metadata.as_ref()))
            .as_ref()
    }

    /// What a field holds.
    pub(super) fn field(&self, field: &Field) -> Option<&Value> {
        let root = match field.root {
            FieldRoot::Data => self.data(),
            FieldRoot::Metadata => self.metadata(),
        };
        field.path.get(root?).filter(|value| !value.is_null())
    }

    fn erased(&self, part: Part) -> bool {
        self.event.event.erased.contains(&part)
    }

    /// What stands in a column; `None` for columns that events have no place for.
    pub(super) fn cell(&self, col: Col) -> Cell {
        match col {
            Col::Event(col) => self.event_cell(col),
            Col::Field(at) => match self.template.fields.get(at) {
                Some(named) => {
                    let found = named.from.iter().find_map(|field| self.field(field));
                    match found {
                        Some(value) => Cell::Value(super::cells::value_text(value, named.kind)),
                        None if named.from.iter().any(|field| match field.root {
                            FieldRoot::Data => self.erased(Part::Data),
                            FieldRoot::Metadata => self.erased(Part::Metadata),
                        }) =>
                        {
                            Cell::Erased
                        }
                        None => Cell::NotRecorded,
                    }
                }
                None => Cell::NotRecorded,
            },
            Col::Told(_) => Cell::None,
        }
    }

    fn event_cell(&self, col: EventCol) -> Cell {
        let event = &self.event.event;
        let identity = |text: Option<String>| match text {
            Some(text) => Cell::Value(text),
            None if self.erased(Part::Identity) => Cell::Erased,
            None => Cell::NotRecorded,
        };
        let plain = |text: Option<&str>| match text {
            Some(text) => Cell::Value(text.to_owned()),
            None => Cell::NotRecorded,
        };
        // Who and why stand in the data or the metadata.
        let told = |text: Option<&str>| match text {
            Some(text) => Cell::Value(text.to_owned()),
            None if self.erased(Part::Data) || self.erased(Part::Metadata) => Cell::Erased,
            None => Cell::NotRecorded,
        };
        let value = |told: &Option<Told>| told.as_ref().map(|told| told.value.clone());
        let from = |told: &Option<Told>| told.as_ref().and_then(|told| told.from.clone());
        match col {
            EventCol::Position => Cell::Value(event.position.to_string()),
            EventCol::Time => Cell::Value(event.time.time.to_string()),
            EventCol::TimeWritten => plain(event.time.text.as_deref()),
            EventCol::RecordedAt => Cell::Value(event.recorded_at.to_string()),
            EventCol::SourceRecordedAt => {
                identity(event.source.source_recorded_at.map(|time| time.to_string()))
            }
            EventCol::Stream => identity(event.stream.as_ref().map(ToString::to_string)),
            EventCol::Category => identity(event.category.as_ref().map(ToString::to_string)),
            EventCol::Version => Cell::Value(self.event.version.to_string()),
            EventCol::Type => Cell::Value(event.event_type.to_string()),
            EventCol::Who => told(value(&self.told.who).as_deref()),
            EventCol::WhoFrom => told(from(&self.told.who).as_deref()),
            EventCol::Why => told(value(&self.told.why).as_deref()),
            EventCol::WhyFrom => told(from(&self.told.why).as_deref()),
            EventCol::Correlation => told(event.correlation.as_deref()),
            EventCol::Causation => told(event.causation.as_deref()),
            EventCol::Id => identity(event.id.as_ref().map(ToString::to_string)),
            EventCol::Source => identity(event.source.source.as_deref().map(str::to_owned)),
            EventCol::SourceId => identity(event.source.source_id.clone()),
            EventCol::SourceVersion => identity(event.source.source_version.clone()),
            EventCol::SourcePosition => identity(event.source.source_position.clone()),
            EventCol::SchemaVersion => plain(event.schema_version.as_deref()),
            EventCol::Data => self.payload(event.data.as_ref(), Part::Data),
            EventCol::Metadata => self.payload(event.metadata.as_ref(), Part::Metadata),
            EventCol::Leaf => Cell::Value(event.leaf.to_string()),
        }
    }

    /// A payload as it was recorded, the keys left out that the template drops.
    fn payload(&self, payload: Option<&Payload>, part: Part) -> Cell {
        let Some(payload) = payload else {
            return match self.erased(part) {
                true => Cell::Erased,
                false => Cell::NotRecorded,
            };
        };
        let parsed = match part {
            Part::Data => self.data(),
            Part::Metadata => self.metadata(),
            Part::Identity => None,
        };
        match (parsed, payload.json_text()) {
            (Some(value), _) if !self.template.dropped.is_none() => {
                let mut kept = value.clone();
                self.template.dropped.take_from(&mut kept);
                Cell::Value(kept.to_string())
            }
            (Some(_), Some(text)) => Cell::Value(text.to_owned()),
            // Written as a text of JSON, as every value is.
            (_, _) => Cell::Value(
                Value::String(match std::str::from_utf8(&payload.bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) => format!("{} bytes of {}", payload.bytes.len(), payload.content_type),
                })
                .to_string(),
            ),
        }
    }

    /// How many keys the template leaves out of its payloads.
    pub(super) fn dropped(&self) -> u64 {
        let dropped = &self.template.dropped;
        if dropped.is_none() {
            return 0;
        }
        let payloads = [self.data(), self.metadata()].into_iter().flatten();
        payloads
            .map(|value| dropped.take_from(&mut value.clone()))
            .sum()
    }
}

/// Names an event.
pub(super) fn place(event: &Event, version: Version) -> RowEvent {
    RowEvent {
        position: event.position,
        stream: event.stream.as_ref().map(ToString::to_string),
        version,
    }
}

fn parsed(payload: Option<&Payload>) -> Option<Value> {
    crate::model::json::parse_state(payload?.json_text()?)
}
