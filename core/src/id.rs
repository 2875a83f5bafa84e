//! Names: of logs, streams, categories, types, events and actors. Each is the source's exact text.

use ecow::EcoString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Longest name, in bytes of UTF-8, that the log takes for a stream, type, event id or actor.
pub const MAX_NAME_BYTES: usize = 4096;

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a {what} must not be empty")]
    Empty {
        /// What the text was to name.
        what: &'static str,
    },
    /// The text is longer than [`MAX_NAME_BYTES`].
    #[error("a {what} of {len} bytes is too long (at most {MAX_NAME_BYTES})")]
    TooLong {
        /// What the text was to name.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
    },
}

/// `$inner` is how the text is held: where many events have the same, in place if it is short and shared if not,
/// owned where each has its own.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $inner:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
        #[ts(export)]
        #[ts(type = "string")]
        pub struct $name($inner);

        impl $name {
            /// Takes the text exactly as it is.
            ///
            /// # Errors
            /// [`NameError`] if the text is empty or longer than [`MAX_NAME_BYTES`].
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                if text.is_empty() {
                    return Err(NameError::Empty { what: $what });
                }
                if text.len() > MAX_NAME_BYTES {
                    return Err(NameError::TooLong { what: $what, len: text.len() });
                }
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// Name of a stream, which holds one aggregate's events: `order-789`.
    ///
    /// ```
    /// use annals_core::id::StreamId;
    /// let stream = StreamId::new("order-789").unwrap();
    /// assert_eq!(stream.default_category().as_str(), "order");
    /// assert!(StreamId::new("").is_err());
    /// ```
    StreamId,
    "stream name",
    EcoString
);
name!(
    /// Kind of aggregate that a stream belongs to: `order`.
    Category,
    "category",
    EcoString
);
name!(
    /// What happened: `OrderPlaced`.
    EventType,
    "event type",
    EcoString
);
name!(
    /// Identity of an event: the source's exact text.
    EventId,
    "event id",
    String
);
name!(
    /// Who did it, as the source says it.
    Actor,
    "actor",
    EcoString
);

impl StreamId {
    /// Returns the text before the first `-`, or the whole name where there is none (or nothing before it).
    #[must_use]
    pub fn default_category(&self) -> Category {
        let text = match self.0.split_once('-') {
            Some((before, _)) if !before.is_empty() => before,
            _ => &self.0,
        };
        Category(text.into())
    }
}

/// Identity of a log: a random UUID given when the file is made. The log's origin is `annals/<uuid>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct LogId(pub uuid::Uuid);

impl LogId {
    /// Returns the origin line of this log's checkpoints (C2SP tlog-checkpoint): `annals/<uuid>`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("annals/{}", self.0)
    }
}

impl std::fmt::Display for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
