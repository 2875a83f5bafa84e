//! Fixtures that `annals export --fixture` writes: the ones beside this file are what it writes of the guide
//! sample, and their own tests run here.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use annals_core::export::fixture::{FixtureError, FixtureRequest, fixture};
use annals_core::id::StreamId;
use annals_core::position::Version;
use annals_core::progress::WorkProgress;
use annals_core::sample::{ShopRequest, guide, shop};
use annals_core::store::Log;

// Written by a program, not by rustfmt.
#[rustfmt::skip]
#[path = "fixtures/account/fixture.rs"]
mod account;
#[rustfmt::skip]
#[path = "fixtures/ecommerce/fixture.rs"]
mod ecommerce;

fn request(stream: &str, from: u64, to: Option<u64>) -> FixtureRequest {
    FixtureRequest {
        stream: StreamId::new(stream).unwrap(),
        from: Version(from),
        to: to.map(Version),
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            (PathBuf::from(path.file_name().unwrap()), text)
        })
        .collect();
    files.sort();
    files
}

/// `UPDATE_GOLDENS=1` writes the committed ones anew.
#[test]
fn committed_fixtures_are_what_is_written() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("guide.annals");
    guide(&store).unwrap();
    let log = Log::explore(&store).unwrap();
    for (name, stream) in [
        ("account", "account-12345"),
        ("ecommerce", "ecommerce-example"),
    ] {
        let out = match update {
            true => committed.join(name),
            false => folder.path().join(name),
        };
        if update {
            let _ = std::fs::remove_dir_all(&out);
            std::fs::create_dir_all(&committed).unwrap();
        }
        let report = fixture(&log, &request(stream, 1, None), &out).unwrap();
        assert!(report.as_in_log, "{stream}");
        assert_eq!(files(&out), files(&committed.join(name)), "{stream}");
    }
}

#[test]
fn linked_events_come_along_and_every_slice_loads() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("shop.annals");
    let size = ShopRequest {
        events: 2_000,
        seed: 1,
    };
    shop(&store, &size, &WorkProgress::default()).unwrap();
    let log = Log::explore(&store).unwrap();
    for (n, row) in log
        .streams(&Default::default(), 60)
        .unwrap()
        .streams
        .into_iter()
        .enumerate()
    {
        let out = folder.path().join(format!("out-{n}"));
        let report = fixture(&log, &request(&row.stream, 1, None), &out).unwrap();
        assert_eq!(
            (report.events, report.as_in_log),
            (row.events, true),
            "{}",
            row.stream
        );
    }
    let out = folder.path().join("order");
    let report = fixture(&log, &request("order-1", 2, Some(3)), &out).unwrap();
    assert_eq!(
        (report.first, report.last, report.as_in_log),
        (Version(2), Version(3), false)
    );
    assert!(
        std::fs::read_to_string(out.join("README.md"))
            .unwrap()
            .contains("linked into this one")
    );
}

#[test]
fn a_fixture_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("guide.annals");
    guide(&store).unwrap();
    let log = Log::explore(&store).unwrap();
    let out = folder.path().join("out");
    let none = fixture(&log, &request("account-12345", 6, None), &out);
    assert!(matches!(
        none,
        Err(FixtureError::Empty {
            last: Version(5),
            ..
        })
    ));
    assert!(fixture(&log, &request("nowhere", 1, None), &out).is_err());
    assert!(!out.exists());
    std::fs::create_dir(&out).unwrap();
    let taken = fixture(&log, &request("account-12345", 1, None), &out);
    assert!(matches!(taken, Err(FixtureError::Exists { .. })));
    assert_eq!(files(&out), []);
    let lost = fixture(
        &log,
        &request("account-12345", 1, None),
        &folder.path().join("no/out"),
    );
    assert!(matches!(lost, Err(FixtureError::Io { .. })));
}
