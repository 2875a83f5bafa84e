//! Commands by name, for people: only on logs that a sample made, and that hold nothing else.

use serde::Serialize;
use ts_rs::TS;

use super::super::{ClinicCommand, ShopCommand, TradingCommand};
use super::{Carry, World};
use crate::command::{CommandError, Commands, Context, Done, Rejected, Work, decode};
use crate::model::{FieldPath, ModelSet};
use crate::position::{Position, Version};
use crate::store::{EventBrief, Log, LogWriter, ReadError};
use crate::temporal::{self, LookedAt, Moment, TemporalError};

/// Why a command could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The log is none that a sample made.
    #[error("this log is not Annals' own: commands are only for the logs of sample worlds")]
    NotOwned,
    /// The log holds events of others.
    #[error(
        "this log holds imported events ({source_name}): commands are only for what a sample made"
    )]
    Foreign {
        /// Their source.
        source_name: String,
    },
    /// There is no such command.
    #[error("the {world} has no command {name}")]
    Unknown {
        /// The world.
        world: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: &'static [&'static str],
    },
    /// The payload does not fit the command.
    #[error("{name}: {reason}")]
    BadPayload {
        /// The command.
        name: String,
        /// Where it does not, and what was expected.
        reason: String,
    },
    /// The command was not carried out, by no rule.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// What is behind a rejection could not be read.
    #[error(transparent)]
    Temporal(#[from] TemporalError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What came of a command: `annals command --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CommandView {
    /// Identity of the command: sent again with it, it changes nothing.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its events, in the order decided; empty where there was nothing to do, or it was rejected.
    pub events: Vec<EventBrief>,
    /// It had been carried out before; these are its events of then.
    pub repeated: bool,
    /// The rule in the way; `null` if it was carried out.
    pub rejected: Option<RejectedView>,
}

/// A rule in the way of a command, and the events behind it.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RejectedView {
    /// The rule.
    pub rule: String,
    /// Why, in a sentence.
    pub reason: String,
    /// The stream whose rule it is.
    pub stream: String,
    /// Version of that stream when the rule was asked.
    pub version: Version,
    /// What the rule looked at, with the events that set it.
    pub looked_at: Vec<LookedAt>,
}

/// The commands that a log takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CommandsView {
    /// The world that the log was made as; `null` if it is none of Annals' own, and takes no commands.
    pub world: Option<String>,
    /// Names of the commands.
    pub commands: Vec<String>,
}

/// The commands that a log takes; none where it is not of a sample world.
///
/// # Errors
/// [`ReadError`] of the engine.
pub fn command_names(log: &Log) -> Result<CommandsView, ReadError> {
    let names = |world: World| names(world).iter().map(ToString::to_string).collect();
    Ok(match owned_world(log) {
        Ok(world) => CommandsView {
            world: Some(world.name().to_owned()),
            commands: names(world),
        },
        Err(ConsoleError::Read(error)) => return Err(error),
        Err(_) => CommandsView {
            world: None,
            commands: Vec::new(),
        },
    })
}

/// The world of a log that commands may be sent to.
///
/// # Errors
/// [`ConsoleError::NotOwned`], [`ConsoleError::Foreign`], [`ConsoleError::Read`].
pub fn owned_world(log: &Log) -> Result<World, ConsoleError> {
    let named = log.world()?.and_then(|name| World::named(&name));
    let world = named.ok_or(ConsoleError::NotOwned)?;
    let mut sources = log.sources()?.into_iter();
    match sources.find(|source| source != world.name()) {
        Some(source_name) => Err(ConsoleError::Foreign { source_name }),
        None => Ok(world),
    }
}

fn names(world: World) -> &'static [&'static str] {
    match world {
        World::Shop => ShopCommand::NAMES,
        World::Trading => TradingCommand::NAMES,
        World::Clinic => ClinicCommand::NAMES,
    }
}

