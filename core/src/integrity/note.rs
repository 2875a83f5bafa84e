//! Signed notes (c2sp.org/signed-note): text, and lines with signatures of known keys.
//!
//! Two kinds of keys are read, and no others: Ed25519 over the text (`0x01`), which signs a log's checkpoints, and
//! time-stamped Ed25519 cosignatures (`0x04`, c2sp.org/tlog-cosignature), which witnesses give. The kind is part of
//! the key and never taken from what is verified.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, Verifier};
use sha2::{Digest, Sha256};

/// Bytes of a note, at most.
pub const MAX_BYTES: usize = 1 << 20;

/// Signatures of a note, at most. The specification asks for 16.
pub const MAX_SIGNATURES: usize = 100;

/// A text and its signatures. Nothing of it is to be believed before [`Note::verify`].
///
/// ```
/// use annals_core::integrity::note::{Note, SigningKey};
/// let key = SigningKey::from_seed("example.org/log", [7; 32]).unwrap();
/// let mut note = Note::new("hello\n").unwrap();
/// note.sign(&key);
/// let read = Note::parse(&note.to_text()).unwrap();
/// assert_eq!(read, note);
/// assert_eq!(read.verify(&[key.verifying_key()]).unwrap()[0].name, "example.org/log");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One line with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key that is said to have signed.
    pub name: String,
    /// Its id: a short hash, which only tells keys of one name apart.
    pub id: u32,
    /// What the key made.
    pub bytes: Vec<u8>,
}

/// A signature that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Name of the key.
    pub name: String,
    /// Its id.
    pub id: u32,
    /// When a witness says that it saw the text, in seconds since 1970-01-01T00:00:00Z; `None` where the key is
    /// not a witness's.
    pub cosigned_at_s: Option<u64>,
}

/// Why a note, a key or a signature cannot be read, or is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is no note.
    #[error("this is no signed note: {0}")]
    Malformed(&'static str),
    /// The name of a key is empty, or holds a space, a plus or a control character.
    #[error("{0:?} cannot be the name of a key")]
    Name(String),
    /// It is no key.
    #[error("this is no verifier key: {0}")]
    Key(&'static str),
    /// A known key is said to have signed, and it did not sign this.
    #[error("the signature of {name} ({id:08x}) is not over this text")]
    Forged {
        /// Name of the key.
        name: String,
        /// Its id.
        id: u32,
    },
    /// None of the signatures is by a key that is known.
    #[error("no known key has signed this")]
    Unsigned,
}

impl NoteError {
    /// Whether what was read says something wrong (evidence of tampering), and is not merely unusable.
    #[must_use]
    pub fn is_forgery(&self) -> bool {
        matches!(self, NoteError::Forged { .. })
    }
}

impl Note {
    /// A note without signatures yet.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] where the text does not end in a newline or holds control characters.
    pub fn new(text: &str) -> Result<Note, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Malformed("its text does not end in a newline"));
        }
        if text.len() > MAX_BYTES {
            return Err(NoteError::Malformed("it is longer than 1 MiB"));
        }
        if text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed("it holds control characters"));
        }
        Ok(Note {
            text: text.to_owned(),
            signatures: Vec::new(),
        })
    }

    /// Reads a note: text, an empty line, one signature line or more.
    ///
    /// # Errors
    /// [`NoteError::Malformed`], [`NoteError::Name`].
    pub fn parse(note: &str) -> Result<Note, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError::Malformed("it is longer than 1 MiB"));
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed(
            "there is no empty line before signatures",
        ))?;
        let mut read = Note::new(&note[..=split])?;
        let lines = note[split + 2..]
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("it does not end in a newline"))?;
        for line in lines.split('\n') {
            if read.signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::Malformed("it has more than 100 signatures"));
            }
            read.signatures.push(Signature::parse(line)?);
        }
        Ok(read)
    }

    /// The text that is signed, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, good or not, in the order in which they stand.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature.
    pub fn sign(&mut self, key: &SigningKey) {
        let signature = key.key.sign(self.text.as_bytes());
        self.signatures.push(Signature {
            name: key.name.clone(),
            id: key.verifying_key().id(),
            bytes: signature.to_bytes().to_vec(),
        });
    }

    /// Adds a witness's signature with its time, in seconds since 1970-01-01T00:00:00Z.
    pub fn cosign(&mut self, key: &SigningKey, time_s: u64) {
        let signature = key.key.sign(cosigned(time_s, &self.text).as_bytes());
        let mut bytes = time_s.to_be_bytes().to_vec();
        bytes.extend_from_slice(&signature.to_bytes());
        self.signatures.push(Signature {
            name: key.name.clone(),
            id: key.witness_key().id(),
            bytes,
        });
    }

    /// Takes the signatures of another copy of the same text that are not here yet.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] where the texts differ.
    pub fn take_signatures(&mut self, other: &Note) -> Result<(), NoteError> {
        if other.text != self.text {
            return Err(NoteError::Malformed("it signs another text"));
        }
        for signature in &other.signatures {
            if !self.signatures.contains(signature) {
                self.signatures.push(signature.clone());
            }
        }
        if self.signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("it has more than 100 signatures"));
        }
        Ok(())
    }

    /// Returns the signatures that known keys gave. Others are left out, as the specification asks.
    ///
    /// # Errors
    /// [`NoteError::Forged`] where one is said to be by a known key and is not; [`NoteError::Unsigned`] where none
    /// is by one.
    pub fn verify(&self, known: &[VerifyingKey]) -> Result<Vec<Signed>, NoteError> {
        let mut good = Vec::new();
        for signature in &self.signatures {
            let named =
                |key: &&VerifyingKey| key.name == signature.name && key.id() == signature.id;
            // Ids are short, so two keys may share one: it is good if one of them made it.
            let mut keys = known.iter().filter(named).peekable();
            if keys.peek().is_none() {
                continue;
            }
            let by = keys.find_map(|key| key.check(&self.text, &signature.bytes));
            let Some(cosigned_at_s) = by else {
                return Err(NoteError::Forged {
                    name: signature.name.clone(),
                    id: signature.id,
                });
            };
            good.push(Signed {
                name: signature.name.clone(),
                id: signature.id,
                cosigned_at_s,
            });
        }
        if good.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(good)
    }

    /// Writes the note as it is kept and sent.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut note = self.text.clone();
        note.push('\n');
        for signature in &self.signatures {
            note.push_str(&signature.to_line());
            note.push('\n');
        }
        note
    }
}

