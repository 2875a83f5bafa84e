//! The list of imports. No leaf holds it, so what it says cannot be proven; what can be checked is that it agrees with
//! itself and with the events.

use rusqlite::Connection;

use crate::position::Position;
use crate::store::Positions;
use crate::store::sqlite::imports::{are_there, coverage_is_there, seen_is_there};
use crate::store::verify::{Grade, VerifyFindings, VerifyKind};

/// One import, as the file has it.
struct Kept {
    number: i64,
    recorded_us: i64,
    read: i64,
    stored: i64,
    duplicates: i64,
    rejected: i64,
    range: Option<(i64, i64)>,
    /// When the event at the end of its range was recorded.
    last_recorded_us: Option<i64>,
    files: i64,
}

/// Checks the list; returns how many imports are on it.
pub(super) fn check(
    conn: &Connection,
    size: u64,
    findings: &mut VerifyFindings,
) -> rusqlite::Result<u64> {
    if !are_there(conn)? {
        return Ok(0);
    }
    let mut differ = |at: Option<Position>, detail: String| {
        findings.add(Grade::Manipulation, VerifyKind::ImportsDiffer, at, detail);
    };
    let mut list = conn.prepare(
        "SELECT i.id, i.recorded_us, i.read, i.stored, i.duplicates, i.rejected, i.first_position, i.last_position,
                (SELECT recorded_us FROM events WHERE position = i.last_position),
                (SELECT count(*) FROM import_files WHERE import = i.id)
         FROM imports i ORDER BY i.id",
    )?;
    let mut rows = list.query([])?;
    let (mut count, mut end) = (0, 0);
    while let Some(row) = rows.next()? {
        let range: (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
        let kept = Kept {
            number: row.get(0)?,
            recorded_us: row.get(1)?,
            read: row.get(2)?,
            stored: row.get(3)?,
            duplicates: row.get(4)?,
            rejected: row.get(5)?,
            range: range.0.zip(range.1),
            last_recorded_us: row.get(8)?,
            files: row.get(9)?,
        };
        count += 1;
        if kept.number != count {
            differ(None, format!("import {count} is missing from the list"));
            count = kept.number;
        }
        for (place, fault) in faults(&kept, end, size) {
            differ(place, format!("import {}: {fault}", kept.number));
        }
        end = kept.range.map_or(end, |(_, last)| last);
    }
    if seen_is_there(conn)? {
        seen(conn, size, &mut differ)?;
    }
    if coverage_is_there(conn)? {
        coverage(conn, &mut differ)?;
    }
    Ok(count.unsigned_abs())
}

/// What is wrong with one import, after one whose positions end at `end`.
fn faults(kept: &Kept, end: i64, size: u64) -> Vec<(Option<Position>, String)> {
    let mut faults = Vec::new();
    let Kept {
        number: _,
        recorded_us,
        read,
        stored,
        duplicates,
        rejected,
        range,
        last_recorded_us,
        files,
    } = kept;
    let sum = stored
        .checked_add(*duplicates)
        .and_then(|sum| sum.checked_add(*rejected));
    if sum != Some(*read) {
        let told = format!(
            "{stored} events stored, {duplicates} duplicates and {rejected} rejected records are not the {read} that were read"
        );
        faults.push((None, told));
    }
    if *files == 0 && *read != 0 {
        faults.push((None, "it is of no file".to_owned()));
    }
    let Some((first, last)) = *range else {
        if *stored != 0 {
            faults.push((None, format!("{stored} events stored, at no position")));
        }
        return faults;
    };
    let place = u64::try_from(first).ok().map(Position);
    if last.checked_sub(first).and_then(|n| n.checked_add(1)) != Some(*stored) {
        let told = format!("{stored} events stored are not those at positions {first} to {last}");
        faults.push((place, told));
    }
    if first <= end || u64::try_from(last).is_ok_and(|last| last > size) {
        let told = format!("positions {first} to {last} are another's, or beyond the log's end");
        faults.push((place, told));
    }
    if last_recorded_us.is_some_and(|us| us != *recorded_us) {
        let told =
            format!("it is said to be of another time than its last event, at position {last}");
        faults.push((place, told));
    }
    faults
}

/// What imports saw of their files: each of a file that is there, at positions that are.
fn seen(
    conn: &Connection,
    size: u64,
    differ: &mut dyn FnMut(Option<Position>, String),
) -> rusqlite::Result<()> {
    let mut list = conn.prepare(
        "SELECT s.import, s.idx, s.records, s.positions, s.same_as,
                EXISTS (SELECT 1 FROM import_files f WHERE f.import = s.import AND f.idx = s.idx),
                EXISTS (SELECT 1 FROM import_seen o WHERE o.import = s.same_as AND o.idx = s.same_idx
                        AND o.import < s.import AND o.positions IS NOT NULL AND o.records = s.records)
         FROM import_seen s ORDER BY s.import, s.idx",
    )?;
    let mut rows = list.query([])?;
    while let Some(row) = rows.next()? {
        let (import, idx, records): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (held, same): (Option<Vec<u8>>, Option<i64>) = (row.get(3)?, row.get(4)?);
        let (of_a_file, like_another): (bool, bool) = (row.get(5)?, row.get(6)?);
        let sound = match (held, same) {
            (Some(bytes), None) => {
                let positions = Positions::from_bytes(bytes);
                positions.len() as i64 == records
                    && positions.iter().all(|Position(n)| (1..=size).contains(&n))
            }
            (None, Some(_)) => like_another,
            _ => false,
        };
        if !of_a_file || !sound {
            let file = idx.saturating_add(1);
            let told = format!(
                "import {import}: what it saw of its file {file} is not what an import writes"
            );
            differ(None, told);
        }
    }
    Ok(())
}

/// What files are said to hold: each is there, and no more events tell something than were looked at.
fn coverage(
    conn: &Connection,
    differ: &mut dyn FnMut(Option<Position>, String),
) -> rusqlite::Result<()> {
    let mut list = conn.prepare(
        "SELECT c.import, c.idx FROM import_coverage c
         WHERE NOT EXISTS (SELECT 1 FROM import_files f WHERE f.import = c.import AND f.idx = c.idx)
            OR min(looked_at - 1, tells_previous, tells_when, tells_who, tells_why) < 0
            OR max(tells_previous, tells_when, tells_who, tells_why) > looked_at
         ORDER BY c.import, c.idx",
    )?;
    let mut rows = list.query([])?;
    while let Some(row) = rows.next()? {
        let (import, idx): (i64, i64) = (row.get(0)?, row.get(1)?);
        let file = idx.saturating_add(1);
        let told = format!(
            "import {import}: what its file {file} is said to hold is not what an import writes"
        );
        differ(None, told);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    /// The details of what is found in a log of 4 events, in which two imports stored two each and a third none.
    fn found(tamper: &str) -> Vec<String> {
        let conn = Connection::open_in_memory().unwrap();
        schema::create(&conn, schema::FORMAT).unwrap();
        // Only the list of imports is looked at, so no event is needed.
        conn.execute_batch(
            "INSERT INTO imports VALUES (1, 0, 3, 2, 1, 0, 1, 2), (2, 0, 2, 2, 0, 0, 3, 4), (3, 0, 2, 0, 1, 1, NULL, NULL);
             INSERT INTO import_files VALUES (1, 0, 'a', 9, zeroblob(32), 'jsonl', NULL, NULL, 3),
                 (2, 0, 'b', 9, zeroblob(32), 'jsonl', NULL, NULL, 2), (3, 0, 'b', 9, zeroblob(32), 'jsonl', NULL, NULL, 2);
             INSERT INTO import_seen VALUES (1, 0, 0, NULL, NULL, 3, x'020201'), (2, 0, 0, NULL, NULL, 2, x'0602'),
                 (3, 0, 0, 2, 0, 2, NULL);
             INSERT INTO import_coverage VALUES (1, 0, 3, 3, 2, 1, 0);",
        )
        .unwrap();
        for trigger in ["imports", "import_files", "import_seen", "import_coverage"] {
            for what in ["update", "delete"] {
                conn.execute_batch(&format!("DROP TRIGGER {trigger}_{what}"))
                    .unwrap();
            }
        }
        conn.execute_batch(tamper).unwrap();
        let mut findings = VerifyFindings::default();
        check(&conn, 4, &mut findings).unwrap();
        findings.into_vec().into_iter().map(|f| f.detail).collect()
    }

    #[test]
    fn a_list_of_imports_that_does_not_agree_with_itself_or_the_log_is_found() {
        assert_eq!(found(""), Vec::<String>::new());
        for (tamper, want) in [
            (
                "UPDATE imports SET rejected = 0 WHERE id = 3",
                "import 3: 0 events stored, 1 duplicates and 0 rejected",
            ),
            (
                "UPDATE imports SET read = 4, rejected = 1 WHERE id = 1; UPDATE imports SET stored = 3 WHERE id = 1",
                "import 1: 3 events",
            ),
            (
                "DELETE FROM imports WHERE id = 1; DELETE FROM import_files WHERE import = 1",
                "import 1 is missing",
            ),
            (
                "UPDATE imports SET first_position = 2, stored = 3, read = 3 WHERE id = 2",
                "import 2: positions 2 to 4",
            ),
            (
                "UPDATE imports SET last_position = 5, stored = 3, read = 3 WHERE id = 2",
                "import 2: positions 3 to 5",
            ),
            (
                "UPDATE imports SET stored = 1, read = 3 WHERE id = 3",
                "import 3: 1 events stored, at no position",
            ),
            (
                "DELETE FROM import_files WHERE import = 3",
                "import 3: it is of no file",
            ),
            (
                "UPDATE import_seen SET positions = x'0204' WHERE import = 1",
                "import 1: what it saw of its file 1",
            ),
            (
                "UPDATE import_seen SET positions = x'060202', records = 3 WHERE import = 2",
                "import 2: what it saw",
            ),
            (
                "UPDATE import_seen SET records = 7 WHERE import = 3",
                "import 3: what it saw",
            ),
            (
                "UPDATE import_coverage SET tells_why = 4",
                "import 1: what its file 1 is said to hold",
            ),
            (
                "UPDATE import_coverage SET idx = 7",
                "import 1: what its file 8 is said to hold",
            ),
            (
                "UPDATE imports SET read = 9223372036854775807, stored = 9223372036854775807 WHERE id = 1",
                "import 1:",
            ),
        ] {
            let told = found(tamper);
            assert!(
                told.iter().any(|told| told.starts_with(want)),
                "{tamper}: {told:?}"
            );
        }
    }
}
