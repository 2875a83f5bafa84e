//! The write side: commands, the aggregates that decide on them, and the events that come of it.
//!
//! An [`Aggregate`] holds what the rules of one stream need to know. It *handles* a command by giving events, or a
//! typed [`Rejection`] that names the rule, and it *applies* events, those that it gave and those of the log alike.
//! [`Commands`] loads it, appends what it decides at the version that it decided on, and tries again a bounded
//! number of times where somebody else was faster. A command is told by its id: sent again it changes nothing and
//! has the answer of the first time. Long aggregates may be loaded from snapshots and the events after them. Its events carry the id as causation, and the correlation that it came with.
//!
//! A small bank:
//!
//! ```
//! use annals_core::command::{Aggregate, Amount, CommandError, Commands, Context, Rejection, given};
//! use annals_core::{id::StreamId, store::LogWriter, surroundings::Surroundings};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Clone, Serialize, Deserialize)]
//! enum Order { Open, Deposit { amount: Amount }, Withdraw { amount: Amount } }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! enum Happened { AccountOpened, DepositMade { amount: Amount }, WithdrawalMade { amount: Amount } }
//!
//! #[derive(Debug, thiserror::Error)]
//! #[error("{asked} is more than the balance of {balance}")]
//! struct Overdrawn { asked: Amount, balance: Amount }
//! impl Rejection for Overdrawn {
//!     fn rule(&self) -> &str { "never-overdrawn" }
//! }
//!
//! #[derive(Debug, Clone, Default)]
//! struct Account { balance: Amount }
//! impl Aggregate for Account {
//!     type Command = Order;
//!     type Event = Happened;
//!     type Rejection = Overdrawn;
//!     fn handle(&self, order: Order) -> Result<Vec<Happened>, Overdrawn> {
//!         Ok(vec![match order {
//!             Order::Open => Happened::AccountOpened,
//!             Order::Deposit { amount } => Happened::DepositMade { amount },
//!             Order::Withdraw { amount } if amount <= self.balance => Happened::WithdrawalMade { amount },
//!             Order::Withdraw { amount: asked } => return Err(Overdrawn { asked, balance: self.balance }),
//!         }])
//!     }
//!     fn apply(&mut self, event: Happened) {
//!         match event {
//!             Happened::AccountOpened => {}
//!             Happened::DepositMade { amount } => self.balance += amount,
//!             Happened::WithdrawalMade { amount } => self.balance -= amount,
//!         }
//!     }
//! }
//!
//! // Its rules, without a log:
//! given::<Account>([Happened::DepositMade { amount: Amount::cents(5_00) }])
//!     .when(Order::Withdraw { amount: Amount::cents(6_00) })
//!     .then_rejected("never-overdrawn");
//!
//! // And with one:
//! let folder = tempfile::tempdir()?;
//! let writer = LogWriter::create(&folder.path().join("bank.annals"), Surroundings::system())?;
//! let bank = Commands::new(&writer);
//! let account = StreamId::new("account-12345")?;
//! bank.execute::<Account>(&account, Order::Open, &Context::new("cmd-1").by("ada"))?;
//! bank.execute::<Account>(&account, Order::Deposit { amount: Amount::cents(1000_00) }, &Context::new("cmd-2"))?;
//! let refused = bank.execute::<Account>(&account, Order::Withdraw { amount: Amount::cents(5000_00) }, &Context::new("cmd-3"));
//! assert!(matches!(refused, Err(CommandError::Rejected(rejected)) if rejected.rule == "never-overdrawn"));
//! assert_eq!(bank.load::<Account>(&account)?.0.balance.to_string(), "1000.00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Left out: what a command looks like outside a program ([`crate::sample`] has the commands of its worlds by name).

mod amount;
mod commands;
mod delivery;
mod given;
mod kept;
mod read_model;
#[cfg(test)]
mod tests;
mod typed;
mod work;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::NewLink;
use crate::id::StreamId;
use crate::position::{Position, Version};
use crate::store::{AppendError, ReadError};
use crate::time::Time;

pub use amount::Amount;
pub use commands::{Commands, Done, RETRIES};
pub use delivery::{ConsumerCheckpoint, DeliveryError, deliver};
pub use given::{Given, When, given};
pub use read_model::{Projection, ReadModel, ReadModelFault};
pub(crate) use typed::decode;
pub use work::{Decided, Memory, Work};

