//! What every world is made with: a calendar of things to come, a random source, and aggregates that decide.
//! A world says who wants what, when; what comes of it is the aggregates' to say.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::fmt::Write as _;

use serde_json::Value;

use super::calendar::time;
use super::random::Random;
use super::{Book, Carry};
use crate::command::{CommandError, Decided, Memory, Rejected};
use crate::event::{JSON, NewEvent, Payload, SourceFields};
use crate::id::{EventId, EventType, StreamId};
use crate::time::{SourceTime, Time};

/// One event, and when the log takes it.
#[derive(Debug, Clone)]
pub(in crate::sample) struct Happening {
    pub(in crate::sample) recorded: Time,
    pub(in crate::sample) stream: StreamId,
    pub(in crate::sample) event: NewEvent,
}

/// Number of an event: its position in a log without faults, and what its id is made of.
pub(in crate::sample) type EventNumber = u64;

/// Who wants something, in which course of business, led by which event.
#[derive(Debug, Clone, Copy)]
pub(in crate::sample) struct Doing<'a> {
    pub(in crate::sample) actor: &'a str,
    pub(in crate::sample) journey: Option<(&'a str, u64)>,
    pub(in crate::sample) cause: Option<EventNumber>,
}

impl<'a> Doing<'a> {
    /// Somebody does something by themselves.
    pub(in crate::sample) fn alone(actor: &'a str) -> Doing<'a> {
        Doing {
            actor,
            journey: None,
            cause: None,
        }
    }
}

/// An event that no aggregate decided.
pub(in crate::sample) fn undecided(stream: String, event_type: &str, data: &Value) -> Decided {
    Decided {
        stream: StreamId::new(stream).expect("the names of the worlds are short and not empty"),
        event_type: event_type.to_owned(),
        data: data.to_string(),
        links: Vec::new(),
    }
}

#[derive(Debug)]
struct Entry<D> {
    at: i64,
    /// Entries of one instant come in the order in which they were made.
    number: u64,
    due: D,
}

impl<D> PartialEq for Entry<D> {
    fn eq(&self, other: &Entry<D>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<D> Eq for Entry<D> {}
impl<D> PartialOrd for Entry<D> {
    fn partial_cmp(&self, other: &Entry<D>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<D> Ord for Entry<D> {
    fn cmp(&self, other: &Entry<D>) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// See the module.
#[derive(Debug)]
pub(in crate::sample) struct Stage<D> {
    pub(in crate::sample) random: Random,
    pub(in crate::sample) now: i64,
    /// How long before the log took it the present thing happened, in microseconds.
    pub(in crate::sample) lag: i64,
    /// What is kept of the events for the known answers.
    pub(in crate::sample) book: Book,
    memory: Memory,
    calendar: BinaryHeap<Reverse<Entry<D>>>,
    entries: u64,
    ready: VecDeque<Happening>,
    emitted: EventNumber,
}

impl<D> Stage<D> {
    pub(in crate::sample) fn new(seed: u64) -> Stage<D> {
        Stage {
            random: Random::new(seed),
            now: 0,
            lag: 0,
            book: Book::default(),
            memory: Memory::default(),
            calendar: BinaryHeap::new(),
            entries: 0,
            ready: VecDeque::new(),
            emitted: 0,
        }
    }

    /// An event that waits to be stored.
    pub(in crate::sample) fn ready(&mut self) -> Option<Happening> {
        self.ready.pop_front()
    }

    /// Turns the clock to the next thing to come.
    pub(in crate::sample) fn turn(&mut self) -> D {
        let Reverse(entry) = self
            .calendar
            .pop()
            .expect("INVARIANT: each hour plans the next");
        self.now = entry.at;
        self.lag = self.random.between(20_000, 900_000) / 1_000 * 1_000;
        entry.due
    }

    /// Plans something; clocks count milliseconds.
    pub(in crate::sample) fn plan(&mut self, at: i64, due: D) {
        let at = at / 1_000 * 1_000;
        self.entries += 1;
        self.calendar.push(Reverse(Entry {
            at,
            number: self.entries,
            due,
        }));
    }

    /// Plans something for a random instant between two from now.
    pub(in crate::sample) fn plan_within(&mut self, first: i64, last: i64, due: D) {
        let at = self.now + self.random.between(first / 1_000, last / 1_000) * 1_000;
        self.plan(at, due);
    }

    /// Has a command carried out: gives the number of its last event, or the rule that refused it.
    pub(in crate::sample) fn ask(
        &mut self,
        doing: Doing<'_>,
        command: impl Carry,
    ) -> Result<EventNumber, Box<Rejected>> {
        let decided = self.memory.transact(|work| command.carry_out(work));
        match decided {
            Ok(decided) => {
                for event in decided {
                    self.emit(event, doing);
                }
                Ok(self.emitted)
            }
            Err(CommandError::Rejected(rejected)) => Err(rejected),
            Err(error) => panic!("INVARIANT: aggregates without a log can only refuse: {error}"),
        }
    }

    /// As [`Stage::ask`], where the world has made sure that no rule is in the way.
    pub(in crate::sample) fn have(&mut self, doing: Doing<'_>, command: impl Carry) -> EventNumber {
        match self.ask(doing, command) {
            Ok(number) => number,
            Err(rejected) => panic!("INVARIANT: the world asks only what is allowed: {rejected}"),
        }
    }

    /// Forgets a stream to which nothing more happens.
    pub(in crate::sample) fn forget(&self, stream: &StreamId) {
        self.memory.forget(stream);
    }

    /// Makes events that no rule allowed, for a log with faults: at most 10 of a number.
    pub(in crate::sample) fn forge(
        &self,
        events: Vec<Decided>,
        actor: &str,
        number: u64,
    ) -> Vec<Happening> {
        let doing = Doing::alone(actor);
        let forged = events.into_iter().zip(number * 10..);
        forged
            .map(|(event, number)| self.happening(event, doing, &format!("forged-{number:06}")))
            .collect()
    }

    /// Makes an event in place of one that was lost.
    pub(in crate::sample) fn instead(&self, event: Decided, actor: &str, id: &str) -> Happening {
        self.happening(event, Doing::alone(actor), id)
    }

    fn emit(&mut self, event: Decided, doing: Doing<'_>) {
        self.emitted += 1;
        let happening = self.happening(event, doing, &format!("evt-{:09}", self.emitted));
        self.ready.push_back(happening);
    }

    fn happening(&self, event: Decided, doing: Doing<'_>, id: &str) -> Happening {
        let Decided {
            stream,
            event_type,
            data,
            links,
        } = event;
        let mut metadata = format!(r#"{{"userId":"{}""#, doing.actor);
        let mut member = |key: &str, value: std::fmt::Arguments<'_>| {
            write!(metadata, r#","{key}":"{value}""#).expect("text takes all that is written");
        };
        if let Some((course, number)) = doing.journey {
            member("correlationId", format_args!("{course}-{number}"));
        }
        if let Some(cause) = doing.cause {
            member("causationId", format_args!("evt-{cause:09}"));
        }
        metadata.push('}');
        let payload = |text: String| Payload {
            content_type: JSON.into(),
            bytes: text.into_bytes(),
        };
        let proof = "the names of the worlds are short and not empty";
        Happening {
            recorded: time(self.now),
            stream,
            event: NewEvent {
                id: Some(EventId::new(id).expect(proof)),
                event_type: EventType::new(event_type).expect(proof),
                time: Some(SourceTime::unwritten(time(self.now - self.lag))),
                schema_version: None,
                data: payload(data),
                metadata: Some(payload(metadata)),
                source: SourceFields::default(),
                links,
            },
        }
    }

    /// Number of the last event made.
    pub(in crate::sample) fn last(&self) -> EventNumber {
        self.emitted
    }
}
