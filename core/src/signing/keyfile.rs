//! A private key in a file of its own, sealed by a passphrase.
//!
//! Eight lines of text; `docs/formats/key-file.md` draws them. The passphrase is stretched by Argon2id and seals the
//! key's 32 bytes with XChaCha20-Poly1305, with the other lines as what must not be changed either.

use std::io::Write;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::id::LogId;
use crate::integrity::note::{NoteError, SigningKey, VerifyingKey};
use crate::surroundings::Random;

/// First line of a key file.
const MAGIC: &str = "annals-key/1";

/// Argon2id as OWASP asks for: KiB of memory, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Memory in KiB and passes that a file may ask for; more is a trap.
const MAX_COST: (u32, u32) = (1 << 20, 64);

/// Why a private key could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no key for this log.
    #[error("there is no private key for this log at {path}")]
    NotFound {
        /// Where it would lie.
        path: PathBuf,
    },
    /// There is one already.
    #[error("{path} exists already")]
    Exists {
        /// Where it lies.
        path: PathBuf,
    },
    /// The file is no key file.
    #[error("{path} is no key file: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file is sealed and no passphrase was given.
    #[error("{path} is protected by a passphrase, and none was given")]
    NeedsPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase does not open it, or it was changed.
    #[error("the passphrase does not open {path}")]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// Where the key of a log lies in the folder for keys. `number` is the key's.
#[must_use]
pub fn path(folder: &Path, log: LogId, number: u64) -> PathBuf {
    folder.join(format!("{log}-{number}.key"))
}

/// What a key file says without being opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
    key: VerifyingKey,
    sealed: Sealed,
    /// The lines that the seal binds.
    head: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Sealed {
    /// Nobody protects it.
    Open([u8; 32]),
    With {
        cost: (u32, u32, u32),
        salt: Vec<u8>,
        nonce: [u8; 24],
        bytes: Vec<u8>,
    },
}

impl KeyFile {
    /// Reads a key file, and opens nothing.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn read(path: &Path) -> Result<KeyFile, KeyFileError> {
        let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => KeyFileError::NotFound { path: path.into() },
            std::io::ErrorKind::InvalidData => KeyFileError::Malformed {
                path: path.into(),
                reason: "it is no text",
            },
            _ => KeyFileError::Io {
                path: path.into(),
                source,
            },
        })?;
        KeyFile::parse(path, &text)
    }

    /// Reads the text of a key file; `path` names it in errors.
    ///
    /// # Errors
    /// [`KeyFileError::Malformed`].
    pub fn parse(path: &Path, text: &str) -> Result<KeyFile, KeyFileError> {
        parse(path, text).map_err(|reason| KeyFileError::Malformed {
            path: path.into(),
            reason,
        })
    }

    /// The public key.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether a passphrase protects it.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        matches!(self.sealed, Sealed::With { .. })
    }

    /// Opens the private key.
    ///
    /// # Errors
    /// [`KeyFileError::NeedsPassphrase`], [`KeyFileError::WrongPassphrase`], [`KeyFileError::Malformed`].
    pub fn open(&self, passphrase: Option<&str>) -> Result<SigningKey, KeyFileError> {
        let path = || self.path.clone();
        let seed = match &self.sealed {
            Sealed::Open(seed) => *seed,
            Sealed::With {
                cost,
                salt,
                nonce,
                bytes,
            } => {
                let Some(passphrase) = passphrase else {
                    return Err(KeyFileError::NeedsPassphrase { path: path() });
                };
                let wrong = || KeyFileError::WrongPassphrase { path: path() };
                let cipher = cipher(passphrase, *cost, salt).ok_or_else(wrong)?;
                let payload = Payload {
                    msg: bytes,
                    aad: self.head.as_bytes(),
                };
                let seed = cipher
                    .decrypt(&XNonce::from(*nonce), payload)
                    .map_err(|_| wrong())?;
                seed.try_into().map_err(|_| wrong())?
            }
        };
        let malformed = |_: NoteError| KeyFileError::Malformed {
            path: path(),
            reason: "its key has no name",
        };
        let key = SigningKey::from_seed(self.key.name(), seed).map_err(malformed)?;
        if key.verifying_key() != self.key {
            return Err(KeyFileError::Malformed {
                path: path(),
                reason: "its private key is not that of its public key",
            });
        }
        Ok(key)
    }
}

