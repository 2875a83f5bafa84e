//! Salts, leaf hashes, and what is extracted from payloads: all of an event that no other event has a part in.

use super::ink::Planned;
use crate::event::Part;
use crate::integrity::Hash;
use crate::integrity::leaf::{
    Identity, Leaf, NO_METADATA, Salt, Seed, TimeFlags, hash_part, salts_of,
};
use crate::store::extraction::{Extracted, Extraction, Extractor};
use crate::surroundings::Random;

/// See the module.
pub(super) struct Seal {
    extractor: Extractor,
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

/// What [`Seal`] made of an event.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) leaf: Hash,
    /// Of identity, data and metadata.
    pub(super) salts: [Salt; 3],
    /// What they are made of.
    pub(super) seed: Seed,
    pub(super) extracted: Extracted,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// Extracts by this rule.
    pub(super) fn new(rule: &Extraction) -> Seal {
        Seal {
            extractor: rule.prepare(),
            leaf_bytes: Vec::new(),
            identity_bytes: Vec::new(),
        }
    }

    /// Seals events with seeds, one for one.
    pub(super) fn seal(&mut self, planned: &[Planned], seeds: &[Seed]) -> Vec<Sealed> {
        let each = planned.iter().zip(seeds);
        each.map(|(planned, seed)| {
            let salts = salts_of(seed);
            Sealed {
                leaf: self.leaf(planned, &salts),
                salts,
                seed: *seed,
                extracted: self
                    .extractor
                    .apply(&planned.data, planned.metadata.as_ref()),
            }
        })
        .collect()
    }

    /// Computes the leaf hash of an event.
    fn leaf(&mut self, planned: &Planned, salts: &[Salt; 3]) -> Hash {
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
            identity: hash_part(Part::Identity, &salts[0], &self.identity_bytes),
            data: hash_part(Part::Data, &salts[1], &planned.data.bytes),
            metadata: match &planned.metadata {
                None => NO_METADATA,
                Some(metadata) => hash_part(Part::Metadata, &salts[2], &metadata.bytes),
            },
        };
        self.leaf_bytes.clear();
        leaf.hash_with(&mut self.leaf_bytes)
    }
}
