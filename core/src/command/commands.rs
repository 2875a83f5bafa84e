//! Commands against a log: load, decide, append at the version decided on, try again.

use std::sync::Mutex;

use super::kept::Kept;
use super::work::{Warm, Work, load, lock};
use super::{Aggregate, CommandError, Context, Decided, Rejected};
use crate::event::{JSON, NewEvent, Payload, SourceFields};
use crate::id::{EventId, EventType, StreamId};
use crate::position::Version;
use crate::snapshot::Snapshots;
use crate::store::{AppendError, AppendedEvent, ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::time::SourceTime;

/// Tries after the first where nothing else is asked for.
pub const RETRIES: u32 = 16;

/// Aggregates remembered at most; then all are forgotten, and read again when they are needed.
const MAX_WARM: usize = 10_000;

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Where its events stand, in the order decided; none where there was nothing to do.
    pub events: Vec<AppendedEvent>,
    /// A command with this id had been carried out before: these are its events, and nothing was appended.
    pub repeated: bool,
    /// Tries that it took, first included.
    pub tries: u32,
}

/// Carries out commands on a log, from many threads if need be. Aggregates stay warm between commands.
#[derive(Debug)]
pub struct Commands<'w> {
    writer: &'w LogWriter,
    log: Log,
    warm: Mutex<Warm>,
    retries: u32,
    records: bool,
    kept: Option<Kept>,
}

impl<'w> Commands<'w> {
    /// Commands on this log, with [`RETRIES`]; rejections are not recorded.
    #[must_use]
    pub fn new(writer: &'w LogWriter) -> Commands<'w> {
        Commands {
            log: writer.log(),
            writer,
            warm: Mutex::default(),
            retries: RETRIES,
            records: false,
            kept: None,
        }
    }

    /// Loads aggregates that are not warm from these snapshots and the events after them, and keeps one whenever
    /// `every` events or more had to be read: those of aggregates that have any ([`Aggregate::SNAPSHOT`]).
    #[must_use]
    pub fn with_snapshots(mut self, snapshots: Snapshots, every: u64) -> Commands<'w> {
        self.kept = Some(Kept { snapshots, every });
        self
    }

