//! Which events: the options that `events` and `export` share.

use annals_core::export::fixture::FixtureRequest;
use annals_core::id::{Actor, Category, EventType, StreamId};
use annals_core::position::Version;
use annals_core::store::{Direction, EventQuery};
use chrono_tz::Tz;

use crate::failure::Failure;
use crate::instant;

/// Conditions; an event must meet all that are given.
#[derive(Debug, clap::Args)]
pub struct Filters {
    /// Only events of this stream, linked ones included: those that an object takes part in
    #[arg(long, visible_alias = "object", value_name = "S")]
    stream: Option<StreamId>,
    /// Only events of this category
    #[arg(long, value_name = "C")]
    category: Option<Category>,
    /// Only events of this type
    #[arg(long = "type", value_name = "T")]
    event_type: Option<EventType>,
    /// Only events by this actor
    #[arg(long, value_name = "A")]
    actor: Option<Actor>,
    /// Only events with this correlation id
    #[arg(long, value_name = "X")]
    correlation: Option<String>,
    /// Only events that happened at this time or later; a date means the start of that day
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only events that happened by this time; a date means the end of that day
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = instant::zone)]
    zone: Tz,
    /// Newest position first
    #[arg(long)]
    reverse: bool,
}

/// A query, and how its dates were read.
#[derive(Debug)]
pub struct FilterReading {
    /// The query.
    pub query: EventQuery,
    /// How bare dates were read, for the answer to say.
    pub readings: Vec<String>,
}

impl Filters {
    /// Zone of times that name none.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Reads which versions of the stream are meant: `--stream` with `--from v3` and `--to v9`.
    pub fn slice(self) -> Result<FixtureRequest, Failure> {
        let Filters {
            stream,
            category,
            event_type,
            actor,
            correlation,
            from,
            to,
            zone: _,
            reverse,
        } = self;
        let others = category.is_some()
            || event_type.is_some()
            || actor.is_some()
            || correlation.is_some()
            || reverse;
        if others {
            return Err(Failure::usage("--fixture takes a whole slice of a stream")
                .hint("it goes with --stream, --from vN and --to vN"));
        }
        let version = |option: &str, text: Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let digits = text.strip_prefix('v').unwrap_or_default();
            let version = digits.parse().ok().filter(|n: &u64| *n > 0);
            version.map(|n| Some(Version(n))).ok_or_else(|| {
                Failure::usage(format!("{option}: {text:?} is not a version"))
                    .hint("with --fixture, write v3 for the stream's third event")
            })
        };
        Ok(FixtureRequest {
            stream: stream.ok_or_else(|| Failure::usage("--fixture needs --stream"))?,
            from: version("--from", from)?.unwrap_or(Version(1)),
            to: version("--to", to)?,
        })
    }

    /// Reads the times and makes the query.
    pub fn read(self) -> Result<FilterReading, Failure> {
        let Filters {
            stream,
            category,
            event_type,
            actor,
            correlation,
            from,
            to,
            zone,
            reverse,
        } = self;
        let from = from
            .map(|text| instant::from("--from", &text, zone))
            .transpose()?;
        let to = to
            .map(|text| instant::at("--to", &text, zone))
            .transpose()?;
        let readings = [("from", &from), ("to", &to)]
            .into_iter()
            .filter_map(|(name, at)| {
                let reading = at.as_ref()?.reading.as_ref()?;
                Some(format!("{name}: {reading}"))
            })
            .collect();
        let query = EventQuery {
            stream,
            category,
            event_type,
            actor,
            correlation,
            from: from.map(|reading| reading.at),
            to: to.map(|reading| reading.at),
            known: None,
            direction: if reverse {
                Direction::Backwards
            } else {
                Direction::Forwards
            },
            after: None,
        };
        Ok(FilterReading { query, readings })
    }
}
