//! Files of private keys of any text: an answer. None is opened, since stretching a passphrase is slow on purpose.

use std::path::Path;

use annals_core::signing::keyfile::KeyFile;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(file) = KeyFile::parse(Path::new("x.key"), text)
        && !file.is_protected()
    {
        let _ = file.open(None);
    }
}
