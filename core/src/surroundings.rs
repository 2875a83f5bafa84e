//! What core is handed from outside: the clock, the random source, who is asking and where their files go. Core reads
//! none of them by itself.

use std::path::PathBuf;
use std::sync::Arc;

use crate::time::Time;

/// A clock: returns the present instant.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;
/// A random source: fills the bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Clock and random source that a host hands to core.
#[derive(Clone)]
pub struct Surroundings {
    /// Present instant, for `recorded_at` and time-ordered ids.
    pub clock: Clock,
    /// Source of salts and of the log's uuid.
    pub random: Random,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

impl Surroundings {
    /// The machine's own clock and random source. Only hosts call this: it is the one place in core that
    /// touches either.
    ///
    /// # Panics
    /// The random source panics where the operating system has no randomness to give.
    #[must_use]
    pub fn system() -> Self {
        Surroundings {
            clock: Arc::new(|| Time::from_utc(chrono::Utc::now())),
            random: Arc::new(|bytes| {
                getrandom::fill(bytes).expect("the operating system gives random bytes")
            }),
        }
    }

    /// A clock that always says `now` and bytes that follow from `seed` (SHA-256 in counter mode), for
    /// samples and tests that must come out the same every time.
    ///
    /// ```
    /// use annals_core::{surroundings::Surroundings, time::Time};
    /// let now = Time::parse_rfc3339("2024-01-15T00:00:00Z").unwrap();
    /// let (a, b) = (Surroundings::fixed(now, 7), Surroundings::fixed(now, 7));
    /// let (mut x, mut y) = ([0u8; 16], [0u8; 16]);
    /// (a.random)(&mut x);
    /// (b.random)(&mut y);
    /// assert_eq!(x, y);
    /// ```
    #[must_use]
    pub fn fixed(now: Time, seed: u64) -> Self {
        use sha2::{Digest, Sha256};
        let counter = std::sync::atomic::AtomicU64::new(0);
        Surroundings {
            clock: Arc::new(move || now),
            random: Arc::new(move |bytes| {
                for chunk in bytes.chunks_mut(32) {
                    let n = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let block = Sha256::new()
                        .chain_update(seed.to_be_bytes())
                        .chain_update(n.to_be_bytes())
                        .finalize();
                    chunk.copy_from_slice(&block[..chunk.len()]);
                }
            }),
        }
    }
}

/// Who runs the program, as the system knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsUser {
    /// Login name; `uid N` where the number has none.
    pub name: String,
    /// Number, on systems that have them.
    pub uid: Option<u32>,
}

impl OsUser {
    /// Who runs this program. Only hosts call this.
    ///
    /// On Unix the real user id decides, not the environment; its name is looked up in `/etc/passwd`, and only where
    /// that does not know it in `USER`.
    #[must_use]
    pub fn system() -> OsUser {
        let named = |names: [&str; 2]| {
            let found = names.iter().filter_map(|name| std::env::var(name).ok());
            found.into_iter().find(|name| !name.is_empty())
        };
        #[cfg(unix)]
        {
            let uid = rustix::process::getuid().as_raw();
            let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
            let name = name_of(uid, &users).or_else(|| named(["USER", "LOGNAME"]));
            OsUser {
                name: name.unwrap_or_else(|| format!("uid {uid}")),
                uid: Some(uid),
            }
        }
        #[cfg(not(unix))]
        OsUser {
            name: named(["USERNAME", "USER"]).unwrap_or_else(|| "unknown".to_owned()),
            uid: None,
        }
    }
}

/// The name of a user in the text of `/etc/passwd` (passwd(5)).
#[cfg(unix)]
fn name_of(uid: u32, users: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

/// The user's own data folder: `ANNALS_DATA_DIR`, else the app's folder where the system keeps such
/// (`$XDG_DATA_HOME` or `~/.local/share`, `~/Library/Application Support`, `%APPDATA%`). Only hosts call this.
/// `None` where the environment names no home.
#[must_use]
pub fn data_folder() -> Option<PathBuf> {
    let named = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value))
    };
    if let Some(folder) = named("ANNALS_DATA_DIR") {
        return Some(folder);
    }
    let data = if cfg!(windows) {
        named("APPDATA")
    } else if cfg!(target_os = "macos") {
        named("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        named("XDG_DATA_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| Some(named("HOME")?.join(".local/share")))
    };
    Some(data?.join("app.annals.desktop"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::name_of;

    #[test]
    fn a_user_has_the_name_that_the_system_lists() {
        let users = "root:x:0:0::/root:/bin/sh\nbroken\njo:x:1000:1000::/home/jo:/bin/sh\n";
        assert_eq!(name_of(1000, users).as_deref(), Some("jo"));
        assert_eq!(name_of(1, users), None);
    }
}
