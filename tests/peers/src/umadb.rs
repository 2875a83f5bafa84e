//! UmaDB's engine in this process, with the writing thread of its server, which commits waiting appends together. A
//! stream is a tag; the version that is expected is the position of the stream's last event.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};
use umadb_core::db::UmaDb;
use umadb_core::mvcc::{Mvcc, StorageOptions};
use umadb_core::writer_thread_blocking::writer_thread_blocking;
use umadb_core::writer_thread_request::WriterThreadRequest;
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem};

use crate::events::each;
use crate::{Append, Outcome, Peer, Read};

/// Events of one append while a file is loaded, as in the bench's baseline.
const LOADED_AT_ONCE: usize = 1_000;
/// Events read at once.
const PAGE: u32 = 10_000;
/// As the server has it unless it is told otherwise.
const BATCH_MAX_EVENTS: usize = 1_000;

pub struct Uma {
    file: PathBuf,
    db: UmaDb,
    requests: mpsc::Sender<WriterThreadRequest>,
    thread: Option<JoinHandle<()>>,
}

impl Uma {
    fn append(&self, events: Vec<DcbEvent>, condition: Option<DcbAppendCondition>) -> Outcome<u64> {
        let (response_tx, response) = oneshot::channel();
        self.requests.blocking_send(WriterThreadRequest::Append {
            events,
            condition,
            tracking_info: None,
            response_tx,
            cancel: None,
        })?;
        Ok(response.blocking_recv()??)
    }
}

fn event(stream: &str, event_type: &str, data: String, metadata: String) -> DcbEvent {
    DcbEvent {
        event_type: event_type.to_owned(),
        tags: vec![stream.to_owned()],
        data: data.into_bytes(),
        uuid: None,
        metadata: vec![("json".to_owned(), metadata)],
    }
}

fn of(stream: &str) -> DcbQuery {
    DcbQuery::new().item(DcbQueryItem::new().tags([stream]))
}

impl Peer for Uma {
    fn open(folder: &Path) -> Outcome<Uma> {
        let file = folder.join("peer.umadb");
        std::fs::remove_file(&file).ok();
        let mvcc = Arc::new(Mvcc::new(false, StorageOptions::default().db_path(&file))?);
        let (requests, waiting) = mpsc::channel(10_000);
        let writer = Arc::clone(&mvcc);
        let thread = std::thread::spawn(move || {
            let (head, _) = watch::channel(None);
            writer_thread_blocking(writer, waiting, head, BATCH_MAX_EVENTS);
        });
        Ok(Uma {
            file,
            db: UmaDb::from_arc(mvcc),
            requests,
            thread: Some(thread),
        })
    }

    fn writer(&self, stream: usize) -> Outcome<Append<'_>> {
        let stream = format!("order-{stream}");
        let mut last = None;
        Ok(Box::new(move |_, data, metadata| {
            let condition = DcbAppendCondition::new(of(&stream)).after(last);
            let events = vec![event(&stream, "OrderPlaced", data, metadata)];
            last = Some(self.append(events, Some(condition))?);
            Ok(())
        }))
    }

    fn load(&self, file: &Path) -> Outcome<u64> {
        let mut waiting = Vec::with_capacity(LOADED_AT_ONCE);
        let count = each(file, |line, _| {
            waiting.push(event(
                line.aggregate_id,
                line.event_type,
                line.data.get().to_owned(),
                line.metadata.get().to_owned(),
            ));
            if waiting.len() == LOADED_AT_ONCE {
                self.append(std::mem::take(&mut waiting), None)?;
            }
            Ok(())
        })?;
        if !waiting.is_empty() {
            self.append(waiting, None)?;
        }
        Ok(count)
    }

    fn reader(&self) -> Outcome<Read<'_>> {
        Ok(Box::new(|name| {
            let read = self.db.read(Some(of(name)), None, false, None)?;
            let events = read.collect::<Result<Vec<_>, _>>()?;
            Ok(events.len() as u64)
        }))
    }

    fn all(&self) -> Outcome<u64> {
        let (mut count, mut next) = (0, None);
        loop {
            let page = self.db.read(None, next, false, Some(PAGE))?;
            let page = page.collect::<Result<Vec<_>, _>>()?;
            let Some(last) = page.last() else {
                return Ok(count);
            };
            next = Some(last.position + 1);
            count += page.len() as u64;
        }
    }

    fn bytes(&self) -> Outcome<u64> {
        crate::bytes_of(&self.file)
    }
}

impl Drop for Uma {
    fn drop(&mut self) {
        self.requests
            .blocking_send(WriterThreadRequest::Shutdown)
            .ok();
        self.thread.take().map(JoinHandle::join);
        std::fs::remove_file(&self.file).ok();
    }
}
