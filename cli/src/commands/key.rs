//! `annals key`: the keys that a log signs with.

use std::io::Read;
use std::path::{Path, PathBuf};

use annals_core::key_store::KeyStore;
use annals_core::signing::{
    HeldKey, KeyRow, KeysView, Protection, SigningError, held, kept_passphrase, keys,
    known_passphrase, make_next, open_or_make, rotate,
};
use annals_core::store::Log;
use annals_core::surroundings::{Surroundings, data_folder};

use crate::failure::{Code, Exit, Failure};
use crate::output::Output;
use crate::text::visible;

/// Show, hand on or replace the keys that a log signs with.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the log's keys, and say where the private one lies
    Show {
        /// The store
        store: PathBuf,
    },
    /// Print the public key in force as others need it to verify
    Export {
        /// The store
        store: PathBuf,
    },
    /// Make a new key and bring it into force by the signature of the old one
    Rotate {
        /// The store
        store: PathBuf,
        #[command(flatten)]
        secret: Secret,
    },
}

/// What opens a private key, and protects a new one.
#[derive(Debug, clap::Args)]
pub struct Secret {
    /// File whose first line is the passphrase of the private key (- is standard input); ANNALS_PASSPHRASE else
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The passphrase lies in the key store of this system: one that is given goes there, else the one that it keeps is
    /// taken, and a new key gets one that nobody has to remember
    #[arg(long, conflicts_with = "unprotected")]
    key_store: bool,
    /// A new private key is protected by the rights of its file alone
    #[arg(long, conflicts_with = "passphrase_file")]
    unprotected: bool,
}

impl Secret {
    /// Reads the passphrase, and hands on how a key of the log is protected.
    pub fn with<T>(
        &self,
        log: &Log,
        work: impl FnOnce(Protection<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let passphrase = match &self.passphrase_file {
            Some(path) => Some(first_line(path)?),
            None => std::env::var("ANNALS_PASSPHRASE")
                .ok()
                .filter(|text| !text.is_empty()),
        };
        let store = self.key_store.then(KeyStore::system).transpose();
        let store = store.map_err(SigningError::KeyStore)?;
        let known = match (&passphrase, &store) {
            (Some(_), _) => None,
            _ if self.unprotected => None,
            (None, Some(store)) => {
                let random = Surroundings::system().random;
                Some(kept_passphrase(log, &folder()?, store, &random)?)
            }
            // Without a folder for keys there is no key to be opened.
            (None, None) => match data_folder() {
                Some(data) => known_passphrase(log, &data.join("keys"))?,
                None => None,
            },
        };
        let done = work(match passphrase.as_ref().or(known.as_ref()) {
            _ if self.unprotected => Protection::Nothing,
            Some(text) => Protection::Passphrase(text),
            None => Protection::Unsaid,
        })?;
        // One that opened the key is worth keeping.
        if let (Some(given), Some(store)) = (&passphrase, &store) {
            let kept = store.keep(&log.id().origin(), given);
            kept.map_err(SigningError::KeyStore)?;
        }
        Ok(done)
    }
}

fn first_line(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut text).map(|_| ()),
        false => std::fs::read_to_string(path).map(|read| text = read),
    };
    read.map_err(|error| Failure::file(path, &error))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(Failure::usage(format!(
            "{}: its first line is no passphrase",
            path.display()
        ))),
    }
}

/// The folder of private keys.
pub fn folder() -> Result<PathBuf, Failure> {
    let folder = data_folder().ok_or_else(|| {
        Failure::new(
            Code::NotFound,
            "there is no folder for keys: the environment names no home",
        )
        .hint("ANNALS_DATA_DIR names one")
    })?;
    Ok(folder.join("keys"))
}

/// Runs the command.
pub fn run(args: KeyArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.what {
        What::Show { store } => show(&store, output),
        What::Export { store } => export(&store, output),
        What::Rotate { store, secret } => replace(&store, &secret, output),
    }
}

fn view(store: &Path) -> Result<KeysView, Failure> {
    let log = Log::explore(store)?;
    let held = held(&log, &folder()?)?;
    Ok(keys(
        &log,
        held.as_ref().map(|(path, file)| (path.as_path(), file)),
    )?)
}

fn show(store: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let view = view(store)?;
    output.show(&view, |output| {
        let KeysView { origin, keys, held } = &view;
        output.line(&format!("log   {origin}"))?;
        if keys.is_empty() {
            output.line("no key yet: annals checkpoint makes the first one")?;
        }
        for key in keys {
            let KeyRow {
                number,
                verifier_key,
                since,
                in_force,
            } = key;
            let state = if *in_force { "in force" } else { "replaced" };
            let line = format!("key {number} {verifier_key} (from checkpoint {since} on, {state})");
            output.line(&visible(&line))?;
        }
        match held {
            None => output.line("private key: none here"),
            Some(HeldKey {
                file,
                protected,
                verifier_key: _,
                in_force,
            }) => {
                let how = match protected {
                    true => "protected by a passphrase",
                    false => "protected by the rights of its file alone",
                };
                let which = if *in_force {
                    ""
                } else {
                    ", NOT the key in force"
                };
                output.line(&visible(&format!("private key: file {file}, {how}{which}")))
            }
        }
    })
}

fn export(store: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let view = view(store)?;
    let Some(key) = view.keys.iter().find(|key| key.in_force) else {
        return Err(Failure::new(Code::NotFound, "the log has no key yet")
            .hint("annals checkpoint makes the first one"));
    };
    output.show(key, |output| output.line(&visible(&key.verifier_key)))
}

fn replace(store: &Path, secret: &Secret, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(store)?;
    let folder = folder()?;
    let random = Surroundings::system().random;
    if log.ledger()?.keys.is_empty() {
        return Err(Failure::new(Code::NotFound, "the log has no key yet")
            .hint("annals checkpoint makes the first one"));
    }
    let row = secret.with(&log, |protection| {
        let old = open_or_make(&log, &folder, protection, &random)?;
        let (new, path) = make_next(&log, &folder, protection, &random)?;
        rotate(store, &old, &new).map_err(|error| {
            // Nobody knows the key that did not come into force.
            let _ = std::fs::remove_file(path);
            Failure::from(error)
        })
    })?;
    output.show(&row, |output| {
        output.line(&visible(&format!(
            "key {} is in force from checkpoint {} on: {}",
            row.number, row.since, row.verifier_key
        )))?;
        output.line("hand the new public key to those who verify; the old one still verifies what it signed")
    })
}
