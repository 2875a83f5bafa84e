//! Read models in Rust: documents made of typed events, beside the declared ones of the model language.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::typed;
use crate::event::Event;
use crate::id::LogId;
use crate::position::Position;
use crate::store::{EventQuery, Log, ReadError};
use crate::time::Time;

/// How typed events become the documents of a read model.
///
/// ```
/// use annals_core::command::{Amount, Projection, ReadModel};
/// use annals_core::event::Event;
/// use annals_core::store::Log;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// enum Happened { DepositMade { amount: Amount }, WithdrawalMade { amount: Amount } }
///
/// #[derive(Debug, Clone, Default, Serialize, Deserialize)]
/// struct Turnover { movements: u64, moved: Amount }
///
/// /// What was moved in each account.
/// struct Turnovers;
/// impl Projection for Turnovers {
///     type Event = Happened;
///     type Document = Turnover;
///     fn keys(_: &Happened, told: &Event) -> Vec<String> {
///         told.stream.iter().map(ToString::to_string).collect()
///     }
///     fn apply(document: &mut Turnover, event: &Happened, _: &Event) {
///         let (Happened::DepositMade { amount } | Happened::WithdrawalMade { amount }) = event;
///         document.movements += 1;
///         document.moved += *amount;
///     }
/// }
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("guide.annals");
/// annals_core::sample::guide(&path)?;
/// let mut turnovers = ReadModel::<Turnovers>::new();
/// turnovers.catch_up(&Log::explore(&path)?, &mut |_| true)?;
/// let account = turnovers.get("account-12345").unwrap();
/// assert_eq!((account.movements, account.moved.to_string()), (4, "1752.17".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Projection {
    /// The events that it is about: an enum in serde's own form, as of an [`super::Aggregate`]. Other types of events
    /// are passed over.
    type Event: DeserializeOwned;
    /// One document.
    type Document: Clone + Default + Serialize + DeserializeOwned;

    /// Keys of the documents that an event belongs to; none: of no document.
    fn keys(event: &Self::Event, told: &Event) -> Vec<String>;

    /// Takes an event into one of its documents.
    fn apply(document: &mut Self::Document, event: &Self::Event, told: &Event);
}

/// An event that a read model is about and cannot read; it is left out, and the others go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadModelFault {
    /// The event.
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The documents of a [`Projection`], and how far it has read.
#[derive(Debug, Clone)]
pub struct ReadModel<P: Projection> {
    log: Option<LogId>,
    position: Position,
    documents: BTreeMap<String, P::Document>,
    faults: Vec<ReadModelFault>,
}

/// A read model as it is written down: documents and the position that they stand for in one.
#[derive(Serialize, Deserialize)]
struct Written<D> {
    log: Option<LogId>,
    position: Position,
    documents: BTreeMap<String, D>,
    faults: Vec<ReadModelFault>,
}

impl<P: Projection> Default for ReadModel<P> {
    fn default() -> ReadModel<P> {
        ReadModel::new()
    }
}

