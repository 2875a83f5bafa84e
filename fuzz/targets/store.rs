//! Files that are almost logs: opening and reading one ends in an answer or an error.
#![no_main]

use annals_core::store::{EventQuery, Log, LogWriter, StreamQuery};
use annals_core::surroundings::Surroundings;
use annals_core::time::Time;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|changes: Vec<(u16, u8)>| {
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
});
