//! Three worlds of any size, in which every event is the outcome of a command that an aggregate allowed: a shop, a
//! broker, a clinic. The same world, size and seed give the same log, byte for byte.
//!
//! A world (`shop`, `trading`, `clinic`) decides who wants what and when; `rules` and `commands` beside it decide
//! what comes of that. [`calendar`] says when things happen, [`stage`] runs them, `book` keeps account without
//! looking at aggregates or models, `faults` spoils a log on purpose and says how.

mod book;
pub(super) mod calendar;
mod console;
mod faults;
pub(super) mod random;
pub(super) mod stage;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use self::book::Book;
pub use self::book::{KnownAnswers, KnownChange, KnownValue};
pub use self::console::{
    CommandView, CommandsView, ConsoleError, RejectedView, carry_out, command_names, owned_world,
};
use self::faults::Spoiler;
pub use self::faults::{Fault, FaultKind};
use self::stage::Happening;
use super::{
    SampleError, clinic, read_models, shop, trading, write_definitions, write_files, write_models,
};
use crate::command::{CommandError, Rejection, Work};
use crate::event::NewLink;
use crate::id::StreamId;
use crate::progress::WorkProgress;
use crate::store::{Extraction, UnnamedLog};
use crate::surroundings::Surroundings;

/// Events of a world where nothing else is asked for.
pub const WORLD_EVENTS: u64 = 10_000;

/// Seed of a world where nothing else is asked for.
pub const WORLD_SEED: u64 = 1;

/// Largest world: its largest numbers stay within what the generator counts with.
pub const WORLD_MAX_EVENTS: u64 = 100_000_000;

/// Events stored in one transaction: bounds memory, and costs little.
const CHUNK: u64 = 100_000;

/// A refusal by one of the rules of the worlds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct Breach {
    rule: &'static str,
    looked_at: &'static [&'static str],
    said: String,
}

impl Breach {
    pub(super) fn new(
        rule: &'static str,
        looked_at: &'static [&'static str],
        said: impl Into<String>,
    ) -> Breach {
        Breach {
            rule,
            looked_at,
            said: said.into(),
        }
    }
}

impl Rejection for Breach {
    fn rule(&self) -> &str {
        self.rule
    }

    fn looked_at(&self) -> &[&str] {
        self.looked_at
    }
}

/// The commands of a world: enums in serde's own form, the name of the variant is the name of the command.
pub trait Carry: Serialize + DeserializeOwned {
    /// The names, those of aliases too.
    const NAMES: &'static [&'static str];

    /// Asks the aggregates that it concerns.
    ///
    /// # Errors
    /// [`CommandError`]: a rule is in the way, or a stream cannot be read.
    fn carry_out(self, work: &mut Work<'_>) -> Result<(), CommandError>;
}

/// Name of a stream: ids may be given with or without the category before them. Names made of ids that the log took
/// are no longer than it takes.
pub(super) fn stream(category: &str, id: &str) -> StreamId {
    let own = id
        .strip_prefix(category)
        .and_then(|rest| rest.strip_prefix('-'));
    let name = format!("{category}-{}", own.unwrap_or(id));
    StreamId::new(name).unwrap_or_else(|_| StreamId::new(category).expect("a category is a name"))
}

pub(super) fn link(stream: StreamId, qualifier: &str) -> NewLink {
    NewLink {
        stream,
        qualifier: qualifier.to_owned(),
    }
}

/// Which world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Customers, carts, orders, payments, stock.
    Shop,
    /// Accounts at a broker, orders, executions, dividends.
    Trading,
    /// Patients, appointments, diagnoses, medication.
    Clinic,
}

impl World {
    /// All of them.
    pub const ALL: [World; 3] = [World::Shop, World::Trading, World::Clinic];

