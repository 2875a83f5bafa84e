//! Logs with faults, and the list of them: what tools that look for faults are tried on.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::Play;
use super::calendar::{DAY, MINUTE};
use super::random::{Random, mix};
use super::stage::Happening;
use crate::event::Payload;
use crate::id::EventId;
use crate::position::Position;
use crate::time::{SourceTime, Time};

/// One event in so many is spoilt, about.
const ONE_IN: u64 = 150;

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// An event is missing: the source's versions of its stream jump.
    Gap,
    /// An event is there twice, under two ids.
    Duplicate,
    /// An event says that it happened days before it did.
    BackDated,
    /// An event came into the log after another of its stream that happened minutes later.
    Late,
    /// An event does not say who did it.
    MissingActor,
    /// An event that a rule of the business does not allow.
    BrokenRule,
}

/// A fault that was put into a log on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What kind it is.
    pub kind: FaultKind,
    /// The event; where one is missing, the next of its stream, `null` if there is none.
    pub position: Option<Position>,
    /// The stream.
    pub stream: String,
    /// Type of the event, or of the missing one.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The source's version of the event, or of the missing one.
    pub source_version: u64,
    /// The rule that is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// Takes the events of a world and spoils some.
#[derive(Debug)]
pub(super) struct Spoiler {
    random: Random,
    ready: VecDeque<Happening>,
    /// Number of the next event that is stored.
    next: u64,
    forged: u64,
    /// Of each stream: the source's version and time of its last event.
    streams: HashMap<String, (u64, Time)>,
    found: Vec<Fault>,
    /// Kinds in turn, so that even a small log has all of them.
    turn: usize,
    until: u64,
    every: u64,
}

const KINDS: [FaultKind; 6] = [
    FaultKind::BrokenRule,
    FaultKind::Duplicate,
    FaultKind::Gap,
    FaultKind::MissingActor,
    FaultKind::BackDated,
    FaultKind::Late,
];

impl Spoiler {
    pub(super) fn new(seed: u64, events: u64) -> Spoiler {
        let every = ONE_IN.min(events / 24).max(1);
        Spoiler {
            random: Random::new(mix(seed, 0x0fa1)),
            ready: VecDeque::new(),
            next: 1,
            forged: 0,
            streams: HashMap::new(),
            found: Vec::new(),
            turn: 0,
            until: every * 3,
            every,
        }
    }

    /// The next event of the spoilt world.
    pub(super) fn next(&mut self, play: &mut dyn Play) -> Happening {
        loop {
            if let Some(happening) = self.ready.pop_front() {
                self.next += 1;
                return happening;
            }
            if self.until == 0 && KINDS[self.turn % KINDS.len()] == FaultKind::BrokenRule {
                self.wait();
                self.forged += 1;
                if let Some((rule, forged)) = play.forge(self.forged) {
                    for (nth, happening) in forged.into_iter().enumerate() {
                        let fault = (nth == 0).then_some((FaultKind::BrokenRule, Some(rule)));
                        self.store(happening, fault);
                    }
                    continue;
                }
            }
            let happening = play.next();
            self.take(happening, play);
        }
    }

    /// Waits for the next turn.
    fn wait(&mut self) {
        self.turn += 1;
        self.until = self.every / 2 + self.random.below(self.every);
    }

    fn take(&mut self, mut happening: Happening, play: &dyn Play) {
        self.until = self.until.saturating_sub(1);
        let name = happening.stream.to_string();
        let event_type = happening.event.event_type.as_str();
        let is_harmless = play.harmless().contains(&event_type);
        let before = self.streams.get(&name).copied();
        if self.until == 0 {
            match KINDS[self.turn % KINDS.len()] {
                FaultKind::Duplicate if is_harmless => {
                    self.wait();
                    let mut again = happening.clone();
                    self.store(happening, None);
                    let first = again.event.id.take();
                    let id = first.as_ref().map_or("none", |id| id.as_str());
                    again.event.id = EventId::new(format!("{id}-again")).ok();
                    again.event.source.source_id = first.map(|id| id.to_string());
                    // The same record of the source: its version is the same.
                    if let Some((version, _)) = self.streams.get_mut(&name) {
                        *version -= 1;
                    }
                    return self.store(again, Some((FaultKind::Duplicate, None)));
                }
                FaultKind::Gap if is_harmless && before.is_some() => {
                    self.wait();
                    self.lose(&happening);
                    if let Some(instead) = play.make_up(&happening) {
                        self.store(instead, None);
                    }
                    return;
                }
                FaultKind::MissingActor => {
                    self.wait();
                    happening.event.metadata = happening.event.metadata.and_then(without_actor);
                    return self.store(happening, Some((FaultKind::MissingActor, None)));
                }
                kind @ (FaultKind::BackDated | FaultKind::Late) if before.is_some() => {
                    self.wait();
                    let earlier = match kind {
                        FaultKind::Late => self.random.between(1, 50) * MINUTE,
                        _ => self.random.between(1, 20) * DAY,
                    };
                    let (_, last) = before.unwrap_or((0, Time::MIN));
                    let told = Time::from_parts(last.us() - earlier, 0);
                    happening.event.time = told.map(SourceTime::unwritten);
                    return self.store(happening, Some((kind, None)));
                }
                _ => {}
            }
        }
        self.store(happening, None);
    }

    /// An event is not stored; the next of its stream will show it.
    fn lose(&mut self, happening: &Happening) {
        let name = happening.stream.to_string();
        let (version, _) = self.streams.entry(name.clone()).or_insert((0, Time::MIN));
        *version += 1;
        self.found.push(Fault {
            kind: FaultKind::Gap,
            position: None,
            stream: name,
            event_type: happening.event.event_type.to_string(),
            source_version: *version,
            rule: None,
        });
    }

    fn store(
        &mut self,
        mut happening: Happening,
        fault: Option<(FaultKind, Option<&'static str>)>,
    ) {
        let name = happening.stream.to_string();
        let position = Position(self.next + self.ready.len() as u64);
        let (version, last) = self.streams.entry(name.clone()).or_insert((0, Time::MIN));
        *version += 1;
        *last = (*last).max(time_of(&happening));
        let source_version = *version;
        happening.event.source.source_version = Some(source_version.to_string());
        let open = |gap: &&mut Fault| {
            gap.kind == FaultKind::Gap && gap.position.is_none() && gap.stream == name
        };
        for gap in self.found.iter_mut().filter(|gap| open(gap)) {
            gap.position = Some(position);
        }
        if let Some((kind, rule)) = fault {
            self.found.push(Fault {
                kind,
                position: Some(position),
                stream: name,
                event_type: happening.event.event_type.to_string(),
                source_version,
                rule: rule.map(str::to_owned),
            });
        }
        self.ready.push_back(happening);
    }

    /// The faults of a log of so many events, by position; gaps at the end of their stream last.
    pub(super) fn found(self, size: u64) -> Vec<Fault> {
        let inside = |fault: &Fault| fault.position.is_none_or(|position| position.0 <= size);
        let mut found: Vec<Fault> = self.found.into_iter().filter(inside).collect();
        found.sort_by_key(|fault| (fault.position.is_none(), fault.position, fault.kind));
        found
    }
}

fn time_of(happening: &Happening) -> Time {
    let time = happening.event.time.as_ref();
    time.map_or(happening.recorded, |time| time.time)
}

fn without_actor(metadata: Payload) -> Option<Payload> {
    let text = metadata.json_text()?;
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    fields.remove("userId");
    Some(Payload {
        bytes: serde_json::to_vec(&fields).ok()?,
        ..metadata
    })
}