/// What the rules of one stream need to know of it, and those rules.
///
/// The default value is the stream before its first event. Events and commands are enums in serde's own form: the
/// name of the variant is the type of the event, its fields are the payload.
pub trait Aggregate: Clone + Default + Send + 'static {
    /// What it can be asked to do.
    type Command: Serialize;
    /// What can happen to it: events of its stream, and those linked into it that it knows.
    type Event: Serialize + DeserializeOwned;
    /// Why it may refuse.
    type Rejection: Rejection;

    /// Decides: the events that come of the command, none if there is nothing to do. Changes nothing.
    ///
    /// # Errors
    /// The rejection that names the rule in the way.
    fn handle(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// Takes an event that happened. It cannot refuse: what happened, happened.
    fn apply(&mut self, event: Self::Event);

    /// Takes an event of another stream that is linked into this one, as what the link says it is.
    fn apply_linked(&mut self, event: Self::Event, qualifier: &str) {
        let _ = qualifier;
        self.apply(event);
    }

    /// Further streams that an event belongs to; `self` is the aggregate before the event.
    fn links(&self, event: &Self::Event) -> Vec<NewLink> {
        let _ = event;
        Vec::new()
    }

    /// Name and edition of its snapshots, for example `account 1`; `None`: it has none. Raise the edition whenever
    /// [`Aggregate::apply`] makes something else of the events, or the fields change: what was kept before then
    /// serves no more.
    const SNAPSHOT: Option<&'static str> = None;

    /// The aggregate as JSON, to be kept by [`Commands::with_snapshots`].
    fn to_snapshot(&self) -> Option<String> {
        None
    }

    /// What [`Aggregate::to_snapshot`] gave; `None` if it cannot be read, and the events are.
    fn from_snapshot(text: &str) -> Option<Self> {
        let _ = text;
        None
    }
}

/// Why a command was refused: a rule of the business, not a fault.
pub trait Rejection: std::error::Error + Send + Sync + 'static {
    /// Name of the rule, for example `no-change-after-shipped`.
    fn rule(&self) -> &str;

    /// Paths of the stream's state that the rule looked at, as its model names them: what leads to the events behind
    /// the rejection.
    fn looked_at(&self) -> &[&str] {
        &[]
    }
}

/// A refused command.
#[derive(Debug, thiserror::Error)]
#[error("{stream}: {reason} (rule {rule})")]
pub struct Rejected {
    /// The stream whose rule is in the way.
    pub stream: StreamId,
    /// Version of that stream when the rule was asked.
    pub version: Version,
    /// The rule.
    pub rule: String,
    /// Paths of the stream's state that it looked at.
    pub looked_at: Vec<String>,
    /// The aggregate's own rejection.
    #[source]
    pub reason: Box<dyn std::error::Error + Send + Sync>,
}

/// Why a command was not carried out. Nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule is in the way.
    #[error(transparent)]
    Rejected(Box<Rejected>),
    /// Others were faster each time.
    #[error("gave up after {tries} tries: {last}")]
    Conflict {
        /// Number of tries.
        tries: u32,
        /// What the last one met.
        #[source]
        last: AppendError,
    },
    /// An event of the stream is of a type that the aggregate does not know, or has a payload that does not fit it.
    #[error(
        "{stream}: version {version} ({event_type}, position {position}) cannot be read: {reason}"
    )]
    Unreadable {
        /// The stream.
        stream: StreamId,
        /// The event's version in it.
        version: Version,
        /// Its position.
        position: Position,
        /// Its type.
        event_type: String,
        /// What is wrong.
        reason: String,
    },
    /// A typed event has no form in the log.
    #[error("{stream}: an event cannot be written: {reason}")]
    Unwritable {
        /// The stream.
        stream: StreamId,
        /// What is wrong.
        reason: String,
    },
    /// One piece of work took a stream for two kinds of aggregate.
    #[error("{0} was taken for two kinds of aggregate")]
    TwoKinds(StreamId),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log did not take the events.
    #[error(transparent)]
    Append(AppendError),
}

/// What a command comes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Identity of the command. The same id again is the same command: it has the first one's answer.
    pub id: String,
    /// Who sent it.
    pub actor: Option<String>,
    /// The business transaction that it belongs to.
    pub correlation: Option<String>,
    /// What led to it, for example the event that a process reacted to. Its events then name that as their cause,
    /// and the command beside it.
    pub cause: Option<String>,
    /// When what it tells of happened; the log's clock where it is `None`.
    pub time: Option<Time>,
}

impl Context {
    /// A command with this id, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Context {
        Context {
            id: id.into(),
            actor: None,
            correlation: None,
            cause: None,
            time: None,
        }
    }

    /// Says who sent it.
    #[must_use]
    pub fn by(mut self, actor: impl Into<String>) -> Context {
        self.actor = Some(actor.into());
        self
    }

    /// Says which business transaction it belongs to.
    #[must_use]
    pub fn within(mut self, correlation: impl Into<String>) -> Context {
        self.correlation = Some(correlation.into());
        self
    }

    /// Says what led to it.
    #[must_use]
    pub fn because_of(mut self, cause: impl Into<String>) -> Context {
        self.cause = Some(cause.into());
        self
    }

    /// Says when it happened.
    #[must_use]
    pub fn at(mut self, time: Time) -> Context {
        self.time = Some(time);
        self
    }

    /// The metadata of its events.
    fn metadata(&self) -> String {
        let Context {
            id,
            actor,
            correlation,
            cause,
            time: _,
        } = self;
        let mut fields = serde_json::Map::new();
        let mut put = |key: &str, text: &Option<String>| {
            if let Some(text) = text {
                fields.insert(key.to_owned(), text.as_str().into());
            }
        };
        put("userId", actor);
        put("correlationId", correlation);
        match cause {
            None => put("causationId", &Some(id.clone())),
            Some(_) => {
                put("causationId", cause);
                put("commandId", &Some(id.clone()));
            }
        }
        serde_json::Value::Object(fields).to_string()
    }
}
