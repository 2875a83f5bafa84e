//! Checkpoints (c2sp.org/tlog-checkpoint): a log's size and root as the text of a signed note.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::integrity::Hash;
use crate::integrity::note::{Note, NoteError, Signature, Signed, SigningKey, VerifyingKey};

/// What a checkpoint says: this log, at this size, has this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: [`crate::id::LogId::origin`].
    pub origin: String,
    /// Number of its events.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Checkpoint { origin, size, root } = self;
        format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.0))
    }

    /// Reads the text. Extension lines, which the format allows and nobody can check, are refused: a line that this
    /// reader does not know may be what the signer meant.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(text: &str) -> Result<Checkpoint, NoteError> {
        let bad = NoteError::Malformed;
        let lines = text
            .strip_suffix('\n')
            .ok_or(bad("its text does not end in a newline"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(bad("a checkpoint has three lines: origin, size, root"));
        };
        if lines.next().is_some() {
            return Err(bad("it has lines after the root"));
        }
        if origin.is_empty() {
            return Err(bad("its origin is empty"));
        }
        let root = STANDARD.decode(root).ok();
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size: decimal(size).ok_or(bad("its size is no number"))?,
            root: root
                .and_then(|bytes| Some(Hash(bytes.try_into().ok()?)))
                .ok_or(bad("its root is no hash in base64"))?,
        })
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`NoteError`] where the origin cannot stand in a note.
    pub fn sign(self, key: &SigningKey) -> Result<SignedCheckpoint, NoteError> {
        let mut note = Note::new(&self.to_text())?;
        note.sign(key);
        Ok(SignedCheckpoint {
            checkpoint: self,
            note,
        })
    }
}

/// A number as notes have it: ASCII digits, no zeros in front.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// A checkpoint with its signatures. What it says is not to be believed before [`SignedCheckpoint::verify`].
///
/// ```
/// use annals_core::integrity::checkpoint::{Checkpoint, SignedCheckpoint};
/// use annals_core::integrity::{note::SigningKey, tree::empty_root};
/// let key = SigningKey::from_seed("annals/x", [1; 32]).unwrap();
/// let empty = Checkpoint { origin: "annals/x".into(), size: 0, root: empty_root() };
/// let text = empty.clone().sign(&key).unwrap().note.to_text();
/// let read = SignedCheckpoint::parse(&text).unwrap();
/// assert!(read.verify("annals/x", &[key.verifying_key()]).is_ok());
/// assert!(read.verify("annals/y", &[key.verifying_key()]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note that says it.
    pub note: Note,
}

/// Why a checkpoint is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note cannot be read, or its signatures are not good.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It is another log's.
    #[error("this is a checkpoint of {found}, not of {expected}")]
    OtherLog {
        /// Origin it has.
        found: String,
        /// Origin asked for.
        expected: String,
    },
}

impl SignedCheckpoint {
    /// Reads a checkpoint; looks at no signature.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(note: &str) -> Result<SignedCheckpoint, NoteError> {
        let note = Note::parse(note)?;
        Ok(SignedCheckpoint {
            checkpoint: Checkpoint::parse(note.text())?,
            note,
        })
    }

    /// The note with the log's own signature alone, whoever else signed it: what time stamps are of.
    #[must_use]
    pub fn own_note(&self) -> String {
        let mut text = format!("{}\n", self.note.text());
        let own = |s: &&Signature| s.name == self.checkpoint.origin;
        for signature in self.note.signatures().iter().filter(own) {
            text.push_str(&signature.to_line());
            text.push('\n');
        }
        text
    }

    /// Returns who of `keys` signed it, for the log of this origin. At least one of them is a key of the log itself:
    /// a witness alone does not make a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(
        &self,
        origin: &str,
        keys: &[VerifyingKey],
    ) -> Result<Vec<Signed>, CheckpointError> {
        if self.checkpoint.origin != origin {
            return Err(CheckpointError::OtherLog {
                found: self.checkpoint.origin.clone(),
                expected: origin.to_owned(),
            });
        }
        let good = self.note.verify(keys)?;
        if good
            .iter()
            .all(|signed| signed.name != origin || signed.cosigned_at_s.is_some())
        {
            return Err(NoteError::Unsigned.into());
        }
        Ok(good)
    }
}