    /// Its name: `shop`, `trading` or `clinic`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            World::Shop => "shop",
            World::Trading => "trading",
            World::Clinic => "clinic",
        }
    }

    /// A stream that every log of it has, to look at first.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            World::Shop => "inventory-prod-1",
            World::Trading => "account-1",
            World::Clinic => "patient-1",
        }
    }

    /// The world of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<World> {
        World::ALL.into_iter().find(|world| world.name() == name)
    }

    /// Its models: file name and text.
    pub(super) fn models(self) -> &'static [(&'static str, &'static str)] {
        match self {
            World::Shop => &shop::MODELS,
            World::Trading => &trading::MODELS,
            World::Clinic => &clinic::MODELS,
        }
    }

    /// Its projections and dashboards: folder, file name and text.
    pub(super) fn beside(self) -> &'static super::Beside {
        match self {
            World::Shop => shop::BESIDE,
            World::Trading => trading::BESIDE,
            World::Clinic => clinic::BESIDE,
        }
    }

    fn play(self, events: u64, seed: u64) -> Box<dyn Play> {
        match self {
            World::Shop => Box::new(shop::Shop::new(events, seed)),
            World::Trading => Box::new(trading::Trading::new(events, seed)),
            World::Clinic => Box::new(clinic::Clinic::new(events, seed)),
        }
    }
}

/// A world under way.
pub(super) trait Play {
    /// Does what comes next in its calendar; there may be events of it.
    fn step(&mut self);

    /// An event that waits to be stored.
    fn ready(&mut self) -> Option<Happening>;

    /// Its next event.
    fn next(&mut self) -> Happening {
        loop {
            if let Some(happening) = self.ready() {
                return happening;
            }
            self.step();
        }
    }

    /// The account that is kept of it.
    fn book(&mut self) -> &mut Book;

    /// Types of events that nothing else hangs on: one may be lost or doubled, and no rule is broken.
    fn harmless(&self) -> &'static [&'static str];

    /// An event that makes up for the loss of one that nothing else hangs on, so that the rest of the log stands; it
    /// comes in its place.
    fn make_up(&self, lost: &Happening) -> Option<Happening> {
        let _ = lost;
        None
    }

    /// Events that no rule allowed, and which rule the first of them breaks; `None` where there is nothing to break
    /// at the moment. The others mend what is needed for the rest of the log to stand.
    fn forge(&mut self, number: u64) -> Option<(&'static str, Vec<Happening>)>;
}

/// Which world, how large, and whether with faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorldRequest {
    /// The world.
    pub world: World,
    /// Number of events, at most [`WORLD_MAX_EVENTS`].
    pub events: u64,
    /// Another seed, another log.
    pub seed: u64,
    /// With gaps, duplicates, back-dated and late events, missing actors and broken rules.
    pub faults: bool,
}

impl WorldRequest {
    /// A world of [`WORLD_EVENTS`] and [`WORLD_SEED`], without faults.
    #[must_use]
    pub fn of(world: World) -> WorldRequest {
        WorldRequest {
            world,
            events: WORLD_EVENTS,
            seed: WORLD_SEED,
            faults: false,
        }
    }
}

/// Which shop: the world of that name without faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShopRequest {
    /// Number of events, at most [`WORLD_MAX_EVENTS`].
    pub events: u64,
    /// Another seed, another shop.
    pub seed: u64,
}

impl Default for ShopRequest {
    fn default() -> ShopRequest {
        ShopRequest {
            events: WORLD_EVENTS,
            seed: WORLD_SEED,
        }
    }
}

/// [`make_world`] for a shop without faults.
///
/// # Errors
/// [`SampleError`]; no store is left behind.
pub fn make_shop(
    path: &Path,
    request: &ShopRequest,
    progress: &WorkProgress,
) -> Result<(), SampleError> {
    let ShopRequest { events, seed } = *request;
    let request = WorldRequest {
        events,
        seed,
        ..WorldRequest::of(World::Shop)
    };
    make_world(path, &request, progress)
}

