//! cqrs-es with its repository on SQLite, through which its framework reads and writes; WAL and `synchronous=FULL`,
//! since its own setting (`NORMAL`) may lose what it acknowledged.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use sqlite_es::SqliteEventRepository;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::runtime::Runtime;

use crate::events::each;
use crate::{Append, Outcome, Peer, Read};

/// Events of one transaction while a file is loaded, as in the bench's baseline.
const LOADED_AT_ONCE: usize = 1_000;

/// The table of its own migrations.
const TABLE: &str = "CREATE TABLE events(aggregate_type text NOT NULL, aggregate_id text NOT NULL, \
    sequence integer CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL, event_version text NOT NULL, \
    payload text NOT NULL, metadata text NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence)) STRICT";

/// What the framework wants to know of an aggregate; nothing is decided here.
#[derive(Default, Serialize, Deserialize)]
struct Order;

/// Any payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Happened(serde_json::Value);

impl DomainEvent for Happened {
    fn event_type(&self) -> String {
        "Happened".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "order";
    type Command = ();
    type Event = Happened;
    type Error = std::fmt::Error;
    type Services = ();

    async fn handle(
        &mut self,
        (): (),
        (): &(),
        _: &EventSink<Order>,
    ) -> Result<(), std::fmt::Error> {
        Ok(())
    }

    fn apply(&mut self, _: Happened) {}
}

pub struct CqrsEs {
    file: PathBuf,
    runtime: Runtime,
    repository: SqliteEventRepository,
}

fn event(
    stream: &str,
    version: u64,
    event_type: &str,
    (data, metadata): (&str, &str),
) -> Outcome<SerializedEvent> {
    Ok(SerializedEvent::new(
        stream.to_owned(),
        usize::try_from(version)?,
        Order::TYPE.to_owned(),
        event_type.to_owned(),
        "1.0".to_owned(),
        serde_json::from_str(data)?,
        serde_json::from_str(metadata)?,
    ))
}

impl CqrsEs {
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn remove(file: &Path) {
        for suffix in ["", "-wal", "-shm"] {
            std::fs::remove_file(format!("{}{suffix}", file.display())).ok();
        }
    }
}

impl Peer for CqrsEs {
    fn open(folder: &Path) -> Outcome<CqrsEs> {
        let file = folder.join("peer.sqlite");
        CqrsEs::remove(&file);
        let runtime = Runtime::new()?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(60));
        let pool = runtime.block_on(async {
            let pool = SqlitePoolOptions::new().connect_with(options).await?;
            sqlx::query(TABLE).execute(&pool).await?;
            Ok::<_, sqlx::Error>(pool)
        })?;
        Ok(CqrsEs {
            file,
            runtime,
            repository: SqliteEventRepository::new(pool),
        })
    }

    fn writer(&self, stream: usize) -> Outcome<Append<'_>> {
        let stream = format!("order-{stream}");
        Ok(Box::new(move |n, data, metadata| {
            let events = [event(&stream, n, "OrderPlaced", (&data, &metadata))?];
            self.wait(self.repository.persist::<Order>(&events, None))?;
            Ok(())
        }))
    }

    fn load(&self, file: &Path) -> Outcome<u64> {
        let mut waiting = Vec::with_capacity(LOADED_AT_ONCE);
        let count = each(file, |line, version| {
            let payloads = (line.data.get(), line.metadata.get());
            waiting.push(event(
                line.aggregate_id,
                version,
                line.event_type,
                payloads,
            )?);
            if waiting.len() == LOADED_AT_ONCE {
                self.wait(self.repository.persist::<Order>(&waiting, None))?;
                waiting.clear();
            }
            Ok(())
        })?;
        self.wait(self.repository.persist::<Order>(&waiting, None))?;
        Ok(count)
    }

    fn reader(&self) -> Outcome<Read<'_>> {
        Ok(Box::new(|name| {
            let events = self.wait(self.repository.get_events::<Order>(name))?;
            Ok(events.len() as u64)
        }))
    }

    fn all(&self) -> Outcome<u64> {
        self.wait(async {
            let mut stream = self.repository.stream_all_events::<Order>().await?;
            let mut count = 0;
            while let Some(event) = stream.next::<Order>(&[]).await {
                std::hint::black_box(event?);
                count += 1;
            }
            Ok(count)
        })
    }

    fn bytes(&self) -> Outcome<u64> {
        crate::bytes_of(&self.file)
    }
}

impl Drop for CqrsEs {
    fn drop(&mut self) {
        CqrsEs::remove(&self.file);
    }
}
