//! An event before and after the log took it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::id::{Actor, Category, EventId, EventType, StreamId};
use crate::position::{Position, Version};
use crate::time::{SourceTime, Time};

/// Content type of a payload that says nothing else.
pub const JSON: &str = "application/json";

/// Bytes of a payload, kept and hashed byte for byte, with their content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Media type, for example `application/json`. Shared: a log has few of them and many events.
    pub content_type: Arc<str>,
    /// The bytes as recorded.
    pub bytes: Vec<u8>,
}

impl Payload {
    /// A JSON payload; the text is kept exactly as it is.
    ///
    /// # Errors
    /// The parser's error, with line and column, if the text is not one JSON value.
    pub fn json(text: impl Into<String>) -> Result<Payload, serde_json::Error> {
        let text = text.into();
        serde_json::from_str::<&RawValue>(&text)?;
        Ok(Payload {
            content_type: JSON.into(),
            bytes: text.into_bytes(),
        })
    }

    /// Whether the content type is JSON (`application/json` or `…+json`).
    #[must_use]
    pub fn is_json(&self) -> bool {
        is_json_type(&self.content_type)
    }

    /// Returns the text of a JSON payload; `None` if it is not JSON by content type or not UTF-8.
    #[must_use]
    pub fn json_text(&self) -> Option<&str> {
        self.is_json()
            .then(|| std::str::from_utf8(&self.bytes).ok())?
    }
}

/// Whether a content type is JSON.
pub(crate) fn is_json_type(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence == JSON || essence.ends_with("+json")
}

/// Where an imported event came from, as the source says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFields {
    /// Name of the source: one import's file, table or topic. `None` for events appended here.
    /// Shared, as many events come from one source.
    pub source: Option<Arc<str>>,
    /// The source's own id, where it differs from the event's id.
    pub source_id: Option<String>,
    /// The source's own number of the event in its stream.
    pub source_version: Option<String>,
    /// The source's own place of the event in its log.
    pub source_position: Option<String>,
    /// When the source recorded it, where it says so apart from when it happened.
    pub source_recorded_at: Option<Time>,
}

/// A further stream that an event is linked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// The stream.
    pub stream: StreamId,
    /// What the event is to that stream, for example `payer`; may be empty.
    pub qualifier: String,
}

/// An event before the log took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Identity; the log makes one (UUID version 7) where it is `None`.
    pub id: Option<EventId>,
    /// What happened.
    pub event_type: EventType,
    /// When it happened; the log's clock where it is `None`.
    pub time: Option<SourceTime>,
    /// Schema version of the payload, as the source says it.
    pub schema_version: Option<String>,
    /// What the event says.
    pub data: Payload,
    /// Context: who, correlation, causation.
    pub metadata: Option<Payload>,
    /// Where it came from.
    pub source: SourceFields,
    /// Further streams it belongs to.
    pub links: Vec<NewLink>,
}

impl NewEvent {
    /// An event with this type and JSON data, and nothing else.
    ///
    /// # Errors
    /// [`crate::id::NameError`] as text if the type is no name, or the parser's message if `data` is not JSON.
    ///
    /// ```
    /// let placed = annals_core::event::NewEvent::json("OrderPlaced", r#"{"total":109.97}"#).unwrap();
    /// assert_eq!(placed.data.json_text(), Some(r#"{"total":109.97}"#));
    /// ```
    pub fn json(event_type: &str, data: &str) -> Result<NewEvent, String> {
        Ok(NewEvent {
            id: None,
            event_type: EventType::new(event_type).map_err(|e| e.to_string())?,
            time: None,
            schema_version: None,
            data: Payload::json(data).map_err(|e| format!("data is not JSON: {e}"))?,
            metadata: None,
            source: SourceFields::default(),
            links: Vec::new(),
        })
    }
}

/// A tie to an object, as object-centric logs have it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
#[ts(export)]
pub struct Relationship {
    /// The object's id: its stream.
    #[serde(rename = "objectId")]
    pub object: String,
    /// What it is to whoever is tied to it; may be empty.
    pub qualifier: String,
}

/// The three parts of an event that can be withheld or erased each by itself.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    ts_rs::TS,
)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Id, stream, links and source.
    Identity,
    /// The payload.
    Data,
    /// The context.
    Metadata,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Part; 3] = [Part::Identity, Part::Data, Part::Metadata];

    /// Its name, as it is written and printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Part::Identity => "identity",
            Part::Data => "data",
            Part::Metadata => "metadata",
        }
    }
}