impl Signature {
    /// Writes it as a line of a note, without its newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Signature { name, id, bytes } = self;
        let mut signed = id.to_be_bytes().to_vec();
        signed.extend_from_slice(bytes);
        format!("\u{2014} {name} {}", STANDARD.encode(signed))
    }

    fn parse(line: &str) -> Result<Signature, NoteError> {
        let bad = NoteError::Malformed("a line after its text is no signature");
        let (name, encoded) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(bad.clone())?;
        let bytes = STANDARD.decode(encoded).map_err(|_| bad.clone())?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(bad.clone())?;
        if bytes.is_empty() {
            return Err(bad);
        }
        Ok(Signature {
            name: check_name(name)?.to_owned(),
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The text as it is.
    Log,
    /// The text with a time, as a witness.
    Witness,
}

impl KeyKind {
    /// Signature type identifier byte of signed-note.
    fn byte(self) -> u8 {
        match self {
            KeyKind::Log => 1,
            KeyKind::Witness => 4,
        }
    }
}

/// A public key with its name.
///
/// Prints as a *verifier key* (`name+id+base64`), the text in which such keys are handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    kind: KeyKind,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key's 32 bytes (RFC 8032).
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ kind ‖ key).
    #[must_use]
    pub fn id(&self) -> u32 {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.key.as_bytes())
            .finalize();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    /// `None` if the signature is not good, else the time that a witness gave with it.
    fn check(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        let good = |message: &[u8], signature: &[u8]| {
            let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
            // RFC 8032 as everybody else reads it, without the stricter rules of some.
            self.key.verify(message, &signature).ok()
        };
        match self.kind {
            KeyKind::Log => good(text.as_bytes(), signature).map(|()| None),
            KeyKind::Witness => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                i64::try_from(time).ok()?;
                good(cosigned(time, text).as_bytes(), signature).map(|()| Some(time))
            }
        }
    }
}

/// What a witness signs.
fn cosigned(time_s: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

impl std::fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id(),
            STANDARD.encode(key)
        )
    }
}

impl std::str::FromStr for VerifyingKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<VerifyingKey, NoteError> {
        let bad = NoteError::Key;
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("it is not name+id+key"));
        };
        let bytes = STANDARD
            .decode(key)
            .map_err(|_| bad("its third part is not base64"))?;
        let kind = match bytes.first() {
            Some(1) => KeyKind::Log,
            Some(4) => KeyKind::Witness,
            _ => return Err(bad("it is of a kind that Annals does not read")),
        };
        let key: [u8; 32] = bytes[1..]
            .try_into()
            .map_err(|_| bad("its key is not 32 bytes"))?;
        let key = VerifyingKey {
            name: check_name(name)?.to_owned(),
            kind,
            key: point(&key)?,
        };
        if u32::from_str_radix(id, 16) != Ok(key.id()) || id.len() != 8 {
            return Err(bad("its id is not that of its name and key"));
        }
        Ok(key)
    }
}

/// A key of 32 bytes that can be one. A few points of small order verify anything; they are none.
fn point(bytes: &[u8; 32]) -> Result<ed25519_dalek::VerifyingKey, NoteError> {
    ed25519_dalek::VerifyingKey::from_bytes(bytes)
        .ok()
        .filter(|key| !key.is_weak())
        .ok_or(NoteError::Key("its 32 bytes are no Ed25519 key"))
}

/// A private key with its name. Shows neither in debugging output.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes the key of a seed (RFC 8032: the private key's 32 bytes).
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<SigningKey, NoteError> {
        Ok(SigningKey {
            name: check_name(name)?.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        })
    }

    /// The seed it was made of.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The public key to what [`Note::sign`] makes.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public(KeyKind::Log)
    }

    /// The public key to what [`Note::cosign`] makes.
    #[must_use]
    pub fn witness_key(&self) -> VerifyingKey {
        self.public(KeyKind::Witness)
    }

    /// Signs bytes that are no note (a manifest), with the same key. What is signed must not be a note's text.
    #[must_use]
    pub fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes).to_bytes()
    }

    fn public(&self, kind: KeyKind) -> VerifyingKey {
        VerifyingKey {
            name: self.name.clone(),
            kind,
            key: self.key.verifying_key(),
        }
    }
}

/// A name that signed-note allows: not empty, no Unicode space, no plus; and, as in any note, no control characters.
fn check_name(name: &str) -> Result<&str, NoteError> {
    let odd = |c: char| c.is_whitespace() || c == '+' || c.is_control();
    if name.is_empty() || name.contains(odd) {
        return Err(NoteError::Name(name.to_owned()));
    }
    Ok(name)
}
