//! A file that is written whole or not at all: under a temporary name first, renamed when it is whole.

use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::import::{files_of, folder_of, may_replace};
use crate::integrity::Hash;
use crate::store::Log;

/// Refuses a file of the log's own, any other database, and what is no regular file.
pub(crate) fn may_write(log: &Log, file: &Path) -> std::io::Result<()> {
    let own = files_of(log.path());
    may_replace(file, &own.each_ref().map(|path| path.as_path()))
}

/// A file beside `file` with a temporary name, that others may read as any new file, where the umask lets them.
pub(crate) fn new_file(file: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".annals-export-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder_of(file))
}

/// Gives a file that is whole and synced its name, and makes the name durable.
pub(crate) fn put(temporary: NamedTempFile, file: &Path) -> std::io::Result<()> {
    temporary.persist(file).map_err(|error| error.error)?;
    // Only some systems can open a folder for that.
    if cfg!(unix) {
        std::fs::File::open(folder_of(file))?.sync_all()?;
    }
    Ok(())
}

/// Hashes and counts what goes through.
pub(crate) struct Hashed<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Hashed<W> {
    pub(crate) fn new(out: W) -> Hashed<W> {
        Hashed {
            out,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    /// SHA-256 and number of the bytes that went through.
    pub(crate) fn told(self) -> (Hash, u64) {
        (Hash(self.hash.finalize().into()), self.bytes)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
