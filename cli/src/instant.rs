//! Instants as users write them, and how they were read.

use annals_core::id::StreamId;
use annals_core::position::{Position, Version};
use annals_core::store::Log;
use annals_core::temporal::{AsOf, AtReading, Moment, parse_at};
use annals_core::time::{SourceTime, Time, TimeError, parse_zone};
use chrono_tz::Tz;

use crate::failure::Failure;

/// Reads a zone name for clap.
pub fn zone(text: &str) -> Result<Tz, TimeError> {
    parse_zone(text)
}

/// Reads the last instant that counts: a time, or a date, which is the end of that day.
pub fn at(option: &str, text: &str, zone: Tz) -> Result<AtReading, Failure> {
    parse_at(text, zone).map_err(|error| bad_time(option, &error))
}

/// Reads the first instant that counts: a time, or a date, which is the start of that day.
pub fn from(option: &str, text: &str, zone: Tz) -> Result<AtReading, Failure> {
    let time = SourceTime::parse(text, zone).map_err(|error| bad_time(option, &error))?;
    Ok(AtReading {
        at: time.time,
        reading: time
            .date_only
            .then(|| format!("start of {} ({zone})", text.trim())),
    })
}

/// Reads when an event happened.
pub fn source_time(option: &str, text: &str, zone: Tz) -> Result<SourceTime, Failure> {
    SourceTime::parse(text, zone).map_err(|error| bad_time(option, &error))
}

fn bad_time(option: &str, error: &TimeError) -> Failure {
    Failure::usage(format!("{option}: {error}"))
        .hint("write 2024-01-10 for a day, 2024-01-10T14:30:00Z or 2024-01-10T14:30:00+02:00 for an instant; --zone names the zone of times that have none")
}

/// Reads what was known: a position, or a time of recording.
pub fn known(log: &Log, text: &str, zone: Tz) -> Result<(Position, Option<String>), Failure> {
    known_by("--known", log, text, zone)
}

/// Reads what was known from another option's value.
pub fn known_by(
    option: &str,
    log: &Log,
    text: &str,
    zone: Tz,
) -> Result<(Position, Option<String>), Failure> {
    if is_digits(text) {
        let position = text
            .parse()
            .map_err(|_| Failure::usage(format!("{option}: {text} is larger than any position")))?;
        return Ok((Position(position), None));
    }
    let AtReading { at, reading } = at(option, text, zone)?;
    let position = log.known_at(at)?;
    let what = reading.unwrap_or_else(|| at.to_string());
    Ok((
        position,
        Some(format!("known: recorded by {what}, position {position}")),
    ))
}

/// Whether the text is a plain number, such as a position.
pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Where on a stream to stand, as options.
#[derive(Debug, clap::Args)]
pub struct MomentArgs {
    /// The stream's first N events; 0 is before the first
    #[arg(long, value_name = "N", conflicts_with_all = ["at", "known"])]
    version: Option<u64>,
    /// What had happened by then; a date means the end of that day
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What was known by then: a position of the log, or a time of recording
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    zone: Tz,
}

impl MomentArgs {
    /// Reads what can be read without a log, so that a wrong time is told before a store is looked for.
    pub fn read(self) -> Result<AskedMoment, Failure> {
        let MomentArgs {
            version,
            at: at_text,
            known,
            zone,
        } = self;
        let at = at_text.map(|text| at("--at", &text, zone)).transpose()?;
        Ok(AskedMoment {
            version,
            at,
            known,
            zone,
        })
    }
}

/// An instant on the whole log, as options.
#[derive(Debug, clap::Args)]
pub struct AsOfArgs {
    /// What had happened by then; a date means the end of that day
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What was known by then: a position of the log, or a time of recording
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    zone: Tz,
}

