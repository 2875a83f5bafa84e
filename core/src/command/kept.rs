//! Aggregates in snapshots: what a long one is loaded from, so that only the events after it are read.

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Aggregate;
use super::work::Standing;
use crate::id::StreamId;
use crate::integrity::Hash;
use crate::position::{Position, Version};
use crate::snapshot::{AGGREGATE, Snapshot, Snapshots, Wanted};
use crate::time::Time;

/// Where aggregates are kept, and after how many events another is.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) snapshots: Snapshots,
    pub(super) every: u64,
}

/// The last event that an aggregate took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) position: Position,
    pub(super) time: Time,
    pub(super) latest: Time,
}

/// What tells the snapshots of one aggregate from those of another.
fn key(name: &str) -> Hash {
    let hash = Sha256::new().chain_update(b"annals aggregate 1\n");
    Hash(hash.chain_update(name.as_bytes()).finalize().into())
}

impl Kept {
    /// The aggregate as it was kept last, and the last event that it had taken. Snapshots that cannot be used are as if
    /// they were not there.
    pub(super) fn load<A: Aggregate>(&self, stream: &StreamId) -> Option<(Standing, Last)> {
        let key = key(A::SNAPSHOT?);
        let wanted = Wanted {
            last: Version(i64::MAX as u64),
            known: None,
            at: None,
        };
        let (snapshot, _) = self.snapshots.nearest(stream, key, wanted).ok()?;
        let snapshot = snapshot?;
        let Some(live) = A::from_snapshot(snapshot.state.get()) else {
            let _ = self
                .snapshots
                .drop_versions(stream, key, &[snapshot.version]);
            return None;
        };
        let standing = Standing {
            live: Box::new(live),
            version: snapshot.version,
        };
        let last = Last {
            position: snapshot.position,
            time: snapshot.time,
            latest: snapshot.latest,
        };
        Some((standing, last))
    }

    /// Keeps an aggregate that so many events were read for, if these are enough; `head` is where the log ended then.
    /// That it cannot be kept is no reason not to go on.
    pub(super) fn keep<A: Aggregate>(
        &self,
        stream: &StreamId,
        (aggregate, version): (&A, Version),
        last: Last,
        read: u64,
        head: Position,
    ) {
        let Some(name) = A::SNAPSHOT.filter(|_| read >= self.every) else {
            return;
        };
        let state = aggregate.to_snapshot();
        let state = state.and_then(|text| RawValue::from_string(text).ok());
        let course = RawValue::from_string("null".to_owned());
        if let (Some(state), Ok(course)) = (state, course) {
            let snapshot = Snapshot {
                stream: stream.clone(),
                model: key(name),
                model_name: format!("{AGGREGATE}{name}"),
                version,
                position: last.position,
                time: last.time,
                latest: last.latest,
                state,
                course,
            };
            let _ = self.snapshots.keep(&[snapshot], head);
        }
    }
}
