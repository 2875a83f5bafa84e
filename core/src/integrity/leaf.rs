//! Leaf bytes of an event, format 1. `docs/formats/leaf.md` draws them byte by byte; they never change.
//!
//! The leaf holds what may never be withheld (type, version, times, content types) and three salted hashes:
//! of the identity, the data and the metadata. Each of the three can be erased or withheld and the leaf, and
//! with it every proof, still holds.

use sha2::{Digest, Sha256};

use crate::event::Part;
use crate::integrity::Hash;
use crate::time::Time;

/// First bytes of every leaf: name and version of the format, padded with zeros to 16 bytes.
pub const MAGIC: &[u8; 16] = b"annals-leaf/1\0\0\0";

/// Random bytes that keep the hash of a part from being guessed.
pub type Salt = [u8; 16];

/// Random bytes that the salts of an event's parts are made of.
pub type Seed = [u8; 16];

/// Returns the salts of identity, data and metadata that one seed gives: the first 16 bytes of SHA-256(0x05 ‖ seed ‖ tag),
/// the tag being that of [`hash_part`]. Whoever knows one of them learns nothing of the seed or of the others.
///
/// ```
/// use annals_core::integrity::leaf::salts_of;
/// let [identity, data, metadata] = salts_of(&[7; 16]);
/// assert!(identity != data && data != metadata && identity != metadata);
/// ```
#[must_use]
pub fn salts_of(seed: &Seed) -> [Salt; 3] {
    [Part::Identity, Part::Data, Part::Metadata].map(|part| {
        let hash = Sha256::new()
            .chain_update([5])
            .chain_update(seed)
            .chain_update([tag(part)])
            .finalize();
        let mut salt = Salt::default();
        salt.copy_from_slice(&hash[..16]);
        salt
    })
}

/// The first byte of what the hash of a part is over.
fn tag(part: Part) -> u8 {
    match part {
        Part::Identity => 2,
        Part::Data => 3,
        Part::Metadata => 4,
    }
}

/// What a leaf holds in the clear, and the hashes of the three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// What happened.
    pub event_type: &'a str,
    /// Place in the home stream.
    pub version: u64,
    /// When it happened.
    pub time: Time,
    /// What had to be assumed about the time.
    pub time_flags: TimeFlags,
    /// The time as written.
    pub time_text: Option<&'a str>,
    /// When the log took it, in microseconds since 1970-01-01T00:00:00Z.
    pub recorded_us: i64,
    /// Schema version of the payload.
    pub schema_version: Option<&'a str>,
    /// Content type of the data.
    pub data_type: &'a str,
    /// Content type of the metadata; `None` where there is no metadata.
    pub metadata_type: Option<&'a str>,
    /// Hash of the identity ([`hash_part`] over [`Identity::encode`]).
    pub identity: Hash,
    /// Hash of the data.
    pub data: Hash,
    /// Hash of the metadata; [`NO_METADATA`] where there is none.
    pub metadata: Hash,
}

/// Stands for the hash of metadata where an event has none: 32 zero bytes.
pub const NO_METADATA: Hash = Hash([0; 32]);

/// What had to be assumed about a time: bit 0 date only, bit 1 zone assumed, bit 2 ambiguous local time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeFlags(pub u8);

impl TimeFlags {
    /// The source named a day only.
    pub const DATE_ONLY: u8 = 1;
    /// The source named no zone.
    pub const ZONE_ASSUMED: u8 = 2;
    /// The local time does not exist, or exists twice.
    pub const AMBIGUOUS: u8 = 4;

