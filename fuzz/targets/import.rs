//! Files of any content under each format: an error or a report whose sums agree, and nothing stored by a dry
//! run. The first byte picks the format.
#![no_main]

use annals_core::import::{Format, ImportRequest, Progress, import};
use annals_core::store::LogWriter;
use annals_core::surroundings::Surroundings;
use annals_core::time::Time;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, content)) = bytes.split_first() else {
        return;
    };
    let formats = [
        Format::Auto,
        Format::Jsonl,
        Format::Json,
        Format::Xes,
        Format::Csv,
        Format::Ocel,
    ];
    let format = formats[usize::from(*first) % formats.len()];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("fuzz");
    std::fs::write(&file, content).expect("a file in it");
    let surroundings = Surroundings::fixed(Time::MIN, 0);
    let writer = LogWriter::create(&folder.path().join("fuzz.annals"), surroundings.clone())
        .expect("a new log");
    let request = ImportRequest {
        format,
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
});
