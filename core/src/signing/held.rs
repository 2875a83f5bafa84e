//! The private key of a log in a folder of keys.

use std::path::{Path, PathBuf};

use super::SigningError;
use super::keyfile::{self, KeyFile, KeyFileError};
use crate::integrity::note::SigningKey;
use crate::key_store::{KeyStore, made_up};
use crate::store::{Log, ReadError};
use crate::surroundings::Random;

/// How a new private key is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection<'p> {
    /// By a passphrase, which also opens a key that is there.
    Passphrase(&'p str),
    /// By nothing but the rights of its file; the user said so.
    Nothing,
    /// Nobody has said: a key that is not protected is opened, and none is made.
    Unsaid,
}

impl<'p> Protection<'p> {
    fn passphrase(self) -> Option<&'p str> {
        match self {
            Protection::Passphrase(text) => Some(text),
            Protection::Nothing | Protection::Unsaid => None,
        }
    }
}

/// Where the key in force of a log lies in the folder of keys, whether it is there or not.
///
/// # Errors
/// [`ReadError`].
pub fn held_path(log: &Log, folder: &Path) -> Result<PathBuf, ReadError> {
    let keys = log.ledger()?.keys.len() as u64;
    Ok(keyfile::path(folder, log.id(), keys.max(1)))
}

/// The key file of a log, where there is one that can be read.
///
/// # Errors
/// [`SigningError::Key`] where there is one that is none; [`SigningError::Read`].
pub fn held(log: &Log, folder: &Path) -> Result<Option<(PathBuf, KeyFile)>, SigningError> {
    let path = held_path(log, folder)?;
    match KeyFile::read(&path) {
        Ok(file) => Ok(Some((path, file))),
        Err(KeyFileError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens the key in force of a log; makes the first one where the log has none yet.
///
/// # Errors
/// [`SigningError::Unprotected`] where one would have to be made and nobody said how it is protected;
/// [`SigningError::Key`].
pub fn open_or_make(
    log: &Log,
    folder: &Path,
    protection: Protection<'_>,
    random: &Random,
) -> Result<SigningKey, SigningError> {
    let path = held_path(log, folder)?;
    match KeyFile::read(&path) {
        Ok(file) => Ok(file.open(protection.passphrase())?),
        Err(KeyFileError::NotFound { .. }) if log.ledger()?.keys.is_empty() => {
            make(log, &path, protection, random)
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the key that comes after the one in force. Its file is removed by whoever does not bring it into force.
///
/// # Errors
/// As [`open_or_make`].
pub fn make_next(
    log: &Log,
    folder: &Path,
    protection: Protection<'_>,
    random: &Random,
) -> Result<(SigningKey, PathBuf), SigningError> {
    let number = log.ledger()?.keys.len() as u64 + 1;
    let path = keyfile::path(folder, log.id(), number);
    make(log, &path, protection, random).map(|key| (key, path))
}

/// The passphrase of the private key of a log, from the system's key store; a new one is made and put there where the
/// log has no key yet.
///
/// # Errors
/// [`SigningError::KeyStore`]; [`SigningError::NotKept`] where there is a key and the key store does not know it.
pub fn kept_passphrase(
    log: &Log,
    folder: &Path,
    store: &KeyStore,
    random: &Random,
) -> Result<String, SigningError> {
    let origin = log.id().origin();
    if let Some(kept) = store.passphrase(&origin)? {
        return Ok(kept);
    }
    if held(log, folder)?.is_some() || !log.ledger()?.keys.is_empty() {
        return Err(SigningError::NotKept(origin));
    }
    let made = made_up(random);
    store.keep(&origin, &made)?;
    Ok(made)
}

/// The passphrase of a private key that is protected, where the system's key store has it. Where it cannot be asked it
/// has none: whoever signs is then asked for the passphrase.
///
/// # Errors
/// [`SigningError`] of the key's file.
pub fn known_passphrase(log: &Log, folder: &Path) -> Result<Option<String>, SigningError> {
    let protected = held(log, folder)?.is_some_and(|(_, file)| file.is_protected());
    let store = KeyStore::system().ok().filter(|_| protected);
    Ok(store.and_then(|store| store.passphrase(&log.id().origin()).ok().flatten()))
}

fn make(
    log: &Log,
    path: &Path,
    protection: Protection<'_>,
    random: &Random,
) -> Result<SigningKey, SigningError> {
    if protection == Protection::Unsaid {
        return Err(SigningError::Unprotected {
            path: path.to_owned(),
        });
    }
    let passphrase = protection.passphrase();
    Ok(keyfile::create(
        path,
        &log.id().origin(),
        passphrase,
        random,
    )?)
}