    /// Gathers the flags of a time as a source wrote it.
    #[must_use]
    pub fn of(time: &crate::time::SourceTime) -> TimeFlags {
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        TimeFlags(
            bit(time.date_only, Self::DATE_ONLY)
                | bit(time.zone_assumed, Self::ZONE_ASSUMED)
                | bit(time.ambiguous, Self::AMBIGUOUS),
        )
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

/// Who the event is: the content of the identity part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Event id.
    pub id: &'a str,
    /// Home stream.
    pub stream: &'a str,
    /// Category of the home stream.
    pub category: &'a str,
    /// Further streams: name, version there, qualifier, by name (byte order).
    pub links: &'a [(&'a str, u64, &'a str)],
    /// Name of the source.
    pub source: Option<&'a str>,
    /// The source's own id.
    pub source_id: Option<&'a str>,
    /// The source's own number in its stream.
    pub source_version: Option<&'a str>,
    /// The source's own place in its log.
    pub source_position: Option<&'a str>,
    /// When the source recorded it.
    pub source_recorded_at: Option<Time>,
}

impl Leaf<'_> {
    /// Writes the leaf's bytes at the end of `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Leaf {
            event_type,
            version,
            time,
            time_flags,
            time_text,
            recorded_us,
            schema_version,
            data_type,
            metadata_type,
            identity,
            data,
            metadata,
        } = *self;
        out.extend_from_slice(MAGIC);
        put_text(out, event_type);
        out.extend_from_slice(&version.to_be_bytes());
        put_time(out, time);
        out.push(time_flags.0);
        put_option(out, time_text);
        out.extend_from_slice(&recorded_us.to_be_bytes());
        put_option(out, schema_version);
        put_text(out, data_type);
        put_option(out, metadata_type);
        out.extend_from_slice(&identity.0);
        out.extend_from_slice(&data.0);
        out.extend_from_slice(&metadata.0);
    }

    /// Returns the leaf hash: SHA-256(0x00 ‖ leaf bytes) (RFC 6962, section 2.1).
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash_with(&mut Vec::with_capacity(256))
    }

    /// As [`Leaf::hash`], with a buffer that the caller keeps; what it held is lost.
    #[must_use]
    pub fn hash_with(&self, buffer: &mut Vec<u8>) -> Hash {
        buffer.clear();
        buffer.push(0);
        self.encode(buffer);
        Hash(Sha256::digest(buffer).into())
    }
}

impl Identity<'_> {
    /// Writes the identity's bytes at the end of `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Identity {
            id,
            stream,
            category,
            links,
            source,
            source_id,
            source_version,
            source_position,
            source_recorded_at,
        } = *self;
        put_text(out, id);
        put_text(out, stream);
        put_text(out, category);
        put_len(out, links.len());
        for (stream, version, qualifier) in links {
            put_text(out, stream);
            out.extend_from_slice(&version.to_be_bytes());
            put_text(out, qualifier);
        }
        put_option(out, source);
        put_option(out, source_id);
        put_option(out, source_version);
        put_option(out, source_position);
        match source_recorded_at {
            None => out.push(0),
            Some(time) => {
                out.push(1);
                put_time(out, time);
            }
        }
    }
}

/// Returns the hash of a part: SHA-256(tag ‖ salt ‖ content), the tag being 0x02 for the identity, 0x03 for the
/// data and 0x04 for the metadata. RFC 6962 uses 0x00 and 0x01, so no hash can stand for another kind.
#[must_use]
pub fn hash_part(part: Part, salt: &Salt, content: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([tag(part)])
            .chain_update(salt)
            .chain_update(content)
            .finalize()
            .into(),
    )
}

/// Returns the leaf hash of leaf bytes that were written elsewhere: SHA-256(0x00 ‖ leaf bytes).
#[must_use]
pub fn hash_bytes(leaf: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0])
            .chain_update(leaf)
            .finalize()
            .into(),
    )
}

/// # Panics
/// Never for what a log takes: names end at [`crate::id::MAX_NAME_BYTES`], other texts far below 4 GiB.
fn put_len(out: &mut Vec<u8>, len: usize) {
    let len = u32::try_from(len).expect("texts and lists of an event are shorter than 4 GiB");
    out.extend_from_slice(&len.to_be_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_option(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            put_text(out, text);
        }
    }
}

fn put_time(out: &mut Vec<u8>, time: Time) {
    out.extend_from_slice(&time.us().to_be_bytes());
    out.extend_from_slice(&time.sub_ns().to_be_bytes());
}
