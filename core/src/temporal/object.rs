//! An object of an object-centric log: what it is, what its attributes were since when, and the events that it took
//! part in, in whichever stream they are at home. Each object is a stream (decision 38), so every stream is one.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::state::{Cut, stream_row};
use super::{AsOf, AsOfView, Moment, TemporalError};
use crate::event::{Event, Relationship};
use crate::id::StreamId;
use crate::position::{Position, Version};
use crate::store::{Cursor, Log, ReadError, StreamQuery, StreamRow};
use crate::time::Time;

/// Values of one attribute that an answer lists: the newest.
pub const ATTRIBUTE_VALUES: usize = 200;

/// Objects of a log by name: `annals objects --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ObjectsView {
    /// Types of objects with how many there are of each, most first, then by name; whatever the conditions.
    pub types: Vec<ObjectType>,
    /// A page of objects, by name.
    pub objects: Vec<StreamRow>,
    /// How many objects meet the conditions.
    #[ts(type = "number")]
    pub count: u64,
    /// Where to read on; `null` at the end.
    pub next: Option<Cursor>,
}

/// A type of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ObjectType {
    /// Its name: the category.
    #[serde(rename = "type")]
    pub name: String,
    /// How many objects are of it.
    #[ts(type = "number")]
    pub objects: u64,
}

/// An object as of an instant: `annals objects --object ID --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ObjectView {
    /// Its id: the stream.
    pub object: String,
    /// Its type: the category.
    #[serde(rename = "type")]
    pub object_type: String,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Objects that the log says it belongs to, and how.
    pub relationships: Vec<Relationship>,
    /// Its attributes in the order in which they came, where the log records any; else its state says what it is.
    pub attributes: Vec<ObjectAttribute>,
    /// A page of the events that it took part in, oldest version first.
    pub events: Vec<ObjectEvent>,
    /// How many there are by then.
    #[ts(type = "number")]
    pub events_count: u64,
    /// Version in this stream to read on after; `null` at the end.
    pub next: Option<Version>,
    /// Number of events in the stream, whatever the as-of, those that say its attributes among them.
    #[ts(type = "number")]
    pub events_in_stream: u64,
}

/// An attribute of an object over time.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ObjectAttribute {
    /// Its name.
    pub name: String,
    /// Its values, oldest first: the last 200 by then.
    pub values: Vec<AttributeValue>,
    /// How many there were by then.
    #[ts(type = "number")]
    pub values_count: u64,
}

/// A value of an attribute.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct AttributeValue {
    /// Since when, UTC; `null`: from the beginning.
    pub since: Option<Time>,
    /// Position of the event that says so.
    pub position: Position,
    /// The value, as recorded.
    #[ts(type = "unknown")]
    pub value: Box<RawValue>,
}

/// An event that an object took part in.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ObjectEvent {
    /// Place in the log.
    pub position: Position,
    /// Place in the object's stream.
    pub version: Version,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When, UTC.
    pub time: Time,
    /// The source names a day only.
    pub date_only: bool,
    /// Stream that the event is at home in: another object's where it is only linked here.
    pub stream: Option<String>,
    /// What the object is to the event; empty where the log does not say.
    pub qualifier: String,
    /// Who did it.
    pub actor: Option<String>,
}

/// Objects of a log by name, `limit` at most, and the types that there are.
///
/// # Errors
/// [`ReadError`] of the engine.
pub fn objects(log: &Log, query: &StreamQuery, limit: usize) -> Result<ObjectsView, ReadError> {
    let mut types: Vec<ObjectType> = log
        .info()?
        .categories
        .into_iter()
        .map(|row| ObjectType {
            name: row.name,
            objects: row.streams,
        })
        .collect();
    types.sort_by(|a, b| b.objects.cmp(&a.objects).then_with(|| a.name.cmp(&b.name)));
    let page = log.streams(query, limit)?;
    let count = log.count_streams(&StreamQuery {
        after: None,
        ..query.clone()
    })?;
    Ok(ObjectsView {
        types,
        objects: page.streams,
        count,
        next: page.next,
    })
}

/// An object at an instant, with `limit` of its events behind the version `after`.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read or holds no such stream, [`TemporalError::NoPosition`] if `known`
/// is past its end.
///
/// ```
/// # use annals_core::{store::Log, temporal::*, position::Version};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let log = Log::explore(&store)?;
/// let order = object(&log, &"order-789".parse()?, AsOf::default(), Version::NONE, 100)?;
/// assert_eq!(order.object_type, "order");
/// assert_eq!(order.events_count, order.events_in_stream);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn object(
    log: &Log,
    stream: &StreamId,
    as_of: AsOf,
    after: Version,
    limit: usize,
) -> Result<ObjectView, TemporalError> {
    let row = stream_row(log, stream)?;
    let Cut { as_of, last: _ } = Cut::of(log, stream, &row, &Moment::AsOf(as_of))?;
    let mut view = ObjectView {
        object: row.stream,
        object_type: row.category,
        as_of: AsOfView {
            at: as_of.at,
            known: as_of.known,
        },
        reading: None,
        relationships: Vec::new(),
        attributes: Vec::new(),
        events: Vec::new(),
        events_count: 0,
        next: None,
        events_in_stream: row.events,
    };
    let mut places = HashMap::new();
    log.for_each_in_stream(stream, Version(1), as_of.known, &mut |here| {
        let event = &here.event;
        if as_of.at.is_some_and(|at| event.time.time > at) {
            return true;
        }
        if event.is_object_record() && event.stream.as_ref() == Some(stream) {
            view.tell(event, &mut places);
            return true;
        }
        view.events_count += 1;
        if here.version <= after {
            return true;
        }
        if view.events.len() == limit {
            view.next = view.next.or(view.events.last().map(|last| last.version));
            return true;
        }
        let qualifier = match here.qualifier.is_empty() {
            false => here.qualifier,
            true => event.qualifier_of(stream.as_str()),
        };
        view.events.push(ObjectEvent {
            position: event.position,
            version: here.version,
            event_type: event.event_type.to_string(),
            time: event.time.time,
            date_only: event.time.date_only,
            stream: event.stream.as_ref().map(ToString::to_string),
            qualifier,
            actor: event.actor.as_ref().map(ToString::to_string),
        });
        true
    })?;
    Ok(view)
}