/// An event after the log took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Place in the log.
    pub position: Position,
    /// Home stream; `None` only where the identity was erased.
    pub stream: Option<StreamId>,
    /// Category of the home stream; `None` only where the identity was erased.
    pub category: Option<Category>,
    /// Place in the home stream.
    pub version: Version,
    /// What happened.
    pub event_type: EventType,
    /// When it happened, with the text as written.
    pub time: SourceTime,
    /// When this log took it; never decreasing along positions.
    pub recorded_at: Time,
    /// Identity; `None` only where the identity was erased.
    pub id: Option<EventId>,
    /// Who did it, extracted from data or metadata.
    pub actor: Option<Actor>,
    /// Correlation id, extracted from data or metadata.
    pub correlation: Option<String>,
    /// Causation id, extracted from data or metadata.
    pub causation: Option<String>,
    /// Schema version of the payload, as the source says it.
    pub schema_version: Option<String>,
    /// Where it came from.
    pub source: SourceFields,
    /// What the event says; `None` only where it was erased.
    pub data: Option<Payload>,
    /// Context; `None` where there was none or it was erased.
    pub metadata: Option<Payload>,
    /// Parts that were erased, in the order of [`Part`].
    pub erased: Vec<Part>,
    /// RFC 6962 leaf hash.
    pub leaf: crate::integrity::Hash,
}

impl Event {
    /// Type of the event that an import makes of what an object is from the beginning.
    pub const OBJECT_RECORDED: &str = "ObjectRecorded";
    /// Type of the event that an import makes of a later value of an object's attributes.
    pub const OBJECT_CHANGED: &str = "ObjectChanged";

    /// Whether the event says what an object is, and nothing that happened.
    #[must_use]
    pub fn is_object_record(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Mark {
            inferred: bool,
        }
        let named = [Event::OBJECT_RECORDED, Event::OBJECT_CHANGED];
        named.contains(&self.event_type.as_str())
            && self.metadata_as::<Mark>().is_some_and(|mark| mark.inferred)
    }

    /// The objects that the event, or the object that it records, is tied to, where its metadata list them.
    #[must_use]
    pub fn relationships(&self) -> Vec<Relationship> {
        #[derive(serde::Deserialize)]
        struct Ties {
            relationships: Vec<Relationship>,
        }
        self.metadata_as::<Ties>()
            .map(|ties| ties.relationships)
            .unwrap_or_default()
    }

    /// What the object is to the event by its metadata: all that is said of it, with `, ` between; empty for nothing.
    #[must_use]
    pub fn qualifier_of(&self, object: &str) -> String {
        let mut said: Vec<String> = Vec::new();
        for tie in self.relationships() {
            if tie.object == object && !tie.qualifier.is_empty() {
                said.push(tie.qualifier);
            }
        }
        said.join(", ")
    }

    /// The members of the data, as recorded; none where the data are no JSON object. A name that comes twice
    /// comes twice.
    pub(crate) fn members(&self) -> Members<'_> {
        let text = self.data.as_ref().and_then(Payload::json_text);
        text.and_then(|text| members_of(text).ok())
            .unwrap_or_default()
    }

    fn metadata_as<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.metadata.as_ref()?.json_text()?).ok()
    }
}

/// Members of a JSON object, in their order.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The members of an object, in their order, repeated ones too.
///
/// # Errors
/// The parser's, where the text is no object.
pub(crate) fn members_of(text: &str) -> Result<Members<'_>, serde_json::Error> {
    struct Object;
    impl<'de> serde::de::Visitor<'de> for Object {
        type Value = Members<'de>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Members<'de>, A::Error> {
            let mut members = Vec::with_capacity(16);
            while let Some(Key(key)) = map.next_key()? {
                members.push((key, map.next_value()?));
            }
            Ok(members)
        }
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    let members = serde::Deserializer::deserialize_map(&mut parser, Object)?;
    parser.end()?;
    Ok(members)
}

/// A key, borrowed where it holds no escapes.
pub(crate) struct Key<'a>(pub Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> serde::de::Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        d.deserialize_str(Text)
    }
}