impl AsOfArgs {
    /// Reads what can be read without a log.
    pub fn read(self) -> Result<AskedMoment, Failure> {
        let AsOfArgs { at, known, zone } = self;
        let version = None;
        MomentArgs {
            version,
            at,
            known,
            zone,
        }
        .read()
    }
}

/// A moment that still is to be looked up in a log.
#[derive(Debug)]
pub struct AskedMoment {
    version: Option<u64>,
    at: Option<AtReading>,
    known: Option<String>,
    zone: Tz,
}

impl AskedMoment {
    /// The instant on a log, and how it was read; a version is none.
    pub fn on_whole_log(self, log: &Log) -> Result<(AsOf, Option<String>), Failure> {
        let MomentReading { moment, reading } = self.on(log)?;
        match moment {
            Moment::AsOf(as_of) => Ok((as_of, reading)),
            Moment::Version(_) => Err(Failure::usage(
                "--version is about one stream; give --at or --known for several",
            )),
        }
    }

    /// The moment on a log.
    pub fn on(self, log: &Log) -> Result<MomentReading, Failure> {
        if let Some(n) = self.version {
            return Ok(MomentReading::version(n));
        }
        let known = self
            .known
            .map(|text| known(log, &text, self.zone))
            .transpose()?;
        Ok(MomentReading::as_of(self.at, known))
    }
}

/// A moment, and how the words for it were read where they left a choice.
#[derive(Debug)]
pub struct MomentReading {
    /// The moment.
    pub moment: Moment,
    /// How it was read.
    pub reading: Option<String>,
}

impl MomentReading {
    /// The stream's first `n` events.
    pub fn version(n: u64) -> MomentReading {
        MomentReading {
            moment: Moment::Version(Version(n)),
            reading: None,
        }
    }

    /// Both coordinates, each with how it was read.
    pub fn as_of(
        at: Option<AtReading>,
        known: Option<(Position, Option<String>)>,
    ) -> MomentReading {
        let (at, at_reading): (Option<Time>, _) = match at {
            Some(AtReading { at, reading }) => (Some(at), reading),
            None => (None, None),
        };
        let (known, known_reading) = match known {
            Some((position, reading)) => (Some(position), reading),
            None => (None, None),
        };
        let readings: Vec<String> = at_reading.into_iter().chain(known_reading).collect();
        MomentReading {
            moment: Moment::AsOf(AsOf { at, known }),
            reading: (!readings.is_empty()).then(|| readings.join("; ")),
        }
    }

    /// Reads `v3` (a version) or a time, as `annals diff` takes them.
    pub fn parse(option: &str, text: &str, zone: Tz) -> Result<MomentReading, Failure> {
        if let Some(digits) = text.strip_prefix(['v', 'V']).filter(|d| is_digits(d)) {
            let n = digits.parse().map_err(|_| {
                Failure::usage(format!("{option}: {text} is larger than any version"))
            })?;
            return Ok(MomentReading::version(n));
        }
        match at(option, text, zone) {
            Ok(at) => Ok(MomentReading::as_of(Some(at), None)),
            Err(failure) => Err(failure.hint(
                "write v3 for version 3, or a time such as 2024-01-10T14:30:00Z or 2024-01-10",
            )),
        }
    }
}

/// Adds what helps to a failure about a stream: streams with a like name.
pub fn with_like_streams(failure: Failure, log: &Log, stream: &StreamId) -> Failure {
    if failure.code != crate::failure::Code::NoStream {
        return failure;
    }
    let query = annals_core::store::StreamQuery {
        contains: Some(stream.as_str().to_owned()),
        ..Default::default()
    };
    let like: Vec<String> = match log.streams(&query, 3) {
        Ok(page) => page.streams.into_iter().map(|row| row.stream).collect(),
        Err(_) => Vec::new(),
    };
    if like.is_empty() {
        failure.hint("annals streams STORE --match TEXT finds streams by a part of their name")
    } else {
        failure.hint(format!("did you mean {}?", like.join(", ")))
    }
}