impl ObjectView {
    /// Takes what an event says of the object.
    fn tell(&mut self, event: &Event, places: &mut HashMap<String, usize>) {
        let recorded = event.event_type.as_str() == Event::OBJECT_RECORDED;
        if recorded {
            self.relationships = event.relationships();
        }
        for (name, value) in event.members() {
            let place = *places.entry(name.into_owned()).or_insert_with_key(|name| {
                self.attributes.push(ObjectAttribute {
                    name: name.clone(),
                    values: Vec::new(),
                    values_count: 0,
                });
                self.attributes.len() - 1
            });
            let attribute = &mut self.attributes[place];
            attribute.values_count += 1;
            if attribute.values.len() == ATTRIBUTE_VALUES {
                attribute.values.remove(0);
            }
            attribute.values.push(AttributeValue {
                since: (!recorded).then_some(event.time.time),
                position: event.position,
                value: value.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportRequest, Progress, import};
    use crate::store::LogWriter;
    use crate::surroundings::Surroundings;

    const OCEL: &str = r#"{"objectTypes":[],"eventTypes":[],
        "objects":[
            {"id":"i-1","type":"item","attributes":[
                {"name":"price","time":"1970-01-01T00:00:00Z","value":103.470},
                {"name":"price","time":"2024-02-01T00:00:00Z","value":105.47}],
             "relationships":[{"objectId":"o-1","qualifier":"part of"}]},
            {"id":"o-1","type":"order","attributes":[],"relationships":[]}],
        "events":[
            {"id":"e-1","type":"place order","time":"2024-01-01T00:00:00Z","attributes":[],
             "relationships":[{"objectId":"o-1","qualifier":"order"},{"objectId":"i-1","qualifier":"item"},{"objectId":"i-1","qualifier":"gift"}]},
            {"id":"e-2","type":"pick item","time":"2024-03-01T00:00:00Z","attributes":[],
             "relationships":[{"objectId":"i-1","qualifier":"picked"}]}]}"#;

    fn log(folder: &tempfile::TempDir) -> Log {
        let now = Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
        let surroundings = Surroundings::fixed(now, 7);
        let file = folder.path().join("o.json");
        std::fs::write(&file, OCEL).unwrap();
        let writer =
            LogWriter::create(&folder.path().join("o.annals"), surroundings.clone()).unwrap();
        import(
            &writer,
            &ImportRequest::of(vec![file]),
            &surroundings,
            &Progress::default(),
        )
        .unwrap();
        writer.log()
    }

    fn at(log: &Log, at: Option<&str>) -> ObjectView {
        let at = at.map(|text| Time::parse_rfc3339(text).unwrap());
        let as_of = AsOf { at, known: None };
        object(log, &"i-1".parse().unwrap(), as_of, Version::NONE, 100).unwrap()
    }

    #[test]
    fn an_object_is_what_it_was_at_the_instant() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(&folder);
        let now = at(&log, None);
        assert_eq!((now.object_type.as_str(), now.events_count), ("item", 2));
        let ties = [("o-1", "part of")];
        let told: Vec<_> = now
            .relationships
            .iter()
            .map(|t| (t.object.as_str(), t.qualifier.as_str()))
            .collect();
        assert_eq!(told, ties);
        let price = &now.attributes[0];
        let values: Vec<_> = price
            .values
            .iter()
            .map(|v| (v.since.is_none(), v.value.get()))
            .collect();
        assert_eq!(
            (price.name.as_str(), values),
            ("price", vec![(true, "103.470"), (false, "105.47")])
        );
        let events: Vec<_> = now
            .events
            .iter()
            .map(|e| {
                (
                    e.event_type.as_str(),
                    e.stream.as_deref().unwrap(),
                    e.qualifier.as_str(),
                )
            })
            .collect();
        assert_eq!(
            events,
            [
                ("place order", "o-1", "item, gift"),
                ("pick item", "i-1", "picked")
            ]
        );

        let then = at(&log, Some("2024-01-15T00:00:00Z"));
        assert_eq!((then.events_count, then.attributes[0].values_count), (1, 1));
    }

    #[test]
    fn pages_of_its_events_come_together() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(&folder);
        let stream = "i-1".parse().unwrap();
        let page = |after| object(&log, &stream, AsOf::default(), after, 1).unwrap();
        let first = page(Version::NONE);
        assert_eq!((first.events.len(), first.events_count), (1, 2));
        let second = page(first.next.unwrap());
        assert_eq!(
            (second.events[0].event_type.as_str(), second.next),
            ("pick item", None)
        );
    }

    #[test]
    fn objects_are_listed_with_their_types() {
        let folder = tempfile::tempdir().unwrap();
        let query = StreamQuery {
            category: Some("item".parse().unwrap()),
            ..StreamQuery::default()
        };
        let view = objects(&log(&folder), &query, 10).unwrap();
        assert_eq!((view.count, view.objects[0].stream.as_str()), (1, "i-1"));
        assert_eq!(view.types.len(), 2);
    }
}
