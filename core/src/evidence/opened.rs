//! An event of a range proof, read: what is shown of it, and whether it matches.

use crate::event::{Part, Payload};
use crate::evidence::manifest::Filter;
use crate::evidence::range::{PartShown, Shown};
use crate::integrity::Hash;
use crate::integrity::decode::{self, DecodedIdentity};
use crate::integrity::leaf::{Leaf, NO_METADATA, hash_part};
use crate::position::Position;
use crate::store::extraction::{Extracted, Extractor};

/// An event as far as it is shown.
#[derive(Debug, Clone)]
pub struct Opened<'b> {
    /// Place in the log.
    pub position: Position,
    /// Whether it is a row.
    pub row: bool,
    /// What the leaf holds.
    pub leaf: Leaf<'b>,
    /// Its hash.
    pub hash: Hash,
    /// Who it is, where that is shown.
    pub identity: Option<DecodedIdentity<'b>>,
    /// What is shown of the parts.
    pub parts: [PartShown<'b>; 3],
    /// Actor, correlation and causation, from what is shown.
    pub extracted: Extracted,
}

/// What is wrong with an event that is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenedError {
    /// Its leaf bytes are none.
    #[error("its leaf cannot be read: {0}")]
    Leaf(decode::DecodeError),
    /// A part does not make the hash that the leaf has for it.
    #[error("its {} is not what the log recorded: it does not make the hash in its leaf", .0.name())]
    Changed(Part),
    /// Its identity bytes are none.
    #[error("its identity cannot be read: {0}")]
    Identity(decode::DecodeError),
    /// It says that there is no metadata, or that there is, against the leaf.
    #[error("whether it has metadata differs from its leaf")]
    Metadata,
    /// It names a rule of extraction that the manifest does not have.
    #[error("it names rule of extraction {0}, which the manifest does not have")]
    Rule(u16),
}

/// Whether an event matches a filter, as far as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It does not, whatever else there is of it.
    No,
    /// What is not shown would tell.
    Unknown,
    /// It does.
    Yes,
}

impl<'b> Opened<'b> {
    /// Reads what is shown of an event and compares the parts with the hashes in its leaf.
    ///
    /// # Errors
    /// [`OpenedError`].
    pub fn read(shown: &Shown<'b>, rules: &[Extractor]) -> Result<Opened<'b>, OpenedError> {
        let leaf = decode::leaf(shown.leaf).map_err(OpenedError::Leaf)?;
        let hashes = [leaf.identity, leaf.data, leaf.metadata];
        for ((part, shown), hash) in Part::ALL.into_iter().zip(&shown.parts).zip(hashes) {
            match shown {
                PartShown::Open { salt, bytes } if hash_part(part, salt, bytes) != hash => {
                    return Err(OpenedError::Changed(part));
                }
                _ => {}
            }
        }
        let none = matches!(shown.parts[2], PartShown::None);
        if none != leaf.metadata_type.is_none() || none != (leaf.metadata == NO_METADATA) {
            return Err(OpenedError::Metadata);
        }
        let identity = match shown.parts[0] {
            PartShown::Open { bytes, .. } => {
                Some(decode::identity(bytes).map_err(OpenedError::Identity)?)
            }
            _ => None,
        };
        let rule = rules
            .get(usize::from(shown.rule))
            .ok_or(OpenedError::Rule(shown.rule))?;
        let payload = |at: usize, content_type: Option<&str>| {
            let bytes = bytes_of(&shown.parts[at])?;
            Some(Payload {
                content_type: content_type?.into(),
                bytes: bytes.to_vec(),
            })
        };
        // Nothing is found in a payload that is not shown.
        let data = payload(1, Some(leaf.data_type)).unwrap_or(Payload {
            content_type: "".into(),
            bytes: Vec::new(),
        });
        let extracted = rule.apply(&data, payload(2, leaf.metadata_type).as_ref());
        let mut bytes = Vec::with_capacity(shown.leaf.len() + 1);
        Ok(Opened {
            position: shown.position,
            row: shown.row,
            hash: leaf.hash_with(&mut bytes),
            leaf,
            identity,
            parts: shown.parts,
            extracted,
        })
    }

    /// Bytes of a payload, whole or in part, where it is shown.
    #[must_use]
    pub fn payload(&self, part: Part) -> Option<&'b [u8]> {
        match part {
            Part::Identity => None,
            Part::Data => bytes_of(&self.parts[1]),
            Part::Metadata => bytes_of(&self.parts[2]),
        }
    }

    /// Parts of which this is so, in order.
    pub fn parts_that(&self, so: impl Fn(&PartShown<'b>) -> bool) -> Vec<Part> {
        let parts = Part::ALL.into_iter().zip(&self.parts);
        parts
            .filter_map(|(part, shown)| so(shown).then_some(part))
            .collect()
    }

    /// Its version in a stream: its home's, or a linked one's; `None` where it is in neither or that is not shown.
    #[must_use]
    pub fn version_in(&self, stream: &str) -> Option<u64> {
        let identity = self.identity.as_ref()?;
        if identity.get().stream == stream {
            return Some(self.leaf.version);
        }
        let links = identity.links().iter();
        links
            .filter(|(name, _, _)| *name == stream)
            .map(|(_, version, _)| *version)
            .next()
    }

    /// Whether it matches.
    #[must_use]
    pub fn matches(&self, filter: &Filter) -> Verdict {
        let Filter {
            stream,
            category,
            event_type,
            actor,
            correlation,
            from,
            to,
        } = filter;
        let leaf = &self.leaf;
        let certain = |yes: bool| if yes { Verdict::Yes } else { Verdict::No };
        let of_identity = |tells: &dyn Fn(&DecodedIdentity<'b>) -> bool| match &self.identity {
            Some(identity) => certain(tells(identity)),
            None => Verdict::Unknown,
        };
        let whole =
            |shown: &PartShown<'b>| matches!(shown, PartShown::Open { .. } | PartShown::None);
        let payloads_whole = whole(&self.parts[1]) && whole(&self.parts[2]);
        let extracted = |found: &Option<String>, want: &str| match payloads_whole {
            true => certain(found.as_deref() == Some(want)),
            false => Verdict::Unknown,
        };
        let conditions = [
            event_type
                .as_deref()
                .map(|want| certain(leaf.event_type == want)),
            from.map(|from| certain(leaf.time >= from)),
            to.map(|to| certain(leaf.time <= to)),
            category
                .as_deref()
                .map(|want| of_identity(&|identity| identity.get().category == want)),
            stream
                .as_deref()
                .map(|want| of_identity(&|_| self.version_in(want).is_some())),
            actor
                .as_deref()
                .map(|want| extracted(&self.extracted.actor, want)),
            correlation
                .as_deref()
                .map(|want| extracted(&self.extracted.correlation, want)),
        ];
        let worst = conditions.into_iter().flatten().min();
        worst.unwrap_or(Verdict::Yes)
    }
}

fn bytes_of<'b>(shown: &PartShown<'b>) -> Option<&'b [u8]> {
    match shown {
        PartShown::Open { bytes, .. } | PartShown::InPart(bytes) => Some(bytes),
        PartShown::Closed | PartShown::Erased | PartShown::None => None,
    }
}