/// Makes a new key and writes it to a file that must not exist yet, which only its owner can read. Without a
/// passphrase it is not protected otherwise.
///
/// # Errors
/// [`KeyFileError`]; no file is left behind.
pub fn create(
    path: &Path,
    name: &str,
    passphrase: Option<&str>,
    random: &Random,
) -> Result<SigningKey, KeyFileError> {
    let malformed = |reason| KeyFileError::Malformed {
        path: path.into(),
        reason,
    };
    let mut seed = [0; 32];
    random(&mut seed);
    let key = SigningKey::from_seed(name, seed).map_err(|_| malformed("its name is none"))?;
    let mut text = format!("{MAGIC}\nkey {}\n", key.verifying_key());
    match passphrase {
        None => text.push_str(&format!("open {}\n", STANDARD.encode(seed))),
        Some(passphrase) => {
            let (mut salt, mut nonce) = ([0; 16], [0; 24]);
            random(&mut salt);
            random(&mut nonce);
            let (memory, passes, lanes) = COST;
            text.push_str(&format!(
                "argon2id {memory} {passes} {lanes}\nsalt {}\nnonce {}\n",
                STANDARD.encode(salt),
                STANDARD.encode(nonce)
            ));
            let cipher = cipher(passphrase, COST, &salt)
                .ok_or_else(|| malformed("the passphrase cannot be used"))?;
            let payload = Payload {
                msg: &seed,
                aad: text.as_bytes(),
            };
            let sealed = cipher
                .encrypt(&XNonce::from(nonce), payload)
                .map_err(|_| malformed("it cannot be sealed"))?;
            text.push_str(&format!("sealed {}\n", STANDARD.encode(sealed)));
        }
    }
    write_new(path, &text)?;
    Ok(key)
}

fn write_new(path: &Path, text: &str) -> Result<(), KeyFileError> {
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.into() },
        _ => KeyFileError::Io {
            path: path.into(),
            source,
        },
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(io)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|error| {
        // A file that is not whole is worse than none.
        let _ = std::fs::remove_file(path);
        io(error)
    })
}

fn cipher(passphrase: &str, cost: (u32, u32, u32), salt: &[u8]) -> Option<XChaCha20Poly1305> {
    let params = Params::new(cost.0, cost.1, cost.2, Some(32)).ok()?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut key)
        .ok()?;
    Some(XChaCha20Poly1305::new(&key.into()))
}

fn parse(path: &Path, text: &str) -> Result<KeyFile, &'static str> {
    let mut lines = text.lines();
    let mut line = |word: &'static str| -> Option<&str> {
        lines.next()?.strip_prefix(word)?.strip_prefix(' ')
    };
    if text.lines().next() != Some(MAGIC) {
        return Err("its first line is not annals-key/1");
    }
    line(MAGIC);
    let key = line("key").and_then(|key| key.parse().ok());
    let key: VerifyingKey = key.ok_or("its second line is no verifier key")?;
    let decode = |text: Option<&str>| STANDARD.decode(text?).ok();
    let third = text.lines().nth(2).unwrap_or_default();
    let sealed = match third.strip_prefix("open ") {
        Some(open) => {
            let seed = decode(Some(open)).and_then(|seed| seed.try_into().ok());
            Sealed::Open(seed.ok_or("its key is not 32 bytes")?)
        }
        None => {
            let cost: Vec<u32> = line("argon2id")
                .map(|cost| cost.split(' ').filter_map(|n| n.parse().ok()).collect())
                .unwrap_or_default();
            let [memory, passes, lanes] = cost[..] else {
                return Err("its third line is no cost");
            };
            if memory > MAX_COST.0 || passes > MAX_COST.1 || lanes != 1 {
                return Err("it asks for more work than any key file");
            }
            let salt = decode(line("salt")).ok_or("it has no salt")?;
            let nonce = decode(line("nonce")).and_then(|nonce| nonce.try_into().ok());
            let nonce = nonce.ok_or("it has no nonce")?;
            let bytes = decode(line("sealed")).ok_or("it has no sealed key")?;
            Sealed::With {
                cost: (memory, passes, lanes),
                salt,
                nonce,
                bytes,
            }
        }
    };
    let head = text.find("sealed ").map_or(text, |at| &text[..at]);
    Ok(KeyFile {
        path: path.into(),
        key,
        sealed,
        head: head.to_owned(),
    })
}
