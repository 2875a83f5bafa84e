//! Salts, leaf hashes, and what is extracted from payloads: all of an event that no other event has a part in.
//!
//! [`Sealer`] does what needs no place in the log, so that callers who append at once do it beside each other;
//! [`Seal`] does the rest, in the log's order.

use super::ink::Planned;
use crate::event::{Part, Payload};
use crate::integrity::Hash;
use crate::integrity::leaf::{
    Identity, Leaf, NO_METADATA, Salt, Seed, TimeFlags, hash_part, salts_of,
};
use crate::store::extraction::{Extracted, Extraction, Extractor};
use crate::surroundings::Random;

/// Makes of an event what its payloads alone decide.
pub(super) struct Sealer {
    extractor: Extractor,
}

/// What [`Sealer`] made of an event.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What the salts are made of.
    pub(super) seed: Seed,
    /// Of identity, data and metadata.
    pub(super) salts: [Salt; 3],
    data: Hash,
    metadata: Hash,
    pub(super) extracted: Extracted,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

impl Sealer {
    /// Extracts by this rule.
    pub(super) fn new(rule: &Extraction) -> Sealer {
        Sealer {
            extractor: rule.prepare(),
        }
    }

    /// Makes it of one event.
    pub(super) fn prepare(
        &self,
        data: &Payload,
        metadata: Option<&Payload>,
        seed: &Seed,
    ) -> Prepared {
        let salts = salts_of(seed);
        Prepared {
            seed: *seed,
            data: hash_part(Part::Data, &salts[1], &data.bytes),
            metadata: match metadata {
                None => NO_METADATA,
                Some(metadata) => hash_part(Part::Metadata, &salts[2], &metadata.bytes),
            },
            salts,
            extracted: self.extractor.apply(data, metadata),
        }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Seal {
    /// Buffers kept from event to event.
    leaf_bytes: Vec<u8>,
    identity_bytes: Vec<u8>,
}

/// Draws what the salts of so many events are made of.
pub(super) fn draw_seeds(random: &Random, events: usize) -> Vec<Seed> {
    let mut seeds = vec![Seed::default(); events];
    random(seeds.as_flattened_mut());
    seeds
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// Computes the leaf hash of an event that was prepared.
    pub(super) fn leaf(&mut self, planned: &Planned, prepared: &Prepared) -> Hash {
        let links: Vec<(&str, u64, &str)> = planned
            .links
            .iter()
            .map(|link| (link.name.as_str(), link.version, link.qualifier.as_str()))
            .collect();
        let fields = &planned.source;
        self.identity_bytes.clear();
        Identity {
            id: planned.id.as_str(),
            stream: &planned.stream_name,
            category: &planned.category,
            links: &links,
            source: fields.source.as_deref(),
            source_id: fields.source_id.as_deref(),
            source_version: fields.source_version.as_deref(),
            source_position: fields.source_position.as_deref(),
            source_recorded_at: fields.source_recorded_at,
        }
        .encode(&mut self.identity_bytes);
        let leaf = Leaf {
            event_type: planned.event_type.as_str(),
            version: planned.version,
            time: planned.time.time,
            time_flags: TimeFlags::of(&planned.time),
            time_text: planned.time.text.as_deref(),
            recorded_us: planned.recorded_us,
            schema_version: planned.schema_version.as_deref(),
            data_type: &planned.data.content_type,
            metadata_type: planned.metadata.as_ref().map(|m| &*m.content_type),
            identity: hash_part(Part::Identity, &prepared.salts[0], &self.identity_bytes),
            data: prepared.data,
            metadata: prepared.metadata,
        };
        self.leaf_bytes.clear();
        leaf.hash_with(&mut self.leaf_bytes)
    }
}
