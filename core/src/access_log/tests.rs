//! Each mutation of the file by its name, and what it is found as.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::*;
use crate::surroundings::{Clock, OsUser, Surroundings};

struct Kept {
    folder: tempfile::TempDir,
    log: AccessLog,
}

fn look(action: &str) -> Look {
    Look {
        user: OsUser {
            name: "jo".into(),
            uid: Some(1000),
        },
        purpose: Some("Ticket 4711".into()),
        program: "annals test".into(),
        kind: LookKind::Command,
        action: action.into(),
        asked: vec![("stream".into(), vec!["order-789".into()])],
        size: Position(7),
    }
}

fn at(second: u32) -> Clock {
    let now = Time::parse_rfc3339(&format!("2024-01-15T09:00:{second:02}Z")).unwrap();
    std::sync::Arc::new(move || now)
}

impl Kept {
    fn with(looks: u32) -> Kept {
        let folder = tempfile::tempdir().unwrap();
        let log = AccessLog::of(LogId(uuid::Uuid::from_u128(7)), folder.path());
        for second in 0..looks {
            log.write(look(&format!("look-{second}")), &at(second))
                .unwrap();
        }
        Kept { folder, log }
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.log.path()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn put(&self, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(self.log.path(), text).unwrap();
    }

    fn remove_head(&self) {
        std::fs::remove_file(self.log.path().with_file_name("access.head")).unwrap();
    }

    fn faults(&self) -> Vec<(AccessFaultKind, u64)> {
        let view = check(&self.log, None, usize::MAX).unwrap();
        assert_eq!(view.intact, view.faults.is_empty());
        view.faults
            .iter()
            .map(|fault| (fault.kind, fault.line))
            .collect()
    }
}

#[test]
fn entries_are_chained_and_come_back() {
    let kept = Kept::with(3);
    let view = check(&kept.log, None, 2).unwrap();
    assert_eq!(
        (view.lines, view.last, view.intact, view.faults.len()),
        (3, 3, true, 0)
    );
    let actions: Vec<_> = view.entries.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(actions, ["look-1", "look-2"]);
    assert_eq!(view.entries[1].prev, hash_line(kept.lines()[1].as_bytes()));
    assert_eq!(view.head, hash_line(kept.lines()[2].as_bytes()));
}

#[test]
fn the_first_line_is_as_documented() {
    let line = &Kept::with(1).lines()[0];
    assert_eq!(
        line,
        concat!(
            r#"{"n":1,"at":"2024-01-15T09:00:00Z","user":"jo","uid":1000,"purpose":"Ticket 4711","#,
            r#""program":"annals test","kind":"command","action":"look-0","#,
            r#""asked":[["stream",["order-789"]]],"size":7,"#,
            r#""prev":"785758f08a4bc5665362da7ce1d487260f53049b8565888fc2792829db2cb515"}"#
        )
    );
}

#[test]
fn a_log_that_nobody_looked_at_has_an_empty_one() {
    let kept = Kept::with(0);
    assert_eq!(kept.faults(), []);
    assert!(
        !kept.folder.path().join("logs").exists(),
        "checking writes nothing"
    );
}

#[test]
fn changed_byte() {
    let kept = Kept::with(4);
    let mut lines = kept.lines();
    lines[1] = lines[1].replace("4711", "4712");
    kept.put(&lines);
    assert_eq!(kept.faults(), [(AccessFaultKind::Changed, 3)]);
}

#[test]
fn changed_last_line() {
    let kept = Kept::with(3);
    let mut lines = kept.lines();
    lines[2] = lines[2].replace("4711", "4712");
    kept.put(&lines);
    assert_eq!(kept.faults(), [(AccessFaultKind::Changed, 3)]);
}

#[test]
fn removed_line() {
    let kept = Kept::with(4);
    let mut lines = kept.lines();
    lines.remove(1);
    kept.put(&lines);
    assert_eq!(kept.faults(), [(AccessFaultKind::Missing, 2)]);
}

#[test]
fn doubled_line() {
    let kept = Kept::with(3);
    let mut lines = kept.lines();
    lines.insert(2, lines[1].clone());
    kept.put(&lines);
    assert_eq!(kept.faults(), [(AccessFaultKind::Inserted, 3)]);
}

#[test]
fn swapped_lines() {
    let kept = Kept::with(4);
    let mut lines = kept.lines();
    lines.swap(1, 2);
    kept.put(&lines);
    let kinds: Vec<_> = kept.faults().into_iter().map(|(kind, _)| kind).collect();
    assert!(
        kinds.contains(&AccessFaultKind::Missing) && kinds.contains(&AccessFaultKind::Inserted),
        "{kinds:?}"
    );
}

#[test]
fn tail_cut_off() {
    let kept = Kept::with(4);
    let lines = kept.lines();
    kept.put(&lines[..2]);
    assert_eq!(kept.faults(), [(AccessFaultKind::CutOff, 2)]);
}

#[test]
fn whole_file_removed() {
    let kept = Kept::with(2);
    std::fs::remove_file(kept.log.path()).unwrap();
    assert_eq!(kept.faults(), [(AccessFaultKind::CutOff, 0)]);
}

#[test]
fn a_cut_stays_visible_after_the_next_entry() {
    let kept = Kept::with(4);
    let lines = kept.lines();
    kept.put(&lines[..2]);
    kept.log.write(look("later"), &at(10)).unwrap();
    assert_eq!(kept.faults(), [(AccessFaultKind::Missing, 3)]);
}

#[test]
fn head_removed_is_said_and_a_cut_is_then_found_against_a_noted_entry() {
    let kept = Kept::with(4);
    let noted = check(&kept.log, None, 0).unwrap();
    kept.remove_head();
    assert_eq!(kept.faults(), [(AccessFaultKind::NoHead, 4)]);
    kept.put(&kept.lines()[..2]);
    let view = check(&kept.log, Some((noted.last, noted.head)), 0).unwrap();
    assert_eq!(view.faults[0].kind, AccessFaultKind::CutOff);
}

#[test]
fn written_anew_is_found_against_a_noted_entry() {
    let (kept, other) = (Kept::with(4), Kept::with(0));
    let noted = check(&kept.log, None, 0).unwrap();
    for second in 0..5 {
        other.log.write(look("forged"), &at(second)).unwrap();
    }
    assert!(
        check(&other.log, None, 0).unwrap().intact,
        "the chain alone cannot tell"
    );
    let view = check(&other.log, Some((noted.last, noted.head)), 0).unwrap();
    assert_eq!(view.faults[0].kind, AccessFaultKind::Changed);
    assert!(
        check(&kept.log, Some((noted.last, noted.head)), 0)
            .unwrap()
            .intact
    );
}

#[test]
fn entries_of_another_log() {
    let (kept, other) = (Kept::with(2), tempfile::tempdir().unwrap());
    let log = AccessLog::of(LogId(uuid::Uuid::from_u128(8)), other.path());
    std::fs::create_dir_all(log.path().parent().unwrap()).unwrap();
    std::fs::copy(kept.log.path(), log.path()).unwrap();
    let view = check(&log, None, 0).unwrap();
    assert_eq!(view.faults[0].kind, AccessFaultKind::Changed);
}

#[test]
fn torn_line_is_kept_and_the_chain_goes_on() {
    use std::io::Write as _;
    let kept = Kept::with(2);
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(kept.log.path())
        .unwrap();
    file.write_all(b"{\"n\":3,\"at\":\"20").unwrap();
    drop(file);
    assert_eq!(kept.faults(), [(AccessFaultKind::Unreadable, 3)]);
    kept.log.write(look("after the crash"), &at(9)).unwrap();
    assert_eq!(kept.faults(), [(AccessFaultKind::Unreadable, 3)]);
    assert_eq!(kept.lines().len(), 4);
}

#[test]
fn a_head_that_lags_behind_after_a_crash_is_no_fault() {
    let kept = Kept::with(2);
    let head = std::fs::read(kept.log.path().with_file_name("access.head")).unwrap();
    kept.log.write(look("third"), &at(3)).unwrap();
    std::fs::write(kept.log.path().with_file_name("access.head"), head).unwrap();
    assert_eq!(kept.faults(), []);
    kept.log.write(look("fourth"), &at(4)).unwrap();
    assert_eq!(kept.faults(), []);
    assert_eq!(kept.lines().len(), 4);
}

#[test]
fn unknown_member() {
    let kept = Kept::with(1);
    let mut lines = kept.lines();
    lines[0] = lines[0].replace("{\"n\"", "{\"x\":1,\"n\"");
    kept.put(&lines);
    let kinds: Vec<_> = kept.faults().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [AccessFaultKind::Unreadable, AccessFaultKind::Changed]
    );
}

