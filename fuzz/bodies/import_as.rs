//! A file of any content under one format: an error or a report whose sums agree, and nothing stored by a dry run.

use annals_core::import::{Format, ImportRequest, Presets, Progress, import};
use annals_core::store::LogWriter;
use annals_core::surroundings::Surroundings;
use annals_core::time::Time;

/// Imports the bytes.
pub fn import_as(format: Format, presets: Presets, content: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("fuzz");
    std::fs::write(&file, content).expect("a file in it");
    let surroundings = Surroundings::fixed(Time::MIN, 0);
    let writer = LogWriter::create(&folder.path().join("fuzz.annals"), surroundings.clone())
        .expect("a new log");
    let request = ImportRequest {
        format,
        presets,
        dry_run: true,
        ..ImportRequest::of(vec![file])
    };
    if let Ok(report) = import(&writer, &request, &surroundings, &Progress::default()) {
        assert_eq!(
            report.read,
            report.stored + report.duplicates + report.rejected
        );
    }
    assert_eq!(writer.log().head().expect("the log still reads").size.0, 0);
}