impl<P: Projection> ReadModel<P> {
    /// A read model of no event.
    #[must_use]
    pub fn new() -> ReadModel<P> {
        ReadModel {
            log: None,
            position: Position::ZERO,
            documents: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// A read model as of a moment: of all events with position <= `known` and time <= `at`.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Cancelled`] if `go_on`, which is told how many events were looked at, says no.
    pub fn as_of(
        log: &Log,
        at: Option<Time>,
        known: Option<Position>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<ReadModel<P>, ReadError> {
        let mut model = ReadModel::new();
        model.read(log, at, known, go_on)?;
        Ok(model)
    }

    /// Takes every event that the log has and the read model has not.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Cancelled`] if `go_on`, which is told how many events were looked at, says no. What
    /// was taken by then is taken.
    pub fn catch_up(
        &mut self,
        log: &Log,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), ReadError> {
        self.read(log, None, None, go_on)
    }

    fn read(
        &mut self,
        log: &Log,
        to: Option<Time>,
        known: Option<Position>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), ReadError> {
        let ends_before = log.head()?.size < self.position;
        if self.log.is_some_and(|of| of != log.id()) || ends_before {
            // Another log, or an older copy of this one: what was read is none of it.
            *self = ReadModel::new();
        }
        self.log = Some(log.id());
        let query = EventQuery {
            to,
            known,
            after: (self.position > Position::ZERO).then_some(self.position),
            ..EventQuery::default()
        };
        let (mut looked_at, mut stopped) = (0_u64, false);
        log.for_each_event(&query, &mut |event, _| {
            self.take(&event);
            looked_at += 1;
            stopped = looked_at.is_multiple_of(1_000) && !go_on(looked_at);
            !stopped
        })?;
        match stopped {
            true => Err(ReadError::Cancelled),
            false => Ok(()),
        }
    }

    /// Takes one event; one that was taken before changes nothing.
    pub fn take(&mut self, event: &Event) {
        if event.position <= self.position {
            return;
        }
        self.position = event.position;
        let event_type = event.event_type.as_str();
        let decoded = match &event.data {
            Some(data) => typed::decode::<P::Event>(event_type, &data.bytes),
            // Whether it would be one of these is told by a payload that fits none.
            None => match typed::decode::<P::Event>(event_type, b"") {
                Ok(None) => Ok(None),
                _ => Err("its data was erased".to_owned()),
            },
        };
        match decoded {
            Ok(None) => {}
            Ok(Some(typed)) => {
                for key in P::keys(&typed, event) {
                    P::apply(self.documents.entry(key).or_default(), &typed, event);
                }
            }
            Err(reason) => self.faults.push(ReadModelFault {
                position: event.position,
                event_type: event_type.to_owned(),
                reason,
            }),
        }
    }

    /// The last position that it has read.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// A document by its key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&P::Document> {
        self.documents.get(key)
    }

    /// The documents, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &P::Document)> {
        self.documents
            .iter()
            .map(|(key, document)| (key.as_str(), document))
    }

    /// Events that it could not read, in order.
    #[must_use]
    pub fn faults(&self) -> &[ReadModelFault] {
        &self.faults
    }

    /// Writes documents and position into one file, whole or not at all: what reads on from it never takes an event
    /// twice.
    ///
    /// # Errors
    /// The system's error; the file is as it was.
    pub fn save(&self, file: &Path) -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let written = Written {
            log: self.log,
            position: self.position,
            documents: self.documents.clone(),
            faults: self.faults.clone(),
        };
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(&serde_json::to_vec(&written)?)?;
        new.as_file().sync_all()?;
        new.persist(file).map_err(|error| error.error)?;
        Ok(())
    }

