//! Proofs that travel alone (c2sp.org/tlog-proof): an index, the hashes from its leaf to the root, a checkpoint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::integrity::checkpoint::{CheckpointError, SignedCheckpoint, decimal};
use crate::integrity::note::{NoteError, Signed, VerifyingKey};
use crate::integrity::{Hash, tree};

/// First line of a proof.
pub const MAGIC: &str = "c2sp.org/tlog-proof@v1";

/// Hashes of a proof, at most: the height of the largest tree.
const MAX_HASHES: usize = 64;

/// Shows that one leaf is in a log, without the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Bytes beside the proof that it does not vouch for. In Annals' proofs: the leaf itself, whose hash the proof
    /// is of.
    pub extra: Option<Vec<u8>>,
    /// Index of the leaf: the event's position − 1.
    pub index: u64,
    /// Siblings on the way up (RFC 6962, section 2.1.1).
    pub hashes: Vec<Hash>,
    /// The tree that the leaf is in.
    pub checkpoint: SignedCheckpoint,
}

/// Why a proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It cannot be read as a proof.
    #[error("this is no proof: {0}")]
    Malformed(&'static str),
    /// Its checkpoint is not taken.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its hashes do not lead from the leaf to the checkpoint's root.
    #[error("the proof does not lead from this leaf at index {index} to the root of size {size}")]
    Wrong {
        /// Index it claims.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
}

impl From<NoteError> for ProofError {
    fn from(error: NoteError) -> ProofError {
        ProofError::Checkpoint(error.into())
    }
}

impl LogProof {
    /// Reads a proof; verifies nothing.
    ///
    /// # Errors
    /// [`ProofError::Malformed`], [`ProofError::Checkpoint`].
    pub fn parse(text: &str) -> Result<LogProof, ProofError> {
        let bad = ProofError::Malformed;
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(bad("there is no empty line before its checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(MAGIC) {
            return Err(bad("its first line is not c2sp.org/tlog-proof@v1"));
        }
        let mut extra = None;
        if let Some(encoded) = lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            let bytes = STANDARD.decode(encoded);
            extra = Some(bytes.map_err(|_| bad("its extra data is not base64"))?);
            lines.next();
        }
        let index = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix("index ")?))
            .ok_or(bad("it has no line with its index"))?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == MAX_HASHES {
                return Err(bad("it has more than 64 hashes"));
            }
            let bytes = STANDARD.decode(line).ok();
            let hash = bytes.and_then(|bytes| Some(Hash(bytes.try_into().ok()?)));
            hashes.push(hash.ok_or(bad("one of its lines is no hash in base64"))?);
        }
        Ok(LogProof {
            extra,
            index,
            hashes,
            checkpoint: SignedCheckpoint::parse(checkpoint)?,
        })
    }

    /// Writes the proof as it is kept and sent.
    #[must_use]
    pub fn to_text(&self) -> String {
        let LogProof {
            extra,
            index,
            hashes,
            checkpoint,
        } = self;
        let mut text = format!("{MAGIC}\n");
        if let Some(extra) = extra {
            text.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        text.push_str(&format!("index {index}\n"));
        for hash in hashes {
            text.push_str(&format!("{}\n", STANDARD.encode(hash.0)));
        }
        text.push('\n');
        text.push_str(&checkpoint.note.to_text());
        text
    }

    /// Says that the leaf with this hash is in the log of this origin, if one of the keys is the log's and signed the
    /// checkpoint. Returns all of `keys` that did.
    ///
    /// # Errors
    /// [`ProofError::Wrong`], [`ProofError::Checkpoint`].
    pub fn verify(
        &self,
        leaf: &Hash,
        origin: &str,
        keys: &[VerifyingKey],
    ) -> Result<Vec<Signed>, ProofError> {
        let signed = self.checkpoint.verify(origin, keys)?;
        let head = &self.checkpoint.checkpoint;
        if !tree::verify_inclusion(leaf, self.index, head.size, &self.hashes, &head.root) {
            return Err(ProofError::Wrong {
                index: self.index,
                size: head.size,
            });
        }
        Ok(signed)
    }
}