/// Makes a new store with the events of a world and models for them. The same bytes for the same request.
///
/// A world begins on Monday, 2024-01-01. The number of events says how busy it is and how long it runs; at its end
/// some things are still under way. The log is made under a temporary name and gets its own when it is whole. Beside
/// it, in its folder, lie the models and `known-answers.json` ([`KnownAnswers`]), or, of a log with faults,
/// `faults.json`: a list of [`Fault`].
///
/// # Errors
/// [`SampleError`]; no store is left behind.
///
/// ```
/// use annals_core::progress::WorkProgress;
/// use annals_core::sample::{World, WorldRequest, make_world};
/// use annals_core::store::Log;
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("clinic.annals");
/// let request = WorldRequest { events: 500, ..WorldRequest::of(World::Clinic) };
/// make_world(&store, &request, &WorkProgress::default()).unwrap();
/// assert_eq!(Log::explore(&store).unwrap().info().unwrap().events, 500);
/// ```
pub fn make_world(
    path: &Path,
    request: &WorldRequest,
    progress: &WorkProgress,
) -> Result<(), SampleError> {
    let WorldRequest {
        world,
        events,
        seed,
        faults,
    } = *request;
    if events > WORLD_MAX_EVENTS {
        return Err(SampleError::TooLarge { events });
    }
    progress.expect(events);
    // The log's own id follows from all of them: two logs that differ have two ids.
    let kind = world as u64 + if faults { 16 } else { 0 };
    let id = random::mix(random::mix(seed, events), kind);
    let surroundings = Surroundings::fixed(calendar::opening(), id);
    let log = UnnamedLog::create(path, surroundings)?;
    log.writer().mark_world(world.name())?;
    let mut play = world.play(events, seed);
    let mut spoiler = faults.then(|| Spoiler::new(seed, events));
    let mut stored = 0;
    while stored < events {
        let chunk = CHUNK.min(events - stored);
        let mut bulk = log.writer().bulk(world.name(), &Extraction::standard())?;
        for _ in 0..chunk {
            if progress.is_cancelled() {
                return Err(SampleError::Cancelled);
            }
            let happening = match &mut spoiler {
                None => play.next(),
                Some(spoiler) => spoiler.next(&mut *play),
            };
            stored += 1;
            let event_type = happening.event.event_type.as_str();
            play.book().count(happening.stream.as_str(), event_type);
            bulk.set_clock(happening.recorded);
            bulk.add(&happening.stream, None, happening.event)?;
            progress.advance(1);
        }
        bulk.commit()?;
    }
    log.name()?;
    write_models(path, world.models())?;
    write_definitions(path, world.beside())?;
    write_files(path, "projections", read_models::of(world))?;
    let folder = crate::model::folder(path);
    match spoiler {
        None => {
            let answers = std::mem::take(play.book()).answers(events);
            write_beside(&folder.join("known-answers.json"), &answers)
        }
        Some(spoiler) => write_beside(&folder.join("faults.json"), &spoiler.found(events)),
    }
}

fn write_beside(file: &Path, list: &impl Serialize) -> Result<(), SampleError> {
    let text = serde_json::to_string_pretty(list).map_err(std::io::Error::from)?;
    Ok(std::fs::write(file, text + "\n")?)
}

/// Reads the known answers beside a sample store; `None` where there are none.
///
/// # Errors
/// The system's error, also where the file is none of known answers.
pub fn known_answers(store: &Path) -> std::io::Result<Option<KnownAnswers>> {
    read_beside(crate::model::folder(store).join("known-answers.json"))
}

/// Reads the list of faults beside a store that was made with faults; `None` where there is none.
///
/// # Errors
/// The system's error, also where the file is no list of faults.
pub fn injected_faults(store: &Path) -> std::io::Result<Option<Vec<Fault>>> {
    read_beside(crate::model::folder(store).join("faults.json"))
}

fn read_beside<T: DeserializeOwned>(file: PathBuf) -> std::io::Result<Option<T>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
