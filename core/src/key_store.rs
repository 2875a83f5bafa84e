//! The system's key store, asked through the tool that comes with it: where the passphrase of a private key may lie.
//!
//! On Linux and its kin that is the Secret Service, by `secret-tool` of libsecret; on macOS the keychain, by `security`.
//! Windows has no tool that gives a secret back. What is kept is the passphrase, not the key, so that the key's file
//! stays what is backed up. Secrets go through pipes, never into the arguments of a process, which others can read.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::surroundings::Random;

/// Why the key store gave or took nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The system has none that can be asked.
    #[error("this system has no key store that can be asked: {0}")]
    Absent(String),
    /// It refused.
    #[error("the key store of this system refused ({tool}): {told}")]
    Refused {
        /// The tool that asked it.
        tool: String,
        /// What that said.
        told: String,
    },
    /// The passphrase cannot be kept there.
    #[error(
        "the key store of this system takes no passphrase with line breaks or control characters"
    )]
    Unfit,
}

/// What the tool is spoken to like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    SecretTool,
    Security,
}

/// A key store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStore {
    program: PathBuf,
    manner: Manner,
}

impl KeyStore {
    /// The system's.
    ///
    /// # Errors
    /// [`KeyStoreError::Absent`] where none of its tools is known. Whether the tool is there shows when it is asked.
    pub fn system() -> Result<KeyStore, KeyStoreError> {
        let (program, manner) = if cfg!(target_os = "macos") {
            ("/usr/bin/security", Manner::Security)
        } else if cfg!(unix) {
            ("secret-tool", Manner::SecretTool)
        } else {
            let none = "no tool of it gives a secret back";
            return Err(KeyStoreError::Absent(none.to_owned()));
        };
        Ok(KeyStore {
            program: program.into(),
            manner,
        })
    }

    /// One that a program keeps which is spoken to like `secret-tool`.
    #[must_use]
    pub fn by(program: &Path) -> KeyStore {
        KeyStore {
            program: program.to_owned(),
            manner: Manner::SecretTool,
        }
    }

    /// The passphrase that it keeps for a log's name (`annals/<uuid>`); `None` where it keeps none.
    ///
    /// # Errors
    /// [`KeyStoreError::Absent`], [`KeyStoreError::Refused`].
    pub fn passphrase(&self, origin: &str) -> Result<Option<String>, KeyStoreError> {
        let args = match self.manner {
            Manner::SecretTool => vec!["lookup", "service", "annals", "log", origin],
            Manner::Security => vec!["find-generic-password", "-s", "annals", "-a", origin, "-w"],
        };
        let output = self.run(&args, "")?;
        let told = String::from_utf8_lossy(&output.stderr);
        // The keychain's number for what it does not keep; the Secret Service's tool says nothing then.
        let keeps_none = match self.manner {
            Manner::SecretTool => output.status.code() == Some(1) && told.trim().is_empty(),
            Manner::Security => output.status.code() == Some(44),
        };
        if keeps_none {
            return Ok(None);
        }
        if !output.status.success() {
            return Err(self.refused(&told));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let text = text.trim_end_matches(['\r', '\n']);
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// Keeps the passphrase for a log's name, in place of one that it keeps, and looks whether it is there.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    pub fn keep(&self, origin: &str, passphrase: &str) -> Result<(), KeyStoreError> {
        if passphrase.is_empty() || passphrase.chars().any(char::is_control) {
            return Err(KeyStoreError::Unfit);
        }
        let output = match self.manner {
            Manner::SecretTool => {
                let label = format!("--label=Annals, key of {origin}");
                let args = ["store", &label, "service", "annals", "log", origin];
                self.run(&args, passphrase)?
            }
            Manner::Security => {
                let quoted = passphrase.replace('\\', "\\\\").replace('"', "\\\"");
                let line =
                    format!("add-generic-password -U -s annals -a \"{origin}\" -w \"{quoted}\"\n");
                self.run(&["-i"], &line)?
            }
        };
        if !output.status.success() {
            return Err(self.refused(&String::from_utf8_lossy(&output.stderr)));
        }
        match self.passphrase(origin)? {
            Some(kept) if kept == passphrase => Ok(()),
            _ => Err(self.refused("it took the passphrase and does not give it back")),
        }
    }

    fn run(&self, args: &[&str], input: &str) -> Result<Output, KeyStoreError> {
        let absent = |error: std::io::Error| {
            KeyStoreError::Absent(format!("{} cannot be run: {error}", self.program.display()))
        };
        let mut child = Command::new(&self.program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(absent)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A tool that ends before it has read says why itself.
            let _ = stdin.write_all(input.as_bytes());
        }
        child.wait_with_output().map_err(absent)
    }

    fn refused(&self, told: &str) -> KeyStoreError {
        let told = match told.trim() {
            "" => "it says nothing",
            told => told,
        };
        KeyStoreError::Refused {
            tool: self.program.display().to_string(),
            told: told.to_owned(),
        }
    }
}

/// A passphrase that nobody has to remember: 32 random bytes in hexadecimal digits.
#[must_use]
pub fn made_up(random: &Random) -> String {
    let mut bytes = [0; 32];
    random(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program like `secret-tool` that keeps secrets in files.
    fn store(folder: &Path, script: &str) -> KeyStore {
        let program = folder.join("tool");
        let permissions = std::fs::Permissions::from_mode(0o700);
        std::fs::write(&program, format!("#!/bin/sh\n{script}")).expect("a folder of the test");
        std::fs::set_permissions(&program, permissions).expect("a file of the test");
        KeyStore::by(&program)
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_not_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let kept = kept.display();
        let script = format!(
            "case $1 in\nstore) cat > {kept};;\nlookup) [ \"$5\" = annals/x ] && [ -e {kept} ] || exit 1; cat {kept};;\nesac\n"
        );
        let store = store(folder.path(), &script);
        assert_eq!(store.passphrase("annals/x").unwrap(), None);
        store.keep("annals/x", "correct \"horse\" 馬").unwrap();
        let kept = store.passphrase("annals/x").unwrap();
        assert_eq!(kept.as_deref(), Some("correct \"horse\" 馬"));
        assert_eq!(store.passphrase("annals/y").unwrap(), None);
        let unfit = store.keep("annals/x", "two\nlines");
        assert!(matches!(unfit, Err(KeyStoreError::Unfit)));
    }

    #[test]
    fn one_that_is_not_there_or_refuses_or_forgets_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let absent = KeyStore::by(&folder.path().join("none"));
        let error = absent.passphrase("annals/x").unwrap_err();
        assert!(matches!(error, KeyStoreError::Absent(_)), "{error}");
        let refuses = store(folder.path(), "echo 'no D-Bus' >&2; exit 1\n");
        let error = refuses.passphrase("annals/x").unwrap_err().to_string();
        assert!(error.contains("no D-Bus"), "{error}");
        let forgets = store(folder.path(), "[ $1 = store ] || exit 1\n");
        let error = forgets.keep("annals/x", "a").unwrap_err().to_string();
        assert!(error.contains("does not give it back"), "{error}");
    }
}