    /// Reads what was saved; a new one where there is no such file, or it is none of this read model.
    ///
    /// # Errors
    /// The system's error.
    pub fn open(file: &Path) -> std::io::Result<ReadModel<P>> {
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(ReadModel::new());
            }
            Err(error) => return Err(error),
        };
        // Documents of another form are made anew from the log.
        Ok(
            match serde_json::from_slice::<Written<P::Document>>(&bytes) {
                Ok(written) => ReadModel {
                    log: written.log,
                    position: written.position,
                    documents: written.documents,
                    faults: written.faults,
                },
                Err(_) => ReadModel::new(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::Amount;
    use crate::event::NewEvent;
    use crate::id::StreamId;
    use crate::projection as declared;
    use crate::projection::{DocumentQuery, ProjectionSet, documents as documents_of};
    use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
    use crate::surroundings::Surroundings;
    use crate::temporal::AsOf;

    #[derive(Deserialize)]
    enum Happened {
        AccountOpened,
        DepositMade { amount: Amount },
        WithdrawalMade { amount: Amount },
    }

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    struct Balance {
        balance: Amount,
    }

    struct Balances;

    impl Projection for Balances {
        type Event = Happened;
        type Document = Balance;

        fn keys(_: &Happened, told: &Event) -> Vec<String> {
            told.stream.iter().map(ToString::to_string).collect()
        }

        fn apply(document: &mut Balance, event: &Happened, _: &Event) {
            match event {
                Happened::AccountOpened => document.balance = Amount::cents(0),
                Happened::DepositMade { amount } => document.balance += *amount,
                Happened::WithdrawalMade { amount } => document.balance -= *amount,
            }
        }
    }

    const DECLARED: &str = "key = 'event.stream'\n[on.AccountOpened]\nbalance = '0.00'\n\
        [on.DepositMade]\n\"balance.add\" = 'data.amount'\n[on.WithdrawalMade]\n\"balance.sub\" = 'data.amount'";

    fn log_of(events: &[(u8, u8, i64)]) -> (tempfile::TempDir, LogWriter) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.annals");
        let surroundings =
            Surroundings::fixed(Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap(), 1);
        let writer = LogWriter::create(&path, surroundings).unwrap();
        for (n, (account, kind, second)) in events.iter().enumerate() {
            let (event_type, data) = match kind {
                0 => ("AccountOpened", "{}".to_owned()),
                1 => ("DepositMade", format!(r#"{{"amount":{n}.50}}"#)),
                2 => ("WithdrawalMade", format!(r#"{{"amount":{n}.05}}"#)),
                3 => ("DepositMade", r#"{"amount":"much"}"#.to_owned()),
                _ => ("Noted", "{}".to_owned()),
            };
            let mut event = NewEvent::json(event_type, &data).unwrap();
            let time = Time::from_parts(1_704_067_200_000_000 + second * 1_000_000, 0);
            event.time = time.map(crate::time::SourceTime::unwritten);
            let append = StreamAppend {
                stream: StreamId::new(format!("account-{account}")).unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![event],
            };
            writer.append(vec![append]).unwrap();
        }
        (folder, writer)
    }

    fn documents(model: &ReadModel<Balances>) -> Vec<(String, String)> {
        let all = model.iter();
        all.map(|(key, document)| (key.to_owned(), document.balance.to_string()))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_partition_and_redelivery_gives_the_documents_of_a_plain_fold_and_of_the_declared_projection(
            events in prop::collection::vec((0u8..3, 0u8..5, 0i64..9), 1..30),
            stops in prop::collection::vec(0usize..30, 0..5),
            at in prop::option::of(0i64..9),
            known in prop::option::of(1u64..30),
        ) {
            let (folder, writer) = log_of(&events);
            let log = writer.log();
            let whole = ReadModel::<Balances>::as_of(&log, None, None, &mut |_| true).unwrap();
            let all: Vec<Event> = log.events(&EventQuery::default(), 100).unwrap().events;
            let file = folder.path().join("read/balances.json");
            // Some events, then a crash after which everything since the last save comes again, and more than that.
            for stop in stops {
                let mut model = ReadModel::<Balances>::open(&file).unwrap();
                for event in all.iter().take(stop) {
                    model.take(event);
                    model.take(event);
                }
                if stop % 2 == 0 {
                    model.save(&file).unwrap();
                }
            }
            let mut model = ReadModel::<Balances>::open(&file).unwrap();
            model.catch_up(&log, &mut |_| true).unwrap();
            prop_assert_eq!(documents(&model), documents(&whole));
            prop_assert_eq!(model.faults(), whole.faults());

            // As of any moment it says what the declared projection says.
            let mut set = ProjectionSet::default();
            set.add(declared::Projection::parse("balances", DECLARED).unwrap()).unwrap();
            let at = at.and_then(|s| Time::from_parts(1_704_067_200_000_000 + s * 1_000_000, 0));
            let known = known.map(|known| Position(known.min(all.len() as u64)));
            let then = ReadModel::<Balances>::as_of(&log, at, known, &mut |_| true).unwrap();
            let query = DocumentQuery::default();
            let view = documents_of(&log, &set, "balances", &AsOf { at, known }, &query).unwrap();
            let of_declared = view.documents.iter().filter_map(|row| {
                let state: serde_json::Value = serde_json::from_str(row.state.get()).unwrap();
                let balance: Amount = state.get("balance")?.to_string().parse().unwrap();
                Some((row.key.as_str(), balance))
            });
            let of_typed = then.iter().map(|(key, document)| (key, document.balance));
            prop_assert_eq!(of_typed.collect::<Vec<_>>(), of_declared.collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_event_that_cannot_be_read_is_a_fault_and_the_others_go_on() {
        let (_folder, writer) = log_of(&[(1, 1, 0), (1, 3, 1), (1, 4, 2), (1, 1, 3)]);
        let model = ReadModel::<Balances>::as_of(&writer.log(), None, None, &mut |_| true).unwrap();
        assert_eq!(
            documents(&model),
            [("account-1".to_owned(), "4.00".to_owned())]
        );
        let [fault] = model.faults() else {
            panic!("one fault")
        };
        assert_eq!(fault.position, Position(2));
        assert!(fault.reason.contains("JSON number"), "{}", fault.reason);
        assert_eq!(model.position(), Position(4));
    }

    #[test]
    fn what_was_saved_of_another_log_is_made_anew() {
        let (folder, first) = log_of(&[(1, 1, 0), (1, 1, 1)]);
        let file = folder.path().join("balances.json");
        let mut model = ReadModel::<Balances>::new();
        model.catch_up(&first.log(), &mut |_| true).unwrap();
        model.save(&file).unwrap();
        let other = folder.path().join("other.annals");
        crate::sample::guide(&other).unwrap();
        let mut model = ReadModel::<Balances>::open(&file).unwrap();
        model
            .catch_up(&Log::explore(&other).unwrap(), &mut |_| true)
            .unwrap();
        assert_eq!(model.get("account-1"), None);
        let account = model.get("account-12345").unwrap();
        assert_eq!(account.balance.to_string(), "1247.83");
        std::fs::write(&file, b"[1]").unwrap();
        assert_eq!(
            ReadModel::<Balances>::open(&file).unwrap().position(),
            Position::ZERO
        );
    }
}
