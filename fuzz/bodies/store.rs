//! Files that are almost logs: opening and reading one ends in an answer or an error.

use annals_core::store::{EventQuery, Log, LogWriter, StreamQuery};
use annals_core::surroundings::Surroundings;
use annals_core::time::Time;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let changes = bytes
        .chunks_exact(3)
        .map(|c| (u16::from_le_bytes([c[0], c[1]]), c[2]));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fuzz.annals");
    LogWriter::create(&path, Surroundings::fixed(Time::MIN, 0))
        .expect("a new log")
        .close()
        .expect("it closes");
    let mut bytes = std::fs::read(&path).expect("its bytes");
    for (place, byte) in changes {
        let at = usize::from(place) % bytes.len();
        bytes[at] = byte;
    }
    std::fs::write(&path, bytes).expect("the file again");
    if let Ok(log) = Log::explore(&path) {
        let _ = log.info();
        let _ = log.events(&EventQuery::default(), 10);
        let _ = log.streams(&StreamQuery::default(), 10);
    }
}
