//! A git repository as a source, made here by the program git; where that is not there, the tests say so.

use std::path::Path;
use std::process::Command;

use super::{request, see_request};
use crate::import::{Format, ImportError};

/// Runs git in a folder; whether it is there.
fn git(folder: &Path, day: u32, arguments: &[&str]) -> bool {
    let when = format!("2024-01-{day:02}T10:00:00+02:00");
    let run = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=Jo É",
            "-c",
            "user.email=jo@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", &when)
        .env("GIT_COMMITTER_DATE", "2024-02-01T00:00:00Z")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output();
    let Ok(run) = run else {
        #[allow(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: git is not there");
        }
        return false;
    };
    assert!(
        run.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    true
}

#[test]
fn commits_and_files_are_streams() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("shop.git");
    std::fs::create_dir(&root).unwrap();
    if !git(&root, 1, &["init", "-q", "-b", "main"]) {
        return;
    }
    let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
    let commit = |day, message: &str| {
        git(&root, day, &["add", "-A"]);
        git(
            &root,
            day,
            &["commit", "-q", "--allow-empty", "-m", message],
        );
    };
    write("a.txt", "one");
    write("ü b.txt", "two");
    commit(1, "first\n\nwith a body");
    git(&root, 2, &["checkout", "-q", "-b", "side"]);
    write("a.txt", "three");
    commit(2, "on the side");
    git(&root, 3, &["checkout", "-q", "main"]);
    std::fs::remove_file(root.join("ü b.txt")).unwrap();
    commit(3, "remove it");
    git(&root, 4, &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    commit(5, "nothing");

    let seen = see_request(&request(vec![root.clone()])).unwrap();
    let mut told: Vec<String> = seen
        .events
        .iter()
        .map(|event| {
            let time = event.event.time.as_ref().unwrap().time;
            format!("{} {} {time}", seen.stream(event), event.event.event_type)
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "shop Committed 2024-01-01T08:00:00Z",
            "shop Committed 2024-01-02T08:00:00Z",
            "shop Committed 2024-01-03T08:00:00Z",
            "shop Committed 2024-01-04T08:00:00Z",
            "shop Committed 2024-01-05T08:00:00Z",
            "shop/a.txt FileAdded 2024-01-01T08:00:00Z",
            "shop/a.txt FileChanged 2024-01-04T08:00:00Z",
            "shop/ü b.txt FileAdded 2024-01-01T08:00:00Z",
            "shop/ü b.txt FileDeleted 2024-01-03T08:00:00Z",
        ]
    );
    assert_eq!(seen.totals.files[0].format, Format::Git);
    let first = &seen.events[0].event;
    let metadata = String::from_utf8(first.metadata.clone().unwrap().bytes).unwrap();
    assert!(
        metadata.contains(r#""actor":"Jo É <jo@example.com>""#),
        "{metadata}"
    );
    assert!(
        metadata.contains(r#""reason":"first\n\nwith a body""#),
        "{metadata}"
    );
    assert_eq!(
        first.source.source_recorded_at.unwrap().to_string(),
        "2024-02-01T00:00:00Z"
    );

    // Its files, where a format says that they are meant.
    let mut files = request(vec![root.join("a.txt")]);
    files.format = Format::Git;
    let error = see_request(&files).err().unwrap();
    assert!(matches!(error, ImportError::Malformed { .. }), "{error}");
}

#[test]
fn a_repository_that_git_refuses_is_told_with_what_git_says() {
    let folder = tempfile::tempdir().unwrap();
    if !git(folder.path(), 1, &["init", "-q"]) {
        return;
    }
    let error = see_request(&request(vec![folder.path().to_owned()]))
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("git says: ") && error.contains("HEAD"),
        "{error}"
    );
}
