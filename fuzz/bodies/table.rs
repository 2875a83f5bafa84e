//! A mapping and a table, parted by a NUL byte: the mapping is refused with a place or comes back from its own
//! TOML, and every row of the table is stored or rejected. An import does what its preview showed.

use annals_core::import::{
    Format, ImportRequest, Mapping, PreviewRequest, Progress, import, preview,
};
use annals_core::store::LogWriter;
use annals_core::surroundings::Surroundings;
use annals_core::time::Time;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let at = bytes.iter().position(|b| *b == 0).unwrap_or(0);
    let (toml, table) = bytes.split_at(at);
    let toml = String::from_utf8_lossy(toml);
    let mapping = match Mapping::from_toml("m.toml", &toml) {
        Ok(mapping) => mapping,
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            return;
        }
    };
    assert_eq!(
        Mapping::from_toml("m.toml", &mapping.to_toml()).as_ref(),
        Ok(&mapping)
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("fuzz.csv");
    std::fs::write(&file, table.get(1..).unwrap_or_default()).expect("a file in it");
    let surroundings = Surroundings::fixed(Time::MIN, 0);
    let looked = PreviewRequest {
        paths: vec![file.clone()],
        format: Format::Csv,
        encoding: None,
        category: None,
        zone: chrono_tz::UTC,
        mapping: Some(mapping.clone()),
        presets: annals_core::import::Presets::default(),
        records: 1_000_000,
    };
    let seen = preview(&looked, &surroundings).expect("the file is there");
    let seen = &seen.files[0];
    let writer = LogWriter::create(&folder.path().join("fuzz.annals"), surroundings.clone())
        .expect("a new log");
    let request = ImportRequest {
        format: Format::Csv,
        mapping: Some(mapping),
        dry_run: true,
        ..ImportRequest::of(vec![file])
    };
    match import(&writer, &request, &surroundings, &Progress::default()) {
        Ok(report) => {
            assert_eq!(
                report.read,
                report.stored + report.duplicates + report.rejected
            );
            assert_eq!(report.read, seen.records.len() as u64);
            assert_eq!(report.files[0].mapping, seen.mapping);
        }
        Err(_) => assert!(seen.error.is_some() || !seen.problems.is_empty()),
    }
}