    /// Sets how often a command that others were faster than is tried again.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Commands<'w> {
        self.retries = retries;
        self
    }

    /// Has each rejection recorded as an event `CommandRejected` of the stream `rejected-…` of its own: an audit asks
    /// for what was refused, too.
    #[must_use]
    pub fn recording_rejections(mut self) -> Commands<'w> {
        self.records = true;
        self
    }

    /// Has one aggregate handle one command.
    ///
    /// # Errors
    /// [`CommandError`]; nothing was appended, the record of a rejection aside.
    pub fn execute<A: Aggregate>(
        &self,
        stream: &StreamId,
        command: A::Command,
        context: &Context,
    ) -> Result<Done, CommandError>
    where
        A::Command: Clone,
    {
        self.transact(context, |work| {
            work.send::<A>(stream, command.clone()).map(|_| ())
        })
    }

    /// Does a piece of work over several aggregates, all or nothing. `decide` may be called several times: where an
    /// aggregate that it read has changed meanwhile, it is asked again.
    ///
    /// # Errors
    /// [`CommandError`]; nothing was appended, the record of a rejection aside.
    pub fn transact(
        &self,
        context: &Context,
        mut decide: impl FnMut(&mut Work<'_>) -> Result<(), CommandError>,
    ) -> Result<Done, CommandError> {
        let mut fresh = false;
        let mut tries = 0;
        loop {
            tries += 1;
            if let Some(events) = self.carried_out(context)? {
                return Ok(Done {
                    events,
                    repeated: true,
                    tries,
                });
            }
            let mut work =
                Work::new(&self.warm, Some(&self.log), fresh).with_kept(self.kept.as_ref());
            match decide(&mut work) {
                Ok(()) => {}
                // What is warm may be old: a rule is asked once more before it has the last word.
                Err(CommandError::Rejected(_)) if !fresh => {
                    fresh = true;
                    tries -= 1;
                    continue;
                }
                Err(CommandError::Rejected(rejected)) => {
                    if self.records {
                        self.record(&rejected, context)?;
                    }
                    return Err(CommandError::Rejected(rejected));
                }
                Err(error) => return Err(error),
            }
            let (decided, versions) = work.outcome();
            if decided.is_empty() && !fresh {
                fresh = true;
                tries -= 1;
                continue;
            }
            let appends = appends(decided, versions, context)?;
            if decided.is_empty() {
                work.keep();
                return Ok(Done {
                    events: Vec::new(),
                    repeated: false,
                    tries,
                });
            }
            match self.writer.append(appends) {
                Ok(appended) => {
                    let repeated = appended.events.iter().any(|event| event.duplicate);
                    if !repeated {
                        work.keep();
                    }
                    self.bound();
                    return Ok(Done {
                        events: appended.events,
                        repeated,
                        tries,
                    });
                }
                Err(last @ (AppendError::VersionConflict { .. } | AppendError::IdTaken { .. })) => {
                    if tries > self.retries {
                        return Err(CommandError::Conflict { tries, last });
                    }
                    fresh = true;
                }
                Err(error) => return Err(CommandError::Append(error)),
            }
        }
    }

    /// The aggregate of a stream as the log holds it, and its version.
    ///
    /// # Errors
    /// [`CommandError::Read`], [`CommandError::Unreadable`].
    pub fn load<A: Aggregate>(&self, stream: &StreamId) -> Result<(A, Version), CommandError> {
        load(&self.log, stream, self.kept.as_ref())
    }

    /// Where the events of a command stand that was carried out before.
    fn carried_out(&self, context: &Context) -> Result<Option<Vec<AppendedEvent>>, CommandError> {
        let mut events = Vec::new();
        loop {
            let event = self.log.event_by_id(&event_id(context, events.len())?)?;
            match event {
                Some(event) => events.push(AppendedEvent {
                    position: event.position,
                    version: event.version,
                    duplicate: true,
                }),
                None => return Ok((!events.is_empty()).then_some(events)),
            }
        }
    }

    fn record(&self, rejected: &Rejected, context: &Context) -> Result<(), CommandError> {
        let Rejected {
            stream,
            version,
            rule,
            looked_at,
            reason,
        } = rejected;
        let data = serde_json::json!({
            "stream": stream,
            "version": version,
            "rule": rule,
            "lookedAt": looked_at,
            "reason": reason.to_string(),
            "commandId": context.id,
        });
        let unwritable = |reason: crate::id::NameError| CommandError::Unwritable {
            stream: stream.clone(),
            reason: reason.to_string(),
        };
        let mut event = event(context, "CommandRejected", data.to_string())?;
        event.id = Some(EventId::new(format!("{}:rejected", context.id)).map_err(unwritable)?);
        let append = StreamAppend {
            stream: StreamId::new(format!("rejected-{stream}")).map_err(unwritable)?,
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        match self.writer.append(vec![append]) {
            // The same command was refused before, for another reason or at another version: that stands.
            Ok(_) | Err(AppendError::IdTaken { .. }) => Ok(()),
            Err(error) => Err(CommandError::Append(error)),
        }
    }

    fn bound(&self) {
        let mut warm = lock(&self.warm);
        if warm.len() > MAX_WARM {
            warm.clear();
        }
    }
}

fn event_id(context: &Context, index: usize) -> Result<EventId, CommandError> {
    named(
        context,
        EventId::new(format!("{}:{}", context.id, index + 1)),
    )
}

fn named<T>(context: &Context, name: Result<T, crate::id::NameError>) -> Result<T, CommandError> {
    name.map_err(|error| CommandError::Unwritable {
        stream: StreamId::new("command").expect("the text is not empty"),
        reason: format!("command {}: {error}", context.id),
    })
}

fn event(context: &Context, event_type: &str, data: String) -> Result<NewEvent, CommandError> {
    let payload = |text: String| Payload {
        content_type: JSON.into(),
        bytes: text.into_bytes(),
    };
    Ok(NewEvent {
        id: None,
        event_type: named(context, EventType::new(event_type))?,
        time: context.time.map(SourceTime::unwritten),
        schema_version: None,
        data: payload(data),
        metadata: Some(payload(context.metadata())),
        source: SourceFields::default(),
        links: Vec::new(),
    })
}

/// One append: the events in the order decided, and what every stream that was read must look like.
fn appends<'a>(
    decided: &[Decided],
    versions: impl Iterator<Item = (&'a StreamId, Version)>,
    context: &Context,
) -> Result<Vec<StreamAppend>, CommandError> {
    let expected = |version| match version {
        Version::NONE => ExpectedVersion::NoStream,
        version => ExpectedVersion::Exact(version),
    };
    let mut read: Vec<StreamAppend> = versions
        .map(|(stream, version)| StreamAppend {
            stream: stream.clone(),
            category: None,
            expected: expected(version),
            events: Vec::new(),
        })
        .collect();
    for (index, decision) in decided.iter().enumerate() {
        let mut event = event(context, &decision.event_type, decision.data.clone())?;
        event.id = Some(event_id(context, index)?);
        event.links.clone_from(&decision.links);
        let expected = read
            .iter()
            .find(|append| append.stream == decision.stream)
            .map_or(ExpectedVersion::Any, |append| append.expected);
        // Expectations are held against the streams as they stand before the whole append.
        match read.last_mut() {
            Some(last) if last.stream == decision.stream && !last.events.is_empty() => {
                last.events.push(event);
            }
            _ => read.push(StreamAppend {
                stream: decision.stream.clone(),
                category: None,
                expected,
                events: vec![event],
            }),
        }
    }
    Ok(read)
}