/// Carries out a command by its name, on a log of a sample world. A rejection is an answer, with the events behind
/// it as the models see them.
///
/// # Errors
/// [`ConsoleError`]; nothing was appended.
///
/// ```
/// use annals_core::command::Context;
/// use annals_core::model::ModelSet;
/// use annals_core::progress::WorkProgress;
/// use annals_core::sample::{World, WorldRequest, carry_out, make_world};
/// use annals_core::{store::LogWriter, surroundings::Surroundings};
/// let folder = tempfile::tempdir()?;
/// let store = folder.path().join("shop.annals");
/// let request = WorldRequest { events: 300, ..WorldRequest::of(World::Shop) };
/// make_world(&store, &request, &WorkProgress::default())?;
/// let writer = LogWriter::open(&store, Surroundings::system())?;
/// let models = ModelSet::load(&store)?.0;
/// let cancel = r#"{"orderId":"order-1","reason":"changed my mind"}"#;
/// let answer = carry_out(&writer, &models, "CancelOrder", cancel, &Context::new("cmd-1"))?;
/// let rejected = answer.rejected.unwrap();
/// assert_eq!(rejected.rule, "no-change-after-shipped");
/// assert_eq!(rejected.looked_at[0].path, "status");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn carry_out(
    writer: &LogWriter,
    models: &ModelSet,
    name: &str,
    data: &str,
    context: &Context,
) -> Result<CommandView, ConsoleError> {
    let log = writer.log();
    let world = owned_world(&log)?;
    let done = match world {
        World::Shop => carry::<ShopCommand>(writer, world, name, data, context),
        World::Trading => carry::<TradingCommand>(writer, world, name, data, context),
        World::Clinic => carry::<ClinicCommand>(writer, world, name, data, context),
    };
    let mut view = CommandView {
        id: context.id.clone(),
        name: name.to_owned(),
        events: Vec::new(),
        repeated: false,
        rejected: None,
    };
    match done {
        Ok(Done {
            events,
            repeated,
            tries: _,
        }) => {
            view.repeated = repeated;
            for place in events {
                view.events.extend(brief(&log, place.position)?);
            }
            Ok(view)
        }
        Err(ConsoleError::Command(CommandError::Rejected(rejected))) => {
            view.rejected = Some(behind(&log, models, &rejected)?);
            Ok(view)
        }
        Err(error) => Err(error),
    }
}

fn carry<C: Carry + Clone>(
    writer: &LogWriter,
    world: World,
    name: &str,
    data: &str,
    context: &Context,
) -> Result<Done, ConsoleError> {
    let known = C::NAMES;
    if !known.contains(&name) {
        return Err(ConsoleError::Unknown {
            world: world.name(),
            name: name.to_owned(),
            known,
        });
    }
    let bad = |reason: String| ConsoleError::BadPayload {
        name: name.to_owned(),
        reason,
    };
    let decoded = decode::<C>(name, data.as_bytes()).map_err(bad)?;
    let command = decoded.ok_or_else(|| bad("it is not known after all".to_owned()))?;
    let decide = |work: &mut Work<'_>| command.clone().carry_out(work);
    Ok(Commands::new(writer).transact(context, decide)?)
}

fn brief(log: &Log, position: Position) -> Result<Option<EventBrief>, ReadError> {
    let event = log.event(position)?;
    Ok(event.as_ref().map(EventBrief::from))
}

/// What a rule looked at, with the events that set it.
fn behind(log: &Log, models: &ModelSet, rejected: &Rejected) -> Result<RejectedView, ConsoleError> {
    let Rejected {
        stream,
        version,
        rule,
        looked_at,
        reason,
    } = rejected;
    let mut view = RejectedView {
        rule: rule.clone(),
        reason: reason.to_string(),
        stream: stream.to_string(),
        version: *version,
        looked_at: Vec::new(),
    };
    let end = log.stream(stream)?.map_or(0, |row| row.events);
    if end == 0 {
        return Ok(view);
    }
    let moment = Moment::Version(Version(version.0.min(end)));
    for path in looked_at {
        let Ok(place) = path.parse::<FieldPath>() else {
            continue;
        };
        let seen = match temporal::why(log, models, stream, &place, &moment, 1) {
            Ok(why) => LookedAt {
                path: path.clone(),
                value: why.value,
                set_by: match why.set_by {
                    Some(set_by) => brief(log, set_by.position)?,
                    None => None,
                },
            },
            // A path that the user's own model does not have.
            Err(TemporalError::NoPath { .. }) => LookedAt {
                path: path.clone(),
                value: None,
                set_by: None,
            },
            Err(error) => return Err(error.into()),
        };
        view.looked_at.push(seen);
    }
    Ok(view)
}