#[test]
fn hostile_lines_end() {
    let kept = Kept::with(1);
    std::fs::write(kept.log.path(), b"\xff\n\n{}\n[[[[[[\n\0\0\0").unwrap();
    assert!(!check(&kept.log, None, 9).unwrap().intact);
}

#[test]
fn many_writers_make_one_chain() {
    let kept = Kept::with(0);
    let clock = Surroundings::system().clock;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    kept.log.write(look("at once"), &clock).unwrap();
                }
            });
        }
    });
    assert_eq!(kept.faults(), []);
    assert_eq!(kept.lines().len(), 40);
}

#[test]
fn long_values_say_how_long_they_were() {
    let kept = Kept::with(0);
    let mut long = look("events");
    long.asked = vec![("text".into(), vec!["ä".repeat(5000)])];
    kept.log.write(long, &at(0)).unwrap();
    let view = check(&kept.log, None, 1).unwrap();
    let value = &view.entries[0].asked[0].1[0];
    assert!(
        value.ends_with("ä… (10000 bytes)") && value.len() < 4200,
        "{}",
        value.len()
    );
}

#[test]
#[cfg(unix)]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let kept = Kept::with(1);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(kept.log.path()), 0o600);
    assert_eq!(mode(kept.log.path().parent().unwrap()), 0o700);
}

#[test]
fn a_folder_that_cannot_be_made_refuses() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logs"), "a file").unwrap();
    let log = AccessLog::of(LogId(uuid::Uuid::from_u128(7)), folder.path());
    let error = log.write(look("state"), &at(0)).unwrap_err();
    assert!(matches!(error, AccessLogError::Io { .. }), "{error}");
}
