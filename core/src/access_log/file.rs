//! Writing a line: one process at a time, chained to the line before, on the disk before the answer is given.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{AccessEntry, AccessLogError, AccessState, Look, hash_line, kept, origin};
use crate::id::LogId;
use crate::integrity::Hash;
use crate::surroundings::Clock;

/// How often, and how long apart, the lock is tried. A line takes milliseconds.
const TRIES: u32 = 400;
const PAUSE: Duration = Duration::from_millis(25);

/// First line of the file that says where the last line ends.
const HEAD_MARK: &str = "annals-access-head/1";

/// The access log of one log: where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLog {
    log: LogId,
    path: PathBuf,
    head_path: PathBuf,
}

/// Where the last line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) n: u64,
    /// Bytes of the file up to the end of that line.
    pub(super) bytes: u64,
    pub(super) hash: Hash,
}

impl AccessLog {
    /// The access log of a log in the user's data folder. Nothing is made or read yet.
    #[must_use]
    pub fn of(log: LogId, data_folder: &Path) -> AccessLog {
        let folder = data_folder.join("logs").join(log.0.to_string());
        AccessLog {
            log,
            path: folder.join("access.jsonl"),
            head_path: folder.join("access.head"),
        }
    }

    /// The log that it belongs to.
    #[must_use]
    pub fn log(&self) -> LogId {
        self.log
    }

    /// Path of its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a look down: durable when this returns. Processes and threads take turns.
    ///
    /// A file that ends within a line (a crash, a full disk) is not changed: the line is ended and counted, and the
    /// chain goes on behind it. A file that is shorter than it was goes on from the line that is missing.
    ///
    /// # Errors
    /// [`AccessLogError`]: nothing was written, or not all of it, and the question must not be answered.
    ///
    /// ```
    /// use annals_core::access_log::{AccessLog, AccessState, Look, LookKind, check};
    /// use annals_core::id::LogId;
    /// use annals_core::position::Position;
    /// use annals_core::surroundings::{OsUser, Surroundings};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let log = AccessLog::of(LogId(uuid::Uuid::nil()), folder.path());
    /// let look = Look {
    ///     user: OsUser { name: "jo".into(), uid: Some(1000) },
    ///     purpose: Some("Ticket 4711".into()),
    ///     program: "annals 0.1.0".into(),
    ///     kind: LookKind::Command,
    ///     action: "state".into(),
    ///     asked: vec![("streams".into(), vec!["order-789".into()])],
    ///     size: Position(52),
    /// };
    /// let clock = Surroundings::system().clock;
    /// assert!(matches!(log.write(look, &clock)?, AccessState::Logged { entry: 1, .. }));
    /// assert!(check(&log, None, usize::MAX)?.faults.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write(&self, look: Look, clock: &Clock) -> Result<AccessState, AccessLogError> {
        let mut head = self.lock()?;
        self.write_locked(&mut head, look, clock)
            .map_err(|source| self.io(source))
    }

    fn write_locked(
        &self,
        head: &mut File,
        look: Look,
        clock: &Clock,
    ) -> std::io::Result<AccessState> {
        let mut file =
            private(OpenOptions::new().read(true).append(true).create(true)).open(&self.path)?;
        let (tail, ends_within_line) = self.find_tail(read_head(head)?, &mut file)?;
        let Look {
            user,
            purpose,
            program,
            kind,
            action,
            asked,
            size,
        } = look;
        let entry = AccessEntry {
            n: tail.n + 1,
            // Read while nobody else writes, so that times do not run backwards along the lines.
            at: clock(),
            user: user.name,
            uid: user.uid,
            purpose: purpose.as_deref().map(kept),
            program,
            kind,
            action,
            asked: asked
                .into_iter()
                .map(|(name, values)| (name, values.iter().map(|value| kept(value)).collect()))
                .collect(),
            size,
            prev: tail.hash,
        };
        let mut line = serde_json::to_vec(&entry)?;
        let hash = hash_line(&line);
        line.push(b'\n');
        if ends_within_line {
            line.insert(0, b'\n');
        }
        file.write_all(&line)?;
        file.sync_data()?;
        let bytes = file.metadata()?.len();
        write_head(
            head,
            Tail {
                n: entry.n,
                bytes,
                hash,
            },
        )?;
        Ok(AccessState::Logged {
            entry: entry.n,
            hash,
        })
    }

    /// Finds the last line, and whether it has no end. Reads no more than what was written since the head was.
    fn find_tail(&self, head: Option<Tail>, file: &mut File) -> std::io::Result<(Tail, bool)> {
        let mut tail = head.unwrap_or(Tail {
            n: 0,
            bytes: 0,
            hash: origin(self.log),
        });
        let len = file.metadata()?.len();
        if len < tail.bytes {
            // Lines are missing. The chain goes on from the last one that was there, so the gap stays to be seen.
            let ends = len == 0 || last_byte(file, len)? == b'\n';
            return Ok((tail, !ends));
        }
        let mut rest = Vec::new();
        file.seek(SeekFrom::Start(tail.bytes))?;
        file.take(len - tail.bytes).read_to_end(&mut rest)?;
        let ends_within_line = rest.last().is_some_and(|byte| *byte != b'\n');
        for line in rest.split_inclusive(|byte| *byte == b'\n') {
            tail = Tail {
                n: tail.n + 1,
                bytes: tail.bytes + line.len() as u64,
                hash: hash_line(line.strip_suffix(b"\n").unwrap_or(line)),
            };
        }
        Ok((tail, ends_within_line))
    }

    /// Opens the file that says where the last line ends, and waits for its lock.
    pub(super) fn lock(&self) -> Result<File, AccessLogError> {
        let open = || -> std::io::Result<File> {
            if let Some(folder) = self.head_path.parent() {
                make_private_folder(folder)?;
            }
            private(
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false),
            )
            .open(&self.head_path)
        };
        let head = open().map_err(|source| self.io(source))?;
        for _ in 0..TRIES {
            match head.try_lock() {
                Ok(()) => return Ok(head),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(source)) => return Err(self.io(source)),
            }
        }
        Err(AccessLogError::Locked {
            path: self.path.clone(),
        })
    }

    /// What the file beside says of the last line; `None` where it is not there or says nothing.
    pub(super) fn head(&self) -> std::io::Result<Option<Tail>> {
        match File::open(&self.head_path) {
            Ok(mut file) => read_head(&mut file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn io(&self, source: std::io::Error) -> AccessLogError {
        AccessLogError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

fn last_byte(file: &mut File, len: u64) -> std::io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(len - 1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn read_head(file: &mut File) -> std::io::Result<Option<Tail>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(4096).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.split_ascii_whitespace();
    if words.next() != Some(HEAD_MARK) {
        return Ok(None);
    }
    let tail = (|| {
        Some(Tail {
            n: words.next()?.parse().ok()?,
            bytes: words.next()?.parse().ok()?,
            hash: words.next()?.parse().ok()?,
        })
    })();
    Ok(tail)
}

/// Writes in place, always the same length: a crash leaves the old text or the new one, and a spoilt one counts as none.
fn write_head(file: &mut File, tail: Tail) -> std::io::Result<()> {
    let text = format!(
        "{HEAD_MARK}\n{:020} {:020} {}\n",
        tail.n, tail.bytes, tail.hash
    );
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

/// For the user alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}
