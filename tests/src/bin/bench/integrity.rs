//! What integrity costs: hashing while events are taken, proofs, and verifying everything again.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use annals_core::event::Part;
use annals_core::integrity::Hash;
use annals_core::integrity::leaf::hash_part;
use annals_core::integrity::tree::{Frontier, verify_inclusion};
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::store::{EventQuery, Log, ReadError};
use annals_core::surroundings::Surroundings;
use annals_core::verify::{VerifyOutcome, VerifyPlan, verify};
use sha2::{Digest, Sha256};

use crate::generate::Seeded;
use crate::report::{Goal, Row, p95};
use crate::{Outcome, Plan};

/// Proofs in each round.
const PROOFS: u64 = 1_000;

/// Measures on the store that the import left. `import_s` are the seconds of its rounds.
pub fn measure(plan: &Plan, store: &Path, import_s: &[f64]) -> Outcome<Vec<Row>> {
    let mut hashing = Row::new(
        "hashes and tree of an import, beside the import",
        "s",
        Goal::RatioAtMost(0.2),
    );
    hashing.baseline = import_s.to_vec();
    let mut proof = Row::new(
        format!("inclusion proof of one event of {}, p95", plan.events),
        "µs",
        Goal::AtMost(200.0),
    );
    let mut whole = Row::new(
        format!("verify a store of {} events", plan.events),
        "s",
        Goal::AtMost(2.0),
    );
    for round in 0..plan.rounds {
        let log = Log::explore(store)?;
        hashing.ours.push(hash_all(&log)?.as_secs_f64());

        let head = log.head()?;
        let mut seed = Seeded(round as u64 + 1);
        let mut figures = Vec::new();
        for _ in 0..PROOFS {
            let position = Position(seed.below(head.size.0) + 1);
            let start = Instant::now();
            let hashes = log.inclusion_proof(position, head.size)?;
            figures.push(start.elapsed().as_secs_f64() * 1e6);
            let [leaf] = log.leaves(position, position)?[..] else {
                return Err("one event, one leaf".into());
            };
            let index = position.0 - 1;
            if !verify_inclusion(&leaf, index, head.size.0, &hashes, &head.root) {
                return Err(format!("the proof of {position} is wrong").into());
            }
        }
        proof.ours.push(p95(&figures));

        whole.ours.push(alone(store)?);
    }
    Ok(vec![hashing, proof, whole])
}

/// Verifies a store and says how many seconds that took.
pub fn alone(store: &Path) -> Outcome<f64> {
    let start = Instant::now();
    let view = verify(
        store,
        &VerifyPlan::default(),
        &Surroundings::system(),
        &WorkProgress::default(),
    )?;
    let seconds = start.elapsed().as_secs_f64();
    if view.outcome != VerifyOutcome::Intact {
        return Err(format!("the store is not intact: {:?}", view.findings).into());
    }
    Ok(seconds)
}

/// Time to make every leaf hash of a log and the tree over them, what they are made of being at hand.
fn hash_all(log: &Log) -> Outcome<Duration> {
    let mut spent = Duration::ZERO;
    let mut tree = Frontier::default();
    log.sealed(|sealed| {
        sealed.for_each(&EventQuery::default(), &mut |sealed| {
            let payload = |payload: &Option<annals_core::event::Payload>| {
                payload
                    .as_ref()
                    .map(|p| p.bytes.clone())
                    .unwrap_or_default()
            };
            let (data, metadata) = (payload(&sealed.event.data), payload(&sealed.event.metadata));
            let salt = [0; 16];
            let start = Instant::now();
            black_box(hash_part(Part::Identity, &salt, &sealed.identity));
            black_box(hash_part(Part::Data, &salt, &data));
            black_box(hash_part(Part::Metadata, &salt, &metadata));
            let leaf = Sha256::new()
                .chain_update([0])
                .chain_update(&sealed.leaf)
                .finalize();
            tree.push(Hash(leaf.into()));
            spent += start.elapsed();
            true
        })?;
        Ok::<(), ReadError>(())
    })?;
    if tree.root() != log.head()?.root {
        return Err("the tree that was made is not the log's".into());
    }
    Ok(spent)
}
