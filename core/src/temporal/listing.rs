//! The events of a stream in one line each: what a list of them shows, without their payloads.

use serde::Serialize;
use ts_rs::TS;

use super::TemporalError;
use super::state::stream_row;
use crate::id::StreamId;
use crate::position::{Position, Version};
use crate::store::{Direction, Log, StreamEvent};
use crate::time::Time;

/// An event as a line in the list of a stream's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StreamLine {
    /// Place in the stream that is listed; an event that is linked into it has another one at home.
    pub version: Version,
    /// Place in the log.
    pub position: Position,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, UTC.
    pub time: Time,
    /// Who did it.
    pub actor: Option<String>,
}

/// Some events of a stream, in order of version. A version that is missing belonged to an event whose link was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StreamLinesView {
    /// The stream.
    pub stream: String,
    /// Number of events in it, whatever part of them is listed.
    #[ts(type = "number")]
    pub events_in_stream: u64,
    /// The events.
    pub lines: Vec<StreamLine>,
}

impl From<StreamEvent> for StreamLine {
    fn from(event: StreamEvent) -> StreamLine {
        StreamLine {
            version: event.version,
            position: event.event.position,
            event_type: event.event.event_type.to_string(),
            time: event.event.time.time,
            actor: event.event.actor.map(|actor| actor.to_string()),
        }
    }
}

/// Lists the `versions` versions of a stream from `from` on, as many of them as there are.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read or holds no such stream.
///
/// ```
/// # use annals_core::{position::Version, store::Log, temporal::stream_lines};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let log = Log::explore(&store)?;
/// let view = stream_lines(&log, &"account-12345".parse()?, Version(2), 3)?;
/// assert_eq!(view.events_in_stream, 5);
/// assert_eq!(view.lines[0].version, Version(2));
/// assert_eq!(view.lines[0].event_type, "DepositMade");
/// assert_eq!(view.lines.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn stream_lines(
    log: &Log,
    stream: &StreamId,
    from: Version,
    versions: usize,
) -> Result<StreamLinesView, TemporalError> {
    let row = stream_row(log, stream)?;
    let last = Version(from.0.saturating_add(versions as u64).saturating_sub(1));
    let events = log.read_stream(stream, from..=last, Direction::Forwards, versions)?;
    Ok(StreamLinesView {
        stream: row.stream,
        events_in_stream: row.events,
        lines: events.into_iter().map(StreamLine::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_events_wherever_they_begin_and_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guide.annals");
        crate::sample::guide(&path).unwrap();
        let log = Log::explore(&path).unwrap();
        let stream: StreamId = "account-12345".parse().unwrap();
        let mut all = Vec::new();
        log.for_each_in_stream(&stream, Version::FIRST, None, &mut |event| {
            all.push(StreamLine::from(event));
            true
        })
        .unwrap();
        for from in 1..=all.len() as u64 + 2 {
            for count in 0..=all.len() + 1 {
                let view = stream_lines(&log, &stream, Version(from), count).unwrap();
                let rest = all.iter().filter(|line| line.version.0 >= from);
                let wanted: Vec<StreamLine> = rest.take(count).cloned().collect();
                assert_eq!(view.lines, wanted, "{count} from {from}");
                assert_eq!(view.events_in_stream, all.len() as u64);
            }
        }
        let none = "account-0".parse().unwrap();
        assert!(stream_lines(&log, &none, Version::FIRST, 5).is_err());
    }
}
